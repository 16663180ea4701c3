"""How fast it flows: trace to label to fix with the open cases counted, the age of the queue, labels an hour."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np

from thumbwheel.domain.annotation import Annotation
from thumbwheel.measure.figure import LEAST_CASES, Figure, figure, too_few
from thumbwheel.stats.interval import Estimate, Interval
from thumbwheel.stats.survival import kaplan_meier, restricted_mean

#: A longer pause ends a reviewer's session.
SESSION_GAP = timedelta(minutes=10)
#: "Share done within": by this time.
SOON = timedelta(days=30)
#: The restricted mean looks no further than this.
HORIZON = timedelta(days=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One trace that was put before a human, and how far it came."""

    traced_at: datetime
    labelled_at: datetime | None = None
    #: Whether the label says fail; only failures wait for a fix.
    failed: bool = False
    #: When the first fix credited to the label shipped.
    fixed_at: datetime | None = None
    #: When it was taken out of the queue unlabelled: from then on nobody waited for it.
    dropped_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """How long one stretch of the road takes, in seconds, with what is still under way counted as such."""

    n: int
    n_done: int
    #: Time by which half are done. An estimate without upper limit is one that open cases may still move anywhere.
    median: Figure
    #: Share done within 30 days, in [0, 1].
    within_30_days: Figure
    #: Mean of the first 60 days: what is not done by then counts as 60 days.
    mean_60_days: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleTimes:
    """The wheel's three times. A fix counts when it has shipped."""

    trace_to_label: Times
    label_to_fix: Times
    trace_to_fix: Times


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueAge:
    """How long entries have waited, in seconds; None when nothing waits."""

    n: int
    oldest: float | None
    median: float | None
    #: Nine in ten have waited no longer.
    p90: float | None


def cycle_times(cases: Iterable[Case], now: datetime) -> CycleTimes:
    """Kaplan-Meier times from trace to label to shipped fix (stats.survival).

    Trace to label is over everything put before a human; the stretches to a fix
    are over labelled failures. What is not done is censored at `now` (or when it
    was dropped), so the times do not improve when a team stops fixing. A moment
    before its beginning, from a clock that is wrong, counts as no time at all.
    """
    everything = list(cases)
    failures = [(case, case.labelled_at) for case in everything if case.failed and case.labelled_at is not None]
    return CycleTimes(
        trace_to_label=_times([(c.traced_at, c.labelled_at, c.dropped_at or now) for c in everything]),
        label_to_fix=_times([(labelled_at, c.fixed_at, now) for c, labelled_at in failures]),
        trace_to_fix=_times([(c.traced_at, c.fixed_at, now) for c, _ in failures]),
    )


def queue_age(added: Iterable[datetime], now: datetime) -> QueueAge:
    """How long the waiting entries, given by when they were added, have waited."""
    ages = [max((now - at).total_seconds(), 0.0) for at in added]
    if not ages:
        return QueueAge(n=0, oldest=None, median=None, p90=None)
    median, p90 = np.quantile(ages, [0.5, 0.9], method="inverted_cdf")
    return QueueAge(n=len(ages), oldest=max(ages), median=float(median), p90=float(p90))


def labels_per_hour(annotations: Iterable[Annotation]) -> Figure:
    """Annotations a reviewer makes in an hour at work, over everybody.

    Times between one annotation and the next of the same person are work when
    they are at most ten minutes, a pause otherwise; so the first annotation of
    a session counts neither as work nor as time. A correction takes time and is
    no new annotation. The interval is the exact one for a number of events
    reached in a time, gamma quantiles of shape k over that time (Epstein, Sobel
    1953), which is wide enough as long as the times between annotations vary no
    more than an exponential's.
    """
    by_person: dict[str, list[Annotation]] = defaultdict(list)
    for annotation in annotations:
        by_person[annotation.annotator].append(annotation)
    gaps = [gap for person in by_person.values() for gap in _gaps(person)]
    made = sum(is_new for _, is_new in gaps)
    hours = sum((length for length, _ in gaps), timedelta()).total_seconds() / 3600
    if made < LEAST_CASES:
        return too_few(made, of="annotations in a row")
    if hours == 0:
        return Figure(n=made, why="all annotations bear the same time")
    from scipy import special

    low, high = special.gammaincinv(made, [0.025, 0.975]) / hours
    point = made / hours
    return figure(Estimate(point, Interval(float(low), float(high)).widened_to(point)), made, otherwise="")


def _gaps(annotations: Sequence[Annotation]) -> list[tuple[timedelta, bool]]:
    """Each stretch of one person's work, and whether a new annotation ended it."""
    ordered = sorted(annotations, key=lambda one: (one.at, one.id))
    gaps = [(after.at - before.at, after.supersedes is None) for before, after in pairwise(ordered)]
    return [gap for gap in gaps if gap[0] <= SESSION_GAP]


def _times(stretches: Sequence[tuple[datetime, datetime | None, datetime]]) -> Times:
    """The times of stretches given as begin, end if there is one, and until when it was watched."""
    seconds = [max(((end or watched) - begin).total_seconds(), 0.0) for begin, end, watched in stretches]
    done = [end is not None for _, end, _ in stretches]
    n, n_done = len(stretches), sum(done)
    if n < LEAST_CASES:
        few = too_few(n)
        return Times(n=n, n_done=n_done, median=few, within_30_days=few, mean_60_days=few)
    curve = kaplan_meier(seconds, done)
    soon = curve.share_by(SOON.total_seconds())
    mean = restricted_mean(seconds, done, HORIZON.total_seconds())
    median = curve.median()
    so_far = f"not reached: {n_done} of {n} done so far"
    return Times(
        n=n,
        n_done=n_done,
        median=Figure(
            estimate=median.time, low=median.low, high=median.high, n=n, why=so_far if median.time is None else None
        ),
        within_30_days=figure(soon, n, otherwise="nothing has been watched for 30 days yet"),
        mean_60_days=figure(mean, n, otherwise="nothing has been watched for 60 days yet"),
    )
