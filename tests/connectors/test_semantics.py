"""Whatever stands in attributes, spans come out of it that can be merged, folded, stored and read again."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import NOW
from tests.otlp import AT, CHILD, OTHER, TRACE
from tests.strategies import dialect_values, hostile_text
from thumbwheel.capture.assemble import fold, gather
from thumbwheel.connectors.attributes import Client, decoded, gathered, kind_of, listed_texts
from thumbwheel.connectors.otlp import EventRecord, LogRecord, Record, time_of
from thumbwheel.connectors.semantics import understand_logs, understand_spans
from thumbwheel.domain.span import SpanKind
from thumbwheel.store.payloads import pack, unpack_spans

NAMES = """
langfuse.observation.type langfuse.observation.input langfuse.observation.output langfuse.observation.usage_details
langfuse.observation.metadata langfuse.observation.metadata.a langfuse.observation.level langfuse.trace.tags
langfuse.trace.metadata langfuse.trace.metadata.a langfuse.trace.input langfuse.internal.is_app_root user.id session.id
openinference.span.kind input.value output.value llm.input_messages.0.message.role llm.input_messages.0.message
llm.input_messages.0.message.content llm.output_messages.1.message.tool_calls.0.tool_call.function.name metadata tag.tags
retrieval.documents.0.document.id retrieval.documents.0.document retrieval.documents.x llm.token_count.prompt
annotations.0.annotation.name annotations.0.annotation.score annotations.0.annotation.label annotations.0
trace.evaluations.0.evaluation.name trace.evaluations.0.evaluation.score session.annotations.0.annotation.name
gen_ai.operation.name gen_ai.input.messages gen_ai.output.messages gen_ai.system_instructions gen_ai.request.model
gen_ai.retrieval.documents gen_ai.tool.call.arguments gen_ai.tool.call.result gen_ai.prompt gen_ai.prompt.0.content
gen_ai.prompt.0.role gen_ai.prompt.version gen_ai.completion gen_ai.response.id gen_ai.event.content
gen_ai.evaluation.name gen_ai.evaluation.score.value gen_ai.evaluation.score.label mlflow.spanType mlflow.spanInputs
mlflow.chat.tokenUsage traceloop.entity.input langsmith.span.kind langsmith.metadata.user_id langsmith.metadata.a category
""".split()
EVENTS = st.sampled_from(
    ["gen_ai.user.message", "gen_ai.choice", "gen_ai.content.prompt", "gen_ai.evaluation.result", "exception", "other"]
)
kinds = st.sampled_from(["generation", "LLM", "chat", "RETRIEVER", "TOOL", '"TOOL"', "llm"])
# Protobuf and a JSON parser hold no lone surrogates, but anything else.
texts = hostile_text().map(lambda text: text.encode("utf-8", "replace").decode()) | kinds
values = dialect_values() | texts | dialect_values().map(json.dumps)
attributes = st.dictionaries(st.sampled_from(NAMES), values, max_size=8)
nanos = st.sampled_from([0, AT, AT + 1, 2**64 - 1, 1])
records = st.builds(
    Record,
    trace_id=st.just(TRACE),
    span_id=st.sampled_from([CHILD, OTHER]),
    parent_id=st.none() | st.just(OTHER),
    name=texts,
    start_nanos=nanos,
    end_nanos=nanos,
    attributes=attributes,
    resource=attributes,
    events=st.lists(st.builds(EventRecord, EVENTS, nanos, attributes), max_size=2),
    links=st.lists(st.sampled_from([(TRACE, CHILD), ("", "")]), max_size=2),
    failed=st.booleans(),
    message=texts,
)
logs = st.builds(
    LogRecord,
    name=EVENTS,
    nanos=nanos,
    trace_id=st.none() | st.just(TRACE),
    span_id=st.none() | st.just(CHILD),
    attributes=attributes,
    body=values,
    resource=attributes,
)


@settings(max_examples=60)
@given(
    st.lists(records, max_size=3), st.lists(logs, max_size=3), st.sampled_from([Client(), Client("python", "5.0.4")])
)
def test_whatever_attributes_say_it_is_kept_and_read_again(
    found: list[Record], told: list[LogRecord], client: Client
) -> None:
    first, second = understand_spans(found, client), understand_logs(told)
    spans = list(gather([*first.spans, *second.spans]).values())
    trace = fold(TRACE, spans, otherwise=NOW)
    assert unpack_spans(pack(trace, spans)) == [
        msgspec.convert(msgspec.to_builtins(span), type(span), strict=False) for span in spans
    ]
    for score in (*first.scores, *second.scores):
        assert msgspec.json.decode(msgspec.json.encode(score), type=type(score)) == score


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"langfuse.observation.type": "span", "gen_ai.request.model": "m"}, SpanKind.span),
        ({"openinference.span.kind": "LLM"}, SpanKind.generation),
        ({"openinference.span.kind": "RERANKER"}, SpanKind.retriever),
        ({"openinference.span.kind": "PROMPT"}, SpanKind.span),
        ({"gen_ai.operation.name": "generate_content"}, SpanKind.generation),
        ({"gen_ai.operation.name": "embeddings"}, SpanKind.embedding),
        ({"gen_ai.operation.name": "invoke_agent"}, SpanKind.agent),
        ({"gen_ai.operation.name": "invoke_workflow"}, SpanKind.chain),
        ({"gen_ai.operation.name": "of_our_own", "llm.model_name": "m"}, SpanKind.generation),
        ({"mlflow.spanType": "CHAT_MODEL"}, SpanKind.generation),
        ({"langsmith.span.kind": "prompt"}, SpanKind.span),
        ({"gen_ai.request.model": "m"}, SpanKind.generation),
        ({}, SpanKind.span),
    ],
)
def test_the_kind_is_what_the_first_dialect_says(said: dict[str, Any], kind: SpanKind) -> None:
    assert kind_of(said) is kind


@pytest.mark.parametrize(
    ("text", "bare", "value"),
    [
        ('"acme"', False, "acme"),
        ('{"a": 1}', False, {"a": 1}),
        (" [1]", False, [1]),
        ("123", False, "123"),
        ("123", True, 123),
        ("null", True, None),
        ("nul", True, "nul"),
        ("[see below]", False, "[see below]"),
        ('"\\ud800"', False, '"\\ud800"'),
        ("[" * 65 + "]" * 65, False, "[" * 65 + "]" * 65),
        ("[" * 100_000, False, "[" * 100_000),
        (7, False, 7),
    ],
)
def test_text_that_holds_json_is_read_and_other_text_is_left(text: Any, bare: bool, value: Any) -> None:
    assert decoded(text, bare=bare) == value


def test_values_that_are_spread_over_names_are_put_together_in_order() -> None:
    spread = {f"llm.input_messages.{n}.message.content": str(n) for n in (10, 2, 0)}
    assert gathered(spread | {"gen_ai.prompt.name": "x", "llm.input_messages." + "a." * 50: 1}) == {
        "llm.input_messages": [
            {"message": {"content": "0"}},
            {"message": {"content": "2"}},
            {"message": {"content": "10"}},
        ]
    }


def test_tags_are_a_list_in_any_writing() -> None:
    assert listed_texts(["a", 1]) == listed_texts('["a", 1]') == listed_texts("a, 1") == ("a", "1")


def test_a_time_that_cannot_be_is_none() -> None:
    assert time_of(0) is None
    assert time_of(2**64 - 1) is None
    assert time_of(AT) == NOW
