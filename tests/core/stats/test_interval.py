import math

import pytest
from hypothesis import given, strategies
from scipy import stats as scipy_stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from thumbwheel.stats.given import OutOfRange, Refused
from thumbwheel.stats.interval import (
    Estimate,
    Interval,
    cases_to_see_one,
    clopper_pearson,
    clopper_pearson_upper,
    conditional_binomial,
    kish_n,
    mcnemar_exact,
    mover_difference,
    mover_sum,
    newcombe,
    none_seen_upper,
    wilson,
    wilson_count,
)

shares = strategies.floats(0, 1)
sizes = strategies.floats(0, 1e6)
levels = strategies.floats(0.5, 0.999)

TEN_PI = [1, 0.5, 0.5, 0.25, 0.2, 0.1, 0.05, 0.05, 0.04, 0.04]


def ends(interval: Interval) -> tuple[float, float]:
    return interval.low, interval.high


def test_wilson_reference_values() -> None:
    assert ends(wilson_count(8, 140)) == pytest.approx((0.029236, 0.108703), abs=1e-6)
    kish = kish_n([1 / pi for pi in TEN_PI])
    assert kish == pytest.approx(5.907273, abs=1e-6)
    assert ends(wilson(0, kish)) == pytest.approx((0, 0.394047), abs=1e-6)


@given(k=strategies.integers(0, 300), rest=strategies.integers(0, 300), level=levels)
def test_wilson_and_clopper_pearson_agree_with_statsmodels(k: int, rest: int, level: float) -> None:
    n = k + rest
    if not n:
        return
    assert ends(wilson_count(k, n, level)) == pytest.approx(
        proportion_confint(k, n, alpha=1 - level, method="wilson"), abs=1e-9
    )
    low, high = proportion_confint(k, n, alpha=1 - level, method="beta")
    exact = clopper_pearson(k, n, level)
    assert ends(exact) == pytest.approx((low if k else 0, high if rest else 1), abs=1e-9)


@given(p=shares, n=sizes, level=levels)
def test_wilson_holds_the_share_and_stays_in_range(p: float, n: float, level: float) -> None:
    interval = wilson(p, n, level)
    assert p in interval
    assert 0 <= interval.low <= interval.high <= 1


@given(p=shares, q=shares, n=sizes)
def test_wilson_limits_rise_with_the_share(p: float, q: float, n: float) -> None:
    below, above = wilson(min(p, q), n), wilson(max(p, q), n)
    assert below.low <= above.low + 1e-12
    assert below.high <= above.high + 1e-12


@given(p=shares, n=sizes, more=sizes)
def test_wilson_narrows_as_cases_are_added(p: float, n: float, more: float) -> None:
    assert wilson(p, n + more).width <= wilson(p, n).width + 1e-12


def test_wilson_of_nothing_says_nothing() -> None:
    assert ends(wilson_count(0, 0)) == (0, 1)
    assert wilson(0, 50).low == 0
    assert wilson(1, 50).high == 1


def test_clopper_pearson_upper_reference_values() -> None:
    found = [clopper_pearson_upper(k, n) for k, n in ((0, 59), (2, 100), (5, 129))]
    assert found == pytest.approx([0.049508, 0.061619, 0.079765], abs=1e-6)


@given(n=strategies.integers(1, 5000), level=levels)
def test_none_seen_is_the_exact_upper_limit_at_zero(n: int, level: float) -> None:
    assert none_seen_upper(n, level) == pytest.approx(clopper_pearson_upper(0, n, level), rel=1e-9)


@given(rate=strategies.floats(0.001, 0.9), level=levels)
def test_cases_to_see_one_is_the_least_that_bounds_the_rate(rate: float, level: float) -> None:
    n = cases_to_see_one(rate, level)
    assert none_seen_upper(n, level) <= rate * (1 + 1e-9)
    assert n == 1 or none_seen_upper(n - 1, level) > rate * (1 - 1e-9)


def test_probes_after_a_fix_reference_values() -> None:
    assert [cases_to_see_one(rate / 2) for rate in (0.10, 0.05)] == [59, 119]


def test_none_of_nothing_bounds_nothing() -> None:
    assert none_seen_upper(0) == 1


def test_newcombe_reference_value() -> None:
    change = newcombe(8 / 80, 80, 1 / 60, 60)
    assert change.point == pytest.approx(-0.083333, abs=1e-6)
    assert ends(change.interval) == pytest.approx((-0.169539, 0.003356), abs=1e-6)


@given(
    a=strategies.integers(0, 80),
    n=strategies.integers(1, 80),
    b=strategies.integers(0, 80),
    m=strategies.integers(1, 80),
)
def test_newcombe_agrees_with_statsmodels(a: int, n: int, b: int, m: int) -> None:
    a, b = min(a, n), min(b, m)
    expected = confint_proportions_2indep(b, m, a, n, method="newcomb", compare="diff")
    assert ends(newcombe(a / n, n, b / m, m).interval) == pytest.approx(expected, abs=1e-9)


