"""A settled label on its way into the store, held against the codebook as it is by then."""

from __future__ import annotations

from datetime import datetime

from thumbwheel.annotate.codebook import quarantines
from thumbwheel.domain.annotation import Label
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
