"""Judgements that instrumentation reports: OpenInference's on spans, and GenAI evaluations."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from thumbwheel.connectors.attributes import decoded, text
from thumbwheel.connectors.otlp import Record, time_of
from thumbwheel.domain.document import number
from thumbwheel.domain.score import Score, ScoreSource, ScoreType
from thumbwheel.domain.span import stamp_of

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
#: What a judgement is about, by the prefix of its attributes.
_ABOUT: Final = ("", "trace.", "session.")
_KINDS: Final = {"annotations": "annotation", "evaluations": "evaluation"}


def judgements_of(record: Record, spread: Mapping[str, Any]) -> list[Score]:
    """OpenInference's annotations and evaluations; those on a span with one link are about the span it links to."""
    found: list[Score] = []
    if not spread:
        return found
    for about in _ABOUT:
        for many, one in _KINDS.items():
            listed = spread.get(about + many)
            for each in listed if isinstance(listed, list) else ():
                said = each.get(one) if isinstance(each, dict) else None
                score = _judgement(record, about, one, said) if isinstance(said, dict) else None
                if score is not None:
                    found.append(score)
    return found


def _judgement(record: Record, about: str, one: str, said: Mapping[str, Any]) -> Score | None:
    at = time_of(record.end_nanos) or time_of(record.start_nanos) or _EPOCH
    beside = {"annotator_kind": said.get("annotator_kind") or ("HUMAN" if one == "annotation" else "LLM")}
    found = judgement(_target(record, about), {**said, **beside}, at)
    return None if found is None else replace(found, client=client_of(record.resource))


def judgement(target: Mapping[str, Any], said: Mapping[str, Any], at: datetime) -> Score | None:
    """An annotation in OpenInference's words; None where it has no name or is about nothing.

    `target` is a Score's `trace_id`, `span_id` and `session_id`, as far as they are known.
    """
    name = text(said.get("name"))
    value, label = number(said.get("score")), text(said.get("label"))
    if name is None or not any(target.values()):
        return None
    kind = str(said.get("annotator_kind")).upper()
    identifier = text(said.get("identifier"))
    metadata = decoded(said.get("metadata"))
    return Score(
        # As its own server has it: one name, one target and one identifier are one judgement.
        id=_id_of(target, name, kind, identifier),
        name=name,
        **target,
        source=ScoreSource.annotation if kind == "HUMAN" else ScoreSource.eval,
        type=ScoreType.categorical if value is None else ScoreType.numeric,
        value=label if value is None else value,
        label=None if value is None else label,
        comment=text(said.get("explanation")),
        at=at,
        stamp=stamp_of(at),
        family="openinference",
        author=identifier or (None if kind == "HUMAN" else kind),
        metadata=metadata if isinstance(metadata, dict) else {},
    )


def _target(record: Record, about: str) -> dict[str, Any]:
    if about == "session.":
        return {"session_id": text(record.attributes.get("session.id"))}
    trace_id, span_id = record.links[0] if len(record.links) == 1 else (record.trace_id, record.span_id)
    return {"trace_id": trace_id or None} if about else {"trace_id": trace_id or None, "span_id": span_id or None}


def evaluation_of(
    a: Mapping[str, Any], trace_id: str | None, span_id: str | None, nanos: int, resource: Mapping[str, Any]
) -> list[Score]:
    """A `gen_ai.evaluation.result`; none where it names nothing that it is about, or says nothing."""
    name = text(a.get("gen_ai.evaluation.name"))
    value, label = number(a.get("gen_ai.evaluation.score.value")), text(a.get("gen_ai.evaluation.score.label"))
    response_id = text(a.get("gen_ai.response.id"))
    if name is None or (value is None and label is None) or (trace_id is None and response_id is None):
        return []
    at = time_of(nanos) or _EPOCH
    comment = text(a.get("gen_ai.evaluation.explanation"))
    return [
        Score(
            id=_id_of(trace_id, span_id, response_id, name, value, label, comment, nanos),
            name=name,
            trace_id=trace_id,
            span_id=span_id,
            response_id=response_id if trace_id is None else None,
            source=ScoreSource.eval,
            type=ScoreType.categorical if value is None else ScoreType.numeric,
            value=label if value is None else value,
            label=None if value is None else label,
            comment=comment,
            at=at,
            stamp=stamp_of(at),
            family="genai",
            client=client_of(resource),
            author=text(a.get("gen_ai.evaluation.evaluator")),
            metadata={name: a[name] for name in ("consent.given",) if name in a},
        )
    ]


def client_of(resource: Mapping[str, Any]) -> str | None:
    """The SDK that sent it, and its version, as far as the resource says."""
    parts = (text(resource.get(f"telemetry.sdk.{name}")) for name in ("name", "language", "version"))
    return " ".join(filter(None, parts)) or None


def _id_of(*parts: Any) -> str:
    """An id that is the same whenever the same judgement is sent again."""
    return hashlib.blake2b(msgspec.json.encode(parts, order="sorted"), digest_size=16).hexdigest()
