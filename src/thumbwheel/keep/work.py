"""What callers want kept, what became of it, and many callers' works as one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TypeVar

from thumbwheel.domain.identity import id_key
from thumbwheel.domain.score import Score
from thumbwheel.domain.signal import Signal
from thumbwheel.domain.span import Span
from thumbwheel.domain.trace import Trace
from thumbwheel.errors import ConsentMissing
from thumbwheel.keep.door import Admission
from thumbwheel.keep.session import Outcome
from thumbwheel.telemetry import WITHOUT_CONSENT

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Work:
    """What one caller wants kept. Whole traces and signals are each with the hash of what the client sent."""

    project_id: int
    traces: Sequence[tuple[Trace, int]] = ()
    signals: Sequence[tuple[Signal, int]] = ()
    spans: Sequence[Span] = ()
    scores: Sequence[Score] = ()
    #: How it came; what users were asked there decides what may be kept. A signal's own channel goes before.
    channel: str = "server"

    def __len__(self) -> int:
        return len(self.traces) + len(self.signals) + len(self.spans) + len(self.scores)

    @property
    def trace_ids(self) -> list[str]:
        """The traces it is about, as far as it says."""
        said = (
            *(trace.id for trace, _ in self.traces),
            *(span.trace_id for span in self.spans),
            *(signal.trace_id for signal, _ in self.signals),
            *(score.trace_id for score in self.scores if score.trace_id is not None),
        )
        return list(dict.fromkeys(said))


@dataclass(frozen=True, slots=True)
class Kept:
    """For each item in order: True when it is new, False when it was here already, or why it was refused."""

    traces: Sequence[Outcome]
    signals: Sequence[Outcome]
    spans: Sequence[Outcome]
    scores: Sequence[Outcome]


@dataclass(frozen=True, slots=True)
class LetIn:
    """A work as it may be kept, and what of it may not."""

    work: Work
    #: Why, by place in the caller's work.
    signals: Mapping[int, Outcome] = field(default_factory=dict)
    scores: Mapping[int, Outcome] = field(default_factory=dict)

    @classmethod
    def through(cls, admission: Admission, work: Work) -> LetIn:
        """A work that has passed the door.

        Raises:
            ScrubberFailed: what is personal in it could not be told.
        """
        hashed = admission.content
        traces = [(admission.trace(trace), hashed(content)) for trace, content in work.traces]
        spans = [admission.span(span) for span in work.spans]
        signals, no_signals = _consented(
            work.signals, lambda item: (admission.signal(item[0], work.channel), hashed(item[1]))
        )
        scores, no_scores = _consented(work.scores, lambda score: admission.score(score, work.channel))
        WITHOUT_CONSENT.labels("signals", work.channel).inc(len(no_signals))
        WITHOUT_CONSENT.labels("scores", work.channel).inc(len(no_scores))
        return cls(Work(work.project_id, traces, signals, spans, scores, work.channel), no_signals, no_scores)

    def complete(self, kept: Kept) -> Kept:
        """What became of the caller's items, those included that were not let in."""
        if not self.signals and not self.scores:
            return kept
        return replace(kept, signals=_put_back(kept.signals, self.signals), scores=_put_back(kept.scores, self.scores))

    def not_new(self, kept: Kept) -> set[tuple[str, str]]:
        """Key of the trace and part (see `Note`) of each item that is not new: what was taken out of it is not kept."""
        traces = ((trace.id, "") for trace, _ in self.work.traces)
        spans = ((span.trace_id, f"span:{span.id}") for span in self.work.spans)
        signals = ((signal.trace_id, f"signal:{signal.id}") for signal, _ in self.work.signals)
        named = [*zip(traces, kept.traces, strict=True), *zip(spans, kept.spans, strict=True)]
        named += zip(signals, kept.signals, strict=True)
        return {(id_key(trace_id), part) for (trace_id, part), outcome in named if outcome is not True}


def _consented(items: Sequence[_Value], admit: Callable[[_Value], _Value]) -> tuple[list[_Value], dict[int, Outcome]]:
    good: list[_Value] = []
    refused: dict[int, Outcome] = {}
    for place, item in enumerate(items):
        try:
            good.append(admit(item))
        except ConsentMissing as fault:
            refused[place] = fault
    return good, refused


def _put_back(outcomes: Sequence[Outcome], refused: Mapping[int, Outcome]) -> Sequence[Outcome]:
    others = iter(outcomes)
    return [refused[place] if place in refused else next(others) for place in range(len(outcomes) + len(refused))]


def joined(project_id: int, works: Collection[Work]) -> Work:
    """Many works as one."""
    return Work(
        project_id,
        traces=[trace for work in works for trace in work.traces],
        signals=[signal for work in works for signal in work.signals],
        spans=[span for work in works for span in work.spans],
        scores=[score for work in works for score in work.scores],
    )


def shared_out(kept: Kept, works: Collection[Work]) -> Iterator[Kept]:
    """What became of each work, from what became of all of them joined."""
    traces, signals, spans, scores = iter(kept.traces), iter(kept.signals), iter(kept.spans), iter(kept.scores)
    for work in works:
        yield Kept(
            list(islice(traces, len(work.traces))),
            list(islice(signals, len(work.signals))),
            list(islice(spans, len(work.spans))),
            list(islice(scores, len(work.scores))),
        )
