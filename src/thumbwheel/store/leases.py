"""Leases: who holds which waiting entry, who is given the next one, and where an entry goes after a judgement.

A waiting row is leased, passed on to somebody else, and gone when nothing is left to do. On PostgreSQL rows are locked
one by one and those that others are taking are stepped over; on SQLite the write transaction is the lock.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Connection, Integer, Select, Text, bindparam, delete, exists, or_, select, update

from thumbwheel.domain.queue import Lease, Purpose, QueueEntry, Waiting
from thumbwheel.store.engine import UtcTime, insert_new
from thumbwheel.store.queue import waiting_entries, waiting_of
from thumbwheel.store.tables import annotation_rows, skips, waiting


def _lanes() -> Iterator[Select[Any]]:
    """The ranges of the queue in which an annotator's next entry is looked for, one after the other."""
    me: BindParameter[str] = bindparam("annotator", type_=Text)
    project: BindParameter[int] = bindparam("project", type_=Integer)
    now: BindParameter[datetime] = bindparam("now", type_=UtcTime)
    anybody, entry = waiting.c.assigned_to == "", waiting.c.entry_id
    skipped = exists().where(skips.c.entry_id == entry, skips.c.annotator == me)
    judged = exists().where(
        annotation_rows.c.entry_id == entry,
        annotation_rows.c.project_id == project,
        annotation_rows.c.annotator == me,
        annotation_rows.c.superseded_at.is_(None),
    )
    lapsed = (waiting.c.leased_until <= now) & (waiting.c.leased_by != me)
    free = or_(waiting.c.leased_until.is_(None), lapsed)
    for lane in (
        (waiting.c.assigned_to == me, ~judged),
        (anybody, waiting.c.passed_by > me, ~judged, ~skipped),
        (anybody, waiting.c.passed_by > "", waiting.c.passed_by < me, ~judged, ~skipped),
        (anybody, waiting.c.passed_by == ""),
    ):
        yield (
            waiting_entries(project)
            .where(*lane, free)
            .order_by(waiting.c.passed_by, waiting.c.added_at, waiting.c.serve_rank)
            .limit(1)
            .with_for_update(of=waiting, skip_locked=True)
        )


#: Made once: a statement takes longer to make than to run.
_LANES = tuple(_lanes())
_HELD = waiting_entries(bindparam("project", type_=Integer)).where(
    waiting.c.leased_by == bindparam("annotator", type_=Text)
)
_FIND = (
    waiting_entries(bindparam("project", type_=Integer))
    .where(waiting.c.entry_id == bindparam("entry", type_=Text))
    .with_for_update(of=waiting)
)


@dataclass(frozen=True, slots=True)
class Skip:
    """An annotator passed an entry on."""

    entry_id: str
    annotator: str
    at: datetime
    why: str | None


