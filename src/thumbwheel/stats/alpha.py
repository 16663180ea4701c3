"""Agreement of any number of raters: Krippendorff's alpha, Fleiss' kappa, Gwet's AC1, plain agreement.

Every coefficient here is 1 - observed / expected disagreement, and each knows
only how many units show each rating pattern. A bootstrap draw over units is
another such list of numbers, so all draws are computed in one sweep.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from thumbwheel.stats import given
from thumbwheel.stats.given import Floats
from thumbwheel.stats.interval import Interval, none_seen_upper
from thumbwheel.stats.ratings import Ratings

Scale = Literal["nominal", "ordinal", "interval"]

#: Observed and expected disagreement of each draw, up to a factor they share.
Disagreement = tuple[Floats, Floats]

#: Numbers held in memory at once while draws are computed.
BATCH = 4_000_000

#: Expected disagreement below this share of the data's own counts as none: the draw met one value only.
NEGLIGIBLE = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Coefficient:
    """One agreement figure over many raters, or why there is none."""

    #: At most 1 (no disagreement); 0 is agreement by chance alone. None if undefined.
    value: float | None
    #: Percentile bootstrap over units; None if not asked for, or if resampling says nothing.
    interval: Interval | None
    #: Units judged by at least two raters, and the ratings on them.
    n_units: int
    n_ratings: int
    #: Why there is no value; None if there is one.
    undefined: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bootstrap:
    """How to resample units: by whose chance, how often, and to what (two-sided) level."""

    rng: np.random.Generator
    draws: int = 1000
    level: float = 0.95

    def __post_init__(self) -> None:
        given.positive(given.count(self.draws, "draws"), "draws")
        given.chance(self.level, "a level")


def krippendorff_alpha(
    ratings: Ratings, scale: Scale = "nominal", *, bootstrap: Bootstrap | None = None
) -> Coefficient:
    """Krippendorff's alpha, 1 - D_observed / D_expected (Krippendorff 2004), missing ratings allowed.

    Two values differ by 0 or 1 (nominal), by the square of their difference
    (interval), or by the square of the difference of their mid-ranks among all
    ratings (ordinal). Undefined if no unit was judged twice or only one value
    was ever used. Raises `OrderRequired` for ordinal words whose order was not
    stated, `NumbersRequired` for an interval scale of words.

    >>> from thumbwheel.stats.ratings import rate_units
    >>> round(krippendorff_alpha(rate_units([[1, 1], [1, 2], [2, 2], [3, 3]])).value, 6)
    0.666667
    """
    if scale == "ordinal" and not ratings.ordered:
        raise given.OrderRequired("an ordinal scale of words needs their order")
    paired = ratings.paired()
    if scale == "interval":
        paired.numbers()
    if np.count_nonzero(paired.counts.sum(axis=0)) < 2:
        return _undefined(paired, ONE_VALUE if len(paired.units) else UNPAIRED)
    if scale == "nominal":
        return _coefficient(paired, _nominal(paired), bootstrap)
    return _coefficient(paired, _ordinal(paired) if scale == "ordinal" else _interval(paired), bootstrap)


def fleiss_kappa(ratings: Ratings, *, bootstrap: Bootstrap | None = None) -> Coefficient:
    """Fleiss' kappa for units with equally many ratings (Fleiss 1971); undefined if their numbers differ.

    >>> from thumbwheel.stats.ratings import rate_units
    >>> round(fleiss_kappa(rate_units([[1, 1], [1, 2], [2, 2], [3, 3]])).value, 6)
    0.619048
    """
    sizes = ratings.per_unit
    if len(sizes) and sizes.min() != sizes.max():
        reason = f"units have {sizes.min():.0f} to {sizes.max():.0f} ratings; Fleiss' kappa needs equally many"
        return _undefined(ratings.paired(), reason)
    paired = ratings.paired()
    agreeing = _agreeing_pairs(paired)

    def disagreement(weights: Floats) -> Disagreement:
        used = weights @ paired.counts
        used = used / used.sum(axis=1, keepdims=True)
        return 1 - weights @ agreeing / weights.sum(axis=1), _apart(used)

    return _coefficient(paired, disagreement, bootstrap)


def gwet_ac1(ratings: Ratings, *, bootstrap: Bootstrap | None = None) -> Coefficient:
    """Gwet's AC1 for any number of raters (Gwet 2008); expected agreement is sum p(1-p) / (K-1).

    p is a value's mean share over units, those judged once included; K counts
    the values of the scale. Undefined if the scale has only one value.

    >>> from thumbwheel.stats.ratings import rate_units
    >>> round(gwet_ac1(rate_units([[1, 1], [1, 1], [1, 2], [1, 1]])).value, 6)
    0.68
    """
    paired = ratings.paired()
    if len(ratings.values) < 2 and len(paired.units):
        return _undefined(paired, ONE_VALUE)
    twice = ratings.per_unit >= 2
    agreeing = np.zeros(len(twice))
    agreeing[twice] = _agreeing_pairs(paired)

    def disagreement(weights: Floats) -> Disagreement:
        n_paired = np.maximum(weights @ twice.astype(np.float64), 1)
        shares = (weights / ratings.per_unit) @ ratings.counts / weights.sum(axis=1, keepdims=True)
        expected = 1 - _apart(shares) / (len(ratings.values) - 1)
        return 1 - weights @ agreeing / n_paired, np.where(weights @ twice, expected, 0)

    return _coefficient(paired, disagreement, bootstrap, resampled=ratings)


def percent_agreement(ratings: Ratings, *, bootstrap: Bootstrap | None = None) -> Coefficient:
    """Mean over units of the share of rater pairs that agree, without any correction for chance.

    >>> from thumbwheel.stats.ratings import rate_units
    >>> round(percent_agreement(rate_units([["a", "a", "b"], ["a", "a", None]])).value, 6)
    0.666667
    """
    paired = ratings.paired()
    agreeing = _agreeing_pairs(paired)

    def disagreement(weights: Floats) -> Disagreement:
        return 1 - weights @ agreeing / weights.sum(axis=1), np.ones(len(weights))

    return _coefficient(paired, disagreement, bootstrap)


UNPAIRED = "no unit was judged by two raters"
ONE_VALUE = "every rating has the same value, so agreement by chance is already complete"


def _undefined(paired: Ratings, reason: str) -> Coefficient:
    return Coefficient(value=None, interval=None, n_units=paired.n_units, n_ratings=paired.n_ratings, undefined=reason)


def _coefficient(
    paired: Ratings,
    disagreement: Callable[[Floats], Disagreement],
    bootstrap: Bootstrap | None,
    *,
    resampled: Ratings | None = None,
) -> Coefficient:
    """The value on the data, and its interval; `resampled` has the units to draw where not only paired ones count."""
    if not len(paired.units):
        return _undefined(paired, UNPAIRED)
    units = (resampled or paired).units
    observed, expected = disagreement(units[np.newaxis, :])
    if expected[0] <= 0:
        return _undefined(paired, ONE_VALUE)
    value = float(1 - observed[0] / expected[0])
    interval = None
    if bootstrap is not None and observed[0] == 0:
        # resampling units that all agree only ever finds agreement; at worst this share of them would not
        interval = Interval(1 - none_seen_upper(paired.n_units, bootstrap.level), 1.0)
    elif bootstrap is not None and len(units) > 1:
        batch = max(1, BATCH // max(len(units), len(paired.values)))
        found = _resampled(units, disagreement, bootstrap, batch=batch, floor=NEGLIGIBLE * float(expected[0]))
        interval = None if found is None else found.widened_to(value)
    return Coefficient(value=value, interval=interval, n_units=paired.n_units, n_ratings=paired.n_ratings)


def _resampled(
    units: Floats, disagreement: Callable[[Floats], Disagreement], how: Bootstrap, *, batch: int, floor: float
) -> Interval | None:
    """Percentile limits over the draws in which the coefficient is defined; None if those are under half."""
    values: list[Floats] = []
    for start in range(0, how.draws, batch):
        size = min(batch, how.draws - start)
        drawn = how.rng.multinomial(int(units.sum()), units / units.sum(), size=size).astype(np.float64)
        observed, expected = disagreement(drawn)
        defined = expected > floor
        values.append(1 - observed[defined] / expected[defined])
    found = np.concatenate(values)
    if 2 * len(found) < how.draws:
        return None
    low, high = np.quantile(found, [(1 - how.level) / 2, (1 + how.level) / 2])
    return Interval(float(low), float(high))


def _nominal(ratings: Ratings) -> Callable[[Floats], Disagreement]:
    sizes = ratings.per_unit
    apart = sizes * (1 - _agreeing_pairs(ratings))

    def disagreement(weights: Floats) -> Disagreement:
        used, n = weights @ ratings.counts, weights @ sizes
        return weights @ apart, (n * n - np.square(used).sum(axis=1)) / (n - 1)

    return disagreement


def _interval(ratings: Ratings) -> Callable[[Floats], Disagreement]:
    sizes, scores = ratings.per_unit, ratings.numbers()
    used = ratings.units @ ratings.counts
    # in units of their own spread: keeps large, close numbers from cancelling, and huge ones finite
    scores = scores / np.abs(scores).max()
    scores = scores - used @ scores / used.sum()
    scores = scores / np.sqrt(used @ np.square(scores) / used.sum())
    first, second = ratings.counts @ scores, ratings.counts @ np.square(scores)
    apart = np.where(_unanimous(ratings), 0.0, 2 * (sizes * second - np.square(first)) / (sizes - 1))

    def disagreement(weights: Floats) -> Disagreement:
        n = weights @ sizes
        return weights @ apart, 2 * (n * (weights @ second) - np.square(weights @ first)) / (n - 1)

    return disagreement


def _ordinal(ratings: Ratings) -> Callable[[Floats], Disagreement]:
    """Krippendorff's ordinal metric sums the ratings between two values: the difference of their mid-ranks."""
    sizes, split = ratings.per_unit, ~_unanimous(ratings)

    def disagreement(weights: Floats) -> Disagreement:
        used, n = weights @ ratings.counts, weights @ sizes
        ranks = np.cumsum(used, axis=1) - used / 2
        first, second = ranks @ ratings.counts.T, np.square(ranks) @ ratings.counts.T
        apart = np.where(split, 2 * (sizes * second - np.square(first)) / (sizes - 1), 0.0)
        sums, squares = (used * ranks).sum(axis=1), (used * np.square(ranks)).sum(axis=1)
        return (weights * apart).sum(axis=1), 2 * (n * squares - np.square(sums)) / (n - 1)

    return disagreement


def _agreeing_pairs(paired: Ratings) -> Floats:
    """Share of rater pairs that agree, for each pattern."""
    sizes = paired.per_unit
    same = np.asarray((paired.counts * paired.counts).sum(axis=1), dtype=np.float64).ravel()
    return np.asarray((same - sizes) / (sizes * (sizes - 1)), dtype=np.float64)


def _unanimous(ratings: Ratings) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.asarray(np.diff(ratings.counts.indptr) == 1)


def _apart(shares: Floats) -> Floats:
    """Chance that two picks from these shares differ: sum p (1 - p)."""
    return np.asarray((shares * (1 - shares)).sum(axis=1), dtype=np.float64)
