"""What was taken out of traces: how much of each type, and which placeholder stands for what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection, delete, select, tuple_

from thumbwheel.store.archive_tables import scrubbings
from thumbwheel.store.engine import upsert

#: The day of what waits for its trace.
WAITING: Final = 0


@dataclass(frozen=True, slots=True)
class Scrubbing:
    """What was taken out of one trace and of everything about it."""

    #: Part ("" the trace, "signal:ID", "span:ID", "score:ID") -> type -> how many pieces.
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    #: Keyed hash of a piece -> its placeholder.
    placeholders: Mapping[str, str] = field(default_factory=dict)

    @property
    def total(self) -> dict[str, int]:
        """Type -> how many pieces in all, the most frequent type first."""
        found: dict[str, int] = {}
        for part in self.counts.values():
            for name, n in part.items():
                found[name] = found.get(name, 0) + n
        return dict(sorted(found.items(), key=lambda each: (-each[1], each[0])))

    def with_more(self, other: Scrubbing) -> Scrubbing:
        """Both together; of a part in both, and of a piece in both, `other` speaks."""
        return Scrubbing({**self.counts, **other.counts}, {**self.placeholders, **other.placeholders})


class Scrubbings:
    """What was taken out, in one project."""

    def __init__(self, connection: Connection, project_id: int) -> None:
        self._connection = connection
        self._project_id = project_id

    def list_for(self, days: Mapping[str, int | None]) -> dict[str, Scrubbing]:
        """By the key of a trace, given its day, None when it has not come; those with nothing taken out are left out."""
        wanted = [(day, key) for key, own in days.items() for day in {WAITING, own} if day is not None]
        found: dict[str, Scrubbing] = {}
        for start in range(0, len(wanted), 400):
            rows = self._connection.execute(
                select(scrubbings.c.trace_id, scrubbings.c.body)
                .where(scrubbings.c.project_id == self._project_id)
                .where(tuple_(scrubbings.c.day, scrubbings.c.trace_id).in_(wanted[start : start + 400]))
                .order_by(scrubbings.c.day)
            )
            for key, body in rows:
                found[key] = found.get(key, Scrubbing()).with_more(Scrubbing(body["counts"], body["placeholders"]))
        return found

    def add_all(self, more: Sequence[tuple[str, int | None, Scrubbing]]) -> None:
        """Add what was taken out of traces, by key and day (None: it has not come), to what is known of them."""
        known = self.list_for({key: day for key, day, _ in more})
        self._forget_waiting([key for key, day, _ in more if day is not None])
        rows = []
        for key, day, new in more:
            whole = known.get(key, Scrubbing()).with_more(new)
            body = {"counts": whole.counts, "placeholders": whole.placeholders}
            rows.append(
                {"project_id": self._project_id, "day": WAITING if day is None else day, "trace_id": key, "body": body}
            )
        upsert(self._connection, scrubbings, rows)

    def remove(self, key: str, day: int) -> None:
        """Forget what was taken out of a trace."""
        self._forget_waiting([key])
        self._connection.execute(
            delete(scrubbings)
            .where(scrubbings.c.project_id == self._project_id)
            .where(scrubbings.c.day == day)
            .where(scrubbings.c.trace_id == key)
        )

    def _forget_waiting(self, keys: Sequence[str]) -> None:
        if keys:
            self._connection.execute(
                delete(scrubbings)
                .where(scrubbings.c.project_id == self._project_id)
                .where(scrubbings.c.day == WAITING)
                .where(scrubbings.c.trace_id.in_(list(keys)))
            )
