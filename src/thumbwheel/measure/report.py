"""The report as one value: what the terminal, the page, the file and the API all show."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from thumbwheel.domain.queue import Policy, Window
from thumbwheel.domain.signal import SignalKind
from thumbwheel.measure.failure import FailureRate, Failures
from thumbwheel.measure.figure import Figure, too_few
from thumbwheel.measure.flow import Step
from thumbwheel.measure.pace import CycleTimes, QueueAge
from thumbwheel.stats.estimate import TooFewLabels
from thumbwheel.stats.kappa import AgreementState

#: Failures that wait this long without any fix shipping are an alarm.
FIX_ALARM = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRow:
    """What one policy's entries turned into. An entry that several policies picked counts for each."""

    policy: Policy
    n_entries: int
    n_labelled: int
    n_failures: int
    #: Share of confirmed failures among the labelled.
    conversion: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Naive:
    """A share that is easily taken for the failure rate, and why it is not."""

    name: str
    n: int
    of: int
    #: None when there is nothing to divide by.
    share: float | None
    why_not: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DropRow:
    """Entries of one policy and category that left the queue unjudged."""

    policy: Policy
    #: Empty for traces without one.
    category: str
    why: str
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """The queue as it is now, and what left it unjudged in the window."""

    age: QueueAge
    n_disputes: int
    #: Labels that a revision of the codebook set aside: in no figure until they are affirmed or judged again.
    n_quarantined: int
    #: Entries that wait for a further reviewer although nobody is left who has not judged or skipped them.
    n_stalled: int
    #: Why -> how many.
    dropped: dict[str, int]
    #: The same by policy and category: what the window's figures know less about. Weights account for it.
    limits: tuple[DropRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kappa:
    """Cohen's kappa of the doubled entries, overall or of one category against the others."""

    #: None for pass or fail overall.
    category: str | None
    state: AgreementState
    kappa: Figure
    #: Share of entries judged alike.
    observed: float | None
    #: Gwet's AC1, which a rare label does not pull down.
    ac1: float | None
    n_disputed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """What users said and did about the window's traces."""

    by_kind: dict[SignalKind, int]
    n_traces: int
    #: Signals whose trace has not come.
    n_pending: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """What labels became so far."""

    n_open: int
    n_guarding: int
    n_pairs: int
    #: Labels whose corrected answer was kept out of an outlet because a right is missing.
    n_withheld_golden: int
    n_withheld_pairs: int
    n_fixes: int
    n_shipped: int
    last_shipped_at: datetime | None
    #: Live failures that no fix answers.
    n_unanswered: int
    #: Set when failures have waited for a week in which no fix shipped.
    alarm: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The loop's state: one value for the terminal, the page, the file and the API.

    Everything counted is about traces that started in `window`, except what says otherwise: `failures` is about whole
    frames; `times` and `kappas` are about what was drawn and judged since `since`; `waiting` and `closing` are how
    things stand at `at`.
    """

    at: datetime
    #: Whole UTC days.
    window: Window
    since: datetime
    funnel: tuple[Step, ...]
    policies: tuple[PolicyRow, ...]
    #: How often the application fails, overall and by category: what `thumbwheel estimate` says of the same window.
    failures: Failures
    #: The share of failures in the plain uniform sample inside the queue: the check on the estimate.
    core: Figure
    naive: tuple[Naive, ...]
    waiting: Waiting
    times: CycleTimes
    labels_per_hour: Figure
    n_annotators: int
    n_doubled: int
    kappas: tuple[Kappa, ...]
    signals: Signals
    closing: Closing

    @property
    def failure_rate(self) -> Figure:
        """The estimate of all traces' failure rate: the report's headline."""
        return figure_of(self.failures.overall)

    @property
    def failure_rates(self) -> dict[str, Figure]:
        """The same by category, the most frequent one first; the empty name stands for none."""
        return {name: figure_of(rate) for name, rate in self.failures.by_category.items()}

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON values: times in ISO 8601, durations in seconds, a figure as `Figure.as_dict` writes it.

        `failures` is what `GET /v1/estimate?by=category` answers.
        """
        told: dict[str, Any] = _plain(self) | {"failures": self.failures.as_dict()}
        told["window"] = {"from": told["window"]["start"], "to": told["window"]["end"]}
        return told


def figure_of(rate: FailureRate) -> Figure:
    """An estimated rate as a figure of the report: `n` labels, and how many it needs where they are too few."""
    found = rate.found
    if isinstance(found, TooFewLabels):
        return too_few(found.n_labels, m=found.needs)
    return Figure(estimate=found.rate, low=found.interval.low, high=found.interval.high, n=found.n_labels)


def naive(*, n_failures: int, n_labels: int, n_down: int, n_rated: int, n_traces: int) -> tuple[Naive, ...]:
    """The shares that are easily taken for the failure rate, each with the reason why it is not."""
    rows = (
        ("failures among labels", n_failures, n_labels, "The queue looks for failures, so they are common in it."),
        ("thumbs-down among rated traces", n_down, n_rated, "Few users rate, and the unhappy ones rate more."),
        ("thumbs-down among all traces", n_down, n_traces, "Most failures are never rated at all."),
    )
    return tuple(Naive(name=name, n=n, of=of, share=n / of if of else None, why_not=why) for name, n, of, why in rows)


def fix_alarm(
    now: datetime, *, n_unanswered: int, waiting_since: datetime | None, last_shipped_at: datetime | None
) -> str | None:
    """What to say when failures have waited for a week in which no fix shipped; None when there is nothing to say."""
    quiet_since = max(filter(None, (waiting_since, last_shipped_at)), default=None)
    if not n_unanswered or quiet_since is None or now - quiet_since < FIX_ALARM:
        return None
    failures = "1 failure waits" if n_unanswered == 1 else f"{n_unanswered} failures wait"
    return f"No fix in {(now - quiet_since).days} days, and {failures} for one."


def _plain(value: Any) -> Any:
    """Any value of a report as JSON values."""
    if isinstance(value, Figure):
        return value.as_dict()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {str(_plain(name)): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value
