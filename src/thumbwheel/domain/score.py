"""A score: one judgement of a trace, step or session as another tool's client sent it, before we say what it means."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from thumbwheel.domain.annotation import Verdict
from thumbwheel.domain.trace import Json


class ScoreSource(StrEnum):
    """Who judged."""

    #: The application, for its user.
    api = "API"
    #: A reviewer, in the other tool.
    annotation = "ANNOTATION"
    #: A model or a program.
    eval = "EVAL"


class ScoreType(StrEnum):
    """What kind of value it has."""

    numeric = "NUMERIC"
    boolean = "BOOLEAN"
    categorical = "CATEGORICAL"
    text = "TEXT"
    #: A better output in place of the one that was given.
    correction = "CORRECTION"


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One score as given, with where it came from.

    It names a trace, a span (whose trace may be unknown to the sender), a response or a session; the first of them
    that is set is what it is about, with `span_id` narrowing `trace_id`.
    """

    #: Unique within the project; the same id again is an update.
    id: str
    #: As given.
    name: str
    trace_id: str | None = None
    span_id: str | None = None
    #: The provider's id of the answer it judges, where neither trace nor span is named.
    response_id: str | None = None
    session_id: str | None = None
    source: ScoreSource = ScoreSource.api
    type: ScoreType | None = None
    #: A number (0 or 1 for BOOLEAN), or text.
    value: float | str | None = None
    #: A category beside a number: LangSmith's `value`, an evaluation's `label`.
    label: str | None = None
    #: A better output: text, or any JSON shaped like the output.
    correction: Json = None
    comment: str | None = None
    #: When it was given, as the client says.
    at: datetime
    #: Of two updates the larger speaks last (see `thumbwheel.domain.span.stamp_of`).
    stamp: int = 0
    #: `langfuse`, `langsmith`, `genai`, `openinference`, `phoenix`, `mlflow`.
    family: str
    #: Client and version, as far as it said.
    client: str | None = None
    #: Who judged: a person, a model, an identifier.
    author: str | None = None
    #: By which door a user's word came (see `thumbwheel.domain.signal.Signal`); None for what is no user's.
    channel: str | None = None
    metadata: dict[str, Json] = field(default_factory=dict)
    #: What a dialect needs to give its own data back, and nobody else looks at.
    extra: dict[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What a reviewer said in another tool. It answered no codebook and no queue asked for it, so it is never a label."""

    #: The score's.
    id: str
    trace_id: str
    #: The score's, as given.
    name: str
    #: None where the value does not say.
    verdict: Verdict | None
    value: float | str | None
    annotator: str | None
    critique: str | None
    corrected_output: str | None
    family: str
    at: datetime
