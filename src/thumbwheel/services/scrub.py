"""Scrub: texts on their own, with no store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from thumbwheel.capture.privacy import scrub_text
from thumbwheel.errors import Invalid
from thumbwheel.ports import Found, Scrubber


@dataclass(frozen=True, slots=True)
class ScrubbedText:
    """A text without its personal data."""

    id: Any
    text: str
    #: What was found, by place in the text as it was given.
    found: tuple[Found, ...]


def scrub_texts(rows: Iterable[Mapping[str, Any]], scrubber: Scrubber) -> Iterator[ScrubbedText]:
    """Each row's `text` with placeholders, numbered anew for each row.

    Raises:
        Invalid: a row has no text.
    """
    for place, row in enumerate(rows, 1):
        text = row.get("text")
        if not isinstance(text, str):
            raise Invalid(f'Row {place} has no "text".', field="text")
        yield ScrubbedText(row.get("id"), scrub_text(text, scrubber).value, tuple(scrubber.find(text)))
