"""MLflow's traces, spans and assessments, in our words."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from thumbwheel.connectors.attributes import decoded, text
from thumbwheel.connectors.otlp import EventRecord, Record
from thumbwheel.connectors.source_http import text_at
from thumbwheel.domain.annotation import Label, Verdict
from thumbwheel.domain.instant import utc
from thumbwheel.domain.score import Score, ScoreSource, ScoreType
from thumbwheel.domain.source import MARK, Outgoing
from thumbwheel.domain.span import WHOLE, Span, TraceFacts, stamp_of
from thumbwheel.domain.trace import Json

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_OF_OTEL: Final = re.compile(r"tr-([0-9a-f]{32})")
_SOURCES: Final = {"HUMAN": ScoreSource.annotation}
#: Where a pushed assessment says whose it is.
_OURS: Final = "thumbwheel.score_id"
#: Expectations that are an answer, and so a correction of the one that was given.
_ANSWERS: Final = frozenset({"expected_response", "expected_output", "expected_answer", "answer", "response"})


def trace_id_of(info: Mapping[str, Any]) -> str:
    """The id a trace has everywhere but in MLflow, which writes `tr-` before OpenTelemetry's."""
    id = str(info.get("trace_id"))
    found = _OF_OTEL.fullmatch(id)
    return found[1] if found else id


# --- spans


def records_of(info: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]) -> list[Record]:
    """The spans of a trace, as its store or its file has them."""
    return [record for step in steps if (record := _record(trace_id_of(info), step)) is not None]


def _record(trace_id: str, step: Mapping[str, Any]) -> Record | None:
    span_id = _hex(step.get("span_id"))
    if span_id is None:
        return None
    status, events = step.get("status"), step.get("events")
    return Record(
        trace_id=trace_id,
        span_id=span_id,
        parent_id=_hex(step.get("parent_span_id")),
        name=text_at(step, "name") or "",
        start_nanos=_integer(step.get("start_time_unix_nano")),
        end_nanos=_integer(step.get("end_time_unix_nano")),
        attributes=_attributes(step.get("attributes")),
        events=[_event(each) for each in (events if isinstance(events, list) else ()) if isinstance(each, dict)],
        failed=text_at(status, "code") in {"STATUS_CODE_ERROR", "ERROR"},
        message=text_at(status, "message") or "",
    )


def _event(event: Mapping[str, Any]) -> EventRecord:
    at = event.get("time_unix_nano", event.get("timestamp"))
    return EventRecord(text_at(event, "name") or "", _integer(at), _attributes(event.get("attributes")))


def _hex(value: Any) -> str | None:
    """An id that is written in base64, as hex; one that is hex already as it is."""
    if not isinstance(value, str) or not value:
        return None
    if re.fullmatch(r"(0x)?[0-9a-f]{16}", value):
        return value.removeprefix("0x")
    try:
        raw = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw.hex() if any(raw) else None


