"""History: everything people did with one trace, from the draw that picked it to the fixes that answer it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from thumbwheel.domain.annotation import Label
from thumbwheel.domain.artifact import Fix
from thumbwheel.domain.queue import QueueEntry, Waiting
from thumbwheel.store.annotations import Kept
from thumbwheel.store.leases import Skip
from thumbwheel.store.ledger import Ledger, Tx
from thumbwheel.store.spot_checks import Check

__all__ = ["EntryHistory", "History", "TraceHistory"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryHistory:
    """What became of one queue entry."""

    entry: QueueEntry
    #: Set while it waits for a judgement.
    waiting: Waiting | None
    #: Why it was dropped, if it was.
    dropped: str | None
    skips: Sequence[Skip]
    #: Everything anybody said, also what was corrected or taken back, first said first.
    annotations: Sequence[Kept]
    #: Every label it had and when each was replaced or set aside, first settled first.
    labels: Sequence[tuple[Label, datetime | None]]
    #: Ids of those that are in quarantine.
    quarantined: frozenset[str]
    #: Ids of disputes nobody has decided.
    disputes: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceHistory:
    """What people did with one trace."""

    entries: Sequence[EntryHistory]
    #: Fixes credited with any of its labels, last added first.
    fixes: Sequence[Fix]
    #: What owners said of its labels.
    checks: Sequence[Check]


@dataclass(frozen=True, slots=True)
class History:
    """Reads; writes nothing."""

    ledger: Ledger

    def of_trace(self, project_id: int, trace_id: str) -> TraceHistory:
        """What people did with a trace; nothing where it was never put before anybody."""
        with self.ledger.read(project_id) as tx:
            entries = [_entry(tx, entry) for entry in tx.queue.find_entries_for(trace_id)]
            label_ids = [label.id for each in entries for label, _ in each.labels]
            return TraceHistory(
                entries=entries,
                fixes=tx.fixes.list_for(label_ids),
                checks=tx.spot_checks.list_for(label_ids),
            )


def _entry(tx: Tx, entry: QueueEntry) -> EntryHistory:
    labels = tx.annotations.list_every_label(entry.id)
    return EntryHistory(
        entry=entry,
        waiting=tx.leases.find_waiting(entry.id),
        dropped=tx.queue.find_drop(entry.id),
        skips=tx.leases.list_skips([entry.id]),
        annotations=tx.annotations.list_kept(entry.id),
        labels=labels,
        quarantined=frozenset(label.id for label, gone_at in labels if gone_at and tx.quarantines.find(label.id)),
        disputes=tx.annotations.list_open_for(entry.id),
    )
