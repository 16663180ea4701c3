"""Scheduled jobs: one row each, leased, so that many replicas run it once."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, or_, update

from thumbwheel.store.engine import insert_new
from thumbwheel.store.tables import jobs


class Jobs:
    """The jobs of the installation."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, name: str, due_at: datetime) -> None:
        """Make a job known; one that is known keeps its time."""
        insert_new(self._connection, jobs, [{"name": name, "due_at": due_at}])

    def lease(self, name: str, now: datetime, until: datetime) -> bool:
        """Take a job that is due and that nobody holds."""
        statement = (
            update(jobs)
            .where(jobs.c.name == name)
            .where(jobs.c.due_at <= now)
            .where(or_(jobs.c.leased_until.is_(None), jobs.c.leased_until < now))
            .values(leased_until=until)
        )
        return self._connection.execute(statement).rowcount == 1

    def finish(self, name: str, now: datetime, due_at: datetime, fault: str | None) -> None:
        """Give a job back, saying when it is due next and what went wrong."""
        statement = update(jobs).where(jobs.c.name == name)
        self._connection.execute(statement.values(due_at=due_at, leased_until=None, ran_at=now, fault=fault))
