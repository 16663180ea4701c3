"""Traces as other tools list them: by time, filtered by what they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Connection, Text, bindparam, func, select, tuple_, type_coerce

from thumbwheel.domain.identity import id_key
from thumbwheel.store.archive_tables import traces
from thumbwheel.store.engine import UtcTime, micros
from thumbwheel.store.traces import day_of

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceFilter:
    """Which traces to list; None does not restrict."""

    trace_ids: Sequence[str] | None = None
    name: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    #: All of them.
    tags: Sequence[str] = ()
    #: Started at or after, and before.
    start: datetime | None = None
    end: datetime | None = None


class Listings:
    """Lists of the traces of one project."""

    def __init__(self, connection: Connection, project_id: int) -> None:
        self._connection = connection
        self._project_id = project_id

    def list_traces(self, only: TraceFilter, limit: int, offset: int = 0) -> list[int]:
        """Numbers of traces, last started first."""
        statement = self._only(select(traces.c.id), only)
        statement = statement.order_by(traces.c.day.desc(), traces.c.started_at.desc(), traces.c.id.desc())
        return list(self._connection.execute(statement.limit(limit).offset(offset)).scalars())

    def list_of_users(self, user_ids: Sequence[str], days: Sequence[int], limit: int) -> list[int]:
        """Numbers of the traces of these users that started on these days, last started first."""
        statement = (
            select(traces.c.id)
            .where(traces.c.project_id == self._project_id)
            .where(traces.c.day.in_(list(days)))
            .where(traces.c.user_id.in_(list(user_ids)))
            .order_by(traces.c.started_at.desc(), traces.c.id.desc())
        )
        return list(self._connection.execute(statement.limit(limit)).scalars())

    def list_neighbours(self, refs: Sequence[int]) -> dict[int, tuple[int | None, int | None]]:
        """For those of these traces that are in a session, the numbers of the traces before and after it there."""
        rows = self._connection.execute(_neighbours(), {"project": self._project_id, "refs": list(refs)})
        return {row[0]: (row[1], row[2]) for row in rows}

    def count_traces(self, only: TraceFilter) -> int:
        """How many there are."""
        return int(self._connection.execute(self._only(select(func.count()).select_from(traces), only)).scalar_one())

    def list_sessions(self, limit: int, offset: int = 0) -> list[tuple[str, datetime]]:
        """Sessions with the time of their first trace, last begun first."""
        began = func.min(traces.c.started_at, type_=UtcTime).label("began")
        statement = (
            select(traces.c.session_id, began)
            .where(traces.c.project_id == self._project_id)
            .where(traces.c.session_id.is_not(None))
            .group_by(traces.c.session_id)
            .order_by(began.desc(), traces.c.session_id)
        )
        return [(row[0], row[1]) for row in self._connection.execute(statement.limit(limit).offset(offset))]

    def list_near(self, session_id: str, near: datetime, limit: int) -> list[int]:
        """Numbers of a session's traces from the day of `near` and those beside it, the nearest in time first."""
        midnight = near.replace(hour=0, minute=0, second=0, microsecond=0)
        away = func.abs(type_coerce(traces.c.started_at, BigInteger) - micros(near))
        statement = (
            select(traces.c.id)
            .where(traces.c.project_id == self._project_id)
            .where(traces.c.session_id == session_id)
            .where(traces.c.started_at >= midnight - _DAY)
            .where(traces.c.started_at < midnight + 2 * _DAY)
            .order_by(away, traces.c.id)
        )
        return list(self._connection.execute(statement.limit(limit)).scalars())

    def count_sessions(self) -> int:
        """How many sessions there are."""
        counted = select(func.count(traces.c.session_id.distinct())).where(traces.c.project_id == self._project_id)
        return int(self._connection.execute(counted).scalar_one())

    def received(self, refs: Sequence[int]) -> dict[int, datetime]:
        """When these traces first came, by number."""
        rows = self._connection.execute(select(traces.c.id, traces.c.received_at).where(traces.c.id.in_(list(refs))))
        return {row.id: row.received_at for row in rows}

    def _only(self, statement: Any, only: TraceFilter) -> Any:
        statement = statement.where(traces.c.project_id == self._project_id)
        equal = {traces.c.name: only.name, traces.c.user_id: only.user_id, traces.c.session_id: only.session_id}
        for column, value in equal.items():
            if value is not None:
                statement = statement.where(column == value)
        if only.trace_ids is not None:
            statement = statement.where(traces.c.trace_id.in_([id_key(trace_id) for trace_id in only.trace_ids]))
        for tag in only.tags:
            # Unlike LIKE, this tells upper from lower case on every engine.
            tags = type_coerce(traces.c.tags, Text)
            statement = statement.where(func.replace(tags, msgspec.json.encode(tag).decode(), "") != tags)
        if only.start is not None:
            statement = statement.where(traces.c.day >= day_of(only.start)).where(traces.c.started_at >= only.start)
        if only.end is not None:
            statement = statement.where(traces.c.day <= day_of(only.end)).where(traces.c.started_at < only.end)
        return statement


@cache
def _neighbours() -> Any:
    here, other = traces.alias(), traces.alias()
    mine = (other.c.project_id == bindparam("project")) & (other.c.session_id == here.c.session_id)
    place, others = tuple_(here.c.started_at, here.c.id), tuple_(other.c.started_at, other.c.id)
    before = select(other.c.id).where(mine, others < place).order_by(other.c.started_at.desc(), other.c.id.desc())
    after = select(other.c.id).where(mine, others > place).order_by(other.c.started_at, other.c.id)
    return (
        select(here.c.id, before.limit(1).scalar_subquery(), after.limit(1).scalar_subquery())
        .where(here.c.id.in_(bindparam("refs", expanding=True)))
        # Adding nothing keeps SQLite from reading the whole project by an index that begins with it.
        .where(here.c.project_id + 0 == bindparam("project"))
        .where(here.c.session_id.is_not(None))
    )
