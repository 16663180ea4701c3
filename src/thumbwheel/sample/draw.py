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

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Final, NamedTuple, TypeAlias

from thumbwheel.domain.queue import Policy
from thumbwheel.sample.again import Earlier, Standing
from thumbwheel.sample.lane import Candidate, Lane, LaneId, Listed, Sizes, Threshold
from thumbwheel.sample.ring import Arcs, Chance, covered
from thumbwheel.sample.run import Run, agree, reach
from thumbwheel.sample.shortfall import shortfalls

#: Gives, for some candidates, the size of each in every lane of this draw. Asked once, for the picks only.
SizesOf: TypeAlias = Callable[[Sequence[Candidate]], Mapping[str, Sizes]]

#: Priority of the policies, 0 = first.
_ORDER: Final = {policy: place for place, policy in enumerate(Policy)}

_RANDOM: Final = LaneId(Policy.random)


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
    #: Chance that this draw, or an earlier one from the same frame, took the trace; in (0, 1].
    probability: float
    #: The arcs whose covered length is `probability`; a later draw from the same frame adds to them.
    arcs: Arcs
    #: The trace that would have been in the draw in its place; None if nothing was left.
    standby: str | None
    #: True when the uniform sample alone would have taken it, whichever policy did; never in a frame's later draws.
    core: bool = False
    #: Place in serving order, 1 = first.
    serve_rank: int = 0

    @property
    def trace_id(self) -> str:
        """The trace that was taken."""
        return self.candidate.trace_id

    @property
    def policy(self) -> Policy:
        """The policy that took it."""
        return self.lane.policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """What one draw took, and what must be kept of it."""

    #: In serving order.
    picks: tuple[Pick, ...]
    #: How far each lane went; for a trace that was not taken these are the thresholds of a run without it.
    thresholds: Mapping[LaneId, Threshold]
    #: Policies that gave less than their quota, each with why.
    shortfalls: Mapping[Policy, str]
    #: What each lane was asked for and what it gave; random's gift includes what the others left.
    lanes: Mapping[LaneId, tuple[int, int]]
    #: Picks of earlier draws with this draw's chance added: the probabilities of their entries are to be replaced.
    restated: tuple[Standing, ...]
    #: Rows read from all lists together.
    n_read: int

    @property
    def standing(self) -> tuple[Standing, ...]:
        """Every trace taken from the frame so far, for `again.keep`."""
        own = (Standing(candidate=pick.candidate, arcs=pick.arcs, standby=pick.standby) for pick in self.picks)
        return (*self.restated, *own)


def draw(
    lanes: Sequence[Lane],
    *,
    quotas: Mapping[Policy, int],
    chance: Chance,
    sizes_of: SizesOf,
    earlier: Earlier | None = None,
    interleave: bool = True,
) -> Drawn:
    """Take what the quotas ask for from the lanes, and stamp each pick with its exact chance.

    `quotas` sums to the budget; the lanes of a policy share its quota, and what no lane takes goes to random. Lists
    hold the whole frame in key order (what earlier draws took of it is passed over). The same lists, chance and quotas
    give the same result. Served interleaved, an hour that ends early has seen of every policy the same share.

    Raises ValueError where a caller breaks this: lanes out of priority order or asking for more than their policy's
    quota, or a cap below 1. Raises Conflict if a trace's sizes are not those its lists were made from.
    """
    run = Run(_ordered(lanes, quotas), budget=sum(quotas.values()), taken=_taken(earlier))
    candidates = [candidate for walk in run.walks for _, candidate in walk.picks]
    former = list(earlier.picks) if earlier else []
    sizes = sizes_of([*candidates, *(pick.candidate for pick in former)])
    before = earlier.arcs_of(candidates) if earlier else {}
    picks = [_stamp(place, run, sizes, chance, before) for place in _places(run)]
    if earlier is None:
        picks = [replace(pick, core=_is_core(pick, run, chance)) for pick in picks]
    return Drawn(
        picks=_served(picks, interleave),
        thresholds=run.thresholds(),
        shortfalls=shortfalls(run, quotas),
        lanes={lane.id: (lane.quota, len(walk.picks)) for lane, walk in zip(run.lanes, run.walks, strict=True)},
        restated=tuple(_restated(pick, run, sizes, chance) for pick in former),
        n_read=sum(lane.tape.n_read for lane in run.lanes),
    )