@given(p=shares, q=shares, n=sizes, m=sizes)
def test_newcombe_turns_its_sign_with_the_order_of_the_windows(p: float, q: float, n: float, m: float) -> None:
    there, back = newcombe(p, n, q, m), newcombe(q, m, p, n)
    assert -1 <= there.interval.low <= there.point <= there.interval.high <= 1
    assert ends(there.interval) == pytest.approx((-back.interval.high, -back.interval.low))


def test_limits_of_youden_j_join_those_of_both_rates() -> None:
    tpr = Estimate(0.8, wilson(0.8, 60))
    tnr = Estimate(0.9, wilson(0.9, 200))
    j = mover_sum(tpr, tnr).shifted(-1)
    assert j.point == pytest.approx(0.7)
    assert j.interval.high == pytest.approx(0.7 + math.hypot(tpr.interval.high - 0.8, tnr.interval.high - 0.9))
    assert j.interval.low == pytest.approx(0.7 - math.hypot(0.8 - tpr.interval.low, 0.9 - tnr.interval.low))


def test_a_change_is_credited_only_beyond_the_change_of_the_others() -> None:
    fixed, others = newcombe(0.10, 200, 0.02, 200), newcombe(0.30, 400, 0.22, 400)
    beyond = mover_difference(fixed, others)
    assert beyond.point == pytest.approx(0, abs=1e-12)
    assert beyond.interval.low < 0 < beyond.interval.high
    assert beyond.interval.width > max(fixed.interval.width, others.interval.width)


def test_conditional_binomial_reference_value() -> None:
    assert conditional_binomial(8, 80, 1, 60) == pytest.approx(0.050345, abs=1e-6)


@given(
    a=strategies.integers(0, 50), b=strategies.integers(0, 50), n=strategies.floats(1, 500), m=strategies.floats(1, 500)
)
def test_conditional_binomial_is_the_lower_tail(a: int, b: int, n: float, m: float) -> None:
    expected = scipy_stats.binom.cdf(b, a + b, m / (n + m))
    assert conditional_binomial(a, n, b, m) == pytest.approx(expected, rel=1e-9)


def test_no_event_at_all_is_no_evidence_of_a_fall() -> None:
    assert conditional_binomial(0, 80, 0, 60) == 1


def test_mcnemar_reference_value() -> None:
    assert mcnemar_exact(9, 2) == pytest.approx(0.06543, abs=1e-5)
    assert mcnemar_exact(9, 2, one_sided=True) == pytest.approx(0.06543 / 2, abs=1e-5)
    assert mcnemar_exact(0, 0) == 1


@given(b=strategies.integers(0, 60), c=strategies.integers(0, 60))
def test_mcnemar_agrees_with_statsmodels(b: int, c: int) -> None:
    assert mcnemar_exact(b, c) == pytest.approx(mcnemar([[5, b], [c, 5]], exact=True).pvalue)
    assert mcnemar_exact(b, c, one_sided=True) == pytest.approx(scipy_stats.binom.sf(b - 1, b + c, 0.5))


@given(weights=strategies.lists(strategies.floats(1e-6, 1e6), min_size=1, max_size=30))
def test_kish_n_lies_between_one_and_the_number_of_weights(weights: list[float]) -> None:
    assert 1 - 1e-9 <= kish_n(weights) <= len(weights) + 1e-9
    assert kish_n([weight * 7 for weight in weights]) == pytest.approx(kish_n(weights))


def test_kish_n_of_no_weight_is_zero() -> None:
    assert kish_n([]) == 0
    assert kish_n([0, 0]) == 0
    assert kish_n([3, 3, 3]) == pytest.approx(3)
    assert kish_n([1e200, 1e200]) == pytest.approx(2)


NAN = float("nan")


@pytest.mark.parametrize(
    "call",
    [
        lambda: wilson(1.2, 10),
        lambda: wilson(NAN, 10),
        lambda: wilson(0.5, -1),
        lambda: wilson(0.5, math.inf),
        lambda: wilson(0.5, 10, level=1),
        lambda: wilson_count(3, 2),
        lambda: wilson_count(-1, 2),
        lambda: clopper_pearson(1, 0),
        lambda: clopper_pearson_upper(2.5, 10),  # type: ignore[arg-type]
        lambda: clopper_pearson(NAN, 10),  # type: ignore[arg-type]
        lambda: none_seen_upper(NAN),
        lambda: cases_to_see_one(0),
        lambda: kish_n([1, -1]),
        lambda: kish_n([1, NAN]),
        lambda: kish_n([[1], [2]]),
        lambda: conditional_binomial(1, 0, 1, 10),
        lambda: mcnemar_exact(-1, 3),
        lambda: Interval(1, 0),
        lambda: Interval(NAN, 1),
        lambda: Estimate(2, Interval(0, 1)),
    ],
)
def test_what_makes_no_sense_is_refused(call: object) -> None:
    assert callable(call)
    with pytest.raises(OutOfRange) as refused:
        call()
    assert isinstance(refused.value, Refused)
    assert isinstance(refused.value, ValueError)
