"""A trace: one request to the application, with what came in, what went out and what was used on the way."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    #: Any JSON value. Inputs and outputs are kept as the application sent them.
    Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
else:
    # A decoder that builds a dataclass from rows can't follow an alias into itself.
    Json: TypeAlias = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One retrieved document, as the retriever returned it."""

    id: str
    content: str | None = None
    #: The retriever's own score: no unit, larger is nearer.
    score: float | None = None
    #: Place in the result list, 1 = first.
    rank: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """One call of a tool, with what it was given and what it returned."""

    name: str
    arguments: Json = None
    result: Json = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeScore:
    """An automatic verdict that came with the trace. It biases the sampler and is never a label."""

    #: 0 = surely bad, 1 = surely good.
    score: float
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One request to the application.

    A trace is written once and belongs to the day it started on (UTC). What
    people say about it are signals, annotations and labels: other rows.
    """

    id: str
    started_at: datetime
    ended_at: datetime | None = None
    name: str | None = None
    #: The stratum: what kind of request it was (topic, route, feature).
    category: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    model: str | None = None
    prompt_version: str | None = None
    release: str | None = None
    tags: tuple[str, ...] = ()
    input: Json = None
    output: Json = None
    documents: tuple[Document, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    judge: JudgeScore | None = None
    metadata: dict[str, Json] = field(default_factory=dict)


def text_of(value: Json) -> str:
    """What a person would read of an input or output: text as it is, the last message's content, else JSON.

    Of content in parts the texts are read, one below the other; a picture or a sound is not.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, list) and value and isinstance(value[-1], dict) and "content" in value[-1]:
        return text_of(value[-1]["content"])
    if isinstance(value, list) and (parts := [part for part in map(_text_part, value) if part is not None]):
        return "\n\n".join(parts)
    if isinstance(value, dict):
        for name in ("content", "text", "output", "answer", "response"):
            if isinstance(value.get(name), str):
                return str(value[name])
        for name in ("messages", "content", "parts"):
            if isinstance(value.get(name), list):
                return text_of(value[name])
    return json.dumps(value, ensure_ascii=False, indent=2)


def _text_part(part: Json) -> str | None:
    """The text of one part of a message's content, as the large providers write it."""
    text = part.get("text") if isinstance(part, dict) else None
    return text if isinstance(text, str) else None
