"""Spans and scores as Langfuse's clients read them: camel case, nothing left out, what is not known null.

Fields their models demand and nothing here has (`totalCost`, `public`) are what Langfuse answers for a project that
does without: 0 and false.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from thumbwheel.domain.document import number, read_documents
from thumbwheel.domain.score import Score, ScoreType
from thumbwheel.domain.span import NO_FACTS, WHOLE, Level, Span, SpanKind, TraceFacts
from thumbwheel.domain.trace import Document, Json, Trace, text_of

#: What `fields` of an observation chooses from. The first is always there.
_GROUPS: Final = {
    "core": "id traceId projectId parentObservationId type startTime endTime",
    "basic": "name level statusMessage version environment bookmarked public userId sessionId isRootObservation",
    "time": "completionStartTime createdAt updatedAt",
    "io": "input output documents",
    "metadata": "metadata",
    "model": "model providedModelName internalModelId modelId modelParameters inputPrice outputPrice totalPrice",
    "usage": "usage usageDetails costDetails totalCost usagePricingTierName",
    "prompt": "promptId promptName promptVersion",
    "metrics": "latency timeToFirstToken",
    "trace_context": "tags release traceName",
}


@dataclass(frozen=True, slots=True)
class Told:
    """A trace and the steps it came as, as one project's clients are told of it."""

    project_id: int
    trace: Trace
    spans: Sequence[Span]
    received_at: datetime

    @property
    def facts(self) -> TraceFacts:
        """What was said of the trace alone."""
        return next((span.facts for span in self.spans if span.id == WHOLE), NO_FACTS)

    def said(self, name: str) -> Any:
        """What the first of its spans says of the whole under this name, what was said of it alone going before."""
        return next((found for span in self.spans if (found := getattr(span.facts, name)) not in {None, ""}), None)

    @property
    def environment(self) -> str:
        """Where it ran."""
        return str(self.said("environment") or "default")

    @property
    def root(self) -> Span | None:
        """The step that stands for all."""
        steps = [span for span in self.spans if span.id != WHOLE]
        return next((span for span in steps if span.root), next((span for span in steps if not span.parent_id), None))


def trace(told: Told) -> dict[str, Any]:
    """A trace, without its observations and scores."""
    whole, root = told.facts, told.root
    metadata: dict[str, Json] = {}
    for span in reversed(told.spans):
        metadata |= span.facts.metadata
    given, made = [
        next((each for each in (getattr(whole, name), getattr(root, name, None)) if each is not None), folded)
        for name, folded in (("input", told.trace.input), ("output", told.trace.output))
    ]
    return {
        "id": told.trace.id,
        "projectId": str(told.project_id),
        "timestamp": moment(told.trace.started_at),
        "name": told.trace.name,
        "input": given,
        "output": made,
        "sessionId": told.trace.session_id,
        "userId": told.trace.user_id,
        "release": told.trace.release,
        "version": told.said("version"),
        "environment": told.environment,
        "metadata": metadata,
        "tags": list(told.trace.tags),
        "public": any(span.extra.get("public") is True for span in told.spans),
        "bookmarked": False,
        "externalId": None,
        "htmlPath": f"/project/{told.project_id}/traces/{told.trace.id}",
        "latency": _seconds(told.trace.started_at, told.trace.ended_at) or 0.0,
        "totalCost": sum(_total_cost(span) or 0.0 for span in told.spans),
        "createdAt": moment(told.received_at),
        "updatedAt": moment(told.received_at),
    }


# --- observations


