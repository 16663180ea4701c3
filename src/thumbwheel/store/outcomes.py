"""What became of the entries of draws: all that an estimate reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import Connection, case, func, or_, select

from thumbwheel.domain.annotation import Verdict
from thumbwheel.domain.cell import Cell
from thumbwheel.domain.queue import Draw, Policy, Purpose, Window
from thumbwheel.store.archive_tables import evidence
from thumbwheel.store.engine import EPOCH
from thumbwheel.store.queue import chunks
from thumbwheel.store.tables import disputes, draws, drops, labels, queue_entries


@dataclass(frozen=True, slots=True)
class Outcome:
    """An entry that puts a trace before a human for the first time, and what its label says."""

    draw_id: str
    trace_id: str
    policy: Policy
    category: str
    core: bool
    inclusion_probability: float
    risk: float | None
    #: None while it has no label.
    failed: bool | None
    disputed: bool


@dataclass(frozen=True, slots=True)
class Settled:
    """A label of a drawn entry, and what led to it."""

    settled_at: datetime
    picked_by: tuple[Policy, ...]
    failed: bool
    modes: tuple[str, ...]
    #: Whether no signal spoke against the trace when its frame closed.
    silent: bool


class Outcomes:
    """What became of one project's draws."""

    def __init__(self, connection: Connection, project_id: int) -> None:
        self._connection = connection
        self._project_id = project_id

    def list_frames(self, window: Window) -> list[list[Draw]]:
        """Frames over any part of the window, oldest first: of each the draw that closed it, then those after it."""
        closed = (
            select(draws.c.id)
            .where(draws.c.project_id == self._project_id)
            .where(draws.c.again_of.is_(None))
            .where(draws.c.frame_end > window.start)
            .where(draws.c.frame_start < window.end)
        )
        rows = self._connection.execute(
            select(draws.c.id, draws.c.again_of, draws.c.body)
            .where(draws.c.project_id == self._project_id)
            .where(or_(draws.c.id.in_(closed), draws.c.again_of.in_(closed)))
            .order_by(draws.c.at, draws.c.id)
        )
        found: dict[str, list[Draw]] = {}
        for row in rows:
            found.setdefault(row.again_of or row.id, []).append(msgspec.convert(row.body, Draw))
        return list(found.values())

    def list_for(self, draw_ids: Sequence[str]) -> list[Outcome]:
        """The entries of these draws that are there to be labelled, each with its standing label if it has one."""
        live = (labels.c.entry_id == queue_entries.c.id) & labels.c.superseded_at.is_(None)
        opened = (
            select(func.count())
            .select_from(disputes)
            .where(disputes.c.entry_id == queue_entries.c.id)
            .where(disputes.c.closed_at.is_(None))
            .scalar_subquery()
        )
        found = []
        for chunk in chunks(draw_ids):
            rows = self._connection.execute(
                select(queue_entries, labels.c.verdict, opened.label("disputes"))
                .outerjoin(labels, live)
                .where(queue_entries.c.project_id == self._project_id)
                .where(queue_entries.c.draw_id.in_(chunk))
                .where(queue_entries.c.purpose.in_([Purpose.label.value, Purpose.double.value]))
            )
            found += [
                Outcome(
                    draw_id=row.draw_id,
                    trace_id=row.trace_id,
                    policy=Policy(row.policy),
                    category=row.category or "",
                    core=row.core,
                    inclusion_probability=row.inclusion_probability,
                    risk=row.risk,
                    failed=None if row.verdict is None else row.verdict == Verdict.failed,
                    disputed=row.disputes > 0,
                )
                for row in rows
            ]
        return found

    def count_pulled(self, alert_ids: Sequence[str]) -> dict[str, tuple[int, int, int]]:
        """Of each alert the entries it had pulled, those of them with a label, and those whose label says fail."""
        live = (labels.c.entry_id == queue_entries.c.id) & labels.c.superseded_at.is_(None)
        failed = func.count(case((labels.c.verdict == Verdict.failed.value, 1)))
        rows = self._connection.execute(
            select(queue_entries.c.alert_id, func.count(), func.count(labels.c.id), failed)
            .outerjoin(labels, live)
            .where(queue_entries.c.project_id == self._project_id)
            .where(queue_entries.c.alert_id.in_(list(alert_ids)))
            .group_by(queue_entries.c.alert_id)
        )
        return {row[0]: (row[1], row[2], row[3]) for row in rows}

    def list_settled(self, since: datetime) -> list[Settled]:
        """Standing labels settled since a time, of entries that are there to be labelled, first settled first."""
        known = (evidence.c.trace_ref == queue_entries.c.trace_ref) & (evidence.c.since == EPOCH)
        rows = self._connection.execute(
            select(labels.c.settled_at, labels.c.verdict, labels.c.body, queue_entries.c.picked_by, evidence.c.cell)
            .select_from(labels)
            .join(queue_entries, queue_entries.c.id == labels.c.entry_id)
            .outerjoin(evidence, known)
            .where(labels.c.project_id == self._project_id)
            .where(labels.c.superseded_at.is_(None))
            .where(labels.c.settled_at >= since)
            .where(queue_entries.c.purpose.in_([Purpose.label.value, Purpose.double.value]))
            .order_by(labels.c.settled_at, labels.c.id)
        )
        return [
            Settled(
                settled_at=row.settled_at,
                picked_by=tuple(Policy(policy) for policy in row.picked_by),
                failed=row.verdict == Verdict.failed,
                modes=tuple(row.body.get("categories", ())),
                silent=not Cell.of(row.cell or 0).is_negative,
            )
            for row in rows
        ]

    def count_dropped(self, draw_ids: Sequence[str]) -> list[tuple[str, str, str, str, int]]:
        """Entries of these draws that left the queue unjudged, by draw, policy, category and why."""
        category = func.coalesce(queue_entries.c.category, "")
        rows = self._connection.execute(
            select(queue_entries.c.draw_id, queue_entries.c.policy, category, drops.c.why, func.count())
            .join(queue_entries, queue_entries.c.id == drops.c.entry_id)
            .where(queue_entries.c.project_id == self._project_id)
            .where(queue_entries.c.draw_id.in_(list(draw_ids)))
            .group_by(queue_entries.c.draw_id, queue_entries.c.policy, category, drops.c.why)
            .order_by(func.count().desc(), queue_entries.c.policy, category, drops.c.why)
        )
        return [(row[0], row[1], row[2], row[3], row[4]) for row in rows]

    def count_drops(self, window: Window) -> list[tuple[str, str, str, int]]:
        """Entries that left the queue unjudged in the window, by policy, category and why, the most first."""
        category = func.coalesce(queue_entries.c.category, "")
        rows = self._connection.execute(
            select(queue_entries.c.policy, category, drops.c.why, func.count())
            .join(queue_entries, queue_entries.c.id == drops.c.entry_id)
            .where(drops.c.project_id == self._project_id)
            .where(drops.c.dropped_at >= window.start)
            .where(drops.c.dropped_at < window.end)
            .group_by(queue_entries.c.policy, category, drops.c.why)
            .order_by(func.count().desc(), queue_entries.c.policy, category, drops.c.why)
        )
        return [(row[0], row[1], row[2], row[3]) for row in rows]
