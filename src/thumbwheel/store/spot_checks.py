"""Spot checks: what an owner said of reviewers' labels, and the labels there are to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, select, update

from thumbwheel.domain.annotation import Label
from thumbwheel.store.engine import insert_new
from thumbwheel.store.tables import labels, spot_checks


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """An owner's word on one reviewer's label."""

    id: str
    label_id: str
    #: Whose label it was.
    annotator: str
    checked_by: str
    at: datetime
    agrees: bool


class SpotChecks:
    """The spot checks of one project."""

    def __init__(self, connection: Connection, project_id: int) -> None:
        self._connection = connection
        self._project_id = project_id

    def add(self, check: Check) -> None:
        """Keep a check in place of an earlier one of the same label and reviewer."""
        before = (spot_checks.c.label_id == check.label_id) & (spot_checks.c.annotator == check.annotator)
        self._supersede(before, check.at)
        insert_new(self._connection, spot_checks, [asdict(check) | {"project_id": self._project_id}])

    def take_back(self, check_id: str, now: datetime) -> bool:
        """Mark a check as taken back; False when it was already."""
        return self._supersede(spot_checks.c.id == check_id, now)

    def _supersede(self, which: Any, now: datetime) -> bool:
        mine = which & (spot_checks.c.project_id == self._project_id) & spot_checks.c.superseded_at.is_(None)
        return self._connection.execute(update(spot_checks).where(mine).values(superseded_at=now)).rowcount > 0

    def list_since(self, since: datetime) -> list[Check]:
        """Checks made at or after a time that stand, first made first."""
        rows = self._connection.execute(
            self._standing().where(spot_checks.c.at >= since).order_by(spot_checks.c.at, spot_checks.c.id)
        )
        return [_check(row) for row in rows]

    def list_for(self, label_ids: Sequence[str]) -> list[Check]:
        """Checks of these labels that stand, first made first."""
        rows = self._connection.execute(
            self._standing()
            .where(spot_checks.c.label_id.in_(list(label_ids)))
            .order_by(spot_checks.c.at, spot_checks.c.id)
        )
        return [_check(row) for row in rows]

    def find_last(self, owner: str) -> Check | None:
        """The last check somebody made that stands, or None."""
        mine = self._standing().where(spot_checks.c.checked_by == owner)
        row = self._connection.execute(
            mine.order_by(spot_checks.c.at.desc(), spot_checks.c.id.desc()).limit(1)
        ).one_or_none()
        return None if row is None else _check(row)

    def list_labels(self, start: datetime, end: datetime, unchecked_before: datetime) -> list[Label]:
        """Labels that stand and were settled in [start, end), but for those checked before a time."""
        checked = select(spot_checks.c.label_id).where(spot_checks.c.project_id == self._project_id)
        checked = checked.where(spot_checks.c.superseded_at.is_(None)).where(spot_checks.c.at < unchecked_before)
        rows = self._connection.execute(
            select(labels.c.body)
            .where(labels.c.project_id == self._project_id)
            .where(labels.c.superseded_at.is_(None))
            .where(labels.c.settled_at >= start)
            .where(labels.c.settled_at < end)
            .where(labels.c.id.not_in(checked))
            .order_by(labels.c.settled_at, labels.c.id)
        )
        return [msgspec.convert(row.body, Label) for row in rows]

    def _standing(self) -> Select[Any]:
        mine = spot_checks.c.project_id == self._project_id
        return select(spot_checks).where(mine).where(spot_checks.c.superseded_at.is_(None))


def _check(row: Row[Any]) -> Check:
    return Check(
        id=row.id,
        label_id=row.label_id,
        annotator=row.annotator,
        checked_by=row.checked_by,
        at=row.at,
        agrees=row.agrees,
    )
