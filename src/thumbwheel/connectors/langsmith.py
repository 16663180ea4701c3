"""LangSmith's runs, as spans."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from thumbwheel.connectors.multipart import Part
from thumbwheel.connectors.sound import read_json
from thumbwheel.domain.document import column, number, plain
from thumbwheel.domain.instant import utc
from thumbwheel.domain.span import NO_FACTS, Level, Span, SpanKind, TraceFacts, stamp_of
from thumbwheel.errors import Invalid

#: Whose words a run's outputs may hold beside what it answered.
USAGE: Final = "usage_metadata"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
#: Milliseconds of the year 2100; what says it is later says nothing.
_LAST_MILLIS: Final = 4_102_444_800_000
_BULK: Final = frozenset("inputs outputs events extra error serialized".split())
_KINDS: Final = {
    "llm": SpanKind.generation,
    "prompt": SpanKind.span,
    "parser": SpanKind.span,
} | {kind.value.lower(): kind for kind in SpanKind}
#: Names under which clients put a value that is no object.
_INPUTS: Final = ("input", "inputs")
_OUTPUTS: Final = ("output", "outputs")
_SESSIONS: Final = ("session_id", "thread_id", "conversation_id")
#: What clients copy from their environment, which is nobody's metadata.
_ENVIRONMENT: Final = ("LANGSMITH_", "LANGCHAIN_")
_SEGMENT: Final = re.compile(r"(\d{8}T\d{6})(\d{0,6})Z([0-9a-fA-F-]{36})", re.ASCII)
_TOKENS: Final = {
    "input": ("input_tokens", "prompt_tokens"),
    "output": ("output_tokens", "completion_tokens"),
    "total": ("total_tokens",),
}


@dataclass(slots=True)
class Report:
    """What one request says of one run."""

    run: dict[str, Any]
    #: Whether it changes a run that was reported before, or will yet be.
    update: bool = False


@dataclass(slots=True)
class Batch:
    """What a request holds."""

    reports: list[Report] = field(default_factory=list)
    feedback: list[dict[str, Any]] = field(default_factory=list)
    #: Why the rest cannot be kept.
    faults: list[Invalid] = field(default_factory=list)


# --- what a request holds


def wanted(name: str) -> bool:
    """Whether a part of this name is kept; attachments are measured only."""
    return name.startswith(("post.", "patch.", "feedback."))


def read_batch(parts: Iterable[Part]) -> Batch:
    """The runs and feedback of a multipart body; a part that cannot be read costs its own run and no other."""
    batch = Batch()
    runs: dict[tuple[str, str], dict[str, Any]] = {}
    spoiled: set[tuple[str, str]] = set()
    for part in parts:
        event, _, rest = part.name.partition(".")
        id, _, name = rest.partition(".")
        key = (event, id)
        try:
            if event == "feedback":
                batch.feedback.append(_object(read_json(part.data)) | {"id": id})
            elif event == "attachment":
                _attach(runs, id, name, part)
            elif event in {"post", "patch"}:
                _take(runs.setdefault(key, {}), name, read_json(part.data))
        except Invalid as fault:
            spoiled.add(key)
            batch.faults.append(Invalid(fault.detail, field=part.name))
    batch.reports = [
        Report(run | {"id": key[1]}, update=key[0] == "patch") for key, run in runs.items() if key not in spoiled
    ]
    return batch


def _take(run: dict[str, Any], name: str, value: Any) -> None:
    if not name:
        run.update(_object(value))
    elif name in _BULK:
        run[name] = value


def _attach(runs: Mapping[tuple[str, str], dict[str, Any]], id: str, name: str, part: Part) -> None:
    """Note on its run what was attached; the bytes are not kept, since nobody could say what is in them."""
    run = runs.get(("post", id), runs.get(("patch", id)))
    if run is not None:
        run.setdefault("attachments", {})[name] = {"type": part.content_type.partition(";")[0], "size": part.size}


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Invalid(f"Expected an object, got {type(value).__name__}.")
    return value


def objects(value: Any, name: str) -> list[dict[str, Any]]:
    """A list of objects; none where there is nothing.

    Raises:
        Invalid: it is something else.
    """
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise Invalid(f"{name!r} must be a list of objects.", field=name)
    return value


# --- ids and times


def as_id(value: Any, name: str) -> str | None:
    """An id as everybody writes it, dashed and in lower case; None where there is none.

    Raises:
        Invalid: it is no UUID.
    """
    if value is None or value == "":
        return None
    try:
        return str(UUID(value))
    except (ValueError, AttributeError, TypeError) as fault:
        raise Invalid(f"{str(value)[:80]!r} is not a UUID.", field=name) from fault


def time_of(value: Any) -> datetime | None:
    """A time as LangSmith's clients write it: ISO 8601, naive meaning UTC, or milliseconds since 1970."""
    try:
        if isinstance(value, str):
            return utc(datetime.fromisoformat(value))
        if isinstance(value, int | float) and 0 < value < _LAST_MILLIS:
            return _EPOCH + timedelta(milliseconds=value)
    except (ValueError, OverflowError):
        pass
    return None


