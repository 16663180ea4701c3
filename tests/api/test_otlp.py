"""The OTLP door: what exporters send, in every form they send it, and how they are answered."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from tests.conftest import NOW
from tests.factories import a_signal, a_trace
from tests.otlp import (
    AT,
    CHILD,
    OTHER,
    ROOT,
    TRACE,
    a_log,
    a_span,
    as_json,
    as_protobuf,
    logs_as_json,
    logs_as_protobuf,
)
from thumbwheel.domain.person import Scope
from thumbwheel.services.capture import Work
from thumbwheel.wheel import Wheel

PROTOBUF, JSON = "application/x-protobuf", "application/json"
FORMS = pytest.mark.parametrize("form", [PROTOBUF, JSON])


def send(
    client: TestClient, *spans: dict[str, Any], form: str = PROTOBUF, path: str = "/v1/traces", **more: Any
) -> Any:
    resource = more.pop("resource", None)
    body = as_json(spans, resource) if form == JSON else as_protobuf(spans, resource)
    return client.post(path, content=body, headers={"content-type": form} | more.pop("headers", {}))


def send_logs(client: TestClient, *logs: dict[str, Any], form: str = PROTOBUF) -> Any:
    body = logs_as_json(logs) if form == JSON else logs_as_protobuf(logs)
    return client.post("/v1/logs", content=body, headers={"content-type": form})


def trace_of(client: TestClient, trace_id: str = TRACE) -> dict[str, Any]:
    answer = client.get(f"/v1/traces/{trace_id}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def span_of(client: TestClient, span_id: str = ROOT) -> dict[str, Any]:
    return next(span for span in trace_of(client)["spans"] if span["id"] == span_id)


# --- what exporters are answered


@FORMS
@pytest.mark.parametrize("path", ["/v1/traces", "/api/public/otel/v1/traces", "/langsmith/otel/v1/traces"])
def test_spans_are_durable_when_they_are_acknowledged_in_the_type_they_came_in(
    client: TestClient, form: str, path: str
) -> None:
    answer = send(client, a_span(attributes={"input.value": "q", "output.value": "a"}), form=form, path=path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == form
    assert answer.content == (b"{}" if form == JSON else b"")
    trace = trace_of(client)
    assert (trace["input"], trace["output"], trace["name"]) == ("q", "a", "ask")
    assert trace["ended_at"] == "2026-11-23T12:00:00Z"


@FORMS
@pytest.mark.parametrize("ids", [{"traceId": "0" * 32}, {"spanId": "0" * 16}, {"traceId": ""}, {"spanId": "ab"}])
def test_a_span_without_ids_is_refused_and_the_rest_is_kept(client: TestClient, form: str, ids: dict[str, Any]) -> None:
    answer = send(client, a_span(CHILD, **ids), a_span(), form=form)
    assert answer.status_code == 200
    if form == JSON:
        assert answer.json() == {
            "partialSuccess": {"rejectedSpans": "1", "errorMessage": "No usable trace and span id."}
        }
    else:
        assert ExportTraceServiceResponse.FromString(answer.content).partial_success.rejected_spans == 1
    assert [span["id"] for span in trace_of(client)["spans"]] == [ROOT]


@pytest.mark.parametrize("signal", ["traces", "logs", "metrics"])
@pytest.mark.parametrize(
    ("form", "body"), [(PROTOBUF, b""), (JSON, b""), (JSON, b"{}"), (JSON + "; charset=utf-8", b"{}")]
)
def test_an_empty_request_is_fine(client: TestClient, signal: str, form: str, body: bytes) -> None:
    answer = client.post(f"/v1/{signal}", content=body, headers={"content-type": form})
    assert answer.status_code == 200


@pytest.mark.parametrize("signal", ["traces", "logs", "metrics"])
@pytest.mark.parametrize(
    ("form", "body"),
    [
        (PROTOBUF, b"\x0a\xff\xff"),
        (JSON, b"{"),
        (JSON, b"[]"),
        (JSON, b'{"resourceSpans": 1, "resourceLogs": 1, "resourceMetrics": 1}'),
        (JSON, b"[" * 100_000),
    ],
)
def test_a_malformed_body_is_400_with_a_reason(client: TestClient, signal: str, form: str, body: bytes) -> None:
    answer = client.post(f"/v1/{signal}", content=body, headers={"content-type": form})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == form
    assert b"body" in answer.content or b"must be a list" in answer.content or b"Expected" in answer.content


def test_wrong_types_are_415(client: TestClient) -> None:
    assert client.post("/v1/traces", content=b"", headers={"content-type": "text/plain"}).status_code == 415
    headers = {"content-type": JSON, "content-encoding": "br"}
    assert client.post("/v1/traces", content=b"{}", headers=headers).status_code == 415


def test_a_body_may_be_gzip_and_what_it_inflates_to_is_bounded(client: TestClient, wheel: Wheel) -> None:
    headers = {"content-type": PROTOBUF, "content-encoding": "gzip"}
    assert client.post("/v1/traces", content=gzip.compress(as_protobuf([a_span()])), headers=headers).status_code == 200
    assert trace_of(client)["name"] == "ask"
    bomb = gzip.compress(bytes(wheel.settings.max_body_bytes + 1))
    assert len(bomb) < 100_000
    assert client.post("/v1/traces", content=bomb, headers=headers).status_code == 413
    assert client.post("/v1/traces", content=b"not gzip", headers=headers).status_code == 400


def test_who_may_send(client: TestClient, wheel: Wheel) -> None:
    del client.headers["Authorization"]
    made = wheel.access.add_key("default", [Scope.ingest])
    basic = base64.b64encode(f"{made.key.public_key}:{made.secret_key}".encode()).decode()
    for headers, status in (
        ({}, 401),
        ({"authorization": "Bearer tw_sk_wrong"}, 401),
        ({"authorization": f"Bearer {made.key.public_key}"}, 403),
        ({"authorization": f"Bearer {wheel.access.add_key('default', [Scope.read]).secret_key}"}, 403),
        ({"authorization": f"Bearer {made.secret_key}"}, 200),
        ({"authorization": f"Basic {basic}"}, 200),
        ({"x-api-key": made.secret_key}, 200),
    ):
        assert send(client, a_span(), headers=headers).status_code == status, headers


def test_what_cannot_be_stored_now_is_503_with_a_time_to_come_back(client: TestClient, wheel: Wheel) -> None:
    wheel.capture.close()
    answer = send(client, a_span())
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"


def test_a_key_writes_to_its_own_project_though_ids_collide(client: TestClient, wheel: Wheel) -> None:
    other = {"authorization": f"Bearer {wheel.access.add_key('other', Scope).secret_key}"}
    send(client, a_span(attributes={"input.value": "mine"}))
    send(client, a_span(attributes={"input.value": "theirs"}), headers=other)
    assert trace_of(client)["input"] == "mine"
    assert client.get(f"/v1/traces/{TRACE}", headers=other).json()["input"] == "theirs"


# --- odd values


def test_unknown_fields_odd_times_and_wild_values_cost_only_themselves(client: TestClient) -> None:
    deep: Any = "x"
    for _ in range(80):
        deep = [deep]
    span = {
        "traceId": TRACE.upper(),
        "spanId": ROOT,
        "name": None,
        "startTimeUnixNano": "99999999999999999999999",
        "endTimeUnixNano": -5,
        "kind": "SPAN_KIND_CLIENT",
        "status": {"code": "STATUS_CODE_ERROR", "message": "no"},
        "whatever": {},
        "attributes": [
            {"key": "input.value", "value": {"stringValue": "q"}},
            {"key": "n", "value": {"intValue": "12x"}},
            {"key": "d", "value": {"doubleValue": "NaN"}},
            {"key": 5},
            {"key": "user.id", "value": {"stringValue": "a\0b" + "c" * 600}},
            {"key": "metadata", "value": {"stringValue": json.dumps({"deep": deep})}},
            {"key": "output.value", "value": {"stringValue": "{not json"}},
        ],
    }
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]})
    answer = client.post("/v1/traces", content=body, headers={"content-type": JSON})
    assert answer.json() == {}
    trace = trace_of(client)
    assert trace["started_at"] == NOW.isoformat().replace("+00:00", "Z")
    assert (trace["input"], trace["output"]) == ("q", "{not json")
    assert trace["user_id"] == ("ab" + "c" * 600)[:512]
    assert trace["spans"][0]["level"] == "ERROR"
    assert trace["spans"][0]["status_message"] == "no"


def test_a_value_nested_too_deeply_is_left_out(client: TestClient) -> None:
    value: dict[str, Any] = {"stringValue": "x"}
    for _ in range(70):
        value = {"arrayValue": {"values": [value]}}
    span = a_span() | {"attributes": [{"key": "input.value", "value": value}]}
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]})
    assert client.post("/v1/traces", content=body, headers={"content-type": JSON}).status_code == 200
    assert json.dumps(trace_of(client)["input"]).count("[") == 65


# --- meaning


@FORMS
def test_genai_spans_as_the_openai_instrumentation_writes_them(client: TestClient, form: str) -> None:
    messages = [{"role": "user", "parts": [{"content": "How long?", "type": "text"}], "name": None}]
    answers = [{"role": "assistant", "parts": [{"content": "60 days.", "type": "text"}], "finish_reason": "stop"}]
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "small",
        "gen_ai.response.model": "small-1",
        "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": 11,
        "gen_ai.usage.output_tokens": 3,
        "gen_ai.input.messages": json.dumps(messages),
        "gen_ai.output.messages": json.dumps(answers),
        "gen_ai.system_instructions": json.dumps([{"type": "text", "content": "Be brief."}]),
        "gen_ai.conversation.id": "session-1",
        "gen_ai.prompt.name": "support",
        "gen_ai.prompt.version": "v7",
    }
    send(client, a_span(attributes=attributes, name="chat small"), form=form, resource={"service.version": "2026.46"})
    trace = trace_of(client)
    assert trace["input"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "How long?"},
    ]
    assert trace["output"] == "60 days."
    assert (trace["model"], trace["session_id"], trace["prompt_version"]) == ("small-1", "session-1", "v7")
    assert trace["release"] == "2026.46"
    span = span_of(client)
    assert (span["kind"], span["usage"]) == ("GENERATION", {"input": 11, "output": 3})
    assert span["input"] == messages


@FORMS
def test_tools_and_retrieval_of_the_genai_conventions(client: TestClient, form: str) -> None:
    tool = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "order",
        "gen_ai.tool.call.arguments": {"id": 7},
        "gen_ai.tool.call.result": '{"item": "kettle"}',
    }
    retrieval = {
        "gen_ai.operation.name": "retrieval",
        "gen_ai.retrieval.query.text": "returns",
        "gen_ai.retrieval.documents": json.dumps([{"id": "returns", "score": 0.9}, {"id": "shipping", "score": 0.4}]),
    }
    send(client, a_span(CHILD, tool), a_span(OTHER, retrieval), a_span(), form=form)
    trace = trace_of(client)
    assert trace["tool_calls"] == [{"name": "order", "arguments": {"id": 7}, "result": {"item": "kettle"}}]
    assert trace["documents"] == [
        {"id": "returns", "content": None, "score": 0.9, "rank": 1},
        {"id": "shipping", "content": None, "score": 0.4, "rank": 2},
    ]


@FORMS
def test_openinference_spans(client: TestClient, form: str) -> None:
    llm = {
        "openinference.span.kind": "LLM",
        "llm.model_name": "small-1",
        "llm.input_messages.0.message.role": "system",
        "llm.input_messages.0.message.content": "Be brief.",
        "llm.input_messages.1.message.role": "user",
        "llm.input_messages.1.message.contents.0.message_content.type": "text",
        "llm.input_messages.1.message.contents.0.message_content.text": "How long?",
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.tool_calls.0.tool_call.id": "call-1",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "order",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": '{"id": 7}',
        "input.value": '{"messages": [], "model": "small"}',
        "llm.token_count.prompt": 11,
        "llm.token_count.completion": 3,
        "llm.prompt_template.version": "v7",
    }
    reranker = {
        "openinference.span.kind": "RERANKER",
        "reranker.output_documents.0.document.id": "returns",
        "reranker.output_documents.0.document.content": "30 days.",
        "reranker.output_documents.0.document.score": 0.99,
    }
    retriever = {
        "openinference.span.kind": "RETRIEVER",
        "retrieval.documents.10.document.id": "last",
        "retrieval.documents.0.document.id": "shipping",
        "retrieval.documents.0.document.score": 0.5,
        "retrieval.documents.1.document.id": "returns",
        "retrieval.documents.1.document.content": "30 days.",
        "retrieval.documents.1.document.metadata": '{"source": "faq"}',
    }
    chain = {
        "openinference.span.kind": "CHAIN",
        "input.value": "How long?",
        "output.value": "60 days.",
        "session.id": "session-1",
        "user.id": "user-1",
        "metadata": '{"tenant": "acme", "category": "returns"}',
        "tag.tags": ["beta", "eu"],
        "embedding.embeddings.0.embedding.vector": [0.1] * 3,
    }
    send(
        client,
        a_span(CHILD, llm),
        a_span(OTHER, retriever),
        a_span("b9c7c989f97918e3", reranker, startTimeUnixNano=AT),
        a_span(attributes=chain),
        form=form,
    )
    trace = trace_of(client)
    assert (trace["input"], trace["output"], trace["category"]) == ("How long?", "60 days.", "returns")
    assert (trace["user_id"], trace["session_id"], trace["tags"]) == ("user-1", "session-1", ["beta", "eu"])
    assert trace["metadata"] == {"tenant": "acme"}
    assert [(each["id"], each["score"], each["rank"]) for each in trace["documents"]] == [
        ("shipping", 0.5, 1),
        ("returns", 0.99, 1),
        ("last", None, 3),
    ]
    assert trace["tool_calls"] == [{"name": "order", "arguments": {"id": 7}, "result": None}]
    assert (trace["model"], trace["prompt_version"]) == ("small-1", "v7")
    assert span_of(client, CHILD)["usage"] == {"input": 11, "output": 3}
    assert "vector" not in json.dumps(trace)


@FORMS
def test_langfuse_spans(client: TestClient, form: str) -> None:
    attributes = {
        "user.id": "user-1",
        "session.id": "session-1",
        "langfuse.trace.name": "support",
        "langfuse.trace.tags": ["beta"],
        "langfuse.trace.metadata.tenant": '"acme"',
        "langfuse.trace.metadata.plan": "123",
        "langfuse.trace.metadata.name": "plain",
        "langfuse.environment": "staging",
        "langfuse.release": "2026.46",
        "langfuse.version": "1.2",
        "langfuse.observation.type": "generation",
        "langfuse.observation.input": '[{"role": "user", "content": "How long?"}]',
        "langfuse.observation.output": '{"role": "assistant", "content": "60 days."}',
        "langfuse.observation.model.name": "small-1",
        "langfuse.observation.model.parameters": '{"temperature": 0}',
        "langfuse.observation.usage_details": '{"input": 11, "output": 3}',
        "langfuse.observation.prompt.name": "support",
        "langfuse.observation.prompt.version": 7,
        "langfuse.observation.metadata.step": '{"n": 1}',
        "langfuse.observation.level": "WARNING",
        "langfuse.observation.status_message": "slow",
        "langfuse.internal.is_app_root": True,
    }
    headers = {"x-langfuse-sdk-name": "python", "x-langfuse-sdk-version": "5.0.4"}
    send(client, a_span(CHILD, attributes), form=form, path="/api/public/otel/v1/traces", headers=headers)
    trace = trace_of(client)
    assert (trace["name"], trace["output"], trace["tags"]) == ("support", "60 days.", ["beta"])
    assert trace["input"] == [{"role": "user", "content": "How long?"}]
    assert trace["metadata"] == {"environment": "staging", "tenant": "acme", "plan": 123, "name": "plain"}
    assert (trace["prompt_version"], trace["release"], trace["model"]) == ("7", "2026.46", "small-1")
    span = span_of(client, CHILD)
    assert (span["kind"], span["level"], span["status_message"]) == ("GENERATION", "WARNING", "slow")
    assert span["metadata"] == {"step": {"n": 1}}
    assert span["extra"] == {"model_parameters": {"temperature": 0}}
    assert span["output"] == {"role": "assistant", "content": "60 days."}


def test_only_the_newest_langfuse_client_means_numbers_by_numerals(client: TestClient) -> None:
    headers = {"x-langfuse-sdk-name": "python", "x-langfuse-sdk-version": "4.18.0"}
    attributes = {"langfuse.trace.metadata.plan": "123", "langfuse.trace.metadata.on": "true"}
    send(client, a_span(attributes=attributes), headers=headers)
    assert trace_of(client)["metadata"] == {"plan": "123", "on": "true"}


@pytest.mark.parametrize(
    ("attributes", "kind", "said"),
    [
        (
            {"mlflow.spanType": '"CHAT_MODEL"', "mlflow.spanInputs": '{"q": 1}', "mlflow.spanOutputs": '"yes"'},
            "GENERATION",
            ({"q": 1}, "yes"),
        ),
        (
            {"traceloop.span.kind": "workflow", "traceloop.entity.input": '{"q": 1}', "traceloop.entity.output": "[1]"},
            "CHAIN",
            ({"q": 1}, [1]),
        ),
        (
            {
                "gen_ai.request.model": "m",
                "gen_ai.prompt.0.role": "user",
                "gen_ai.prompt.0.content": "q",
                "gen_ai.completion.0.role": "assistant",
                "gen_ai.completion.0.content": "a",
                "gen_ai.usage.prompt_tokens": 1,
            },
            "GENERATION",
            ([{"role": "user", "content": "q"}], "a"),
        ),
        (
            {
                "langsmith.span.kind": "llm",
                "gen_ai.prompt": '{"messages": [{"role": "user", "content": "q"}]}',
                "gen_ai.completion": '{"output": "a"}',
            },
            "GENERATION",
            ([{"role": "user", "content": "q"}], "a"),
        ),
    ],
    ids=["mlflow", "traceloop", "old genai", "langsmith"],
)
def test_other_dialects(client: TestClient, attributes: dict[str, Any], kind: str, said: tuple[Any, Any]) -> None:
    send(client, a_span(attributes=attributes))
    trace = trace_of(client)
    assert (trace["input"], trace["output"]) == said
    assert span_of(client)["kind"] == kind


def test_langsmith_metadata(client: TestClient) -> None:
    attributes = {
        "langsmith.span.kind": "chain",
        "langsmith.span.tags": "beta, eu",
        "langsmith.metadata.user_id": "user-1",
        "langsmith.metadata.thread_id": "session-1",
        "langsmith.metadata.tenant": "acme",
        "langsmith.metadata.LANGSMITH_PROJECT": "x",
        "langsmith.metadata.LANGCHAIN_ENV": "x",
    }
    send(client, a_span(attributes=attributes), path="/langsmith/otel/v1/traces")
    trace = trace_of(client)
    assert (trace["user_id"], trace["session_id"], trace["tags"]) == ("user-1", "session-1", ["beta", "eu"])
    assert trace["metadata"] == {"tenant": "acme"}


def test_message_events_of_spans_are_its_input_and_output(client: TestClient) -> None:
    def event(name: str, nanos: int, **attributes: Any) -> dict[str, Any]:
        return {"name": name, "timeUnixNano": nanos, "attributes": attributes}

    events = [
        event("gen_ai.choice", AT, **{"gen_ai.event.content": '{"index": 0, "message": {"content": "60 days."}}'}),
        event("gen_ai.user.message", AT - 5, content="How long?"),
        event("gen_ai.system.message", AT - 6, content="Be brief.", role="system"),
    ]
    send(client, a_span(attributes={"gen_ai.operation.name": "chat"}, events=events))
    trace = trace_of(client)
    assert trace["input"] == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "How long?"}]
    assert trace["output"] == "60 days."
    contents = [
        event("gen_ai.content.prompt", AT, **{"gen_ai.prompt": '[{"role": "user", "content": "q"}]'}),
        event("gen_ai.content.completion", AT, **{"gen_ai.completion": '[{"role": "assistant", "content": "a"}]'}),
        event("exception", AT, **{"exception.type": "Timeout", "exception.message": "late"}),
    ]
    other = "1" * 32
    send(client, a_span(attributes={"gen_ai.operation.name": "chat"}, events=contents, traceId=other))
    assert trace_of(client, other)["output"] == "a"
    assert trace_of(client, other)["spans"][0]["status_message"] == "Timeout: late"


# --- logs


@FORMS
@pytest.mark.parametrize("spans_first", [True, False])
def test_content_in_log_records_joins_its_span(client: TestClient, form: str, spans_first: bool) -> None:
    details = {
        "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "How long?"}]}],
        "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "text", "content": "60 days."}]}],
        "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}],
    }
    steps: list[Callable[[], Any]] = [
        lambda: send(client, a_span(CHILD, {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}), form=form),
        lambda: send_logs(client, a_log("gen_ai.client.inference.operation.details", details), form=form),
    ]
    for step in steps if spans_first else reversed(steps):
        assert step().status_code == 200
    trace = trace_of(client)
    assert trace["input"] == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "How long?"}]
    assert (trace["output"], trace["model"]) == ("60 days.", "m")


@FORMS
def test_one_message_a_record_in_any_order(client: TestClient, form: str) -> None:
    send(client, a_span(CHILD, {"gen_ai.operation.name": "chat"}), form=form)
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "60 days."}}
    for log in (
        a_log("gen_ai.choice", body=choice),
        a_log("", {"event.name": "gen_ai.user.message"}, body={"content": "How long?"}, timeUnixNano=AT - 1),
        a_log("gen_ai.system.message", body={"content": "Be brief."}, timeUnixNano=AT - 2),
        a_log("app.started", body={"x": 1}),
    ):
        assert send_logs(client, log, form=form).status_code == 200
    trace = trace_of(client)
    assert trace["input"] == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "How long?"}]
    assert trace["output"] == "60 days."


@FORMS
def test_a_message_that_names_no_span_is_refused(client: TestClient, form: str) -> None:
    answer = send_logs(client, a_log("gen_ai.user.message", body={"content": "q"}, spanId="0" * 16), form=form)
    assert answer.status_code == 200
    assert b"No usable" in answer.content


# --- judgements


@FORMS
@pytest.mark.parametrize("target", ["span", "response", "response first"])
def test_an_evaluation_is_a_suggestion_about_its_span_or_its_response(
    client: TestClient, form: str, target: str
) -> None:
    evaluation = {
        "gen_ai.evaluation.name": "Relevance",
        "gen_ai.evaluation.score.value": 0.25,
        "gen_ai.evaluation.score.label": "not_relevant",
        "gen_ai.evaluation.explanation": "Off the point.",
    }
    nowhere = {"traceId": "0" * 32, "spanId": "0" * 16}
    if target != "span":
        evaluation["gen_ai.response.id"] = "chatcmpl-1"
    log = a_log("gen_ai.evaluation.result", evaluation, **({} if target == "span" else nowhere))
    chat = a_span(CHILD, {"gen_ai.operation.name": "chat", "gen_ai.response.id": "chatcmpl-1"})
    if target == "response first":
        assert send_logs(client, log, form=form).status_code == 200
    send(client, chat, form=form)
    for _ in range(2):
        assert send_logs(client, log, form=form).status_code == 200
    trace = trace_of(client)
    assert [(each["judge"], each["failure_probability"]) for each in trace["suggestions"]] == [
        ("genai:Relevance", 0.75)
    ]
    (score,) = trace["scores"]
    assert (score["value"], score["label"], score["source"]) == (0.25, "not_relevant", "EVAL")
    assert (score["comment"], score["family"]) == ("Off the point.", "genai")
    assert trace["signals"] == []


def test_openinference_judgements_on_the_span_the_trace_and_the_session(client: TestClient, wheel: Wheel) -> None:
    attributes = {
        "session.id": "session-1",
        "annotations.0.annotation.name": "quality",
        "annotations.0.annotation.label": "bad",
        "annotations.0.annotation.explanation": "Wrong number.",
        "annotations.0.annotation.annotator_kind": "HUMAN",
        "annotations.0.annotation.identifier": "eve",
        "trace.evaluations.0.evaluation.name": "grounded",
        "trace.evaluations.0.evaluation.score": 1.0,
        "trace.evaluations.0.evaluation.annotator_kind": "LLM",
        "session.evaluations.0.evaluation.name": "mood",
        "session.evaluations.0.evaluation.score": 0.5,
    }
    send(client, a_span(attributes=attributes))
    send(client, a_span(attributes=attributes))
    trace = trace_of(client)
    assert [(each["judge"], each["failure_probability"]) for each in trace["suggestions"]] == [
        ("openinference:grounded:LLM", 0.0)
    ]
    (review,) = trace["annotations"]
    assert (review["annotator"], review["verdict"], review["critique"]) == ("eve", "fail", "Wrong number.")
    assert sorted(score["name"] for score in trace["scores"]) == ["grounded", "quality"]
    assert trace["signals"] == []


def test_a_span_with_one_link_judges_the_span_it_links_to_and_is_no_trace_itself(client: TestClient) -> None:
    send(client, a_span())
    attributes = {"annotations.0.annotation.name": "quality", "annotations.0.annotation.score": 0}
    judge = a_span("a" * 16, attributes, traceId="b" * 32, parentSpanId="", links=[{"traceId": TRACE, "spanId": ROOT}])
    assert send(client, judge).status_code == 200
    assert [review["verdict"] for review in trace_of(client)["annotations"]] == ["fail"]
    assert client.get(f"/v1/traces/{'b' * 32}").status_code == 404


# --- with everything else


def test_signals_native_traces_and_spans_meet_in_one_trace(client: TestClient, wheel: Wheel) -> None:
    dashed = "0AF76519-16CD-43DD-8448-EB211C80319C"
    wheel.capture.keep_now(Work(1, traces=[(a_trace(id=dashed, started_at=NOW, model=None), 1)]))
    signal = {"trace_id": TRACE, "kind": "user_rating", "value": "down", "id": "s1"}
    assert client.post("/v1/signals", json=signal).json()["accepted"] == 1
    send(client, a_span(CHILD, {"gen_ai.request.model": "small-1"}))
    for spelling in (dashed, TRACE, TRACE.upper()):
        trace = trace_of(client, spelling)
        assert (trace["id"], trace["model"]) == (dashed, "small-1")
        assert [(each["trace_id"], each["context"]["model"]) for each in trace["signals"]] == [(dashed, "small-1")]
    assert a_signal().trace_id != dashed
