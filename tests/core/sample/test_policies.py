"""The policies: sizes, size classes, reasons."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thumbwheel.domain.queue import Policy
from thumbwheel.domain.signal import SignalKind
from thumbwheel.sample.lane import LaneId
from thumbwheel.sample.policies import (
    LAST_CLASS,
    class_of,
    class_upper,
    drift_reason,
    negative_reason,
    negative_size,
    random_reason,
    sizes,
    stratified_reason,
    uncertain_reason,
    uncertain_size,
)


@pytest.mark.parametrize(
    ("risk", "size"), [(0.5, 1.0), (0.75, 3.0), (0.8, 4.0), (0.99, 4.0), (1.0, 4.0), (0.01, 0.02), (0.0, 0.02)]
)
def test_a_negative_trace_weighs_its_odds_of_failure_within_limits(risk: float, size: float) -> None:
    assert negative_size([1.0], risk) == pytest.approx(size)


def test_without_a_model_the_signals_stand_for_the_odds() -> None:
    assert negative_size([0.5, 1.25]) == 1.75
    assert negative_size([3.0, 3.0]) == 4.0
    assert negative_size([-1.0]) == 0.02


def test_without_a_negative_signal_there_is_nothing_to_weigh() -> None:
    assert negative_size([], 0.9) == 0.0


@given(st.floats(0, 1))
def test_the_most_uncertain_is_even_odds(risk: float) -> None:
    assert 0 <= uncertain_size(risk) <= uncertain_size(0.5) == 0.5
    assert uncertain_size(risk) == pytest.approx(math.sqrt(risk * (1 - risk)))


def test_what_is_not_known_or_not_unsure_is_not_eligible() -> None:
    assert [uncertain_size(risk) for risk in (None, 0.0, 1.0)] == [0.0, 0.0, 0.0]


@given(st.floats(0, 4, exclude_min=True))
def test_a_size_lies_in_its_class(size: float) -> None:
    size_class = class_of(size)
    assert 0 <= size_class <= LAST_CLASS
    assert size <= class_upper(size_class)
    assert size_class == LAST_CLASS or size > class_upper(size_class + 1)


@pytest.mark.parametrize(("size", "size_class"), [(4.0, 0), (2.0, 1), (1.0, 2), (0.5, 3), (0.02, 7), (1e-300, 15)])
def test_known_classes(size: float, size_class: int) -> None:
    assert class_of(size) == size_class


@pytest.mark.parametrize("size", [0.0, -1.0, 4.1, math.nan, math.inf])
def test_other_sizes_have_no_class(size: float) -> None:
    with pytest.raises(ValueError, match="is not in"):
        class_of(size)


def test_a_trace_is_listed_where_it_has_a_size() -> None:
    assert sizes(None) == {LaneId(Policy.stratified, ""): 1.0, LaneId(Policy.random): 1.0}
    assert sizes("travel", negative=2.0, uncertain=0.3, alerts=["a1"]) == {
        LaneId(Policy.drift, "a1"): 1.0,
        LaneId(Policy.negative): 2.0,
        LaneId(Policy.uncertain): 0.3,
        LaneId(Policy.stratified, "travel"): 1.0,
        LaneId(Policy.random): 1.0,
    }


def test_reasons_in_words() -> None:
    rated = {SignalKind.user_rating, SignalKind.user_reason}
    assert negative_reason(rated, reason="hallucination", user_id="u-774f") == (
        "thumbs-down, reason hallucination, by user …4f"
    )
    assert negative_reason([SignalKind.user_edit]) == "edited by the user"
    assert negative_reason([SignalKind.implicit_regenerate, SignalKind.user_edit]) == "edited by the user, regenerated"
    assert negative_reason([SignalKind.user_reason], reason="unsafe") == "reason unsafe"
    assert negative_reason([]) == "negative signal"
    assert uncertain_reason(8) == "one of 8 picked by how unsure it is"
    assert drift_reason("checkout", {"category": "billing"}) == "drift alert 'checkout': category billing"
    assert stratified_reason(4, "travel") == "one of 4 from category travel"
    assert stratified_reason(4, None) == "one of 4 without a category"
    assert random_reason(7, 20) == "uniform random pick 7 of 20"


@pytest.mark.parametrize("kind", list(SignalKind))
def test_every_negative_kind_has_its_words_and_a_reason_speaks_for_itself(kind: SignalKind) -> None:
    known = kind not in (SignalKind.implicit_copy, SignalKind.user_reason)
    assert (negative_reason([kind]) != "negative signal") == known
