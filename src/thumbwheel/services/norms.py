"""What reading times are compared with: looked at anew by the clock, read when a reading time comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from thumbwheel.capture.implicit import norms_of
from thumbwheel.domain.signal import DwellNorm
from thumbwheel.ports import Now
from thumbwheel.store.ledger import Ledger
from thumbwheel.store.traces import day_of

#: How far back reading times count.
_DAYS: Final = 28
#: Times looked at: a quarter of a second's work, and no median changes by more.
_MOST: Final = 200_000


@dataclass(frozen=True, slots=True)
class Norms:
    """How long answers are usually read."""

    ledger: Ledger
    now: Now

    def refresh(self, project_id: int) -> Sequence[DwellNorm]:
        """Make the norms anew from the reading times of the last 28 days' traces, the newest 200,000 of them.

        Scores that were given by the norms before stay: each says by which norm it was made.
        """
        now = self.now()
        with self.ledger.read(project_id) as tx:
            times = tx.dwell.list_times(day_of(now) - _DAYS, day_of(now), _MOST)
        if not times:
            return []
        norms = norms_of(times, now)
        with self.ledger.begin(project_id) as tx:
            tx.dwell.set_norms(norms)
        return norms
