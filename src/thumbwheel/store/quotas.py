"""Quotas: how many judgements a day are asked of whom. Rows are only added; the last of each person counts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, select

from thumbwheel.store.engine import upsert
from thumbwheel.store.tables import quotas


class Quotas:
    """The quotas of one project."""

    def __init__(self, connection: Connection, project_id: int) -> None:
        self._connection = connection
        self._project_id = project_id

    def add(self, annotator: str, per_day: int, set_by: str, now: datetime) -> None:
        """Ask somebody for so many judgements a day from now on; 0 asks for none in particular."""
        row = {"project_id": self._project_id, "annotator": annotator, "at": now, "per_day": per_day, "set_by": set_by}
        upsert(self._connection, quotas, [row])

    def find(self, annotator: str) -> int | None:
        """How many are asked of somebody, or None when no number is."""
        mine = (quotas.c.project_id == self._project_id) & (quotas.c.annotator == annotator)
        newest = select(quotas.c.per_day).where(mine).order_by(quotas.c.at.desc()).limit(1)
        return self._connection.execute(newest).scalar_one_or_none() or None

    def list_current(self) -> dict[str, int]:
        """How many are asked of everybody of whom a number is, by name."""
        last = (
            select(quotas.c.annotator, func.max(quotas.c.at).label("at"))
            .where(quotas.c.project_id == self._project_id)
            .group_by(quotas.c.annotator)
            .subquery()
        )
        rows = self._connection.execute(
            select(quotas.c.annotator, quotas.c.per_day)
            .join(last, (last.c.annotator == quotas.c.annotator) & (last.c.at == quotas.c.at))
            .where(quotas.c.project_id == self._project_id)
            .where(quotas.c.per_day > 0)
            .order_by(quotas.c.annotator)
        )
        return {row.annotator: row.per_day for row in rows}
