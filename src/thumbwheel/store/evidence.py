"""What is known of traces before a human looks: their cells, in the order a draw reads them, and judges' suggestions.

A trace of which something is known has one row, under its cell. While it is in no frame, the row moves with what is
learnt, and counters by hour and day, category and cell move with it: so a frame's cells are counted without looking at
its traces. Once a frame is closed over the trace, that row stays, since chances and baselines were computed from it;
what is learnt later is one more row, which only a later draw from the same frame sees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, TypeAlias

from sqlalchemy import BigInteger, Connection, Select, bindparam, delete, func, or_, select

from thumbwheel.domain.annotation import Suggestion
from thumbwheel.domain.cell import Cell, step_of
from thumbwheel.domain.queue import Frame, Window
from thumbwheel.store.archive_tables import evidence, evidence_counts, suggestions, traces
from thumbwheel.store.counts import Counts
from thumbwheel.store.engine import EPOCH, from_micros, insert_rows, micros, upsert
from thumbwheel.store.queue import Queue, chunks
from thumbwheel.store.traces import TraceRow, day_of

_COLUMNS = "project_id day cell sample_key trace_ref since category hour".split()

# Statements of the way in, made once: making one takes longer than running it.
#: Rows of some traces, oldest first. Adding nothing keeps SQLite from reading the whole project by the key that begins
#: with it.
_OF_TRACES = (
    select(evidence)
    .where(evidence.c.project_id + 0 == bindparam("project_id"))
    .where(evidence.c.trace_ref.in_(bindparam("refs", expanding=True)))
    .order_by(evidence.c.since)
)
_KEY = ("project_id", "day", "cell", "sample_key", "trace_ref")
_DELETE = delete(evidence).where(*(evidence.c[name] == bindparam(f"at_{name}", type_=BigInteger) for name in _KEY))

#: (category, cell) -> traces.
CellCounts: TypeAlias = dict[tuple[str, int], int]


class Evidence:
    """The cells and suggestions of one project."""

    def __init__(self, connection: Connection, project_id: int) -> None:
        self._connection = connection
        self._project_id = project_id

    @cached_property
    def counts(self) -> Counts:
        """How many traces there are in each hour and day, by category and cell; cell 0 is not counted."""
        return Counts(self._connection, self._project_id, evidence_counts)

    # --- writing

    def add_all(self, known: Sequence[tuple[TraceRow, Cell]]) -> None:
        """Keep the cells of traces that have just been added; one of which nothing is known takes no row."""
        rows = [(trace, cell.number) for trace, cell in known if cell.number]
        self._insert([(trace, cell, EPOCH) for trace, cell in rows])
        self.counts.add(_counted(rows, 1))

    def put_all(self, known: Sequence[tuple[TraceRow, Cell]], now: datetime) -> None:
        """Restate the cells of traces; one without a score of its own keeps what the trained judge suggested."""
        given = {trace.ref: cell for trace, cell in known}

        def restated(trace: TraceRow, before: Cell) -> Cell:
            cell = given[trace.ref]
            if cell.judge is None and before.suggested:
                return cell._replace(judge=before.judge, suggested=True)
            return cell

        self._put([trace for trace, _ in known], restated, now)

    def put_suggested(self, suggested: Sequence[tuple[TraceRow, float]], now: datetime) -> None:
        """Let the trained judge's probability of failure tell of traces without a score of their own."""
        steps = {row.ref: step_of(chance) for row, chance in suggested}
        self._put(
            [row for row, _ in suggested],
            lambda trace, before: before._replace(judge=steps[trace.ref], suggested=True),
            now,
        )

    def remove(self, row: TraceRow) -> None:
        """Forget everything about one trace. What a frame counted of it stays counted."""
        had = self._list_rows([row.ref]).get(row.ref)
        framed = self._frames(Window(start=row.started_at, end=from_micros(micros(row.started_at) + 1)))
        self._connection.execute(
            delete(evidence).where(evidence.c.project_id == self._project_id).where(evidence.c.trace_ref == row.ref)
        )
        if had is not None and not any(frame.holds(row.started_at, row.ref) for frame in framed):
            self.counts.add([(row.ref, had.hour, (had.category, had.cell), -1)])
        self._connection.execute(
            delete(suggestions)
            .where(suggestions.c.project_id == self._project_id)
            .where(suggestions.c.trace_ref == row.ref)
        )

    def remove_suggestion(self, ref: int, judge: str) -> None:
        """Forget what a judge would answer about one trace."""
        self._connection.execute(
            delete(suggestions)
            .where(suggestions.c.project_id == self._project_id)
            .where(suggestions.c.trace_ref == ref)
            .where(suggestions.c.judge == judge)
        )

    def _put(self, rows: Sequence[TraceRow], restate: Callable[[TraceRow, Cell], Cell], now: datetime) -> None:
        if not rows:
            return
        times = [row.started_at for row in rows]
        framed = self._frames(Window(start=min(times), end=from_micros(micros(max(times)) + 1)))
        before = self._list_rows([row.ref for row in rows])
        gone, come, later = [], [], []
        for row in rows:
            had = before.get(row.ref)
            cell = restate(row, Cell.of(had.cell if had else 0)).number
            if any(frame.holds(row.started_at, row.ref) for frame in framed):
                if cell != (had.cell if had else 0):
                    later.append((row, cell, now))
            elif had is None or (had.cell, had.day, had.hour, had.category) != (
                cell,
                row.day,
                row.hour,
                row.category or "",
            ):
                gone += [had] if had else []
                come += [(row, cell, EPOCH)] if cell else []
        self._delete(gone)
        self._insert([*come, *later])
        self.counts.add(
            [
                *((had.trace_ref, had.hour, (had.category, had.cell), -1) for had in gone),
                *_counted(((row, cell) for row, cell, _ in come), 1),
            ]
        )

    def _frames(self, window: Window) -> list[Frame]:
        return [frame for _, frame in Queue(self._connection, self._project_id).list_frames(window)]

    def _list_rows(self, refs: Sequence[int]) -> dict[int, Any]:
        found = {}
        for chunk in chunks(refs):
            for row in self._rows(_OF_TRACES, chunk):
                found[row.trace_ref] = row
        return found

    def _rows(self, statement: Select[Any], refs: Sequence[int]) -> Iterable[Any]:
        return self._connection.execute(statement, {"project_id": self._project_id, "refs": list(refs)})

    def _insert(self, rows: Iterable[tuple[TraceRow, int, datetime]]) -> None:
        insert_rows(
            self._connection,
            evidence,
            _COLUMNS,
            [
                (
                    self._project_id,
                    trace.day,
                    cell,
                    trace.sample_key,
                    trace.ref,
                    micros(since),
                    trace.category or "",
                    trace.hour,
                )
                for trace, cell, since in rows
            ],
        )

    def _delete(self, rows: Sequence[Any]) -> None:
        if not rows:
            return
        self._connection.execute(_DELETE, [{f"at_{name}": getattr(row, name) for name in _KEY} for row in rows])

    # --- frames

    def count_unframed(self, window: Window, framed: Sequence[Frame]) -> CellCounts:
        """Known traces that started in the window and are in none of these frames, counted one by one."""
        statement = (
            select(evidence.c.category, evidence.c.cell, func.count())
            .select_from(traces.join(evidence, evidence.c.trace_ref == traces.c.id))
            .where(traces.c.project_id == self._project_id)
            .where(evidence.c.project_id == self._project_id)
            .where(traces.c.day.between(day_of(window.start), day_of(window.end)))
            .where(traces.c.started_at >= window.start)
            .where(traces.c.started_at < window.end)
            .group_by(evidence.c.category, evidence.c.cell)
        )
        for frame in framed:
            statement = statement.where(
                or_(
                    traces.c.started_at < frame.window.start,
                    traces.c.started_at >= frame.window.end,
                    traces.c.id > frame.framed_to,
                )
            )
        return {(category, cell): n for category, cell, n in self._connection.execute(statement)}

    # --- reading

    def list_cells(self, refs: Sequence[int], at: datetime | None = None) -> dict[int, int]:
        """The cells these traces had at a time (now, when None), by number; 0 for one of which nothing was known."""
        found = dict.fromkeys(refs, 0)
        for chunk in chunks(refs):
            statement = _OF_TRACES if at is None else _OF_TRACES.where(evidence.c.since <= at)
            found |= {row.trace_ref: row.cell for row in self._rows(statement, chunk)}
        return found

    def list_later(self, since: datetime) -> set[int]:
        """The cells that framed traces came to have after a time."""
        statement = (
            select(evidence.c.cell)
            .distinct()
            .where(evidence.c.project_id == self._project_id)
            .where(evidence.c.since > since)
        )
        return set(self._connection.execute(statement).scalars())

    # --- suggestions

    def add_suggestions(self, new: Sequence[tuple[int, Suggestion]]) -> None:
        """Keep what a judge would answer, by trace number; a judge's newer answer replaces its older one."""
        upsert(
            self._connection,
            suggestions,
            [
                {
                    "project_id": self._project_id,
                    "trace_ref": ref,
                    "judge": suggestion.judge,
                    "failure_probability": suggestion.failure_probability,
                    "at": suggestion.at,
                }
                for ref, suggestion in new
            ],
        )

    def list_suggestions(self, refs: Sequence[int]) -> dict[int, list[Suggestion]]:
        """Suggestions by trace number, newest first."""
        rows = self._connection.execute(
            select(suggestions, func.coalesce(traces.c.given_id, traces.c.trace_id).label("trace_id"))
            .join(traces, traces.c.id == suggestions.c.trace_ref)
            .where(suggestions.c.project_id == self._project_id)
            .where(suggestions.c.trace_ref.in_(list(refs)))
            .order_by(suggestions.c.at.desc())
        )
        found: dict[int, list[Suggestion]] = {}
        for row in rows:
            found.setdefault(row.trace_ref, []).append(
                Suggestion(
                    trace_id=row.trace_id, judge=row.judge, failure_probability=row.failure_probability, at=row.at
                )
            )
        return found


def _counted(rows: Iterable[tuple[TraceRow, int]], n: int) -> list[tuple[int, int, tuple[str, int], int]]:
    return [(trace.ref, trace.hour, (trace.category or "", cell), n) for trace, cell in rows]
