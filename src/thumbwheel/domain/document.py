"""Documents as retrievers list them, and the plain values they are made of."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Sequence
from typing import Any

from thumbwheel.domain.trace import Document, Json


def plain(value: Json) -> str | None:
    """Text, or a number as it is written; None for anything else and for empty text."""
    if isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def column(value: Json) -> str | None:
    """A value as a name in a column of its own: text without NUL, at most 512 characters, None when it is empty."""
    text = plain(value)
    return None if text is None else text.replace("\0", "")[:512] or None


def number(value: Any) -> float | None:
    """A finite number, also one written as text; None for anything else."""
    if value is None or isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        read = float(value)
    except (ValueError, OverflowError):
        return None
    return read if math.isfinite(read) else None


def read_documents(values: Sequence[Any]) -> tuple[Document, ...]:
    """The documents among `[{id, content or page_content, score, metadata}]`, ranked by their place.

    One without an id is known by its metadata's, or else by a hash of its content.
    """
    found = (_document(value, place) for place, value in enumerate(values, 1))
    return tuple(document for document in found if document is not None)


def _document(value: Any, place: int) -> Document | None:
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("document"), dict):
        value = value["document"]
    constructed = "lc" in value and isinstance(value.get("kwargs"), dict)
    body = value["kwargs"] if constructed else value
    about = _metadata(body.get("metadata"))
    content = plain(_first(body.get(name) for name in ("content", "page_content", "text")))
    named = (body.get("id"), *map(about.get, ("id", "document_id", "doc_id")))
    id = _first(map(column, named))
    if id is None and content is None:
        return None
    score = _first(map(number, (body.get("score"), about.get("score"), about.get("relevance_score"))))
    return Document(id=id or _content_id(content or ""), content=content, score=score, rank=place)


def _metadata(value: Any) -> dict[str, Any]:
    if isinstance(value, str) and value[:1] == "{":
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}


def _first(values: Iterable[Any]) -> Any:
    return next((value for value in values if value is not None), None)


def _content_id(content: str) -> str:
    return "content-" + hashlib.blake2b(content.encode(errors="surrogatepass"), digest_size=8).hexdigest()
