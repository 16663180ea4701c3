"""One id, however it is written."""

from __future__ import annotations

import re

_SURROGATE = re.compile("[\ud800-\udfff]")
_DASHED = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", re.ASCII)
_PLAIN = re.compile(r"[0-9A-Fa-f]{32}", re.ASCII)


def is_usable(given: str) -> bool:
    """Whether this can be an id: 1 to 512 characters a store can keep."""
    return 0 < len(given) <= 512 and "\0" not in given and (given.isascii() or not _SURROGATE.search(given))


def id_key(given: str) -> str:
    """The one form in which an id is looked up: 32 lower-case hex digits for a UUID however written, else as given.

    Ids are kept and shown as they were given; only lookups and links go through the key.

    >>> id_key("3F2504E0-4F89-11D3-9A0C-0305E82C3301")
    '3f2504e04f8911d39a0c0305e82c3301'
    >>> id_key("order-7")
    'order-7'
    """
    if len(given) == 32 and _PLAIN.fullmatch(given):
        return given.lower()
    if len(given) == 36 and _DASHED.fullmatch(given):
        return given.replace("-", "").lower()
    return given
