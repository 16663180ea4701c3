"""How long things take when some are not done yet: Kaplan-Meier and, with a competing end, Aalen-Johansen.

A mean over finished items improves when a team stops finishing; here an open
item counts as "not within this long", for as long as it has been watched.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from thumbwheel.stats import given
from thumbwheel.stats.given import Floats
from thumbwheel.stats.interval import Estimate, Interval, none_seen_upper, normal_quantile

Mask = npt.NDArray[np.bool_]

#: A share this close to another is the same share computed along another road.
ROUNDING = 1e-12


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Curve:
    """Share of items without the event, stepping down at `times`, with pointwise limits; time is in the caller's unit.

    Limits are log(-log): S^exp(-+ z se / (S ln S)) (Kalbfleisch, Prentice 1980).
    Where S is 0 they have no value; there the low one is 0 and the high one
    stays where it was.
    """

    times: Floats
    survival: Floats
    low: Floats
    high: Floats
    level: float
    n: int
    n_events: int
    #: How long each item without any end was watched, ascending.
    open_for: Floats
    #: The longest duration: later than this nothing is known, unless the curve is complete. 0 without items.
    watched_until: float
    #: The last item ended (in any way), so the curve holds for ever after.
    complete: bool

    def survival_at(self, time: float) -> Estimate | None:
        """Share without the event after `time`; None later than anybody was watched.

        Before the first event the share is 1, and its lower limit is what none
        among those watched that long (or ended otherwise) still allows.
        """
        time = given.not_negative(time, "a time")
        if not self.n or (time > self.watched_until and not self.complete):
            return None
        step = int(np.searchsorted(self.times, time, side="right")) - 1
        if step < 0:
            watched = self.n - int(np.searchsorted(self.open_for, time, side="left"))
            return Estimate(1.0, Interval(1 - none_seen_upper(watched, self.level), 1.0))
        return Estimate(float(self.survival[step]), Interval(float(self.low[step]), float(self.high[step])))

    def share_by(self, time: float) -> Estimate | None:
        """Share that has had the event by `time` (inclusive); None later than anybody was watched."""
        still = self.survival_at(time)
        if still is None:
            return None
        return Estimate(1 - still.point, Interval(1 - still.interval.high, 1 - still.interval.low))

    def quantile(self, share: float) -> "Quantile":
        """Time by which this share has had the event; its limits, where those of the curve get there."""
        level = 1 - given.chance(share, "a share")
        return Quantile(*(self._first_at_or_below(row, level) for row in (self.survival, self.low, self.high)))

    def median(self) -> "Quantile":
        """Time by which half have had the event."""
        return self.quantile(0.5)

    def _first_at_or_below(self, row: Floats, level: float) -> float | None:
        # a product of fractions that should be exactly one half may end just above it
        reached = np.flatnonzero(row <= level + ROUNDING)
        return float(self.times[reached[0]]) if len(reached) else None


@dataclass(frozen=True, slots=True)
class Quantile:
    """A time and its limits; each is None where the curve did not come down far enough ("not reached")."""

    time: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    """One row per distinct event time: who was at risk just before, and what happened."""

    times: Floats
    at_risk: Floats
    events: Floats

    @property
    def turnover(self) -> Floats:
        """Greenwood's d / (n (n - d)); 0 where nobody is left, for there the curve has no variance any more."""
        left = self.at_risk - self.events
        return np.where(left > 0, self.events / np.where(left > 0, self.at_risk * left, 1), 0.0)


def kaplan_meier(durations: npt.ArrayLike, observed: npt.ArrayLike, *, level: float = 0.95) -> Curve:
    """Kaplan-Meier curve with Greenwood's variance; `observed` is 0 for an item whose event is yet to come.

    An item censored at the time of an event was still at risk of it. Without
    items the curve is empty and answers None to everything. Raises
    `LengthsDiffer` and `OutOfRange`.

    >>> curve = kaplan_meier([3, 5, 5, 8, 10, 12, 15, 20, 20, 30], [1, 1, 0, 1, 0, 1, 1, 0, 1, 0])
    >>> curve.survival.round(6)
    array([0.9     , 0.8     , 0.685714, 0.548571, 0.411429, 0.274286])
    >>> curve.median()
    Quantile(time=15.0, low=3.0, high=None)
    """
    spent, done = _ascending(durations, given.verdicts(observed, "an event") == 1)
    table = _table(spent, done)
    survival = _product(table)
    error = survival * np.sqrt(np.cumsum(table.turnover))
    return _curve(table.times, survival, error, level=level, spent=spent, ended=done, n_events=int(done.sum()))


