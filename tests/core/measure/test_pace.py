"""Times with open cases counted as open, and a pace measured only while people work."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import DAY, HOUR, MINUTE, MONDAY, an_annotation
from thumbwheel.domain.annotation import Annotation
from thumbwheel.measure.pace import Case, QueueAge, Times, cycle_times, labels_per_hour, queue_age

DAY_SECONDS = DAY.total_seconds()


def fixed(days: float | None, *, watched: float = 0) -> Case:
    """A failure labelled when it was traced, fixed so many days later, or open for `watched` days before day 100."""
    begun = MONDAY if days is not None else MONDAY + (100 - watched) * DAY
    return Case(traced_at=begun, labelled_at=begun, failed=True, fixed_at=None if days is None else begun + days * DAY)


def to_fix(cases: list[Case], now: datetime = MONDAY + 100 * DAY) -> Times:
    return cycle_times(cases, now).trace_to_fix


def test_open_cases_count_as_open() -> None:
    ends = {3: 1, 5: 1, 8: 1, 12: 1, 15: 1, 20: 1}
    cases = [fixed(days) for days in ends] + [fixed(None, watched=days) for days in (5, 10, 20, 30)]
    found = to_fix(cases)
    assert (found.n, found.n_done) == (10, 6)
    assert found.median.estimate == 15 * DAY_SECONDS
    assert (found.median.low, found.median.high) == (3 * DAY_SECONDS, None)
    assert found.within_30_days.estimate == pytest.approx(1 - 0.274286, abs=1e-6)


def test_a_team_that_stops_fixing_does_not_look_faster() -> None:
    busy = [fixed(days) for days in (10, 12, 14, 16, 18, 20)]
    stopped = [fixed(2), fixed(3), *[fixed(None, watched=60)] * 10]
    assert to_fix(busy).median.estimate == 14 * DAY_SECONDS
    assert to_fix(stopped).median.estimate is None
    assert to_fix(stopped).median.why == "not reached: 2 of 12 done so far"
    busy_mean, stopped_mean = to_fix(busy).mean_60_days.estimate, to_fix(stopped).mean_60_days.estimate
    assert busy_mean is not None
    assert stopped_mean is not None
    assert stopped_mean > busy_mean


def test_too_few_cases_give_no_times() -> None:
    found = to_fix([fixed(1)] * 4)
    assert found.median.why == found.within_30_days.why == found.mean_60_days.why == "not enough labels: 4 of 5"


def test_a_share_within_30_days_needs_30_days() -> None:
    found = to_fix([fixed(None, watched=10)] * 6)
    assert found.within_30_days.why == "nothing has been watched for 30 days yet"
    assert found.mean_60_days.why == "nothing has been watched for 60 days yet"


def test_each_stretch_counts_what_can_travel_it() -> None:
    passed = Case(traced_at=MONDAY, labelled_at=MONDAY + HOUR)
    failed = Case(traced_at=MONDAY, labelled_at=MONDAY + 2 * HOUR, failed=True, fixed_at=MONDAY + 5 * HOUR)
    waiting = Case(traced_at=MONDAY)
    found = cycle_times([passed] * 3 + [failed] * 5 + [waiting] * 2, MONDAY + DAY)
    assert (found.trace_to_label.n, found.trace_to_label.n_done) == (10, 8)
    assert (found.label_to_fix.n, found.trace_to_fix.n) == (5, 5)
    assert found.label_to_fix.median.estimate == 3 * 3600
    assert found.trace_to_fix.median.estimate == 5 * 3600


def test_nobody_waits_for_what_was_dropped() -> None:
    labelled = [Case(traced_at=MONDAY, labelled_at=MONDAY + 10 * DAY)] * 5
    dropped = [Case(traced_at=MONDAY, dropped_at=MONDAY + DAY)] * 5
    now = MONDAY + 50 * DAY
    assert cycle_times(labelled + dropped, now).trace_to_label.mean_60_days.estimate == pytest.approx(10 * DAY_SECONDS)
    still_there = [Case(traced_at=MONDAY)] * 5
    assert cycle_times(labelled + still_there, now).trace_to_label.median.estimate == pytest.approx(10 * DAY_SECONDS)
    assert cycle_times(labelled + still_there, now).trace_to_label.mean_60_days.estimate is None


def test_a_clock_that_runs_ahead_makes_no_negative_time() -> None:
    ahead = Case(traced_at=MONDAY + 365 * DAY, labelled_at=MONDAY, failed=True, fixed_at=MONDAY)
    assert to_fix([ahead] * 5).median.estimate == 0


@given(
    st.lists(st.floats(0, 50), min_size=5, max_size=20),
    st.integers(0, 10),
)
def test_open_cases_only_lower_the_share_done(days: list[float], more: int) -> None:
    cases = [fixed(one) for one in days]
    without, with_open = to_fix(cases), to_fix(cases + [fixed(None, watched=60)] * more)
    assert without.within_30_days.estimate is not None
    assert with_open.within_30_days.estimate is not None
    assert with_open.within_30_days.estimate <= without.within_30_days.estimate + 1e-12


def test_the_age_of_the_queue() -> None:
    now = MONDAY + DAY
    ages = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert queue_age([now - age * HOUR for age in ages], now) == QueueAge(
        n=10, oldest=36_000.0, median=18_000.0, p90=32_400.0
    )
    assert queue_age([], now) == QueueAge(n=0, oldest=None, median=None, p90=None)
    assert queue_age([now + HOUR], now).oldest == 0


def made(*minutes: float, annotator: str = "ann", **given: object) -> list[Annotation]:
    return [
        an_annotation(id=f"{annotator}-{at}", annotator=annotator, at=MONDAY + minute * MINUTE, **given)
        for at, minute in enumerate(minutes)
    ]


def test_a_label_a_minute_is_sixty_an_hour() -> None:
    found = labels_per_hour(made(*range(41)))
    assert found.estimate == pytest.approx(60)
    assert found.n == 40
    assert found.low is not None
    assert found.high is not None
    assert 40 < found.low < 60 < found.high < 85


def test_a_pause_is_no_work_and_others_work_beside() -> None:
    lunch = made(0, 1, 2, 3, 60, 61, 62, 63)
    assert labels_per_hour(lunch).estimate == pytest.approx(60)
    assert labels_per_hour(lunch + made(*range(0, 40, 2), annotator="bob")).n == 6 + 19


def test_ten_minutes_are_work_and_a_second_more_is_a_pause() -> None:
    assert labels_per_hour(made(*range(0, 60, 10))).estimate == pytest.approx(6)
    assert (
        labels_per_hour(made(*(at * 10 + at / 60 for at in range(6)))).why == "not enough annotations in a row: 0 of 5"
    )


def test_a_correction_takes_time_and_is_no_label() -> None:
    corrections = made(*range(1, 12, 2), supersedes="earlier")
    assert labels_per_hour([*made(*range(0, 12, 2)), *corrections]).estimate == pytest.approx(5 / 11 * 60)


def test_annotations_of_one_moment_have_no_pace() -> None:
    assert labels_per_hour(made(*[0] * 20)).why == "all annotations bear the same time"


@given(st.lists(st.integers(0, 300), max_size=40))
def test_at_work_nobody_is_slower_than_one_in_ten_minutes(minutes: list[int]) -> None:
    found = labels_per_hour(made(*minutes))
    if found.estimate is not None:
        assert found.estimate >= 6 - 1e-9
        assert found.low is not None
        assert found.high is not None
        assert found.low <= found.estimate <= found.high


def test_the_interval_covers_the_pace_of_a_random_worker() -> None:
    rng = random.Random(3)
    covered = 0
    for _ in range(300):
        at = [timedelta()]
        while len(at) < 31:
            # one a minute on average; a gap of more than ten would come once in 22,000
            at.append(at[-1] + timedelta(minutes=min(rng.expovariate(1), 10)))
        found = labels_per_hour(made(*(moment / MINUTE for moment in at)))
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 60 <= found.high
    # 95 % of 300 is 285; four standard deviations are 15
    assert 270 <= covered <= 300
