"""A trace from its spans: which of them speaks for the whole, and what the others add."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final

from thumbwheel.capture.merge import merge
from thumbwheel.capture.messages import calls_of, conversation, led_by, of_events, plain_text, read_json, spoken
from thumbwheel.domain.document import column, plain, read_documents
from thumbwheel.domain.identity import id_key
from thumbwheel.domain.span import NO_FACTS, WHOLE, Span, SpanKind, TraceFacts
from thumbwheel.domain.trace import Document, Json, ToolCall, Trace

_LAST_MOMENT: Final = datetime.max.replace(tzinfo=UTC)
#: Metadata that is a field of the trace, and so leaves the metadata.
_CATEGORY: Final = "category"
_PROMPT_VERSION: Final = "prompt_version"


def gather(spans: Iterable[Span]) -> dict[str, Span]:
    """Reports by the span they are about, those about the same one merged; keyed by `id_key`."""
    found: dict[str, Span] = {}
    for span in spans:
        key = id_key(span.id)
        found[key] = merge(found[key], span) if key in found else span
    return found


def facts_of(trace: Trace) -> TraceFacts:
    """A whole trace, as what is said about it: for one that came in one piece and whose spans follow."""
    return TraceFacts(
        **{each.name: getattr(trace, each.name) for each in fields(TraceFacts) if hasattr(trace, each.name)}
    )


def fold(trace_id: str, spans: Iterable[Span], *, otherwise: datetime) -> Trace:
    """The trace that these spans, one for each id, are steps of.

    What is said of the whole trace wins over what its root says, and that over the other spans, earliest first. Input
    and output are the trace's own, else the root's, else those of the first and of the last generation. The category
    is the one a span gives as such, or metadata of that name; a trace's name never becomes its category, since a
    stratum must be few values and names need not be. `otherwise` is the start of a trace none of whose spans has one.
    """
    return _Folding(sorted(spans, key=_in_order)).trace(trace_id, otherwise)


def _in_order(span: Span) -> tuple[datetime, str]:
    return span.started_at or _LAST_MOMENT, span.id


@dataclass(frozen=True)
class _Folding:
    """One trace being put together; `spans` in order of time."""

    spans: Sequence[Span]

    @cached_property
    def steps(self) -> list[Span]:
        return [span for span in self.spans if span.id != WHOLE]

    @cached_property
    def tops(self) -> list[Span]:
        """The roots: those the client calls so, else those without a parent here."""
        here = {id_key(span.id) for span in self.steps}
        return (
            [span for span in self.steps if span.root]
            or [span for span in self.steps if not span.parent_id]
            or [span for span in self.steps if id_key(span.parent_id or "") not in here]
        )

    @cached_property
    def root(self) -> Span | None:
        """The one step that stands for all, if there is one."""
        return self.tops[0] if len(self.tops) == 1 or (self.tops and self.tops[0].root) else None

    @cached_property
    def facts(self) -> list[TraceFacts]:
        """What is said about the whole, who speaks first in front."""
        whole = [span for span in self.spans if span.id == WHOLE]
        root = [] if self.root is None else [self.root]
        others = [span for span in self.steps if span is not self.root]
        return [span.facts for span in (*whole, *root, *others) if span.facts is not NO_FACTS]

    @cached_property
    def generations(self) -> list[Span]:
        return [span for span in self.steps if span.kind is SpanKind.generation]

    def said(self, name: str) -> Any:
        """The first that anybody says of the whole."""
        for facts in self.facts:
            value = getattr(facts, name)
            if value is not None:
                return value
        return None

    def trace(self, trace_id: str, otherwise: datetime) -> Trace:
        started_at = self.said("started_at") or (self.root and self.root.started_at) or self._earliest() or otherwise
        metadata = self._metadata()
        category = self.said("category") or plain(metadata.get(_CATEGORY))
        prompt_version = self.said("prompt_version") or self._prompt_version() or plain(metadata.get(_PROMPT_VERSION))
        top = self.tops[0] if self.tops else None
        return Trace(
            id=trace_id,
            started_at=started_at,
            ended_at=self._ended_at(started_at),
            name=column(self.said("name") or (top.name if top else None)),
            category=column(category),
            user_id=column(self.said("user_id")),
            session_id=column(self.said("session_id")),
            model=column(self.said("model") or self._model()),
            prompt_version=column(prompt_version),
            release=column(self.said("release")),
            tags=tuple(dict.fromkeys(filter(None, (column(tag) for facts in self.facts for tag in facts.tags)))),
            input=self._input(),
            output=self._output(),
            documents=self.said_of("documents") or _documents(self.steps),
            tool_calls=self.said_of("tool_calls") or _tool_calls(self.steps),
            judge=self.said("judge"),
            metadata={
                name: each for name, each in metadata.items() if not _moved(name, each, category, prompt_version)
            },
        )

    def said_of(self, name: str) -> tuple[Any, ...]:
        return next((found for facts in self.facts if (found := getattr(facts, name))), ())

    def _earliest(self) -> datetime | None:
        return min((span.started_at for span in self.steps if span.started_at), default=None)

    def _ended_at(self, started_at: datetime) -> datetime | None:
        ended_at: datetime | None = self.said("ended_at")
        if ended_at is None and self.root is not None:
            ended_at = self.root.ended_at
        if ended_at is None:
            ended_at = max((span.ended_at for span in self.steps if span.ended_at), default=None)
        return ended_at if ended_at is None or ended_at >= started_at else None

    def _metadata(self) -> dict[str, Json]:
        found: dict[str, Json] = {}
        for facts in reversed(self.facts):
            found |= facts.metadata
        environment = self.said("environment")
        if environment not in {None, "default"}:
            found = {"environment": environment} | found
        return found

    def _model(self) -> Any:
        """The model that gave the answer: of the root or of the last generation, else of any step but an embedding."""
        others = [span for span in self.steps if span.kind is not SpanKind.embedding]
        root = [] if self.root is None or self.root.kind is SpanKind.embedding else [self.root]
        return _first(span.model for span in (*root, *reversed(self.generations), *reversed(others)))

    def _prompt_version(self) -> Any:
        root = [] if self.root is None else [self.root]
        return _first(span.prompt_version for span in (*root, *reversed(self.generations), *reversed(self.steps)))

    def _input(self) -> Json:
        said = self.said("input")
        if said is not None:
            return spoken(said, answer=False)
        tops = [self.root] if self.root is not None else []
        spans = (*tops, *self.generations, *self.tops)
        return next((found for span in spans if (found := input_of(span)) is not None), None)

    def _output(self) -> Json:
        said = self.said("output")
        if said is not None:
            return spoken(said, answer=True)
        tops = [self.root] if self.root is not None else []
        spans = (*tops, *reversed(self.generations), *reversed(self.tops))
        return next((found for span in spans if (found := output_of(span)) is not None), None)


def _first(values: Iterable[Any]) -> Any:
    return next((value for value in values if value is not None), None)


def _moved(name: str, value: Json, category: str | None, prompt_version: str | None) -> bool:
    """Whether this metadata has become a field of the trace."""
    text = plain(value)
    return text is not None and (
        (name == _CATEGORY and text == category) or (name == _PROMPT_VERSION and text == prompt_version)
    )


# --- one step


def input_of(span: Span) -> Json:
    """What a step was given, messages in one form and its system prompt leading; a tool's arguments."""
    given = span.input if span.input is not None else of_events(span.events, answer=False)
    if given is None:
        given = span.tool_arguments
    said = spoken(given, answer=False)
    if plain_text(span.system_prompt) is None:
        return said
    messages = conversation(said)
    if messages is None and said is not None:
        messages = conversation([{"role": "user", "content": said}])
    return list(led_by(span.system_prompt, messages or []))


