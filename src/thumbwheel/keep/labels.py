"""A label on its way into the store, held against the codebook as it is by then; and its way back into the queue."""

from __future__ import annotations

from datetime import datetime

from thumbwheel.annotate.codebook import quarantines
from thumbwheel.domain.annotation import Label
from thumbwheel.domain.queue import Purpose, QueueEntry
from thumbwheel.store.ledger import Tx


def keep_label(tx: Tx, label: Label, now: datetime) -> None:
    """Keep a label; set it aside at once where the codebook was revised, in what it says, since it was judged."""
    tx.codebooks.hold()
    tx.annotations.add_label(label)
    current = tx.codebooks.find_current()
    if current is None or label.codebook_version in {0, current.version}:
        return
    if quarantines(tx.codebooks.get(label.codebook_version).codebook, current.codebook, label):
        tx.quarantines.add([label.id], current.version, now)


def judge_again(tx: Tx, entry: QueueEntry, now: datetime, *, passed_by: str = "") -> None:
    """Let an entry wait to be judged anew; what was said of it stays, and counts no more.

    `passed_by` is not asked first. The entry's label is the caller's to mark.
    """
    for annotation in tx.annotations.list_for(entry.id):
        tx.annotations.supersede(annotation.id, now)
    tx.leases.wait_again(entry, passed_by, Purpose.relabel)
