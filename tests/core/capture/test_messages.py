"""Conversations of every dialect come out in one form."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from tests.strategies import dialect_values
from thumbwheel.capture.messages import conversation, led_by, plain_text, spoken
from thumbwheel.domain.trace import Json

USER = {"role": "user", "content": "How long?"}
CALL = {"id": "c1", "name": "order", "arguments": {"id": 7}}


@pytest.mark.parametrize(
    "said",
    [
        [USER],
        [[USER]],
        USER,
        {"messages": [USER]},
        {"messages": [USER], "model": "m", "temperature": 0, "tools": []},
        [{"role": "user", "parts": [{"type": "text", "content": "How long?"}], "name": None}],
        [{"role": "user", "content": [{"type": "text", "text": "How long?"}]}],
        [{"role": "user", "content": [{"type": "input_text", "text": "How long?"}]}],
        [{"role": "user", "parts": [{"text": "How long?"}]}],
        [{"message": {"role": "user", "content": "How long?"}}],
        [{"message": {"role": "user", "contents": [{"message_content": {"type": "text", "text": "How long?"}}]}}],
        [{"type": "human", "content": "How long?"}],
        [{"type": "human", "data": {"content": "How long?"}}],
        [{"lc": 1, "type": "constructor", "id": ["langchain", "HumanMessage"], "kwargs": {"content": "How long?"}}],
    ],
)
def test_one_question_in_every_form(said: Any) -> None:
    assert conversation(said) == [USER]
    assert spoken(said, answer=False) == [USER]


@pytest.mark.parametrize(
    "said",
    [
        [{"role": "assistant", "content": "", "tool_calls": [CALL]}],
        [{"role": "assistant", "tool_calls": [{"id": "c1", "function": {"name": "order", "arguments": '{"id": 7}'}}]}],
        [{"role": "assistant", "parts": [{"type": "tool_call", **CALL}]}],
        [{"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "order", "input": {"id": 7}}]}],
        [
            {
                "message": {
                    "role": "assistant",
                    "tool_calls": [
                        {"tool_call": {"id": "c1", "function": {"name": "order", "arguments": '{"id": 7}'}}}
                    ],
                }
            }
        ],
        [{"type": "ai", "content": "", "tool_calls": [{"id": "c1", "name": "order", "args": {"id": 7}}]}],
        {"choices": [{"message": {"role": "assistant", "content": None, "tool_calls": [CALL]}}]},
        {"generations": [[{"text": "", "message": {"type": "ai", "content": "", "tool_calls": [CALL]}}]]},
    ],
)
def test_one_tool_call_in_every_form(said: Any) -> None:
    found = conversation(said)
    assert found is not None
    (message,) = found
    assert message["role"] == "assistant"
    assert message["tool_calls"] == [CALL]
    assert not message["content"]


@pytest.mark.parametrize(
    "said",
    [
        [{"role": "tool", "tool_call_id": "c1", "content": "kettle"}],
        [{"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "kettle"}]}],
        [{"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "result": "kettle"}]}],
        [{"role": "tool", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "kettle"}]}],
        [{"type": "tool", "tool_call_id": "c1", "content": "kettle"}],
    ],
)
def test_what_a_tool_answered_in_every_form(said: Any) -> None:
    assert conversation(said) == [{"role": "tool", "tool_call_id": "c1", "content": "kettle"}]


def test_pictures_stay_and_reasoning_stands_beside_the_content() -> None:
    picture: Any = {"type": "image_url", "image_url": {"url": "data:"}}
    asked: Any = {"type": "text", "text": "What is it?"}
    assert conversation([{"role": "user", "content": [asked, picture]}]) == [
        {"role": "user", "content": [asked, picture]}
    ]
    parts: Any = [{"type": "reasoning", "content": "Hm."}, {"type": "text", "content": "A kettle."}]
    assert conversation([{"role": "assistant", "parts": parts}]) == [
        {"role": "assistant", "reasoning": "Hm.", "content": "A kettle."}
    ]


@pytest.mark.parametrize(
    "said",
    [
        None,
        "text",
        7,
        [],
        {},
        ["text"],
        [USER, "text"],
        {"messages": "none"},
        {"role": "admin"},
        {"type": "human"},
        [[]],
    ],
)
def test_what_is_no_conversation_stays_as_it_is(said: Any) -> None:
    assert conversation(said) is None
    assert spoken(said, answer=False) == said


def test_messages_beside_the_applications_own_state_stay_there() -> None:
    state: Any = {"messages": [USER], "cart": ["kettle"]}
    assert spoken(state, answer=False) == state


@pytest.mark.parametrize(
    "said",
    [
        "60 days.",
        {"output": "60 days."},
        {"role": "assistant", "content": "60 days."},
        [{"role": "assistant", "parts": [{"type": "text", "content": "60 days."}], "finish_reason": "stop"}],
        {"choices": [{"index": 0, "message": {"role": "assistant", "content": "60 days."}}]},
        {"generations": [[{"text": "60 days."}]]},
    ],
)
def test_an_answer_of_one_plain_text_is_that_text(said: Any) -> None:
    assert spoken(said, answer=True) == "60 days."


def test_the_system_prompt_of_an_anthropic_request_leads() -> None:
    said: Any = {"model": "m", "system": [{"type": "text", "text": "Be brief."}], "messages": [USER]}
    assert conversation(said) == [{"role": "system", "content": "Be brief."}, USER]


def test_a_prompt_as_text_or_parts() -> None:
    assert plain_text([{"type": "text", "content": "a"}, "b", {"text": "c"}]) == "a\nb\nc"
    assert plain_text([]) is None
    assert led_by(None, [USER]) == [USER]


@given(dialect_values())
def test_any_value_is_read_without_fault_and_reading_it_again_changes_nothing(value: Json) -> None:
    for answer in (False, True):
        once = spoken(value, answer=answer)
        assert spoken(once, answer=answer) == once