def _taken(earlier: Earlier | None) -> frozenset[str]:
    return frozenset(pick.candidate.trace_id for pick in earlier.picks) if earlier else frozenset()


def _ordered(lanes: Sequence[Lane], quotas: Mapping[Policy, int]) -> tuple[Lane, ...]:
    places = [_ORDER[lane.id.policy] for lane in lanes]
    if places != sorted(places) or len({lane.id for lane in lanes}) < len(lanes):
        raise ValueError("lanes must come once each, in order of priority")
    asked: Counter[Policy] = Counter()
    for lane in lanes:
        asked[lane.id.policy] += lane.quota
        if lane.per_user_cap is not None and lane.per_user_cap < 1:
            raise ValueError(f"a cap of {lane.per_user_cap} picks per user takes nothing")
    over = [policy.value for policy, n in asked.items() if n > quotas.get(policy, 0)]
    if over:
        raise ValueError(f"lanes ask for more than the quota of {', '.join(over)}")
    return tuple(lanes)


class _Place(NamedTuple):
    """A pick's place among those of its policy."""

    lane: int
    listed: Listed
    rank: int
    n_policy: int


def _places(run: Run) -> Iterator[_Place]:
    for policy in Policy:
        lanes = [at for at, lane in enumerate(run.lanes) if lane.id.policy is policy]
        turns = zip_longest(*([(at, listed) for listed in run.walks[at].picks] for at in lanes))
        picks = [pick for turn in turns for pick in turn if pick is not None]
        for rank, (at, listed) in enumerate(picks, start=1):
            yield _Place(at, listed, rank, len(picks))


def _stamp(place: _Place, run: Run, sizes: Mapping[str, Sizes], chance: Chance, before: Mapping[str, Arcs]) -> Pick:
    key, candidate = place.listed
    lane = run.lanes[place.lane].id
    own = sizes.get(candidate.trace_id, {})
    thresholds, standby = run.without(candidate.trace_id)
    stands = reach(candidate, own, thresholds, chance)
    agree(lane, key, candidate, own, chance, stands.takers)
    arcs = chance.arcs(stands.farthest, before.get(candidate.trace_id, {}))
    return Pick(
        candidate=candidate,
        lane=lane,
        picked_by=tuple(dict.fromkeys(taker.policy for taker in stands.takers)),
        key=key,
        size=own[lane],
        rank=place.rank,
        n_policy=place.n_policy,
        n_lane=len(run.walks[place.lane].picks),
        probability=covered(arcs),
        arcs=arcs,
        standby=standby,
    )


def _is_core(pick: Pick, run: Run, chance: Chance) -> bool:
    uniform = run.thresholds().get(_RANDOM)
    return uniform is not None and chance.position(Policy.random, pick.candidate) <= uniform.key


def _restated(pick: Standing, run: Run, sizes: Mapping[str, Sizes], chance: Chance) -> Standing:
    thresholds, standby = run.thresholds(), None
    if pick.standby is not None:
        thresholds, standby = run.without(pick.standby)
    own = sizes.get(pick.candidate.trace_id, {})
    arcs = chance.arcs(reach(pick.candidate, own, thresholds, chance).farthest, pick.arcs)
    return Standing(candidate=pick.candidate, arcs=arcs, standby=standby)


def _served(picks: Iterable[Pick], interleave: bool) -> tuple[Pick, ...]:
    def turn(pick: Pick) -> tuple[float, int, int]:
        within = (pick.rank - 0.5) / pick.n_policy if interleave else 0.0
        return within, _ORDER[pick.policy], pick.rank

    return tuple(replace(pick, serve_rank=at) for at, pick in enumerate(sorted(picks, key=turn), start=1))
