"""The backlog: what a queue with too little room asks for, and what it drops."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from thumbwheel.domain.queue import Policy
from thumbwheel.sample.backlog import Waiting, capacity, lowered, trim
from thumbwheel.sample.mix import floor_of, split

NOW = datetime(2026, 11, 23, tzinfo=UTC)
EIGHTY = split({"drift": 10, "negative": 30, "uncertain": 10, "stratified": 25, "random": 25}, 80)


def a_queue(quotas: dict[Policy, int], age: timedelta = timedelta(0)) -> list[Waiting]:
    floor = floor_of(sum(quotas.values()))
    return [
        Waiting(
            entry_id=f"{policy.value}-{rank}-{age.days}",
            policy=policy,
            rank=rank,
            n_policy=quota,
            floor=floor,
            added_at=NOW - age,
        )
        for policy, quota in quotas.items()
        for rank in range(1, quota + 1)
    ]


def test_capacity_is_throughput_times_the_latency_budget() -> None:
    assert capacity(12.5) == 87
    assert capacity(10, timedelta(hours=12)) == 5
    assert capacity(0) == 0
    assert capacity(None) is None


def test_quotas_that_fit_are_left_alone() -> None:
    assert lowered(EIGHTY, None) == lowered(EIGHTY, 80) == lowered(EIGHTY, 500) == EIGHTY


def test_quotas_give_way_in_proportion() -> None:
    assert lowered(EIGHTY, 40) == {
        Policy.drift: 4,
        Policy.negative: 11,
        Policy.uncertain: 4,
        Policy.stratified: 9,
        Policy.random: 12,
    }


@given(
    st.dictionaries(st.sampled_from([policy.value for policy in Policy]), st.floats(0.01, 1), min_size=1),
    st.integers(1, 200),
    st.integers(-50, 250),
)
def test_lowered_quotas_fit_the_room_and_keep_randoms_floor(mix: dict[str, float], budget: int, room: int) -> None:
    quotas = split(mix, budget)
    made = lowered(quotas, room)
    assert sum(made.values()) == min(budget, max(room, floor_of(budget)))
    assert made[Policy.random] >= floor_of(budget)
    assert all(0 <= made[policy] <= max(quotas[policy], floor_of(budget)) for policy in made)


def test_a_negative_only_draw_may_give_way_to_nothing() -> None:
    assert lowered({Policy.negative: 10}, -4) == dict.fromkeys(Policy, 0)


def test_overflow_takes_the_lowest_ranked_of_each_policy_in_proportion() -> None:
    drops = trim(a_queue(EIGHTY), now=NOW, limit=40)
    assert {drop.why for drop in drops} == {"overflow"}
    by_policy = Counter(drop.entry_id.split("-")[0] for drop in drops)
    assert sum(by_policy.values()) == 40
    assert by_policy["random"] == 8, "down to the floor of 12"
    gone = {drop.entry_id for drop in drops}
    for policy, quota in EIGHTY.items():
        kept = [rank for rank in range(1, quota + 1) if f"{policy.value}-{rank}-0" not in gone]
        assert kept == list(range(1, len(kept) + 1))
        assert policy is Policy.random or abs(len(kept) / quota - 28 / 60) < 0.1


def test_what_waited_too_long_expires_but_not_randoms_floor() -> None:
    drops = trim([*a_queue(EIGHTY, timedelta(days=8)), *a_queue(EIGHTY)], now=NOW, limit=None)
    assert len(drops) == 80 - 12
    assert {drop.why for drop in drops} == {"expired"}
    assert all(drop.entry_id.endswith("-8") for drop in drops)


def test_of_two_equal_ones_the_older_goes() -> None:
    old, new = a_queue({Policy.negative: 1}, timedelta(days=2)), a_queue({Policy.negative: 1})
    assert [drop.entry_id for drop in trim([*new, *old], now=NOW, limit=1)] == [old[0].entry_id]


@given(st.integers(0, 90), st.integers(0, 9))
def test_a_queue_is_never_longer_than_its_limit_but_for_the_floor(limit: int, days: int) -> None:
    waiting = a_queue(EIGHTY, timedelta(days=days))
    drops = {drop.entry_id for drop in trim(waiting, now=NOW, limit=limit)}
    left = [entry for entry in waiting if entry.entry_id not in drops]
    assert len(left) <= max(limit, 12)
    assert sum(entry.kept for entry in left) == 12
