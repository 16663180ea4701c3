"""The queue: alerts, draws and their entries, and what still waits.

Entries are written once, by a draw. `waiting` has one row for every entry that still needs a judgement; that row alone
moves, see `thumbwheel.store.leases`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from sqlalchemy import (
    BindParameter,
    Connection,
    Row,
    Select,
    bindparam,
    delete,
    func,
    literal,
    or_,
    select,
    tuple_,
    update,
)

from thumbwheel.domain.queue import Draw, DriftAlert, Frame, Lease, Policy, Purpose, QueueEntry, Waiting, Window
from thumbwheel.errors import NotHere
from thumbwheel.store.backlog import BacklogEntry, list_backlog
from thumbwheel.store.engine import UtcTime, insert_new, insert_rows, micros
from thumbwheel.store.tables import alerts, draws, drops, queue_entries, waiting

#: Where a page of waiting entries ended: time added, place in serving order, entry.
Place = tuple[datetime, int, str]

_ENTRY_COLUMNS = (
    "id project_id draw_id trace_ref trace_id policy picked_by rank serve_rank reason inclusion_probability risk alert_id core purpose "
    "labels_needed category added_at"
).split()
_WAITING_COLUMNS = "entry_id project_id added_at serve_rank assigned_to passed_by".split()

Id = TypeVar("Id", str, int)

#: Frames that draws have closed over any part of a window. Made once: every signal that is kept asks.
_FRAMES = (
    select(draws.c.id, draws.c.frame_start, draws.c.frame_end, draws.c.framed_to)
    .where(draws.c.project_id == bindparam("project_id"))
    .where(draws.c.again_of.is_(None))
    .where(draws.c.frame_end > bindparam("start"))
    .where(draws.c.frame_start < bindparam("end"))
    .order_by(draws.c.at, draws.c.id)
)

#: Most ids in one statement; both engines take more.
_CHUNK = 5000


class Queue:
    """The queue of one project."""

    def __init__(self, connection: Connection, project_id: int) -> None:
        self._connection = connection
        self._project_id = project_id

    # --- alerts

    def add_alert(self, alert: DriftAlert) -> None:
        """Keep an alert; the same id again changes nothing."""
        insert_new(self._connection, alerts, [asdict(alert) | {"project_id": self._project_id}])

    def list_alerts(self, now: datetime) -> list[DriftAlert]:
        """Alerts that are open: neither closed nor past their time, first raised first."""
        rows = self._connection.execute(
            select(alerts)
            .where(alerts.c.project_id == self._project_id)
            .where(alerts.c.expires_at > now)
            .where(alerts.c.closed_at.is_(None))
            .order_by(alerts.c.raised_at, alerts.c.id)
        )
        return [_alert(row) for row in rows]

    def find_alerts(self, alert_ids: Sequence[str]) -> dict[str, DriftAlert]:
        """Alerts by id, open or not."""
        mine = select(alerts).where(alerts.c.project_id == self._project_id)
        rows = self._connection.execute(mine.where(alerts.c.id.in_(list(alert_ids))))
        return {row.id: _alert(row) for row in rows}

    def list_newest_alerts(self, limit: int) -> list[DriftAlert]:
        """The last alerts, open or not, last raised first."""
        mine = select(alerts).where(alerts.c.project_id == self._project_id)
        rows = self._connection.execute(mine.order_by(alerts.c.raised_at.desc(), alerts.c.id.desc()).limit(limit))
        return [_alert(row) for row in rows]

    def extend_alert(self, alert_id: str, expires_at: datetime) -> None:
        """Let an alert that was sent again end later; one that is closed stays closed."""
        mine = (alerts.c.project_id == self._project_id) & (alerts.c.id == alert_id)
        self._connection.execute(update(alerts).where(mine).values(expires_at=expires_at))

    def close_alert(self, alert_id: str, now: datetime) -> None:
        """Close an alert; one that is closed already keeps its time.

        Raises:
            NotHere: there is no such alert.
        """
        mine = (alerts.c.project_id == self._project_id) & (alerts.c.id == alert_id)
        closed = func.coalesce(alerts.c.closed_at, literal(now, UtcTime))
        if self._connection.execute(update(alerts).where(mine).values(closed_at=closed)).rowcount == 0:
            raise NotHere(f"There is no alert {alert_id!r} in this project.")

    # --- draws and entries

    def add_draw(self, draw: Draw, entries: Sequence[tuple[int, QueueEntry]]) -> None:
        """Keep a draw and its entries, each with the number of its trace, and let them wait.

        A draw is added whole, so the same id again changes nothing.
        """
        row = {
            "id": draw.id,
            "project_id": self._project_id,
            "at": draw.at,
            "frame_start": draw.window.start,
            "frame_end": draw.window.end,
            "framed_to": draw.framed_to,
            "again_of": draw.again_of,
            "body": msgspec.to_builtins(draw),
        }
        if not insert_new(self._connection, draws, [row]):
            return
        stored = [_stored(self._project_id, ref, entry) for ref, entry in entries]
        insert_rows(self._connection, queue_entries, _ENTRY_COLUMNS, stored)
        waits = [(e.id, self._project_id, micros(e.added_at), e.serve_rank, "", "") for _, e in entries]
        insert_rows(self._connection, waiting, _WAITING_COLUMNS, waits)

    def list_frames(self, window: Window) -> list[tuple[str, Frame]]:
        """Frames that draws have closed over any part of the window, each with its draw's id, oldest first."""
        given = {"project_id": self._project_id, "start": window.start, "end": window.end}
        rows = self._connection.execute(_FRAMES, given)
        return [(row.id, Frame(window=Window(start=row[1], end=row[2]), framed_to=row[3])) for row in rows]

    def list_drawn_from(self, draw_id: str) -> list[Draw]:
        """The draw with this id and those that drew from its frame again, oldest first."""
        statement = self._draws().where(or_(draws.c.id == draw_id, draws.c.again_of == draw_id))
        bodies = self._connection.execute(statement.order_by(draws.c.at, draws.c.id)).scalars()
        return [msgspec.convert(body, Draw) for body in bodies]

    def count_draws(self) -> int:
        """How many draws there have been."""
        statement = select(func.count()).select_from(draws).where(draws.c.project_id == self._project_id)
        return int(self._connection.execute(statement).scalar_one())

    def restate(self, draw_ids: Sequence[str], probabilities: Mapping[str, float]) -> None:
        """Set the inclusion probabilities of these draws' entries, by trace id, after a further draw of their frame."""
        if not probabilities:
            return
        statement = (
            update(queue_entries)
            .where(queue_entries.c.draw_id == bindparam("draw"))
            .where(queue_entries.c.project_id == self._project_id)
            .where(queue_entries.c.trace_id == bindparam("of"))
            .values(inclusion_probability=bindparam("chance"))
        )
        self._connection.execute(
            statement,
            [
                {"draw": draw_id, "of": trace_id, "chance": chance}
                for trace_id, chance in probabilities.items()
                for draw_id in draw_ids
            ],
        )

    def get_draw(self, draw_id: str) -> Draw:
        """One draw.

        Raises:
            NotHere: there is no such draw in this project.
        """
        statement = self._draws().where(draws.c.id == draw_id)
        body = self._connection.execute(statement).scalar_one_or_none()
        if body is None:
            raise NotHere(f"There is no draw {draw_id!r} in this project.")
        return msgspec.convert(body, Draw)

    def list_draws(self, limit: int) -> list[Draw]:
        """The last draws that chance made, newest first; what was put into the queue by hand is none of them."""
        by_chance = or_(draws.c.again_of.is_(None), draws.c.again_of != draws.c.id)
        statement = self._draws().where(by_chance).order_by(draws.c.at.desc(), draws.c.id.desc()).limit(limit)
        return [msgspec.convert(body, Draw) for body in self._connection.execute(statement).scalars()]

    def _draws(self) -> Select[Any]:
        return select(draws.c.body).where(draws.c.project_id == self._project_id)

    def list_drawn(self, refs: Sequence[int]) -> set[int]:
        """Of these trace numbers, the ones that have an entry already."""
        found: set[int] = set()
        for chunk in chunks(refs):
            statement = select(queue_entries.c.trace_ref).where(queue_entries.c.project_id == self._project_id)
            found |= set(self._connection.execute(statement.where(queue_entries.c.trace_ref.in_(chunk))).scalars())
        return found

    def find(self, entry_id: str) -> QueueEntry | None:
        """One entry, or None."""
        row = self._connection.execute(self._entries().where(queue_entries.c.id == entry_id)).one_or_none()
        return None if row is None else entry_of(row)

    def get(self, entry_id: str) -> QueueEntry:
        """One entry.

        Raises:
            NotHere: there is no such entry in this project.
        """
        entry = self.find(entry_id)
        if entry is None:
            raise NotHere(f"There is no queue entry {entry_id!r} in this project.")
        return entry

    def lock(self, entry_id: str) -> QueueEntry:
        """One entry; until the transaction ends nobody else who locks it settles it. Lock it before its lease.

        Raises:
            NotHere: there is no such entry in this project.
        """
        statement = self._entries().where(queue_entries.c.id == entry_id).with_for_update(key_share=True)
        row = self._connection.execute(statement).one_or_none()
        if row is None:
            raise NotHere(f"There is no queue entry {entry_id!r} in this project.")
        return entry_of(row)

    def find_entries_for(self, trace_id: str) -> list[QueueEntry]:
        """Every entry of a trace, first added first."""
        statement = self._entries().where(queue_entries.c.trace_id == trace_id)
        rows = self._connection.execute(statement.order_by(queue_entries.c.added_at, queue_entries.c.id))
        return [entry_of(row) for row in rows]

    def list_entries(self, draw_id: str) -> list[QueueEntry]:
        """Every entry of a draw, in serving order."""
        statement = self._entries().where(queue_entries.c.draw_id == draw_id)
        return [entry_of(row) for row in self._connection.execute(statement.order_by(queue_entries.c.serve_rank))]

    def _entries(self) -> Select[Any]:
        return select(queue_entries).where(queue_entries.c.project_id == self._project_id)

    # --- what waits

    def count_waiting(self) -> int:
        """How many entries still need a judgement."""
        statement = select(func.count()).select_from(waiting).where(waiting.c.project_id == self._project_id)
        return int(self._connection.execute(statement).scalar_one())

    def count_waiting_for(self, annotator: str, most: int) -> int:
        """How many entries wait for a judgement this annotator may give, counted up to `most`."""
        serveable = (
            select(literal(1))
            .where(waiting.c.project_id == self._project_id)
            .where(waiting.c.assigned_to.in_(["", annotator]))
            .where(or_(waiting.c.passed_by != annotator, waiting.c.assigned_to == annotator))
            .limit(most)
            .subquery()
        )
        return int(self._connection.execute(select(func.count()).select_from(serveable)).scalar_one())

    def list_waiting(self, limit: int, after: Place | None = None) -> list[Waiting]:
        """Waiting entries in the order they were added, from behind `after`."""
        order = (waiting.c.added_at, waiting.c.serve_rank, waiting.c.entry_id)
        statement = waiting_entries(self._project_id).order_by(*order).limit(limit)
        if after is not None:
            at, rank, entry_id = after
            statement = statement.where(tuple_(*order) > tuple_(literal(at, UtcTime), literal(rank), literal(entry_id)))
        return [waiting_of(row) for row in self._connection.execute(statement)]

    def list_backlog(self, now: datetime) -> list[BacklogEntry]:
        """Entries that wait for their first judgement and that nobody holds."""
        return list_backlog(self._connection, self._project_id, now)

    def drop(self, entry_ids: Sequence[str], why: str, now: datetime) -> list[str]:
        """Take waiting entries out of the queue, whoever holds them; the ids of those that did wait."""
        waits = self._lock_waiting(entry_ids)
        for chunk in chunks(waits):
            self._connection.execute(delete(waiting).where(waiting.c.entry_id.in_(chunk)))
        columns = ("entry_id", "project_id", "dropped_at", "why")
        insert_rows(
            self._connection, drops, columns, [(entry_id, self._project_id, micros(now), why) for entry_id in waits]
        )
        return waits

    def find_drop(self, entry_id: str) -> str | None:
        """Why an entry was taken out of the queue, or None when it was not."""
        statement = select(drops.c.why).where(drops.c.project_id == self._project_id)
        return self._connection.execute(statement.where(drops.c.entry_id == entry_id)).scalar_one_or_none()

    def assign(self, entry_ids: Sequence[str], annotator: str) -> list[str]:
        """Keep waiting entries for one annotator, or for anybody when empty; the ids of those that wait."""
        waits = self._lock_waiting(entry_ids)
        for chunk in chunks(waits):
            kept = update(waiting).where(waiting.c.entry_id.in_(chunk)).values(assigned_to=annotator)
            self._connection.execute(kept)
        return waits

    def _lock_waiting(self, entry_ids: Sequence[str]) -> list[str]:
        """Of these entries the waiting ones, locked in one order so that two bulk changes never wait for each other."""
        found: list[str] = []
        for chunk in chunks(sorted(set(entry_ids))):
            statement = select(waiting.c.entry_id).where(waiting.c.project_id == self._project_id)
            statement = statement.where(waiting.c.entry_id.in_(chunk)).order_by(waiting.c.entry_id).with_for_update()
            found += self._connection.execute(statement).scalars()
        return found


