"""A first look at a text, and what only the words before it make personal: a licence, a passport, a date of birth."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from thumbwheel.ports import Found

_CLUSTER: Final = re.compile(r"\d(?:[^\w\n]{0,3}\d){5}")
#: What an issued key or a coin's address is made of; none is shorter.
LONG_WORD: Final = re.compile(r"[A-Za-z0-9_.\-]{15,}")


class Look:
    """What a first look at a text tells, shared by the gates. It costs some ten microseconds a kilobyte."""

    __slots__ = ("cluster", "long_word", "n_digits", "n_pairs", "small", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.small = text.lower()
        self.n_digits = sum(map(text.count, "0123456789"))
        #: Of the marks that part the pairs of a hardware address.
        self.n_pairs = text.count(":") + text.count("-")
        self.long_word = LONG_WORD.search(text) is not None
        #: Six digits close together: without them hardly a number of a person is in the text.
        self.cluster = self.n_digits >= 6 and _CLUSTER.search(text) is not None


def lowered(text: str) -> str:
    """In lower case, letter for letter: the few letters whose lower case is longer stay."""
    small = text.lower()
    return small if len(small) == len(text) else "".join(c.lower() if c.isascii() else c for c in text)


def places(small: str, stems: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Where one of the stems begins a word, and where the stem ends. `small` is in lower case."""
    for stem in stems:
        at = small.find(stem)
        while at >= 0:
            if not small[at - 1 : at].isalnum():
                yield at, at + len(stem)
            at = small.find(stem, at + 1)


_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}"
_NUMERIC_DATE = r"(?:\d{1,2}[/.-]\d{1,2}[/.-](?:\d{4}|\d{2})|\d{4}[/.-]\d{1,2}[/.-]\d{1,2})"
_WRITTEN_DATE = (
    rf"(?:\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {_MONTH},? \d{{4}}|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}})"
)
_APOSTROPHE = "['\u2019]"
#: Type, stems, and what may stand from the end of a stem to the value, and the value.
_LABELLED: Final = [
    (name, stems, re.compile(rf"(?:{rest})[^\n\d]{{0,{reach}}}?(?<![\w-])(?P<value>{value})(?![\w-])", re.IGNORECASE))
    for name, stems, rest, reach, value in (
        ("DATE_TIME", ("birth", "dob", "d.o.b"), r"(?: ?date| ?day)?\b", 30, f"{_NUMERIC_DATE}|{_WRITTEN_DATE}"),
        ("DATE_TIME", ("born",), r"(?: on)?\b", 8, _NUMERIC_DATE),
        (
            "US_DRIVER_LICENSE",
            ("driver", "driving"),
            rf"(?:{_APOSTROPHE}?s|s{_APOSTROPHE})? ?licen[cs]es?\b",
            30,
            r"[A-Z]{0,3}\d[\dA-Z-]{3,16}",
        ),
        ("US_DRIVER_LICENSE", ("dl ", "dl#"), r"(?:#|number|no\b)?", 15, r"[A-Z]{0,3}\d[\dA-Z-]{4,16}"),
        ("US_PASSPORT", ("passport",), r"s?\b", 25, r"[A-Z]{0,2}\d{6,9}"),
        ("US_BANK_NUMBER", ("account", "acct"), r"\.? ?(?:number|num|no|#)", 25, r"\d(?:[ -]?\d){5,16}"),
        ("ABA_ROUTING_NUMBER", ("routing", "aba"), r"\b", 25, r"[0123678]\d{8}"),
        ("US_ITIN", ("itin", "taxpayer"), r"\b", 30, r"9\d{2}[- ]?[5-9]\d[- ]?\d{4}"),
    )
]
_STEMS: Final = tuple(stem for _, stems, _ in _LABELLED for stem in stems)


def has_label(look: Look) -> bool:
    """True for every text in which `labelled` finds something."""
    return look.n_digits > 0 and any(stem in look.small for stem in _STEMS)


def labelled(text: str) -> Iterator[Found]:
    """Numbers and dates that are personal because of the words before them."""
    small = lowered(text)
    for name, stems, value in _LABELLED:
        for _, end in places(small, stems):
            match = value.match(text, end)
            if match:
                yield Found(name, *match.span("value"))
