"""How much flows: from traces to fixes, and from each policy's entries to confirmed failures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from thumbwheel.domain.annotation import Label, Verdict
from thumbwheel.domain.queue import Policy, QueueEntry
from thumbwheel.measure.figure import Figure, rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What became of the traces of one window. Every number counts traces, so each is part of another."""

    traces: int
    with_signals: int
    #: Put before a human.
    drawn: int
    #: Judged by at least one person.
    annotated: int
    #: With a settled label.
    labelled: int
    #: With a label that says fail.
    failures: int
    #: Failures that became at least one artifact.
    artifacts: int
    #: Failures that a fix is credited to.
    fixes: int
    #: Failures whose fix has shipped.
    shipped: int


#: Step -> the step it is a part of, in the order of the road.
PART_OF: dict[str, str | None] = {
    "traces": None,
    "with_signals": "traces",
    "drawn": "traces",
    "annotated": "drawn",
    "labelled": "annotated",
    "failures": "labelled",
    "artifacts": "failures",
    "fixes": "failures",
    "shipped": "fixes",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the funnel."""

    name: str
    n: int
    #: The step it is a part of; None for the first.
    part_of: str | None
    share: Figure | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """What each policy's labelled entries turned into."""

    #: Every policy, in order of priority.
    policies: dict[Policy, Figure]
    #: The same share in the plain uniform sample inside the queue: the base rate to compare with.
    core: Figure


def funnel(counts: Counts) -> tuple[Step, ...]:
    """The road from traces to shipped fixes, each step with its share of the step it is a part of.

    None of these shares is the application's failure rate: the queue looks for
    failures, so failures are common in it.
    """
    return tuple(_step(name, part_of, counts) for name, part_of in PART_OF.items())


def conversion(labelled: Iterable[tuple[QueueEntry, Label]]) -> Conversion:
    """The share of confirmed failures among the labelled entries of each policy, with Wilson intervals.

    An entry that several policies picked counts for all of them (`picked_by`),
    else the lower ones would look worse for agreeing with the higher. Entries
    still waiting count for none.
    """
    rows = [(frozenset(entry.picked_by), entry.core, label.verdict is Verdict.failed) for entry, label in labelled]
    policies = {policy: _share(failed for picked_by, _, failed in rows if policy in picked_by) for policy in Policy}
    return Conversion(policies=policies, core=_share(failed for _, core, failed in rows if core))


def _step(name: str, part_of: str | None, counts: Counts) -> Step:
    n: int = getattr(counts, name)
    share = rate(n, getattr(counts, part_of), of=part_of.replace("_", " ")) if part_of else None
    return Step(name=name, n=n, part_of=part_of, share=share)


def _share(verdicts: Iterable[bool]) -> Figure:
    failed = list(verdicts)
    return rate(sum(failed), len(failed))