def observation(told: Told, span: Span) -> dict[str, Any]:
    """One step, with what the trace says about it."""
    started_at = span.started_at or told.trace.started_at
    received = moment(told.received_at)
    return {
        "id": span.id,
        "traceId": told.trace.id,
        "projectId": str(told.project_id),
        "parentObservationId": span.parent_id,
        "type": (span.kind or SpanKind.span).value,
        "isRootObservation": bool(span.root) or span.parent_id is None,
        "name": span.name,
        "startTime": moment(started_at),
        "endTime": moment(span.ended_at),
        "completionStartTime": span.extra.get("completion_start_time"),
        "input": span.tool_arguments if span.input is None else span.input,
        "output": span.tool_result if span.output is None else span.output,
        "level": (span.level or Level.default).value,
        "statusMessage": span.status_message,
        "version": span.version or told.said("version"),
        "environment": span.facts.environment or told.environment,
        "release": told.trace.release,
        "userId": told.trace.user_id,
        "sessionId": told.trace.session_id,
        "tags": list(told.trace.tags),
        "traceName": told.trace.name,
        "documents": [_document(each) for each in _documents(span)],
        "bookmarked": False,
        "public": False,
        "createdAt": received,
        "updatedAt": received,
        **_prompt(span),
        **_model(span),
        **_usage(span),
        **_pace(span, started_at),
    }


def observation_v2(told: Told, span: Span) -> dict[str, Any]:
    """One step for clients that read no traces: what it said of the trace's metadata is among its own."""
    found = observation(told, span)
    return found | {"metadata": span.facts.metadata | found["metadata"]}


def _prompt(span: Span) -> dict[str, Any]:
    """The prompt's version as Langfuse has them, whole numbers; any other stands in the metadata."""
    version = span.prompt_version
    whole = int(version) if version and version.isascii() and version.isdigit() and len(version) < 10 else None
    beside: dict[str, Json] = {} if version is None or whole is not None else {"prompt_version": version}
    return {
        "promptId": None,
        "promptName": span.prompt_name,
        "promptVersion": whole,
        "metadata": beside | span.metadata,
    }


def _model(span: Span) -> dict[str, Any]:
    prices = dict.fromkeys(("modelId", "internalModelId", "inputPrice", "outputPrice", "totalPrice"))
    parameters = span.extra.get("model_parameters")
    return {"model": span.model, "providedModelName": span.model, "modelParameters": parameters, **prices}


def _usage(span: Span) -> dict[str, Any]:
    """Counts as whole numbers, also in the older form that has three of them always."""
    details = {name: int(n) for name, each in span.usage.items() if (n := number(each)) is not None}
    given, made = details.get("input", 0), details.get("output", 0)
    costs = span.extra.get("cost_details")
    costs = costs if isinstance(costs, dict) else {}
    numbers = {name: n for name, each in costs.items() if (n := number(each)) is not None}
    return {
        "usage": {"input": given, "output": made, "total": details.get("total", given + made), "unit": "TOKENS"},
        "usageDetails": details,
        "costDetails": numbers,
        "totalCost": _total_cost(span),
        "usagePricingTierName": None,
        "calculatedInputCost": numbers.get("input"),
        "calculatedOutputCost": numbers.get("output"),
        "calculatedTotalCost": _total_cost(span),
    }


def _total_cost(span: Span) -> float | None:
    costs = span.extra.get("cost_details")
    if not isinstance(costs, dict):
        return None
    numbers = {name: n for name, each in costs.items() if (n := number(each)) is not None}
    return numbers.get("total", sum(numbers.values())) if numbers else None


def _pace(span: Span, started_at: datetime) -> dict[str, Any]:
    first = span.extra.get("completion_start_time")
    try:
        first_at = datetime.fromisoformat(first) if isinstance(first, str) else None
    except ValueError:
        first_at = None
    if first_at is not None and first_at.tzinfo is None:
        first_at = first_at.replace(tzinfo=UTC)
    return {"latency": _seconds(started_at, span.ended_at), "timeToFirstToken": _seconds(started_at, first_at)}


def _documents(span: Span) -> Sequence[Document]:
    if span.documents or span.kind is not SpanKind.retriever or not isinstance(span.output, list):
        return span.documents
    return read_documents(span.output)


def _document(document: Document) -> dict[str, Any]:
    return {"id": document.id, "content": document.content, "score": document.score, "rank": document.rank}


