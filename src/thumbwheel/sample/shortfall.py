"""Why a policy gave fewer entries than its quota, in words for the draw's record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from thumbwheel.domain.queue import Policy
from thumbwheel.sample.lane import Lane, Walk
from thumbwheel.sample.run import Run

_NOTHING: Final[Mapping[Policy, str]] = {
    Policy.drift: "no open drift alert has a trace in the frame",
    Policy.negative: "no trace in the frame has a negative signal",
    Policy.uncertain: "no trace in the frame has an unsure judge",
    Policy.stratified: "the frame has no traces",
    Policy.random: "the frame has no traces",
}

#: Causes told in full before the rest are counted.
_TOLD: Final = 4


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
