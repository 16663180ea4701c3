"""Runs turned into the figures that docs/sampling.md quotes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from statistics import fmean, median
from typing import Any, Final

import numpy as np

from benchmarks.simulation.product import CATEGORIES, DRIFT_DAY, MODES, truth
from benchmarks.simulation.queues import BUDGET, WEEK, WITHOUT, Run
from thumbwheel.domain.cell import AGAINST
from thumbwheel.domain.queue import Policy
from thumbwheel.measure.failure import failures
from thumbwheel.sample.tune import FOUND

SILENT: Final = [at for at, mode in enumerate(MODES) if mode.silent]
#: Silent, and the judge does not see it either.
BLIND: Final = [at for at, mode in enumerate(MODES) if mode.silent and mode.seen == 0.0]
DRIFTED: Final = next(at for at, mode in enumerate(MODES) if mode.since)
#: Windows whose estimates are compared, in days.
WINDOWS: Final = (1, 2, 4, 7, 14, 28)


def found_on(run: Run) -> list[int | None]:
    """For each mode the day on which it had its third labelled failure; None if it never had."""
    counts: Counter[int] = Counter()
    days: list[int | None] = [None] * len(MODES)
    for entry in run.entries:
        if entry.failed:
            counts[entry.mode] += 1
            if counts[entry.mode] == FOUND:
                days[entry.mode] = entry.day
    return days


def of_queue(runs: Sequence[Run]) -> dict[str, Any]:
    """What one queue found, over all products."""
    found = [found_on(run) for run in runs]
    n_days = len(runs[0].days)
    labels = [list(run.entries) for run in runs]
    failed = [entry for entries in labels for entry in entries if entry.failed]
    drift = [found_at for each in found if (found_at := each[DRIFTED]) is not None]
    told: dict[str, Any] = {
        "failures_per_80": BUDGET * len(failed) / sum(map(len, labels)),
        "silent_share": sum(not entry.cell & int(AGAINST) for entry in failed) / len(failed),
        "modes_by_day": _by_day(found, range(len(MODES)), n_days),
        "silent_by_day": _by_day(found, SILENT, n_days),
        "modes_found": fmean(sum(day is not None for day in each) for each in found),
        "silent_found": fmean(sum(each[at] is not None for at in SILENT) for each in found),
        "blind_found": fmean(sum(each[at] is not None for at in BLIND) for each in found),
        "found_share": {mode.name: fmean(each[at] is not None for each in found) for at, mode in enumerate(MODES)},
        "drift_found_after": median(day - DRIFT_DAY for day in drift) if drift else None,
        "drift_found_share": len(drift) / len(found),
    }
    told["naive_off"] = 100 * fmean(naive - rate for run in runs for naive, rate in _naive(run, WEEK))  # points
    if runs[0].queue not in WITHOUT:
        told["estimate"] = {str(days): of_windows(runs, days) for days in WINDOWS if days <= n_days}
        told["categories"] = of_categories(runs)
    return told


def _by_day(found: Sequence[Sequence[int | None]], modes: Sequence[int] | range, n_days: int) -> list[float]:
    return [
        fmean(sum(day is not None and day <= until for day in (each[at] for at in modes)) for each in found)
        for until in range(n_days)
    ]


def _naive(run: Run, days: int) -> list[tuple[float, float]]:
    told = []
    for first in range(0, len(run.days) - days + 1, days):
        labels = [entry.failed for made in run.made[first : first + days] for entry in made.entries]
        told.append((fmean(labels), truth(run.days[first : first + days])))
    return told


def of_windows(runs: Sequence[Run], days: int) -> dict[str, Any]:
    """How far the estimates over windows of so many days are off, in points, and how often the interval holds the truth."""
    off, width, covered, core_off, core_width, core_covered = [], [], [], [], [], []
    for run in runs:
        for first in range(0, len(run.days) - days + 1, days):
            told, rate = run.estimate(first, days)
            if told.overall.rate is None:
                continue
            off.append(100 * (told.overall.rate.unclipped - rate))
            width.append(100 * told.overall.rate.interval.width)
            covered.append(rate in told.overall.rate.interval)
            core = told.overall.core.as_dict()
            if core["failure_rate"] is not None:
                low, high = core["interval"]
                core_off.append(100 * (core["failure_rate"] - rate))
                core_width.append(100 * (high - low))
                core_covered.append(low <= rate <= high)
    return {
        "labels": BUDGET * days,
        "windows": len(off),
        "bias": fmean(off),
        "bias_error": float(np.std(off, ddof=1) / math.sqrt(len(off))),
        "rmse": math.sqrt(fmean(each**2 for each in off)),
        "cover": fmean(covered),
        "width": fmean(width),
        "core_bias": fmean(core_off),
        "core_rmse": math.sqrt(fmean(each**2 for each in core_off)),
        "core_cover": fmean(core_covered),
        "core_width": fmean(core_width),
    }


def of_categories(runs: Sequence[Run]) -> dict[str, Any]:
    """A week's rates by category: how many could be told at all, how far these are off in points, and their coverage."""
    told, off, covered = [], [], []
    for run in runs:
        for first in range(0, len(run.days) - WEEK + 1, WEEK):
            week = run.days[first : first + WEEK]
            found = failures([made.frame for made in run.made[first : first + WEEK]], by_category=True).by_category
            told.append(sum(rate.rate is not None for rate in found.values()))
            for name, each in found.items():
                if each.rate is not None:
                    true = truth(week, CATEGORIES.index(name))
                    off.append(100 * (each.rate.rate - true))
                    covered.append(true in each.rate.interval)
    return {
        "told": fmean(told),
        "of": len(CATEGORIES),
        "rmse": math.sqrt(fmean(x * x for x in off)),
        "cover": fmean(covered),
    }


def of_policies(runs: Sequence[Run]) -> dict[str, Any]:
    """What each policy of a mix caught: entries count for the policy they are stamped with."""
    told = {}
    for policy in Policy:
        mine = [[entry for entry in run.entries if entry.policy is policy] for run in runs]
        labels = [entry for entries in mine for entry in entries]
        failed = [entry for entry in labels if entry.failed]
        told[policy.value] = {
            "labels_a_day": len(labels) / sum(len(run.days) for run in runs),
            "failures_per_80": BUDGET * len(failed) / len(labels),
            "silent_share": sum(not entry.cell & int(AGAINST) for entry in failed) / len(failed),
            "modes_seen": fmean(len({entry.mode for entry in entries if entry.failed}) for entries in mine),
            "silent_modes_seen": fmean(
                len({entry.mode for entry in entries if entry.failed and entry.mode in SILENT}) for entries in mine
            ),
        }
    return told


def weeks_of(run: Run) -> list[dict[str, float]]:
    """One product week by week: what was true, what was told, and what the naive shares say."""
    told = []
    for first in range(0, len(run.days), WEEK):
        found, rate = run.estimate(first, WEEK)
        days = run.days[first : first + WEEK]
        n = sum(day.n for day in days)
        assert found.overall.rate is not None
        told.append(
            {
                "truth": 100 * rate,
                "estimate": 100 * found.overall.rate.rate,
                "low": 100 * found.overall.rate.interval.low,
                "high": 100 * found.overall.rate.interval.high,
                "naive": 100 * found.overall.n_failed / found.overall.n_labels,
                "complaints": 100 * sum(int(((day.cells & int(AGAINST)) > 0).sum()) for day in days) / n,
            }
        )
    return told
