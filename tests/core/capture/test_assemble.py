"""Spans in pieces make one trace, whatever their order; and what each step says lands where it belongs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import MONDAY, a_trace
from tests.strategies import dialect_values, span_pieces
from thumbwheel.capture.assemble import documents_of, facts_of, fold, gather, input_of, output_of
from thumbwheel.capture.merge import merge
from thumbwheel.domain.span import WHOLE, Level, Span, SpanEvent, SpanKind, TraceFacts, stamp_of
from thumbwheel.domain.trace import Document, ToolCall, Trace

SECOND = timedelta(seconds=1)


def assembled(batches: Sequence[Sequence[Span]]) -> tuple[dict[str, Span], Trace]:
    """What a store holds after these batches: each merged in itself, then with what was there."""
    held: dict[str, Span] = {}
    for batch in batches:
        held = gather([*held.values(), *gather(batch).values()])
    return held, fold("t", held.values(), otherwise=MONDAY)


@given(st.lists(span_pieces(), min_size=1, max_size=7), st.randoms(use_true_random=False))
def test_order_repetition_and_batches_of_pieces_do_not_matter(found: list[Span], chance: Random) -> None:
    plainly = assembled([found])
    again = [*found, *chance.choices(found, k=3)]
    chance.shuffle(again)
    batches: list[list[Span]] = [[] for _ in range(4)]
    for piece in again:
        chance.choice(batches).append(piece)
    assert assembled(batches) == plainly
    assert assembled([[piece] for piece in reversed(found)]) == plainly


@given(span_pieces(), span_pieces(), span_pieces())
def test_merging_is_a_join(one: Span, two: Span, three: Span) -> None:
    one, two, three = (replace(each, id="s") for each in (one, two, three))
    assert merge(one, one) == one
    assert merge(one, two) == merge(two, one)
    assert merge(merge(one, two), three) == merge(one, merge(two, three))
    assert merge(merge(one, two), two) == merge(one, two)


def span(id: str = "s1", **given: Any) -> Span:
    return Span(trace_id="t", id=id, **given)


def folded(*spans: Span) -> Trace:
    return fold("t", gather(spans).values(), otherwise=MONDAY)


# --- merging


def test_what_a_piece_does_not_say_never_overwrites() -> None:
    said = span(input="q", model="m", metadata={"a": 1, "b": 1}, facts=TraceFacts(tags=("x",), user_id="u"), stamp=1)
    update = span(output="a", metadata={"b": 2, "a": None}, facts=TraceFacts(tags=("y",)), level=Level.error, stamp=2)
    both = merge(said, update)
    assert (both.input, both.output, both.model, both.level) == ("q", "a", "m", Level.error)
    assert both.metadata == {"a": 1, "b": 2}
    assert (both.facts.tags, both.facts.user_id) == (("x", "y"), "u")


def test_an_older_piece_fills_gaps_only_also_after_a_newer_one_filled_others() -> None:
    newest = span(output="third", stamp=3)
    middle = span(output="second", input="second", stamp=2)
    oldest = span(output="first", input="first", name="first", stamp=1)
    for order in ((newest, middle, oldest), (oldest, newest, middle), (middle, oldest, newest)):
        both = merge(merge(order[0], order[1]), order[2])
        assert (both.output, both.input, both.name) == ("third", "second", "first")


def test_an_update_at_the_same_millisecond_speaks_last() -> None:
    create, update = span(output="draft", stamp=stamp_of(MONDAY)), span(output="x", stamp=stamp_of(MONDAY, update=True))
    assert merge(update, create).output == "x"
    assert merge(create, update).output == "x"


# --- what speaks for the whole


def test_the_whole_wins_over_the_root_and_the_root_over_the_others() -> None:
    child = span("c", parent_id="r", started_at=MONDAY, facts=TraceFacts(user_id="c", session_id="c", release="c"))
    root = span("r", started_at=MONDAY + SECOND, name="root", facts=TraceFacts(user_id="r", session_id="r"))
    whole = span(WHOLE, facts=TraceFacts(user_id="w"))
    trace = folded(child, root, whole)
    assert (trace.user_id, trace.session_id, trace.release, trace.name) == ("w", "r", "c", "root")
    assert trace.started_at == MONDAY + SECOND


def test_input_and_output_are_the_roots_else_those_of_the_first_and_last_generation() -> None:
    first = span("g1", parent_id="r", kind=SpanKind.generation, started_at=MONDAY, input="q1", output="a1", model="m1")
    last = span(
        "g2", parent_id="r", kind=SpanKind.generation, started_at=MONDAY + SECOND, input="q2", output="a2", model="m2"
    )
    bare = span("r", started_at=MONDAY)
    assert (folded(bare, last, first).input, folded(bare, last, first).output) == ("q1", "a2")
    assert folded(bare, last, first).model == "m2"
    assert folded(replace(bare, input="q"), last, first).input == "q"
    assert folded(first, last).output == "a2"


def test_a_step_the_client_calls_the_root_is_the_root_whatever_its_parent() -> None:
    server = span("h", name="POST /chat", input="bytes", started_at=MONDAY)
    app = span("a", parent_id="h", root=True, name="answer", input="q", started_at=MONDAY + SECOND)
    assert (folded(server, app).name, folded(server, app).input) == ("answer", "q")


def test_two_steps_without_a_parent_have_no_root_and_the_generations_speak() -> None:
    retrieve = span("a", kind=SpanKind.retriever, started_at=MONDAY, input="query", output=[])
    answer = span("b", kind=SpanKind.generation, started_at=MONDAY + SECOND, input="q", output="a")
    assert (folded(retrieve, answer).input, folded(retrieve, answer).output) == ("q", "a")
    assert folded(retrieve, answer).name is None


def test_a_step_whose_parent_never_came_stands_in_for_the_root() -> None:
    assert folded(span("a", parent_id="remote", name="chat", input="q", output="a")).name == "chat"


@pytest.mark.parametrize(
    ("given", "category"),
    [
        (TraceFacts(category="returns", metadata={"category": "other"}), "returns"),
        (TraceFacts(metadata={"category": "returns"}), "returns"),
        (TraceFacts(metadata={"category": ["returns"]}), None),
        (TraceFacts(name="returns"), None),
    ],
)
def test_the_category_is_what_is_called_so_and_never_the_name(given: TraceFacts, category: str | None) -> None:
    assert folded(span(facts=given)).category == category


def test_metadata_that_became_a_field_leaves_the_metadata() -> None:
    metadata: dict[str, Any] = {"category": "returns", "prompt_version": "v7", "tenant": "acme"}
    trace = folded(span(facts=TraceFacts(metadata=metadata, environment="staging")))
    assert (trace.category, trace.prompt_version) == ("returns", "v7")
    assert trace.metadata == {"environment": "staging", "tenant": "acme"}
    assert folded(span(facts=TraceFacts(environment="default"))).metadata == {}


def test_a_trace_that_came_whole_is_the_same_when_it_is_said_as_facts() -> None:
    whole = a_trace(tool_calls=(ToolCall(name="order"),), metadata={"a": 1}, tags=("x",), name="ask")
    assert fold(whole.id, [Span(trace_id=whole.id, id=WHOLE, facts=facts_of(whole))], otherwise=MONDAY) == whole


def test_names_fit_their_columns() -> None:
    trace = folded(span(name="a\0b", facts=TraceFacts(user_id="u" * 600, tags=("", "a\0"))))
    assert (trace.name, trace.user_id, trace.tags) == ("ab", "u" * 512, ("a",))


def test_an_end_before_the_start_is_no_end() -> None:
    assert folded(span(started_at=MONDAY, ended_at=MONDAY - SECOND)).ended_at is None


# --- messages


def test_the_system_prompt_leads_the_messages() -> None:
    system = [{"type": "text", "content": "Be brief."}]
    said: Any = [{"role": "user", "parts": [{"type": "text", "content": "q"}]}]
    lead = {"role": "system", "content": "Be brief."}
    assert input_of(span(input=said, system_prompt=system)) == [lead, {"role": "user", "content": "q"}]
    assert input_of(span(input="q", system_prompt="Be brief.")) == [lead, {"role": "user", "content": "q"}]
    assert input_of(span(input=[lead, said[0]], system_prompt=system)) == [lead, {"role": "user", "content": "q"}]


def test_events_are_the_messages_where_nothing_else_is() -> None:
    said = (
        SpanEvent(at=3, name="gen_ai.choice", body={"index": 1, "message": {"content": "second"}}),
        SpanEvent(at=2, name="gen_ai.choice", body={"index": 0, "message": {"content": "first"}}),
        SpanEvent(at=1, name="gen_ai.user.message", body="q"),
    )
    assert input_of(span(events=said)) == [{"role": "user", "content": "q"}]
    assert output_of(span(events=said)) == [
        {"role": "assistant", "content": "first"},
        {"role": "assistant", "content": "second"},
    ]
    assert output_of(span(events=said, output="told")) == "told"


# --- documents and tools


def test_documents_come_from_retrievers_with_ids_scores_and_ranks() -> None:
    listed: Any = [
        {"id": "returns", "page_content": "30 days.", "score": 0.5, "metadata": {}},
        {"page_content": "Boxes.", "metadata": {"id": "boxes", "score": "0.25"}},
        {"page_content": "No id."},
    ]
    retriever = span("a", kind=SpanKind.retriever, output=listed, started_at=MONDAY)
    returns, boxes, nameless = folded(retriever).documents
    assert returns == Document(id="returns", content="30 days.", score=0.5, rank=1)
    assert boxes == Document(id="boxes", content="Boxes.", score=0.25, rank=2)
    assert nameless.id == documents_of(retriever)[2].id
    assert nameless.id.startswith("content-")
    ranked = span("b", documents=(Document(id="boxes", score=0.9, rank=1),), started_at=MONDAY + SECOND)
    assert folded(ranked, retriever).documents[:2] == (
        returns,
        Document(id="boxes", content="Boxes.", score=0.9, rank=1),
    )


@pytest.mark.parametrize("output", ["text", [{"id": 1}, "text"], [], {"a": [], "b": []}, None, [{"other": 1}]])
def test_what_is_no_list_of_documents_gives_none(output: Any) -> None:
    assert documents_of(span(kind=SpanKind.retriever, output=output)) == ()
    assert documents_of(span(kind=SpanKind.chain, output=[{"id": "a"}])) == ()


def test_tools_that_ran_and_tools_that_were_only_asked_for() -> None:
    asked: Any = [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "c1", "function": {"name": "order", "arguments": '{"id": 7}'}},
                {"id": "c2", "function": {"name": "stock", "arguments": "{}"}},
            ],
        }
    ]
    first = span("g1", kind=SpanKind.generation, started_at=MONDAY, output=asked)
    order = span("t", kind=SpanKind.tool, name="order", input='{"id": 7}', output="kettle", started_at=MONDAY)
    answers: Any = [*asked, {"role": "tool", "tool_call_id": "c2", "content": '{"n": 3}'}]
    second = span("g2", kind=SpanKind.generation, started_at=MONDAY + SECOND, input=answers, output="a")
    assert folded(first, order, second).tool_calls == (
        ToolCall(name="order", arguments={"id": 7}, result="kettle"),
        ToolCall(name="stock", arguments={}, result={"n": 3}),
    )


def test_calls_of_an_earlier_turn_are_not_this_traces() -> None:
    history: Any = [
        {"role": "assistant", "content": "", "tool_calls": [{"id": "old", "name": "order", "arguments": {}}]},
        {"role": "tool", "tool_call_id": "old", "content": "kettle"},
        {"role": "user", "content": "thanks"},
    ]
    assert folded(span(kind=SpanKind.generation, input=history, output="bye")).tool_calls == ()


@given(st.lists(st.tuples(st.sampled_from(SpanKind), dialect_values(), dialect_values(), dialect_values()), max_size=4))
def test_whatever_a_step_was_given_and_gave_the_trace_is_made(told: list[tuple[SpanKind, Any, Any, Any]]) -> None:
    spans = [
        span(f"s{n}", kind=kind, input=given, output=gave, system_prompt=system, tool_arguments=given)
        for n, (kind, given, gave, system) in enumerate(told)
    ]
    trace = folded(*spans)
    assert fold("t", [span(WHOLE, facts=facts_of(trace))], otherwise=MONDAY) == trace
