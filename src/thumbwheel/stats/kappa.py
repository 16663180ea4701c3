"""Agreement of two raters: Cohen's kappa with an interval that holds at small n, and what it allows to say."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt
from typing import Literal

import numpy as np
import numpy.typing as npt

from thumbwheel.stats import given
from thumbwheel.stats.given import Floats, Ints
from thumbwheel.stats.interval import Interval, normal_quantile
from thumbwheel.stats.ratings import scale_of

Weights = Literal["nominal", "linear", "quadratic"]

#: Below this many shared units no state but `too_few` is given.
LEAST_UNITS = 30
#: Nor where one of the raters used the label more rarely than this.
LEAST_USES = 5
#: Kappa that a category should reach.
GOOD_KAPPA = 0.6


class AgreementState(StrEnum):
    """What the figures allow to say about a category."""

    #: Under 30 units, or a rater used the label under five times.
    TOO_FEW = "too_few"
    #: Nothing shared, or one label used throughout by both: chance agreement is complete.
    UNDEFINED = "undefined"
    #: Even the one-sided 95 % upper limit is under 0.6.
    UNSTABLE = "unstable"
    #: The figure is under 0.6, its upper limit is not.
    WATCH = "watch"
    OK = "ok"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementResult:
    """Cohen's kappa of two raters, beside what explains it. A figure that does not exist is None, never NaN."""

    state: AgreementState
    #: Units that both raters judged.
    n: int
    #: Share of units on which they agree (weighted, if weights were asked for).
    observed: float | None
    #: The same share if each had labelled at random with own frequencies.
    expected: float | None
    kappa: float | None
    #: Large-sample standard error on the raw table (Fleiss, Cohen, Everitt 1969).
    standard_error: float | None
    interval: Interval | None
    #: One-sided 95 % upper limit, which decides `unstable`.
    upper: float | None
    #: Gwet's AC1, which a rare label does not pull down.
    ac1: float | None
    #: Mean share, over both raters, of the rarest label in use.
    prevalence: float | None
    #: Kappa is under 0.6 with AC1 over 0.8 and a label under 10 %: rarity, not disagreement, may be why.
    rarity: bool = False
    #: Why `undefined`; None otherwise.
    reason: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Crosstab:
    """How often the first rater (rows) and the second (columns) used each pair of categories."""

    categories: tuple[Hashable, ...]
    counts: Ints
    #: True when the categories' order means something.
    ordered: bool


def crosstab(
    first: Sequence[Hashable | None],
    second: Sequence[Hashable | None],
    *,
    categories: Sequence[Hashable] | None = None,
) -> Crosstab:
    """Table of two raters' labels on the same units; a unit that either left out (None or NaN) is not shared.

    `categories` fixes rows and columns and, if there is one, their order. Raises
    `LengthsDiffer`, and `OutOfRange` for a label that is not among them.

    >>> crosstab(["a", "b", "b", None], ["a", "a", "b", "b"]).counts
    array([[1, 0],
           [1, 1]])
    """
    given.same_length("two raters' labels", first, second)
    pairs = [(a, b) for a, b in zip(first, second, strict=True) if not (given.is_missing(a) or given.is_missing(b))]
    named, ordered = scale_of(label for pair in pairs for label in pair)
    if categories is not None:
        if strangers := set(named) - set(categories):
            raise given.OutOfRange(f"not among the categories: {sorted(map(repr, strangers))}")
        named, ordered = list(dict.fromkeys(categories)), True
    place = {label: at for at, label in enumerate(named)}
    counts = np.zeros((len(named), len(named)), dtype=np.int64)
    np.add.at(counts, ([place[a] for a, _ in pairs], [place[b] for _, b in pairs]), 1)
    return Crosstab(tuple(named), counts, ordered)


def cohen_kappa(
    table: npt.ArrayLike | Crosstab, *, weights: Weights = "nominal", level: float = 0.95
) -> AgreementResult:
    """Cohen's kappa (1960) of a square table of counts, with interval and state.

    The point comes from the raw table; the interval is kappa -+ z standard
    errors (Fleiss, Cohen, Everitt 1969) on the table with c / K^2 added to each
    of its K x K cells, c = 4 for K = 2 and else 2, widened to hold the point and
    clipped to [-1, 1]. Weights credit near misses by their distance in the
    order of the categories. Raises `OutOfRange` for a table that is not square
    or not of counts, `OrderRequired` for weights over words in no stated order.

    >>> result = cohen_kappa([[20, 5], [10, 15]])
    >>> round(result.kappa, 6), round(result.interval.low, 4), round(result.interval.high, 4), result.state.value
    (0.4, 0.1269, 0.6138, 'unstable')
    """
    if isinstance(table, Crosstab):
        if weights != "nominal" and not table.ordered:
            raise given.OrderRequired("weighted kappa over words needs their order")
        table = table.counts
    counts = _counts(table)
    used = counts.sum(axis=1) + counts.sum(axis=0)
    if np.count_nonzero(used) < 2:
        return _undefined(counts)
    credit = _credit(len(counts), weights)
    observed, expected, kappa = _kappa(counts, credit)
    smooth = counts + (4 if len(counts) == 2 else 2) / counts.size
    interval = _limits(smooth, credit, normal_quantile(level)).widened_to(kappa).clipped(-1, 1)
    upper = _limits(smooth, credit, normal_quantile(0.90)).widened_to(kappa).clipped(-1, 1).high
    ac1, prevalence = gwet_ac1_table(counts), float(used[used > 0].min() / used.sum())
    return AgreementResult(
        state=_state(counts, kappa, upper),
        n=int(counts.sum()),
        observed=observed,
        expected=expected,
        kappa=kappa,
        standard_error=_standard_error(counts, credit),
        interval=interval,
        upper=upper,
        ac1=ac1,
        prevalence=prevalence,
        rarity=kappa < GOOD_KAPPA and ac1 is not None and ac1 > 0.8 and prevalence < 0.1,
    )


