"""A row of anyone's table to native JSON: which column is which field, and cells with the type the field wants."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from thumbwheel.connectors.cells import plain, typed
from thumbwheel.connectors.fields import ABOUT_TRACE, FIELDS, What
from thumbwheel.connectors.native import content_hash
from thumbwheel.connectors.votes import SKIP, read_vote, word
from thumbwheel.errors import Invalid

#: Columns of these names may hold one to five stars, where 1 is not a thumb.
SCALES: Final = frozenset({"rating", "score"})

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
    #: Field ("value", "reason") -> what its values stand for (see `thumbwheel.connectors.votes`); `skip` for nothing.
    values: Mapping[str, Mapping[str, str]] = dataclasses.field(default_factory=dict)
    #: Name of the table, the beginning of the ids that its rows' keys become; None leaves ids as they are.
    source: str | None = None

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
        known = FIELDS[what]
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
        yield from self.read(cells).items

    def read(self, cells: Mapping[str, Any]) -> RowRead:
        """All that a row says.

        Raises:
            Invalid: a cell can't be what its field wants.
        """
        item: dict[str, Any] = {}
        for column, name in self.fields.items():
            cell = plain(cells.get(column))
            if cell is not None:
                self._take(item, column, name, cell)
        if self.what is What.traces:
            return RowRead([item])
        about: dict[str, Any] = {name: item.pop(name) for name in ABOUT_TRACE if name in item}
        self._name_trace(item, about)
        if "edited" in item and isinstance(about.get("output"), str):
            item.setdefault("original", about["output"])
        if self._says_nothing(item, cells):
            return RowRead([])
        signals = [item] if "kind" in item else list(_signals(item))
        return RowRead([self._with_id(each) for each in signals], _trace(item, about))

    def _take(self, item: dict[str, Any], column: str, name: str, cell: Any) -> None:
        meaning = self.values.get(name)
        if meaning and name == "value":
            cell = read_vote(cell, meaning)
        elif meaning:
            cell = meaning.get(word(cell), cell)
        elif name == "value" and column.strip().lower() in SCALES and _is_one(cell):
            raise Invalid("1 may be a thumb or a star; write up or down, or call the column `value`.", field=column)
        if cell != SKIP or not meaning:
            _put(item, name, typed(name, cell))

    def _says_nothing(self, item: Mapping[str, Any], cells: Mapping[str, Any]) -> bool:
        """Whether all that a row says was said to stand for nothing.

        Raises:
            Invalid: there is a comment, which would be lost with it.
        """
        if "kind" in item or any(name in item for name in _KIND_OF):
            return False
        voted = any(
            name in self.values and plain(cells.get(column)) is not None for column, name in self.fields.items()
        )
        if voted and "comment" in item:
            raise Invalid(
                "A comment stands beside a thumb, a reason or an edit, and here it has none.", field="comment"
            )
        return voted

    def _name_trace(self, item: dict[str, Any], about: Mapping[str, Any]) -> None:
        """A table that names no trace, but has what was asked and answered, is known by its rows' own keys."""
        if "trace_id" in self.fields.values() or not {"input", "output"} <= about.keys() or self.source is None:
            return
        key = item.get("id") or f"{content_hash(dict(about)):016x}"
        item["trace_id"] = f"{self.source}:{key}"

    def _with_id(self, signal: dict[str, Any]) -> dict[str, Any]:
        """A vote that was changed is another signal, so what it says is part of its id."""
        if self.source is None or "id" not in signal:
            return signal
        said = next((signal[name] for name in _KIND_OF if name in signal), None)
        return {**signal, "id": f"{self.source}:{signal['id']}:{content_hash([signal.get('kind'), said]):016x}"}


@dataclass(frozen=True, slots=True)
class RowRead:
    """What one row of a table says, in the native JSON."""

    #: A trace, or any number of signals; none where all of it was said to stand for nothing.
    items: Sequence[dict[str, Any]]
    #: The trace the signals are about, where the row has what was asked and what was answered.
    trace: dict[str, Any] | None = None


def _trace(item: Mapping[str, Any], about: Mapping[str, Any]) -> dict[str, Any] | None:
    if not {"input", "output"} <= about.keys() or not item.get("trace_id"):
        return None
    trace = {"id": item["trace_id"], **about}
    if "at" in item:
        trace.setdefault("started_at", item["at"])
    if "user_id" in item:
        trace["user_id"] = item["user_id"]
    return trace


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


def _put(item: dict[str, Any], field: str, value: Any) -> None:
    *heads, last = field.split(".", 1)
    if not heads:
        item[field] = {**value, **item[field]} if isinstance(value, dict) and field in item else value
        return
    inner = item.setdefault(heads[0], {})
    if not isinstance(inner, dict):
        raise Invalid(f"{heads[0]!r} is given both as a whole and in parts.", field=field)
    inner[last] = value


def _is_one(cell: Any) -> bool:
    return not isinstance(cell, bool) and str(cell).strip() in {"1", "1.0", "+1"}


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
