"""Telephone numbers: by their own form, by a country's numbering plan, or by the words beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from thumbwheel.errors import ConfigInvalid
from thumbwheel.ports import Found

#: Countries whose national numbers are known without a label. A number with a label, or with +, needs none.
DEFAULT_REGIONS: Final = (
    "US",
    "CA",
    "GB",
    "IE",
    "DE",
    "AT",
    "CH",
    "FR",
    "BE",
    "NL",
    "ES",
    "IT",
    "SE",
    "AU",
    "IN",
    "BR",
)

_GAP: Final = r"[ \u00a0().\-\u2010-\u2015/]"
_EXTENSION: Final = r"(?:[ ,]{0,2}(?:x|ext\.?|extension)[ .:]{0,2}\d{1,6})"
#: A run of digits with what is written between the digits of a number; always within one line.
_RUN = re.compile(rf"\d(?:{_GAP}{{0,3}}\d){{5,}}{_EXTENSION}?")
#: North American: 3-3-4, which nothing else is written like.
_3_3_4 = re.compile(
    r"(?<![\w.$€£-])(?<!\d,)(?:\+?(?:00)?1[ .\-\u2011])?(?:\(\d{3}\)[ .\-\u2011]?|\d{3}[.\-\u2011])\d{3}[ .\-\u2011]\d{4}"
    rf"{_EXTENSION}?(?!\w)(?![.\-]\d)"
)
_PLUS = re.compile(rf"(?<![\w.+])\+ ?\(?[1-9](?:{_GAP}{{0,2}}\d){{7,14}}{_EXTENSION}?(?!\w)")

#: Words of calling; a few words may stand between one of these and the number: "call ChildLine on 0800 1111".
_CALL = (
    r"tel(?:e(?:ph|f)on[eo]?)?|t[ée]l(?:[ée]phone|[ée]fono)?|telefon\w*|phon(?:es?|ed|ing)|mobile|m[óo]vil|celular|cellphone|"
    r"fax|landline|hotline|helpline|voicemail|pager|whats ?app|viber|sms|call(?:ed|ing|back)?|dial(?:led|ing)?|rang|reach|"
    r"text(?:ed)?|answering|contact(?:ed)?|(?:my|your|his|her|their|our|whose) (?:\w+ )?number"
)
#: Words that mean many things: the number must follow them.
_PLACE = r"office|cell|handy|portable|ring|signal|extension|home|work"
_FILLER = re.compile(
    r"[\s:#.,(\-\u2013\"']{0,4}(?:(?:phone|number|no|nr|line|is|at|on|under)\b[\s:#.(]{0,3}){0,4}\Z", re.IGNORECASE
)
_OTHER = (
    r"order|invoice|ticket|case|account|acct|card|policy|serial|tracking|confirmation|reference|ref|booking|reservation|"
    r"license|licence|passport|ssn|social security|iban|isbn|issn|doi|pmid|zip|postcode|postal code|version|model|part|"
    r"item|sku|id|population|year|total|price|amount|date|code|pin|room|flight|section|article"
)
_LABEL = re.compile(rf"\b(?:(?P<call>{_CALL})|(?P<place>{_PLACE})|(?P<other>{_OTHER}))\b", re.IGNORECASE)
_AFTER = re.compile(r"[\s\-,(]{0,3}(?:office|fax|cell|mobile|home|work|phone|tel|landline|pager)\b", re.IGNORECASE)
_DATE = re.compile(
    r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}([-/.])\d{1,2}\1(?:\d{4}|\d{2}))(?: \d{1,2})?\Z|(?:1\d|20)\d\d ?[-\u2010-\u2015/] ?(?:(?:1\d|20)\d\d|\d\d)\Z"
)
_UNIT = re.compile(
    r" ?(?:%|°|€|£|\$|USD|EUR|GBP|km|kg|people|years?|days?|hours?|minutes?|seconds?|bytes|[KMG]B|million|billion)\b",
    re.IGNORECASE,
)
_DECIMAL = re.compile(r"\A\(?\d+\.\d+\)?\Z|\d\.\d{1,2}\(|\d\.\d{5,}| - ")
#: A national number with its trunk 0, or its area in brackets.
_TRUNK = re.compile(
    r"(?!\d{5}-\d{4}\Z|\((?:1[89]|20)\d\d\))(?:\(\d{2,5}\) ?\d{2,8}(?:([ \u00a0.\-\u2011])\d{2,8}(?:\1\d{2,8}){0,3})?"
    r"|0\d{1,4}([ \u00a0.\-\u2011/])\d{2,8}(?:[ \u00a0.\-\u2011]\d{2,8})?(?:\2\d{2,8}){0,4})"
)
_ISBN = re.compile(r"97[89][ -]?\d(?:[ -]?\d){9}\Z")


def checked(regions: Sequence[str]) -> Sequence[str]:
    """The same regions, each known.

    Raises:
        ConfigInvalid: there is no such region.
    """
    import phonenumbers

    for region in regions:
        if region not in phonenumbers.SUPPORTED_REGIONS:
            raise ConfigInvalid(f"{region!r} is no country with telephone numbers: two letters, like GB.")
    return regions


def phone_numbers(text: str, regions: Sequence[str] = DEFAULT_REGIONS) -> Iterator[Found]:
    """Numbers in the North American 3-3-4 form, after a +, by the plan of one of `regions`, or beside a word like "call"."""
    for run in _RUN.finditer(text):
        start, end = run.span()
        while text[start - 1 : start] in {"(", "+"} or text[start - 2 : start] == "+ ":
            start -= 1
        if text[end : end + 1].isalnum() or text[start - 1 : start].isalnum():
            continue
        at = start
        for match in (*_3_3_4.finditer(text, start, end), *_PLUS.finditer(text, start, end)):
            if match.start() >= at:
                yield from _others(text, at, match.start(), regions)
                yield Found("PHONE_NUMBER", *match.span())
                at = match.end()
        yield from _others(text, at, end, regions)


def _others(text: str, start: int, end: int, regions: Sequence[str]) -> Iterator[Found]:
    """The numbers of a run that neither begin with + nor have the North American form."""
    for first, last in _pieces(text, start, end):
        if _is_phone(text, first, last, regions):
            yield Found("PHONE_NUMBER", first, last)


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The run as one number if it is no longer than one, else its parts between spaces; without a bracket left open."""
    while start < end and not (text[start].isdigit() or text[start] == "("):
        start += 1
    spans = [(start, end)] if start < end else []
    if _n_digits(text[start:end]) > 15:
        spans = [part.span() for part in re.compile(r"\S+").finditer(text, start, end)]
    for first, last in spans:
        opened = text[first] == "(" and ")" not in text[first:last]
        yield first + opened, last


