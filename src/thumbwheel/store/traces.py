"""Traces and their payloads: append-only, one row a trace, found by day and id or read in shuffled order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, bindparam, delete, func, or_, select

from thumbwheel.domain.identity import id_key, is_usable
from thumbwheel.domain.queue import Frame, Window
from thumbwheel.domain.span import Span
from thumbwheel.domain.trace import JudgeScore, Trace
from thumbwheel.errors import NotHere
from thumbwheel.store.archive_tables import counters, payloads, trace_counts, trace_days, traces
from thumbwheel.store.counts import Counts
from thumbwheel.store.engine import (
    DAY_MICROS,
    HOUR_MICROS,
    insert_new,
    insert_rows,
    micros,
    update_rows,
    upsert,
)
from thumbwheel.store.payloads import pack, unpack

#: How many days around its own a retry of a trace is looked for.
_LATE_DAYS = 7
#: What a fuller report of a trace may change.
_SAID = (
    "started_at ended_at name category user_id session_id model prompt_version release tags judge_score judge_name "
    "content_hash"
).split()
_NARROW = [*"id project_id day trace_id given_id received_at sample_key".split(), *_SAID]


@dataclass(frozen=True, slots=True)
class NewTrace:
    """A trace as it will be stored."""

    trace: Trace
    sample_key: int
    #: 0 for one that came as spans only.
    content_hash: int
    #: The spans it came as, one for each id.
    spans: Sequence[Span] = ()


@dataclass(frozen=True, slots=True)
class TraceRow:
    """The narrow half of a stored trace: all that signals and the sampler need."""

    ref: int
    day: int
    trace_id: str
    started_at: datetime
    category: str | None
    user_id: str | None
    model: str | None
    prompt_version: str | None
    release: str | None
    judge_score: float | None
    sample_key: int
    content_hash: int

    @property
    def hour(self) -> int:
        """Hours since 1970 UTC in which it started."""
        return micros(self.started_at) // HOUR_MICROS


#: What a TraceRow is made of.
ROW_COLUMNS: tuple[ColumnElement[Any], ...] = (
    traces.c.id,
    traces.c.day,
    func.coalesce(traces.c.given_id, traces.c.trace_id).label("trace_id"),
    traces.c.started_at,
    traces.c.category,
    traces.c.user_id,
    traces.c.model,
    traces.c.prompt_version,
    traces.c.release,
    traces.c.judge_score,
    traces.c.sample_key,
    traces.c.content_hash,
)

# Statements of the way in, made once: making one takes longer than running it.
_DAYS = (
    select(trace_days.c.day).where(trace_days.c.project_id == bindparam("project_id")).order_by(trace_days.c.day.desc())
)
# Adding nothing keeps SQLite from reading the whole project by an index that begins with it.
_ROWS = (
    select(*ROW_COLUMNS)
    .where(traces.c.id.in_(bindparam("refs", expanding=True)))
    .where(traces.c.project_id + 0 == bindparam("project_id"))
)
_ROWS_ON = (
    select(*ROW_COLUMNS)
    .where(traces.c.project_id == bindparam("project_id"))
    .where(traces.c.day.in_(bindparam("days", expanding=True)))
    .where(traces.c.trace_id.in_(bindparam("keys", expanding=True)))
    .order_by(traces.c.id.desc())
)
_WHOLE = (
    select(traces, payloads.c.body)
    .join(payloads, payloads.c.id == traces.c.id)
    .where(traces.c.id.in_(bindparam("refs", expanding=True)))
    .where(traces.c.project_id + 0 == bindparam("project_id"))
)
_LAST_NUMBER = select(counters.c.value).where(counters.c.name == "trace")


def day_of(at: datetime) -> int:
    """Days since 1970-01-01, UTC."""
    return micros(at) // DAY_MICROS


def row_of(row: Sequence[Any]) -> TraceRow:
    """The narrow half of a trace from a row that begins with `ROW_COLUMNS`."""
    values = list(row[: len(ROW_COLUMNS)])
    values[4] = values[4] or None
    return TraceRow(*values)


class Traces:
    """The traces of one project."""

    def __init__(self, connection: Connection, project_id: int) -> None:
        self._connection = connection
        self._project_id = project_id

    @cached_property
    def counts(self) -> Counts:
        """How many there are in each hour and day, by category."""
        return Counts(self._connection, self._project_id, trace_counts)

    # --- writing

    def add_all(self, new: Sequence[NewTrace], now: datetime) -> list[TraceRow]:
        """Store traces known to be new (see `find_near`), with their payloads and counts, in order of arrival."""
        if not new:
            return []
        first = self._take_numbers(len(new))
        narrow, bodies = [], []
        rows = []
        for ref, item in enumerate(new, first):
            trace, day = item.trace, day_of(item.trace.started_at)
            narrow.append(self._narrow(ref, day, item, now))
            bodies.append((ref, pack(trace, item.spans)))
            rows.append(_new_row(ref, day, item))
        insert_rows(self._connection, traces, _NARROW, narrow)
        insert_rows(self._connection, payloads, ("id", "body"), bodies)
        self.counts.add(_counted(rows, 1))
        days = sorted({row.day for row in rows})
        insert_new(self._connection, trace_days, [{"project_id": self._project_id, "day": day} for day in days])
        return rows

    def _take_numbers(self, n: int) -> int:
        upsert(self._connection, counters, [{"name": "trace", "value": n}], add=["value"])
        return self.last_number() - n + 1

    def _narrow(self, ref: int, day: int, item: NewTrace, now: datetime) -> tuple[Any, ...]:
        key = id_key(item.trace.id)
        given = None if key == item.trace.id else item.trace.id
        return (ref, self._project_id, day, key, given, micros(now), item.sample_key, *_said(item))

    def replace_all(self, changed: Sequence[tuple[TraceRow, NewTrace]]) -> list[TraceRow]:
        """Put fuller traces in the place of what was known of them, in order.

        Each keeps its number, its day, its place in the shuffle and the spelling of its id, and starts within its
        day.
        """
        if not changed:
            return []
        after = [_new_row(row.ref, row.day, item) for row, item in changed]
        update_rows(self._connection, traces, _SAID, [(*_said(item), row.ref) for row, item in changed])
        update_rows(
            self._connection, payloads, ["body"], [(pack(item.trace, item.spans), row.ref) for row, item in changed]
        )
        moved = [
            (before, now)
            for (before, _), now in zip(changed, after, strict=True)
            if (before.hour, before.category) != (now.hour, now.category)
        ]
        self.counts.add([*_counted((row for row, _ in moved), -1), *_counted((row for _, row in moved), 1)])
        return after

    def remove(self, row: TraceRow) -> None:
        """Forget a trace that is in no frame."""
        self._connection.execute(delete(payloads).where(payloads.c.id == row.ref))
        self._connection.execute(delete(traces).where(traces.c.id == row.ref))
        self.counts.add(_counted([row], -1))

    # --- finding by id

    def find_near(self, times: Mapping[str, datetime]) -> dict[str, TraceRow]:
        """Stored traces by id, in the spelling asked for, looked for on the days around a time of each."""
        if not times:
            return {}
        days = [day_of(at) for at in times.values()]
        near = range(min(days) - _LATE_DAYS, max(days) + _LATE_DAYS + 1)
        known = [day for day in self.list_days() if day in near]
        return self._find_on(known, list(times))

    def find_many(self, trace_ids: Sequence[str]) -> dict[str, TraceRow]:
        """Stored traces by id, in the spelling asked for; older days are searched only for what newer ones lack."""
        found: dict[str, TraceRow] = {}
        missing = [trace_id for trace_id in dict.fromkeys(trace_ids) if is_usable(trace_id)]
        days = self.list_days()
        step = 2
        while missing and days:
            found |= self._find_on(days[:step], missing)
            missing = [trace_id for trace_id in missing if trace_id not in found]
            days, step = days[step:], step * 4
        return found

    def _find_on(self, days: Sequence[int], trace_ids: Sequence[str]) -> dict[str, TraceRow]:
        if not days or not trace_ids:
            return {}
        keys = {trace_id: id_key(trace_id) for trace_id in trace_ids}
        given = {"project_id": self._project_id, "days": days, "keys": list(set(keys.values()))}
        rows = self._connection.execute(_ROWS_ON, given)
        found = {id_key(row.trace_id): row_of(row) for row in rows}
        return {trace_id: found[key] for trace_id, key in keys.items() if key in found}

    def list_rows(self, refs: Sequence[int]) -> dict[int, TraceRow]:
        """The narrow halves of these traces by their number; numbers that are not here are left out."""
        if not refs:
            return {}
        rows = self._connection.execute(_ROWS, {"project_id": self._project_id, "refs": list(refs)})
        return {row.id: row_of(row) for row in rows}

    def find(self, trace_id: str) -> TraceRow | None:
        """The narrow half of one trace, or None."""
        return self.find_many([trace_id]).get(trace_id)

    def get(self, trace_id: str) -> Trace:
        """One whole trace.

        Raises:
            NotHere: there is no such trace in this project.
        """
        row = self.find(trace_id)
        if row is None:
            raise NotHere(f"There is no trace {trace_id!r} in this project.")
        return next(iter(self.list_whole([row.ref]).values()))

    def list_whole(self, refs: Sequence[int]) -> dict[int, Trace]:
        """Whole traces by their number; numbers that are not here are left out."""
        rows = self._connection.execute(_WHOLE, {"project_id": self._project_id, "refs": list(refs)})
        return {row.id: _whole(row) for row in rows}

    def list_tags(self, refs: Sequence[int]) -> dict[int, list[str]]:
        """Tags of those of these traces that have any."""
        found: dict[int, list[str]] = {}
        for start in range(0, len(refs), 5_000):
            chosen = traces.c.id.in_(refs[start : start + 5_000])
            rows = self._connection.execute(select(traces.c.id, traces.c.tags).where(chosen))
            found |= {row.id: row.tags for row in rows if row.tags}
        return found

    def list_days(self) -> list[int]:
        """Days (since 1970) that have traces, newest first."""
        return list(self._connection.execute(_DAYS, {"project_id": self._project_id}).scalars())

    def list_newest(self, limit: int, before_ref: int | None = None) -> list[tuple[int, Trace]]:
        """Whole traces, last arrived first, with their numbers."""
        statement = (
            select(traces, payloads.c.body)
            .join(payloads, payloads.c.id == traces.c.id)
            .where(traces.c.project_id == self._project_id)
            .order_by(traces.c.id.desc())
            .limit(limit)
        )
        if before_ref is not None:
            statement = statement.where(traces.c.id < before_ref)
        return [(row.id, _whole(row)) for row in self._connection.execute(statement)]

    def list_unjudged(self, limit: int) -> tuple[list[tuple[int, Trace]], int]:
        """Whole traces without a judge's score that arrived after `mark_judged`, in order of arrival.

        Also the number up to which there are no others.
        """
        mark = select(counters.c.value).where(counters.c.name == f"judged-{self._project_id}")
        after = int(self._connection.execute(mark).scalar() or 0)
        statement = (
            select(traces, payloads.c.body)
            .join(payloads, payloads.c.id == traces.c.id)
            # Adding nothing keeps SQLite from reading the whole project by an index that begins with it.
            .where(traces.c.project_id + 0 == self._project_id)
            .where(traces.c.id > after)
            .where(traces.c.judge_score.is_(None))
            .order_by(traces.c.id)
            .limit(limit)
        )
        found = [(row.id, _whole(row)) for row in self._connection.execute(statement)]
        return found, found[-1][0] if len(found) == limit else self.last_number()

    def mark_judged(self, ref: int) -> None:
        """Take every trace up to this number as seen by the embedded judge."""
        upsert(self._connection, counters, [{"name": f"judged-{self._project_id}", "value": ref}])

    # --- frames: what a draw may pick

    def last_number(self) -> int:
        """The number of the last trace that arrived, 0 when none has. Stable inside `Ledger.archive`."""
        return int(self._connection.execute(_LAST_NUMBER).scalar() or 0)

    def count_unframed(self, window: Window, framed: Sequence[Frame]) -> dict[tuple[str], int]:
        """Traces that started in the window and are in none of these frames, by category, counted one by one."""
        first, last = day_of(window.start), day_of(window.end)
        statement = (
            select(traces.c.category, func.count())
            .where(traces.c.project_id == self._project_id)
            .where(traces.c.day.between(first, last))
            .where(traces.c.started_at >= window.start)
            .where(traces.c.started_at < window.end)
            .group_by(traces.c.category)
        )
        for frame in framed:
            statement = statement.where(
                or_(
                    traces.c.started_at < frame.window.start,
                    traces.c.started_at >= frame.window.end,
                    traces.c.id > frame.framed_to,
                )
            )
        return {(row[0],): row[1] for row in self._connection.execute(statement)}


def _said(item: NewTrace) -> tuple[Any, ...]:
    """What stands in the columns `_SAID`."""
    trace = item.trace
    return (
        micros(trace.started_at),
        None if trace.ended_at is None else micros(trace.ended_at),
        trace.name,
        trace.category or "",
        trace.user_id,
        trace.session_id,
        trace.model,
        trace.prompt_version,
        trace.release,
        msgspec.json.encode(trace.tags).decode() if trace.tags else None,
        trace.judge.score if trace.judge else None,
        trace.judge.name if trace.judge else None,
        item.content_hash,
    )


def _new_row(ref: int, day: int, item: NewTrace) -> TraceRow:
    trace = item.trace
    return TraceRow(
        ref=ref,
        day=day,
        trace_id=trace.id,
        started_at=trace.started_at,
        category=trace.category,
        user_id=trace.user_id,
        model=trace.model,
        prompt_version=trace.prompt_version,
        release=trace.release,
        judge_score=trace.judge.score if trace.judge else None,
        sample_key=item.sample_key,
        content_hash=item.content_hash,
    )


def _counted(rows: Iterable[TraceRow], n: int) -> list[tuple[int, int, tuple[str], int]]:
    return [(row.ref, row.hour, (row.category or "",), n) for row in rows]


def _whole(row: Row[Any]) -> Trace:
    body = unpack(row.body)
    judge = None if row.judge_score is None else JudgeScore(score=row.judge_score, name=row.judge_name)
    narrow = {
        "id": row.given_id or row.trace_id,
        "started_at": row.started_at,
        "ended_at": row.ended_at,
        "name": row.name,
        "category": row.category or None,
        "user_id": row.user_id,
        "session_id": row.session_id,
        "model": row.model,
        "prompt_version": row.prompt_version,
        "release": row.release,
        "tags": tuple(row.tags or ()),
        "judge": judge,
    }
    return msgspec.convert(narrow | body, Trace)
