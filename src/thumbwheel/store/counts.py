"""How many traces started in each hour and each day, so that a frame is counted without looking at its traces.

Every counter carries an epoch: how far the newest frame had seen when its traces arrived. A trace that arrived after a
frame had closed is not in it, so the traces of an hour that are in no frame yet are the counters whose epoch is at
least the `framed_to` of the last frame over that hour. Closing a frame therefore changes no counter. Days are kept
beside hours, so that what a count costs grows neither with the traces nor much with the length of the window.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, Table, bindparam, func, select, text

from thumbwheel.store.engine import prefer_seeks, upsert
from thumbwheel.store.tables import draws

#: Hours of a day; counters of other lengths there are none.
DAY = 24

_FRAMED_TO = (
    select(draws.c.framed_to)
    .where(draws.c.project_id == bindparam("project_id"))
    .where(draws.c.again_of.is_(None))
    .where(draws.c.framed_to < bindparam("last"))
)
_EPOCHS = _FRAMED_TO.distinct().where(
    draws.c.framed_to
    >= select(func.coalesce(func.max(draws.c.framed_to), 0))
    .where(draws.c.project_id == bindparam("project_id"))
    .where(draws.c.again_of.is_(None))
    .where(draws.c.framed_to < bindparam("first"))
    .scalar_subquery()
)

_SUM = (
    "WITH piece (hours, first, last, epoch) AS (VALUES {values}) "
    "SELECT {key}, SUM({table}.n) FROM piece CROSS JOIN {table} "
    "WHERE {table}.project_id = {project_id} AND {table}.hours = piece.hours "
    "AND {table}.slot BETWEEN piece.first AND piece.last AND {table}.epoch >= piece.epoch "
    "GROUP BY {key}"
)


class Piece(NamedTuple):
    """Counters to add up: of spans so many hours long, from one slot to another, from some epoch on."""

    hours: int
    first: int
    #: The last slot, included.
    last: int
    epoch: int


def pieces(first: int, last: int, epoch: int) -> list[Piece]:
    """The hours from `first` to `last`, both included, in as few counters as there are: days, and what is left of them."""
    day, end = -(-first // DAY), (last + 1) // DAY
    if day >= end:
        found = [Piece(1, first, last, epoch)]
    else:
        found = [
            Piece(1, first, day * DAY - 1, epoch),
            Piece(DAY, day, end - 1, epoch),
            Piece(1, end * DAY, last, epoch),
        ]
    return [piece for piece in found if piece.first <= piece.last]


def list_epochs(connection: Connection, project_id: int, refs: Sequence[int]) -> dict[int, int]:
    """For each of these trace numbers how far the newest frame closed before it had seen; 0 before the first frame."""
    if not refs:
        return {}
    given = {"project_id": project_id, "first": min(refs), "last": max(refs)}
    closed = sorted(connection.execute(_EPOCHS, given).scalars())
    return {ref: closed[at - 1] if (at := bisect_left(closed, ref)) else 0 for ref in refs}


class Counts:
    """The counters of one project in one table; hours and days count from 1970 UTC."""

    def __init__(self, connection: Connection, project_id: int, table: Table) -> None:
        self._connection = connection
        self._project_id = project_id
        self._table = table
        self._key = [column.name for column in table.primary_key][4:]

    def add(self, changes: Iterable[tuple[int, int, tuple[str | int, ...], int]]) -> None:
        """Count more traces, or fewer: a trace's number, its hour, what it is counted by, and how many."""
        changes = list(changes)
        epochs = list_epochs(self._connection, self._project_id, [ref for ref, *_ in changes])
        counted: dict[tuple[int, int, int, tuple[str | int, ...]], int] = {}
        for ref, hour, key, n in changes:
            for slot in ((1, hour), (DAY, hour // DAY)):
                counted[*slot, epochs[ref], key] = counted.get((*slot, epochs[ref], key), 0) + n
        # In one order, so that two writers never wait for each other.
        rows = [
            {"project_id": self._project_id, "hours": hours, "slot": slot, "epoch": epoch}
            | dict(zip(self._key, key, strict=True))
            | {"n": n}
            for (hours, slot, epoch, key), n in sorted(counted.items())
            if n
        ]
        upsert(self._connection, self._table, rows, add=["n"])

    def prefer_seeks(self) -> None:
        """Say that the rest of this transaction reads a few rows of many."""
        prefer_seeks(self._connection)

    def sum(self, wanted: Sequence[Piece]) -> dict[tuple[str | int, ...], int]:
        """Traces in these counters, by what they are counted by; what there is none of is left out."""
        if not wanted:
            return {}
        # CROSS JOIN: SQLite then looks up each piece, where it would otherwise read the whole project.
        statement = _SUM.format(
            values=", ".join(f"({hours:d}, {first:d}, {last:d}, {epoch:d})" for hours, first, last, epoch in wanted),
            key=", ".join(f"{self._table.name}.{name}" for name in self._key),
            table=self._table.name,
            project_id=self._project_id,
        )
        return {tuple(key): int(n) for *key, n in self._connection.execute(text(statement)).all() if n}
