"""Limits for a rate, for a difference of rates and for a rate nobody has seen an instance of.

All levels are two-sided unless a name says otherwise: the upper limit of a
90 % interval is the one-sided 95 % upper limit.
"""

from dataclasses import dataclass
from math import ceil, hypot, log1p, sqrt

import numpy as np
import numpy.typing as npt
from scipy import special

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

    def shifted(self, by: float) -> "Estimate":
        """The same estimate of a quantity that is larger by a known constant."""
        return Estimate(self.point + by, Interval(self.interval.low + by, self.interval.high + by))


def normal_quantile(level: float) -> float:
    """Half-width, in standard errors, of a two-sided normal interval of this level (1.96 for .95)."""
    return float(special.ndtri((1 + given.chance(level, "a level")) / 2))


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


def clopper_pearson(k: int, n: int, level: float = 0.95) -> Interval:
    """Exact interval of the chance behind `k` in `n` (Clopper, Pearson 1934): never covers less than `level`.

    >>> found = clopper_pearson(2, 100)
    >>> round(found.low, 4), round(found.high, 4)
    (0.0024, 0.0704)
    """
    k, n = _successes(k, n)
    tail = (1 - given.chance(level, "a level")) / 2
    low = 0.0 if k == 0 else float(special.betaincinv(k, n - k + 1, tail))
    return Interval(low, _upper(k, n, tail))


def clopper_pearson_upper(k: int, n: int, level: float = 0.95) -> float:
    """One-sided exact upper limit of the chance behind `k` in `n`.

    >>> round(clopper_pearson_upper(2, 100), 6)
    0.061619
    """
    k, n = _successes(k, n)
    return _upper(k, n, 1 - given.chance(level, "a level"))


def none_seen_upper(n: float, level: float = 0.95) -> float:
    """Largest chance that would still leave `n` cases without one, with probability 1 - level: 1 - (1-level)^(1/n).

    `n` may be an effective size; with n = 0 the answer is 1.

    >>> round(none_seen_upper(59), 6)
    0.049508
    """
    n, level = given.not_negative(n, "n"), given.chance(level, "a level")
    return float(-np.expm1(log1p(-level) / n)) if n else 1.0


def cases_to_see_one(rate: float, level: float = 0.95) -> int:
    """Cases needed to meet at least one, with probability `level`, of what happens at this rate.

    The other way round: if that many cases show none, `none_seen_upper` is at or below the rate.

    >>> [cases_to_see_one(rate) for rate in (0.01, 0.02, 0.03, 0.05, 0.10)]
    [299, 149, 99, 59, 29]
    """
    rate, level = given.chance(rate, "a rate"), given.chance(level, "a level")
    return ceil(log1p(-level) / log1p(-rate))


def mover_sum(first: Estimate, second: Estimate) -> Estimate:
    """Sum of two independent estimates with limits from theirs (MOVER: Zou, Donner 2008).

    The distances from point to limit add as squares, each side for itself, so
    skewed intervals stay skewed. Youden's J is `mover_sum(tpr, tnr).shifted(-1)`.
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


def conditional_binomial(before: int, exposure_before: float, after: int, exposure_after: float) -> float:
    """Chance of at most `after` events in the second period if the rate had not fallen (one-sided p).

    Given the total, the events fall into the second period with probability
    exposure_after / (both), so p = P(Bin(before + after, that) <= after).

    >>> round(conditional_binomial(8, 80, 1, 60), 6)
    0.050345
    """
    before, after = given.count(before, "events before"), given.count(after, "events after")
    first = given.positive(exposure_before, "exposure before")
    second = given.positive(exposure_after, "exposure after")
    return float(special.bdtr(after, before + after, second / (first + second)))


def mcnemar_exact(b: int, c: int, *, one_sided: bool = False) -> float:
    """Exact p of `b` pairs that changed one way against `c` the other (McNemar 1947, binomial form).

    Two-sided by default; `one_sided` asks only whether `b` is too large. Without
    a changed pair there is nothing against "no change": 1.

    >>> round(mcnemar_exact(9, 2), 5)
    0.06543
    """
    b, c = given.count(b, "pairs"), given.count(c, "pairs")
    if one_sided:
        return float(special.bdtr(c, b + c, 0.5))
    return min(1.0, 2 * float(special.bdtr(min(b, c), b + c, 0.5)))


def _wilson_low(p: float, n: float, z: float) -> float:
    # the textbook form multiplied by its conjugate: no cancellation, exactly 0 at p = 0
    return 2 * n * p * p / (2 * n * p + z * z + z * sqrt(4 * n * p * (1 - p) + z * z))


def _successes(k: int, n: int) -> tuple[int, int]:
    k, n = given.count(k, "successes"), given.count(n, "n")
    if k > n:
        raise given.OutOfRange(f"{k} successes in {n} cases")
    return k, n


def _upper(k: int, n: int, tail: float) -> float:
    return 1.0 if k == n else float(special.betaincinv(k + 1, n - k, 1 - tail))
