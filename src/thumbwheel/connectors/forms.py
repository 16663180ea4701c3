"""Personal data that has a form: what it looks like, and the check that tells it from other numbers.

Each form's pattern runs in time linear in the text: what is written without bound is matched from its first character
on only, and everything else is bounded. Type names are Presidio's.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from thumbwheel.connectors.labels import Look, has_label, labelled
from thumbwheel.ports import Found


@dataclass(frozen=True, slots=True)
class Form:
    """One kind of personal data: where it may be, cheaply, and what is found."""

    #: True for every text in which `find` finds something. Patterns here begin with a digit or a mark: those are rare,
    #: so the scan skips over words.
    gate: Callable[[Look], object]
    find: Callable[[str], Iterable[Found]]


# --- e-mail

_LOCAL = re.compile(r"(?:[^\W_]|[!#$%&'*+\-/=?^_`{|}~.])+\Z")
_DOMAIN = re.compile(r"(?:[^\W_](?:[\w-]{0,62})\.){1,8}(?:xn--[\w-]{2,59}|[^\W\d_]{2,24})(?![^\W_])")

#: icon@2x.png is a picture.
_FILE = re.compile(r"\.(?:png|jpe?g|gif|svg|webp|css|js|py|html?|json)\Z", re.IGNORECASE)


def emails(text: str) -> Iterator[Found]:
    """A local part of up to 64 characters, an @ sign, and a domain whose last part is letters."""
    for sign in re.finditer("[@\uff20]", text):
        at = sign.start()
        local = _LOCAL.search(text, max(0, at - 64), at)
        domain = _DOMAIN.match(text, at + 1, at + 320)
        if local and domain and not _FILE.search(domain[0]):
            # In "to=a&cc=b@c.org" the address is b@c.org.
            name = re.split("[=&/|{}?]", local[0])[-1].lstrip(".'`*")
            if name:
                yield Found("EMAIL_ADDRESS", at - len(name), domain.end())


# --- cards, accounts, identity numbers

_CARD_RUN = re.compile(r"(?<![\w.])\d(?:[ -]?\d){11,30}(?!\d)(?!\.\d)")
_CARD_LABEL = re.compile(
    r"\b(?:credit|debit|card|visa|master ?card|amex|american express|discover|diners|cc)\b", re.IGNORECASE
)
#: Issuers' first digits; 2221-2720 is Mastercard's second range. 1 (airlines) is left out: times begin with it.
_CARD_START = re.compile(r"3[0-9]|4|5[0-9]|6|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720)")


def cards(text: str) -> Iterator[Found]:
    """13 to 19 digits with an issuer's beginning and a correct Luhn digit, or any near the word card."""
    for run in _CARD_RUN.finditer(text):
        groups = [(m.start(), m.end()) for m in re.compile(r"\d+").finditer(text, run.start(), run.end())]
        labelled = _CARD_LABEL.search(text, max(0, run.start() - 50), run.start()) is not None
        yield from _card(text, groups, labelled)


def _card(text: str, groups: list[tuple[int, int]], labelled: bool) -> Iterator[Found]:
    """The first stretch of whole groups that is a card number; a security code may follow one."""
    for first in range(len(groups)):
        for last in reversed(_lasts(groups, first)):
            start, end = groups[first][0], groups[last][1]
            sizes = [stop - begin for begin, stop in groups[first : last + 1]]
            digits = re.sub(r"\D", "", text[start:end])
            sized = _CARD_START.match(digits) and (labelled or len(digits) > 13)
            if sized and (_luhn(digits) or (labelled and sizes in _CARD_SIZES)):
                yield Found("CREDIT_CARD", start, end)
                return


def _lasts(groups: list[tuple[int, int]], first: int) -> list[int]:
    """The groups with which a number that begins with group `first` has 13 to 19 digits."""
    lasts, total = [], 0
    for last in range(first, len(groups)):
        total += groups[last][1] - groups[last][0]
        if total > 19:
            break
        if total >= 13:
            lasts.append(last)
    return lasts


#: Sixteen digits at once or in fours, American Express's 4-6-5: a card's form even with a wrong digit.
_CARD_SIZES: Final = ([16], [4, 4, 4, 4], [15], [4, 6, 5])


def _luhn(digits: str) -> bool:
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0


