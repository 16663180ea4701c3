"""A span: one step of a trace as some client's instrumentation reported it, perhaps only in part."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from thumbwheel.domain.trace import Document, Json, JudgeScore, ToolCall

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

#: The span id of what is said about the whole trace and about no step of it.
WHOLE: Final = ""


class SpanKind(StrEnum):
    """What a step does."""

    generation = "GENERATION"
    span = "SPAN"
    retriever = "RETRIEVER"
    tool = "TOOL"
    agent = "AGENT"
    chain = "CHAIN"
    embedding = "EMBEDDING"
    evaluator = "EVALUATOR"
    guardrail = "GUARDRAIL"
    event = "EVENT"


class Level(StrEnum):
    """How a step went."""

    debug = "DEBUG"
    default = "DEFAULT"
    warning = "WARNING"
    error = "ERROR"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanEvent:
    """A message of a conversation that was reported as an event beside its span."""

    #: Nanoseconds since 1970 UTC; 0 when unknown.
    at: int
    #: Place among the events reported together.
    place: int = 0
    #: `gen_ai.user.message`, `gen_ai.choice`, …
    name: str
    body: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceFacts:
    """What a span says about the whole trace. What it does not say is None or empty."""

    name: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    category: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    model: str | None = None
    prompt_version: str | None = None
    release: str | None = None
    environment: str | None = None
    version: str | None = None
    tags: tuple[str, ...] = ()
    input: Json = None
    output: Json = None
    documents: tuple[Document, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    judge: JudgeScore | None = None
    metadata: dict[str, Json] = field(default_factory=dict)


NO_FACTS: Final = TraceFacts()


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One step of a trace, as one or more reports of it said.

    Any field may be missing, in one report or in all: None and empty mean "not said", never "none". Reports of one
    span are merged (`thumbwheel.capture.assemble.merge`), and the spans of a trace folded into it.
    """

    trace_id: str
    #: `WHOLE` when the report is about the trace alone.
    id: str
    #: When it was reported, for two reports that contradict each other: the larger speaks last (see `stamp_of`).
    stamp: int = 0
    #: Fields that are older than `stamp`, by name; keys of metadata as `metadata.key`, facts as `facts.name`.
    stamps: dict[str, int] = field(default_factory=dict)
    parent_id: str | None = None
    #: True when the client says that this step is the application's own root, whatever its parent.
    root: bool | None = None
    kind: SpanKind | None = None
    name: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    #: As reported: text, messages of any dialect, any JSON.
    input: Json = None
    output: Json = None
    #: Text, or parts, reported apart from the input's messages.
    system_prompt: Json = None
    #: Messages reported as events; they are the input and output where nothing else is.
    events: tuple[SpanEvent, ...] = ()
    model: str | None = None
    prompt_name: str | None = None
    prompt_version: str | None = None
    #: Token counts as reported: `input`, `output`, …
    usage: dict[str, Json] = field(default_factory=dict)
    documents: tuple[Document, ...] = ()
    #: Set for a tool call; the span's name, input and output otherwise say the same.
    tool_name: str | None = None
    tool_arguments: Json = None
    tool_result: Json = None
    #: The provider's id of the answer, by which evaluations may name it.
    response_id: str | None = None
    level: Level | None = None
    status_message: str | None = None
    version: str | None = None
    metadata: dict[str, Json] = field(default_factory=dict)
    #: What a dialect needs to give its own data back, and nobody else looks at; merged by key.
    extra: dict[str, Json] = field(default_factory=dict)
    facts: TraceFacts = NO_FACTS


def stamp_of(at: datetime | None, *, update: bool = False) -> int:
    """A stamp: microseconds since 1970 UTC, and of two at the same microsecond an update speaks after what it updates."""
    since = 0 if at is None else (at - _EPOCH) // timedelta(microseconds=1)
    return 2 * since + update
