"""What waits, filtered and sorted as an owner asks for it, and changed many at once so that it can be undone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, delete, func, select, update

from thumbwheel.domain.queue import Waiting
from thumbwheel.store.engine import insert_new, insert_rows, micros
from thumbwheel.store.queue import chunks, waiting_entries, waiting_of
from thumbwheel.store.tables import drops, queue_changes, queue_entries, waiting

#: How a list of what waits may be sorted.
SORTS = ("oldest", "newest", "policy", "category", "trace")


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingFilter:
    """Which waiting entries; empty does not restrict."""

    policy: str = ""
    #: `none` for entries without one.
    category: str = ""
    purpose: str = ""
    #: `nobody`, or whom they are kept for.
    kept_for: str = ""
    #: In the trace id or the reason, in any case.
    text: str = ""
    #: Added at or before.
    added_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A bulk change of what waits."""

    id: str
    at: datetime
    actor: str
    #: `drop` or `assign`.
    kind: str
    #: Entry id -> whom it was kept for, who judged or skipped it last, and what it waited for.
    before: Mapping[str, tuple[str, str, str | None]]
    undone_at: datetime | None = None


class Selection:
    """What waits in one project, as an owner looks at it."""

    def __init__(self, connection: Connection, project_id: int) -> None:
        self._connection = connection
        self._project_id = project_id

    def list_waiting(self, only: WaitingFilter, sort: str, limit: int, offset: int = 0) -> list[Waiting]:
        """Waiting entries, in one of the orders of `SORTS`."""
        statement = _only(waiting_entries(self._project_id), only).order_by(*_ORDERS[sort])
        return [waiting_of(row) for row in self._connection.execute(statement.limit(limit).offset(offset))]

    def list_ids(self, only: WaitingFilter, limit: int) -> list[str]:
        """Ids of waiting entries, first added first."""
        ids = _only(self._waiting(select(waiting.c.entry_id)), only).order_by(*_ORDERS["oldest"])
        return list(self._connection.execute(ids.limit(limit)).scalars())

    def count(self, only: WaitingFilter) -> int:
        """How many there are."""
        return int(self._connection.execute(_only(self._waiting(select(func.count())), only)).scalar_one())

    def count_by(self, field: str) -> dict[str, int]:
        """How many wait by `policy`, `category` (`none` where there is none), `purpose` or `kept_for`; the most first."""
        column = _FACETS[field]
        rows = self._connection.execute(
            self._waiting(select(column, func.count()))
            .group_by(column)
            .order_by(func.count().desc(), column)
            .limit(100)
        )
        return {row[0]: row[1] for row in rows}

    def _waiting(self, statement: Select[Any]) -> Select[Any]:
        joined = statement.select_from(waiting).join(queue_entries, queue_entries.c.id == waiting.c.entry_id)
        return joined.where(waiting.c.project_id == self._project_id)

    # --- changes and their undoing

    def states(self, entry_ids: Sequence[str]) -> dict[str, tuple[str, str, str | None]]:
        """How these entries wait, as `Change.before` keeps it; locked, in one order for everybody."""
        columns = (waiting.c.entry_id, waiting.c.assigned_to, waiting.c.passed_by, waiting.c.purpose)
        found: dict[str, tuple[str, str, str | None]] = {}
        for chunk in chunks(sorted(set(entry_ids))):
            mine = select(*columns).where(waiting.c.project_id == self._project_id)
            rows = self._connection.execute(
                mine.where(waiting.c.entry_id.in_(chunk)).order_by(waiting.c.entry_id).with_for_update()
            )
            found |= {row[0]: (row[1], row[2], row[3]) for row in rows}
        return found

    def add_change(self, change: Change) -> None:
        """Keep a change, to be undone."""
        row = {"id": change.id, "project_id": self._project_id, "at": change.at, "actor": change.actor}
        body = {entry_id: list(state) for entry_id, state in change.before.items()}
        insert_new(self._connection, queue_changes, [row | {"kind": change.kind, "body": body}])

    def find_change(self, change_id: str | None) -> Change | None:
        """A change, or the last one that was not undone when no id is given; None when there is none."""
        mine = select(queue_changes).where(queue_changes.c.project_id == self._project_id)
        which = mine.where(queue_changes.c.id == change_id) if change_id else mine.where(_NOT_UNDONE)
        newest = which.order_by(queue_changes.c.at.desc(), queue_changes.c.id.desc()).limit(1).with_for_update()
        row = self._connection.execute(newest).one_or_none()
        if row is None:
            return None
        before = {entry_id: (state[0], state[1], state[2]) for entry_id, state in row.body.items()}
        return Change(row.id, row.at, row.actor, row.kind, before, row.undone_at)

    def mark_undone(self, change_id: str, now: datetime) -> bool:
        """Write down that a change was undone; False when it was already."""
        mine = (queue_changes.c.project_id == self._project_id) & (queue_changes.c.id == change_id)
        undone = update(queue_changes).where(mine).where(_NOT_UNDONE).values(undone_at=now)
        return self._connection.execute(undone).rowcount == 1

    def take_back_drop(self, change: Change) -> list[str]:
        """Let dropped entries wait again as they did; the ids of those that had not returned in another way."""
        found: list[str] = []
        for chunk in chunks(sorted(change.before)):
            mine = (drops.c.project_id == self._project_id) & drops.c.entry_id.in_(chunk)
            gone = delete(drops).where(mine).where(drops.c.dropped_at == change.at).returning(drops.c.entry_id)
            back = sorted(self._connection.execute(gone).scalars())
            places = self._connection.execute(
                select(queue_entries.c.id, queue_entries.c.added_at, queue_entries.c.serve_rank).where(
                    queue_entries.c.id.in_(back)
                )
            )
            columns = ("entry_id", "project_id", "added_at", "serve_rank", "assigned_to", "passed_by", "purpose")
            rows = [(id, self._project_id, micros(at), rank, *change.before[id]) for id, at, rank in places]
            insert_rows(self._connection, waiting, columns, rows)
            found += back
        return found

    def take_back_assignment(self, change: Change) -> list[str]:
        """Keep entries for whom they were kept for before; the ids of those that still wait."""
        by_person: dict[str, list[str]] = {}
        for entry_id, (assigned_to, _, _) in change.before.items():
            by_person.setdefault(assigned_to, []).append(entry_id)
        found: list[str] = []
        for person, entry_ids in by_person.items():
            for chunk in chunks(entry_ids):
                mine = (waiting.c.project_id == self._project_id) & waiting.c.entry_id.in_(chunk)
                back = update(waiting).where(mine).values(assigned_to=person).returning(waiting.c.entry_id)
                found += self._connection.execute(back).scalars()
        return found


