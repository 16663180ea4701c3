"""A row of anyone's table to native JSON: which column is which field, and cells with the type the field wants."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

import msgspec

from thumbwheel.errors import Invalid


class What(StrEnum):
    """What the rows of a file are."""

    traces = "traces"
    signals = "signals"


#: Fields of the native JSON, each with the names other tables give it.
_FIELDS: Final[Mapping[What, Mapping[str, tuple[str, ...]]]] = {
    What.traces: {
        "id": ("trace_id", "run_id", "request_id", "span_id"),
        "started_at": ("start_time", "created_at", "created", "timestamp", "time", "date"),
        "ended_at": ("end_time", "finished_at"),
        "name": (),
        "category": ("topic", "intent", "route"),
        "user_id": ("user", "userid", "customer_id"),
        "session_id": ("session", "conversation_id", "thread_id"),
        "model": ("model_name",),
        "prompt_version": ("prompt_name_version",),
        "release": ("app_version",),
        "tags": ("labels",),
        "input": ("question", "query", "prompt", "user_query", "user_message"),
        "output": ("answer", "response", "completion", "assistant_message"),
        "documents": ("contexts", "retrieved_documents"),
        "tool_calls": (),
        "judge": ("judge_score",),
        "metadata": (),
    },
    What.signals: {
        "id": ("signal_id", "feedback_id"),
        "trace_id": ("run_id", "request_id", "span_id"),
        "kind": (),
        "at": ("created_at", "created", "timestamp", "time", "date"),
        "user_id": ("user", "userid", "customer_id"),
        "value": ("rating", "thumb", "thumbs", "vote", "feedback", "score"),
        "reason": ("reason_category",),
        "edited": ("correction", "corrected_output"),
        "original": ("output",),
        "seconds": ("dwell_seconds", "dwell"),
        "comment": ("comments", "note"),
        "consent": (),
        "rights": (),
    },
}

_UP: Final = frozenset("up 1 1.0 +1 true t yes y like liked positive good thumbs_up thumbsup 👍".split())
_DOWN: Final = frozenset(
    "down 0 0.0 -1 -1.0 false f no n dislike disliked negative bad thumbs_down thumbsdown 👎".split()
)

#: Columns of these names may hold one to five stars, where 1 is not a thumb.
_SCALES: Final = frozenset({"rating", "score"})

#: A table without a `kind` column: each of these in a row is a signal of its own.
_KIND_OF: Final = {
    "value": "user_rating",
    "reason": "user_reason",
    "edited": "user_edit",
    "seconds": "implicit_dwell",
}


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column of a table is which field."""

    what: What
    #: Column -> field; a field may be a path ("judge.name", "metadata.tenant").
    fields: Mapping[str, str]
    #: Columns that have no place in a signal. A trace keeps every column, the unknown ones in its metadata.
    unused: tuple[str, ...]

    @classmethod
    def of(cls, header: Sequence[str], what: What, given: Mapping[str, str] | None = None) -> Columns:
        """From a table's header: fields by their own name, else by a name other tables give them, else as `given`.

        `given` maps columns to fields and wins.

        Raises:
            Invalid: a column comes twice, `given` names a column or field that is not there, or none is known.
        """
        given = given or {}
        named = [column for column in header if column.strip()]
        for column in named:
            if named.count(column) > 1:
                raise Invalid(f"The column {column!r} comes twice.", field=column)
        known = _FIELDS[what]
        for column, field in given.items():
            if column not in named or field.split(".")[0] not in known:
                raise Invalid(f"No column {column!r} to take the field {field!r} from, or no such field.", field=column)
        fields = dict(given)
        for column in named:
            fields.setdefault(column, _own_field(column, known))
        _add_other_names(fields, known)
        if not any(fields.values()):
            raise Invalid(f"None of the columns {', '.join(named)} is a field of {what}: {', '.join(known)}.")
        if what is What.traces:
            fields = {column: field or f"metadata.{column}" for column, field in fields.items()}
        unused = tuple(column for column, field in fields.items() if not field)
        return cls(what, {column: field for column, field in fields.items() if field}, unused)

    def items(self, cells: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The native JSON of a row: one object, or for signals without a `kind` one for each thing the row says.

        Raises:
            Invalid: a cell can't be what its field wants.
        """
        item: dict[str, Any] = {}
        for column, field in self.fields.items():
            cell = _plain(cells.get(column))
            if cell is None:
                continue
            if field == "value" and column.strip().lower() in _SCALES and _is_one(cell):
                raise Invalid("1 may be a thumb or a star; write up or down, or call the column `value`.", field=column)
            _put(item, field, _typed(field, cell))
        if self.what is What.traces or "kind" in item:
            yield item
        else:
            yield from _signals(item)


def _own_field(column: str, known: Mapping[str, Any]) -> str:
    name = column.strip()
    head = name.split(".", 1)[0].lower()
    if head not in known:
        return ""
    return head + name[len(head) :]


def _add_other_names(fields: dict[str, str], known: Mapping[str, tuple[str, ...]]) -> None:
    taken = set(fields.values())
    for field, names in known.items():
        column = next((c for name in names for c in fields if c.strip().lower() == name and not fields[c]), None)
        if field not in taken and column is not None:
            fields[column] = field


def _plain(cell: Any) -> Any:
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
            return [_plain(child) for child in cell]
        case dict():
            return {str(key): _plain(child) for key, child in cell.items()}
    return cell


def _put(item: dict[str, Any], field: str, value: Any) -> None:
    *heads, last = field.split(".", 1)
    if not heads:
        item[field] = {**value, **item[field]} if isinstance(value, dict) and field in item else value
        return
    inner = item.setdefault(heads[0], {})
    if not isinstance(inner, dict):
        raise Invalid(f"{heads[0]!r} is given both as a whole and in parts.", field=field)
    inner[last] = value


def _typed(field: str, cell: Any) -> Any:
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


def _is_one(cell: Any) -> bool:
    return not isinstance(cell, bool) and str(cell).strip() in {"1", "1.0", "+1"}


def _rating(_field: str, cell: Any) -> Any:
    text = str(cell).strip().lower()
    return "up" if text in _UP else "down" if text in _DOWN else cell


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


def _signals(item: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """One signal for each thing a row says; a row that says nothing is passed on, to be refused by name."""
    said = [field for field in _KIND_OF if field in item]
    shared = {
        field: value for field, value in item.items() if field not in {*_KIND_OF, "original", "rights", "comment"}
    }
    if not said:
        yield item
    for place, field in enumerate(said):
        signal = {**shared, "kind": _KIND_OF[field], field: item[field]}
        if "id" in item and place:
            signal["id"] = f"{item['id']}:{field}"
        own = ("original", "rights") if field == "edited" else ()
        signal |= {name: item[name] for name in own if name in item}
        if not place and "comment" in item:
            signal["comment"] = item["comment"]
        yield signal


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "…")
