"""What Langfuse's clients send, as spans and scores: ingestion events and score bodies.

Every fault names its field and costs only its own item. What a client does not say stays unsaid, so that pieces in
any order make the same trace.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from thumbwheel.connectors.native import check_clean
from thumbwheel.domain.instant import can_have_been, utc
from thumbwheel.domain.score import Score, ScoreSource, ScoreType
from thumbwheel.domain.span import WHOLE, Level, Span, SpanKind, TraceFacts, stamp_of
from thumbwheel.domain.trace import Json
from thumbwheel.errors import Invalid

FAMILY: Final = "langfuse"
_KINDS: Final = {kind.value.lower(): kind for kind in SpanKind}
_LEVELS: Final = {level.value: level for level in Level}
_MOST: Final = 512

#: Fields of a score that no signal is made of, and their names in `Score.extra`.
SCORE_EXTRA: Final = {
    "configId": "config_id",
    "queueId": "queue_id",
    "environment": "environment",
    "datasetRunId": "dataset_run_id",
}
#: Fields of an observation that no trace is made of, and their names in `Span.extra`.
SPAN_EXTRA: Final = {
    "modelParameters": "model_parameters",
    "costDetails": "cost_details",
    "completionStartTime": "completion_start_time",
}


@dataclass(frozen=True, slots=True)
class Sender:
    """Which client sends, and when its request came."""

    now: datetime
    #: As in `python 5.0.4`; None when it does not say.
    client: str | None = None

    @classmethod
    def of(cls, headers: Mapping[str, str], now: datetime) -> Sender:
        """By the headers of a request; Python 2.x writes their names with underscores."""
        said = [
            headers.get(f"x-langfuse-sdk-{part}") or headers.get(f"x_langfuse_sdk_{part}")
            for part in ("name", "version")
        ]
        return cls(now, " ".join(part[:100] for part in said if part) or None)


def event(item: object, sender: Sender) -> Span | Score | None:
    """One event of an ingestion batch; None for one that only reports on the client itself.

    Raises:
        Invalid: it is of no known type, or a field is missing or has a value that cannot be.
    """
    fields = _object(item, "")
    kind = fields.get("type")
    if kind == "sdk-log":
        return None
    check_clean(fields)
    body = _object(fields.get("body"), "body")
    at = _time(fields, "timestamp") or sender.now
    own_id = _id(body, "id") or _id(fields, "id")
    if own_id is None:
        raise Invalid("An event has an id.", field="body.id")
    if kind == "trace-create":
        return _trace(body, own_id, at)
    if kind == "score-create":
        return _score(body, own_id, at, stamp_of(at), sender)
    what, _, deed = str(kind).rpartition("-")
    if deed not in {"create", "update"} or (what not in _KINDS and what != "observation"):
        raise Invalid(f"{str(kind)[:100]!r} is not a type of event.", field="type")
    return _step(body, own_id, at, _kind(body, what), update=deed == "update")


def score(item: object, sender: Sender, fresh_id: str) -> Score:
    """One score by itself; `fresh_id` is its id when the client gave none.

    Raises:
        Invalid: a field is missing or has a value that cannot be.
    """
    body = _object(item, "")
    check_clean(body)
    return _score(body, _id(body, "id") or fresh_id, sender.now, stamp_of(sender.now), sender)


# --- traces and observations


def _trace(body: Mapping[str, Any], own_id: str, at: datetime) -> Span:
    """What an event says of the whole trace. Updates carry a later timestamp of their own: the earliest is its start."""
    stamp = stamp_of(at)
    started_at = _time(body, "timestamp")
    facts = TraceFacts(
        name=_text(body, "name"),
        started_at=started_at,
        user_id=_text(body, "userId"),
        session_id=_text(body, "sessionId"),
        release=_text(body, "release"),
        environment=_text(body, "environment"),
        version=_text(body, "version"),
        tags=_tags(body),
        input=body.get("input"),
        output=body.get("output"),
        metadata=_metadata(body),
    )
    stamps = {} if started_at is None else {"facts.started_at": -stamp_of(started_at)}
    extra: dict[str, Json] = {"public": body["public"]} if isinstance(body.get("public"), bool) else {}
    return Span(trace_id=own_id, id=WHOLE, stamp=stamp, stamps=stamps, facts=facts, extra=extra)


def _kind(body: Mapping[str, Any], what: str) -> SpanKind | None:
    """The kind an event's type names; that of an `observation-…` event is in its body."""
    if what != "observation":
        return _KINDS[what]
    given = body.get("type")
    if given is None:
        return None
    kind = _KINDS.get(str(given).lower())
    if kind is None:
        raise Invalid(f"{str(given)[:100]!r} is not a type of observation.", field="body.type")
    return kind


def _step(body: Mapping[str, Any], own_id: str, at: datetime, kind: SpanKind | None, *, update: bool) -> Span:
    environment = _text(body, "environment")
    prompt_version = body.get("promptVersion")
    return Span(
        # One that names no trace is a trace of its own.
        trace_id=_id(body, "traceId") or own_id,
        id=own_id,
        stamp=stamp_of(at, update=update),
        parent_id=_id(body, "parentObservationId"),
        kind=kind,
        name=_text(body, "name"),
        started_at=_time(body, "startTime"),
        ended_at=_time(body, "endTime"),
        input=body.get("input"),
        output=body.get("output"),
        model=_text(body, "model"),
        prompt_name=_text(body, "promptName"),
        prompt_version=None if prompt_version is None else str(prompt_version)[:_MOST],
        usage=_usage(body),
        level=_level(body),
        status_message=_text(body, "statusMessage", most=10_000),
        version=_text(body, "version"),
        metadata=_metadata(body),
        extra={ours: body[theirs] for theirs, ours in SPAN_EXTRA.items() if body.get(theirs) is not None},
        facts=TraceFacts() if environment is None else TraceFacts(environment=environment),
    )


