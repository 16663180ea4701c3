"""Scores as other tools' clients sent them, and the trace each is about once it is here."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, bindparam, delete, func, select

from thumbwheel.domain.document import column
from thumbwheel.domain.identity import id_key, is_usable
from thumbwheel.domain.score import Score
from thumbwheel.store.archive_tables import scores
from thumbwheel.store.engine import upsert


@dataclass(frozen=True, slots=True)
class StoredScore:
    """A score, and what it is linked to."""

    score: Score
    #: Number of the trace it is about; None while that has not come, or when it is about a session.
    trace_ref: int | None
    #: What it waits for; None when it waits for nothing.
    waits_for: str | None
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreFilter:
    """Which scores to list; None does not restrict."""

    trace_ref: int | None = None
    #: Key of a trace that has not come yet.
    waits_for: str | None = None
    session_id: str | None = None
    names: Sequence[str] | None = None
    family: str | None = None
    source: str | None = None
    start: datetime | None = None
    end: datetime | None = None


#: Made once: making it takes longer than running it, and every new trace asks.
_WAITING = (
    select(scores)
    .where(scores.c.project_id == bindparam("project_id"))
    .where(scores.c.waits_for.in_(bindparam("keys", expanding=True)))
)


class Scores:
    """The scores of one project."""

    def __init__(self, connection: Connection, project_id: int) -> None:
        self._connection = connection
        self._project_id = project_id

    def put_all(self, stored: Sequence[StoredScore]) -> None:
        """Keep scores, in place of earlier reports with their ids."""
        upsert(
            self._connection,
            scores,
            [
                {
                    "project_id": self._project_id,
                    "score_id": id_key(each.score.id),
                    "waits_for": each.waits_for,
                    "trace_ref": each.trace_ref,
                    "session_id": each.score.session_id,
                    "name": column(each.score.name) or "",
                    "source": each.score.source.value,
                    "family": each.score.family,
                    "at": each.score.at,
                    "received_at": each.received_at,
                    "body": each.score,
                }
                for each in stored
            ],
        )

    def find_many(self, score_ids: Collection[str]) -> dict[str, StoredScore]:
        """Scores by the key of their id."""
        keys = sorted({id_key(score_id) for score_id in score_ids if is_usable(score_id)})
        if not keys:
            return {}
        rows = self._connection.execute(self._all().where(scores.c.score_id.in_(keys)))
        return {row.score_id: _stored(row) for row in rows}

    def list_waiting(self, keys: Collection[str]) -> list[StoredScore]:
        """Scores that wait for one of these traces, spans or responses."""
        if not keys:
            return []
        given = {"project_id": self._project_id, "keys": sorted(keys)}
        return [_stored(row) for row in self._connection.execute(_WAITING, given)]

    def list_for(self, refs: Collection[int]) -> dict[int, list[Score]]:
        """Scores by the number of their trace, in time order."""
        found: dict[int, list[Score]] = {ref: [] for ref in refs}
        if not found:
            return found
        statement = self._all().where(scores.c.trace_ref.in_(list(refs))).order_by(scores.c.at, scores.c.score_id)
        for row in self._connection.execute(statement):
            found[row.trace_ref].append(_score(row.body))
        return found

    def list_page(self, only: ScoreFilter, limit: int, offset: int = 0) -> list[StoredScore]:
        """Scores, newest first."""
        statement = self._only(self._all(), only).order_by(scores.c.at.desc(), scores.c.score_id.desc())
        return [_stored(row) for row in self._connection.execute(statement.limit(limit).offset(offset))]

    def count(self, only: ScoreFilter) -> int:
        """How many scores there are."""
        statement = select(func.count()).select_from(scores).where(scores.c.project_id == self._project_id)
        return int(self._connection.execute(self._only(statement, only)).scalar_one())

    def count_names(self) -> list[tuple[str, str, str, int]]:
        """Name, family and source of the scores there are, with how many, the most frequent first."""
        n = func.count()
        statement = (
            select(scores.c.name, scores.c.family, scores.c.source, n)
            .where(scores.c.project_id == self._project_id)
            .group_by(scores.c.name, scores.c.family, scores.c.source)
            .order_by(n.desc(), scores.c.name, scores.c.family, scores.c.source)
        )
        return [(row[0], row[1], row[2], row[3]) for row in self._connection.execute(statement)]

    def count_waiting(self) -> int:
        """How many scores wait for what they are about."""
        statement = select(func.count()).select_from(scores).where(scores.c.project_id == self._project_id)
        return int(self._connection.execute(statement.where(scores.c.waits_for.is_not(None))).scalar_one())

    def remove(self, score_ids: Collection[str]) -> None:
        """Forget scores."""
        keys = sorted({id_key(score_id) for score_id in score_ids})
        self._connection.execute(
            delete(scores).where(scores.c.project_id == self._project_id).where(scores.c.score_id.in_(keys))
        )

    def _all(self) -> Any:
        return select(scores).where(scores.c.project_id == self._project_id)

    def _only(self, statement: Any, only: ScoreFilter) -> Any:
        equal = {
            scores.c.trace_ref: only.trace_ref,
            scores.c.waits_for: only.waits_for,
            scores.c.session_id: only.session_id,
            scores.c.family: only.family,
            scores.c.source: only.source,
        }
        for own, value in equal.items():
            if value is not None:
                statement = statement.where(own == value)
        if only.names is not None:
            statement = statement.where(scores.c.name.in_(list(only.names)))
        if only.start is not None:
            statement = statement.where(scores.c.at >= only.start)
        return statement if only.end is None else statement.where(scores.c.at < only.end)


def _score(body: Any) -> Score:
    return msgspec.convert(body, Score)


def _stored(row: Row[Any]) -> StoredScore:
    return StoredScore(_score(row.body), row.trace_ref, row.waits_for, row.received_at)
