import math

import pytest
from hypothesis import given, strategies
from scipy import stats as scipy_stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from thumbwheel.stats.given import OutOfRange, Refused
from thumbwheel.stats.interval import (
    Estimate,
    Interval,
    kish_n,
    mover_difference,
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
def test_wilson_agrees_with_statsmodels(k: int, rest: int, level: float) -> None:
    n = k + rest
    if not n:
        return
    assert ends(wilson_count(k, n, level)) == pytest.approx(
        proportion_confint(k, n, alpha=1 - level, method="wilson"), abs=1e-9
    )


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


@given(n=strategies.integers(1, 5000), level=levels)
def test_none_seen_is_the_exact_upper_limit_at_zero(n: int, level: float) -> None:
    assert none_seen_upper(n, level) == pytest.approx(scipy_stats.beta.ppf(level, 1, n), rel=1e-9)


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


def test_a_change_is_credited_only_beyond_the_change_of_the_others() -> None:
    fixed, others = newcombe(0.10, 200, 0.02, 200), newcombe(0.30, 400, 0.22, 400)
    beyond = mover_difference(fixed, others)
    assert beyond.point == pytest.approx(0, abs=1e-12)
    assert beyond.interval.low < 0 < beyond.interval.high
    assert beyond.interval.width > max(fixed.interval.width, others.interval.width)


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
        lambda: none_seen_upper(NAN),
        lambda: kish_n([1, -1]),
        lambda: kish_n([1, NAN]),
        lambda: kish_n([[1], [2]]),
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
