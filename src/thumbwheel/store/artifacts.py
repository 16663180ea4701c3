"""What labels became, and which outlet each went through."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Select, func, select, update

from thumbwheel.domain.annotation import Label
from thumbwheel.domain.artifact import Check, GoldenRow, GoldenStatus, PreferencePair
from thumbwheel.domain.queue import QueueEntry
from thumbwheel.domain.signal import Right
from thumbwheel.errors import NotHere
from thumbwheel.store.engine import insert_new
from thumbwheel.store.queue import entry_of
from thumbwheel.store.tables import artifacts, fix_labels, fixes, labels, queue_entries, routings

GOLDEN = "golden"
PREFERENCE = "preference"
COMPARISON = "comparison"

#: Where a page ended: the time and the id of its last row.
Place = tuple[datetime, str]
Artifact = GoldenRow | PreferencePair
_Kept = TypeVar("_Kept", GoldenRow, PreferencePair)

#: How many rows a stream reads at a time.
_STRIDE = 500


@dataclass(frozen=True, slots=True)
class Unrouted:
    """A live label that has not been through every outlet, and the entry it answers."""

    label: Label
    entry: QueueEntry
    #: Number of its trace.
    trace_ref: int


@dataclass(frozen=True, slots=True)
class Labelled:
    """A live label with the entry it answers."""

    label: Label
    entry: QueueEntry
    #: The right its corrected answer lacks for evaluation, once it has been routed.
    lacks: Right | None


@dataclass(frozen=True, slots=True)
class Routing:
    """One label's way through one outlet, and what it became there, if anything."""

    label: Label
    outlet: str
    artifact: Artifact | None
    #: The right that was missing, where the label therefore became nothing or less than it could.
    lacks: Right | None = None


