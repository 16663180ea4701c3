"""Signals: clustered by the day and id of their trace; those whose trace has not come wait apart."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import Connection, bindparam, delete, func, select

from thumbwheel.domain.identity import id_key
from thumbwheel.domain.signal import Signal
from thumbwheel.store.archive_tables import pending_signals, signals
from thumbwheel.store.engine import insert_rows, micros

_COLUMNS = (
    "project_id day trace_id event_id kind at received_at user_id rating reason edit_kind seconds category body content_hash"
).split()
_PENDING_COLUMNS = "project_id trace_id event_id received_at body content_hash".split()

# Statements of the way in, made once: making one takes longer than running it.
_OF_TRACES = (
    select(signals.c.trace_id, signals.c.body, signals.c.content_hash)
    .where(signals.c.project_id == bindparam("project_id"))
    .where(signals.c.day.in_(bindparam("days", expanding=True)))
    .where(signals.c.trace_id.in_(bindparam("trace_ids", expanding=True)))
    .order_by(signals.c.at, signals.c.event_id)
)
_PENDING = (
    select(pending_signals.c.trace_id, pending_signals.c.body, pending_signals.c.content_hash)
    .where(pending_signals.c.project_id == bindparam("project_id"))
    .where(pending_signals.c.trace_id.in_(bindparam("keys", expanding=True)))
    .order_by(pending_signals.c.received_at)
)

_decoder = msgspec.json.Decoder(Signal)


@dataclass(frozen=True, slots=True)
class NewSignal:
    """A signal as it will be stored."""

    signal: Signal
    content_hash: int


@dataclass(frozen=True, slots=True)
class StoredSignal:
    """A signal with the hash of what the client sent."""

    signal: Signal
    content_hash: int


class Signals:
    """The signals of one project."""

    def __init__(self, connection: Connection, project_id: int) -> None:
        self._connection = connection
        self._project_id = project_id

    def add_all(self, new: Sequence[tuple[int, NewSignal]], now: datetime) -> None:
        """Store signals known to be new, each with the day of its trace."""
        received = micros(now)
        insert_rows(
            self._connection,
            signals,
            _COLUMNS,
            [
                (
                    self._project_id,
                    day,
                    item.signal.trace_id,
                    item.signal.id,
                    item.signal.kind.value,
                    micros(item.signal.at),
                    received,
                    item.signal.user_id,
                    item.signal.rating.value if item.signal.rating else None,
                    item.signal.reason,
                    item.signal.edit.kind.value if item.signal.edit else None,
                    item.signal.seconds,
                    (item.signal.context and item.signal.context.category) or "",
                    msgspec.json.encode(item.signal).decode(),
                    item.content_hash,
                )
                for day, item in new
            ],
        )

    def remove(self, day: int, trace_id: str, signal_ids: Collection[str]) -> None:
        """Forget these signals of one trace."""
        self._connection.execute(
            delete(signals)
            .where(signals.c.project_id == self._project_id)
            .where(signals.c.day == day)
            .where(signals.c.trace_id == trace_id)
            .where(signals.c.event_id.in_(list(signal_ids)))
        )

    def add_pending(self, new: Sequence[NewSignal], now: datetime) -> None:
        """Keep signals, known to be new, until their traces come."""
        received = micros(now)
        insert_rows(
            self._connection,
            pending_signals,
            _PENDING_COLUMNS,
            [
                (
                    self._project_id,
                    id_key(item.signal.trace_id),
                    item.signal.id,
                    received,
                    msgspec.json.encode(item.signal).decode(),
                    item.content_hash,
                )
                for item in new
            ],
        )

    def list_for(self, traces: dict[str, int]) -> dict[str, list[StoredSignal]]:
        """Every signal of these traces (id -> day), by trace, in time order."""
        found: dict[str, list[StoredSignal]] = {trace_id: [] for trace_id in traces}
        if not traces:
            return found
        given = {"project_id": self._project_id, "days": sorted(set(traces.values())), "trace_ids": list(traces)}
        for trace_id, body, content_hash in self._connection.execute(_OF_TRACES, given):
            found[trace_id].append(StoredSignal(_decoder.decode(body), content_hash))
        return found

    def list_pending(self, keys: Sequence[str]) -> dict[str, list[StoredSignal]]:
        """Waiting signals of the traces with these keys (see `id_key`), by key, in order of arrival."""
        found: dict[str, list[StoredSignal]] = {}
        if not keys:
            return found
        given = {"project_id": self._project_id, "keys": list(keys)}
        for key, body, content_hash in self._connection.execute(_PENDING, given):
            found.setdefault(key, []).append(StoredSignal(_decoder.decode(body), content_hash))
        return found

    def drop_pending(self, keys: Sequence[str]) -> None:
        """Forget waiting signals of the traces with these keys: they have been joined."""
        if keys:
            self._connection.execute(
                delete(pending_signals)
                .where(pending_signals.c.project_id == self._project_id)
                .where(pending_signals.c.trace_id.in_(list(keys)))
            )

    def count_pending(self) -> int:
        """How many signals wait for their trace."""
        statement = select(func.count()).where(pending_signals.c.project_id == self._project_id)
        return int(self._connection.execute(statement.select_from(pending_signals)).scalar_one())

    def count_traces(self, first_day: int, last_day: int) -> int:
        """How many traces of these days (both included) have a signal."""
        traces = (
            select(signals.c.day, signals.c.trace_id)
            .where(signals.c.project_id == self._project_id)
            .where(signals.c.day.between(first_day, last_day))
            .distinct()
            .subquery()
        )
        return int(self._connection.execute(select(func.count()).select_from(traces)).scalar_one())
