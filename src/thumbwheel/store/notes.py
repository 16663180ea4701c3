"""Notes of open coding, and how the owner has sorted them so far."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import msgspec
from sqlalchemy import Connection, delete, literal, or_, select, update

from thumbwheel.domain.annotation import Annotation, Label, Verdict
from thumbwheel.domain.note import Grouping
from thumbwheel.store.engine import UtcTime, insert_new
from thumbwheel.store.queue import chunks
from thumbwheel.store.tables import annotation_rows, groupings, labels, waiting


class Notes:
    """The notes of one project. While there are no categories a failure is a verdict and a note."""

    def __init__(self, connection: Connection, project_id: int) -> None:
        self._connection = connection
        self._project_id = project_id

    def list_open_failures(self, until: datetime | None) -> list[Annotation]:
        """Failures without a category that stood at a time (now, when None), first made first.

        What was replaced later still stood then: a note stays a note when its trace is judged anew.
        """
        statement = select(annotation_rows.c.body).where(annotation_rows.c.project_id == self._project_id)
        replaced = annotation_rows.c.superseded_at
        if until is None:
            statement = statement.where(replaced.is_(None))
        else:
            then = literal(until, UtcTime)
            statement = statement.where(annotation_rows.c.at <= then).where(or_(replaced.is_(None), replaced >= then))
        rows = self._connection.execute(statement.order_by(annotation_rows.c.at, annotation_rows.c.id)).scalars()
        made = [msgspec.convert(body, Annotation) for body in rows]
        return [one for one in made if one.verdict is Verdict.failed and not one.categories]

    def list_open_labels(self, until: datetime) -> list[Label]:
        """Labels that stand, settled by a time, that say fail and name no category, first settled first."""
        rows = self._connection.execute(
            select(labels.c.body)
            .where(labels.c.project_id == self._project_id)
            .where(labels.c.superseded_at.is_(None))
            .where(labels.c.verdict == Verdict.failed.value)
            .where(labels.c.settled_at <= literal(until, UtcTime))
            .order_by(labels.c.settled_at, labels.c.id)
        ).scalars()
        return [label for label in (msgspec.convert(body, Label) for body in rows) if not label.categories]

    def find_waiting(self, entry_ids: Collection[str]) -> set[str]:
        """Those of these entries that wait for one more judgement."""
        found: set[str] = set()
        for chunk in chunks(sorted(entry_ids)):
            mine = select(waiting.c.entry_id).where(waiting.c.project_id == self._project_id)
            found |= set(self._connection.execute(mine.where(waiting.c.entry_id.in_(chunk))).scalars())
        return found

    # --- the grouping

    def find_grouping(self) -> tuple[int, Grouping] | None:
        """How the notes are sorted, and how often that was changed; None when nobody has."""
        mine = select(groupings.c.revision, groupings.c.body).where(groupings.c.project_id == self._project_id)
        row = self._connection.execute(mine).one_or_none()
        return None if row is None else (row.revision, msgspec.convert(row.body, Grouping))

    def put_grouping(self, grouping: Grouping, revision: int, by: str, now: datetime) -> bool:
        """Keep a grouping in place of the one with this revision (0: there is none); False when that has moved on."""
        row = {"revision": revision + 1, "at": now, "by": by, "body": msgspec.to_builtins(grouping)}
        if revision == 0:
            return insert_new(self._connection, groupings, [{"project_id": self._project_id} | row]) == 1
        mine = (groupings.c.project_id == self._project_id) & (groupings.c.revision == revision)
        return self._connection.execute(update(groupings).where(mine).values(**row)).rowcount == 1

    def drop_grouping(self) -> None:
        """Forget how the notes were sorted; the notes stay."""
        self._connection.execute(delete(groupings).where(groupings.c.project_id == self._project_id))
