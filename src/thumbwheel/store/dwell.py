"""Reading times, and what is usual among them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select

from thumbwheel.domain.signal import DwellNorm
from thumbwheel.store.archive_tables import dwell_norms, signals
from thumbwheel.store.engine import insert_new


class Dwell:
    """The reading times of one project."""

    def __init__(self, connection: Connection, project_id: int) -> None:
        self._connection = connection
        self._project_id = project_id

    def list_times(self, first_day: int, last_day: int, limit: int) -> dict[str, list[float]]:
        """Reading times, in seconds, of traces of these days (both included), by category; at most `limit`, newest days first."""
        rows = self._connection.execute(
            select(signals.c.category, signals.c.seconds)
            .where(signals.c.project_id == self._project_id)
            .where(signals.c.day.between(first_day, last_day))
            .where(signals.c.seconds.is_not(None))
            .order_by(signals.c.day.desc())
            .limit(limit)
        )
        found: dict[str, list[float]] = {}
        for category, seconds in rows:
            found.setdefault(category, []).append(seconds)
        return found

    def norms(self) -> dict[str | None, DwellNorm]:
        """What is usual, by category; None stands for all of them."""
        rows = self._connection.execute(select(dwell_norms).where(dwell_norms.c.project_id == self._project_id))
        return {
            row.category or None: DwellNorm(
                category=row.category or None, n=row.n, median=row.median, mad=row.mad, at=row.at
            )
            for row in rows
        }

    def set_norms(self, norms: Sequence[DwellNorm]) -> None:
        """Put these norms in the place of all there were."""
        self._connection.execute(delete(dwell_norms).where(dwell_norms.c.project_id == self._project_id))
        insert_new(
            self._connection,
            dwell_norms,
            [
                {
                    "project_id": self._project_id,
                    "category": norm.category or "",
                    "n": norm.n,
                    "median": norm.median,
                    "mad": norm.mad,
                    "at": norm.at,
                }
                for norm in norms
            ],
        )
