"""What passes between thumbwheel and another tool that already has traces: pages in, settled labels out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from thumbwheel.domain.annotation import Label
from thumbwheel.domain.identity import id_key
from thumbwheel.domain.score import Score
from thumbwheel.domain.span import Span

#: What every judgement we write elsewhere is named by, so that it is known again and never read as somebody else's.
MARK: Final = "thumbwheel:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """A kind of thing that a source has, ordered by a time of its own."""

    name: str
    #: How long after that time it may still come, or change.
    late: timedelta
    #: True for one that only looks again at what the streams before it have read: late judgements of old traces.
    echo: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some of what a source has."""

    spans: Sequence[Span] = ()
    scores: Sequence[Score] = ()
    #: What the tool calls a trace, where that is not the trace's id.
    remotes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A settled label, and the trace it is about as the tool has it."""

    trace_id: str
    #: None where the label that the tool has was taken back, and none came in its place.
    label: Label | None
    #: What the tool calls the trace.
    remote_id: str
    #: The step that stands for the trace.
    root_id: str | None
    #: Whether the tool has an earlier label of the trace.
    replaces: bool = False

    @property
    def mark(self) -> str:
        """Names the judgement there: one a trace, so that a label settled anew takes the place of the one before."""
        return f"{MARK}{id_key(self.trace_id)}"
