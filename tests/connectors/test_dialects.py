"""One logical trace, written in every dialect, is one and the same domain object."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import NOW
from tests.otlp import AT, CHILD, OTHER, ROOT, SECOND, TRACE, a_span, as_json, as_protobuf
from thumbwheel.capture.assemble import fold, gather
from thumbwheel.connectors import native
from thumbwheel.connectors.attributes import Client
from thumbwheel.connectors.langsmith import read_batch, span_of, trace_of
from thumbwheel.connectors.multipart import Part
from thumbwheel.connectors.otlp import decode_traces
from thumbwheel.connectors.semantics import understand_spans
from thumbwheel.domain.trace import Trace

TOOL = "b9c7c989f97918e3"


@dataclass(frozen=True)
class Told:
    """What happened, before anybody wrote it down."""

    system: str
    question: str
    answer: str
    documents: list[dict[str, Any]]
    arguments: dict[str, Any]
    result: dict[str, Any]
    model: str
    prompt_version: str
    user: str
    session: str
    tags: list[str]
    release: str
    category: str
    metadata: dict[str, Any]

    @property
    def messages(self) -> list[dict[str, Any]]:
        """What the model was asked."""
        return [{"role": "system", "content": self.system}, {"role": "user", "content": self.question}]

    @property
    def notes(self) -> dict[str, Any]:
        """Metadata with the category among it, as dialects without a field for it carry it."""
        return self.metadata | {"category": self.category}


words = st.text(st.characters(categories=["L", "N"], include_characters=" .?'é漢🙂"), min_size=1, max_size=30).map(
    lambda text: "a" + text
)
numbers = st.integers(0, 1000).map(lambda n: n / 1000)
objects = st.dictionaries(words, words | st.integers(-9, 9) | st.booleans() | st.lists(words, max_size=2), max_size=3)
documents = st.lists(
    st.fixed_dictionaries({"id": words, "content": words, "score": numbers}),
    max_size=4,
    unique_by=lambda document: document["id"],
)
told = st.builds(
    Told,
    system=words,
    question=words,
    answer=words,
    documents=documents,
    arguments=objects,
    result=objects,
    model=words,
    prompt_version=words,
    user=words,
    session=words,
    tags=st.lists(words, unique=True, max_size=3),
    release=words,
    category=words,
    metadata=objects.map(lambda found: {key: value for key, value in found.items() if key != "category"}),
)


def as_native(it: Told) -> Trace:
    item = {
        "id": TRACE,
        "name": "ask",
        "started_at": "2026-11-23T11:59:58Z",
        "ended_at": "2026-11-23T12:00:00Z",
        "input": it.messages,
        "output": it.answer,
        "documents": it.documents,
        "tool_calls": [{"name": "order", "arguments": it.arguments, "result": it.result}],
        "model": it.model,
        "prompt_version": it.prompt_version,
        "user_id": it.user,
        "session_id": it.session,
        "tags": it.tags,
        "release": it.release,
        "category": it.category,
        "metadata": it.metadata,
    }
    found = native.trace(json.loads(json.dumps(item)), NOW).value
    assert isinstance(found, Trace)
    return found


def as_genai(it: Told) -> list[dict[str, Any]]:
    """Spans by OpenTelemetry's conventions, with attributes of the common kind for what they have none for."""
    about = {"user.id": it.user, "gen_ai.conversation.id": it.session, "category": it.category, "tag.tags": it.tags}
    asked = [{"role": "user", "parts": [{"type": "text", "content": it.question}]}]
    answered = [
        {"role": "assistant", "parts": [{"type": "text", "content": it.answer}], "finish_reason": "stop"},
    ]
    chat = {
        "gen_ai.operation.name": "chat",
        "gen_ai.response.model": it.model,
        "gen_ai.system_instructions": json.dumps([{"type": "text", "content": it.system}]),
        "gen_ai.input.messages": json.dumps(asked),
        "gen_ai.output.messages": answered,
        "gen_ai.prompt.version": it.prompt_version,
    }
    retrieval = {"gen_ai.operation.name": "retrieval", "gen_ai.retrieval.documents": json.dumps(it.documents)}
    tool = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "order",
        "gen_ai.tool.call.arguments": json.dumps(it.arguments),
        "gen_ai.tool.call.result": it.result,
    }
    return spans(about | {"metadata": json.dumps(it.metadata)}, chat, retrieval, tool)


