"""How texts are compared when a label closes its loop."""

from __future__ import annotations

import unicodedata

from thumbwheel.domain.trace import Json


def plain(text: str) -> str:
    """A text as answers are compared: Unicode NFC, white space trimmed and its runs one space, case kept."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def is_message(value: Json) -> bool:
    """Whether a value is one message of a conversation: an object with a role."""
    return isinstance(value, dict) and isinstance(value.get("role"), str)
