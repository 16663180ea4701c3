import math
import warnings

import numpy as np
import pytest
from hypothesis import given, strategies
from statsmodels.duration.survfunc import SurvfuncRight

from thumbwheel.stats.given import LengthsDiffer, OutOfRange
from thumbwheel.stats.survival import Quantile, kaplan_meier, restricted_mean

TIMES = [3, 5, 5, 8, 10, 12, 15, 20, 20, 30]
EVENTS = [1, 1, 0, 1, 0, 1, 1, 0, 1, 0]

items = strategies.lists(
    strategies.tuples(strategies.integers(0, 20), strategies.integers(0, 1)), min_size=1, max_size=40
)


def log_log(survival: float, error: float) -> tuple[float, float]:
    reach = 1.959964 * error / (survival * math.log(survival))
    return survival ** math.exp(-reach), survival ** math.exp(reach)


def test_reference_curve() -> None:
    curve = kaplan_meier(TIMES, EVENTS)
    assert curve.times.tolist() == [3, 5, 8, 12, 15, 20]
    assert curve.survival == pytest.approx([0.9, 0.8, 0.685714, 0.548571, 0.411429, 0.274286], abs=1e-6)
    assert curve.median() == Quantile(time=15, low=3, high=None)
    assert (curve.n, curve.n_events, curve.watched_until, curve.complete) == (10, 6, 30, False)
    at_five = curve.survival_at(5)
    assert at_five is not None
    assert (at_five.interval.low, at_five.interval.high) == pytest.approx((0.4087, 0.9459), abs=5e-5)
    area = restricted_mean(TIMES, EVENTS, 20)
    assert area is not None
    assert area.point == pytest.approx(13.6457, abs=5e-5)


@given(items=items)
def test_curve_and_error_agree_with_statsmodels(items: list[tuple[int, int]]) -> None:
    times, events = [time for time, _ in items], [event for _, event in items]
    curve = kaplan_meier(times, events)
    if not sum(events):
        assert len(curve.times) == 0
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        oracle = SurvfuncRight(times, events)
    assert curve.times.tolist() == oracle.surv_times.tolist()
    assert curve.survival == pytest.approx(oracle.surv_prob, abs=1e-9)
    for at, survival in enumerate(oracle.surv_prob):
        if survival > 1e-9:
            limits = log_log(survival, oracle.surv_prob_se[at])
            assert (curve.low[at], curve.high[at]) == pytest.approx(limits, abs=1e-6)


@given(items=items, time=strategies.floats(0, 25))
def test_shares_hold_their_point_and_never_leave_the_unit_interval(items: list[tuple[int, int]], time: float) -> None:
    curve = kaplan_meier([time for time, _ in items], [event for _, event in items])
    share = curve.share_by(time)
    if share is None:
        assert time > curve.watched_until
        assert not curve.complete
        return
    assert 0 <= share.interval.low <= share.point <= share.interval.high <= 1
    if time <= curve.watched_until:
        assert share.interval.width > 0


@given(items=items)
def test_the_curve_never_rises(items: list[tuple[int, int]]) -> None:
    curve = kaplan_meier([time for time, _ in items], [event for _, event in items])
    assert (np.diff(curve.survival, prepend=1) < 0).all()
    assert np.isfinite(np.concatenate([curve.low, curve.high])).all()


@given(items=items)
def test_without_open_items_the_curve_is_the_plain_share(items: list[tuple[int, int]]) -> None:
    times = [time for time, _ in items]
    curve = kaplan_meier(times, [1] * len(times))
    for time in range(25):
        share = curve.share_by(time)
        assert share is not None
        assert share.point == pytest.approx(np.mean([each <= time for each in times]))
    area = restricted_mean(times, [1] * len(times), 30)
    assert area is not None
    assert area.point == pytest.approx(np.mean(times))
    if len(times) > 1:
        error = np.std(times) / math.sqrt(len(times))
        assert area.interval.low == pytest.approx(max(0, area.point - 1.959964 * error), abs=1e-5)


def test_open_items_do_not_flatter_a_team_that_stopped_fixing() -> None:
    curve = kaplan_meier([1, 2, 3] + [40] * 17, [1, 1, 1] + [0] * 17)
    share = curve.share_by(30)
    assert share is not None
    assert share.point == pytest.approx(3 / 20)
    assert curve.median() == Quantile(time=None, low=None, high=None)
    area = restricted_mean([1, 2, 3] + [40] * 17, [1, 1, 1] + [0] * 17, 30)
    assert area is not None
    assert area.point == pytest.approx((1 + 2 + 3 + 17 * 30) / 20)


def test_nothing_is_said_beyond_the_longest_watch() -> None:
    curve = kaplan_meier([5, 10], [1, 0])
    assert curve.share_by(10) is not None
    assert curve.share_by(10.1) is None
    assert restricted_mean([5, 10], [1, 0], 11) is None


def test_after_the_last_item_has_ended_the_curve_holds_for_ever() -> None:
    curve = kaplan_meier([5, 10], [1, 1])
    share = curve.share_by(1000)
    assert share is not None
    assert share.point == 1
    assert share.interval.low < 1


def test_no_event_yet_is_bounded_by_none_in_n() -> None:
    curve = kaplan_meier([10] * 59 + [2] * 40, [0] * 99)
    early, late = curve.share_by(1), curve.share_by(10)
    assert early is not None
    assert late is not None
    assert late.point == 0
    assert late.interval.high == pytest.approx(0.049508, abs=1e-6)
    assert early.interval.high < late.interval.high
    area = restricted_mean([10] * 59, [0] * 59, 10)
    assert area is not None
    assert area.point == 10
    assert area.interval.low == pytest.approx(10 * (1 - 0.049508), abs=1e-5)


def test_one_item_alone_limits_nothing() -> None:
    area = restricted_mean([4], [1], 10)
    assert area is not None
    assert area.point == 4
    assert (area.interval.low, area.interval.high) == (0, 10)
    share = kaplan_meier([4], [1]).share_by(4)
    assert share is not None
    assert (share.interval.low, share.interval.high) == (0, 1)


def test_without_items_there_is_no_answer() -> None:
    curve = kaplan_meier([], [])
    assert (curve.n, curve.share_by(3), curve.median().time) == (0, None, None)
    assert restricted_mean([], [], 10) is None


def test_what_is_not_a_duration_or_an_event_is_refused() -> None:
    with pytest.raises(LengthsDiffer):
        kaplan_meier([1, 2], [1])
    for times, events in (([-1], [1]), ([float("nan")], [1]), ([float("inf")], [1]), ([1], [2])):
        with pytest.raises(OutOfRange):
            kaplan_meier(times, events)
    with pytest.raises(OutOfRange):
        kaplan_meier([1], [1]).share_by(-1)
    with pytest.raises(OutOfRange):
        restricted_mean([1], [1], 0)
