"""The draw: who takes what, in which order, and what it says about it."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.sample.frames import Frame, Row, make_frame
from thumbwheel.domain.queue import Policy
from thumbwheel.errors import Conflict
from thumbwheel.sample.draw import Drawn, draw
from thumbwheel.sample.lane import Candidate, Lane, LaneId, Sizes, Tape, Threshold
from thumbwheel.sample.mix import floor_of, split
from thumbwheel.sample.ring import Arcs, Ring, covered, starts
from thumbwheel.sample.run import Run

RANDOM = LaneId(Policy.random)

frames = st.builds(
    make_frame,
    st.integers(0, 60),
    seed=st.integers(0, 10_000),
    categories=st.integers(1, 6),
    users=st.integers(0, 4),
    cap=st.sampled_from([1, 2, 3, None]),
    signals=st.sampled_from([0.0, 0.3, 1.0]),
    judged=st.sampled_from([0.0, 0.5, 1.0]),
    pulls=st.dictionaries(st.sampled_from(["a", "b"]), st.integers(0, 4)),
    quotas=st.builds(
        split,
        st.dictionaries(st.sampled_from([p.value for p in Policy]), st.floats(0.01, 1), min_size=1),
        st.integers(1, 40),
    ),
)


@dataclass(frozen=True, slots=True)
class Independent:
    """Given numbers, independent between policies: chances combine as 1 - product(1 - reach).

    For stated examples, which have one number for each policy.
    """

    #: Policy -> trace id -> R in (0, 1).
    positions: Mapping[Policy, Mapping[str, float]]

    def position(self, policy: Policy, candidate: Candidate) -> float:
        """The stated number."""
        return self.positions[policy][candidate.trace_id]

    def arcs(self, reaches: Mapping[Policy, float], earlier: Arcs) -> dict[int, float]:
        """One arc as long as the combined chance: all that a later independent draw needs of this one."""
        missed = 1.0 - covered(earlier)
        for reach in reaches.values():
            missed *= 1.0 - reach
        return {0: 1.0 - missed}


def reference() -> Drawn:
    """A queue of 6 over traces 0..9 with stated numbers, one independent number per policy."""
    users = "aabbcdefgh"
    numbers: dict[Policy, dict[int, float]] = {
        Policy.drift: {2: 0.40, 7: 0.20},
        Policy.negative: {0: 0.10, 1: 0.30, 2: 0.50, 5: 0.60},
        Policy.uncertain: dict(enumerate([0.80, 0.70, 0.60, 0.50, 0.40, 0.30, 0.20, 0.10, 0.90, 0.95])),
        Policy.stratified: {8: 0.35, 9: 0.15},
        Policy.random: dict(enumerate([0.55, 0.65, 0.75, 0.05, 0.25, 0.45, 0.85, 0.95, 0.15, 0.33])),
    }
    weights: dict[Policy, dict[int, float]] = {
        Policy.negative: {0: 4.0, 1: 4.0, 2: 2.0, 5: 2.0},
        Policy.uncertain: dict(enumerate([0.1, 0.1, 0.2, 0.5, 1.0, 1.0, 0.5, 0.2, 0.1, 0.1])),
    }

    def size(policy: Policy, trace: int) -> float:
        return weights.get(policy, {}).get(trace, 1.0)

    def lane(policy: Policy, quota: int) -> Lane:
        rows = [
            (number / size(policy, trace), Candidate(str(trace), 0, size(policy, trace), users[trace]))
            for trace, number in numbers[policy].items()
        ]
        cap = 1 if policy is Policy.negative else None
        return Lane(id=LaneId(policy), quota=quota, tape=Tape(sorted(rows)), per_user_cap=cap)

    def sizes_of(candidates: list[Candidate]) -> dict[str, Sizes]:
        return {
            one.trace_id: {
                LaneId(policy): size(policy, int(one.trace_id))
                for policy, row in numbers.items()
                if int(one.trace_id) in row
            }
            for one in candidates
        }

    quotas = dict(zip(Policy, [1, 2, 1, 1, 1], strict=True))
    stated = {policy: {str(trace): number for trace, number in row.items()} for policy, row in numbers.items()}
    lanes = [lane(policy, quota) for policy, quota in quotas.items()]
    return draw(lanes, quotas=quotas, chance=Independent(stated), sizes_of=sizes_of)  # type: ignore[arg-type]


def test_the_reference_queue_of_six() -> None:
    found = {pick.trace_id: (pick.policy.value, round(pick.probability, 12)) for pick in reference().picks}
    assert found == {
        "7": ("drift", 0.4756),
        "0": ("negative", 0.35495),
        "2": ("negative", 0.72032),
        "5": ("uncertain", 0.715),
        "9": ("stratified", 0.401025),
        "3": ("random", 0.2775),
    }


def test_policies_are_served_in_turns() -> None:
    policies = ["negative", "drift", "uncertain", "stratified", "random", "negative"]
    assert [pick.policy.value for pick in reference().picks] == policies
    assert [pick.serve_rank for pick in reference().picks] == [1, 2, 3, 4, 5, 6]


def test_every_prefix_of_the_serving_order_has_its_share_of_every_policy() -> None:
    picks = make_frame(
        3000, quotas=split({"drift": 1, "negative": 3, "uncertain": 1, "stratified": 3, "random": 2}, 80)
    )
    served = [pick.policy for pick in picks.draw(1).picks]
    total = Counter(served)
    for n in range(len(served)):
        for policy, count in Counter(served[:n]).items():
            assert abs(count - n * total[policy] / len(served)) <= 1.5


def test_served_by_priority_if_so_set() -> None:
    frame = make_frame()
    ring = Ring(starts(1))
    drawn = draw(frame.sorted_lanes(ring), quotas=frame.quotas, chance=ring, sizes_of=frame.sizes_of, interleave=False)
    order = list(Policy)
    places = [order.index(pick.policy) for pick in drawn.picks]
    assert places == sorted(places)


@given(frames, st.integers(0, 2**40))
def test_the_laws_of_a_draw(frame: Frame, seed: int) -> None:
    drawn = frame.draw(seed)
    budget = sum(frame.quotas.values())
    taken = [pick.trace_id for pick in drawn.picks]
    by_policy = Counter(pick.policy for pick in drawn.picks)
    assert len(taken) == len(set(taken)) == min(budget, len(frame.rows)), "all of the budget, no trace twice"
    assert by_policy[Policy.random] >= floor_of(budget) or len(taken) == len(frame.rows)
    assert all(by_policy[policy] <= frame.quotas[policy] for policy in list(Policy)[:-1])
    if frame.cap is not None:
        users = Counter(p.candidate.user_id for p in drawn.picks if p.policy is Policy.negative and p.candidate.user_id)
        assert all(n <= frame.cap for n in users.values())
    for pick in drawn.picks:
        assert 0 < pick.probability <= 1
        assert pick.picked_by[0] is pick.policy
        assert frame.by_id[pick.trace_id].sizes[pick.lane] == pick.size > 0
    for policy, n in by_policy.items():
        assert sorted(p.rank for p in drawn.picks if p.policy is policy) == list(range(1, n + 1))


@given(frames, st.integers(0, 2**40))
def test_the_same_seed_takes_the_same_however_the_lists_are_read(frame: Frame, seed: int) -> None:
    assert replace(frame.draw(seed), n_read=0) == replace(frame.draw(seed, streamed=True), n_read=0)


@given(frames, st.integers(0, 2**40))
def test_leaving_one_out_is_what_a_draw_without_it_does(frame: Frame, seed: int) -> None:
    ring = Ring(starts(seed))
    drawn = frame.draw(seed)
    run = Run(frame.sorted_lanes(ring), budget=sum(frame.quotas.values()), taken=frozenset())
    for row in frame.rows[:10]:
        rest = replace(frame, rows=[other for other in frame.rows if other is not row])
        lanes = [_quoted(rest, ring, lane) for lane in run.lanes]
        other = Run(lanes, budget=sum(frame.quotas.values()), taken=frozenset())
        thresholds, standby = run.without(row.trace_id)
        assert thresholds == other.thresholds()
        taken = {pick.trace_id for pick in drawn.picks}
        added = {one.trace_id for walk in other.walks for _, one in walk.picks} - taken
        assert added == ({standby} if row.trace_id in taken and standby else set())


def _quoted(frame: Frame, ring: Ring, lane: Lane) -> Lane:
    """The lane of a frame that lacks a trace, with the quota it has with it: quotas are fixed before the draw."""
    same = next((one for one in frame.sorted_lanes(ring) if one.id == lane.id), None)
    return replace(lane, tape=same.tape if same else Tape([]))


def test_another_seed_takes_others() -> None:
    frame = make_frame(500)
    assert len({frozenset(pick.trace_id for pick in frame.draw(seed).picks) for seed in range(10)}) == 10


def test_picked_by_holds_every_policy_that_would_have_taken_it() -> None:
    everything = Row(trace_id="t", key=5, negative=4.0, uncertain=0.5, alerts=("a",), category="c")
    frame = Frame([everything], quotas=dict.fromkeys(Policy, 1), pulls={"a": 1})
    (pick,) = frame.draw(1).picks
    assert pick.picked_by == tuple(Policy)
    assert pick.policy is Policy.drift
    assert pick.probability == 1.0
    assert pick.standby is None


def test_core_is_the_start_of_the_uniform_order_whoever_took_it() -> None:
    frame = make_frame(400)
    ring = Ring(starts(9))
    core = {pick.trace_id for pick in frame.draw(9).picks if pick.core}
    uniform = sorted(
        (ring.position(Policy.random, Candidate(row.trace_id, row.key)), row.trace_id) for row in frame.rows
    )
    assert core == {trace_id for _, trace_id in uniform[: len(core)]}
    assert len(core) >= frame.quotas[Policy.random]


def test_what_dry_policies_leave_goes_to_random_and_the_record_says_so() -> None:
    quotas = {Policy.drift: 3, Policy.negative: 5, Policy.uncertain: 4, Policy.stratified: 4, Policy.random: 4}
    drawn = make_frame(100, quotas=quotas, signals=0.0, judged=0.0, pulls={}).draw(1)
    assert Counter(pick.policy for pick in drawn.picks) == {Policy.stratified: 4, Policy.random: 16}
    assert drawn.shortfalls == {
        Policy.drift: "0 of 3: no open drift alert has a trace in the frame",
        Policy.negative: "0 of 5: no trace in the frame has a negative signal",
        Policy.uncertain: "0 of 4: no judge has looked at a trace of the frame",
    }


def test_one_user_who_owns_all_negatives_fills_the_cap_only() -> None:
    rows = [Row(trace_id=f"t{n}", key=n << 50, user_id="loud", negative=1.0) for n in range(50)]
    drawn = Frame(rows, quotas={Policy.negative: 10, Policy.random: 2}).draw(1)
    assert Counter(pick.policy for pick in drawn.picks) == {Policy.negative: 3, Policy.random: 9}
    assert drawn.shortfalls == {Policy.negative: "3 of 10: the cap of 3 per user held back 47"}


def test_a_bound_stops_the_search_among_a_capped_users_traces() -> None:
    rows = [(n / 100, Candidate(f"t{n}", 0, user_id="loud")) for n in range(100)]
    lane = Lane(id=LaneId(Policy.negative), quota=10, tape=Tape(rows), per_user_cap=3, bound=0.105)
    walk = lane.walk(10, ())
    assert len(walk.picks) == 3
    assert lane.tape.n_read == 12
    assert walk.threshold == Threshold(key=0.105, closed={"loud": 0.02})


def test_nobody_known_is_not_one_user() -> None:
    rows = [Row(trace_id=f"t{n}", key=n << 50, negative=1.0) for n in range(50)]
    drawn = Frame(rows, quotas={Policy.negative: 10, Policy.random: 2}).draw(1)
    assert Counter(pick.policy for pick in drawn.picks) == {Policy.negative: 10, Policy.random: 2}


def test_small_categories_are_named_in_the_record() -> None:
    rows = [Row(trace_id=f"t{n}", key=n << 50, category="big" if n else "tiny") for n in range(30)]
    drawn = Frame(rows, quotas={Policy.stratified: 6, Policy.random: 2}).draw(1)
    assert drawn.shortfalls == {Policy.stratified: "4 of 6: category tiny gave 1 of 3"}


def test_more_asked_for_than_there_is_takes_everything_with_certainty() -> None:
    frame = make_frame(9)
    drawn = frame.draw(4)
    assert {pick.trace_id for pick in drawn.picks} == set(frame.by_id)
    assert {pick.probability for pick in drawn.picks} == {1.0}


def test_an_empty_frame_gives_an_empty_draw() -> None:
    drawn = make_frame(0).draw(1)
    assert drawn.picks == ()
    assert drawn.shortfalls[Policy.random] == "0 of 3: the frame has no traces"


def test_each_of_twenty_skewed_categories_gets_its_share() -> None:
    rng = random.Random(2)
    names = [f"c{n}" for n in range(20)]
    weights = [0.7**n for n in range(20)]
    rows = [
        Row(trace_id=f"t{n}", key=rng.getrandbits(63), category=name)
        for n, name in enumerate([*names, *rng.choices(names, weights, k=4000)])
    ]
    drawn = Frame(rows, quotas={Policy.stratified: 20, Policy.random: 20}).draw(3)
    assert Counter(
        pick.candidate.category for pick in drawn.picks if pick.policy is Policy.stratified
    ) == dict.fromkeys(names, 1)


def test_a_trace_that_changed_under_the_draw_is_noticed() -> None:
    frame = make_frame(200)
    ring = Ring(starts(1))

    def later(candidates: list[Candidate]) -> dict[str, Sizes]:
        known = frame.sizes_of(candidates)
        return {trace_id: {**own, LaneId(Policy.negative): 3.9} for trace_id, own in known.items()}

    with pytest.raises(Conflict, match="changed while the frame was drawn"):
        draw(frame.sorted_lanes(ring), quotas=frame.quotas, chance=ring, sizes_of=later)  # type: ignore[arg-type]


def test_lanes_that_break_the_rules_are_refused() -> None:
    ring = Ring(starts(1))

    def run(lanes: list[Lane]) -> None:
        draw(lanes, quotas={Policy.negative: 2, Policy.random: 1}, chance=ring, sizes_of=lambda _: {})

    negative = Lane(id=LaneId(Policy.negative), quota=2, tape=Tape([]))
    uniform = Lane(id=RANDOM, quota=1, tape=Tape([]))
    with pytest.raises(ValueError, match="in order of priority"):
        run([uniform, negative])
    with pytest.raises(ValueError, match="in order of priority"):
        run([negative, negative, uniform])
    with pytest.raises(ValueError, match="more than the quota of negative"):
        run([replace(negative, quota=3), uniform])
    with pytest.raises(ValueError, match="takes nothing"):
        run([replace(negative, per_user_cap=0), uniform])
    with pytest.raises(ValueError, match="out of key order"):
        run([replace(negative, tape=Tape([(0.5, Candidate("a", 1)), (0.4, Candidate("b", 1))])), uniform])


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**40))
def test_rows_read_do_not_grow_with_the_frame(seed: int) -> None:
    quotas = split({"drift": 10, "negative": 30, "uncertain": 10, "stratified": 25, "random": 25}, 80)
    for frame in LARGE:
        frame.n_read.clear()
        assert len(replace(frame, quotas=quotas).draw(seed, streamed=True).picks) == 80
        assert sum(frame.n_read.values()) < 8 * 80


LARGE = [make_frame(n, users=n // 20, categories=8, signals=0.2, pulls={"a": 8}) for n in (1_500, 15_000)]


def test_eighty_of_twelve_thousand_with_their_chances_take_milliseconds() -> None:
    quotas = split({"drift": 10, "negative": 30, "uncertain": 10, "stratified": 25, "random": 25}, 80)
    frame = make_frame(12_000, quotas=quotas, users=500, categories=20, cap=3, signals=0.1)
    ring = Ring(starts(1))

    def once() -> float:
        lanes = frame.streamed_lanes(ring)
        begun = time.thread_time()
        draw(lanes, quotas=quotas, chance=ring, sizes_of=frame.sizes_of)
        return time.thread_time() - begun

    assert min(once() for _ in range(5)) < 0.05
