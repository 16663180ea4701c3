"""Labels that a revision of the codebook set aside, and how each of them left that state."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    Connection,
    Row,
    Select,
    Text,
    false,
    func,
    literal,
    or_,
    select,
    tuple_,
    type_coerce,
    update,
)

from thumbwheel.domain.annotation import Label
from thumbwheel.domain.queue import QueueEntry
from thumbwheel.store.engine import UtcTime, insert_rows, micros
from thumbwheel.store.queue import chunks, entry_of
from thumbwheel.store.tables import labels, quarantines, queue_entries

#: Where a page ended: when its last label was set aside, and that label.
Place = tuple[datetime, str]


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A label that a revision of the codebook set aside, and its entry."""

    label: Label
    entry: QueueEntry
    #: The version that set it aside.
    version: int
    at: datetime


class Quarantines:
    """The quarantined labels of one project."""

    def __init__(self, connection: Connection, project_id: int) -> None:
        self._connection = connection
        self._project_id = project_id

    def add(self, label_ids: Sequence[str], version: int, now: datetime) -> None:
        """Set labels aside: none of them stands any more, and so none is in any rate or export."""
        columns = ("label_id", "project_id", "version", "at")
        rows = [(label_id, self._project_id, version, micros(now)) for label_id in label_ids]
        insert_rows(self._connection, quarantines, columns, rows)
        for chunk in chunks(label_ids):
            mine = (labels.c.project_id == self._project_id) & labels.c.id.in_(chunk)
            still = mine & labels.c.superseded_at.is_(None)
            self._connection.execute(update(labels).where(still).values(superseded_at=now))

    def list_touched(self, categories: Collection[str] | None) -> list[str]:
        """Ids of the labels that stand and name any of these categories, or of all that stand when None."""
        standing = labels.c.superseded_at.is_(None)
        mine = select(labels.c.id, labels.c.body).where(labels.c.project_id == self._project_id).where(standing)
        if categories is None:
            return list(self._connection.execute(mine.with_only_columns(labels.c.id)).scalars())
        # Narrowed by what the JSON holds anywhere, so that not every label is read to find a few.
        body = type_coerce(labels.c.body, Text)
        likely = or_(false(), *(body.contains(f'"{category}"', autoescape=True) for category in sorted(categories)))
        rows = self._connection.execute(mine.where(likely))
        return [row.id for row in rows if not set(categories).isdisjoint(row.body.get("categories", ()))]

    def close(self, label_ids: Collection[str], outcome: str, by: str, now: datetime) -> list[str]:
        """Write down how labels left quarantine (`affirmed`, `requeued`, `judged`); the ids of those that were in it."""
        found: list[str] = []
        for chunk in chunks(sorted(label_ids)):
            mine = (quarantines.c.project_id == self._project_id) & quarantines.c.label_id.in_(chunk)
            closing = update(quarantines).where(mine).where(quarantines.c.closed_at.is_(None))
            closed = closing.values(closed_at=now, closed_by=by, outcome=outcome).returning(quarantines.c.label_id)
            found += self._connection.execute(closed).scalars()
        return found

    def find(self, label_id: str) -> Quarantined | None:
        """One label, if it is in quarantine."""
        row = self._connection.execute(self._open().where(quarantines.c.label_id == label_id)).one_or_none()
        return None if row is None else _quarantined(row)

    def list_open(self, limit: int, after: Place | None = None) -> list[Quarantined]:
        """Quarantined labels, first set aside first, from behind `after`."""
        statement = self._open().limit(limit)
        if after is not None:
            here = tuple_(quarantines.c.at, quarantines.c.label_id)
            statement = statement.where(here > tuple_(literal(after[0], UtcTime), literal(after[1])))
        return [_quarantined(row) for row in self._connection.execute(statement)]

    def count_open(self) -> int:
        """How many labels are in quarantine."""
        statement = (
            select(func.count())
            .select_from(quarantines)
            .where(quarantines.c.project_id == self._project_id)
            .where(quarantines.c.closed_at.is_(None))
        )
        return int(self._connection.execute(statement).scalar_one())

    def _open(self) -> Select[Any]:
        return (
            select(queue_entries, labels.c.body, quarantines.c.version, quarantines.c.at)
            .select_from(quarantines)
            .join(labels, labels.c.id == quarantines.c.label_id)
            .join(queue_entries, queue_entries.c.id == labels.c.entry_id)
            .where(quarantines.c.project_id == self._project_id)
            .where(quarantines.c.closed_at.is_(None))
            .order_by(quarantines.c.at, quarantines.c.label_id)
        )


def _quarantined(row: Row[Any]) -> Quarantined:
    return Quarantined(msgspec.convert(row.body, Label), entry_of(row), row.version, row.at)
