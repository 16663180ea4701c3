"""A signal: what a user said, changed or did about one trace. Never an annotation, never a label."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class SignalKind(StrEnum):
    """What happened. The names never mix: each kind has its own meaning and its own prior."""

    user_rating = "user_rating"
    user_reason = "user_reason"
    user_edit = "user_edit"
    implicit_regenerate = "implicit_regenerate"
    implicit_clarification = "implicit_clarification"
    implicit_abandonment = "implicit_abandonment"
    implicit_copy = "implicit_copy"
    implicit_copy_edit = "implicit_copy_edit"
    implicit_dwell = "implicit_dwell"
    #: A ticket or a chat message that somebody found the trace of.
    public_channel = "public_channel"


class Rating(StrEnum):
    """A thumb."""

    up = "up"
    down = "down"


class Right(StrEnum):
    """What a user's own words may be used for."""

    evaluate = "evaluate"
    prompt = "prompt"
    retrieve = "retrieve"
    train = "train"


#: The reasons a project starts with; a project may set its own.
DEFAULT_REASONS: tuple[str, ...] = (
    "hallucination",
    "refused",
    "too_long",
    "missed_the_point",
    "formatting",
    "outdated",
    "unsafe",
    "other",
)


class EditKind(StrEnum):
    """What an edit changed. Only a `correction` says that the answer was wrong."""

    correction = "correction"
    whitespace = "whitespace"
    citation = "citation"
    markup = "markup"
    none = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunk:
    """One changed run of words: `before` was replaced by `after` (either may be empty).

    Offsets count characters of the original text, half-open.
    """

    start: int
    end: int
    before: str
    after: str
    kind: EditKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What a user made of an answer: both texts, and the difference as word-level hunks."""

    #: None until the trace has come, when the client did not send it.
    original: str | None
    edited: str
    hunks: tuple[Hunk, ...]
    #: The strongest kind among the hunks; `none` when nothing differs.
    kind: EditKind


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalContext:
    """What the signal was about at that moment, copied from its trace."""

    model: str | None = None
    prompt_version: str | None = None
    category: str | None = None
    release: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DwellNorm:
    """How long answers were usually read, when somebody last looked: what a reading time is compared with."""

    #: None for all categories together.
    category: str | None
    #: Reading times it was made from.
    n: int
    #: Median of ln(seconds), and median absolute deviation from it.
    median: float
    mad: float
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How unusual a reading time was when it came, and by which norm."""

    #: In robust standard deviations of ln(seconds), within -5 and 5; longer than usual is positive.
    z: float
    norm: DwellNorm


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One thing a user said, changed or did about one trace."""

    #: Unique within its trace.
    id: str
    trace_id: str
    kind: SignalKind
    at: datetime
    user_id: str | None = None
    #: Free text beside the structured value, never instead of it.
    comment: str | None = None
    #: Set for `user_rating`.
    rating: Rating | None = None
    #: Set for `user_reason`: one of the project's reasons.
    reason: str | None = None
    #: Set for `user_edit`, and for `implicit_copy_edit` when the text is known.
    edit: Edit | None = None
    #: Set for `implicit_dwell`: seconds, >= 0.
    seconds: float | None = None
    #: Set for `implicit_dwell` when there was a norm to compare with.
    reading: Reading | None = None
    #: What the user agreed to, as the page recorded it.
    consent: dict[str, object] | None = None
    rights: frozenset[Right] = frozenset()
    #: Where it was said: "browser", "server", "import", "link", or the name of a public channel.
    channel: str | None = None
    #: Set for `public_channel`: who said that it is about this trace.
    relinked_by: str | None = None
    #: None until the trace has come.
    context: SignalContext | None = None
    #: Set when it came as another tool's score: what that is called there.
    name: str | None = None
    #: Set when that score is a number: the number, on whatever scale it is.
    score: float | None = None
