"""Priors: what signals are worth before labels exist."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thumbwheel.capture.edit import hunks
from thumbwheel.capture.prior import (
    SEED,
    SignalFact,
    failure_log_odds,
    failure_probability,
    in_force,
    is_negative,
    negative_facts,
)
from thumbwheel.domain.signal import DEFAULT_REASONS, Edit, EditKind, Rating, Signal, SignalKind

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
BASE = math.log(0.05 / 0.95)


def a_fact(
    kind: str,
    *,
    rating: str | None = None,
    reason: str | None = None,
    edit: str | None = None,
    user: str | None = None,
    minutes: int = 0,
    z: float | None = None,
) -> SignalFact:
    return SignalFact(
        kind=SignalKind(kind),
        at=NOON + timedelta(minutes=minutes),
        rating=Rating(rating) if rating else None,
        reason=reason,
        edit_kind=EditKind(edit) if edit else None,
        user_id=user,
        dwell_z=z,
    )


facts = st.builds(
    SignalFact,
    kind=st.sampled_from(SignalKind),
    at=st.integers(0, 99).map(lambda minutes: NOON + timedelta(minutes=minutes)),
    rating=st.none() | st.sampled_from(Rating),
    reason=st.none() | st.sampled_from([*DEFAULT_REASONS, "our own"]),
    edit_kind=st.none() | st.sampled_from(EditKind),
    user_id=st.none() | st.sampled_from(["ann", "bo"]),
    dwell_z=st.none() | st.floats(-5, 5),
)


def test_without_signals_the_base_rate_speaks() -> None:
    assert failure_log_odds([]) == pytest.approx(BASE)
    assert failure_probability([], base_rate=0.2) == pytest.approx(0.2)


def test_a_regenerated_answer_gets_the_weight_of_its_published_precision() -> None:
    assert failure_log_odds([a_fact("implicit_regenerate")]) == pytest.approx(BASE + 3 * 0.7)


def test_an_edit_that_corrects_weighs_more_than_any_other_signal() -> None:
    edit = failure_log_odds([a_fact("user_edit", edit="correction")])
    others = [p for p in SEED.priors if (p.kind, p.value) != (SignalKind.user_edit, EditKind.correction)]
    assert all(edit > BASE + prior.log_odds for prior in others)


@pytest.mark.parametrize("kind", ["whitespace", "citation", "markup", "none"])
@pytest.mark.parametrize("signal", ["user_edit", "implicit_copy_edit"])
def test_an_edit_of_dress_says_nothing(signal: str, kind: str) -> None:
    fact = a_fact(signal, edit=kind)
    assert failure_log_odds([fact]) == pytest.approx(BASE)
    assert not is_negative([fact])


def test_the_same_complaint_twice_counts_once() -> None:
    down = a_fact("user_rating", rating="down", user="ann")
    reason = a_fact("user_reason", reason="hallucination", user="ann", minutes=1)
    assert failure_log_odds([down, reason, reason]) == failure_log_odds([reason])


def test_different_kinds_of_evidence_add_up() -> None:
    both = [a_fact("user_rating", rating="down"), a_fact("implicit_regenerate")]
    assert failure_log_odds(both) == pytest.approx(BASE + 3 * (0.9 + 0.7))


def test_the_latest_rating_of_a_user_wins_whatever_the_order_of_arrival() -> None:
    early = a_fact("user_rating", rating="down", user="ann")
    late = a_fact("user_rating", rating="up", user="ann", minutes=5)
    assert in_force([late, early]) == (late,)
    assert negative_facts([late, early]) == ()
    assert failure_log_odds([late, early]) == pytest.approx(BASE - 3 * 0.6)


def test_a_later_thumbs_up_withdraws_the_reasons_before_it_and_not_those_after() -> None:
    before = a_fact("user_reason", reason="too_long", user="ann")
    up = a_fact("user_rating", rating="up", user="ann", minutes=5)
    after = a_fact("user_reason", reason="formatting", user="ann", minutes=9)
    assert in_force([before, up, after]) == (up, after)


def test_two_users_who_differ_are_both_heard() -> None:
    ann, bo = a_fact("user_rating", rating="down", user="ann"), a_fact("user_rating", rating="up", user="bo", minutes=5)
    assert in_force([ann, bo]) == (ann, bo)
    assert failure_log_odds([ann, bo]) == pytest.approx(BASE + 3 * (0.9 - 0.6))


def test_which_signals_make_a_trace_eligible_for_the_negative_policy() -> None:
    yes = [
        a_fact("user_rating", rating="down"),
        a_fact("user_reason", reason="refused"),
        a_fact("user_edit", edit="correction"),
        a_fact("implicit_copy_edit"),
        a_fact("implicit_copy_edit", edit="correction"),
        a_fact("implicit_regenerate"),
        a_fact("implicit_clarification"),
        a_fact("implicit_abandonment"),
    ]
    no = [
        a_fact("user_rating", rating="up"),
        a_fact("user_edit"),
        a_fact("implicit_copy"),
        a_fact("implicit_dwell", z=5.0),
    ]
    assert [is_negative([fact]) for fact in [*yes, *no]] == [True] * len(yes) + [False] * len(no)


def test_reading_time_counts_only_where_it_is_unusual() -> None:
    usual, unusual = a_fact("implicit_dwell", z=2.5), a_fact("implicit_dwell", z=-2.6)
    assert failure_log_odds([usual]) == failure_log_odds([a_fact("implicit_dwell")]) == pytest.approx(BASE)
    assert failure_log_odds([unusual]) == pytest.approx(BASE + 3 * 0.15)


def test_a_projects_own_reason_has_the_weight_of_an_unknown_one() -> None:
    assert failure_log_odds([a_fact("user_reason", reason="our own")]) == pytest.approx(BASE + 3 * 0.7)


def test_the_judge_counts_within_what_a_fair_judge_is_worth() -> None:
    assert failure_log_odds([], 0.5) == pytest.approx(BASE)
    assert failure_log_odds([], 0.0) == failure_log_odds([], 0.001) == pytest.approx(BASE + math.log(8))
    assert failure_log_odds([], 1.0) == failure_log_odds([], 0.999) == pytest.approx(BASE + math.log(2 / 9))
    assert failure_log_odds([], 0.6) < failure_log_odds([], 0.4)


@pytest.mark.parametrize(("judge", "base"), [(1.1, 0.05), (-0.1, 0.05), (math.nan, 0.05), (0.5, 0.0), (0.5, 1.0)])
def test_impossible_numbers_are_refused(judge: float, base: float) -> None:
    with pytest.raises(ValueError, match="is not"):
        failure_log_odds([], judge, base)


def test_every_seed_has_a_basis_a_weight_in_range_and_every_kind_is_there() -> None:
    assert {prior.kind for prior in SEED.priors} == set(SignalKind)
    assert all(prior.basis and -1 <= prior.weight <= 1 for prior in SEED.priors)
    assert len({(prior.kind, prior.value) for prior in SEED.priors}) == len(SEED.priors)
    assert {p.value for p in SEED.priors if p.kind is SignalKind.user_reason} == {*DEFAULT_REASONS, None}


def test_a_fact_is_read_off_a_signal() -> None:
    signal = Signal(
        id="s", trace_id="t", kind=SignalKind.user_edit, at=NOON, user_id="ann", edit=hunks("It is 3.", "It is 4.")
    )
    assert SignalFact.of(signal) == a_fact("user_edit", edit="correction", user="ann")


def test_an_edit_whose_original_is_not_known_yet_says_nothing() -> None:
    edit = Edit(original=None, edited="It is 4.", hunks=(), kind=EditKind.none)
    signal = Signal(id="s", trace_id="t", kind=SignalKind.implicit_copy_edit, at=NOON, edit=edit)
    assert SignalFact.of(signal) == a_fact("implicit_copy_edit")


@given(st.lists(facts, max_size=8), st.none() | st.floats(0, 1))
def test_a_probability_of_failure_is_never_certain(found: list[SignalFact], judge: float | None) -> None:
    assert 0.0 < failure_probability(found, judge) < 1.0


@given(st.lists(facts, max_size=8))
def test_what_stands_stands_when_asked_again(found: list[SignalFact]) -> None:
    assert in_force(in_force(found)) == in_force(found)


@given(st.lists(facts, max_size=8))
def test_a_correction_never_lowers_the_odds_of_failure(found: list[SignalFact]) -> None:
    assert failure_log_odds([*found, a_fact("user_edit", edit="correction")]) >= failure_log_odds(found)