_NOT_UNDONE = queue_changes.c.undone_at.is_(None)
_PURPOSE = func.coalesce(waiting.c.purpose, queue_entries.c.purpose)
_CATEGORY = func.coalesce(queue_entries.c.category, "none")
_FACETS: dict[str, Any] = {
    "policy": queue_entries.c.policy,
    "category": _CATEGORY,
    "purpose": _PURPOSE,
    "kept_for": waiting.c.assigned_to,
}
_PLACE = (waiting.c.added_at, waiting.c.serve_rank, waiting.c.entry_id)
_ORDERS: dict[str, tuple[Any, ...]] = {
    "oldest": _PLACE,
    "newest": tuple(column.desc() for column in _PLACE),
    "policy": (queue_entries.c.policy, *_PLACE),
    "category": (_CATEGORY, *_PLACE),
    "trace": (queue_entries.c.trace_id, *_PLACE),
}


def _only(statement: Select[Any], only: WaitingFilter) -> Select[Any]:
    equal = {
        queue_entries.c.policy: only.policy,
        _CATEGORY: only.category,
        _PURPOSE: only.purpose,
        waiting.c.assigned_to: only.kept_for if only.kept_for != "nobody" else "",
    }
    for column, value in equal.items():
        if value or (column is waiting.c.assigned_to and only.kept_for):
            statement = statement.where(column == value)
    if only.text:
        # Marks of LIKE are letters here.
        found = queue_entries.c.trace_id.icontains(only.text, autoescape=True)
        statement = statement.where(found | queue_entries.c.reason.icontains(only.text, autoescape=True))
    if only.added_by is not None:
        statement = statement.where(waiting.c.added_at <= only.added_by)
    return statement