def as_openinference(it: Told) -> list[dict[str, Any]]:
    """Spans as OpenInference's instrumentation writes them."""
    about = {
        "openinference.span.kind": "CHAIN",
        "user.id": it.user,
        "session.id": it.session,
        "tag.tags": it.tags,
        "metadata": json.dumps(it.notes),
    }
    llm = {
        "openinference.span.kind": "LLM",
        "llm.model_name": it.model,
        "llm.input_messages.0.message.role": "system",
        "llm.input_messages.0.message.content": it.system,
        "llm.input_messages.1.message.role": "user",
        "llm.input_messages.1.message.content": it.question,
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": it.answer,
        "input.value": json.dumps({"messages": it.messages, "model": it.model}),
        "llm.prompt_template.version": it.prompt_version,
    }
    retriever: dict[str, Any] = {"openinference.span.kind": "RETRIEVER"}
    for place, document in enumerate(it.documents):
        retriever |= {f"retrieval.documents.{place}.document.{name}": value for name, value in document.items()}
    tool = {
        "openinference.span.kind": "TOOL",
        "tool.name": "order",
        "input.value": json.dumps(it.arguments),
        "output.value": json.dumps(it.result),
    }
    return spans(about, llm, retriever, tool)


def as_langfuse(it: Told) -> list[dict[str, Any]]:
    """Spans as Langfuse's client writes them."""
    about = {
        "langfuse.observation.type": "span",
        "langfuse.trace.name": "ask",
        "user.id": it.user,
        "session.id": it.session,
        "langfuse.trace.tags": it.tags,
        "langfuse.release": it.release,
    } | {f"langfuse.trace.metadata.{key}": json.dumps(value) for key, value in it.notes.items()}
    generation = {
        "langfuse.observation.type": "generation",
        "langfuse.observation.model.name": it.model,
        "langfuse.observation.input": json.dumps(it.messages),
        "langfuse.observation.output": json.dumps({"role": "assistant", "content": it.answer}),
        "langfuse.observation.prompt.version": it.prompt_version,
    }
    retriever = {
        "langfuse.observation.type": "retriever",
        "langfuse.observation.output": json.dumps(
            [
                {"page_content": each["content"], "metadata": {"id": each["id"], "score": each["score"]}}
                for each in it.documents
            ]
        ),
    }
    tool = {
        "langfuse.observation.type": "tool",
        "langfuse.observation.input": json.dumps(it.arguments),
        "langfuse.observation.output": json.dumps(it.result),
    }
    return spans(about, generation, retriever, tool)


def spans(about: dict[str, Any], chat: dict[str, Any], retrieval: dict[str, Any], tool: dict[str, Any]) -> list[Any]:
    """A root that says nothing of its own, and what it did; the children first, as exporters send them."""
    return [
        a_span(OTHER, retrieval, name="retrieve", startTimeUnixNano=AT - 2 * SECOND),
        a_span(TOOL, tool, name="order"),
        a_span(CHILD, chat, name="chat", startTimeUnixNano=AT - SECOND),
        a_span(ROOT, about),
    ]