def output_of(span: Span) -> Json:
    """What a step answered, an answer of one plain text as that text; a tool's result."""
    given = span.output if span.output is not None else of_events(span.events, answer=True)
    return spoken(span.tool_result if given is None else given, answer=True)


# --- documents


def _documents(steps: Sequence[Span]) -> tuple[Document, ...]:
    """What was retrieved, in order of time; what a later step ranks anew keeps its place and takes the new rank."""
    found: dict[str, Document] = {}
    for span in steps:
        for document in documents_of(span):
            before = found.get(document.id)
            found[document.id] = document if before is None else _again(before, document)
    return tuple(found.values())


def _again(before: Document, now: Document) -> Document:
    return Document(
        id=now.id,
        content=before.content if now.content is None else now.content,
        score=before.score if now.score is None else now.score,
        rank=now.rank,
    )


def documents_of(span: Span) -> tuple[Document, ...]:
    """The documents a step retrieved: reported as such, else a retriever's output where it is a list of documents."""
    if span.documents or span.kind is not SpanKind.retriever:
        return span.documents
    output = read_json(span.output)
    if isinstance(output, dict):
        output = next((each for each in output.values() if isinstance(each, list)), None) if len(output) == 1 else None
    found = read_documents(output) if isinstance(output, list) else ()
    return found if isinstance(output, list) and len(found) == len(output) else ()


# --- tool calls


def _tool_calls(steps: Sequence[Span]) -> tuple[ToolCall, ...]:
    """Every tool that was called: steps that ran one, and calls the model asked for that no step shows."""
    ran = [
        ToolCall(name=span.tool_name or span.name or "tool", arguments=_arguments(span), result=_result(span))
        for span in steps
        if span.kind is SpanKind.tool
    ]
    return (*ran, *_only_asked(_asked(steps), ran))


def _arguments(span: Span) -> Json:
    said: Json = read_json(span.input if span.tool_arguments is None else span.tool_arguments)
    return said


def _result(span: Span) -> Json:
    said: Json = read_json(span.output if span.tool_result is None else span.tool_result)
    return said


def _asked(steps: Sequence[Span]) -> Iterator[ToolCall]:
    """Calls that the generations answered with, each once, with what a later request says came of it.

    Calls in requests alone are an earlier turn's, and another trace's.
    """
    generations = [span for span in steps if span.kind is SpanKind.generation]
    calls: dict[str, dict[str, Any]] = {}
    for span in generations:
        for place, call in enumerate(calls_of(conversation(_raw_output(span)) or ())):
            calls.setdefault(str(call.get("id") or f"{span.id}:{place}"), call)
    if not calls:
        return
    said = [message for span in generations for message in conversation(input_of(span)) or ()]
    answers = {str(each["tool_call_id"]): each["content"] for each in said if each.get("tool_call_id")}
    for id, call in calls.items():
        if isinstance(call.get("name"), str):
            yield ToolCall(name=call["name"], arguments=call.get("arguments"), result=read_json(answers.get(id)))


def _raw_output(span: Span) -> Json:
    return span.output if span.output is not None else of_events(span.events, answer=True)


def _only_asked(asked: Iterable[ToolCall], ran: Sequence[ToolCall]) -> Iterator[ToolCall]:
    left = [call.name for call in ran]
    for call in asked:
        if call.name in left:
            left.remove(call.name)
        else:
            yield call
