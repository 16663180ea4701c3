"""Why a draw, or a policy of it, gave fewer entries than it was asked for, in words for the draw's record."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from thumbwheel.domain.queue import Policy
from thumbwheel.sample.lane import Lane, Walk
from thumbwheel.sample.mix import RANDOM_FLOOR, floor_of
from thumbwheel.sample.run import Run

_NOTHING: Final[Mapping[Policy, str]] = {
    Policy.drift: "no open drift alert has a trace in the frame",
    Policy.negative: "no trace in the frame has a negative signal",
    Policy.uncertain: "no judge has looked at a trace of the frame",
    Policy.stratified: "the frame has no traces",
    Policy.random: "the frame has no traces",
}

#: Causes told in full before the rest are counted.
_TOLD: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """The traces of the window asked for that a frame does not have."""

    #: Those that are younger than the maturity.
    n_young: int
    #: Those that are in an earlier draw's frame.
    n_framed: int
    #: First and last day of which the project has traces at all; None when it has none.
    days: tuple[date, date] | None


def too_few(n: int, budget: int, missing: Missing, maturity: timedelta) -> str:
    """A frame of fewer traces than the budget: how many, where the others are, and how to get at them.

    >>> too_few(0, 80, Missing(n_young=1200, n_framed=0, days=None), timedelta(hours=24))
    '0 of 80: there is no new trace; 1,200 are younger than 24 h: take them in with --maturity 0h'
    """
    said = [f"the frame has {n:,} {'trace' if n == 1 else 'traces'}" if n else "there is no new trace"]
    if missing.n_young:
        age = f"{maturity / timedelta(hours=1):g} h"
        said.append(f"{_number(missing.n_young)} younger than {age}: take them in with --maturity 0h")
    if missing.n_framed:
        said.append(f"{_number(missing.n_framed)} in the frame of an earlier draw: take more of them with --again")
    if len(said) == 1 and not n:
        said.append(_elsewhere(missing.days))
    return f"{min(n, budget)} of {budget}: {'; '.join(said)}"


def _number(n: int) -> str:
    return f"{n:,} {'is' if n == 1 else 'are'}"


def _elsewhere(days: tuple[date, date] | None) -> str:
    if days is None:
        return "none has been sent to this project yet"
    return f"this project's are from {days[0]} to {days[1]}: choose a --window that reaches them"


def about_mix(mix: Mapping[str, float], given: Mapping[Policy, float], budget: int) -> str | None:
    """What became of a mix that could not be taken to the letter; None for one that was."""
    said = [_unlike_a_whole(mix, given), _under_the_floor(given, budget)]
    return "; ".join(each for each in said if each) or None


def _under_the_floor(given: Mapping[Policy, float], budget: int) -> str | None:
    if given[Policy.random] > RANDOM_FLOOR - 1e-9:
        return None
    return f"random keeps its floor of {RANDOM_FLOOR:.0%}, {floor_of(budget)} of {budget}, whatever a mix says"


def _unlike_a_whole(mix: Mapping[str, float], given: Mapping[Policy, float]) -> str | None:
    total = math.fsum(mix.values())
    if any(math.isclose(total, whole, rel_tol=5e-3) for whole in (1.0, 100.0)):
        return None
    taken = ", ".join(f"{policy.value} {share:.0%}" for policy, share in given.items() if share)
    return f"its shares add up to {total:g}, not to 100; taken in proportion they are {taken}"


def empty_slice(name: str, category: str | None, categories: Collection[str]) -> str:
    """Why an alert pulled nothing: its category is none of the frame's, or nothing is left in its slice."""
    if category is None or category in categories or not categories:
        return f"nothing is left in the slice of alert '{name}'"
    known = sorted(each or "unknown" for each in categories)
    more = f" and {len(known) - _TOLD} more" if len(known) > _TOLD else ""
    return f"alert '{name}' is about category {category}; the frame has {', '.join(known[:_TOLD])}{more}"


def shortfalls(run: Run, quotas: Mapping[Policy, int]) -> dict[Policy, str]:
    """Policies that gave less than their quota, each with one sentence."""
    return {policy: why for policy in Policy if (why := _why(run, policy, quotas.get(policy, 0)))}


def _why(run: Run, policy: Policy, quota: int) -> str | None:
    walked = [(lane, walk) for lane, walk in zip(run.lanes, run.walks, strict=True) if lane.id.policy is policy]
    got = sum(len(walk.picks) for _, walk in walked)
    if got >= quota:
        return None
    if not any(lane.tape.n_read for lane, _ in walked):
        return f"0 of {quota}: {_NOTHING[policy]}"
    causes = [_cause(lane, walk) for lane, walk in walked if len(walk.picks) < lane.quota]
    return f"{got} of {quota}: {_listed(causes) if causes else 'the open alerts ask for no more'}"


def _cause(lane: Lane, walk: Walk) -> str:
    if lane.id.policy is Policy.stratified:
        return f"category {lane.id.part or 'unknown'} gave {len(walk.picks)} of {lane.quota}"
    if walk.n_held_back:
        return f"the cap of {lane.per_user_cap} per user held back {walk.n_held_back}"
    return "every other eligible trace is already taken"


def _listed(causes: list[str]) -> str:
    told = list(dict.fromkeys(causes))
    return "; ".join(told[:_TOLD]) + (f"; and {len(told) - _TOLD} more" if len(told) > _TOLD else "")
