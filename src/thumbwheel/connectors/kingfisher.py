"""Secrets of some four hundred services by Kingfisher's rules; it looks at text in this process and never at the network."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from threading import Lock
from typing import TYPE_CHECKING, Final

from thumbwheel.connectors.labels import Look
from thumbwheel.errors import ExtraMissing
from thumbwheel.ports import Found

if TYPE_CHECKING:
    from kingfisher_sdk import Scanner


def is_installed() -> bool:
    """Is Kingfisher here?"""
    return find_spec("kingfisher_sdk") is not None


_MIXED: Final = re.compile(r"[A-Za-z][^A-Za-z\d]*\d|\d[^A-Za-z\d]*[A-Za-z]|[a-z][A-Z]")
#: Words that announce a secret.
_NAMES: Final = ("key", "secret", "token", "passw", "pwd", "auth", "bearer", "basic", "credential", "curl", "://")


def may_have_secrets(look: Look) -> bool:
    """True for every text in which Kingfisher finds something: a word that announces one, or a long word of its kind.

    Such a word has letters and digits, or a capital after a small letter. Spares other texts the scanner, and its start.
    """
    return any(name in look.small for name in _NAMES) or any(
        len(word) >= 12 and _MIXED.search(word) for word in look.text.split()
    )


def finder() -> Callable[[str], Iterator[Found]]:
    """A finder of secrets. Its rules are compiled when a text first needs them: seconds once, a second from then on.

    Raises:
        ExtraMissing: Kingfisher is not installed.
    """
    if not is_installed():
        raise ExtraMissing("The secret scanner needs Kingfisher: pip install 'thumbwheel[pii]'.")
    lock = Lock()
    made: list[Scanner] = []

    def scanner() -> Scanner:
        from kingfisher_sdk import Scanner

        with lock:
            if not made:
                made.append(Scanner())
        return made[0]

    def find(text: str) -> Iterator[Found]:
        data = text.encode(errors="replace")
        for finding in scanner().scan(data):
            if finding.visible:
                place = finding.location
                start = len(data[: place["start_offset"]].decode())
                yield Found("SECRET", start, start + len(data[place["start_offset"] : place["end_offset"]].decode()))

    return find
