import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, strategies
from scipy import special
from scipy import stats as scipy_stats

from thumbwheel.stats.estimate import (
    ANY,
    Enough,
    Frame,
    LabelSums,
    RateEstimate,
    Sample,
    TooFewLabels,
    compare,
    difference,
    hajek,
    horvitz_thompson,
    sum_labels,
)
from thumbwheel.stats.given import LengthsDiffer, OutOfRange

Y = [1, 1, 0, 0, 1, 0, 0, 0, 0, 0]
PI = [1, 0.5, 0.5, 0.25, 0.2, 0.1, 0.05, 0.05, 0.04, 0.04]
M = [0.6, 0.5, 0.3, 0.2, 0.2, 0.1, 0.05, 0.04, 0.03, 0.02]

labels = strategies.lists(
    strategies.tuples(strategies.integers(0, 1), strategies.floats(0.001, 1), strategies.floats(0, 1)),
    min_size=1,
    max_size=60,
)


def rated(found: RateEstimate | TooFewLabels) -> RateEstimate:
    assert isinstance(found, RateEstimate)
    return found


def sample_of(rows: list[tuple[int, float, float]], n: int = 1000, risk: float = 100) -> Sample:
    y, pi, m = zip(*rows, strict=True)
    return Sample(frame=Frame(n=n, risk=risk), labels=sum_labels(y, pi, m))


def test_horvitz_thompson_reference_value() -> None:
    found = rated(horvitz_thompson(Y, PI, 100, enough=ANY))
    assert (found.rate, found.variance) == pytest.approx((0.08, 0.0022), abs=1e-9)


def test_hajek_reference_value() -> None:
    found = rated(hajek(sum_labels(Y, PI), enough=ANY))
    assert found.rate == pytest.approx(0.070175, abs=1e-6)
    assert found.variance == pytest.approx(0.00224569, abs=1e-8)
    assert found.n_effective == pytest.approx(5.907273, abs=1e-6)


def test_difference_reference_value() -> None:
    found = rated(difference(Sample(frame=Frame(n=100, risk=7.0), labels=sum_labels(Y, PI, M)), enough=ANY))
    assert found.rate == pytest.approx(0.069561, abs=1e-6)
    assert found.variance == pytest.approx(0.00131937, abs=1e-8)
    assert found.n_effective == pytest.approx(49.0559, abs=1e-3)
    assert (found.interval.low, found.interval.high) == pytest.approx((0.025472, 0.176168), abs=1e-6)
    assert (found.n_labels, found.n_population) == (10, 100)


def test_ten_uneven_labels_are_too_few_to_show() -> None:
    found = difference(Sample(frame=Frame(n=100, risk=7.0), labels=sum_labels(Y, PI, M)))
    assert isinstance(found, TooFewLabels)
    assert (found.n_labels, found.needs) == (10, 17)
    assert found.kish_n == pytest.approx(5.907273)


@pytest.mark.parametrize("n", [0, 1, 4, 9])
def test_too_few_labels_name_a_number_that_is_more_than_there_are(n: int) -> None:
    found = hajek(sum_labels([0] * n, [0.5] * n))
    assert isinstance(found, TooFewLabels)
    assert (found.n_labels, found.needs) == (n, 10)
    assert found.kish_n == pytest.approx(n)


def test_enough_labels_by_count_may_still_weigh_as_few() -> None:
    found = hajek(sum_labels([0] * 30, [0.001] + [1.0] * 29))
    assert isinstance(found, TooFewLabels)
    assert found.needs > 30


def test_nothing_labelled_has_no_rate_however_little_is_asked() -> None:
    empty = Sample(frame=Frame(n=0), labels=LabelSums())
    assert difference(empty, enough=ANY) == TooFewLabels(n_labels=0, kish_n=0, needs=1)
    assert isinstance(horvitz_thompson([], [], 0, enough=Enough(labels=0, kish_n=0)), TooFewLabels)


def test_ten_passes_in_a_row_do_not_claim_certainty() -> None:
    # a frame of 1000, all with m = .05 and pi = .01
    frame = Frame(n=1000, risk=50, anticipated=1000 * 0.05 * 0.95 * 0.99 / 0.01)
    passes = sum_labels([0] * 10, [0.01] * 10, [0.05] * 10)
    found = rated(difference(Sample(frame=frame, labels=passes)))
    assert found.rate == pytest.approx(0, abs=1e-12)
    assert found.variance == pytest.approx(frame.anticipated / 1000**2)
    assert found.interval.high == pytest.approx(0.2775, abs=1e-3)


def test_from_two_hundred_labels_on_the_sample_speaks_for_its_own_variance() -> None:
    frame = Frame(n=10_000, risk=500, anticipated=1e8)
    few = rated(difference(Sample(frame=frame, labels=sum_labels([0, 1] * 99, [0.1] * 198, [0.05] * 198))))
    many = rated(difference(Sample(frame=frame, labels=sum_labels([0, 1] * 100, [0.1] * 200, [0.05] * 200))))
    assert few.variance == pytest.approx(1.0)
    assert many.variance == pytest.approx(0.9 * 0.25 / 200)


def test_a_census_is_its_own_share() -> None:
    y = [1] * 3 + [0] * 17
    frame = Frame(n=20, risk=2.0)
    found = rated(difference(Sample(frame=frame, labels=sum_labels(y, [1] * 20, [0.1] * 20))))
    assert found.rate == pytest.approx(3 / 20)
    assert found.variance == 0
    assert found.n_effective == 20
    assert rated(horvitz_thompson(y, [1] * 20, 20)).rate == pytest.approx(3 / 20)


