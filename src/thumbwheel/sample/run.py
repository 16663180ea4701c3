"""All lanes walked once, and what each would have done without one trace."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from thumbwheel.domain.queue import Policy
from thumbwheel.errors import Conflict
from thumbwheel.sample.lane import Candidate, Lane, LaneId, Sizes, Threshold, Walk
from thumbwheel.sample.ring import Chance


class Run:
    """One walk of every lane in order: each passes over what an earlier lane took."""

    def __init__(self, lanes: Sequence[Lane], *, budget: int, taken: frozenset[str]) -> None:
        self.lanes = lanes
        self.walks: list[Walk] = []
        self._budget = budget
        self._drawn: list[int] = []
        self._before: list[frozenset[str]] = []
        self._lane_of: dict[str, int] = {}
        for at, lane in enumerate(lanes):
            self._drawn.append(len(self._lane_of))
            self._before.append(taken.union(self._lane_of))
            walk = lane.walk(self.quota(at), self._before[at])
            self.walks.append(walk)
            self._lane_of.update((candidate.trace_id, at) for _, candidate in walk.picks)

    def quota(self, at: int) -> int:
        """What a lane may take: its own quota, or for random whatever is left of the budget."""
        lane = self.lanes[at]
        return self._budget - self._drawn[at] if lane.id.policy is Policy.random else lane.quota

    def thresholds(self) -> dict[LaneId, Threshold]:
        """How far each lane went."""
        return {lane.id: walk.threshold for lane, walk in zip(self.lanes, self.walks, strict=True)}

    def without(self, trace_id: str) -> tuple[dict[LaneId, Threshold], str | None]:
        """Thresholds of a run without this trace, and the trace that run takes in its place (None: nothing).

        Only one trace is displaced at a time: a lane that can't have `gone` takes the next one instead, which a later
        lane may miss in turn. Lanes that had not taken `gone` walk as before. If a lane finds no other, random has one
        more to take.
        """
        thresholds = self.thresholds()
        gone: str | None = trace_id
        if trace_id not in self._lane_of:
            return thresholds, gone
        for at in range(self._lane_of[trace_id], len(self.lanes)):
            lane, walk = self.lanes[at], self.walks[at]
            freed = gone is None and lane.id.policy is Policy.random
            if freed or (gone is not None and self._lane_of.get(gone) == at):
                other = lane.walk(self.quota(at) + freed, self._before[at].union((trace_id, gone or trace_id)))
                thresholds[lane.id] = other.threshold
                gone = _added(other, walk)
        return thresholds, gone


def _added(other: Walk, walk: Walk) -> str | None:
    had = {candidate.trace_id for _, candidate in walk.picks}
    return next((candidate.trace_id for _, candidate in other.picks if candidate.trace_id not in had), None)


class Reach(NamedTuple):
    """How a trace stands to the thresholds of a run without it."""

    #: Lanes whose threshold its key is under, in order of priority: the first of them takes it.
    takers: tuple[LaneId, ...]
    #: Policy -> the largest R at which it takes the trace.
    farthest: dict[Policy, float]


def reach(candidate: Candidate, sizes: Sizes, thresholds: Mapping[LaneId, Threshold], chance: Chance) -> Reach:
    """Which lanes take a trace, and how far its key could move before each no longer did."""
    takers: list[LaneId] = []
    farthest: dict[Policy, float] = {}
    for lane, threshold in thresholds.items():
        size = sizes.get(lane, 0.0)
        if size <= 0.0:
            continue
        limit = threshold.limit(candidate.user_id)
        farthest[lane.policy] = max(farthest.get(lane.policy, 0.0), min(1.0, size * limit))
        if chance.position(lane.policy, candidate) / size < limit:
            takers.append(lane)
    return Reach(tuple(takers), farthest)


def agree(
    lane: LaneId, key: float, candidate: Candidate, sizes: Sizes, chance: Chance, takers: Sequence[LaneId]
) -> None:
    """Check that a pick's sizes are those its lists were made from; its chance would be wrong otherwise.

    Raises Conflict, naming the trace.
    """
    size = sizes.get(lane, 0.0)
    same = size > 0.0 and math.isclose(chance.position(lane.policy, candidate) / size, key, rel_tol=1e-9)
    if not same or list(takers[:1]) != [lane]:
        raise Conflict(f"Trace {candidate.trace_id} changed while the frame was drawn; draw again.")
