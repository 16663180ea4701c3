"""Reading time, compared with what is usual in its category."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thumbwheel.capture.implicit import DwellBaseline, dwell_z, norms_of, reading

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


AT = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_a_reading_names_the_norm_it_was_made_with() -> None:
    norms = {norm.category: norm for norm in norms_of({"long": TIMES * 20, "few": [1.0], "": [2.0]}, AT)}
    assert {name: norm.n for name, norm in norms.items()} == {"long": 140, "few": 1, None: 142}
    by = {name: reading(6.0, name, norms) for name in ("long", "few", "unknown", None)}
    assert by["long"] is not None
    assert by["long"].z == pytest.approx(-0.414, abs=6e-4)
    assert by["long"].norm == norms["long"]
    assert by["few"] is not None
    assert by["few"].norm is norms[None]
    assert by["unknown"] == by[None] == by["few"]


def test_without_norms_a_reading_says_nothing() -> None:
    assert reading(6.0, "long", {}) is None