def chunks(ids: Sequence[Id]) -> Iterator[Sequence[Id]]:
    """Pieces of a list of ids, each small enough for one statement."""
    return (ids[start : start + _CHUNK] for start in range(0, len(ids), _CHUNK))


def _stored(project_id: int, ref: int, entry: QueueEntry) -> tuple[Any, ...]:
    return (
        entry.id,
        project_id,
        entry.draw_id,
        ref,
        entry.trace_id,
        entry.policy.value,
        msgspec.json.encode(entry.picked_by).decode(),
        entry.rank,
        entry.serve_rank,
        entry.reason,
        entry.inclusion_probability,
        entry.risk,
        entry.alert_id,
        entry.core,
        entry.purpose.value,
        entry.labels_needed,
        entry.category,
        micros(entry.added_at),
    )


def entry_of(row: Row[Any]) -> QueueEntry:
    """The entry in a row that has every column of `queue_entries` under its own name."""
    return QueueEntry(
        id=row.id,
        draw_id=row.draw_id,
        trace_id=row.trace_id,
        policy=Policy(row.policy),
        picked_by=tuple(Policy(policy) for policy in row.picked_by),
        rank=row.rank,
        serve_rank=row.serve_rank,
        reason=row.reason,
        inclusion_probability=row.inclusion_probability,
        risk=row.risk,
        alert_id=row.alert_id,
        core=row.core,
        purpose=Purpose(row.purpose),
        labels_needed=row.labels_needed,
        category=row.category,
        added_at=row.added_at,
    )