@dataclass(frozen=True, slots=True)
class Order:
    """What a dotted order says of a run: when it and those above it began, root first."""

    ids: tuple[str, ...] = ()
    began_at: datetime | None = None

    @classmethod
    def of(cls, value: Any) -> Order:
        """Read `20261123T142313007710Z<id>.20261123T142313008000Z<id>`; what is none says nothing."""
        found = [_SEGMENT.fullmatch(each) for each in value.split(".")] if isinstance(value, str) else []
        segments = [each for each in found if each is not None]
        if not segments or len(segments) != len(found):
            return cls()
        last = segments[-1]
        return cls(
            tuple(segment[3].lower() for segment in segments),
            time_of(f"{last[1]}.{last[2]:0<6}" if last[2] else last[1]),
        )


def trace_of(run: Mapping[str, Any]) -> str | None:
    """The trace a run says it is a step of; None where it names only its parent, or nothing.

    Raises:
        Invalid: what it says is no UUID.
    """
    order = Order.of(run.get("dotted_order"))
    return as_id(run.get("trace_id"), "trace_id") or (order.ids[0] if order.ids else None)


# --- a run


def span_of(report: Report, trace_id: str) -> Span:
    """One run as a step of this trace.

    Raises:
        Invalid: it has no id that could be one.
    """
    run = report.run
    id = as_id(run.get("id"), "id")
    if id is None:
        raise Invalid("A run needs an id.", field="id")
    order = Order.of(run.get("dotted_order"))
    began, ended = time_of(run.get("start_time")) or order.began_at, time_of(run.get("end_time"))
    parent_id = as_id(run.get("parent_run_id"), "parent_run_id") or (order.ids[-2] if len(order.ids) > 1 else None)
    extra = _dict(run.get("extra"))
    about = _About.of(_dict(extra.get("metadata")))
    (given, given_as), (made, made_as) = _bare(run.get("inputs"), _INPUTS), _bare(run.get("outputs"), _OUTPUTS)
    error = run.get("error")
    is_root = parent_id is None and id == trace_id
    kind = _KINDS.get(str(run["run_type"]).lower(), SpanKind.span) if run.get("run_type") else None
    return Span(
        trace_id=trace_id,
        id=id,
        stamp=stamp_of(ended or began, update=report.update),
        parent_id=parent_id,
        kind=kind,
        name=column(run.get("name")),
        started_at=began,
        ended_at=ended,
        input=_unless_empty(given, kind),
        output=_unless_empty(made, kind),
        model=column(about.model or _invoked(extra)),
        prompt_version=column(about.prompt_version),
        usage=_usage(run.get("outputs"), about),
        level=Level.error if error else None,
        status_message=None if not error else error if isinstance(error, str) else str(error),
        metadata={name: each for name, each in about.rest.items() if not is_root or name.startswith("ls_")},
        extra={
            **dict(_kept(run, extra, about, is_root=is_root)),
            **({"input_key": given_as} if given_as else {}),
            **({"output_key": made_as} if made_as else {}),
        },
        facts=_facts(run, about, is_root=is_root),
    )


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