class Artifacts:
    """The artifacts of one project."""

    def __init__(self, connection: Connection, project_id: int) -> None:
        self._connection = connection
        self._project_id = project_id

    # --- routing

    def list_unrouted(self, outlets: Sequence[str], limit: int) -> list[Unrouted]:
        """Live labels that have not been through all of these outlets, first settled first."""
        routed = (
            select(func.count())
            .where(routings.c.label_id == labels.c.id)
            .where(routings.c.outlet.in_(list(outlets)))
            .scalar_subquery()
        )
        rows = self._connection.execute(
            select(queue_entries, labels.c.body)
            .join(labels, labels.c.entry_id == queue_entries.c.id)
            .where(labels.c.project_id == self._project_id)
            .where(labels.c.superseded_at.is_(None))
            .where(routed < len(outlets))
            .order_by(labels.c.settled_at, labels.c.id)
            .limit(limit)
        )
        return [Unrouted(msgspec.convert(row.body, Label), entry_of(row), row.trace_ref) for row in rows]

    def stream_labelled(self) -> Iterator[Labelled]:
        """Every live label with its entry, first settled first."""
        after: Place | None = None
        while page := self._list_labelled(after):
            yield from page
            after = (page[-1].label.settled_at, page[-1].label.id)

    def _list_labelled(self, after: Place | None) -> list[Labelled]:
        routed = (routings.c.label_id == labels.c.id) & (routings.c.outlet == GOLDEN)
        statement = (
            select(queue_entries, labels.c.body, routings.c.lacks)
            .join(labels, labels.c.entry_id == queue_entries.c.id)
            .outerjoin(routings, routed)
            .where(labels.c.project_id == self._project_id)
            .where(labels.c.superseded_at.is_(None))
            .order_by(labels.c.settled_at, labels.c.id)
            .limit(_STRIDE)
        )
        if after is not None:
            at, last = after
            later = (labels.c.settled_at > at) | ((labels.c.settled_at == at) & (labels.c.id > last))
            statement = statement.where(later)
        return [_labelled(row) for row in self._connection.execute(statement)]

    def add(self, routing: Routing, now: datetime) -> bool:
        """Send one label through one outlet, with what it became; whether it had not been there before."""
        artifact = routing.artifact
        way = {
            "label_id": routing.label.id,
            "outlet": routing.outlet,
            "project_id": self._project_id,
            "artifact_id": artifact.id if artifact else None,
            "lacks": routing.lacks.value if routing.lacks else None,
            "at": now,
        }
        if not insert_new(self._connection, routings, [way]):
            return False
        if artifact is not None:
            self._add_artifact(routing.outlet, routing.label, artifact)
        return True

    def _add_artifact(self, outlet: str, label: Label, artifact: Artifact) -> None:
        row = {
            "id": artifact.id,
            "project_id": self._project_id,
            "outlet": outlet,
            "label_id": label.id,
            "trace_id": label.trace_id,
            "created_at": artifact.created_at,
            "body": msgspec.to_builtins(artifact),
        }
        insert_new(self._connection, artifacts, [row])

    def retire_superseded(self, now: datetime) -> int:
        """Retire what came of labels that have been replaced or taken back; how many that were."""
        gone = (
            select(labels.c.id)
            .where(labels.c.id == artifacts.c.label_id)
            .where(labels.c.superseded_at.is_not(None))
            .exists()
        )
        retired = self._connection.execute(
            update(artifacts)
            .where(artifacts.c.project_id == self._project_id)
            .where(artifacts.c.retired_at.is_(None))
            .where(gone)
            .values(retired_at=now)
        )
        return retired.rowcount

    # --- reading artifacts

    def list_golden(self, limit: int, after: Place | None = None) -> list[GoldenRow]:
        """Golden rows of live labels, oldest first; a row whose label a shipped fix answers is `guarding`."""
        return [_golden(row) for row in self._connection.execute(self._page([GOLDEN], limit, after))]

    def list_pairs(self, limit: int, after: Place | None = None) -> list[PreferencePair]:
        """Preference pairs of live labels, oldest first."""
        return [_pair(row) for row in self._connection.execute(self._page([PREFERENCE, COMPARISON], limit, after))]

    def stream_golden(self) -> Iterator[GoldenRow]:
        """Every golden row of a live label, oldest first."""
        return _stream(self.list_golden)

    def stream_pairs(self) -> Iterator[PreferencePair]:
        """Every preference pair of a live label, oldest first."""
        return _stream(self.list_pairs)

    def list_for_trace(self, trace_id: str) -> list[Artifact]:
        """What the live labels of one trace became, oldest first."""
        rows = self._connection.execute(self._live().where(artifacts.c.trace_id == trace_id))
        return [_golden(row) if row.outlet == GOLDEN else _pair(row) for row in rows]

    def get_golden(self, row_id: str) -> GoldenRow:
        """One golden row.

        Raises:
            NotHere: there is no live golden row with this id.
        """
        statement = self._live().where(artifacts.c.outlet == GOLDEN).where(artifacts.c.id == row_id)
        row = self._connection.execute(statement).one_or_none()
        if row is None:
            raise NotHere(f"There is no golden row {row_id!r} in this project.")
        return _golden(row)

    def set_check(self, row_id: str, check: Check) -> None:
        """Judge answers to this golden row by a check that a person chose."""
        self._connection.execute(
            update(artifacts)
            .where(artifacts.c.project_id == self._project_id)
            .where(artifacts.c.outlet == GOLDEN)
            .where(artifacts.c.id == row_id)
            .values(chosen_check=msgspec.to_builtins(check))
        )

    def carry_check(self, old_label_id: str, new_label_id: str) -> None:
        """Judge answers to the golden row of a label by the check a person chose for the label it affirms."""
        golden = (artifacts.c.project_id == self._project_id) & (artifacts.c.outlet == GOLDEN)
        before = select(artifacts.c.chosen_check).where(golden).where(artifacts.c.label_id == old_label_id)
        chosen = self._connection.execute(before.order_by(artifacts.c.created_at.desc()).limit(1)).scalar_one_or_none()
        if chosen is not None:
            mine = golden & (artifacts.c.label_id == new_label_id)
            self._connection.execute(update(artifacts).where(mine).values(chosen_check=chosen))

    def count_withheld(self, outlet: str) -> int:
        """How many live labels became nothing, or less, in this outlet because a right was missing."""
        statement = (
            select(func.count())
            .select_from(routings.join(labels, labels.c.id == routings.c.label_id))
            .where(routings.c.project_id == self._project_id)
            .where(routings.c.outlet == outlet)
            .where(routings.c.lacks.is_not(None))
            .where(labels.c.superseded_at.is_(None))
        )
        return int(self._connection.execute(statement).scalar_one())

    def _live(self) -> Select[Any]:
        return (
            select(artifacts, _answered(artifacts.c.label_id).label("answered"))
            .join(labels, labels.c.id == artifacts.c.label_id)
            .where(artifacts.c.project_id == self._project_id)
            .where(artifacts.c.retired_at.is_(None))
            .where(labels.c.superseded_at.is_(None))
            .order_by(artifacts.c.created_at, artifacts.c.id)
        )

    def _page(self, outlets: Sequence[str], limit: int, after: Place | None) -> Select[Any]:
        statement = self._live().where(artifacts.c.outlet.in_(list(outlets))).limit(limit)
        if after is None:
            return statement
        at, last = after
        return statement.where(
            (artifacts.c.created_at > at) | ((artifacts.c.created_at == at) & (artifacts.c.id > last))
        )


def _answered(label_id: ColumnElement[str]) -> ColumnElement[bool]:
    return (
        select(fix_labels.c.fix_id)
        .join(fixes, fixes.c.id == fix_labels.c.fix_id)
        .where(fix_labels.c.label_id == label_id)
        .where(fixes.c.shipped_at.is_not(None))
        .exists()
    )


def _stream(read: Callable[[int, Place | None], list[_Kept]]) -> Iterator[_Kept]:
    after: Place | None = None
    while rows := read(_STRIDE, after):
        yield from rows
        after = (rows[-1].created_at, rows[-1].id)


def _labelled(row: Row[Any]) -> Labelled:
    lacks = None if row.lacks is None else Right(row.lacks)
    return Labelled(msgspec.convert(row.body, Label), entry_of(row), lacks)


def _golden(row: Row[Any]) -> GoldenRow:
    made = msgspec.convert(row.body, GoldenRow)
    status = GoldenStatus.guarding if row.answered else GoldenStatus.open
    check = made.check if row.chosen_check is None else msgspec.convert(row.chosen_check, Check)
    return replace(made, status=status, check=check)


def _pair(row: Row[Any]) -> PreferencePair:
    return msgspec.convert(row.body, PreferencePair)
