"""How many traces started in each hour, so that a frame is counted without looking at its traces."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, func, select, update

from thumbwheel.store.engine import upsert
from thumbwheel.store.tables import trace_hours


class Hours:
    """The hourly counts of one project; hours count from 1970 UTC."""

    def __init__(self, connection: Connection, project_id: int) -> None:
        self._connection = connection
        self._project_id = project_id

    def add(self, changes: Iterable[tuple[int, str | None, int, int]]) -> None:
        """Count more traces, or fewer: hour, category, how many, and how many of them are in a frame."""
        counted: dict[tuple[int, str], tuple[int, int]] = {}
        for hour, category, n, n_framed in changes:
            before = counted.get((hour, category or ""), (0, 0))
            counted[hour, category or ""] = (before[0] + n, before[1] + n_framed)
        upsert(
            self._connection,
            trace_hours,
            [
                {"project_id": self._project_id, "hour": hour, "category": category, "n": n, "n_framed": n_framed}
                for (hour, category), (n, n_framed) in counted.items()
            ],
            add=["n", "n_framed"],
        )

    def count(self, first: int, last: int, without: Collection[int]) -> dict[str, int]:
        """Traces in no frame yet of the hours from `first` to `last`, both included, but for some, by category."""
        rows = self._connection.execute(
            select(trace_hours.c.category, func.sum(trace_hours.c.n - trace_hours.c.n_framed))
            .where(trace_hours.c.project_id == self._project_id)
            .where(trace_hours.c.hour.between(first, last))
            .where(trace_hours.c.hour.not_in(sorted(without)))
            .group_by(trace_hours.c.category)
        )
        return {row[0]: int(row[1]) for row in rows}

    def close(self, first: int, last: int) -> None:
        """Put every trace of the whole hours from `first` to `last`, both included, that has arrived, into a frame."""
        self._connection.execute(
            update(trace_hours)
            .where(trace_hours.c.project_id == self._project_id)
            .where(trace_hours.c.hour.between(first, last))
            .values(n_framed=trace_hours.c.n)
        )
