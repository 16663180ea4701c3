"""Runs, feedback and projects as LangSmith's clients read them: every id a UUID, nothing their models demand left out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Final
from uuid import UUID

from thumbwheel.connectors.langsmith import USAGE
from thumbwheel.domain.identity import id_key
from thumbwheel.domain.score import Score, ScoreSource, ScoreType
from thumbwheel.domain.span import WHOLE, Level, Span, SpanKind
from thumbwheel.domain.trace import Json, Trace

#: The project of whatever names none.
DEFAULT: Final = "default"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_RUN_TYPES: Final = {SpanKind.generation: "llm", SpanKind.span: "chain"}
_FEEDBACK_TYPES: Final = {ScoreSource.api: "api", ScoreSource.annotation: "app", ScoreSource.eval: "model"}
#: What a run is told with even when it is not asked for.
_ALWAYS: Final = frozenset(
    "id name run_type start_time end_time trace_id dotted_order session_id status parent_run_id inputs".split()
)


# --- ids


def uuid_of(id: str) -> str:
    """Any id as a UUID: dashed where it is one, a 64-bit one of OpenTelemetry filled up in front, else a hash.

    >>> uuid_of("00f067aa0ba902b7")
    '00000000-0000-0000-00f0-67aa0ba902b7'
    """
    key = id_key(id)
    digits = key.rjust(32, "0") if len(key) in {16, 32} else ""
    try:
        return str(UUID(digits))
    except ValueError:
        return str(UUID(bytes=hashlib.blake2b(id.encode(errors="replace"), digest_size=16).digest()))


def ids_meant(id: str) -> list[str]:
    """What a UUID of ours may be the form of: itself, and a 64-bit id."""
    key = id_key(id)
    return [id, key[16:]] if len(key) == 32 and key.startswith("0" * 16) else [id]


def tenant_of(project_id: int) -> str:
    """The id of everything a key can see."""
    return uuid_of(f"tenant {project_id}")


def project_of(project_id: int, name: str) -> str:
    """The id of one of LangSmith's projects, which are names that runs carry."""
    return uuid_of(f"project {project_id} {name}")


def moment(at: datetime | None) -> str | None:
    """A time as their clients write it."""
    return None if at is None else at.astimezone(UTC).isoformat(timespec="microseconds")


# --- runs


@dataclass(frozen=True)
class Told:
    """A trace and the steps it came as, as one project's clients are told of it."""

    project_id: int
    trace: Trace
    spans: Sequence[Span]

    @cached_property
    def steps(self) -> list[Span]:
        """Its steps; what came without any is one step by itself."""
        steps = [span for span in self.spans if span.id != WHOLE]
        return steps or [_as_step(self.trace)]

    @cached_property
    def _by_key(self) -> dict[str, Span]:
        return {id_key(span.id): span for span in self.steps}

    @cached_property
    def project(self) -> str:
        """Which of LangSmith's projects it is in."""
        named = (span.extra.get("session_name") for span in self.steps)
        return next((name for name in named if isinstance(name, str) and name), DEFAULT)

    @property
    def project_uuid(self) -> str:
        """Its id."""
        return project_of(self.project_id, self.project)

    def find(self, id: str) -> Span | None:
        """The step with this id."""
        return next((found for each in ids_meant(id) if (found := self._by_key.get(id_key(each)))), None)

    def line(self, span: Span) -> list[Span]:
        """The step and those above it, root first."""
        found = [span]
        while (above := self._by_key.get(id_key(found[0].parent_id or ""))) is not None and above not in found:
            found.insert(0, above)
        return found

    def started_at(self, span: Span) -> datetime:
        """When a step began, or else its trace."""
        return span.started_at or self.trace.started_at

    def run(self, span: Span) -> dict[str, Any]:
        """One step as a run."""
        line = self.line(span)
        parents = [uuid_of(each.id) for each in line[:-1]]
        failed = span.level is Level.error
        ended_at = span.ended_at
        return {
            "id": uuid_of(span.id),
            "name": span.name or self.trace.name or "run",
            "run_type": span.extra.get("run_type") or _RUN_TYPES.get(kind := span.kind or SpanKind.span, kind.lower()),
            "start_time": moment(self.started_at(span)),
            "end_time": moment(ended_at),
            "status": "error" if failed else "pending" if ended_at is None else "success",
            "error": (span.status_message or "error") if failed else None,
            "inputs": _wrapped(span, span.tool_arguments if span.input is None else span.input, "input") or {},
            "outputs": _outputs(span),
            "extra": self._extra(span),
            "events": span.extra.get("events") or [],
            "tags": list(span.facts.tags) or span.extra.get("tags") or [],
            "trace_id": uuid_of(self.trace.id),
            "dotted_order": ".".join(f"{self.started_at(each):%Y%m%dT%H%M%S%fZ}{uuid_of(each.id)}" for each in line),
            "parent_run_id": parents[-1] if parents else uuid_of(span.parent_id) if span.parent_id else None,
            "parent_run_ids": parents,
            "session_id": self.project_uuid,
            "reference_example_id": span.extra.get("reference_example_id"),
            "app_path": f"/traces/{self.trace.id}",
            "prompt_tokens": _tokens(span, "input"),
            "completion_tokens": _tokens(span, "output"),
            "total_tokens": _total(span),
            "first_token_time": None,
            "serialized": None,
            "s3_urls": None,
        }

    def _extra(self, span: Span) -> dict[str, Any]:
        """What is said of a step, its own words and what has a field here under the names LangSmith has for it."""
        metadata: dict[str, Json] = {**span.facts.metadata, **span.metadata}
        thread = span.extra.get("thread")
        said = {
            "user_id": span.facts.user_id,
            thread if isinstance(thread, str) else "session_id": span.facts.session_id,
            "ls_model_name": span.model,
            "prompt_version": span.prompt_version,
            "revision_id": span.facts.release or span.extra.get("revision_id"),
        }
        metadata |= {name: each for name, each in said.items() if each is not None}
        beside = {name.removeprefix("extra."): each for name, each in span.extra.items() if name.startswith("extra.")}
        return beside | {"metadata": metadata}


