"""The shelf: what other tools' clients keep here to read it back, as they gave it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, select

from thumbwheel.store.archive_tables import shelf
from thumbwheel.store.engine import upsert


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelved:
    """One thing on the shelf."""

    kind: str
    #: Unique among things of its kind in the project.
    id: str
    #: What it is part of; empty when it stands alone.
    within: str
    created_at: datetime
    updated_at: datetime
    #: When it is of no more use; None for what is kept until somebody takes it off.
    expires_at: datetime | None = None
    body: dict[str, Any]


class Shelf:
    """The shelf of one project."""

    def __init__(self, connection: Connection, project_id: int) -> None:
        self._connection = connection
        self._project_id = project_id

    def put(self, thing: Shelved) -> None:
        """Keep a thing, in place of the one with its kind and id."""
        names = ("kind", "id", "within", "created_at", "updated_at", "expires_at", "body")
        row = {name: getattr(thing, name) for name in names}
        upsert(self._connection, shelf, [{"project_id": self._project_id} | row])

    def find(self, kind: str, id: str) -> Shelved | None:
        """The thing of this kind and id."""
        row = self._connection.execute(self._of(select(shelf), kind).where(shelf.c.id == id)).first()
        return None if row is None else _shelved(row)

    def list_page(self, kind: str, within: str, limit: int, offset: int = 0) -> list[Shelved]:
        """Things of a kind that are part of the same, first kept first."""
        statement = self._of(select(shelf), kind).where(shelf.c.within == within)
        statement = statement.order_by(shelf.c.created_at, shelf.c.id).limit(limit).offset(offset)
        return [_shelved(row) for row in self._connection.execute(statement)]

    def count(self, kind: str, within: str) -> int:
        """How many there are."""
        statement = self._of(select(func.count()).select_from(shelf), kind).where(shelf.c.within == within)
        return int(self._connection.execute(statement).scalar_one())

    def remove(self, kind: str, id: str) -> bool:
        """Take a thing off; False when it is not there."""
        mine = delete(shelf).where(shelf.c.project_id == self._project_id)
        return bool(self._connection.execute(mine.where(shelf.c.kind == kind).where(shelf.c.id == id)).rowcount)

    def remove_expired(self, before: datetime) -> int:
        """Take off what expired before a time, on every project's shelf; how many there were."""
        return self._connection.execute(delete(shelf).where(shelf.c.expires_at < before)).rowcount

    def _of(self, statement: Select[Any], kind: str) -> Select[Any]:
        return statement.where(shelf.c.project_id == self._project_id).where(shelf.c.kind == kind)


def _shelved(row: Row[Any]) -> Shelved:
    return Shelved(
        kind=row.kind,
        id=row.id,
        within=row.within,
        created_at=row.created_at,
        updated_at=row.updated_at,
        expires_at=row.expires_at,
        body=row.body,
    )
