"""Ranges of the shuffle: a draw reads what its lists need of a frame's days in one statement, however many lists.

The ranges stand in a list of values that is joined to the table. CROSS JOIN keeps SQLite from turning that order round
(it would read whole days); PostgreSQL takes it as any other join. Numbers are written into the statement, since it
would otherwise carry some thousand parameters, and nobody outside chooses them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, text

from thumbwheel.store.archive_tables import evidence
from thumbwheel.store.traces import ROW_COLUMNS, TraceRow, row_of

_Wanted = TypeVar("_Wanted", tuple[str, int, int], tuple[int, int, int])

#: Most ranges in one statement.
_CHUNK = 5_000

_COLUMNS = ", ".join(str(column) for column in ROW_COLUMNS)

_BY_CATEGORY = (
    "WITH wanted (category, low, high) AS (VALUES {values}) "
    "SELECT {columns} FROM wanted CROSS JOIN traces "
    "WHERE traces.project_id = {project_id} AND traces.day IN ({days}) "
    "AND traces.category = wanted.category AND traces.sample_key BETWEEN wanted.low AND wanted.high"
)
_BY_CELL = (
    "WITH wanted (cell, low, high) AS (VALUES {values}) "
    "SELECT {columns}, evidence.cell FROM wanted CROSS JOIN evidence CROSS JOIN traces "
    "WHERE evidence.project_id = {project_id} AND evidence.day IN ({days}) "
    "AND evidence.cell = wanted.cell AND evidence.sample_key BETWEEN wanted.low AND wanted.high "
    "AND traces.id = evidence.trace_ref"
)


@dataclass(frozen=True, slots=True)
class KnownTrace:
    """A trace and the cell it was found under."""

    trace: TraceRow
    cell: int


class Ranges:
    """Ranges of the shuffled traces of one project. Reads only."""

    def __init__(self, connection: Connection, project_id: int) -> None:
        self._connection = connection
        self._project_id = project_id

    def list_traces(self, days: Sequence[int], wanted: Sequence[tuple[str, int, int]]) -> list[TraceRow]:
        """Traces of these days in any of some ranges: category, and low <= sample_key < high; each once."""
        found: dict[int, TraceRow] = {}
        for chunk in _chunks(days, wanted):
            # Categories are users' text, so they alone are parameters.
            values = ", ".join(f"(:c{at}, {low:d}, {high - 1:d})" for at, (_, low, high) in enumerate(chunk))
            categories = {f"c{at}": category for at, (category, _, _) in enumerate(chunk)}
            statement = text(_BY_CATEGORY.format(values=values, **self._of(days))).columns(*ROW_COLUMNS)
            found |= {row[0]: row_of(row) for row in self._connection.execute(statement, categories).all()}
        return list(found.values())

    def list_known(self, days: Sequence[int], wanted: Sequence[tuple[int, int, int]]) -> list[KnownTrace]:
        """Traces of these days in any of some ranges: cell, and low <= sample_key < high.

        One row for each cell a trace ever had.
        """
        found: dict[tuple[int, int], KnownTrace] = {}
        for chunk in _chunks(days, wanted):
            values = ", ".join(f"({cell:d}, {low:d}, {high - 1:d})" for cell, low, high in chunk)
            statement = text(_BY_CELL.format(values=values, **self._of(days))).columns(*ROW_COLUMNS, evidence.c.cell)
            rows: Sequence[Any] = self._connection.execute(statement).all()
            found |= {(row[0], row[-1]): KnownTrace(row_of(row), row[-1]) for row in rows}
        return list(found.values())

    def _of(self, days: Sequence[int]) -> dict[str, str]:
        return {
            "columns": _COLUMNS,
            "project_id": f"{self._project_id:d}",
            "days": ", ".join(f"{day:d}" for day in days),
        }


def _chunks(days: Sequence[int], wanted: Sequence[_Wanted]) -> Iterator[Sequence[_Wanted]]:
    return (wanted[start : start + _CHUNK] for start in range(0, len(wanted) if days else 0, _CHUNK))
