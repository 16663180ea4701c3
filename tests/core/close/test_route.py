"""A label goes where it can be used, and only as its author allowed."""

from __future__ import annotations

from itertools import chain, combinations

import pytest

from tests.factories import RIGHT, WRONG, a_label, a_signal, a_trace, an_edit, an_edit_signal, an_entry
from thumbwheel.close.preference import makes_pair
from thumbwheel.close.route import Outlet, lacking, outlets, rights_of
from thumbwheel.domain.annotation import Label, Verdict
from thumbwheel.domain.queue import Purpose
from thumbwheel.domain.signal import Right

ALL = frozenset(Right)
CORRECTED = a_label(corrected_output=RIGHT)
SOME_RIGHTS = [frozenset(some) for some in chain.from_iterable(combinations(Right, n) for n in range(5))]


def routes(label: Label, rights: frozenset[Right] = ALL, purpose: Purpose = Purpose.label) -> tuple[Outlet, ...]:
    return outlets(label, an_entry(purpose=purpose), a_trace(), rights)


def test_a_pass_becomes_nothing_and_a_failure_a_golden_row() -> None:
    assert routes(a_label(verdict=Verdict.passed)) == ()
    assert routes(a_label()) == (Outlet.golden,)


def test_a_corrected_failure_also_becomes_a_pair_if_it_may_train() -> None:
    assert routes(CORRECTED) == (Outlet.golden, Outlet.preference)
    assert routes(CORRECTED, ALL - {Right.train}) == (Outlet.golden,)


@pytest.mark.parametrize("purpose", Purpose)
def test_only_re_labelling_makes_no_artifact(purpose: Purpose) -> None:
    assert bool(routes(CORRECTED, purpose=purpose)) is (purpose is not Purpose.relabel)


@pytest.mark.parametrize("rights", SOME_RIGHTS)
@pytest.mark.parametrize("label", [CORRECTED, a_label(), a_label(corrected_output=WRONG)])
def test_a_pair_is_made_or_its_missing_right_is_named_or_there_is_none_to_make(
    label: Label, rights: frozenset[Right]
) -> None:
    made = Outlet.preference in routes(label, rights)
    missing = lacking(Outlet.preference, label, a_trace(), rights)
    assert (made, missing is Right.train).count(True) == makes_pair(label, a_trace())


def test_a_golden_row_says_when_it_may_not_know_what_right_looks_like() -> None:
    assert lacking(Outlet.golden, CORRECTED, a_trace(), ALL - {Right.evaluate}) is Right.evaluate
    assert lacking(Outlet.golden, CORRECTED, a_trace(), ALL) is None
    assert lacking(Outlet.golden, a_label(), a_trace(), frozenset()) is None


def test_a_reviewers_own_words_are_free_for_every_use() -> None:
    unrelated = an_edit_signal(edit=an_edit(edited="Ask the shop where you bought it, please."), rights=frozenset())
    assert rights_of(CORRECTED, [a_signal(), unrelated]) == ALL
    assert rights_of(CORRECTED, []) == ALL


@pytest.mark.parametrize("corrected", [RIGHT, f" {RIGHT}\n", RIGHT.replace("within", "in"), RIGHT.rstrip(".")])
def test_a_users_edit_taken_over_keeps_the_users_rights(corrected: str) -> None:
    label = a_label(corrected_output=corrected)
    assert rights_of(label, [an_edit_signal(rights=frozenset({Right.evaluate}))]) == {Right.evaluate}


def test_of_several_users_edits_only_what_all_of_them_gave_is_left() -> None:
    edits = [
        an_edit_signal(id="signal-1", rights=frozenset({Right.evaluate, Right.train})),
        an_edit_signal(id="signal-2", rights=frozenset({Right.train, Right.prompt})),
    ]
    assert rights_of(CORRECTED, edits) == {Right.train}


def test_edits_of_other_traces_and_labels_without_correction_take_nothing_away() -> None:
    assert rights_of(CORRECTED, [an_edit_signal(trace_id="trace-2", rights=frozenset())]) == ALL
    assert rights_of(a_label(), [an_edit_signal(rights=frozenset())]) == ALL
