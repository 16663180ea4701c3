"""Cells of a table, with the type the field wants that they are for."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec

from thumbwheel.connectors.votes import vote_of
from thumbwheel.errors import Invalid


def plain(cell: Any) -> Any:
    """What a table cell says, in JSON's terms; None for nothing."""
    match cell:
        case None | "":
            return None
        case float() if math.isnan(cell):
            return None
        case datetime():
            return (cell if cell.tzinfo else cell.replace(tzinfo=UTC)).isoformat()
        case date():
            return cell.isoformat()
        case Decimal():
            return float(cell)
        case bytes():
            return cell.decode(errors="surrogateescape")
        case list() | tuple():
            return [plain(child) for child in cell]
        case dict():
            return {str(key): plain(child) for key, child in cell.items()}
        case timedelta():
            return cell.total_seconds()
        case str() | int() | float():
            return cell
    return str(cell)


def typed(field: str, cell: Any) -> Any:
    """A cell as the field wants it.

    Raises:
        Invalid: it cannot be.
    """
    return _TYPES.get(field, _any if "." in field else _name)(field, cell)


def _name(_field: str, cell: Any) -> Any:
    """Ids and names are text, also where the table has them as numbers."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell) if isinstance(cell, int | float) and not isinstance(cell, bool) else cell


def _number(field: str, cell: Any) -> Any:
    if isinstance(cell, int | float):
        return cell
    try:
        return float(str(cell).strip())
    except ValueError as fault:
        raise Invalid(f"{cell!r} is not a number.", field=field) from fault


def _any(_field: str, cell: Any) -> Any:
    """Objects and lists are decoded; all other text stays text, also where it would be JSON ("42", "true")."""
    if not isinstance(cell, str) or cell.lstrip()[:1] not in {"{", "["}:
        return cell
    try:
        return msgspec.json.decode(cell)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return cell


def _object(field: str, cell: Any) -> Any:
    decoded = _any(field, cell)
    if isinstance(decoded, str):
        raise Invalid(f"{_short(decoded)} is not JSON.", field=field)
    return decoded


def _documents(field: str, cell: Any) -> Any:
    """Documents that are plain text get their place in the list as id."""
    decoded = _object(field, cell)
    if not isinstance(decoded, list):
        return decoded
    return [{"id": str(n), "content": each} if isinstance(each, str) else each for n, each in enumerate(decoded, 1)]


def _judge(field: str, cell: Any) -> Any:
    decoded = _any(field, cell)
    return decoded if isinstance(decoded, dict) else {"score": _number(field, decoded)}


def _list(field: str, cell: Any) -> Any:
    """A JSON list, or names between commas or semicolons."""
    decoded = _any(field, cell)
    if not isinstance(decoded, str):
        return decoded
    return [name.strip() for name in decoded.replace(";", ",").split(",") if name.strip()]


def _time(field: str, cell: Any) -> Any:
    """ISO 8601 as it is; a number counts from 1970, in seconds, milliseconds or microseconds by its size."""
    text = str(cell).strip()
    try:
        seconds = float(text)
    except ValueError:
        return text.removesuffix(" UTC") + "+00:00" if text.endswith(" UTC") else text
    if len(text.split(".")[0]) < 9:
        return text
    while seconds > 1e11:
        seconds /= 1000
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat()
    except (ValueError, OverflowError, OSError) as fault:
        raise Invalid(f"{text} is not a time.", field=field) from fault


def _rating(_field: str, cell: Any) -> Any:
    return vote_of(cell) or cell


_TYPES: Final[Mapping[str, Callable[[str, Any], Any]]] = {
    "input": _any,
    "output": _any,
    "metadata": _object,
    "documents": _documents,
    "tool_calls": _object,
    "consent": _object,
    "judge": _judge,
    "judge.score": _number,
    "tags": _list,
    "rights": _list,
    "started_at": _time,
    "ended_at": _time,
    "at": _time,
    "seconds": _number,
    "value": _rating,
    "comment": lambda _field, cell: str(cell),
    "edited": lambda _field, cell: str(cell),
    "original": lambda _field, cell: str(cell),
}


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "…")
