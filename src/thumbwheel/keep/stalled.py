"""Entries that wait for a further reviewer although nobody is left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from thumbwheel.store.ledger import Tx

#: How far back somebody must have judged something to count among those an entry could go to.
_ACTIVE = timedelta(days=30)
#: Entries looked at, longest waiting first.
_LOOKED_AT = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Stalled:
    """Judged entries that wait for a further reviewer although nobody is left."""

    entry_ids: tuple[str, ...]
    #: Everybody who judged something lately.
    reviewers: tuple[str, ...]


def stalled(tx: Tx, now: datetime) -> Stalled:
    """Entries with a judgement that everybody who judged anything in thirty days has judged or skipped."""
    reviewers = set(tx.annotations.list_annotators(now - _ACTIVE))
    passed = tx.leases.list_passed(_LOOKED_AT)
    had = {
        entry_id: {one.annotator for one in judged} for entry_id, judged in tx.annotations.list_by_entry(passed).items()
    }
    waiting = [entry_id for entry_id in passed if had[entry_id]]
    for skip in tx.leases.list_skips(waiting):
        had[skip.entry_id].add(skip.annotator)
    return Stalled(
        entry_ids=tuple(entry_id for entry_id in waiting if had[entry_id] >= reviewers),
        reviewers=tuple(sorted(reviewers)),
    )
