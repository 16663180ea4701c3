"""The text of what applications send and answer, whatever shape they keep it in."""

from __future__ import annotations

import json
import unicodedata

from thumbwheel.domain.trace import Json

#: Keys under which an answer that is an object keeps its text, the likeliest first.
_TEXT_KEYS = ("content", "text", "output", "answer", "response", "message", "parts")


def text_of(value: Json) -> str:
    """The text a user would have read: of a plain answer, a message, or the last of several messages.

    A string is itself. A message (`{"role", "content"}`) is its content; of a
    list of messages the last one with text counts; a list of parts
    (`{"type": "text", "text": …}`) is joined. Of any other object the first of
    `content, text, output, answer, response, message, parts` that holds text
    counts. What has no text in this sense is its JSON, with sorted keys, so
    that equal answers have equal texts. Nothing (None) is the empty text.
    """
    if value is None:
        return ""
    found = _text(value, depth=8)
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if found is None else found


def plain(text: str) -> str:
    """A text as answers are compared: Unicode NFC, white space trimmed and its runs one space, case kept."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def is_message(value: Json) -> bool:
    """Whether a value is one message of a conversation: an object with a role."""
    return isinstance(value, dict) and isinstance(value.get("role"), str)


def _text(value: Json, depth: int) -> str | None:
    if isinstance(value, str):
        return value
    if depth == 0:
        return None
    if isinstance(value, dict):
        inner = (_text(value[key], depth - 1) for key in _TEXT_KEYS if value.get(key) is not None)
        return next((text for text in inner if text is not None), None)
    if isinstance(value, list) and value:
        return _of_list(value, depth - 1)
    return None


def _of_list(items: list[Json], depth: int) -> str | None:
    """The last message's text; of a list without roles, all texts joined, if every item has one."""
    if any(is_message(item) for item in items):
        texts = (_text(item, depth) for item in reversed(items) if is_message(item))
        return next((text for text in texts if text), None)
    parts = [_text(item, depth) for item in items if isinstance(item, dict)]
    if len(parts) < len(items) or None in parts:
        return None
    return "\n".join(part for part in parts if part)
