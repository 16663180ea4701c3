"""Where traces of other tools came from, how far those were read, and what was taken back to them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from thumbwheel.domain.identity import id_key
from thumbwheel.store.archive_tables import source_cursors, source_traces
from thumbwheel.store.engine import insert_new, upsert


@dataclass(frozen=True, slots=True)
class Cursor:
    """What of a stream has been read: everything with a time in [begun_at, done_to)."""

    begun_at: datetime
    done_to: datetime


@dataclass(frozen=True, slots=True)
class Remote:
    """A trace as another tool has it."""

    #: What the tool calls it.
    id: str
    #: The label that was taken back last.
    pushed_label: str | None


class Origins:
    """The sources of one project."""

    def __init__(self, connection: Connection, project_id: int) -> None:
        self._connection = connection
        self._project_id = project_id

    def find_cursor(self, origin: str, stream: str) -> Cursor | None:
        """How far a stream has been read."""
        mine = select(source_cursors.c.begun_at, source_cursors.c.done_to)
        mine = mine.where(source_cursors.c.project_id == self._project_id)
        row = self._connection.execute(
            mine.where(source_cursors.c.origin == origin).where(source_cursors.c.stream == stream)
        ).first()
        return None if row is None else Cursor(row.begun_at, row.done_to)

    def put_cursor(self, origin: str, stream: str, cursor: Cursor) -> None:
        """Note how far a stream has been read."""
        key = {"project_id": self._project_id, "origin": origin, "stream": stream}
        upsert(
            self._connection,
            source_cursors,
            [key | {"begun_at": cursor.begun_at, "done_to": cursor.done_to}],
        )

    def add_traces(self, origin: str, remotes: Mapping[str, str]) -> None:
        """Note which traces came from a source, by their id here and there; those noted before stay as they are."""
        insert_new(
            self._connection,
            source_traces,
            [
                {
                    "project_id": self._project_id,
                    "origin": origin,
                    "trace_id": id_key(trace_id),
                    "remote_id": remote_id,
                }
                for trace_id, remote_id in remotes.items()
            ],
        )

    def find_remotes(self, origin: str, trace_ids: Collection[str]) -> dict[str, Remote]:
        """Those of these traces that came from a source, by the id they were asked for with."""
        asked = {id_key(each): each for each in trace_ids}
        if not asked:
            return {}
        mine = select(source_traces.c.trace_id, source_traces.c.remote_id, source_traces.c.pushed_label)
        mine = mine.where(source_traces.c.project_id == self._project_id).where(source_traces.c.origin == origin)
        rows = self._connection.execute(mine.where(source_traces.c.trace_id.in_(sorted(asked))))
        return {asked[row.trace_id]: Remote(row.remote_id, row.pushed_label) for row in rows}

    def list_pushed(self, origin: str) -> dict[str, Remote]:
        """The traces whose source has a label of ours, by key."""
        mine = select(source_traces.c.trace_id, source_traces.c.remote_id, source_traces.c.pushed_label)
        mine = mine.where(source_traces.c.project_id == self._project_id).where(source_traces.c.origin == origin)
        rows = self._connection.execute(mine.where(source_traces.c.pushed_label.is_not(None)))
        return {row.trace_id: Remote(row.remote_id, row.pushed_label) for row in rows}

    def mark_pushed(self, origin: str, labels: Mapping[str, str | None]) -> None:
        """Note which label of each trace its source has; None for none any more."""
        mine = update(source_traces).where(source_traces.c.project_id == self._project_id)
        mine = mine.where(source_traces.c.origin == origin)
        for trace_id, label_id in labels.items():
            self._connection.execute(
                mine.where(source_traces.c.trace_id == id_key(trace_id)).values(pushed_label=label_id)
            )
