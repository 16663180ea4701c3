"""What is asked of a reviewer, and how fast one goes."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from thumbwheel.domain.trace import Trace
from thumbwheel.errors import Invalid

#: A longer pause between two annotations was not spent on the second.
PAUSE = timedelta(minutes=10)

_NAME = re.compile("[^\x00-\x1f\x7f\ud800-\udfff]{1,100}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One reviewer's day."""

    done: int
    #: Entries this reviewer may still be given, counted up to a day's worth for anybody.
    waiting: int
    #: Judgements asked of them a day; None when no number is.
    quota: int | None = None
    #: Annotations an hour at the pace of the last twenty, pauses left out; None before there is a pace.
    per_hour: float | None = None

    @property
    def left(self) -> int:
        """What is left of today: of the quota, where there is one and as much waits, else everything that waits."""
        return self.waiting if self.quota is None else min(max(self.quota - self.done, 0), self.waiting)

    @property
    def minutes_left(self) -> float | None:
        """How long `left` takes at this pace."""
        return None if not self.per_hour else 60 * self.left / self.per_hour


def check_annotator(name: str) -> None:
    """Refuse what is no name for an annotator. Raises `Invalid`."""
    if not _NAME.fullmatch(name) or name != name.strip():
        raise Invalid("an annotator has a name of 1 to 100 characters on one line", field="annotator")


def check_documents(documents: Collection[str], trace: Trace) -> None:
    """Refuse a verdict on a document the trace did not retrieve. Raises `Invalid` naming it."""
    known = {document.id for document in trace.documents}
    for id in documents:
        if id not in known:
            raise Invalid(f"the trace has no document {id[:64]!a}", field=f"documents.{id[:64]}")


def pace(times: Sequence[datetime]) -> float | None:
    """Annotations an hour, from their times, newest first; None before there is a pace.

    It is the median time between two in a row, so that one hard trace does not
    move it. Times at the same moment and pauses over `PAUSE` are left out.
    """
    gaps = [later - earlier for later, earlier in pairwise(times) if timedelta() < later - earlier <= PAUSE]
    return 3600 / median(gap.total_seconds() for gap in gaps) if gaps else None
