"""Reading times: compared with what is usual in their category, by norms made anew now and then."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.conftest import NOW, Clock
from tests.factories import a_signal, a_trace
from thumbwheel.app import weigh
from thumbwheel.domain.cell import Sign
from thumbwheel.domain.signal import Reading, Signal, SignalKind
from thumbwheel.services.capture import Capture, Work
from thumbwheel.services.norms import Norms
from thumbwheel.store.ledger import Ledger

PROJECT = 1
#: Median 7 s; 60 s is 5.8 robust standard deviations longer.
TIMES = [4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 60.0]


@pytest.fixture
def capture(ledger: Ledger, clock: Clock) -> Iterator[Capture]:
    capture = Capture(ledger, clock, b"shuffle", weigh)
    yield capture
    capture.close()


@pytest.fixture
def norms(ledger: Ledger, clock: Clock) -> Norms:
    return Norms(ledger, clock)


def a_reading(seconds: float, trace_id: str, place: int = 0) -> Signal:
    return a_signal(
        id=f"{trace_id}-{place}",
        trace_id=trace_id,
        kind=SignalKind.implicit_dwell,
        seconds=seconds,
        rating=None,
        at=NOW,
    )


def read_for(
    capture: Capture, times: list[float], *, category: str | None, days_ago: int = 1, project: int = PROJECT
) -> None:
    """One trace of this category, read for each of these times."""
    trace = a_trace(id=f"{category}-{days_ago}", category=category, started_at=NOW - timedelta(days=days_ago))
    signals = [a_reading(seconds, trace.id, place) for place, seconds in enumerate(times)]
    kept = capture.keep_now(Work(project, traces=[(trace, 1)], signals=[(signal, 1) for signal in signals]))
    assert kept.signals == [True] * len(times)


def reading_of(capture: Capture, seconds: float, category: str | None) -> Reading | None:
    """What is said of a reading time that comes now."""
    trace = a_trace(id=f"now-{category}", category=category, started_at=NOW)
    signal = a_reading(seconds, trace.id)
    capture.keep_now(Work(PROJECT, traces=[(trace, 1)], signals=[(signal, 1)]))
    (stored,) = capture.get(PROJECT, trace.id).signals
    return stored.reading


def test_a_reading_time_says_how_unusual_it_is_and_by_which_norm(capture: Capture, norms: Norms, clock: Clock) -> None:
    read_for(capture, TIMES * 20, category="billing")
    read_for(capture, [100.0, 200.0, 300.0] * 20, category="travel")
    made = norms.refresh(PROJECT)
    reading = reading_of(capture, 5.0, "billing")
    assert reading is not None
    assert reading.z == pytest.approx(-0.903, abs=6e-4)
    assert reading.norm.category == "billing"
    assert reading.norm.n == 140
    assert reading.norm.at == clock.at
    assert reading.norm in made


@pytest.mark.parametrize("category", ["travel", "never seen", None])
def test_a_category_with_few_readings_is_compared_with_all(
    capture: Capture, norms: Norms, category: str | None
) -> None:
    read_for(capture, TIMES * 20, category="billing")
    read_for(capture, [100.0] * 99, category="travel")
    norms.refresh(PROJECT)
    reading = reading_of(capture, 100.0, category)
    assert reading is not None
    assert reading.norm.category is None
    assert reading.norm.n == 239


def test_traces_without_a_category_count_towards_the_whole_only(capture: Capture, norms: Norms) -> None:
    read_for(capture, TIMES * 20, category=None)
    assert [(norm.category, norm.n) for norm in norms.refresh(PROJECT)] == [(None, 140)]


def test_before_there_is_a_norm_nothing_is_said(capture: Capture, norms: Norms) -> None:
    assert norms.refresh(PROJECT) == []
    assert reading_of(capture, 5.0, "billing") is None


def test_what_was_said_by_an_earlier_norm_stays(capture: Capture, norms: Norms, clock: Clock) -> None:
    read_for(capture, TIMES * 20, category="billing")
    norms.refresh(PROJECT)
    before = reading_of(capture, 5.0, "billing")
    read_for(capture, [500.0] * 300, category="billing", days_ago=2)
    clock.advance(hours=1)
    assert norms.refresh(PROJECT)[0].median > 6
    (stored,) = capture.get(PROJECT, "now-billing").signals
    assert stored.reading == before


def test_only_the_last_28_days_and_this_project_count(capture: Capture, norms: Norms) -> None:
    read_for(capture, TIMES, category="billing", days_ago=28)
    read_for(capture, [500.0] * 30, category="billing", days_ago=29)
    read_for(capture, [500.0] * 30, category="billing", project=2)
    assert [norm.n for norm in norms.refresh(PROJECT)] == [7, 7]


def test_a_reading_time_that_waited_for_its_trace_is_compared_when_it_comes(capture: Capture, norms: Norms) -> None:
    read_for(capture, TIMES * 20, category="billing")
    norms.refresh(PROJECT)
    capture.keep_now(Work(PROJECT, signals=[(a_reading(60.0, "late"), 1)]))
    capture.keep_now(Work(PROJECT, traces=[(a_trace(id="late", category="billing", started_at=NOW), 1)]))
    (stored,) = capture.get(PROJECT, "late").signals
    assert stored.reading is not None
    assert stored.reading.z == 5.0


def test_an_unusual_reading_time_is_a_sign(capture: Capture, norms: Norms) -> None:
    read_for(capture, TIMES * 20, category="billing")
    norms.refresh(PROJECT)
    reading_of(capture, 60.0, "billing")
    (unusual,) = capture.get(PROJECT, "now-billing").signals
    assert weigh([unusual], None).signs == Sign.dwell
    assert weigh([a_reading(7.0, "now-billing")], None).signs == Sign(0)
