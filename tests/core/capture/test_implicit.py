"""Reading time, compared with what is usual in its category."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thumbwheel.capture.implicit import DwellBaseline, dwell_z

TIMES = [4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 60.0]


def test_reference_values_of_the_robust_z_score() -> None:
    baseline = DwellBaseline.of(TIMES)
    assert [baseline.z(t) for t in TIMES] == pytest.approx([-1.502, -0.903, -0.414, 0, 0.358, 0.674, 5.766], abs=6e-4)


def test_a_large_category_is_its_own_baseline() -> None:
    own, pooled = DwellBaseline.of(TIMES * 20), DwellBaseline.of([100.0, 200.0, 300.0] * 20)
    assert dwell_z(6.0, own, pooled) == pytest.approx(own.z(6.0))


@pytest.mark.parametrize("own", [None, DwellBaseline.of(TIMES), DwellBaseline.of([7.0] * 500)])
def test_a_small_or_constant_category_is_compared_with_all(own: DwellBaseline | None) -> None:
    pooled = DwellBaseline.of([100.0, 200.0, 300.0] * 20)
    assert dwell_z(100.0, own, pooled) == pytest.approx(pooled.z(100.0))


@pytest.mark.parametrize("pooled", [DwellBaseline.of([]), DwellBaseline.of([3.0, 9.0]), DwellBaseline.of([3.0] * 50)])
def test_without_a_baseline_nothing_is_said(pooled: DwellBaseline) -> None:
    assert dwell_z(5.0, None, pooled) is None


@given(st.floats(min_value=0, allow_infinity=False), st.lists(st.floats(0, 1e6), min_size=10, max_size=40))
def test_any_reading_time_gives_a_finite_score_or_none(seconds: float, times: list[float]) -> None:
    z = dwell_z(seconds, None, DwellBaseline.of(times))
    assert z is None or (math.isfinite(z) and -5.0 <= z <= 5.0)
