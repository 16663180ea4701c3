"""Fixes: what was changed in the application, and the labels each change answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, select, update

from thumbwheel.domain.annotation import Label, Verdict
from thumbwheel.domain.artifact import Fix
from thumbwheel.errors import Conflict, IdReused, NotHere
from thumbwheel.store.artifacts import Place
from thumbwheel.store.engine import insert_new
from thumbwheel.store.tables import fix_labels, fixes, labels


class Fixes:
    """The fixes of one project."""

    def __init__(self, connection: Connection, project_id: int) -> None:
        self._connection = connection
        self._project_id = project_id

    def add(self, fix: Fix) -> bool:
        """Keep a fix and credit it with its labels; whether it is new.

        Raises:
            IdReused: another fix has this id.
        """
        row = {
            "id": fix.id,
            "project_id": self._project_id,
            "created_at": fix.created_at,
            "shipped_at": fix.shipped_at,
            "body": msgspec.to_builtins(fix),
        }
        if not insert_new(self._connection, fixes, [row]):
            self._refuse_other(fix)
            return False
        credits = [{"fix_id": fix.id, "label_id": label_id} for label_id in fix.label_ids]
        if credits:
            self._connection.execute(fix_labels.insert(), credits)
        return True

    def _refuse_other(self, fix: Fix) -> None:
        kept = self.find(fix.id)
        if kept is None or replace(kept, created_at=fix.created_at, shipped_at=fix.shipped_at) != fix:
            raise IdReused(f"Another fix has the id {fix.id!r}.", field="id")

    def ship(self, fix_id: str, at: datetime) -> Fix:
        """Say when a fix reached users; its labels' golden rows guard from then on.

        Raises:
            NotHere: there is no such fix.
            Conflict: it shipped at another time.
        """
        fix = self.get(fix_id)
        if fix.shipped_at == at:
            return fix
        if fix.shipped_at is not None:
            raise Conflict(f"Fix {fix_id!r} shipped already, at {fix.shipped_at.isoformat()}.")
        self._connection.execute(update(fixes).where(fixes.c.id == fix_id).values(shipped_at=at))
        return replace(fix, shipped_at=at)

    def find(self, fix_id: str) -> Fix | None:
        """One fix, or None."""
        row = self._connection.execute(self._mine().where(fixes.c.id == fix_id)).one_or_none()
        return None if row is None else _fix(row)

    def get(self, fix_id: str) -> Fix:
        """One fix.

        Raises:
            NotHere: there is no such fix.
        """
        fix = self.find(fix_id)
        if fix is None:
            raise NotHere(f"There is no fix {fix_id!r} in this project.")
        return fix

    def list_page(self, limit: int, after: Place | None = None) -> list[Fix]:
        """Fixes, last added first."""
        statement = self._mine().order_by(fixes.c.created_at.desc(), fixes.c.id.desc()).limit(limit)
        if after is not None:
            at, last = after
            statement = statement.where((fixes.c.created_at < at) | ((fixes.c.created_at == at) & (fixes.c.id < last)))
        return [_fix(row) for row in self._connection.execute(statement)]

    def _mine(self) -> Select[Any]:
        return select(fixes).where(fixes.c.project_id == self._project_id)

    def carry(self, old_label_id: str, new_label_id: str) -> None:
        """Credit the fixes of a replaced label with the label that replaced it."""
        statement = select(fix_labels.c.fix_id).where(fix_labels.c.label_id == old_label_id)
        credited = self._connection.execute(statement).scalars().all()
        insert_new(self._connection, fix_labels, [{"fix_id": fix, "label_id": new_label_id} for fix in credited])

    def list_for(self, label_ids: Sequence[str]) -> list[Fix]:
        """Fixes credited with any of these labels, last added first."""
        credited = select(fix_labels.c.fix_id).where(fix_labels.c.label_id.in_(list(label_ids)))
        rows = self._connection.execute(
            self._mine().where(fixes.c.id.in_(credited)).order_by(fixes.c.created_at.desc())
        )
        return [_fix(row) for row in rows]

    # --- what a fix may answer

    def find_labels(self, label_ids: Iterable[str]) -> dict[str, Label]:
        """Live labels among these ids."""
        statement = self._live_labels().where(labels.c.id.in_(list(label_ids)))
        return {row.id: msgspec.convert(row.body, Label) for row in self._connection.execute(statement)}

    def list_unanswered(self) -> list[Label]:
        """Live failures that no fix answers yet, first settled first."""
        answered = select(fix_labels.c.fix_id).where(fix_labels.c.label_id == labels.c.id).exists()
        statement = self._live_labels().where(labels.c.verdict == Verdict.failed.value).where(~answered)
        rows = self._connection.execute(statement.order_by(labels.c.settled_at, labels.c.id))
        return [msgspec.convert(row.body, Label) for row in rows]

    def _live_labels(self) -> Select[Any]:
        return (
            select(labels.c.id, labels.c.body)
            .where(labels.c.project_id == self._project_id)
            .where(labels.c.superseded_at.is_(None))
        )


def _fix(row: Row[Any]) -> Fix:
    return replace(msgspec.convert(row.body, Fix), shipped_at=row.shipped_at)