def _as_step(trace: Trace) -> Span:
    """A trace that came in one piece, as its own only step."""
    return Span(
        trace_id=trace.id,
        id=trace.id,
        kind=SpanKind.chain,
        name=trace.name,
        started_at=trace.started_at,
        ended_at=trace.ended_at,
        input=trace.input,
        output=trace.output,
        model=trace.model,
        prompt_version=trace.prompt_version,
        metadata={
            name: each
            for name, each in (
                *trace.metadata.items(),
                ("user_id", trace.user_id),
                ("session_id", trace.session_id),
                ("revision_id", trace.release),
                ("category", trace.category),
            )
            if each is not None
        },
        extra={"tags": list(trace.tags)},
    )


def _wrapped(span: Span, value: Json, name: str) -> dict[str, Any] | None:
    """A value as the object their models demand, by the name its client had given it."""
    key = span.extra.get(f"{name}_key")
    if isinstance(key, str) and value is not None:
        return {key: value}
    if value is None or isinstance(value, dict):
        return value
    if isinstance(value, list) and value and all(isinstance(each, dict) and "role" in each for each in value):
        return {"messages": value}
    return {name: value}


def _outputs(span: Span) -> dict[str, Any] | None:
    value = span.tool_result if span.output is None else span.output
    if value is None and span.documents:
        value = [
            {"page_content": each.content, "type": "Document", "metadata": {"id": each.id, "score": each.score}}
            for each in span.documents
        ]
    found = _wrapped(span, value, "output")
    return found if USAGE not in span.extra else {**(found or {}), USAGE: span.extra[USAGE]}


def _tokens(span: Span, name: str) -> int | None:
    value = span.usage.get(name)
    return int(value) if isinstance(value, int | float) else None


def _total(span: Span) -> int | None:
    counts = [_tokens(span, name) for name in ("input", "output")]
    known = [count for count in counts if count is not None]
    return _tokens(span, "total") or (sum(known) if known else None)


def selected(run: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """A run with the fields that are asked for, all of them where none are, and those no client does without."""
    return {name: each for name, each in run.items() if not names or name in names or name in _ALWAYS}


# --- feedback


def feedback(score: Score, trace_id: str | None) -> dict[str, Any]:
    """A score of any origin as feedback; `trace_id` is the trace's it was found to be about."""
    about = trace_id or score.trace_id
    run_id = score.span_id or about
    return {
        "id": uuid_of(score.id),
        "created_at": moment(score.at),
        "modified_at": moment(max(score.at, _EPOCH + timedelta(microseconds=score.stamp // 2))),
        "run_id": None if run_id is None else uuid_of(run_id),
        "trace_id": None if about is None else uuid_of(about),
        "session_id": score.session_id if about is None and score.family == "langsmith" else None,
        "key": score.name,
        "score": _figure(score),
        "value": _category(score),
        "comment": score.comment,
        "correction": _correction(score),
        "feedback_source": {
            "type": score.extra.get("source") or _FEEDBACK_TYPES[score.source],
            "metadata": score.metadata,
            "user_id": None,
            "user_name": score.author,
        },
        "comparative_experiment_id": score.extra.get("comparative_experiment_id"),
        "feedback_group_id": score.extra.get("feedback_group_id"),
        "extra": score.extra.get("extra"),
    }


def _figure(score: Score) -> bool | float | None:
    if isinstance(score.value, str) or score.value is None:
        return None
    if score.type is ScoreType.boolean:
        return score.value != 0
    return int(score.value) if score.value == int(score.value) else score.value


def _category(score: Score) -> Any:
    text = score.value if isinstance(score.value, str) and score.type is not ScoreType.correction else score.label
    if text and text[0] == "{":
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text
    return text


def _correction(score: Score) -> str | dict[str, Any] | None:
    value = score.value if score.type is ScoreType.correction and score.correction is None else score.correction
    return value if value is None or isinstance(value, str | dict) else {"output": value}


# --- projects


def project(project_id: int, name: str, started_at: datetime, said: Mapping[str, Any]) -> dict[str, Any]:
    """One of LangSmith's projects."""
    return {
        "id": project_of(project_id, name),
        "name": name,
        "tenant_id": tenant_of(project_id),
        "start_time": moment(started_at),
        "end_time": said.get("end_time"),
        "description": said.get("description"),
        "extra": said.get("extra"),
        "reference_dataset_id": None,
    }
