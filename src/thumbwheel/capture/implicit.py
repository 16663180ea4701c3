"""What users do rather than say: reading time as a robust z-score within its category."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Final

import numpy as np

from thumbwheel.domain.signal import DwellNorm, Reading

#: Fewer dwell times than this in a category, and all categories together are the baseline.
OWN_BASELINE_MIN: Final = 100

#: Fewer than this anywhere say nothing yet: at 10 values 4.6 % of ordinary dwell times look unusual.
BASELINE_MIN: Final = 10

#: |z| above this is an unusual reading time.
UNUSUAL: Final = 2.5

#: |z| never exceeds this: one abandoned tab says no more than one very long read.
LARGEST: Final = 5.0

#: Shorter times count as this, in seconds: pages do not measure better, and the logarithm needs a floor.
LEAST_SECONDS: Final = 0.1

#: 1 / the normal distribution's third quartile: makes the MAD estimate a standard deviation.
_MAD_TO_SD: Final = 1.4826


@dataclass(frozen=True, slots=True, kw_only=True)
class DwellBaseline:
    """How long answers of one kind are usually read: median and median absolute deviation of ln(seconds)."""

    n: int
    median: float
    mad: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> DwellBaseline:
        """From dwell times in seconds, by intent those of the last 28 days. No times give a baseline of n = 0."""
        if not len(seconds):
            return cls(n=0, median=0.0, mad=0.0)
        logs = np.log(np.maximum(np.asarray(seconds, dtype=float), LEAST_SECONDS))
        median = float(np.median(logs))
        return cls(n=len(logs), median=median, mad=float(np.median(np.abs(logs - median))))

    def z(self, seconds: float) -> float:
        """(ln d - median) / (1.4826 MAD), not clipped. Raises ZeroDivisionError where the MAD is 0.

        >>> round(DwellBaseline.of([4, 5, 6, 7, 8, 9, 60]).z(60), 3)
        5.766
        """
        return (math.log(max(seconds, LEAST_SECONDS)) - self.median) / (_MAD_TO_SD * self.mad)


def dwell_z(seconds: float, own: DwellBaseline | None, pooled: DwellBaseline) -> float | None:
    """How unusual a reading time is within its category, in robust standard deviations, within -5 and 5.

    `own` is the baseline of the category, `pooled` that of all categories
    together; the pooled one serves where the category has fewer than 100
    times or no spread (MAD 0). None when neither can tell.
    Source: the modified z-score of Iglewicz and Hoaglin (1993), on the logarithm.
    """
    if own is not None and _serves(own, OWN_BASELINE_MIN):
        baseline = own
    elif _serves(pooled, BASELINE_MIN):
        baseline = pooled
    else:
        return None
    return min(max(baseline.z(seconds), -LARGEST), LARGEST)


def norms_of(times: Mapping[str, Sequence[float]], at: datetime) -> list[DwellNorm]:
    """The norm of each category, and of all together, from reading times in seconds by category.

    Traces without a category (the key "") count towards the whole only.
    """
    own = [_norm(category, each, at) for category, each in times.items() if category]
    return [*own, _norm(None, list(chain.from_iterable(times.values())), at)]


def reading(seconds: float, category: str | None, norms: Mapping[str | None, DwellNorm]) -> Reading | None:
    """How unusual a reading time is, with the norm that says so; None while there is none. `norms` go by category.

    The rule is that of `dwell_z`.
    """
    own, pooled = (_baseline(norms.get(name)) for name in (category, None))
    z = dwell_z(seconds, own, pooled)
    if z is None:
        return None
    return Reading(z=z, norm=norms[category if category and _serves(own, OWN_BASELINE_MIN) else None])


def _serves(baseline: DwellBaseline, n: int) -> bool:
    return baseline.n >= n and baseline.mad > 0.0


def _norm(category: str | None, seconds: Sequence[float], at: datetime) -> DwellNorm:
    made = DwellBaseline.of(seconds)
    return DwellNorm(category=category, n=made.n, median=made.median, mad=made.mad, at=at)


def _baseline(norm: DwellNorm | None) -> DwellBaseline:
    return DwellBaseline.of(()) if norm is None else DwellBaseline(n=norm.n, median=norm.median, mad=norm.mad)