def _level(body: Mapping[str, Any]) -> Level | None:
    given = body.get("level")
    return None if given is None else _LEVELS.get(str(given).upper())


#: The names of three generations of usage, OpenAI's among them.
_COUNTS: Final = {
    "promptTokens": "input",
    "prompt_tokens": "input",
    "input_tokens": "input",
    "completionTokens": "output",
    "completion_tokens": "output",
    "output_tokens": "output",
    "totalTokens": "total",
    "total_tokens": "total",
}


def _usage(body: Mapping[str, Any]) -> dict[str, Json]:
    """Counts by name; those within `prompt_tokens_details` and the like as `input_cached_tokens`."""
    found: dict[str, Json] = {}
    for given in (body.get("usage"), body.get("usageDetails")):
        counts: dict[str, Any] = given if isinstance(given, dict) else {}
        for name, value in counts.items():
            if isinstance(value, dict) and name.endswith("_details"):
                under = _COUNTS.get(name.removesuffix("_details"), name)
                found |= {f"{under}_{part}": n for part, n in value.items() if _is_number(n)}
            elif _is_number(value) and not name.endswith("Cost"):
                found[_COUNTS.get(name, name)] = value
    return found


# --- scores


def _score(body: Mapping[str, Any], own_id: str, at: datetime, stamp: int, sender: Sender) -> Score:
    name = _text(body, "name")
    if not name:
        raise Invalid("A score has a name.", field="name")
    subjects = {field: _id(body, field) for field in ("traceId", "sessionId", "datasetRunId")}
    if not any(subjects.values()):
        raise Invalid("A score names what it is about: traceId, sessionId or datasetRunId.", field="traceId")
    given_at = _time(body, "timestamp") or at
    type, value = _typed(body)
    return Score(
        id=own_id,
        name=name,
        trace_id=subjects["traceId"],
        span_id=_id(body, "observationId"),
        session_id=subjects["sessionId"],
        source=_source(body),
        type=type,
        value=value,
        comment=_text(body, "comment", most=1_000_000),
        # A clock this far out says nothing; the score still counts.
        at=given_at if can_have_been(given_at, sender.now) else sender.now,
        stamp=stamp,
        family=FAMILY,
        client=sender.client,
        metadata=_metadata(body),
        extra={ours: body[theirs] for theirs, ours in SCORE_EXTRA.items() if body.get(theirs) is not None},
    )


def _source(body: Mapping[str, Any]) -> ScoreSource:
    given = body.get("source") or ScoreSource.api.value
    if given not in set(ScoreSource):
        raise Invalid(f"{str(given)[:100]!r} is not a source: API or ANNOTATION.", field="source")
    return ScoreSource(given)


def _typed(body: Mapping[str, Any]) -> tuple[ScoreType, float | str]:
    """The type of a score and its value in that type; without a type a number is NUMERIC and text CATEGORICAL."""
    value, given = body.get("value"), body.get("dataType")
    if value is None:
        raise Invalid("A score has a value.", field="value")
    if given is not None and given not in set(ScoreType):
        raise Invalid(f"{str(given)[:100]!r} is not a type: {', '.join(ScoreType)}.", field="dataType")
    type = ScoreType(given) if given else ScoreType.categorical if isinstance(value, str) else ScoreType.numeric
    if type in {ScoreType.numeric, ScoreType.boolean}:
        if not isinstance(value, int | float) or (type is ScoreType.boolean and value not in {0, 1}):
            wanted = "0 or 1" if type is ScoreType.boolean else "a number"
            raise Invalid(f"The value of a {type} score is {wanted}.", field="value")
        return type, _finite(value)
    if not isinstance(value, str):
        raise Invalid(f"The value of a {type} score is text.", field="value")
    return type, value


def _finite(value: float) -> float:
    try:
        return float(value)
    except OverflowError as fault:
        raise Invalid("This number is too large.", field="value") from fault


# --- fields


def _object(value: object, field: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Invalid("Expected an object.", field=field or None)
    return value


def _id(body: Mapping[str, Any], field: str) -> str | None:
    """An id as given; an empty one is none."""
    value = body.get(field)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > _MOST or "\0" in value:
        raise Invalid(f"An id is text of at most {_MOST} characters.", field=field)
    return value


def _text(body: Mapping[str, Any], field: str, *, most: int = _MOST) -> str | None:
    """Text; a number as its digits, since many a user id is one."""
    value = body.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Invalid("Expected text.", field=field)
    return str(value).replace("\0", "")[:most]


def _tags(body: Mapping[str, Any]) -> tuple[str, ...]:
    value = body.get("tags")
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise Invalid("Tags are a list of texts.", field="tags")
    return tuple(dict.fromkeys(each.replace("\0", "")[:_MOST] for each in value))


def _metadata(body: Mapping[str, Any]) -> dict[str, Json]:
    """Metadata by key; what is no object stands under `metadata`, as Langfuse keeps it."""
    value = body.get("metadata")
    if value is None:
        return {}
    return value if isinstance(value, dict) else {"metadata": value}


def _time(body: Mapping[str, Any], field: str) -> datetime | None:
    """A time in ISO 8601, UTC where it names no offset, or in milliseconds since 1970."""
    value = body.get(field)
    if value is None or value == "":
        return None
    try:
        if isinstance(value, str):
            return utc(datetime.fromisoformat(value))
        if _is_number(value):
            return datetime.fromtimestamp(value / 1000, UTC)
    except (ValueError, OverflowError, OSError) as fault:
        raise Invalid(f"{str(value)[:100]!r} is not a time.", field=field) from fault
    raise Invalid("Expected an ISO 8601 time.", field=field)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
