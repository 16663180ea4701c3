"""Limits for a rate, for a difference of rates and for a rate nobody has seen an instance of.

All levels are two-sided: the upper limit of a 90 % interval is the one-sided
95 % upper limit.
"""

from dataclasses import dataclass
from math import hypot, log1p, sqrt
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from thumbwheel.stats import given


@dataclass(frozen=True, slots=True)
class Interval:
    """The values that the data leave plausible, both ends included.

    Raises `OutOfRange` if an end is not a number or the ends are crossed.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise given.OutOfRange(f"an interval runs from low to high, not from {self.low} to {self.high}")

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    @property
    def width(self) -> float:
        """Distance between the ends."""
        return self.high - self.low

    def widened_to(self, value: float) -> "Interval":
        """The smallest interval that holds this one and the value."""
        return Interval(min(self.low, value), max(self.high, value))

    def clipped(self, low: float, high: float) -> "Interval":
        """This interval with both ends brought into [low, high]."""
        return Interval(min(max(self.low, low), high), min(max(self.high, low), high))


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and the interval around it; the interval always holds the figure."""

    point: float
    interval: Interval

    def __post_init__(self) -> None:
        if self.point not in self.interval:
            raise given.OutOfRange(f"{self.point} lies outside its interval {self.interval}")


def normal_quantile(level: float) -> float:
    """Half-width, in standard errors, of a two-sided normal interval of this level (1.96 for .95)."""
    return NormalDist().inv_cdf((1 + given.chance(level, "a level")) / 2)


def wilson(p: float, n: float, level: float = 0.95) -> Interval:
    """Score interval of a share `p` seen in `n` cases (Wilson 1927); `n` may be an effective size.

    (p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n). With n = 0 nothing
    is known and the interval is [0, 1]. Raises `OutOfRange` for p outside [0, 1].

    >>> found = wilson_count(8, 140)
    >>> round(found.low, 6), round(found.high, 6)
    (0.029236, 0.108703)
    """
    p, n, z = given.share(p, "a share"), given.not_negative(n, "n"), normal_quantile(level)
    return Interval(_wilson_low(p, n, z), 1 - _wilson_low(1 - p, n, z)).widened_to(p)


def wilson_count(successes: int, n: int, level: float = 0.95) -> Interval:
    """`wilson` for `successes` in `n` cases. Raises `OutOfRange` if there are more successes than cases.

    >>> wilson_count(0, 0)
    Interval(low=0.0, high=1.0)
    """
    successes, n = _successes(successes, n)
    return wilson(successes / n if n else 0.0, n, level)


def kish_n(weights: npt.ArrayLike) -> float:
    """Number of equally weighted cases that tell as much as these: (sum w)^2 / sum w^2 (Kish 1965).

    Without weights, or with nothing but zeros, nothing is told: 0.

    >>> kish_n([1, 1, 4])
    2.0
    """
    row = given.floats(weights, "a weight", low=0.0)
    largest = row.max(initial=0.0)
    if largest == 0:
        return 0.0
    scaled = row / largest
    return float(scaled.sum() ** 2 / np.square(scaled).sum())


def none_seen_upper(n: float, level: float = 0.95) -> float:
    """Largest chance that would still leave `n` cases without one, with probability 1 - level: 1 - (1-level)^(1/n).

    `n` may be an effective size; with n = 0 the answer is 1.

    >>> round(none_seen_upper(59), 6)
    0.049508
    """
    n, level = given.not_negative(n, "n"), given.chance(level, "a level")
    return float(-np.expm1(log1p(-level) / n)) if n else 1.0


def mover_sum(first: Estimate, second: Estimate) -> Estimate:
    """Sum of two independent estimates with limits from theirs (MOVER: Zou, Donner 2008).

    The distances from point to limit add as squares, each side for itself, so
    skewed intervals stay skewed.
    """
    low = hypot(first.point - first.interval.low, second.point - second.interval.low)
    high = hypot(first.interval.high - first.point, second.interval.high - second.point)
    point = first.point + second.point
    return Estimate(point, Interval(point - low, point + high))


def mover_difference(first: Estimate, second: Estimate) -> Estimate:
    """`first` minus `second`, both independent, by the rule of `mover_sum`."""
    mirrored = Estimate(-second.point, Interval(-second.interval.high, -second.interval.low))
    return mover_sum(first, mirrored)


def newcombe(p_before: float, n_before: float, p_after: float, n_after: float, level: float = 0.95) -> Estimate:
    """Change of a share from before to after (Newcombe 1998, method 10: Wilson limits joined by MOVER).

    Sizes may be effective sizes. A fall is negative.

    >>> change = newcombe(8 / 80, 80, 1 / 60, 60)
    >>> round(change.point, 6), round(change.interval.low, 6), round(change.interval.high, 6)
    (-0.083333, -0.169539, 0.003356)
    """
    before = Estimate(p_before, wilson(p_before, n_before, level))
    after = Estimate(p_after, wilson(p_after, n_after, level))
    change = mover_difference(after, before)
    return Estimate(change.point, change.interval.clipped(-1, 1))


def _wilson_low(p: float, n: float, z: float) -> float:
    # the textbook form multiplied by its conjugate: no cancellation, exactly 0 at p = 0
    return 2 * n * p * p / (2 * n * p + z * z + z * sqrt(4 * n * p * (1 - p) + z * z))


def _successes(k: int, n: int) -> tuple[int, int]:
    k, n = given.count(k, "successes"), given.count(n, "n")
    if k > n:
        raise given.OutOfRange(f"{k} successes in {n} cases")
    return k, n
