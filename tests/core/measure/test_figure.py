"""A figure is an estimate with its limits, or the reason why there is none."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thumbwheel.measure.figure import LEAST_CASES, Figure, figure, rate, too_few


def test_a_rate_has_its_wilson_interval() -> None:
    found = rate(8, 140)
    assert found.estimate == pytest.approx(8 / 140)
    assert (found.low, found.high) == pytest.approx((0.029236, 0.108703), abs=1e-6)


def test_too_few_cases_are_a_sentence_and_no_number() -> None:
    assert rate(0, 4).as_dict() == {
        "estimate": None,
        "interval": None,
        "n": 4,
        "m": 5,
        "why": "not enough labels: 4 of 5",
    }
    assert too_few(2, of="traces", m=30).why == "not enough traces: 2 of 30"


def test_a_known_figure_has_no_excuse() -> None:
    assert rate(0, 5).as_dict() == {"estimate": 0.0, "interval": [0.0, pytest.approx(0.4345, abs=1e-4)], "n": 5, "m": 5}


def test_more_than_all_is_no_share() -> None:
    found = rate(9, 7, of="traces")
    assert found.estimate is None
    assert found.why == "not a share: 9 of 7 traces, some of which are no longer kept"


def test_an_estimate_that_could_not_be_made_keeps_its_reason() -> None:
    assert figure(None, 12, otherwise="not watched long enough") == Figure(n=12, why="not watched long enough")


@given(k=st.integers(0, 10_000), n=st.integers(0, 10_000))
def test_a_rate_is_estimated_inside_its_interval_or_explained(k: int, n: int) -> None:
    found = rate(k, n)
    json.dumps(found.as_dict(), allow_nan=False)
    known = n >= LEAST_CASES and k <= n
    assert (found.estimate is not None) is (found.why is None) is known
    if found.estimate is not None and found.low is not None and found.high is not None:
        assert 0 <= found.low <= found.estimate <= found.high <= 1
