"""What waits and nobody has begun: what a full queue may drop."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, or_, select

from thumbwheel.domain.queue import Purpose
from thumbwheel.store.tables import annotation_rows, draws, queue_entries, waiting


@dataclass(frozen=True, slots=True)
class BacklogEntry:
    """A waiting entry with its place in its draw."""

    entry_id: str
    policy: str
    rank: int
    #: Entries of its policy in its draw.
    n_policy: int
    #: What its draw was asked for.
    budget: int
    added_at: datetime


def list_backlog(connection: Connection, project_id: int, now: datetime) -> list[BacklogEntry]:
    """Entries that wait for their first judgement and that nobody holds."""
    begun = select(annotation_rows.c.id).where(annotation_rows.c.entry_id == queue_entries.c.id).exists()
    rows = connection.execute(
        select(
            queue_entries.c.id,
            queue_entries.c.draw_id,
            queue_entries.c.policy,
            queue_entries.c.rank,
            queue_entries.c.added_at,
        )
        .join(waiting, waiting.c.entry_id == queue_entries.c.id)
        .where(waiting.c.project_id == project_id)
        .where(queue_entries.c.purpose.in_([Purpose.label.value, Purpose.double.value]))
        .where(or_(waiting.c.leased_until.is_(None), waiting.c.leased_until <= now))
        .where(~begun)
        .order_by(queue_entries.c.id)
    ).all()
    drawn = {row.draw_id for row in rows}
    sizes = connection.execute(
        select(queue_entries.c.draw_id, queue_entries.c.policy, func.count())
        .where(queue_entries.c.project_id == project_id)
        .where(queue_entries.c.draw_id.in_(drawn))
        .group_by(queue_entries.c.draw_id, queue_entries.c.policy)
    )
    n_policy = {(draw_id, policy): n for draw_id, policy, n in sizes}
    bodies = connection.execute(select(draws.c.id, draws.c.body).where(draws.c.id.in_(drawn)))
    budgets = {row.id: int(row.body["budget"]) for row in bodies}
    return [
        BacklogEntry(
            row.id, row.policy, row.rank, n_policy[row.draw_id, row.policy], budgets[row.draw_id], row.added_at
        )
        for row in rows
    ]
