"""The five policies: the size each gives a trace, and its reason in words.

A size is fixed before the draw and never looks at the trace's key; within a policy the chance of a trace is
proportional to it. Drift, stratified and random give every trace they list size 1.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from thumbwheel.domain.queue import Policy
from thumbwheel.domain.signal import SignalKind
from thumbwheel.sample.lane import LaneId

#: Odds of failure are clipped to this: no negative trace is hopeless, none drowns the others.
NEGATIVE_SIZES: Final = (0.02, 4.0)

#: Size class j holds sizes in (LARGEST / 2^(j+1), LARGEST / 2^j]; the last one everything smaller.
LARGEST: Final = 4.0
LAST_CLASS: Final = 15
_LARGEST_EXPONENT: Final = math.frexp(LARGEST)[1]

_SAID: Final[Mapping[str, str]] = {
    SignalKind.user_edit: "edited by the user",
    SignalKind.public_channel: "complained of in a public channel",
    SignalKind.implicit_copy_edit: "copied and edited by the user",
    SignalKind.user_rating: "thumbs-down",
    SignalKind.implicit_regenerate: "regenerated",
    SignalKind.implicit_clarification: "asked again",
    SignalKind.implicit_abandonment: "abandoned",
    SignalKind.implicit_dwell: "unusual reading time",
}


def negative_size(weights: Sequence[float], risk: float | None = None) -> float:
    """Size of a trace with negative signals: its odds of failure m / (1 - m), clipped to [0.02, 4].

    `weights` are those of its negative signals; none means that the trace is not eligible (0). `risk` is the model's
    probability of failure m; without a model the sum of the weights stands for the odds.
    """
    if not weights:
        return 0.0
    low, high = NEGATIVE_SIZES
    if risk is None:
        return min(max(math.fsum(weights), low), high)
    return high if risk >= 1.0 else min(max(risk / (1.0 - risk), low), high)


def uncertain_size(risk: float | None) -> float:
    """sqrt(m (1 - m)) of the probability of failure m: the best sizes for the variance of the difference estimator.

    0, not eligible, where nothing is known or nothing is unsure.
    """
    return 0.0 if risk is None or not 0.0 < risk < 1.0 else math.sqrt(risk * (1.0 - risk))


def class_of(size: float) -> int:
    """Size class of a size in (0, 4]: 0 holds (2, 4], 1 holds (1, 2], ... 15 everything up to 2^-13.

    Raises ValueError for a size outside (0, 4].
    """
    if not 0.0 < size <= LARGEST:
        raise ValueError(f"size {size} is not in (0, {LARGEST}]")
    mantissa, exponent = math.frexp(size)
    halvings = _LARGEST_EXPONENT - exponent
    return min(LAST_CLASS, halvings if mantissa == 0.5 else halvings - 1)


def class_upper(size_class: int) -> float:
    """Largest size in a class."""
    return math.ldexp(LARGEST, -size_class)


def sizes(
    category: str | None, *, negative: float = 0.0, uncertain: float = 0.0, alerts: Iterable[str] = ()
) -> dict[LaneId, float]:
    """Size of one trace in every lane that lists it, given the ids of the drift alerts whose slice it is in."""
    own = {LaneId(Policy.drift, alert): 1.0 for alert in alerts}
    weighted = {LaneId(Policy.negative): negative, LaneId(Policy.uncertain): uncertain}
    uniform = {LaneId(Policy.stratified, category or ""): 1.0, LaneId(Policy.random): 1.0}
    return {lane: size for lane, size in {**own, **weighted, **uniform}.items() if size > 0.0}


def negative_reason(kinds: Collection[str], *, reason: str | None = None, user_id: str | None = None) -> str:
    """Its negative signals, the strongest first: `thumbs-down, reason hallucination, by user …4f`."""
    said = [words for kind, words in _SAID.items() if kind in kinds]
    if reason:
        said.append(f"reason {reason}")
    by = [f"by user …{user_id[-2:]}"] if user_id else []
    return ", ".join([*(said or ["negative signal"]), *by])


def uncertain_reason(n_policy: int) -> str:
    """As in `one of 8 picked by how unsure it is`; which way the judge leans would bend who reads it."""
    return f"one of {n_policy} picked by how unsure it is"


def drift_reason(alert: str, fields: Mapping[str, str]) -> str:
    """As in `drift alert 'checkout': category billing`."""
    return f"drift alert '{alert}': " + ", ".join(f"{name} {value}" for name, value in fields.items())


def stratified_reason(n_lane: int, category: str | None) -> str:
    """As in `one of 4 from category travel`."""
    return f"one of {n_lane} " + (f"from category {category}" if category else "without a category")


def random_reason(rank: int, n_policy: int) -> str:
    """As in `uniform random pick 7 of 20`."""
    return f"uniform random pick {rank} of {n_policy}"
