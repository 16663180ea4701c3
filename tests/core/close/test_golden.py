"""A failure becomes a golden row with everything a later reader needs."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given

from tests.factories import (
    DAY,
    MONDAY,
    QUESTION,
    RIGHT,
    WRONG,
    a_check,
    a_golden_row,
    a_label,
    a_provenance,
    a_trace,
    an_entry,
)
from tests.strategies import json_values
from thumbwheel.close.check import Outcome, run_check
from thumbwheel.close.golden import default_check, make_row, target_input
from thumbwheel.domain.annotation import Label, Verdict
from thumbwheel.domain.artifact import Check, CheckKind, GoldenRow, GoldenStatus
from thumbwheel.domain.queue import QueueEntry
from thumbwheel.domain.signal import Right
from thumbwheel.domain.trace import Json, Trace
from thumbwheel.errors import Invalid

NOW: datetime = MONDAY + 10 * DAY
FAILED = a_label(critique="The policy says 30.", corrected_output=RIGHT)


def row_of(
    label: Label = FAILED,
    entry: QueueEntry | None = None,
    trace: Trace | None = None,
    rights: frozenset[Right] = frozenset(Right),
    check: Check | None = None,
    judged: bool = False,
) -> GoldenRow:
    entry, trace = entry or an_entry(), trace or a_trace()
    return make_row(label, entry, trace, new_id="golden-1", now=NOW, rights=rights, check=check, judged=judged)


def test_a_failure_becomes_an_open_row_with_its_whole_provenance() -> None:
    assert row_of() == GoldenRow(
        id="golden-1",
        input=QUESTION,
        failed_output=WRONG,
        expected=RIGHT,
        critique="The policy says 30.",
        categories=("wrong-fact",),
        check=Check(kind=CheckKind.equals, value=WRONG, negate=True),
        status=GoldenStatus.open,
        provenance=a_provenance(),
        created_at=NOW,
    )


def test_what_right_looks_like_needs_the_right_to_evaluate() -> None:
    assert row_of(rights=frozenset(Right) - {Right.evaluate}).expected is None


def test_without_a_judge_the_wrong_answer_must_not_come_back() -> None:
    row = row_of()
    assert run_check(row, f" {WRONG}\n").outcome is Outcome.failed
    assert run_check(row, RIGHT).outcome is Outcome.passed


def test_a_judge_compares_with_the_corrected_answer_when_there_is_one() -> None:
    assert row_of(judged=True).check == Check(kind=CheckKind.judge, value=RIGHT)
    kept_back = row_of(judged=True, rights=frozenset({Right.train}))
    assert kept_back.check.kind is CheckKind.equals


def test_a_person_can_choose_the_check_and_one_that_cannot_run_is_refused() -> None:
    assert row_of(check=a_check()).check == a_check()
    with pytest.raises(Invalid):
        row_of(check=a_check(value=""))


def test_a_pass_becomes_no_row_and_strangers_are_not_joined() -> None:
    with pytest.raises(Invalid):
        row_of(label=a_label(verdict=Verdict.passed))
    for entry, trace in ((an_entry(id="entry-2"), a_trace()), (an_entry(), a_trace(id="trace-2"))):
        with pytest.raises(Invalid):
            row_of(entry=entry, trace=trace)


@given(json_values())
def test_by_default_the_failed_answer_fails_whatever_it_was(output: Json) -> None:
    row = a_golden_row(check=default_check(output, None))
    assert run_check(row, output).outcome is Outcome.failed


USER = {"role": "user", "content": "and a toaster?"}
SYSTEM = {"role": "system", "content": "Be brief."}


@pytest.mark.parametrize(
    ("logged", "handed"),
    [
        ("a kettle?", {"input": "a kettle?", "messages": [{"role": "user", "content": "a kettle?"}]}),
        ([SYSTEM, USER], {"input": "and a toaster?", "messages": [SYSTEM, USER]}),
        (USER, {"input": "and a toaster?", "messages": [USER]}),
        ([SYSTEM], {"input": "Be brief.", "messages": [SYSTEM]}),
        ({"question": "a kettle?", "k": 3}, {"question": "a kettle?", "k": 3}),
        ([1, 2], {"input": [1, 2]}),
        ([], {"input": []}),
        (None, {"input": None}),
    ],
)
def test_the_application_is_asked_as_it_was_asked_before(logged: Json, handed: dict[str, Json]) -> None:
    assert target_input(a_golden_row(input=logged)) == handed