_IBAN_HEAD = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?=[ -]?[A-Za-z0-9]{2})")
_IBAN_LABEL = re.compile(r"\biban\b", re.IGNORECASE)
_IBAN_LENGTHS: Final = {
    country: int(length)
    for length, countries in (
        pair.split(":")
        for pair in (
            "15:NO 16:BE 18:DK,FK,FI,FO,GL,NL,SD 19:MK,SI 20:AT,BA,EE,KZ,LT,LU,MN,XK 21:CH,HR,LI,LV 22:BG,BH,CR,DE,GB,GE,"
            "IE,ME,RS,VA 23:AE,GI,IL,IQ,OM,SO,TL 24:AD,CZ,ES,MD,PK,RO,SA,SE,SK,TN,VG 25:LY,PT,ST 26:IS,TR 27:BI,DJ,FR,GR,"
            "IT,MC,MR,SM 28:AL,AZ,BY,CY,DO,GT,HN,HU,LB,NI,PL,SV 29:BR,EG,PS,QA,UA 30:JO,KW,MU,YE 31:MT,SC 32:LC 33:RU"
        ).split()
    )
    for country in countries.split(",")
}


def ibans(text: str) -> Iterator[Found]:
    """An account number of its country's length with correct check digits, or any of that length near the word IBAN."""
    for head in _IBAN_HEAD.finditer(text):
        length = _IBAN_LENGTHS.get(head[0][:2].upper())
        end = _end_of(text, head.start(), length) if length else None
        if end is None:
            continue
        plain = re.sub("[ -]", "", text[head.start() : end]).upper()
        number = int("".join(str(int(letter, 36)) for letter in plain[4:] + plain[:4]))
        if number % 97 == 1 or _IBAN_LABEL.search(text, max(0, head.start() - 40), head.start()):
            yield Found("IBAN_CODE", head.start(), end)


def _end_of(text: str, start: int, length: int) -> int | None:
    """Where `length` letters and digits from `start` end, single spaces and dashes between them not counted."""
    left, at = length, start
    while left and at < len(text):
        letter = text[at]
        if letter.isascii() and letter.isalnum():
            left -= 1
        elif letter not in " -" or text[at - 1] in " -":
            return None
        at += 1
    return None if left or (text[at : at + 1].isascii() and text[at : at + 1].isalnum()) else at


# The look behind comes after the first digits: the scan then stops at digits only.
_SSN = re.compile(
    r"(?P<area>\d{3})(?<![\d-]\d{3})(?P<sep>[- .]?)(?P<group>\d{2})(?P=sep)(?P<serial>\d{4})(?!\d)(?!-\d)"
)
_SSN_LABELLED = re.compile(r"(?<![\d-])(?:\d{5}-\d{4}|\d{3}-\d{6})(?!\d)(?!-\d)")
_SSN_LABEL = re.compile(r"\b(?:ssns?|soc(?:ial)?[ .]*sec(?:urity)?)\b", re.IGNORECASE)


def social_security_numbers(text: str) -> Iterator[Found]:
    """3-2-4 digits between dashes that may have been issued; written otherwise only near the words."""
    for match in _SSN.finditer(text):
        issued = match["area"] not in {"000", "666"} and match["group"] != "00" and match["serial"] != "0000"
        if (match["sep"] == "-" and issued and match["area"] < "900") or _near(_SSN_LABEL, text, match.start(), 50):
            yield Found("US_SSN", *match.span())
    for match in _SSN_LABELLED.finditer(text):
        if _near(_SSN_LABEL, text, match.start(), 50):
            yield Found("US_SSN", *match.span())


def _near(label: re.Pattern[str], text: str, start: int, reach: int) -> bool:
    return label.search(text, max(0, start - reach), start) is not None


# --- machines

_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?!\w)(?!\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}(?:(?:\d{1,3}\.){3}\d{1,3}|[0-9A-Fa-f]{0,4})(?![\w:])")
_VERSION = re.compile(
    r"(?:\b(?:version|ver|release|build|section|chapter|clause|article|firmware|oid)|§|[=<>~!]=)[\s:#]*\Z",
    re.IGNORECASE,
)
#: Addresses that are no one's: this machine, net masks, the public name servers everybody quotes.
_NOBODY = re.compile(r"127\.|0\.0\.0\.0|255\.255\.|8\.8\.(?:8\.8|4\.4)$|1\.1\.1\.1$|1\.0\.0\.1$|9\.9\.9\.9$")
_MAC = re.compile(r"(?<![\w:.-])[0-9A-Fa-f]{2}([:-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}(?![\w:-])")
_MAC_DOTTED = re.compile(r"(?<![\w.])[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}(?![\w.])")