def waiting_entries(project_id: int | BindParameter[int]) -> Select[Any]:
    """Reads the waiting entries of a project; see `waiting_of`."""
    hold = [waiting.c.lease_token, waiting.c.leased_by, waiting.c.leased_until, waiting.c.assigned_to]
    return (
        select(queue_entries, *hold, waiting.c.purpose.label("now_for"))
        .select_from(waiting)
        .join(queue_entries, queue_entries.c.id == waiting.c.entry_id)
        .where(waiting.c.project_id == project_id)
    )


def waiting_of(row: Row[Any]) -> Waiting:
    """A row of `waiting_entries` as a value."""
    lease = None
    if row.lease_token is not None:
        lease = Lease(entry_id=row.id, annotator=row.leased_by, token=row.lease_token, expires_at=row.leased_until)
    return Waiting(
        entry=entry_of(row),
        trace_ref=row.trace_ref,
        lease=lease,
        assigned_to=row.assigned_to or None,
        now_for=None if row.now_for is None else Purpose(row.now_for),
    )


def _alert(row: Row[Any]) -> DriftAlert:
    return DriftAlert(
        id=row.id,
        name=row.name,
        slice=row.slice,
        pull=row.pull,
        raised_at=row.raised_at,
        expires_at=row.expires_at,
        closed_at=row.closed_at,
    )
