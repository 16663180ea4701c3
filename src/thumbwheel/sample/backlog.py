"""A bounded queue: what reviewers can't get to in time is not drawn, and what overflows is dropped.

Quotas are lowered before a draw, because then every chance is still exact. What overflows or expires all the same is
dropped from the low end of each policy's ranking, and the entries that stay are weighted up by the share of their
policy that was labelled. Random's floor is never dropped: it is what every estimate stands on.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from thumbwheel.domain.queue import LATENCY_BUDGET, Policy
from thumbwheel.sample.mix import apportion, floor_of

#: Days of work before throughput is taken as measured.
_LEAST_DAYS: Final = timedelta(days=3)


def throughput(n_labels: int, first: datetime | None, now: datetime, window: timedelta) -> float | None:
    """Labels a day since the first one in the window; None, not measured, before three days of work."""
    if first is None or now - first < _LEAST_DAYS:
        return None
    return n_labels / (min(now - first, window) / timedelta(days=1))


def capacity(labels_per_day: float | None, latency: timedelta = LATENCY_BUDGET) -> int | None:
    """Entries that may wait at once: measured throughput times the latency budget. None, no bound, if not measured."""
    return None if labels_per_day is None else math.floor(labels_per_day * (latency / timedelta(days=1)))


def lowered(quotas: Mapping[Policy, int], room: int | None) -> dict[Policy, int]:
    """Quotas for a queue that has room for only so many more entries; unchanged if all fit.

    Every policy gives way in proportion, but random keeps the floor of the budget that was asked for, even in a full
    queue: a frame without uniform picks would have no estimate for ever.
    """
    budget = sum(quotas.values())
    if room is None or room >= budget:
        return dict(quotas)
    floor = min(floor_of(budget), quotas.get(Policy.random, 0))
    return apportion(quotas, max(room, floor), floor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An entry nobody has begun, as far as the backlog cares."""

    entry_id: str
    policy: Policy
    #: Place within its policy in its draw, 1 = first, and how many the policy had there.
    rank: int
    n_policy: int
    #: Random picks of its draw that are its floor: ranks up to this are kept.
    floor: int
    added_at: datetime

    @property
    def kept(self) -> bool:
        """True for an entry of random's floor."""
        return self.policy is Policy.random and self.rank <= self.floor


@dataclass(frozen=True, slots=True)
class Drop:
    """An entry that leaves the queue unlabelled, and why."""

    entry_id: str
    why: Literal["expired", "overflow"]


def trim(
    waiting: Sequence[Waiting], *, now: datetime, limit: int | None, latency: timedelta = LATENCY_BUDGET
) -> list[Drop]:
    """What a queue of at most `limit` entries drops: what waited longer than `latency`, then what does not fit.

    Overflow goes by place within the policy, (rank - 1/2) / n, largest first: so each policy loses the same share, its
    lowest-ranked first, and of two equal ones the older. Random's floor is kept whatever its age, even if the queue
    then holds more than the limit.
    """
    droppable = [entry for entry in waiting if not entry.kept]
    expired = {entry.entry_id for entry in droppable if now - entry.added_at > latency}
    over = 0 if limit is None else max(0, len(waiting) - len(expired) - limit)
    fresh = sorted((entry for entry in droppable if entry.entry_id not in expired), key=_first_to_go)
    return [*_drops(sorted(expired), "expired"), *_drops((entry.entry_id for entry in fresh[:over]), "overflow")]


def _first_to_go(entry: Waiting) -> tuple[float, datetime, str]:
    return -(entry.rank - 0.5) / entry.n_policy, entry.added_at, entry.entry_id


def _drops(entry_ids: Iterable[str], why: Literal["expired", "overflow"]) -> list[Drop]:
    return [Drop(entry_id, why) for entry_id in entry_ids]
