"""Versions of the clusters of requests: numbered from 1, written once, never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from thumbwheel.store.archive_tables import clusterings
from thumbwheel.store.engine import insert_new


@dataclass(frozen=True, slots=True)
class StoredClustering:
    """One version, and who made it."""

    version: int
    made_at: datetime
    made_by: str
    body: dict[str, Any]


class Clusterings:
    """The clusterings of one project."""

    def __init__(self, connection: Connection, project_id: int) -> None:
        self._connection = connection
        self._project_id = project_id

    def add(self, stored: StoredClustering) -> bool:
        """Keep a version; False when its number is taken."""
        row = {name: getattr(stored, name) for name in ("version", "made_at", "made_by", "body")}
        return insert_new(self._connection, clusterings, [{"project_id": self._project_id} | row]) == 1

    def find_current(self) -> dict[str, Any] | None:
        """The body of the last version, or None when there is none."""
        row = self._connection.execute(self._versions().limit(1)).first()
        return None if row is None else _stored(row).body

    def list_all(self) -> list[StoredClustering]:
        """Every version, the last one first."""
        return [_stored(row) for row in self._connection.execute(self._versions())]

    def _versions(self) -> Select[Any]:
        mine = select(clusterings).where(clusterings.c.project_id == self._project_id)
        return mine.order_by(clusterings.c.version.desc())


def _stored(row: Row[Any]) -> StoredClustering:
    return StoredClustering(row.version, row.made_at, row.made_by, row.body)
