"""The queue: which traces were put before humans, by which draw, under which policy, and who holds one now."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

#: How long an entry may wait before a draw may drop it.
LATENCY_BUDGET: Final = timedelta(days=7)


class Policy(StrEnum):
    """A reason to pick a trace, in order of priority."""

    drift = "drift"
    negative = "negative"
    uncertain = "uncertain"
    stratified = "stratified"
    random = "random"


class Purpose(StrEnum):
    """What an entry is for. Reviewers never see it."""

    label = "label"
    double = "double"
    relabel = "relabel"
    audit = "audit"
    #: Put there by hand: part of no sample, so that no rate counts it.
    chosen = "chosen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A half-open span of time: traces that started at or after `start` and before `end`."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The traces one draw could have picked: those that started in the window and were among the first `framed_to`."""

    window: Window
    framed_to: int

    def holds(self, started_at: datetime, ref: int) -> bool:
        """Whether the trace that started then and arrived as number `ref` is in it."""
        return ref <= self.framed_to and self.window.start <= started_at < self.window.end


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftAlert:
    """Somebody's word that a slice of the traffic changed, and how many traces of it to look at."""

    id: str
    name: str
    #: Trace fields and the value each must have: {"category": "billing"}.
    slice: dict[str, str]
    #: How many traces to pull a draw.
    pull: int
    raised_at: datetime
    expires_at: datetime
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """One run of the sampler: everything needed to run it again to the same result."""

    id: str
    at: datetime
    seed: int
    budget: int
    window: Window
    #: Share of the budget per policy, summing to 1.
    mix: dict[str, float]
    maturity_seconds: float
    #: The number of the last trace it saw: later ones, however old, are in no frame yet.
    framed_to: int
    #: The draw whose frame it drew from again, if it closed no frame of its own.
    again_of: str | None = None
    #: Traces in the frame: the ones this draw could have picked.
    population: int = 0
    population_by_category: dict[str, int] = field(default_factory=dict)
    #: The weighted mean of its picks' times: the time the frame is about. None when nothing was picked.
    middle: datetime | None = None
    #: Category, cell (see thumbwheel.domain.cell) and how many traces of the frame are in both.
    cells: list[tuple[str, int, int]] = field(default_factory=list)
    #: Category -> sum of the risk over the frame, and the variance it anticipates (see thumbwheel.sample.sums).
    risk_sums: dict[str, tuple[float, float]] = field(default_factory=dict)
    #: The risk model its sizes and its sums are made with (see thumbwheel.sample.risk).
    risk_model: dict[str, object] = field(default_factory=dict)
    #: Policy -> why it gave fewer entries than its quota.
    shortfalls: dict[str, str] = field(default_factory=dict)
    #: Policy -> entries it was to take of the budget, fewer where the queue had no room for all.
    quotas: dict[str, int] = field(default_factory=dict)
    #: Of each list (its policy, and its category or alert): what it was asked for, and what it gave.
    lists: list[tuple[str, str, int, int]] = field(default_factory=list)
    #: How many mixes had been put in force by then; None when it was asked for with a mix of its own.
    mix_version: int | None = None
    #: How many draws there were before it: where the remainder of the strata begins.
    rotation: int = 0
    #: What the sampler needs to weigh unpicked traces later (see thumbwheel.sample.draw).
    thresholds: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueEntry:
    """One trace put before a human, and the reason it was.

    An entry is written once, by a draw. What happens to it afterwards is
    another row, so the reason it was picked cannot be rewritten.
    """

    id: str
    draw_id: str
    trace_id: str
    #: The policy that took it: the highest of `picked_by`.
    policy: Policy
    #: Every policy that picked it: conversion is counted over all of them.
    picked_by: tuple[Policy, ...]
    #: Place within its policy, 1 = first.
    rank: int
    #: Place in serving order within the draw, 1 = first; policies are interleaved.
    serve_rank: int
    #: In words, for the reviewer.
    reason: str
    #: Chance this draw had of including the trace; the estimator divides by it.
    inclusion_probability: float
    #: What the draw's risk model says of the trace: the estimator's baseline. None for a draw without a model.
    risk: float | None = None
    #: The alert whose slice it was pulled from, for one that drift took.
    alert_id: str | None = None
    #: True when the uniform sample alone would have taken it: the honest base rate.
    core: bool
    purpose: Purpose
    #: Annotators who must judge it, blind to each other.
    labels_needed: int
    #: The trace's category when it was drawn.
    category: str | None
    added_at: datetime

    @property
    def due_at(self) -> datetime:
        """When it is to be judged by."""
        return self.added_at + LATENCY_BUDGET


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A person's short hold on an entry."""

    entry_id: str
    annotator: str
    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An entry that still needs a judgement, and who has to do with it."""

    entry: QueueEntry
    #: Number of its trace, in the order of arrival.
    trace_ref: int
    #: The last hold on it, which may have run out; None if nobody holds it.
    lease: Lease | None
    #: Whom it is kept for; None for anybody.
    assigned_to: str | None
    #: What it waits for, where that is no longer what it was drawn for.
    now_for: Purpose | None = None

    @property
    def purpose(self) -> Purpose:
        """What it waits for."""
        return self.now_for or self.entry.purpose
