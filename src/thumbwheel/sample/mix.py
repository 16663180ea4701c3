"""The mix: how a budget is split over policies, and a policy's quota over its lanes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

from thumbwheel.domain.queue import Policy
from thumbwheel.errors import Invalid
from thumbwheel.sample.lane import LaneId

#: Percent of the budget, where nobody says otherwise.
DEFAULT_MIX: Final[Mapping[Policy, float]] = {
    Policy.drift: 10.0,
    Policy.negative: 30.0,
    Policy.uncertain: 10.0,
    Policy.stratified: 25.0,
    Policy.random: 25.0,
}

#: Share of the budget that random never falls under, whatever the mix, the alerts and the backlog.
RANDOM_FLOOR: Final = 0.15


def shares(mix: Mapping[str, float]) -> dict[Policy, float]:
    """A mix as shares of the budget summing to 1; policies it leaves out get 0.

    Raises Invalid, naming the field, for a policy that does not exist, a share that is negative or not a number, or a
    mix of nothing.
    """
    known = {policy.value: policy for policy in Policy}
    for name, share in mix.items():
        if name not in known:
            raise Invalid(f"There is no policy {name!r}; the policies are {', '.join(known)}.", field=f"mix.{name}")
        if not (math.isfinite(share) and share >= 0):
            raise Invalid(f"The share of {name} must be a number that is not negative.", field=f"mix.{name}")
    total = sum(mix.values())
    if not 0 < total < math.inf:
        raise Invalid("A mix must give at least one policy a share.", field="mix")
    return {policy: mix.get(policy.value, 0.0) / total for policy in Policy}


def floor_of(budget: int) -> int:
    """Entries of a budget that are random's whatever happens: 15 %, rounded up."""
    return math.ceil(RANDOM_FLOOR * budget - 1e-9)


def split(mix: Mapping[str, float], budget: int) -> dict[Policy, int]:
    """The budget in whole entries per policy: largest remainders, with random never under its floor.

    Sums to the budget exactly. Raises Invalid for a mix that `shares` refuses or a budget that is not positive.
    """
    if budget < 1:
        raise Invalid("A draw needs a budget of at least one entry.", field="budget")
    return apportion(shares(mix), budget, floor_of(budget))


def apportion(weights: Mapping[Policy, float], total: int, floor: int) -> dict[Policy, int]:
    """`total` in whole numbers in proportion to the weights, with at least `floor` of it random.

    Needs floor <= total. Equal remainders go to the policy of higher priority. If only random has a weight, it gets
    everything.
    """
    given = _largest_remainder(weights, total)
    if given[Policy.random] >= floor:
        return given
    others: dict[Policy, float] = {policy: weight for policy, weight in weights.items() if policy is not Policy.random}
    return _largest_remainder(others, total - floor) | {Policy.random: floor}


def _largest_remainder(weights: Mapping[Policy, float], total: int) -> dict[Policy, int]:
    whole = math.fsum(weights.values())
    exact = {policy: total * weights.get(policy, 0.0) / whole for policy in Policy}
    given = {policy: int(share) for policy, share in exact.items()}
    by_remainder = sorted(Policy, key=lambda policy: given[policy] - exact[policy])
    for policy in by_remainder[: total - sum(given.values())]:
        given[policy] += 1
    return given


def strata(quota: int, categories: Sequence[str | None], rotation: int) -> dict[LaneId, int]:
    """Stratified's quota over the categories of the frame: equal, the remainder going round with `rotation`.

    `rotation` is the number of the draw: over consecutive draws the remainder falls on each category equally often,
    so the long tail is reached even when there are more categories than entries.
    """
    names = sorted({category or "" for category in categories})
    if not names:
        return {}
    each, rest = divmod(quota, len(names))
    first = rotation * rest % len(names)
    extra = {names[(first + step) % len(names)] for step in range(rest)}
    return {LaneId(Policy.stratified, name): each + (name in extra) for name in names}


def slices(quota: int, pulls: Mapping[str, int]) -> dict[LaneId, int]:
    """Drift's quota over the open alerts (id -> traces it asks for): none gets more than it asks, the rest equally."""
    given = dict.fromkeys(pulls, 0)
    open_ = [alert for alert, pull in pulls.items() if pull > 0]
    while quota > 0 and open_:
        for alert in open_[:quota]:
            given[alert] += 1
        quota -= min(quota, len(open_))
        open_ = [alert for alert in open_ if given[alert] < pulls[alert]]
    return {LaneId(Policy.drift, alert): n for alert, n in given.items()}