def ip_addresses(text: str) -> Iterator[Found]:
    """IPv4 that is no version number; IPv6 that is written out or long enough to be no slice and no namespace."""
    for match in _IPV4.finditer(text):
        numbered = _VERSION.search(text, max(0, match.start() - 16), match.start())
        if _is_ip(match[0]) and not numbered and not _NOBODY.match(match[0]):
            yield Found("IP_ADDRESS", *match.span())
    for match in _IPV6.finditer(text):
        groups = [group for group in match[0].split(":") if group]
        whole = len(groups) >= 3 and any(letter.isdigit() for letter in match[0])
        if (whole or groups[:1] in (["fe80"], ["2001"])) and _is_ip(match[0]):
            yield Found("IP_ADDRESS", *match.span())


def mac_addresses(text: str) -> Iterator[Found]:
    """Six pairs between colons or dashes, or three fours between dots, with a letter or a digit other than 0."""
    for match in (*_MAC.finditer(text), *_MAC_DOTTED.finditer(text)):
        plain = re.sub(r"\W", "", match[0]).upper()
        if plain.strip("F") and plain.strip("0") and ("." not in match[0] or not plain.isdigit()):
            yield Found("MAC_ADDRESS", *match.span())


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


_URL = re.compile(r"(?<![\w@])(?:https?://|www\.)[^\s<>\"'`|\\^{}\[\]]{2,2000}", re.IGNORECASE)
_MARKS: Final = ("://", "www.", ".com", ".org", ".net", ".edu", ".gov", ".info", ".biz")
_SITE = re.compile(
    r"(?<![\w@./-])(?:[a-z0-9][a-z0-9-]{0,62}\.){1,5}(?:com|org|net|edu|gov|info|biz)(?![\w@-])(?!\.\w)(?:/[^\s<>\"']{0,500})?",
    re.IGNORECASE,
)


def may_have_urls(look: Look) -> bool:
    """True for every text in which `urls` finds something."""
    return any(mark in look.small for mark in _MARKS)


def urls(text: str) -> Iterator[Found]:
    """Addresses of the web with a scheme or www, and bare ones of the large domains."""
    for match in (*_URL.finditer(text), *_SITE.finditer(text)):
        end = match.end() - len(match[0]) + len(match[0].rstrip(".,;:!?)*_"))
        yield Found("URL", match.start(), end)


_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_COIN = re.compile(
    rf"(?<![A-Za-z0-9])(?:(?P<base58>[13][{_BASE58}]{{25,34}})|bc1[ac-hj-np-z02-9]{{25,59}}|0x[0-9A-Fa-f]{{40}})(?![A-Za-z0-9])"
)


def coin_addresses(text: str) -> Iterator[Found]:
    """Bitcoin addresses with a correct checksum (the old form), or by their prefix, and Ethereum's."""
    for match in _COIN.finditer(text):
        if not match["base58"] or _base58_checks(match["base58"]):
            yield Found("CRYPTO", *match.span())


def _base58_checks(address: str) -> bool:
    number = 0
    for letter in address:
        number = number * 58 + _BASE58.index(letter)
    if number.bit_length() > 200:
        return False
    raw = number.to_bytes(25, "big")
    return hashlib.sha256(hashlib.sha256(raw[:-4]).digest()).digest()[:4] == raw[-4:]


# --- gates

_IBAN_GATE = re.compile(r"\d\d(?<=[A-Za-z]{2}\d\d)")
_COIN_GATE = re.compile(rf"0x[0-9A-Fa-f]{{40}}|[13][{_BASE58}]{{25}}")
_MAC_GATE = re.compile(r"[:-][0-9A-Fa-f]{2}[:-][0-9A-Fa-f]{2}[:-]")
_MAC_DOTTED_GATE = re.compile(r"\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}")
_IPV4_GATE = re.compile(r"\d\.\d{1,3}\.\d{1,3}\.\d")
_IPV6_GATE = re.compile(r":[0-9A-Fa-f]{0,4}:")

#: In order of strength: where two overlap, the earlier stands.
FORMS: Final = (
    Form(lambda look: "@" in look.text or "\uff20" in look.text, emails),
    Form(lambda look: look.n_digits >= 2 and _IBAN_GATE.search(look.text), ibans),
    Form(lambda look: look.n_digits >= 13 and look.cluster, cards),
    Form(lambda look: look.long_word and ("bc1" in look.text or _COIN_GATE.search(look.text)), coin_addresses),
    Form(
        lambda look: (look.n_pairs >= 5 and _MAC_GATE.search(look.text)) or _MAC_DOTTED_GATE.search(look.text),
        mac_addresses,
    ),
    Form(
        lambda look: look.n_digits and (_IPV4_GATE.search(look.text) or _IPV6_GATE.search(look.text)),
        ip_addresses,
    ),
    Form(lambda look: look.n_digits >= 9 and look.cluster, social_security_numbers),
    Form(has_label, labelled),
)
