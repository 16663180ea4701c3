"""The mix: a budget over policies, a quota over lanes."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thumbwheel.domain.queue import Policy
from thumbwheel.errors import Invalid
from thumbwheel.sample.lane import LaneId
from thumbwheel.sample.mix import DEFAULT_MIX, RANDOM_FLOOR, floor_of, shares, slices, split, strata

NAMES = [policy.value for policy in Policy]
mixes = st.dictionaries(st.sampled_from(NAMES), st.floats(0, 1e6), min_size=1).filter(lambda mix: sum(mix.values()) > 0)


def test_the_default_mix_of_eighty() -> None:
    assert split({policy.value: share for policy, share in DEFAULT_MIX.items()}, 80) == {
        Policy.drift: 8,
        Policy.negative: 24,
        Policy.uncertain: 8,
        Policy.stratified: 20,
        Policy.random: 20,
    }


@given(mixes, st.integers(1, 2000))
def test_the_budget_is_split_exactly_and_random_keeps_its_floor(mix: dict[str, float], budget: int) -> None:
    quotas = split(mix, budget)
    assert sum(quotas.values()) == budget
    assert all(quota >= 0 for quota in quotas.values())
    assert quotas[Policy.random] >= RANDOM_FLOOR * budget - 1e-6
    if shares(mix)[Policy.random] >= RANDOM_FLOOR + 1 / budget:
        assert all(abs(quotas[policy] - budget * share) < 1 for policy, share in shares(mix).items())


def test_a_mix_need_not_add_up_to_anything() -> None:
    assert split({"negative": 3, "random": 1}, 8) == split({"negative": 0.75, "random": 0.25}, 8)
    assert math.fsum(shares({"drift": 7, "random": 2}).values()) == pytest.approx(1)


def test_random_gets_its_floor_from_a_mix_that_forgot_it() -> None:
    assert split({"negative": 1}, 80) == {**dict.fromkeys(Policy, 0), Policy.negative: 68, Policy.random: 12}
    assert split({"negative": 1}, 1)[Policy.random] == 1


@pytest.mark.parametrize(("budget", "floor"), [(1, 1), (7, 2), (20, 3), (80, 12), (100, 15), (2000, 300)])
def test_the_floor_is_rounded_up(budget: int, floor: int) -> None:
    assert floor_of(budget) == floor


@pytest.mark.parametrize(
    ("mix", "field"),
    [
        ({"popular": 1.0}, "mix.popular"),
        ({"negative": -1.0, "random": 2.0}, "mix.negative"),
        ({"negative": math.nan}, "mix.negative"),
        ({"random": math.inf}, "mix.random"),
        ({"random": 1e308, "negative": 1e308}, "mix"),
        ({"random": 0.0}, "mix"),
        ({}, "mix"),
    ],
)
def test_a_mix_that_cannot_be_is_refused_by_field(mix: dict[str, float], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        split(mix, 80)
    assert refused.value.field == field


@pytest.mark.parametrize("budget", [0, -3])
def test_a_budget_of_nothing_is_refused(budget: int) -> None:
    with pytest.raises(Invalid, match="at least one entry") as refused:
        split({"random": 1.0}, budget)
    assert refused.value.field == "budget"


@given(st.integers(0, 60), st.sets(st.text(max_size=3), min_size=1, max_size=20), st.integers(0, 10**6))
def test_strata_are_equal_but_for_a_remainder(quota: int, categories: set[str], rotation: int) -> None:
    quotas = strata(quota, list(categories), rotation)
    assert sum(quotas.values()) == quota
    assert max(quotas.values()) - min(quotas.values()) <= 1
    assert {lane.part for lane in quotas} == categories


@pytest.mark.parametrize(("quota", "n"), [(5, 20), (7, 20), (13, 6), (3, 4)])
def test_the_remainder_comes_to_every_category_equally_often(quota: int, n: int) -> None:
    categories = [f"c{at:02}" for at in range(n)]
    given_: Counter[LaneId] = Counter()
    for rotation in range(n):
        given_.update(strata(quota, categories, rotation))
    assert set(given_.values()) == {quota}


def test_traces_without_a_category_are_a_stratum() -> None:
    assert strata(3, [None, "", "a"], 0) == {LaneId(Policy.stratified, ""): 2, LaneId(Policy.stratified, "a"): 1}
    assert strata(3, [], 0) == {}


@given(st.integers(0, 30), st.dictionaries(st.text(max_size=3), st.integers(0, 12), max_size=6))
def test_alerts_share_the_quota_and_none_gets_more_than_it_asks(quota: int, pulls: dict[str, int]) -> None:
    quotas = slices(quota, pulls)
    assert sum(quotas.values()) == min(quota, sum(pulls.values()))
    assert all(quotas[LaneId(Policy.drift, alert)] <= pull for alert, pull in pulls.items())
    short = [
        quotas[LaneId(Policy.drift, alert)]
        for alert, pull in pulls.items()
        if quotas[LaneId(Policy.drift, alert)] < pull
    ]
    assert not short or max(quotas.values()) - min(short) <= 1