def _integer(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        return 0


def _attributes(given: Any) -> dict[str, Any]:
    """Attributes as the store lists them, or as a file has them: each written as JSON."""
    if isinstance(given, dict):
        return {name: _written(value) for name, value in given.items()}
    pairs = given if isinstance(given, list) else []
    return {each["key"]: _value(each.get("value")) for each in pairs if isinstance(each, dict) and "key" in each}


def _written(value: Any) -> Any:
    return decoded(value, bare=True) if isinstance(value, str) else value


def _value(value: Any) -> Any:
    if not isinstance(value, dict) or not value:
        return None
    kind, held = next(iter(value.items()))
    if kind == "array_value":
        return [_value(each) for each in _values(held)]
    if kind == "kvlist_value":
        return _attributes(list(_values(held)))
    return _integer(held) if kind == "int_value" else held


def _values(held: Any) -> Iterator[Any]:
    found = held.get("values") if isinstance(held, dict) else None
    yield from found if isinstance(found, list) else ()


# --- the trace


def whole_of(info: Mapping[str, Any], records: Sequence[Record]) -> Span:
    """What is said of a trace: user, session, tags; of one whose spans are not to be had what it was asked and answered."""
    metadata, tags = _texts(info.get("trace_metadata")), _texts(info.get("tags"))
    at = _time(info.get("request_time"))
    beside: dict[str, Any] = {}
    if not records:
        beside = {
            "started_at": at,
            "input": decoded(metadata.get("mlflow.traceInputs") or info.get("request_preview")),
            "output": decoded(metadata.get("mlflow.traceOutputs") or info.get("response_preview")),
        }
    own: dict[str, Json] = {
        name: value for name, value in (metadata | tags).items() if not name.startswith(("mlflow.", "trace."))
    }
    facts = TraceFacts(
        name=text(tags.get("mlflow.traceName")),
        user_id=text(metadata.get("mlflow.trace.user")),
        session_id=text(metadata.get("mlflow.trace.session")),
        release=text(metadata.get("mlflow.source.git.commit")),
        metadata=own,
        **beside,
    )
    return Span(trace_id=trace_id_of(info), id=WHOLE, stamp=stamp_of(at), facts=facts)


def _texts(value: Any) -> dict[str, str]:
    found = value if isinstance(value, dict) else {}
    return {name: each for name, each in found.items() if isinstance(each, str)}


def _time(value: Any) -> datetime | None:
    try:
        return utc(datetime.fromisoformat(value))
    except (TypeError, ValueError):
        return None


# --- assessments


def scores_of(info: Mapping[str, Any]) -> list[Score]:
    """What was said of a trace, but for what we said ourselves and what somebody has said otherwise since."""
    given = info.get("assessments")
    said = [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []
    standing = [each for each in said if each.get("valid") is not False and not _mark(each)]
    return [score for each in standing if (score := _score(trace_id_of(info), each)) is not None]


def _mark(said: Mapping[str, Any]) -> str | None:
    metadata = said.get("metadata")
    mark = metadata.get(_OURS) if isinstance(metadata, dict) else None
    return mark if isinstance(mark, str) and mark.startswith(MARK) else None


def _score(trace_id: str, said: Mapping[str, Any]) -> Score | None:
    id, name = text_at(said, "assessment_id"), text_at(said, "assessment_name")
    verdict = _verdict(said, name or "")
    if id is None or name is None or verdict is None:
        return None
    kind = text_at(said, "source", "source_type") or ""
    metadata = said.get("metadata")
    at = _time(said.get("last_update_time")) or _time(said.get("create_time")) or _EPOCH
    return Score(
        id=id,
        name=name,
        trace_id=trace_id,
        span_id=_hex(said.get("span_id")),
        source=_SOURCES.get(kind, ScoreSource.eval),
        comment=text_at(said, "rationale"),
        at=at,
        stamp=stamp_of(at),
        family="mlflow",
        author=text_at(said, "source", "source_id"),
        metadata=metadata if isinstance(metadata, dict) else {},
        extra={"source_type": kind},
        **verdict,
    )


def _verdict(said: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """What an assessment says, as fields of a score; None where it says nothing, or that a judge failed."""
    for what in ("feedback", "expectation"):
        held = said.get(what)
        if isinstance(held, dict):
            value = _held(held)
            if value is None or held.get("error"):
                return None
            if what == "expectation" and name in _ANSWERS:
                return {"type": ScoreType.correction, "correction": value}
            return _typed(value)
    return None


def _held(held: Mapping[str, Any]) -> Any:
    """A value, perhaps written as JSON."""
    serialized = held.get("serialized_value")
    return held.get("value") if not isinstance(serialized, dict) else _written(serialized.get("value"))


def _typed(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"type": ScoreType.boolean, "value": float(value)}
    if isinstance(value, int | float):
        return {"type": ScoreType.numeric, "value": float(value)}
    if isinstance(value, str):
        return {"type": ScoreType.categorical, "value": value}
    return {"type": ScoreType.text, "value": msgspec.json.encode(value).decode()}


def assessment_of(outgoing: Outgoing, label: Label) -> dict[str, Any]:
    """A label as an assessment by a human: true for a pass, its critique, and its categories beside it."""
    about = {
        _OURS: outgoing.mark,
        "thumbwheel.label_id": label.id,
        "thumbwheel.codebook_version": str(label.codebook_version),
        "thumbwheel.categories": ", ".join(label.categories),
        "thumbwheel.corrected_output": label.corrected_output or "",
    }
    return {
        "assessment_name": "thumbwheel",
        "source": {"source_type": "HUMAN", "source_id": "thumbwheel"},
        "feedback": {"value": label.verdict is Verdict.passed},
        "rationale": label.critique or "",
        "metadata": {name: value for name, value in about.items() if value},
    }


def ours_among(info: Mapping[str, Any], mark: str) -> dict[str, Any] | None:
    """The assessment of a trace that a push of ours wrote under this mark."""
    given = info.get("assessments")
    said = [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []
    return next((each for each in said if _mark(each) == mark and text_at(each, "assessment_id")), None)


def says_the_same(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether an assessment needs no change."""
    return all((before.get(name) or "") == (now[name] or "") for name in ("feedback", "rationale", "metadata"))