def as_langsmith(it: Told) -> list[Part]:
    """Runs as LangSmith's clients write them, the parts of each apart; the children first, changes before what they change."""
    root = "0af76519-16cd-43dd-8448-eb211c80319c"
    about = {"user_id": it.user, "thread_id": it.session, "revision_id": it.release} | it.notes
    usual = {"ls_model_type": "chat", "LANGSMITH_PROJECT": "x"}
    model = {"ls_model_name": it.model, "prompt_version": it.prompt_version}
    documents = [
        {"page_content": each["content"], "metadata": {"id": each["id"], "score": each["score"]}}
        for each in it.documents
    ]
    answer = {"role": "assistant", "content": it.answer, "usage_metadata": {"input_tokens": 3}}
    return [
        *a_run(1, "retriever", "retrieve", {"query": it.question}, {"output": documents}, about),
        *a_run(2, "llm", "chat", {"messages": it.messages}, answer, about | usual | model),
        *a_run(3, "tool", "order", it.arguments, it.result, about),
        *parts("patch", {"id": root, "trace_id": root, "end_time": 1_795_435_200_000, "tags": it.tags}, {}),
        *parts(
            "post",
            {"id": root, "trace_id": root, "run_type": "chain", "name": "ask", "start_time": "2026-11-23T11:59:58"},
            {"inputs": {}, "extra": {"metadata": about | usual, "runtime": {"sdk": "langsmith-py"}}},
        ),
    ]


def a_run(
    place: int, kind: str, name: str, given: dict[str, Any], made: dict[str, Any], about: dict[str, Any]
) -> list[Part]:
    """One step below the root."""
    id, root = f"0af76519-16cd-43dd-8448-00000000000{place}", "0af76519-16cd-43dd-8448-eb211c80319c"
    order = f"20261123T115958000000Z{root}.20261123T11595800000{place}Z{id}"
    run = {"id": id, "dotted_order": order, "run_type": kind, "name": name, "tags": ["seq:step:1"], "inputs": None}
    return parts("post", run, {"inputs": given, "outputs": made, "extra": {"metadata": about}})


def parts(event: str, run: dict[str, Any], apart: dict[str, Any]) -> list[Part]:
    """A run as parts of a body."""
    name = f"{event}.{run['id']}"
    whole = Part(name, "application/json", json.dumps(run).encode())
    return [
        whole,
        *(Part(f"{name}.{key}", "application/json", json.dumps(each).encode()) for key, each in apart.items()),
    ]


@given(it=told)
def test_runs_say_the_same_as_spans(it: Told) -> None:
    batch = read_batch(as_langsmith(it))
    assert batch.faults == []
    spans = [span_of(report, trace_of(report.run) or "") for report in batch.reports]
    assert fold(TRACE, gather(spans).values(), otherwise=NOW) == as_native(it)


def read(written: list[dict[str, Any]], it: Told, *, json_form: bool) -> Trace:
    resource = {"service.name": "app", "service.version": it.release}
    body = as_json(written, resource) if json_form else as_protobuf(written, resource)
    records = decode_traces(body, as_json=json_form).records
    found = understand_spans(records, Client("python", "5.0.4"))
    return fold(TRACE, gather(found.spans).values(), otherwise=NOW)


@pytest.mark.parametrize("json_form", [False, True], ids=["protobuf", "json"])
@pytest.mark.parametrize("write", [as_genai, as_openinference, as_langfuse])
@given(it=told)
def test_every_dialect_says_the_same(
    write: Callable[[Told], list[dict[str, Any]]], it: Told, *, json_form: bool
) -> None:
    assert read(write(it), it, json_form=json_form) == as_native(it)


def test_the_comparison_sees_every_field() -> None:
    it = Told(
        system="s",
        question="q",
        answer="a",
        documents=[{"id": "d", "content": "c", "score": 0.5}],
        arguments={"x": 1},
        result={"y": 2},
        model="m",
        prompt_version="v",
        user="u",
        session="k",
        tags=["t"],
        release="r",
        category="c",
        metadata={},
    )
    trace = as_native(it)
    for change in (
        {"input": None}, {"documents": ()}, {"tool_calls": ()}, {"tags": ()}, {"model": None}, {"category": None}
    ):  # fmt: skip
        assert replace(trace, **change) != trace
        assert getattr(trace, next(iter(change)))
