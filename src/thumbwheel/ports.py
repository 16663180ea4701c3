"""What others may implement, and what the core is handed instead of reaching for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol, TypeAlias

from thumbwheel.domain.source import Outgoing, Page, Stream
from thumbwheel.domain.trace import Json, Trace

#: The time now, aware and in UTC.
Now: TypeAlias = Callable[[], datetime]

#: A new id: unique, and sorting by the time it was made.
Mint: TypeAlias = Callable[[], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a judge is shown of one trace."""

    trace_id: str
    #: The request and the answer as a person reads them.
    input: str
    output: str
    category: str | None = None
    #: Log-odds of failure by the trace's signals and the priors in force, the base rate's included.
    prior_log_odds: float

    @classmethod
    def of(cls, trace: Trace, *, prior_log_odds: float) -> Case:
        """A trace as a judge reads it: of a conversation everything but the system prompt."""
        return cls(
            trace_id=trace.id,
            input=_as_read(trace.input),
            output=_as_read(trace.output),
            category=trace.category,
            prior_log_odds=prior_log_odds,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A case a judge may learn from, with its label if it has one."""

    case: Case
    #: What the label says; None while there is no label.
    failed: bool | None = None
    #: 1 / the chance with which the trace came to be labelled; 1 without a label.
    weight: float = 1.0


class Judge(Protocol):
    """Says how likely it is that a trace failed, before or beside people; never a label."""

    @property
    def name(self) -> str:
        """Model, prompt or training, and codebook version in one name: whatever changes answers changes it."""

    def score(self, cases: Sequence[Case]) -> list[float]:
        """Probability of failure in (0, 1) for each case, in order."""


#: Makes a judge from examples, for the codebook version in force (None before there is one).
FitJudge: TypeAlias = Callable[[Sequence[Example], int | None], Judge]


#: How alike texts read: the cosine similarity of each with each (n x n, numpy), the same for the same texts.
Alike: TypeAlias = Callable[[Sequence[str]], Any]


def _as_read(value: Json) -> str:
    """Any input or output as text: messages and parts one below the other, other objects as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "\n\n".join(filter(None, map(_as_read, value)))
    if isinstance(value, dict):
        if value.get("role") == "system":
            return ""
        for key in ("content", "text"):
            if key in value:
                return _as_read(value[key])
    return "" if value is None else json.dumps(value, ensure_ascii=False)


class Found(NamedTuple):
    """A piece of personal data in a text."""

    #: Presidio's name for the kind ("EMAIL_ADDRESS"); SECRET for keys, tokens and passwords.
    type: str
    #: Characters of the text, half-open.
    start: int
    end: int


class Scrubber(Protocol):
    """Finds personal data and secrets in text. It only finds: what is put in their place is `thumbwheel.capture.privacy`'s."""

    def find(self, text: str) -> Sequence[Found]:
        """Everything personal in `text`, in order and without overlaps; raises rather than pass over what it could not read."""


class Source(Protocol):
    """Another tool that already has traces, and that takes labels back."""

    @property
    def streams(self) -> Sequence[Stream]:
        """What it has, in the order in which it is to be read."""

    def connect(self) -> str:
        """Find out whether it answers and takes the key; a name of the server and the project there.

        Raises:
            SourceUnavailable: it does not answer.
            SourceRefused: it does not take the key, or has no such project.
        """

    def read(self, stream: str, start: datetime, end: datetime) -> Iterator[Page]:
        """Everything of a stream whose time is in [start, end), in any order; the same thing may come twice.

        Raises:
            SourceUnavailable: it does not answer any more.
            SourceBroken: what it answers cannot be.
        """

    def push(self, labels: Sequence[Outgoing]) -> Sequence[Outgoing]:
        """Take labels back, each in place of what was said of its trace before; those that found their trace.

        One without a label takes away what was said before.

        Raises:
            SourceUnavailable: it does not answer any more.
            SourceRefused: the key may not write.
        """


#: Word -> weight: what a cluster of requests is known by.
ClusterWords: TypeAlias = Mapping[str, float]


class Clustered(NamedTuple):
    """Requests grouped by what they are about."""

    #: Word -> how rare it is; 0 for words too common to tell anything.
    rarity: Mapping[str, float]
    #: Name, share of the requests, and words of each cluster, the largest first.
    clusters: Sequence[tuple[str, float, ClusterWords]]


class FitClusters(Protocol):
    """Groups requests, and names the groups."""

    def __call__(
        self,
        texts: Sequence[str],
        n: int,
        *,
        seed: int,
        words_of: Callable[[str], list[str]],
        before: Mapping[str, ClusterWords],
        spent: Sequence[str],
    ) -> Clustered:
        """At most `n` groups. One that is enough like one of `before` has its name; no other name is old or `spent`."""
