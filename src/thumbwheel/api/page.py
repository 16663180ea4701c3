"""Pages of a list: where one ended, as the cursor of the next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from fastapi import Response

from thumbwheel.errors import Invalid


def answer(value: object, status: int = 200) -> Response:
    """A value as JSON."""
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def page(items: Sequence[Any], following: str | None) -> Response:
    """Some items, and the cursor of the page after them."""
    return answer({"items": items, "next": following})


def cursor_of(at: datetime, *rest: str) -> str:
    """The cursor of what comes behind this place; a query may hold it as it is."""
    return "~".join([at.isoformat().replace("+00:00", "Z"), *rest])


def place(cursor: str | None) -> tuple[datetime, str] | None:
    """The time and the id a cursor stands for.

    Raises:
        Invalid: it is not one of ours.
    """
    found = parts(cursor, 2)
    return None if found is None else (time_of(found[0]), found[1])


def parts(cursor: str | None, n: int) -> list[str] | None:
    """The n texts a cursor is made of.

    Raises:
        Invalid: it is not one of ours.
    """
    if cursor is None:
        return None
    found = cursor.split("~", n - 1)
    if len(found) != n or "\x00" in cursor:
        raise _not_ours()
    return found


def time_of(text: str) -> datetime:
    """The time in a cursor.

    Raises:
        Invalid: it is none.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError as fault:
        raise _not_ours() from fault
    if at.tzinfo is None:
        raise _not_ours()
    return at


def rank_of(text: str) -> int:
    """The rank in a cursor.

    Raises:
        Invalid: it is none.
    """
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise _not_ours()
    return int(text)


def _not_ours() -> Invalid:
    return Invalid("This cursor is not one this server gave.", field="cursor")
