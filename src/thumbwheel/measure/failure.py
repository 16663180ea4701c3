"""How often the application fails, for all its traces, from the few that were labelled.

The estimate pools frames: each is a set of traces that draws picked from with known chances (`sample.draw`), whose risk
was summed before anybody looked (`sample.sums`). Within a draw a label stands for 1 / (pi r) traces, pi being its
chance to be drawn and r the share of its policy's entries that were labelled: what expired, was dropped, still waits or
is disputed is taken to be like what was labelled under the same policy. That is so when entries leave by age or
overflow; it is not so for rows skipped because they are hard, which no weight repairs: they go to a second annotator.
A policy nobody has labelled an entry of is stood for by the others of its draw together.

A frame that was drawn from several times has a sample from each draw, and draws are labelled to different degrees. They
are joined by the balance heuristic (Veach and Guibas 1995, section 3.3): a label of draw d under policy k stands for

    1 / ((r_dk / r_d) sum_e p_e r_e)

traces, p_e being its trace's chance to be taken by draw e and by none before it, r_e the share of draw e's entries
that were labelled. Summed over where the label could have come from, p_d r_dk times that is 1, so nothing is biased;
with one draw it is 1 / (pi r). A draw nobody has begun to label changes nothing, and one that was hardly begun little.
Where that would be less than the trace itself, of traces that are nearly certain to be labelled, it counts as one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import fsum
from typing import Any

from thumbwheel.domain.queue import Policy
from thumbwheel.stats.estimate import (
    ENOUGH,
    Change,
    Frame,
    LabelSums,
    RateEstimate,
    Sample,
    TooFewLabels,
    compare,
    difference,
    hajek,
    sum_labels,
)
from thumbwheel.stats.interval import wilson_count

LEVEL = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """An entry of a draw, and what became of it."""

    policy: Policy
    category: str
    #: True when the uniform sample alone would have taken it.
    core: bool
    inclusion_probability: float
    #: The draw's risk model about it; None for a draw without one.
    risk: float | None
    #: What its label says; None while it has none.
    failed: bool | None
    #: Whether reviewers differ and nobody has decided.
    disputed: bool = False
    #: Which draw of its frame took it, 0 = the first.
    draw: int = 0
    #: Chance to be taken by each draw of the frame and by none before it; empty for a frame that was drawn from once.
    by_draw: Sequence[float] = ()

    @property
    def own_chance(self) -> float:
        """Chance to be taken by the draw that took it and by none before it."""
        return self.by_draw[self.draw] if self.by_draw else self.inclusion_probability


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnFrame:
    """A frame with everything drawn from it."""

    #: Category -> traces.
    population: Mapping[str, int]
    #: Category -> sum of the risk and the variance it anticipates; empty for a frame without a model.
    sums: Mapping[str, tuple[float, float]]
    entries: Sequence[Served]

    @property
    def n(self) -> int:
        """Traces in the frame."""
        return sum(self.population.values())

    @property
    def labelled(self) -> list[Served]:
        """Entries with a label."""
        return [entry for entry in self.entries if entry.failed is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreRate:
    """The share of failures in the plain uniform sample inside the queue, with Wilson's interval: the check on the rest."""

    n_failed: int
    n_labels: int

    def as_dict(self) -> dict[str, Any]:
        """As JSON values; no figure from fewer than five labels."""
        if self.n_labels < ENOUGH.labels:
            return {
                "failure_rate": None,
                "interval": None,
                "n_labels": self.n_labels,
                "needs": {"labels": ENOUGH.labels},
            }
        found = wilson_count(self.n_failed, self.n_labels, LEVEL)
        rate = self.n_failed / self.n_labels
        return {"failure_rate": rate, "interval": [found.low, found.high], "n_labels": self.n_labels}


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureRate:
    """A failure rate of a population, or the labels it still needs. The naive rate and the core stand beside it."""

    found: RateEstimate | TooFewLabels
    #: "difference", or "hajek" where no frame has a risk model.
    method: str
    n_labels: int
    n_failed: int
    n_population: int
    core: CoreRate

    @property
    def rate(self) -> RateEstimate | None:
        """The estimate, if there is one."""
        return self.found if isinstance(self.found, RateEstimate) else None

    def as_dict(self) -> dict[str, Any]:
        """As JSON values. `naive_rate` is the share of the labels that failed: not the failure rate, and beside it."""
        told: dict[str, Any] = {
            "failure_rate": None,
            "interval": None,
            "level": LEVEL,
            "method": self.method,
            "n_labels": self.n_labels,
            "n_population": self.n_population,
            "naive_rate": self.n_failed / self.n_labels if self.n_labels else None,
            "core": self.core.as_dict(),
        }
        if isinstance(self.found, RateEstimate):
            low, high = self.found.interval.low, self.found.interval.high
            return told | {
                "failure_rate": self.found.rate,
                "interval": [low, high],
                "n_effective": self.found.n_effective,
            }
        return told | {"needs": {"labels": self.found.needs}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """The failure rate of the frames of a window, overall and by category."""

    overall: FailureRate
    #: Category -> its rate, the most frequent category first; empty when not asked for.
    by_category: Mapping[str, FailureRate] = field(default_factory=dict)
    n_frames: int = 0
    #: Frames nobody has labelled an entry of: they are not in the population.
    n_frames_unlabelled: int = 0
    #: Entries whose reviewers differ and that nobody has decided.
    n_undecided: int = 0
    #: Entries of the frames without a label, the undecided included.
    n_unlabelled: int = 0

    def as_dict(self) -> dict[str, Any]:
        """As JSON values."""
        told = self.overall.as_dict() | {
            "n_frames": self.n_frames,
            "n_frames_unlabelled": self.n_frames_unlabelled,
            "n_unlabelled": self.n_unlabelled,
            "n_undecided": self.n_undecided,
        }
        if self.by_category:
            told["by"] = [{"category": name or None, **rate.as_dict()} for name, rate in self.by_category.items()]
        return told


def failures(frames: Sequence[DrawnFrame], *, by_category: bool = False) -> Failures:
    """The failure rate of all traces of these frames, pooled; frames without a single label are left out."""
    labelled = [frame for frame in frames if frame.labelled]
    pooled = labelled or frames
    weighted = [(frame, _chances(frame)) for frame in pooled]
    categories: Counter[str] = Counter()
    for frame in pooled:
        categories.update(frame.population)
    names = [name for name, _ in categories.most_common()] if by_category else []
    return Failures(
        overall=_rate(weighted, None),
        by_category={name: _rate(weighted, name) for name in names},
        n_frames=len(labelled),
        n_frames_unlabelled=len(frames) - len(labelled),
        n_undecided=sum(entry.disputed and entry.failed is None for frame in pooled for entry in frame.entries),
        n_unlabelled=sum(entry.failed is None for frame in pooled for entry in frame.entries),
    )


def change(before: Failures, after: Failures) -> Change | None:
    """How the rate moved between two windows; None while either has too few labels."""
    first, second = before.overall.rate, after.overall.rate
    return None if first is None or second is None else compare(first, second, level=LEVEL)


def _chances(frame: DrawnFrame) -> list[tuple[Served, float]]:
    """The labelled entries of a frame, each with its chance to be drawn and labelled."""
    served = Counter(entry.draw for entry in frame.entries)
    done = Counter(entry.draw for entry in frame.labelled)
    degree = [done[draw] / served[draw] if draw in served else 0.0 for draw in range(max(served, default=0) + 1)]
    shares = {draw: _shares([entry for entry in frame.entries if entry.draw == draw]) for draw in done}
    return [
        (entry, min(_chance(entry, degree) * shares[entry.draw][entry.policy] / degree[entry.draw], 1.0))
        for entry in frame.labelled
    ]


def _chance(entry: Served, degree: Sequence[float]) -> float:
    if not entry.by_draw:
        return entry.inclusion_probability * degree[entry.draw]
    return fsum(chance * share for chance, share in zip(entry.by_draw, degree, strict=False))


def _shares(entries: Sequence[Served]) -> dict[Policy, float]:
    """For each policy of a draw the share of its entries that has a label.

    The entries of a policy without labels are stood for by all others, which therefore count for more.
    """
    served = Counter(entry.policy for entry in entries)
    done = Counter(entry.policy for entry in entries if entry.failed is not None)
    everything = fsum(1 / entry.own_chance for entry in entries)
    reached = fsum(1 / entry.own_chance for entry in entries if done[entry.policy])
    return {policy: n / served[policy] * reached / everything for policy, n in done.items()}


def _rate(weighted: Sequence[tuple[DrawnFrame, Sequence[tuple[Served, float]]]], category: str | None) -> FailureRate:
    total = Sample(frame=Frame(n=0), labels=LabelSums())
    core: list[bool] = []
    n_failed = 0
    modelled = False
    for frame, labelled in weighted:
        mine = [each for each in labelled if category is None or each[0].category == category]
        total += Sample(frame=_frame(frame, category), labels=_sums(frame, mine))
        core += [bool(entry.failed) for entry, _ in mine if entry.core]
        n_failed += sum(bool(entry.failed) for entry, _ in mine)
        modelled = modelled or bool(frame.sums)
    return FailureRate(
        found=difference(total, level=LEVEL) if modelled else hajek(total.labels, level=LEVEL),
        method="difference" if modelled else "hajek",
        n_labels=total.labels.n,
        n_failed=n_failed,
        n_population=total.frame.n,
        core=CoreRate(n_failed=sum(core), n_labels=len(core)),
    )


def _frame(frame: DrawnFrame, category: str | None) -> Frame:
    names = frame.population if category is None else [category]
    n = sum(frame.population.get(name, 0) for name in names)
    sums = [frame.sums.get(name, (0.0, 0.0)) for name in names]
    # A label among r of the entries leaves 1/r of the variance that all of them would have.
    labelled = len(frame.labelled) / len(frame.entries) if frame.labelled else 1.0
    return Frame(
        n=n,
        risk=min(sum(risk for risk, _ in sums), float(n)),
        anticipated=sum(anticipated for _, anticipated in sums) / labelled,
    )


def _sums(frame: DrawnFrame, labelled: Sequence[tuple[Served, float]]) -> LabelSums:
    if not labelled:
        return LabelSums()
    modelled = bool(frame.sums)
    return sum_labels(
        [float(bool(entry.failed)) for entry, _ in labelled],
        [chance for _, chance in labelled],
        [(entry.risk or 0.0) if modelled else 0.0 for entry, _ in labelled],
    )