@dataclass(frozen=True, slots=True)
class _About:
    """A run's metadata, what has a field of its own apart."""

    model: Any
    prompt_version: Any
    release: Any
    usage: Any
    user_id: str | None
    session_id: str | None
    #: Which of its names the session was under.
    session_name: str | None
    rest: dict[str, Any]

    @classmethod
    def of(cls, metadata: Mapping[str, Any]) -> _About:
        session_name = next((name for name in _SESSIONS if plain(metadata.get(name))), None)
        taken = {"ls_model_name", "prompt_version", "revision_id", USAGE, "user_id", session_name}
        return cls(
            model=metadata.get("ls_model_name"),
            prompt_version=metadata.get("prompt_version"),
            release=metadata.get("revision_id"),
            usage=metadata.get(USAGE),
            user_id=plain(metadata.get("user_id")),
            session_id=None if session_name is None else plain(metadata[session_name]),
            session_name=session_name,
            rest={
                name: each
                for name, each in metadata.items()
                if name not in taken and not name.startswith(_ENVIRONMENT) and each is not None
            },
        )


def _facts(run: Mapping[str, Any], about: _About, *, is_root: bool) -> TraceFacts:
    """What a run says of the whole: who and in which conversation from any, the rest from the root."""
    facts = TraceFacts(
        user_id=about.user_id,
        session_id=about.session_id,
        release=column(about.release) if is_root else None,
        tags=_tags(run) if is_root else (),
        metadata={name: each for name, each in about.rest.items() if not name.startswith("ls_")} if is_root else {},
    )
    return NO_FACTS if facts == NO_FACTS else facts


def _tags(run: Mapping[str, Any]) -> tuple[str, ...]:
    tags = run.get("tags")
    return tuple(dict.fromkeys(filter(None, map(column, tags)))) if isinstance(tags, list) else ()


def _kept(
    run: Mapping[str, Any], extra: Mapping[str, Any], about: _About, *, is_root: bool
) -> Iterator[tuple[str, Any]]:
    """What only LangSmith's own clients ask for again."""
    for name in ("run_type", "session_name", "reference_example_id"):
        if isinstance(run.get(name), str):
            yield name, run[name]
    outputs = run.get("outputs")
    if isinstance(outputs, dict) and USAGE in outputs:
        yield USAGE, outputs[USAGE]
    if about.session_name is not None:
        yield "thread", about.session_name
    if not is_root and (tags := _tags(run)):
        yield "tags", list(tags)
    if not is_root and about.release is not None:
        yield "revision_id", about.release
    events = run.get("events")
    if isinstance(events, list) and events:
        yield "events", events
    for name, each in extra.items():
        if name not in ({"metadata"} if is_root else {"metadata", "runtime"}) and each is not None:
            yield f"extra.{name}", each
    for name, each in _dict(run.get("attachments")).items():
        yield f"attachment.{name}", each


def _bare(value: Any, wrappers: Iterable[str]) -> tuple[Any, str | None]:
    """What a run was given or made, without the tokens it took; what clients wrapped to make it an object, and in what."""
    if not isinstance(value, dict):
        return value, None
    rest = {name: each for name, each in value.items() if name != USAGE}
    if len(rest) == 1 and (key := next(iter(rest))) in wrappers:
        return rest[key], key
    return rest, None


def _unless_empty(value: Any, kind: SpanKind | None) -> Any:
    """A value, unless its client only had to send an object: tools alone are called with nothing."""
    return None if value == {} and kind is not SpanKind.tool else value


def _invoked(extra: Mapping[str, Any]) -> Any:
    parameters = _dict(extra.get("invocation_params"))
    return next((found for name in ("model", "model_name") if (found := parameters.get(name))), None)


def _usage(outputs: Any, about: _About) -> dict[str, Any]:
    """Tokens in the client's form, or as the providers' own answers give them."""
    said = _dict(outputs)
    places = (said.get(USAGE), about.usage, said.get("usage"), _dict(said.get("llm_output")).get("token_usage"))
    given = next((each for each in places if isinstance(each, dict) and each), {})
    found = {
        name: next((given[each] for each in names if number(given.get(each)) is not None), None)
        for name, names in _TOKENS.items()
    }
    return {name: each for name, each in found.items() if each is not None}