def restricted_mean(
    durations: npt.ArrayLike, observed: npt.ArrayLike, horizon: float, *, level: float = 0.95
) -> Estimate | None:
    """Mean time without the event within the first `horizon`: the area under the Kaplan-Meier curve up to there.

    Normal limits with Greenwood's variance of the area, clipped to
    [0, horizon]; without an event the low limit is what none in n allows, and
    one item alone limits nothing. None if nobody was watched that long and the
    curve has not come down to 0. Raises as `kaplan_meier` does.

    >>> area = restricted_mean([3, 5, 5, 8, 10, 12, 15, 20, 20, 30], [1, 1, 0, 1, 0, 1, 1, 0, 1, 0], 20)
    >>> round(area.point, 4)
    13.6457
    """
    horizon, z = given.positive(horizon, "a horizon"), normal_quantile(level)
    spent, done = _ascending(durations, given.verdicts(observed, "an event") == 1)
    if not len(spent) or (spent[-1] < horizon and not _complete(spent, done)):
        return None
    table = _table(spent, done)
    within = table.times < horizon
    widths = np.diff(np.concatenate([[0.0], table.times[within], [horizon]]))
    heights = np.concatenate([[1.0], _product(table)[within]])
    areas = widths * heights
    left = np.cumsum(areas[::-1])[::-1][1:]
    half = z * float(np.sqrt(np.square(left) @ table.turnover[within]))
    mean = min(float(areas.sum()), horizon)
    low = mean - half if within.any() else horizon * (1 - none_seen_upper(int((spent >= horizon).sum()), level))
    if len(spent) == 1:
        return Estimate(mean, Interval(0, horizon))
    return Estimate(mean, Interval(low, mean + half).clipped(0, horizon).widened_to(mean))


def _ascending(durations: npt.ArrayLike, happened: Mask) -> tuple[Floats, Mask]:
    """Durations ascending, and what happened at the end of each."""
    spent = given.floats(durations, "a duration", low=0.0)
    given.same_length("durations and events", spent, happened)
    order = np.argsort(spent, kind="stable")
    return spent[order], happened[order]


def _table(spent: Floats, happened: Mask) -> _Table:
    times, events = np.unique(spent[happened], return_counts=True)
    at_risk = len(spent) - np.searchsorted(spent, times, side="left")
    return _Table(times, at_risk.astype(np.float64), events.astype(np.float64))


def _product(table: _Table) -> Floats:
    return np.asarray(np.cumprod(1 - table.events / table.at_risk), dtype=np.float64)


def _complete(spent: Floats, ended: Mask) -> bool:
    return bool(len(spent)) and bool(ended[spent == spent[-1]].all())


def _curve(
    times: Floats,
    survival: Floats,
    error: Floats,
    *,
    level: float,
    spent: Floats,
    ended: Mask,
    n_events: int,
) -> Curve:
    low, high = _log_log(survival, error, normal_quantile(level))
    return Curve(
        times=times,
        survival=survival,
        low=low,
        high=high,
        level=level,
        n=len(spent),
        n_events=n_events,
        open_for=spent[~ended],
        watched_until=float(spent[-1]) if len(spent) else 0.0,
        complete=_complete(spent, ended),
    )


def _log_log(survival: Floats, error: Floats, z: float) -> tuple[Floats, Floats]:
    open_ = survival > 0
    s = np.where(open_, survival, 0.5)
    reach = np.exp(z * error / np.abs(s * np.log(s)))
    low = np.where(open_, np.power(s, reach), 0.0)
    high = np.where(open_, np.power(s, 1 / reach), np.nan)
    if len(high) and not open_[-1]:
        high[-1] = high[-2] if len(high) > 1 else 1.0
    return low, high