def test_a_rate_beyond_the_ends_is_brought_back_and_kept_beside() -> None:
    found = rated(horvitz_thompson([1] * 12, [0.05] * 12, 100))
    assert found.rate == 1
    assert found.unclipped == pytest.approx(2.4)
    assert found.interval.high == 1
    assert found.n_effective == pytest.approx(12)


@given(rows=labels)
def test_the_sums_give_what_the_formulas_say(rows: list[tuple[int, float, float]]) -> None:
    y, pi, m = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    w, e = 1 / pi, y - m
    mean = (w * e).sum() / w.sum()
    found = rated(difference(sample_of(rows), enough=ANY))
    assert found.unclipped == pytest.approx(0.1 + mean, abs=1e-9)
    assert found.variance == pytest.approx(((1 - pi) * (w * (e - mean)) ** 2).sum() / w.sum() ** 2, abs=1e-9)
    assert found.rate in found.interval
    assert math.isfinite(found.n_effective)


@given(rows=labels, cut=strategies.integers(0, 60))
def test_pooled_builds_are_one_build(rows: list[tuple[int, float, float]], cut: int) -> None:
    cut = min(cut, len(rows))
    parts = [rows[:cut], rows[cut:]]
    samples = [sample_of(part, n=500, risk=50) for part in parts if part]
    pooled = sum(samples[1:], samples[0])
    assert pooled.frame.n == 500 * len(samples)
    whole = sample_of(rows, n=pooled.frame.n, risk=pooled.frame.risk)
    one, other = rated(difference(pooled, enough=ANY)), rated(difference(whole, enough=ANY))
    assert one.unclipped == pytest.approx(other.unclipped, abs=1e-9)
    assert one.variance == pytest.approx(other.variance, abs=1e-9)
    assert one.kish_n == pytest.approx(other.kish_n)


def test_two_windows_compared() -> None:
    def window(failed: int) -> RateEstimate:
        y = [1] * failed + [0] * (300 - failed)
        return rated(difference(Sample(frame=Frame(n=30_000), labels=sum_labels(y, [0.01] * 300))))

    before, after = window(30), window(15)
    change = compare(before, after)
    z = (after.unclipped - before.unclipped) / math.sqrt(before.variance + after.variance)
    assert change.difference.point == pytest.approx(-0.05)
    assert change.z == pytest.approx(z)
    assert change.p_value == pytest.approx(2 * scipy_stats.norm.sf(abs(z)))
    assert change.difference.interval.high < 0
    assert compare(before, before).p_value == 1


def test_two_censuses_differ_without_a_test() -> None:
    def census(failed: int) -> RateEstimate:
        return rated(hajek(sum_labels([1] * failed + [0] * (40 - failed), [1] * 40)))

    change = compare(census(4), census(8))
    assert (change.z, change.p_value) == (None, None)
    assert change.difference.point == pytest.approx(0.1)


Draw = Callable[[np.random.Generator], tuple[float, RateEstimate]]


def draw_week(rng: np.random.Generator, *, believed: float) -> tuple[float, RateEstimate]:
    """6000 traces drawn by risk plus a uniform share, under a model whose odds are `believed` times the true ones."""
    n = 6000
    line = rng.normal(-3.6, 1.3, n)
    y = rng.random(n) < special.expit(line)
    m = special.expit(line + rng.normal(0, 0.7, n) + math.log(believed))
    size = np.sqrt(m * (1 - m))
    pi = np.minimum(1, 0.03 + 240 * size / size.sum())
    picked = rng.random(n) < pi
    frame = Frame(n=n, risk=float(m.sum()), anticipated=float((m * (1 - m) * (1 - pi) / pi).sum()))
    found = difference(Sample(frame=frame, labels=sum_labels(y[picked], pi[picked], m[picked])))
    return float(y.mean()), rated(found)


@pytest.mark.parametrize("believed", [1.0, 0.4, 2.5])
def test_two_hundred_simulated_weeks_are_unbiased_and_covered(believed: float) -> None:
    rng = np.random.default_rng(11)
    weeks = [draw_week(rng, believed=believed) for _ in range(200)]
    errors = np.array([found.unclipped - truth for truth, found in weeks])
    assert abs(errors.mean()) < 3 * errors.std() / math.sqrt(len(errors))
    assert 0.91 <= np.mean([truth in found.interval for truth, found in weeks]) <= 0.99


def test_figures_that_cannot_be_are_refused() -> None:
    with pytest.raises(LengthsDiffer):
        sum_labels([1, 0], [0.5])
    for y, pi, m in (
        ([2], [0.5], [0]),
        ([1], [0], [0]),
        ([1], [1.1], [0]),
        ([1], [0.5], [1.5]),
        ([math.nan], [1], [0]),
    ):
        with pytest.raises(OutOfRange):
            sum_labels(y, pi, m)
    with pytest.raises(OutOfRange):
        Frame(n=10, risk=11)
    with pytest.raises(OutOfRange):
        Frame(n=-1)
    with pytest.raises(OutOfRange):
        Frame(n=1, anticipated=math.nan)
    with pytest.raises(OutOfRange):
        difference(Sample(frame=Frame(n=5), labels=sum_labels(Y, PI)))
    with pytest.raises(OutOfRange):
        horvitz_thompson(Y, PI, 9)
    with pytest.raises(OutOfRange):
        hajek(sum_labels(Y, PI, M))
