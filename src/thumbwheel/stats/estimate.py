"""Rates of a whole frame from labels that were drawn with unequal, known chances.

y = 1 is a confirmed failure, pi the chance the draw had of picking the trace,
w = 1/pi, m a model's probability of failure that was frozen before the draw.
The figures stay unbiased however wrong m is; a good m only makes them sharper.

Everything an estimate needs of a build is a handful of sums, so several builds
are pooled by adding their samples with `+`. Rows that a policy lost after the
draw enter with pi times the share of its rows that were labelled.
"""

from dataclasses import dataclass
from math import ceil, erfc, sqrt

import numpy as np
import numpy.typing as npt

from thumbwheel.stats import given
from thumbwheel.stats.interval import Estimate, Interval, newcombe, wilson

#: From this many labels on, the spread in the sample is trusted alone (section "anticipated variance" of `difference`).
ENOUGH_FOR_OWN_VARIANCE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What is known of every trace of a domain (all, or one category), labelled or not. Frames add up."""

    #: N: traces in the domain.
    n: int
    #: S: sum of m over them.
    risk: float = 0.0
    #: A: sum of m (1 - m) (1 - pi) / pi over them.
    anticipated: float = 0.0

    def __post_init__(self) -> None:
        given.count(self.n, "a population")
        given.not_negative(self.anticipated, "an anticipated variance")
        if not 0 <= self.risk <= self.n * (1 + 1e-9):
            raise given.OutOfRange(f"a sum of {self.n} probabilities cannot be {self.risk}")

    def __add__(self, other: "Frame") -> "Frame":
        return Frame(n=self.n + other.n, risk=self.risk + other.risk, anticipated=self.anticipated + other.anticipated)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSums:
    """All that an estimate needs of a domain's labels; sums of several builds add up. Build with `sum_labels`.

    With e = y - m: the sums of w, w^2, w y, w e, and of (1-pi) w^2 times 1, e, e^2.
    """

    n: int = 0
    n_failed: int = 0
    w: float = 0.0
    w2: float = 0.0
    wy: float = 0.0
    we: float = 0.0
    q: float = 0.0
    qe: float = 0.0
    qe2: float = 0.0

    def __add__(self, other: "LabelSums") -> "LabelSums":
        return LabelSums(**{name: getattr(self, name) + getattr(other, name) for name in self.__slots__})

    @property
    def kish_n(self) -> float:
        """Effective number of labels, (sum w)^2 / sum w^2; 0 without labels."""
        return self.w * self.w / self.w2 if self.n else 0.0


def sum_labels(failed: npt.ArrayLike, probability: npt.ArrayLike, risk: npt.ArrayLike | None = None) -> LabelSums:
    """Sums over labels: `failed` 0 or 1, inclusion `probability` in (0, 1], frozen `risk` m in [0, 1] (0 if not given).

    Raises `LengthsDiffer` and `OutOfRange`.
    """
    y, pi = given.verdicts(failed, "a verdict"), given.inclusion_chances(probability)
    m = np.zeros(len(y)) if risk is None else given.floats(risk, "a risk", low=0.0, high=1.0)
    given.same_length("verdicts, probabilities and risks", y, pi, m)
    w, e = 1 / pi, y - m
    q = (1 - pi) * w * w
    return LabelSums(
        n=len(y),
        n_failed=int(y.sum()),
        w=float(w.sum()),
        w2=float(w @ w),
        wy=float(w @ y),
        we=float(w @ e),
        q=float(q.sum()),
        qe=float(q @ e),
        qe2=float(q @ (e * e)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One domain of one build: its frame and its labels. `sum(samples[1:], samples[0])` pools builds."""

    frame: Frame
    labels: LabelSums

    def __add__(self, other: "Sample") -> "Sample":
        return Sample(frame=self.frame + other.frame, labels=self.labels + other.labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class RateEstimate:
    """A failure rate of the whole frame. The pass rate is 1 - rate, its interval mirrored."""

    #: "difference", "hajek" or "horvitz-thompson".
    method: str
    #: In [0, 1]; the estimator itself may fall outside and is kept beside it.
    rate: float
    unclipped: float
    #: Design variance of `unclipped`.
    variance: float
    #: Size of the plain random sample that would tell as much; the interval is Wilson's for it.
    n_effective: float
    interval: Interval
    n_labels: int
    kish_n: float
    #: Traces the rate speaks about; None for an ad hoc slice whose size is not known.
    n_population: int | None

    @property
    def estimate(self) -> Estimate:
        """The rate with its interval, to be joined with others by the rules of `stats.interval`."""
        return Estimate(self.rate, self.interval)


@dataclass(frozen=True, slots=True, kw_only=True)
class TooFewLabels:
    """No figure yet: there are `n_labels`, and about `needs` in all would do."""

    n_labels: int
    kish_n: float
    needs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Enough:
    """How much a domain must have before its rate is shown."""

    labels: int = 5
    kish_n: float = 10.0

    def shortfall(self, labels: LabelSums) -> TooFewLabels | None:
        """What is missing, or None. `needs` supposes that further labels weigh as unevenly as those at hand."""
        if labels.n >= max(self.labels, 1) and labels.kish_n >= self.kish_n:
            return None
        by_kish = labels.n * self.kish_n / labels.kish_n if labels.n else self.kish_n
        needs = max(self.labels, ceil(by_kish), labels.n + 1)
        return TooFewLabels(n_labels=labels.n, kish_n=labels.kish_n, needs=needs)


ENOUGH = Enough()
ANY = Enough(labels=1, kish_n=0.0)


def difference(sample: Sample, *, level: float = 0.95, enough: Enough = ENOUGH) -> RateEstimate | TooFewLabels:
    """Model baseline plus the weighted mean of its errors (difference estimator; Sarndal, Swensson, Wretman 1992).

        theta = S/N + sum(w e) / sum(w)
        v     = sum((1-pi) (w (e - ebar))^2) / (sum w)^2
        V     = v from 200 labels on, before that max(v, A/N^2)

    A/N^2 is the variance m itself anticipates: it needs no failure among the
    labels, so ten passes in a row do not claim certainty. The interval is
    Wilson's with n = p(1-p)/V, or Kish's n where that is not defined (Korn,
    Graubard 1998). Raises `OutOfRange` for labels without a frame.
    """
    frame, labels = sample.frame, sample.labels
    if labels.n > frame.n:
        raise given.OutOfRange(f"{labels.n} labels from a frame of {frame.n}")
    if (missing := enough.shortfall(labels)) is not None:
        return missing
    mean = labels.we / labels.w
    variance = _hajek_variance(labels)
    if labels.n < ENOUGH_FOR_OWN_VARIANCE:
        variance = max(variance, frame.anticipated / frame.n**2)
    theta = frame.risk / frame.n + mean
    return _rate("difference", theta, variance, labels, frame.n, level)


def hajek(labels: LabelSums, *, level: float = 0.95, enough: Enough = ENOUGH) -> RateEstimate | TooFewLabels:
    """Weighted share of failures, for a slice whose frame was not counted (Hajek 1971); Wilson with Kish's n.

    The labels must be summed without `risk`; otherwise `OutOfRange`.
    """
    if labels.wy != labels.we:
        raise given.OutOfRange("a weighted share has no baseline: sum the labels without risk")
    if (missing := enough.shortfall(labels)) is not None:
        return missing
    theta = labels.wy / labels.w
    return _rate("hajek", theta, _hajek_variance(labels), labels, None, level, n_effective=labels.kish_n)


def horvitz_thompson(
    failed: npt.ArrayLike,
    probability: npt.ArrayLike,
    n_population: int,
    *,
    level: float = 0.95,
    enough: Enough = ENOUGH,
) -> RateEstimate | TooFewLabels:
    """sum(y / pi) / N with v = sum((1-pi) y / pi^2) / N^2 (Horvitz, Thompson 1952, independent draws).

    Needs no model and no other figure of the frame than its size. Raises
    `OutOfRange` for more labels than population, and what `sum_labels` raises.

    >>> found = horvitz_thompson([1, 1, 0, 0], [1, 0.5, 0.5, 0.5], 20, enough=ANY)
    >>> round(found.rate, 3), round(found.variance, 4)
    (0.15, 0.005)
    """
    n_population = given.count(n_population, "a population")
    labels = sum_labels(failed, probability)
    if labels.n > n_population:
        raise given.OutOfRange(f"{labels.n} labels from a population of {n_population}")
    if (missing := enough.shortfall(labels)) is not None:
        return missing
    theta, variance = labels.wy / n_population, labels.qe2 / n_population**2
    return _rate("horvitz-thompson", theta, variance, labels, n_population, level)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """How a rate moved from one window to another. A fall is negative."""

    #: Newcombe's limits on the two effective sizes.
    difference: Estimate
    #: (theta_2 - theta_1) / sqrt(V_1 + V_2) and its two-sided p; None if neither window has any sampling variance.
    z: float | None
    p_value: float | None


def compare(before: RateEstimate, after: RateEstimate, *, level: float = 0.95) -> Change:
    """Change between two windows whose labels were drawn independently."""
    moved = newcombe(before.rate, before.n_effective, after.rate, after.n_effective, level)
    spread = sqrt(before.variance + after.variance)
    if spread == 0:
        return Change(difference=moved, z=None, p_value=None)
    z = (after.unclipped - before.unclipped) / spread
    return Change(difference=moved, z=z, p_value=erfc(abs(z) / sqrt(2)))


def _hajek_variance(labels: LabelSums) -> float:
    mean = labels.we / labels.w
    spread = labels.qe2 - 2 * mean * labels.qe + mean * mean * labels.q
    # what is left of equal terms after cancelling is rounding, not variance
    return spread / labels.w**2 if spread > 1e-12 * labels.qe2 else 0.0


def _rate(
    method: str,
    theta: float,
    variance: float,
    labels: LabelSums,
    n_population: int | None,
    level: float,
    *,
    n_effective: float | None = None,
) -> RateEstimate:
    rate = min(max(theta, 0.0), 1.0)
    if n_effective is None:
        n_effective = rate * (1 - rate) / variance if variance > 0 and 0 < rate < 1 else labels.kish_n
    return RateEstimate(
        method=method,
        rate=rate,
        unclipped=theta,
        variance=variance,
        n_effective=n_effective,
        interval=wilson(rate, n_effective, level),
        n_labels=labels.n,
        kish_n=labels.kish_n,
        n_population=n_population,
    )
