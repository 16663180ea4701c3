"""Drawing a second time from one frame, with the chances of both draws combined.

A trace that the first draw did not take has its arcs from that draw's own thresholds; a later draw adds its arcs, and
the chance of being in either is the length of the union, because both are arcs for the same key.

A trace i that the first draw took needs the later draw as it would have been had i's key been elsewhere. Then the
first draw would have taken i's standby instead, so the later one could not: its thresholds for i are those of a run
without the standby, and i is in no list of it either way. What that run takes in the standby's place is i's standby
from then on. The chances of the first draw's picks are restated, since the estimator pools both draws as one sample.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from thumbwheel.domain.queue import Policy
from thumbwheel.sample.lane import Candidate, LaneId, Sizes, Threshold
from thumbwheel.sample.ring import Arcs, Ring, covered, union
from thumbwheel.sample.run import reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A trace that was taken from a frame, with its chance over all draws of the frame so far."""

    candidate: Candidate
    #: The arcs whose covered length is its chance.
    arcs: Arcs
    #: The trace the draws would hold in its place, had its key been elsewhere; None if nothing was left.
    standby: str | None

    @property
    def probability(self) -> float:
        """Chance that one of the draws so far took it, in (0, 1]."""
        return covered(self.arcs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """What the earlier draws of a frame left behind."""

    #: Every trace they took; none of them is in a later draw's lists.
    picks: Sequence[Standing]
    #: For traces they did not take: their arcs by those draws' own thresholds.
    arcs_of: Callable[[Sequence[Candidate]], Mapping[str, Arcs]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What is stored of a draw: enough to weigh the traces it did not take and to draw again from its frame.

    Users appear as marks, which name nobody: a draw's record outlives the erasure of a person.
    """

    starts: Mapping[Policy, int]
    #: Closed users by mark.
    thresholds: Mapping[LaneId, Threshold]
    #: Trace id -> its arcs and standby over all draws of the frame so far.
    picks: Mapping[str, tuple[Arcs, str | None]]

    def arcs(self, candidate: Candidate, sizes: Sizes) -> dict[int, float]:
        """Arcs of a trace that this draw did not take, given its sizes in this draw."""
        user = None if candidate.user_id is None else mark(self.starts, candidate.user_id)
        stands = reach(candidate._replace(user_id=user), sizes, self.thresholds, Ring(self.starts))
        return Ring(self.starts).arcs(stands.farthest, {})

    def probability(self, candidate: Candidate, sizes: Sizes) -> float:
        """Chance this draw alone had of taking a trace it did not take."""
        return covered(self.arcs(candidate, sizes))

    def to_json(self) -> dict[str, object]:
        """As JSON values; an infinite threshold is null."""
        return {
            "starts": {policy.value: start for policy, start in self.starts.items()},
            "lanes": [
                [lane.policy.value, lane.part, None if math.isinf(held.key) else held.key, dict(held.closed)]
                for lane, held in self.thresholds.items()
            ],
            "picks": {
                trace_id: {"arcs": [list(arc) for arc in arcs.items()], "standby": standby}
                for trace_id, (arcs, standby) in self.picks.items()
            },
        }

    @classmethod
    def of_json(cls, stored: Mapping[str, Any]) -> Kept:
        """Back from `to_json`."""
        return cls(
            starts={Policy(policy): int(start) for policy, start in stored["starts"].items()},
            thresholds={
                LaneId(Policy(policy), part): Threshold(key=math.inf if key is None else key, closed=closed)
                for policy, part, key, closed in stored["lanes"]
            },
            picks={
                trace_id: ({int(start): float(length) for start, length in pick["arcs"]}, pick["standby"])
                for trace_id, pick in stored["picks"].items()
            },
        )


def keep(ring: Ring, thresholds: Mapping[LaneId, Threshold], picks: Sequence[Standing]) -> Kept:
    """What to store of a draw; `picks` are its own and the restated ones of earlier draws."""
    return Kept(
        starts=ring.starts,
        thresholds={
            lane: Threshold(key=held.key, closed={mark(ring.starts, user): key for user, key in held.closed.items()})
            for lane, held in thresholds.items()
        },
        picks={pick.candidate.trace_id: (pick.arcs, pick.standby) for pick in picks},
    )


def earlier(
    draws: Sequence[Kept],
    picks: Mapping[str, Candidate],
    sizes_of: Sequence[Callable[[Sequence[Candidate]], Mapping[str, Sizes]]],
) -> Earlier:
    """Join the draws of a frame, oldest first, for the next one.

    `picks` are the traces they took, as far as they still exist. `sizes_of` gives, for each draw, the sizes traces had
    in it: feedback that came between two draws counts in the second only.
    """

    def arcs_of(candidates: Sequence[Candidate]) -> dict[str, Arcs]:
        joined: dict[str, Arcs] = {candidate.trace_id: {} for candidate in candidates}
        for kept, ask in zip(draws, sizes_of, strict=True):
            sizes = ask(candidates)
            for candidate in candidates:
                here = kept.arcs(candidate, sizes[candidate.trace_id])
                joined[candidate.trace_id] = union(joined[candidate.trace_id], here)
        return joined

    last = draws[-1].picks if draws else {}
    standing = [
        Standing(candidate=picks[trace_id], arcs=arcs, standby=standby)
        for trace_id, (arcs, standby) in last.items()
        if trace_id in picks
    ]
    return Earlier(picks=standing, arcs_of=arcs_of)


def chances_by_draw(draws: Sequence[Kept]) -> dict[str, list[float]]:
    """Of each trace that the draws of a frame took: its chance to be taken by each draw, oldest first, and by none before.

    Empty where two of them began at the same place: the later went on where the earlier stopped, and both are one sample.
    """
    begins = [start for kept in draws for start in set(kept.starts.values())]
    if len(set(begins)) < len(begins):
        return {}
    found: dict[str, list[float]] = {}
    for trace_id, (arcs, _) in draws[-1].picks.items():
        reached: dict[int, float] = {}
        totals = [0.0]
        for kept in draws:
            reached |= {start: arcs[start] for start in kept.starts.values() if start in arcs}
            totals.append(covered(reached))
        found[trace_id] = [now - before for before, now in pairwise(totals)]
    return found


def mark(starts: Mapping[Policy, int], user_id: str) -> str:
    """A user as this draw's record names them: a digest that differs from draw to draw."""
    key = starts[Policy.negative].to_bytes(8, "big")
    return hashlib.blake2b(user_id.encode("utf-8", "surrogatepass"), key=key, digest_size=8).hexdigest()