def chosen(answer: dict[str, Any], fields: str | None, *, raw: bool = False) -> dict[str, Any]:
    """The groups of fields a client asks for, all when it names none; `raw` gives input and output as text."""
    if fields is not None:
        groups = {"core", *(group.strip() for group in fields.split(","))}
        names = {name for group in groups for name in _GROUPS.get(group, "").split()}
        answer = {name: value for name, value in answer.items() if name in names}
    if raw:
        answer |= {name: _raw(answer[name]) for name in ("input", "output") if name in answer}
    return answer


def _raw(value: Json) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)


# --- scores


@dataclass(frozen=True, slots=True)
class ToldScore:
    """A score, and the trace it is about by its own spelling."""

    project_id: int
    score: Score
    trace_id: str | None
    received_at: datetime


def score(told: ToldScore) -> dict[str, Any]:
    """A score in the form of versions 2 to 4: numbers always, with the text beside."""
    type, value = _value(told.score)
    found = _common(told, type) | {
        "traceId": told.trace_id,
        "observationId": told.score.span_id,
        "sessionId": told.score.session_id,
        "datasetRunId": told.score.extra.get("dataset_run_id"),
    }
    if type is ScoreType.boolean:
        return found | {"value": float(value), "stringValue": "True" if value else "False"}
    if type is ScoreType.numeric:
        return found | {"value": value}
    return found | {"value": 0.0, "stringValue": value}


def score_v1(told: ToldScore) -> dict[str, Any]:
    """A score in the oldest form, also that of scores within their trace: its clients know three types and no other."""
    found = score(told)
    known = {ScoreType.numeric.value, ScoreType.boolean.value}
    return found if found["dataType"] in known else found | {"dataType": ScoreType.categorical.value}


def score_v3(told: ToldScore) -> dict[str, Any]:
    """A score in the form of version 5: a value of its own type, and what it is about."""
    type, value = _value(told.score)
    return _common(told, type) | {"value": value, "subject": _subject(told)}


def _common(told: ToldScore, type: ScoreType) -> dict[str, Any]:
    score = told.score
    received = moment(told.received_at)
    return {
        "id": score.id,
        "projectId": str(told.project_id),
        "name": score.name,
        "source": score.source.value,
        "dataType": type.value,
        "timestamp": moment(score.at),
        "createdAt": received,
        "updatedAt": received,
        "environment": score.extra.get("environment") or "default",
        "comment": score.comment,
        "configId": score.extra.get("config_id"),
        "metadata": score.metadata,
        "queueId": score.extra.get("queue_id"),
        "authorUserId": score.author,
    }


def _value(score: Score) -> tuple[ScoreType, Any]:
    """Type and value; of a score that another family's client sent, the nearest of Langfuse's types."""
    if score.type is ScoreType.boolean:
        return score.type, bool(score.value)
    if score.correction is not None:
        return ScoreType.correction, text_of(score.correction)
    if isinstance(score.value, int | float):
        return ScoreType.numeric, float(score.value)
    if score.value is not None:
        return score.type or ScoreType.categorical, score.value
    if score.label is not None:
        return ScoreType.categorical, score.label
    return ScoreType.text, score.comment or ""


def _subject(told: ToldScore) -> dict[str, Any] | None:
    score = told.score
    if score.span_id is not None:
        return {"kind": "observation", "id": score.span_id, "traceId": told.trace_id}
    if told.trace_id is not None:
        return {"kind": "trace", "id": told.trace_id}
    if score.session_id is not None:
        return {"kind": "session", "id": score.session_id}
    run = score.extra.get("dataset_run_id")
    return None if run is None else {"kind": "experiment", "id": str(run)}


# --- values


def moment(at: datetime | None) -> str | None:
    """A time as their clients write it."""
    return None if at is None else at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _seconds(start: datetime, end: datetime | None) -> float | None:
    return None if end is None else max((end - start).total_seconds(), 0.0)