class Leases:
    """Who holds what of one project."""

    def __init__(self, connection: Connection, project_id: int) -> None:
        self._connection = connection
        self._project_id = project_id

    def lease(self, annotator: str, token: str, now: datetime, until: datetime) -> Waiting | None:
        """Give this annotator the next entry, or None when there is none for them.

        First what is assigned to them; then what somebody else has judged or skipped and that needs one more; then
        what nobody has seen. In each, first added first. Nothing is given that another holds, that they hold
        themselves, or that they have judged or skipped. Each range is read in index order and excludes by itself what
        the annotator has done, so the cost does not grow with the queue.
        """
        given = {"project": self._project_id, "annotator": annotator, "now": now}
        for lane in _LANES:
            row = self._connection.execute(lane, given).one_or_none()
            if row is not None:
                self.hold(row.id, annotator, token, until)
                lease = Lease(entry_id=row.id, annotator=annotator, token=token, expires_at=until)
                return replace(waiting_of(row), lease=lease)
        return None

    def list_held(self, annotator: str) -> list[Waiting]:
        """What this annotator was given and nobody has taken since, also where the time has run out; oldest first."""
        # Few rows: sorted here, lest an index in that order be walked for them.
        given = {"project": self._project_id, "annotator": annotator}
        held = [waiting_of(row) for row in self._connection.execute(_HELD, given)]
        return sorted(held, key=lambda each: (each.entry.added_at, each.entry.serve_rank))

    def find(self, entry_id: str) -> Waiting | None:
        """A waiting entry, or None when it waits no more. Until the transaction ends nobody else leases it."""
        row = self._connection.execute(_FIND, {"project": self._project_id, "entry": entry_id}).one_or_none()
        return None if row is None else waiting_of(row)

    def find_waiting(self, entry_id: str) -> Waiting | None:
        """A waiting entry, or None when it waits no more; to be looked at, and locked for nobody."""
        statement = waiting_entries(self._project_id).where(waiting.c.entry_id == entry_id)
        row = self._connection.execute(statement).one_or_none()
        return None if row is None else waiting_of(row)

    def hold(self, entry_id: str, annotator: str, token: str, until: datetime) -> None:
        """Lease a certain entry, whoever held it."""
        self._move(entry_id, lease_token=token, leased_by=annotator, leased_until=until)

    def renew(self, entry_id: str, token: str, until: datetime) -> bool:
        """Hold an entry until a later time; False when it is held under another token, or waits no more."""
        held = (waiting.c.entry_id == entry_id) & (waiting.c.lease_token == token)
        mine = held & (waiting.c.project_id == self._project_id)
        return self._connection.execute(update(waiting).where(mine).values(leased_until=until)).rowcount == 1

    def release(self, entry_id: str) -> None:
        """Let go of an entry."""
        self._move(entry_id, lease_token=None, leased_by=None, leased_until=None)

    # --- after a judgement

    def pass_on(self, entry_id: str, passed_by: str) -> None:
        """Let an entry wait for somebody else than `passed_by`, and for nobody in particular."""
        free = {"lease_token": None, "leased_by": None, "leased_until": None}
        self._move(entry_id, passed_by=passed_by, assigned_to="", **free)

    def skip(self, skip: Skip) -> None:
        """Write down that somebody skipped an entry, and pass it on."""
        row = {"entry_id": skip.entry_id, "annotator": skip.annotator, "at": skip.at, "why": skip.why}
        insert_new(self._connection, skips, [row | {"project_id": self._project_id}])
        self.pass_on(skip.entry_id, skip.annotator)

    def finish(self, entry_id: str) -> None:
        """Let an entry wait no more: it has what it needs."""
        mine = (waiting.c.project_id == self._project_id) & (waiting.c.entry_id == entry_id)
        self._connection.execute(delete(waiting).where(mine))

    def wait_again(self, entry: QueueEntry, passed_by: str, purpose: Purpose | None = None) -> None:
        """Let an entry wait once more, at its old place; `passed_by` judged or skipped it last, or is empty.

        `purpose` says what for, where that is no longer what it was drawn for.
        """
        row = {"entry_id": entry.id, "project_id": self._project_id, "added_at": entry.added_at}
        row |= {"serve_rank": entry.serve_rank, "assigned_to": "", "passed_by": passed_by}
        insert_new(self._connection, waiting, [row])
        self._move(entry.id, passed_by=passed_by, purpose=purpose.value if purpose else None)

    def _move(self, entry_id: str, **values: Any) -> None:
        mine = (waiting.c.project_id == self._project_id) & (waiting.c.entry_id == entry_id)
        self._connection.execute(update(waiting).where(mine).values(**values))

    def list_passed(self, limit: int) -> list[str]:
        """Waiting entries that somebody has judged or skipped; longest waiting first."""
        mine = select(waiting.c.entry_id).where(waiting.c.project_id == self._project_id)
        statement = mine.where(waiting.c.passed_by != "").order_by(waiting.c.added_at, waiting.c.serve_rank)
        return list(self._connection.execute(statement.limit(limit)).scalars())

    # --- skips

    def list_skipped(self, limit: int) -> list[tuple[Waiting, list[Skip]]]:
        """Waiting entries that somebody skipped, longest waiting first, with every skip of each in time order."""
        skipped = exists().where(skips.c.entry_id == waiting.c.entry_id)
        statement = waiting_entries(self._project_id).where(waiting.c.passed_by != "").where(skipped)
        oldest = statement.order_by(waiting.c.added_at, waiting.c.serve_rank).limit(limit)
        found = [waiting_of(row) for row in self._connection.execute(oldest)]
        said: dict[str, list[Skip]] = {each.entry.id: [] for each in found}
        for skip in self.list_skips(list(said)):
            said[skip.entry_id].append(skip)
        return [(each, said[each.entry.id]) for each in found]

    def list_skips(self, entry_ids: Sequence[str]) -> list[Skip]:
        """Every skip of these entries, first made first."""
        rows = self._connection.execute(
            select(skips.c.entry_id, skips.c.annotator, skips.c.at, skips.c.why)
            .where(skips.c.project_id == self._project_id)
            .where(skips.c.entry_id.in_(entry_ids))
            .order_by(skips.c.at, skips.c.annotator)
        )
        return [Skip(*row) for row in rows]