def cohen_kappa_of(
    first: Sequence[Hashable | None],
    second: Sequence[Hashable | None],
    *,
    categories: Sequence[Hashable] | None = None,
    weights: Weights = "nominal",
    level: float = 0.95,
) -> AgreementResult:
    """`cohen_kappa` of two raters' labels on the same units; raises what `crosstab` and it raise.

    >>> cohen_kappa_of("ppff", "ppfp").kappa
    0.5
    """
    return cohen_kappa(crosstab(first, second, categories=categories), weights=weights, level=level)


def gwet_ac1_table(table: npt.ArrayLike) -> float | None:
    """Gwet's AC1 (2008) of two raters: expected agreement is sum p(1-p) / (K-1), p a label's mean share.

    None for an empty table or one of a single category. Raises `OutOfRange` as
    `cohen_kappa` does.

    >>> round(gwet_ac1_table([[118, 5], [2, 0]]), 6)
    0.940776
    """
    counts = _counts(table)
    if len(counts) < 2 or not counts.sum():
        return None
    shares = (counts.sum(axis=0) + counts.sum(axis=1)) / (2 * counts.sum())
    expected = float((shares * (1 - shares)).sum()) / (len(counts) - 1)
    return float((np.trace(counts) / counts.sum() - expected) / (1 - expected))


def _counts(table: npt.ArrayLike) -> Floats:
    counts = np.asarray(table, dtype=np.float64)
    if counts.size == 0:
        return np.zeros((0, 0))
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1]:
        raise given.OutOfRange(f"two raters make a square table, not one of shape {counts.shape}")
    if not np.isfinite(counts).all() or (counts < 0).any() or (counts != np.floor(counts)).any():
        raise given.OutOfRange("a table of agreement holds counts")
    return counts


def _undefined(counts: Floats) -> AgreementResult:
    n = int(counts.sum())
    return AgreementResult(
        state=AgreementState.UNDEFINED,
        n=n,
        observed=1.0 if n else None,
        expected=1.0 if n else None,
        kappa=None,
        standard_error=None,
        interval=None,
        upper=None,
        ac1=gwet_ac1_table(counts),
        prevalence=None,
        reason="both raters used one and the same label throughout" if n else "no unit was judged by both raters",
    )


def _state(counts: Floats, kappa: float, upper: float) -> AgreementState:
    uses = np.concatenate([counts.sum(axis=0), counts.sum(axis=1)])
    if counts.sum() < LEAST_UNITS or (len(counts) == 2 and uses.min() < LEAST_USES):
        return AgreementState.TOO_FEW
    if upper < GOOD_KAPPA:
        return AgreementState.UNSTABLE
    return AgreementState.WATCH if kappa < GOOD_KAPPA else AgreementState.OK


def _credit(size: int, weights: Weights) -> Floats:
    """What each pair of categories counts as agreement: 1 on the diagonal, 0 for the farthest apart."""
    if weights == "nominal":
        return np.eye(size)
    places = np.arange(size) / (size - 1)
    apart = np.abs(np.subtract.outer(places, places))
    return np.asarray(1 - (apart if weights == "linear" else np.square(apart)), dtype=np.float64)


def _kappa(counts: Floats, credit: Floats) -> tuple[float, float, float]:
    shares = counts / counts.sum()
    observed = float((credit * shares).sum())
    expected = float(shares.sum(axis=1) @ credit @ shares.sum(axis=0))
    return observed, expected, (observed - expected) / (1 - expected)


def _standard_error(counts: Floats, credit: Floats) -> float:
    """Fleiss, Cohen, Everitt (1969): valid for any weights, and for kappa other than 0."""
    shares = counts / counts.sum()
    _, expected, kappa = _kappa(counts, credit)
    by_row, by_column = credit @ shares.sum(axis=0), credit.T @ shares.sum(axis=1)
    lever = credit - np.add.outer(by_row, by_column) * (1 - kappa)
    spread = float((shares * np.square(lever)).sum()) - (kappa - expected * (1 - kappa)) ** 2
    return sqrt(max(spread, 0.0) / counts.sum()) / (1 - expected)


def _limits(counts: Floats, credit: Floats, z: float) -> Interval:
    _, _, kappa = _kappa(counts, credit)
    half = z * _standard_error(counts, credit)
    return Interval(kappa - half, kappa + half)
