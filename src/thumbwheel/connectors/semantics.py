"""What instrumentation means: records of OTLP as spans and scores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from thumbwheel.connectors.attributes import (
    MODEL,
    Client,
    decoded,
    first,
    gathered,
    kind_of,
    listed_texts,
    text,
    under,
)
from thumbwheel.connectors.judgements import evaluation_of, judgements_of
from thumbwheel.connectors.otlp import EventRecord, LogRecord, Record, time_of
from thumbwheel.domain.document import read_documents
from thumbwheel.domain.score import Score
from thumbwheel.domain.span import NO_FACTS, Level, Span, SpanEvent, SpanKind, TraceFacts, stamp_of
from thumbwheel.domain.trace import Document, Json

_DETAILS: Final = "gen_ai.client.inference.operation.details"
_EVALUATION: Final = "gen_ai.evaluation.result"
_MESSAGES: Final = frozenset(
    "gen_ai.system.message gen_ai.user.message gen_ai.assistant.message gen_ai.tool.message gen_ai.choice".split()
)
_CONTENT: Final = {"gen_ai.content.prompt": "gen_ai.prompt", "gen_ai.content.completion": "gen_ai.completion"}

_INPUT: Final = (
    "gen_ai.prompt",
    "gen_ai.prompt.",
    "gen_ai.tool.call.arguments",
    "gen_ai.retrieval.query.text",
    "mlflow.spanInputs",
    "traceloop.entity.input",
)
_OUTPUT: Final = (
    "gen_ai.completion",
    "gen_ai.completion.",
    "gen_ai.tool.call.result",
    "mlflow.spanOutputs",
    "traceloop.entity.output",
)
_USER: Final = ("user.id", "langfuse.user.id", "enduser.id", "langsmith.metadata.user_id")
_SESSION: Final = (
    "session.id",
    "langfuse.session.id",
    "gen_ai.conversation.id",
    "langsmith.metadata.session_id",
    "langsmith.metadata.thread_id",
    "langsmith.metadata.conversation_id",
)
#: Metadata of LangSmith's that has a field of its own.
_TAKEN: Final = frozenset("ls_model_name user_id session_id thread_id conversation_id".split())
_ENVIRONMENT: Final = ("langfuse.environment", "deployment.environment.name", "deployment.environment")
_TOKENS: Final = {
    "input": ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt"),
    "output": ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion"),
}
_LEVELS: Final = {level.value: level for level in Level}


@dataclass(slots=True)
class Understood:
    """What records mean."""

    spans: list[Span] = field(default_factory=list)
    scores: list[Score] = field(default_factory=list)
    #: Records that name no span and can be about nothing.
    unusable: int = 0


def understand_spans(records: Iterable[Record], client: Client) -> Understood:
    """Spans, and the scores they carry."""
    found = Understood()
    for record in records:
        spread = gathered(record.attributes)
        scores = judgements_of(record, spread)
        found.scores += scores
        for event in record.events:
            if event.name == _EVALUATION:
                found.scores += evaluation_of(
                    event.attributes, record.trace_id, record.span_id, event.nanos, record.resource
                )
        if not (scores and _only_carries(record)):
            found.spans.append(_span(record, spread, client))
    return found


def understand_logs(logs: Iterable[LogRecord]) -> Understood:
    """What log records add to their spans, and the scores among them."""
    found = Understood()
    for log in logs:
        if log.name == _EVALUATION:
            scores = evaluation_of(log.attributes, log.trace_id, log.span_id, log.nanos, log.resource)
            found.scores += scores
            found.unusable += not scores
        elif log.name == _DETAILS or log.name in _MESSAGES:
            if log.trace_id is None or log.span_id is None:
                found.unusable += 1
            else:
                found.spans.append(_addition(log, log.trace_id, log.span_id))
    return found


def _only_carries(record: Record) -> bool:
    """Whether a span was made only to carry a judgement of the span it links to."""
    said = ("input.value", "output.value", *MODEL)
    return len(record.links) == 1 and record.parent_id is None and first(record.attributes, said) is None


def _addition(log: LogRecord, trace_id: str, span_id: str) -> Span:
    a = log.attributes
    if log.name != _DETAILS:
        body = log.body if isinstance(log.body, dict) else _event_body(a)
        return Span(trace_id=trace_id, id=span_id, events=(SpanEvent(at=log.nanos, name=log.name, body=body),))
    return Span(
        trace_id=trace_id,
        id=span_id,
        input=decoded(a.get("gen_ai.input.messages")),
        output=decoded(a.get("gen_ai.output.messages")),
        system_prompt=decoded(a.get("gen_ai.system_instructions")),
        response_id=text(a.get("gen_ai.response.id")),
    )


# --- one span


def _span(record: Record, spread: Mapping[str, Any], client: Client) -> Span:
    a, kind = record.attributes, kind_of(record.attributes)
    noted = {name: value for name, value in a.items() if "metadata" in name}
    ended_at = time_of(record.end_nanos)
    return Span(
        trace_id=record.trace_id,
        id=record.span_id,
        stamp=stamp_of(ended_at),
        parent_id=record.parent_id,
        root=_is_root(a) or None,
        kind=kind,
        name=record.name or None,
        started_at=time_of(record.start_nanos),
        ended_at=ended_at,
        input=_input(record, spread, kind),
        output=_output(record, spread, kind),
        system_prompt=decoded(a.get("gen_ai.system_instructions")),
        events=_events(record.events),
        model=text(first(a, MODEL)),
        prompt_name=text(first(a, ("langfuse.observation.prompt.name", "gen_ai.prompt.name"))),
        prompt_version=text(
            first(a, ("langfuse.observation.prompt.version", "gen_ai.prompt.version", "llm.prompt_template.version"))
        ),
        usage=_usage(a),
        documents=_documents(a, spread),
        tool_name=text(first(a, ("gen_ai.tool.name", "tool.name"))) if kind is SpanKind.tool else None,
        tool_arguments=decoded(a.get("gen_ai.tool.call.arguments")),
        tool_result=decoded(a.get("gen_ai.tool.call.result")),
        response_id=text(a.get("gen_ai.response.id")),
        level=_level(record),
        status_message=_status(record),
        version=text(a.get("langfuse.version")),
        metadata=_metadata(noted, "langfuse.observation.metadata", client) if noted else {},
        extra=_extra(a),
        facts=_facts(a, noted, record.resource, client),
    )


def _is_root(a: Mapping[str, Any]) -> bool:
    said = (a.get("langfuse.internal.is_app_root"), a.get("langfuse.internal.as_root"))
    return any(each is True or each == "true" for each in said)


def _input(record: Record, spread: Mapping[str, Any], kind: SpanKind) -> Any:
    a = record.attributes
    found = first(a, ("langfuse.observation.input", "gen_ai.input.messages"))
    if found is None:
        told, value = spread.get("llm.input_messages"), a.get("input.value")
        found = (told or value) if kind is SpanKind.generation else (value or told)
    if found is None:
        found = _first_spread(a, spread, _INPUT)
    return decoded(_of_event(record.events, "gen_ai.content.prompt") if found is None else found)


def _output(record: Record, spread: Mapping[str, Any], kind: SpanKind) -> Any:
    a = record.attributes
    found = first(a, ("langfuse.observation.output", "gen_ai.output.messages"))
    if found is None:
        told, value = spread.get("llm.output_messages"), a.get("output.value")
        found = (told or value) if kind is SpanKind.generation else (value or told)
    if found is None:
        found = _first_spread(a, spread, _OUTPUT)
    return decoded(_of_event(record.events, "gen_ai.content.completion") if found is None else found)


def _first_spread(a: Mapping[str, Any], spread: Mapping[str, Any], names: Sequence[str]) -> Any:
    """The first of these that has a value; a name that ends in a dot is of one that is spread over names."""
    for name in names:
        value = spread.get(name[:-1]) if name[-1] == "." else a.get(name)
        if value is not None and value != "":
            return value
    return None


def _of_event(events: Sequence[EventRecord], name: str) -> Any:
    return next((each.attributes.get(_CONTENT[name]) for each in events if each.name == name), None)


def _events(events: Sequence[EventRecord]) -> tuple[SpanEvent, ...]:
    return tuple(
        SpanEvent(at=each.nanos, place=place, name=each.name, body=_event_body(each.attributes))
        for place, each in enumerate(events)
        if each.name in _MESSAGES
    )


def _event_body(a: Mapping[str, Any]) -> Json:
    """The message of an event whose content stands in attributes, whole or each part under its own name."""
    whole = decoded(first(a, ("gen_ai.event.content", "event_body")))
    if whole is not None:
        return whole if isinstance(whole, dict) else {"content": whole}
    return {name: decoded(value) for name, value in a.items() if not name.startswith(("gen_ai.", "event."))}


def _usage(a: Mapping[str, Any]) -> dict[str, Json]:
    told = decoded(a.get("langfuse.observation.usage_details"))
    if isinstance(told, dict):
        return told
    found = {side: first(a, names) for side, names in _TOKENS.items()}
    mlflow = decoded(a.get("mlflow.chat.tokenUsage"))
    if isinstance(mlflow, dict):
        found = {side: mlflow.get(f"{side}_tokens") if count is None else count for side, count in found.items()}
    return {side: count for side, count in found.items() if count is not None}


def _documents(a: Mapping[str, Any], spread: Mapping[str, Any]) -> tuple[Document, ...]:
    found = decoded(a.get("gen_ai.retrieval.documents"))
    if not isinstance(found, list):
        found = spread.get("reranker.output_documents") or spread.get("retrieval.documents")
    return read_documents(found) if isinstance(found, list) else ()


def _level(record: Record) -> Level | None:
    said = _LEVELS.get(str(record.attributes.get("langfuse.observation.level") or "").upper())
    return said or (Level.error if record.failed else None)


def _status(record: Record) -> str | None:
    said = text(record.attributes.get("langfuse.observation.status_message")) or record.message
    if said:
        return said
    raised = next((each.attributes for each in record.events if each.name == "exception"), {})
    parts = (raised.get("exception.type"), raised.get("exception.message"))
    return ": ".join(str(each) for each in parts if each) or None


def _extra(a: Mapping[str, Any]) -> dict[str, Json]:
    """What only those ask for who sent it."""
    found = {name: decoded(a[attribute]) for name, attribute in _EXTRA.items() if attribute in a}
    return {name: value for name, value in found.items() if value is not None}


_EXTRA: Final = {
    "model_parameters": "langfuse.observation.model.parameters",
    "cost_details": "langfuse.observation.cost_details",
    "completion_start_time": "langfuse.observation.completion_start_time",
    "public": "langfuse.trace.public",
    "prompt_template": "llm.prompt_template.template",
    "prompt_variables": "llm.prompt_template.variables",
    "session_name": "langsmith.trace.session_name",
}


# --- what spans say of the whole


def _facts(a: Mapping[str, Any], noted: Mapping[str, Any], resource: Mapping[str, Any], client: Client) -> TraceFacts:
    facts = TraceFacts(
        name=text(a.get("langfuse.trace.name")),
        category=text(first(a, ("thumbwheel.category", "category"))),
        user_id=text(first(a, _USER)),
        session_id=text(first(a, _SESSION)),
        release=text(a.get("langfuse.release") or first(resource, ("langfuse.release", "service.version"))),
        environment=text(a.get("langfuse.environment") or first(resource, _ENVIRONMENT)),
        version=text(a.get("langfuse.version")),
        tags=_tags(a),
        input=decoded(a.get("langfuse.trace.input")),
        output=decoded(a.get("langfuse.trace.output")),
        metadata=_trace_metadata(noted, client) if noted else {},
    )
    return NO_FACTS if facts == NO_FACTS else facts


def _tags(a: Mapping[str, Any]) -> tuple[str, ...]:
    names = ("langfuse.trace.tags", "tag.tags", "langsmith.span.tags")
    return next((listed_texts(a[name]) for name in names if a.get(name)), ())


def _trace_metadata(a: Mapping[str, Any], client: Client) -> dict[str, Json]:
    found = {
        name: decoded(value)
        for name, value in under(a, "langsmith.metadata.").items()
        if name not in _TAKEN and not name.startswith(("LANGSMITH_", "LANGCHAIN_"))
    }
    inference = decoded(a.get("metadata"))
    if isinstance(inference, dict):
        found |= inference
    return found | _metadata(a, "langfuse.trace.metadata", client)


def _metadata(a: Mapping[str, Any], name: str, client: Client) -> dict[str, Json]:
    """Metadata of Langfuse's: as one value, or each key under its own name."""
    whole = decoded(a.get(name))
    found = whole if isinstance(whole, dict) else {} if whole is None else {"metadata": whole}
    return found | {
        key: decoded(value, bare=client.encodes_all) for key, value in under(a, f"{name}.").items() if value is not None
    }