def _is_phone(text: str, start: int, end: int, regions: Sequence[str]) -> bool:
    number = text[start:end]
    n = _n_digits(re.split("[xe]", number, maxsplit=1)[0])
    if not 6 <= n <= 15 or _DATE.match(number.strip("()")) or _ISBN.match(number):
        return False
    if _DECIMAL.search(number) or text[start - 1 : start] in {"$", "€", "£", "#"} or _UNIT.match(text, end):
        return False
    grouped = re.search(r"\d\D+\d", number) is not None
    if _labelled(text, start, end, near=n == 6):
        return grouped or (n >= 7 and not number.endswith("000"))
    return n >= 8 and _TRUNK.fullmatch(number) is not None and _in_plan(number, regions)


def _labelled(text: str, start: int, end: int, *, near: bool) -> bool:
    """Is the nearest telling word before the number, in its sentence, one of calling? Or the one right behind it?"""
    before = re.split(r"[.!?]\s|\n", text[max(0, start - 45) : start])[-1]
    labels = list(_LABEL.finditer(before))
    if labels and not labels[-1]["other"]:
        close = _FILLER.match(before, labels[-1].end()) is not None
        if (close or labels[-1]["call"] is not None) if not near else close and len(before) - labels[-1].end() <= 5:
            return True
    return _AFTER.match(text, end) is not None


def _in_plan(number: str, regions: Sequence[str]) -> bool:
    import phonenumbers

    for region in regions:
        try:
            if phonenumbers.is_valid_number_for_region(phonenumbers.parse(number, region), region):
                return True
        except phonenumbers.NumberParseException:
            continue
    return False


def _n_digits(text: str) -> int:
    return sum(letter.isdigit() for letter in text)
