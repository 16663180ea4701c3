"""One draw: every lane takes its quota in priority order, and every pick gets the exact chance it had.

The rule. Lanes run in the order drift, negative, uncertain, stratified, random; each takes the smallest keys R / size
that no earlier lane took (bottom-k, or priority sampling: Duffield, Lund, Thorup 2007). What the others leave of the
budget goes to random.

The chance. Fix the numbers of every trace but i, and run the lanes WITHOUT i; tau_k is the key of lane k's last pick
in that run (infinity if it ran dry), lowered to the key at which i's user filled the cap. Now put i back. As long as
no lane has taken it, both runs agree: a trace that is read and passed over changes nothing. So lane k takes i if and
only if R_ki / w_ki < tau_k, and the draw takes i if and only if this holds for some k. All R_ki are distances of one
key from different starts on the ring, so for lane k that is an arc of length min(1, w_ki tau_k) from its start, and

    pi_i = length of the union of the arcs

because the key is uniform and independent of the others. Nothing is asked of how the policies depend on each other,
which is why one stored column may serve them all; and E[1{i picked} / pi_i | others] = 1 for any order, cap, dedupe
or leftover rule (Cohen 2015, arXiv 1509.07445; Ting, arXiv 1708.04970). A later draw from the same frame adds its
arcs to the union: see `thumbwheel.sample.again`. The run's own thresholds would not do: they depend on i's key. For
a trace that was not picked, the run without it is the run itself, and its own thresholds are the right ones.

Leaving one out is cheap. Without pick i its lane takes one other trace instead; a later lane that had taken that one
takes another in turn, and every lane not on this chain of displacements keeps its walk.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from thumbwheel.domain.queue import Policy
from thumbwheel.sample.lane import Candidate, Lane, LaneId, Listed, Sizes, Threshold, Walk
from thumbwheel.sample.ring import Arcs, Chance, covered

#: Gives, for some candidates, the size of each in every lane of this draw. Called once, with the picks only.
SizesOf: TypeAlias = Callable[[Sequence[Candidate]], Mapping[str, Sizes]]

_ORDER = {policy: place for place, policy in enumerate(Policy)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """One trace a draw took, and everything an entry is stamped with."""

    candidate: Candidate
    #: The lane that took it: the highest of those that would have.
    lane: LaneId
    #: Every policy whose arc holds the trace's key: each would have taken it, had no higher one. Priority order.
    picked_by: tuple[Policy, ...]
    #: R / size in its lane.
    key: float
    #: Size in its lane.
    size: float
    #: Place within its policy, 1 = first; the lanes of a policy take turns.
    rank: int
    #: Picks of its policy, and of its lane.
    n_policy: int
    n_lane: int
    #: Place in serving order, 1 = first.
    serve_rank: int
    #: Chance that this draw, or an earlier one from the same frame, took the trace; in (0, 1].
    probability: float
    #: True when the uniform sample alone would have taken it, whichever policy did. Never in a later draw of a frame.
    core: bool
    #: The arcs whose covered length is `probability`; a later draw from the same frame adds to them.
    arcs: Arcs
    #: The trace that would have been in the draw in its place; None if nothing was left.
    standby: str | None

    @property
    def trace_id(self) -> str:
        """The trace that was taken."""
        return self.candidate.trace_id

    @property
    def policy(self) -> Policy:
        """The policy that took it."""
        return self.lane.policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A pick of an earlier draw from the same frame, as a later draw needs it and leaves it."""

    candidate: Candidate
    #: As in `Pick`, over all draws so far.
    arcs: Arcs
    standby: str | None

    @property
    def probability(self) -> float:
        """Chance that one of the draws so far took it."""
        return covered(self.arcs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """What earlier draws from the same frame left behind."""

    #: Every trace they took: not in this draw's frame.
    picks: Sequence[Standing]
    #: The arcs those draws had for a trace they did not take, by their own thresholds.
    arcs_of: Callable[[Sequence[Candidate]], Mapping[str, Arcs]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """What one draw took, and what must be kept of it."""

    #: In serving order.
    picks: tuple[Pick, ...]
    #: How far each lane went in this run: for a trace that was not picked, its thresholds.
    thresholds: Mapping[LaneId, Threshold]
    #: Policies that gave less than their quota, each with why.
    shortfalls: Mapping[Policy, str]
    #: Earlier picks of the frame with this draw's chance added: their entries' probabilities are to be replaced.
    restated: tuple[Standing, ...] = ()
    #: Rows read from all lists together.
    n_read: int = 0


def draw(
    lanes: Sequence[Lane],
    *,
    quotas: Mapping[Policy, int],
    chance: Chance,
    sizes_of: SizesOf,
    earlier: Earlier | None = None,
) -> Drawn:
    """Take what the quotas ask for from the lanes, and stamp each pick with its exact chance."""
    raise NotImplementedError
