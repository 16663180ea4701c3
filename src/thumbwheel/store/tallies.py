"""What a report counts: sums over every table of one project. Reads only; no trace's text is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, case, func, select

from thumbwheel.domain.annotation import Annotation, Label, Verdict
from thumbwheel.domain.queue import Purpose, QueueEntry, Window
from thumbwheel.domain.signal import Rating, SignalKind
from thumbwheel.store.archive_tables import signals, trace_counts, traces
from thumbwheel.store.engine import HOUR_MICROS, micros
from thumbwheel.store.queue import entry_of
from thumbwheel.store.tables import (
    annotation_rows,
    artifacts,
    disputes,
    drops,
    fix_labels,
    fixes,
    labels,
    queue_entries,
    waiting,
)
from thumbwheel.store.traces import day_of

#: Entries that put a trace before a human for the first time; the others measure people and judges.
_FIRST = [Purpose.label.value, Purpose.double.value]


@dataclass(frozen=True, slots=True)
class SignalTally:
    """What users of some traces said and did."""

    #: Signals by kind, the most frequent first.
    by_kind: dict[SignalKind, int]
    #: Traces with any signal; with a thumb; with a thumb down.
    n_traces: int
    n_rated: int
    n_down: int


@dataclass(frozen=True, slots=True)
class StepTally:
    """How many traces of a window came how far. Each number is part of the one before; see `measure.flow.Counts`."""

    drawn: int
    annotated: int
    labelled: int
    failures: int
    artifacts: int
    fixes: int
    shipped: int


@dataclass(frozen=True, slots=True)
class Road:
    """One trace that was put before a human, and when it came how far."""

    traced_at: datetime
    labelled_at: datetime | None
    failed: bool
    #: When the first fix credited to its label shipped.
    fixed_at: datetime | None
    dropped_at: datetime | None


@dataclass(frozen=True, slots=True)
class GoldenTally:
    """Golden rows and pairs of live labels."""

    n_open: int
    n_guarding: int
    n_pairs: int


@dataclass(frozen=True, slots=True)
class FixTally:
    """Fixes, and what waits for one."""

    n: int
    n_shipped: int
    #: Live failures that no fix answers, and when the first of them was settled.
    n_unanswered: int
    unanswered_since: datetime | None
    last_shipped_at: datetime | None


class Tallies:
    """Sums over one project."""

    def __init__(self, connection: Connection, project_id: int) -> None:
        self._connection = connection
        self._project_id = project_id

    def count_traces(self, window: Window) -> int:
        """Traces that started in the window, whose ends are whole hours."""
        hour = trace_counts.c.slot
        statement = (
            select(func.coalesce(func.sum(trace_counts.c.n), 0))
            .where(trace_counts.c.project_id == self._project_id)
            .where(trace_counts.c.hours == 1)
            .where(hour >= micros(window.start) // HOUR_MICROS)
            .where(hour < micros(window.end) // HOUR_MICROS)
        )
        return int(self._connection.execute(statement).scalar_one())

    def count_signals(self, window: Window) -> SignalTally:
        """Signals about traces that started in the window, whose ends are whole days."""
        mine = (signals.c.project_id == self._project_id) & signals.c.day.between(
            day_of(window.start), day_of(window.end) - 1
        )
        kinds = select(signals.c.kind, func.count()).where(mine).group_by(signals.c.kind)
        found = {SignalKind(kind): n for kind, n in self._connection.execute(kinds.order_by(func.count().desc()))}
        # Grouped in the order the rows lie in: a third of what counting distinct ids costs.
        each = (
            select(
                func.count(signals.c.rating).label("n_rated"),
                _count_if(signals.c.rating == Rating.down.value).label("n_down"),
            )
            .where(mine)
            .group_by(signals.c.day, signals.c.trace_id)
            .subquery()
        )
        counted = self._connection.execute(
            select(func.count(), _count_if(each.c.n_rated > 0), _count_if(each.c.n_down > 0)).select_from(each)
        ).one()
        return SignalTally(found, *counted)

    def count_steps(self, window: Window) -> StepTally:
        """How far the traces that started in the window came."""
        entry, failed = queue_entries.c.trace_id, labels.c.verdict == Verdict.failed.value
        judged = _any(
            annotation_rows, annotation_rows.c.entry_id == queue_entries.c.id, annotation_rows.c.superseded_at
        )
        became = _any(artifacts, artifacts.c.label_id == labels.c.id, artifacts.c.retired_at)
        statement = select(
            _distinct(entry),
            _distinct(case((judged, entry))),
            _distinct(case((labels.c.id.is_not(None), entry))),
            _distinct(case((failed, entry))),
            _distinct(case((failed & became, entry))),
            _distinct(case((failed & _fixed(), entry))),
            _distinct(case((failed & _fixed(fixes.c.shipped_at.is_not(None)), entry))),
        )
        return StepTally(*self._connection.execute(self._of_window(statement, window)).one())

    def list_outcomes(self, window: Window) -> list[tuple[QueueEntry, Label | None]]:
        """First entries of the traces that started in the window, each with its live label if it has one."""
        statement = self._of_window(select(queue_entries, labels.c.body), window)
        return [
            (entry_of(row), None if row.body is None else msgspec.convert(row.body, Label))
            for row in self._connection.execute(statement)
        ]

    def list_roads(self, since: datetime) -> list[Road]:
        """Every trace first put before a human at or after `since`; of a trace drawn twice, the entry that came far."""
        shipped = (
            select(func.min(fixes.c.shipped_at))
            .join(fix_labels, fix_labels.c.fix_id == fixes.c.id)
            .where(fix_labels.c.label_id == labels.c.id)
            .scalar_subquery()
        )
        statement = select(
            queue_entries.c.trace_id,
            traces.c.started_at,
            labels.c.settled_at,
            labels.c.verdict,
            shipped.label("shipped_at"),
            drops.c.dropped_at,
        )
        rows = self._connection.execute(
            self._with_labels(statement)
            .outerjoin(drops, drops.c.entry_id == queue_entries.c.id)
            .where(queue_entries.c.added_at >= since)
        )
        roads: dict[str, Road] = {}
        for row in rows:
            road = Road(
                row.started_at, row.settled_at, row.verdict == Verdict.failed.value, row.shipped_at, row.dropped_at
            )
            kept = roads.get(row.trace_id)
            if kept is None or _came_further(road, kept):
                roads[row.trace_id] = road
        return list(roads.values())

    def list_annotations(self, window: Window) -> list[Annotation]:
        """Standing annotations made in the window, first made first."""
        rows = self._connection.execute(
            select(annotation_rows.c.body)
            .where(annotation_rows.c.project_id == self._project_id)
            .where(annotation_rows.c.at >= window.start)
            .where(annotation_rows.c.at < window.end)
            .where(annotation_rows.c.superseded_at.is_(None))
            .order_by(annotation_rows.c.at, annotation_rows.c.id)
        )
        return [msgspec.convert(row.body, Annotation) for row in rows]

    def list_waiting_since(self) -> list[datetime]:
        """When each waiting entry was added."""
        statement = select(waiting.c.added_at).where(waiting.c.project_id == self._project_id)
        return list(self._connection.execute(statement).scalars())

    def count_drops(self, window: Window) -> dict[str, int]:
        """Entries that left the queue unjudged in the window, by why."""
        rows = self._connection.execute(
            select(drops.c.why, func.count().label("n"))
            .where(drops.c.project_id == self._project_id)
            .where(drops.c.dropped_at >= window.start)
            .where(drops.c.dropped_at < window.end)
            .group_by(drops.c.why)
            .order_by(func.count().desc(), drops.c.why)
        )
        return {row.why: row.n for row in rows}

    def count_disputes(self) -> int:
        """Disputes that nobody has decided."""
        statement = (
            select(func.count())
            .select_from(disputes)
            .where(disputes.c.project_id == self._project_id)
            .where(disputes.c.closed_at.is_(None))
        )
        return int(self._connection.execute(statement).scalar_one())

    def count_golden(self) -> GoldenTally:
        """Golden rows by status, and preference pairs."""
        guarding = _fixed(fixes.c.shipped_at.is_not(None))
        golden = artifacts.c.outlet == "golden"
        statement = (
            select(_count_if(golden & ~guarding), _count_if(golden & guarding), _count_if(~golden))
            .select_from(artifacts.join(labels, labels.c.id == artifacts.c.label_id))
            .where(artifacts.c.project_id == self._project_id)
            .where(artifacts.c.retired_at.is_(None))
            .where(labels.c.superseded_at.is_(None))
        )
        return GoldenTally(*self._connection.execute(statement).one())

    def count_fixes(self) -> FixTally:
        """Fixes so far, and live failures without one."""
        made = self._connection.execute(
            select(func.count(), func.count(fixes.c.shipped_at), func.max(fixes.c.shipped_at)).where(
                fixes.c.project_id == self._project_id
            )
        ).one()
        unanswered = self._connection.execute(
            select(func.count(), func.min(labels.c.settled_at))
            .where(labels.c.project_id == self._project_id)
            .where(labels.c.superseded_at.is_(None))
            .where(labels.c.verdict == Verdict.failed.value)
            .where(~_fixed())
        ).one()
        return FixTally(made[0], made[1], unanswered[0], unanswered[1], made[2])

    def _of_window(self, statement: Any, window: Window) -> Any:
        # An entry is added after its trace began, which lets the index on `added_at` narrow the scan.
        return (
            self._with_labels(statement)
            .where(queue_entries.c.added_at >= window.start)
            .where(traces.c.started_at >= window.start)
            .where(traces.c.started_at < window.end)
        )

    def _with_labels(self, statement: Any) -> Any:
        live = (labels.c.entry_id == queue_entries.c.id) & labels.c.superseded_at.is_(None)
        return (
            statement.select_from(queue_entries)
            .join(traces, traces.c.id == queue_entries.c.trace_ref)
            .outerjoin(labels, live)
            .where(queue_entries.c.project_id == self._project_id)
            .where(queue_entries.c.purpose.in_(_FIRST))
        )


def _distinct(column: ColumnElement[Any]) -> ColumnElement[int]:
    return func.count(column.distinct())


def _count_if(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count(case((condition, 1)))


def _any(table: Any, own: ColumnElement[bool], gone_at: ColumnElement[Any]) -> ColumnElement[bool]:
    return select(table.c.id).where(own).where(gone_at.is_(None)).exists()


def _fixed(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether a fix (of this kind) is credited with the label of the row at hand."""
    return (
        select(fix_labels.c.fix_id)
        .join(fixes, fixes.c.id == fix_labels.c.fix_id)
        .where(fix_labels.c.label_id == labels.c.id)
        .where(*conditions)
        .exists()
    )


def _came_further(road: Road, other: Road) -> bool:
    """Whether a trace's one entry says more than its other: labelled before waiting, waiting before dropped."""
    return _place(road) < _place(other)


def _place(road: Road) -> tuple[bool, Sequence[float], bool]:
    labelled = [] if road.labelled_at is None else [road.labelled_at.timestamp()]
    return road.labelled_at is None, labelled, road.dropped_at is not None
