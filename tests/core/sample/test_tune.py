"""The mix re-tuned: the reference posterior and split, floors and caps, and what yield leaves out."""

from datetime import date, timedelta

import pytest
from hypothesis import given, strategies

from thumbwheel.domain.queue import Policy
from thumbwheel.sample.mix import DEFAULT_MIX
from thumbwheel.sample.tune import CAPS, FLOORS, Turned, posterior, propose, shares_of

DAY = date(2026, 11, 20)
SHARES = {policy: share / 100 for policy, share in DEFAULT_MIX.items()}


def entries(policy: Policy, day: date, n_failed: int, n: int) -> list[Turned]:
    return [Turned(day=day, picked_by=(policy,), failed=at < n_failed, modes=("m",)) for at in range(n)]


def test_reference_posterior_of_two_days() -> None:
    mine = [*entries(Policy.negative, DAY, 9, 24), *entries(Policy.negative, DAY + timedelta(days=1), 11, 24)]
    a, b = posterior(mine, DAY + timedelta(days=1))
    assert (a, b) == pytest.approx((22.73, 44.55), abs=0.005)


def test_without_labels_a_policy_is_worth_what_it_is_taken_for() -> None:
    assert posterior([], DAY) == pytest.approx((3, 17))
    proposal = propose([], SHARES, DAY)
    assert proposal.mix == pytest.approx({policy.value: share for policy, share in SHARES.items()})
    assert proposal.silent_share is proposal.silent_per_80 is None
    assert proposal.gain == proposal.gain_low == proposal.gain_high == pytest.approx(0)


def test_a_policy_that_converts_gets_more() -> None:
    turned = [*entries(Policy.negative, DAY, 20, 24), *entries(Policy.uncertain, DAY, 0, 8)]
    proposal = propose(turned, SHARES, DAY)
    assert proposal.mix["negative"] == pytest.approx(0.5)
    assert proposal.mix["uncertain"] < 0.06
    assert proposal.per_80_proposed > proposal.per_80
    assert proposal.modes_found == 1


def test_silent_failures_are_counted_beside_yield() -> None:
    turned = [
        Turned(day=DAY, picked_by=(Policy.random,), failed=True, silent=True),
        Turned(day=DAY, picked_by=(Policy.negative,), failed=True),
    ]
    assert propose(turned, SHARES, DAY).silent_share == 0.5


def test_the_gain_has_limits_that_hold_it_and_narrow_with_labels() -> None:
    few = propose(entries(Policy.negative, DAY, 10, 12), SHARES, DAY)
    many = propose(entries(Policy.negative, DAY, 1000, 1200), SHARES, DAY)
    for found in (few, many):
        assert found.gain_low < found.gain < found.gain_high
    assert many.gain_high - many.gain_low < few.gain_high - few.gain_low
    # By hand: theta ~ Beta(13, 19) for negative, Beta(3, 17) for the others; shares move to the cap of negative.
    moved = {row.policy: row.proposed - row.share for row in few.policies}
    means = {row.policy: row.conversion for row in few.policies}
    assert means[Policy.negative] == pytest.approx(13 / 32)
    assert few.gain == pytest.approx(80 * sum(moved[policy] * means[policy] for policy in Policy))
    variances = dict.fromkeys(Policy, 3 * 17 / (20**2 * 21)) | {Policy.negative: 13 * 19 / (32**2 * 33)}
    slack = 1.96 * 80 * sum(moved[policy] ** 2 * variances[policy] for policy in Policy) ** 0.5
    assert few.gain_high - few.gain == pytest.approx(slack)


def test_a_proposal_says_what_its_yield_costs_in_silent_failures() -> None:
    turned = [
        *entries(Policy.negative, DAY, 20, 24),
        *(Turned(day=DAY, picked_by=(Policy.random,), failed=True, modes=("n",), silent=True) for _ in range(4)),
        *entries(Policy.random, DAY, 0, 16),
    ]
    found = propose(turned, SHARES, DAY)
    assert found.gain > 0
    assert found.silent_per_80 is not None
    assert found.silent_per_80_proposed is not None
    assert found.silent_per_80_proposed < found.silent_per_80 < found.per_80
    rows = {row.policy: row for row in found.policies}
    assert (rows[Policy.random].n_silent, rows[Policy.random].n_modes) == (4, 1)
    assert rows[Policy.negative].bound == "cap"
    assert found.modes == {"m": 20, "n": 4}


@given(strategies.lists(strategies.floats(0.001, 1), min_size=5, max_size=5))
def test_shares_sum_to_one_within_floors_and_caps(rates: list[float]) -> None:
    found = shares_of(dict(zip(Policy, rates, strict=True)))
    assert sum(found.values()) == pytest.approx(1)
    for policy, share in found.items():
        assert FLOORS[policy] - 1e-9 <= share <= CAPS[policy] + 1e-9
