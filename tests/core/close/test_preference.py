"""A corrected failure becomes a pair, in the form that trainers read."""

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
    a_label,
    a_preference_pair,
    a_provenance,
    a_trace,
    an_entry,
)
from tests.strategies import json_values
from thumbwheel.close.preference import compares, make_compared, make_pair, makes_pair, to_trl
from thumbwheel.domain.annotation import Better, Comparison, Label, Verdict
from thumbwheel.domain.artifact import PreferencePair
from thumbwheel.domain.signal import Right
from thumbwheel.domain.trace import Json, Trace
from thumbwheel.errors import Invalid

NOW: datetime = MONDAY + 10 * DAY
CORRECTED = a_label(corrected_output=RIGHT)


def test_the_corrected_answer_is_chosen_over_the_failed_one() -> None:
    pair = make_pair(CORRECTED, an_entry(), a_trace(), rights=frozenset({Right.train}), new_id="pair-1", now=NOW)
    assert pair == PreferencePair(
        id="pair-1",
        input=QUESTION,
        chosen=RIGHT,
        rejected=WRONG,
        rights=(Right.train,),
        provenance=a_provenance(),
        created_at=NOW,
    )


def test_without_the_right_to_train_there_is_no_pair() -> None:
    rights = frozenset(Right) - {Right.train}
    with pytest.raises(Invalid) as refused:
        make_pair(CORRECTED, an_entry(), a_trace(), rights=rights, new_id="pair-1", now=NOW)
    assert refused.value.field == "rights"


@pytest.mark.parametrize(
    ("label", "trace"),
    [
        (a_label(), a_trace()),
        (a_label(corrected_output=" \n"), a_trace()),
        (a_label(corrected_output=f" {WRONG}\n"), a_trace()),
        (CORRECTED, a_trace(output=None)),
        (a_label(verdict=Verdict.passed, corrected_output=RIGHT), a_trace()),
    ],
)
def test_what_teaches_nothing_is_no_pair(label: Label, trace: Trace) -> None:
    assert not makes_pair(label, trace)
    with pytest.raises(Invalid):
        make_pair(label, an_entry(), trace, rights=frozenset(Right), new_id="pair-1", now=NOW)


def prompt(logged: Json) -> list[dict[str, str]]:
    return to_trl(a_preference_pair(input=logged))["prompt"]


def test_a_pair_is_written_as_messages() -> None:
    assert to_trl(a_preference_pair()) == {
        "prompt": [{"role": "user", "content": QUESTION}],
        "chosen": [{"role": "assistant", "content": RIGHT}],
        "rejected": [{"role": "assistant", "content": WRONG}],
    }


def test_a_conversation_keeps_its_turns_under_the_roles_trainers_know() -> None:
    turns: list[Json] = [
        {"role": "developer", "content": "Be brief."},
        {"role": "human", "content": "Hello"},
        {"role": "ai", "content": "Hello!"},
        {"role": "narrator", "content": QUESTION},
        {"role": "assistant", "content": WRONG},
    ]
    expected = [("system", "Be brief."), ("user", "Hello"), ("assistant", "Hello!"), ("user", QUESTION)]
    assert [(turn["role"], turn["content"]) for turn in prompt(turns)] == expected
    assert prompt({"messages": turns, "temperature": 0.2}) == prompt(turns)


def test_an_input_that_is_no_conversation_is_one_user_message() -> None:
    assert prompt({"question": "a kettle?"}) == [{"role": "user", "content": '{\n  "question": "a kettle?"\n}'}]
    assert prompt(None) == [{"role": "user", "content": ""}]


@given(json_values())
def test_every_input_makes_a_prompt_of_roles_and_texts(logged: Json) -> None:
    turns = prompt(logged)
    assert turns
    assert all(set(turn) == {"role", "content"} and isinstance(turn["content"], str) for turn in turns)
    assert {turn["role"] for turn in turns} <= {"system", "user", "assistant", "tool"}
    assert len(turns) == 1 or turns[-1]["role"] != "assistant"


def a_comparison(better: Better) -> Label:
    return a_label(verdict=Verdict.passed, categories=(), comparison=Comparison(other_trace_id="t2", better=better))


OTHER = a_trace(id="t2", output=RIGHT)


@pytest.mark.parametrize(("better", "chosen", "rejected"), [(Better.this, WRONG, RIGHT), (Better.other, RIGHT, WRONG)])
def test_of_two_answers_the_better_one_is_chosen(better: Better, chosen: str, rejected: str) -> None:
    pair = make_compared(a_comparison(better), an_entry(), a_trace(), OTHER, new_id="pair-1", now=NOW)
    assert (pair.chosen, pair.rejected, pair.other_trace_id) == (chosen, rejected, "t2")
    assert pair.input == QUESTION
    assert pair.rights == tuple(Right)


@pytest.mark.parametrize(
    ("label", "other"),
    [
        (a_comparison(Better.equal), OTHER),
        (a_comparison(Better.other), None),
        (a_comparison(Better.other), a_trace(id="t2", output=None)),
        (a_comparison(Better.other), a_trace(id="t2", output=f"{WRONG} ")),
        (a_label(), OTHER),
    ],
)
def test_two_answers_of_which_none_is_better_make_no_pair(label: Label, other: Trace | None) -> None:
    assert not compares(label, a_trace(), other)
    if other is not None:
        with pytest.raises(Invalid):
            make_compared(label, an_entry(), a_trace(), other, new_id="pair-1", now=NOW)
