"""Annotations, disputes and labels: rows that are only ever added; what was replaced is marked with the time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, func, literal, select, tuple_, update

from thumbwheel.domain.annotation import Annotation, Dispute, Label, Verdict
from thumbwheel.domain.queue import Purpose, QueueEntry
from thumbwheel.errors import NotHere
from thumbwheel.store.archive_tables import evidence
from thumbwheel.store.engine import EPOCH, UtcTime, insert_new
from thumbwheel.store.queue import entry_of
from thumbwheel.store.tables import annotation_rows, disputes, labels, quarantines, queue_entries

#: Where a page ended: the time and the id of its last row.
Place = tuple[datetime, str]

#: How many rows a stream reads at a time.
_STRIDE = 500


@dataclass(frozen=True, slots=True)
class Told:
    """What an annotator was told when they submitted: `label`, `dispute` or `waiting`, and the id of it."""

    outcome: str
    outcome_id: str | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """An annotation as stored."""

    annotation: Annotation
    #: The lease it was made under; its own id when it corrects another.
    lease_token: str
    told: Told
    #: When it was corrected or taken back.
    superseded_at: datetime | None


@dataclass(frozen=True, slots=True)
class Labelled:
    """What a label says of its trace, and the chance the trace had of being drawn."""

    trace_id: str
    failed: bool
    inclusion_probability: float


@dataclass(frozen=True, slots=True)
class OpenDispute:
    """A dispute nobody has decided, with the entry and the annotations it is about."""

    dispute: Dispute
    entry: QueueEntry
    annotations: Sequence[Annotation]


class Annotations:
    """The annotations, disputes and labels of one project."""

    def __init__(self, connection: Connection, project_id: int) -> None:
        self._connection = connection
        self._project_id = project_id

    # --- annotations

    def add(self, annotation: Annotation, lease_token: str, told: Told) -> None:
        """Keep an annotation, the lease it was made under, and what its annotator was told."""
        row = {
            "id": annotation.id,
            "project_id": self._project_id,
            "entry_id": annotation.entry_id,
            "annotator": annotation.annotator,
            "lease_token": lease_token,
            "at": annotation.at,
            "body": msgspec.to_builtins(annotation),
            "outcome": told.outcome,
            "outcome_id": told.outcome_id,
        }
        self._connection.execute(annotation_rows.insert(), row)

    def get(self, annotation_id: str) -> Kept:
        """One annotation, superseded or not.

        Raises:
            NotHere: there is no such annotation in this project.
        """
        row = self._connection.execute(self._annotations().where(annotation_rows.c.id == annotation_id)).one_or_none()
        if row is None:
            raise NotHere(f"There is no annotation {annotation_id!r} in this project.")
        return _kept(row)

    def list_for(self, entry_id: str) -> list[Annotation]:
        """The standing annotations of an entry, first made first."""
        return self._standing(annotation_rows.c.entry_id == entry_id)

    def list_by_entry(self, entry_ids: Sequence[str]) -> dict[str, list[Annotation]]:
        """The standing annotations of these entries, by entry, first made first."""
        found: dict[str, list[Annotation]] = {entry_id: [] for entry_id in entry_ids}
        for annotation in self._standing(annotation_rows.c.entry_id.in_(entry_ids)):
            found[annotation.entry_id].append(annotation)
        return found

    def list_kept(self, entry_id: str) -> list[Kept]:
        """Everything anybody said about an entry, superseded or not, first said first."""
        statement = self._annotations().where(annotation_rows.c.entry_id == entry_id)
        rows = self._connection.execute(statement.order_by(annotation_rows.c.at, annotation_rows.c.id))
        return [_kept(row) for row in rows]

    def list_for_trace(self, trace_id: str) -> list[Annotation]:
        """The standing annotations of a trace, first made first."""
        return self._standing(
            annotation_rows.c.entry_id.in_(
                select(queue_entries.c.id)
                .where(queue_entries.c.project_id == self._project_id)
                .where(queue_entries.c.trace_id == trace_id)
            )
        )

    def _standing(self, which: Any) -> list[Annotation]:
        statement = self._annotations().where(annotation_rows.c.superseded_at.is_(None)).where(which)
        rows = self._connection.execute(statement.order_by(annotation_rows.c.at, annotation_rows.c.id))
        return [_annotation(row) for row in rows]

    def list_recent(self, annotator: str, limit: int) -> list[Annotation]:
        """The last standing annotations of one annotator, newest first."""
        statement = self._annotations().where(annotation_rows.c.annotator == annotator)
        statement = statement.where(annotation_rows.c.superseded_at.is_(None))
        rows = self._connection.execute(
            statement.order_by(annotation_rows.c.at.desc(), annotation_rows.c.id.desc()).limit(limit)
        )
        return [_annotation(row) for row in rows]

    def count_since(self, annotator: str, since: datetime) -> int:
        """How many standing annotations one annotator made at or after a time."""
        statement = (
            select(func.count())
            .select_from(annotation_rows)
            .where(annotation_rows.c.project_id == self._project_id)
            .where(annotation_rows.c.annotator == annotator)
            .where(annotation_rows.c.at >= since)
            .where(annotation_rows.c.superseded_at.is_(None))
        )
        return int(self._connection.execute(statement).scalar_one())

    def list_doubled(self, since: datetime) -> list[Annotation]:
        """Standing annotations of the entries that two or more people judged, and last judged at or after a time."""
        doubled = (
            select(annotation_rows.c.entry_id)
            .where(annotation_rows.c.project_id == self._project_id)
            .where(annotation_rows.c.superseded_at.is_(None))
            .group_by(annotation_rows.c.entry_id)
            .having(func.count() > 1)
            .having(func.max(annotation_rows.c.at) >= literal(since, UtcTime))
        )
        return self._standing(annotation_rows.c.entry_id.in_(doubled))

    def list_annotators(self, since: datetime) -> list[str]:
        """Everybody who made an annotation at or after a time, by name."""
        statement = (
            select(annotation_rows.c.annotator).distinct().where(annotation_rows.c.project_id == self._project_id)
        )
        rows = self._connection.execute(
            statement.where(annotation_rows.c.at >= since).order_by(annotation_rows.c.annotator)
        )
        return list(rows.scalars())

    def supersede(self, annotation_id: str, now: datetime) -> bool:
        """Mark an annotation as replaced; False when it was already."""
        mine = (annotation_rows.c.project_id == self._project_id) & (annotation_rows.c.id == annotation_id)
        statement = update(annotation_rows).where(mine).where(annotation_rows.c.superseded_at.is_(None))
        return self._connection.execute(statement.values(superseded_at=now)).rowcount == 1

    def _annotations(self) -> Select[Any]:
        return select(annotation_rows).where(annotation_rows.c.project_id == self._project_id)

    # --- disputes

    def add_dispute(self, dispute: Dispute) -> None:
        """Keep a dispute, open; the same id again changes nothing."""
        row = {
            "id": dispute.id,
            "project_id": self._project_id,
            "entry_id": dispute.entry_id,
            "opened_at": dispute.opened_at,
            "body": msgspec.to_builtins(dispute),
        }
        insert_new(self._connection, disputes, [row])

    def get_dispute(self, dispute_id: str) -> Dispute:
        """One dispute, open or closed.

        Raises:
            NotHere: there is no such dispute in this project.
        """
        statement = select(disputes.c.body).where(disputes.c.project_id == self._project_id)
        body = self._connection.execute(statement.where(disputes.c.id == dispute_id)).scalar_one_or_none()
        if body is None:
            raise NotHere(f"There is no dispute {dispute_id!r} in this project.")
        return msgspec.convert(body, Dispute)

    def find_open(self, dispute_id: str) -> OpenDispute | None:
        """A dispute nobody has decided, or None when there is none with this id."""
        found = self._with_annotations(self._connection.execute(self._open().where(disputes.c.id == dispute_id)))
        return found[0] if found else None

    def list_disputes(self, limit: int, after: Place | None = None) -> list[OpenDispute]:
        """Disputes nobody has decided, first opened first, from behind `after`."""
        statement = self._open().limit(limit)
        if after is not None:
            here = tuple_(disputes.c.opened_at, disputes.c.id)
            statement = statement.where(here > tuple_(literal(after[0], UtcTime), literal(after[1])))
        return self._with_annotations(self._connection.execute(statement))

    def list_open_for(self, entry_id: str) -> list[str]:
        """Ids of the disputes about an entry that nobody has decided."""
        mine = (disputes.c.project_id == self._project_id) & (disputes.c.entry_id == entry_id)
        still = select(disputes.c.id).where(mine).where(disputes.c.closed_at.is_(None))
        return list(self._connection.execute(still.order_by(disputes.c.opened_at)).scalars())

    def close_disputes(self, entry_id: str, now: datetime) -> None:
        """Close what is open about an entry: it was decided, or an annotation was taken back."""
        mine = (disputes.c.project_id == self._project_id) & (disputes.c.entry_id == entry_id)
        still = mine & disputes.c.closed_at.is_(None)
        self._connection.execute(update(disputes).where(still).values(closed_at=now))

    def _open(self) -> Select[Any]:
        return (
            select(queue_entries, disputes.c.body.label("dispute"))
            .select_from(disputes)
            .join(queue_entries, queue_entries.c.id == disputes.c.entry_id)
            .where(disputes.c.project_id == self._project_id)
            .where(disputes.c.closed_at.is_(None))
            .order_by(disputes.c.opened_at, disputes.c.id)
        )

    def _with_annotations(self, rows: Any) -> list[OpenDispute]:
        found = [(msgspec.convert(row.dispute, Dispute), entry_of(row)) for row in rows]
        wanted = [annotation_id for dispute, _ in found for annotation_id in dispute.annotation_ids]
        statement = self._annotations().where(annotation_rows.c.id.in_(wanted))
        heard = {row.id: _annotation(row) for row in self._connection.execute(statement)} if wanted else {}
        return [OpenDispute(dispute, entry, [heard[id] for id in dispute.annotation_ids]) for dispute, entry in found]

    # --- labels

    def add_label(self, label: Label) -> None:
        """Keep a label, and mark the one it supersedes, which leaves quarantine; the same id again changes nothing."""
        row = {
            "id": label.id,
            "project_id": self._project_id,
            "entry_id": label.entry_id,
            "trace_id": label.trace_id,
            "verdict": label.verdict.value,
            "settled_at": label.settled_at,
            "body": msgspec.to_builtins(label),
        }
        insert_new(self._connection, labels, [row])
        if label.supersedes is not None:
            self.supersede_label(label.supersedes, label.settled_at)
            quarantined = (quarantines.c.project_id == self._project_id) & (quarantines.c.label_id == label.supersedes)
            still = quarantined & quarantines.c.closed_at.is_(None)
            judged = {"closed_at": label.settled_at, "closed_by": label.annotators[-1], "outcome": "judged"}
            self._connection.execute(update(quarantines).where(still).values(**judged))

    def supersede_label(self, label_id: str, now: datetime) -> None:
        """Mark a label as replaced or taken back; what it became is retired by whoever made that."""
        mine = (labels.c.project_id == self._project_id) & (labels.c.id == label_id)
        still = mine & labels.c.superseded_at.is_(None)
        self._connection.execute(update(labels).where(still).values(superseded_at=now))

    def find_label(self, trace_id: str) -> Label | None:
        """The label of a trace that stands and was settled last, or None."""
        statement = self._labels().where(labels.c.trace_id == trace_id)
        newest = statement.order_by(labels.c.settled_at.desc(), labels.c.id.desc()).limit(1)
        body = self._connection.execute(newest).scalar_one_or_none()
        return None if body is None else msgspec.convert(body, Label)

    def find_last_label(self, entry_id: str) -> tuple[Label, datetime | None] | None:
        """The label of an entry that stands, else its last one and when that was superseded; None when it had none."""
        statement = select(labels.c.body, labels.c.superseded_at).where(labels.c.project_id == self._project_id)
        statement = statement.where(labels.c.entry_id == entry_id)
        standing_first = (labels.c.superseded_at.is_not(None), labels.c.settled_at.desc(), labels.c.id.desc())
        newest = statement.order_by(*standing_first).limit(1)
        row = self._connection.execute(newest).one_or_none()
        return None if row is None else (msgspec.convert(row.body, Label), row.superseded_at)

    def list_every_label(self, entry_id: str) -> list[tuple[Label, datetime | None]]:
        """Every label an entry had and when it was superseded, first settled first."""
        statement = select(labels.c.body, labels.c.superseded_at).where(labels.c.project_id == self._project_id)
        rows = self._connection.execute(
            statement.where(labels.c.entry_id == entry_id).order_by(labels.c.settled_at, labels.c.id)
        )
        return [(msgspec.convert(row.body, Label), row.superseded_at) for row in rows]

    def list_labels(self, limit: int, after: Place | None = None) -> list[Label]:
        """Labels that stand, first settled first, from behind `after`."""
        statement = self._labels().order_by(labels.c.settled_at, labels.c.id).limit(limit)
        if after is not None:
            here = tuple_(labels.c.settled_at, labels.c.id)
            statement = statement.where(here > tuple_(literal(after[0], UtcTime), literal(after[1])))
        return [msgspec.convert(row.body, Label) for row in self._connection.execute(statement)]

    def list_labelled(self, since: datetime) -> list[Labelled]:
        """What the labels that stand since then say of their traces, oldest first."""
        rows = self._connection.execute(
            select(labels.c.trace_id, labels.c.verdict, queue_entries.c.inclusion_probability)
            .join(queue_entries, queue_entries.c.id == labels.c.entry_id)
            .where(labels.c.project_id == self._project_id)
            .where(labels.c.superseded_at.is_(None))
            .where(labels.c.settled_at >= since)
            .order_by(labels.c.settled_at, labels.c.id)
        )
        return [Labelled(row.trace_id, row.verdict == Verdict.failed, row.inclusion_probability) for row in rows]

    def list_labelled_cells(self, since: datetime) -> list[tuple[str, int, bool, float]]:
        """Labels that stand since then, of entries that were drawn: category, cell, failed, inclusion probability.

        The cell is the one the trace had when the frame closed over it; 0 when nothing was known.
        """
        known = (evidence.c.trace_ref == queue_entries.c.trace_ref) & (evidence.c.since == EPOCH)
        rows = self._connection.execute(
            select(queue_entries.c.category, evidence.c.cell, labels.c.verdict, queue_entries.c.inclusion_probability)
            .select_from(labels)
            .join(queue_entries, queue_entries.c.id == labels.c.entry_id)
            .outerjoin(evidence, known)
            .where(labels.c.project_id == self._project_id)
            .where(labels.c.superseded_at.is_(None))
            .where(labels.c.settled_at >= since)
            .where(queue_entries.c.purpose.in_([Purpose.label.value, Purpose.double.value]))
            .order_by(labels.c.settled_at, labels.c.id)
        )
        return [
            (category or "", cell or 0, verdict == Verdict.failed, chance) for category, cell, verdict, chance in rows
        ]

    def count_settled(self, since: datetime) -> tuple[datetime | None, int]:
        """When the first label since a time was settled, and how many were."""
        row = self._connection.execute(
            select(func.min(labels.c.settled_at), func.count())
            .where(labels.c.project_id == self._project_id)
            .where(labels.c.superseded_at.is_(None))
            .where(labels.c.settled_at >= since)
        ).one()
        return row[0], row[1]

    def stream_labels(self) -> Iterator[Label]:
        """Every label that stands, first settled first."""
        after: Place | None = None
        while page := self.list_labels(_STRIDE, after):
            yield from page
            after = (page[-1].settled_at, page[-1].id)

    def _labels(self) -> Select[Any]:
        standing = labels.c.superseded_at.is_(None)
        return select(labels.c.body).where(labels.c.project_id == self._project_id).where(standing)


def _annotation(row: Row[Any]) -> Annotation:
    return msgspec.convert(row.body, Annotation)


def _kept(row: Row[Any]) -> Kept:
    return Kept(_annotation(row), row.lease_token, Told(row.outcome, row.outcome_id), row.superseded_at)
