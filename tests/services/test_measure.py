"""The report: one value, every number with what it is of, and never a number where there is none."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event

from tests.conftest import NOW, Clock
from tests.factories import DAY, HOUR, MINUTE, a_codebook_version, a_label, a_signal, an_annotation, an_entry
from tests.road import lay
from thumbwheel.domain.annotation import Verdict
from thumbwheel.domain.artifact import FixKind
from thumbwheel.domain.queue import Policy, Window
from thumbwheel.domain.signal import SignalKind
from thumbwheel.errors import Invalid
from thumbwheel.services.close import Close
from thumbwheel.services.measure import Measure
from thumbwheel.store.annotations import Told
from thumbwheel.store.engine import open_engine
from thumbwheel.store.ledger import Ledger
from thumbwheel.store.tables import metadata

PROJECT = 1
#: Noon three days ago: its traces are labelled a day and an hour later.
THURSDAY = NOW - 3 * DAY


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    engine = open_engine(f"sqlite:///{tmp_path}/measure.db")
    metadata.create_all(engine)
    return Ledger(engine)


@pytest.fixture
def measure(ledger: Ledger, clock: Clock) -> Measure:
    return Measure(ledger, clock)


@pytest.fixture
def close(ledger: Ledger, clock: Clock, mint: Callable[[], str]) -> Close:
    return Close(ledger, clock, mint)


def lay_week(ledger: Ledger) -> None:
    """Ten negative entries, eight of them failures; ten random ones, one failure; one still waits."""
    with ledger.begin(PROJECT) as tx:
        for number in range(1, 21):
            negative = number <= 10
            lay(
                tx,
                number,
                policy=Policy.negative if negative else Policy.random,
                entry=an_entry(
                    id=f"entry-{number}",
                    trace_id=f"trace-{number}",
                    draw_id=f"draw-{number}",
                    policy=Policy.negative if negative else Policy.random,
                    picked_by=(Policy.negative, Policy.random)
                    if number == 10
                    else (Policy.negative,)
                    if negative
                    else (Policy.random,),
                    core=not negative,
                    added_at=THURSDAY + DAY,
                ),
                verdict=Verdict.failed if number <= 8 or number == 11 else Verdict.passed,
                started_at=THURSDAY,
                signals=[a_signal(trace_id=f"trace-{number}")] if negative else (),
            )
        lay(tx, 21, verdict=None, started_at=THURSDAY)


def test_an_empty_store_has_a_report_without_a_single_made_up_number(measure: Measure) -> None:
    report = measure.report(PROJECT)
    assert [(step.name, step.n) for step in report.funnel][:3] == [("traces", 0), ("with_signals", 0), ("drawn", 0)]
    assert report.core.estimate is None
    assert report.core.why == "not enough labels: 0 of 5"
    assert report.failure_rate.why == "not enough labels: 0 of 10"
    assert [row.share for row in report.naive] == [None, None, None]
    assert report.times.trace_to_label.median.estimate is None
    assert report.kappas[0].kappa.why == "not enough doubled entries: 0 of 30"
    assert report.closing.alarm is None
    assert report.waiting.age.oldest is None


def test_the_window_is_whole_days_that_hold_what_was_asked(measure: Measure) -> None:
    assert measure.report(PROJECT, timedelta(days=7)).window == Window(
        start=datetime(2026, 11, 16, tzinfo=UTC), end=datetime(2026, 11, 24, tzinfo=UTC)
    )
    day = Window(start=datetime(2026, 11, 3, tzinfo=UTC), end=datetime(2026, 11, 4, tzinfo=UTC))
    assert measure.report(PROJECT, day).window == day
    cut = Window(start=day.start + HOUR, end=day.end - HOUR)
    assert measure.report(PROJECT, cut).window == day


@pytest.mark.parametrize("window", [timedelta(0), timedelta(days=-1), timedelta.max, Window(start=NOW, end=NOW)])
def test_a_window_that_is_none_is_refused(measure: Measure, window: Window | timedelta) -> None:
    with pytest.raises(Invalid) as refusal:
        measure.report(PROJECT, window)
    assert refusal.value.field == "window"


def test_the_funnel_runs_from_traces_to_shipped_fixes(measure: Measure, close: Close, ledger: Ledger) -> None:
    lay_week(ledger)
    close.route(PROJECT)
    fix = close.add_fix(PROJECT, FixKind.prompt, "#1", labels=["label-1", "label-2"])
    close.add_fix(PROJECT, FixKind.prompt, "#2", labels=["label-3"])
    close.ship_fix(PROJECT, fix.id)
    report = measure.report(PROJECT)
    assert {step.name: step.n for step in report.funnel} == {
        "traces": 21,
        "with_signals": 10,
        "drawn": 21,
        "annotated": 20,
        "labelled": 20,
        "failures": 9,
        "artifacts": 9,
        "fixes": 3,
        "shipped": 2,
    }
    closing = report.closing
    assert (closing.n_open, closing.n_guarding, closing.n_fixes, closing.n_shipped) == (7, 2, 2, 1)
    assert (closing.n_unanswered, closing.last_shipped_at) == (6, NOW)


def test_each_policy_shows_what_it_caught_beside_the_base_rate(measure: Measure, ledger: Ledger) -> None:
    lay_week(ledger)
    report = measure.report(PROJECT)
    rows = {row.policy: (row.n_entries, row.n_labelled, row.n_failures) for row in report.policies}
    assert rows[Policy.negative] == (11, 10, 8)
    assert rows[Policy.random] == (11, 11, 1)
    assert rows[Policy.drift] == (0, 0, 0)
    shares = {row.policy: row.conversion for row in report.policies}
    assert shares[Policy.negative].estimate == 0.8
    assert shares[Policy.negative].low == pytest.approx(0.4902, abs=1e-4)
    assert report.core.estimate == 0.1
    assert report.core.n == 10


def test_naive_shares_come_with_the_reason_they_are_not_the_rate(measure: Measure, ledger: Ledger) -> None:
    lay_week(ledger)
    found = {row.name: (row.n, row.of) for row in measure.report(PROJECT).naive}
    assert found == {
        "failures among labels": (9, 20),
        "thumbs-down among rated traces": (10, 10),
        "thumbs-down among all traces": (10, 21),
    }
    assert all(row.why_not for row in measure.report(PROJECT).naive)


def test_what_waits_and_how_long_things_take(measure: Measure, ledger: Ledger) -> None:
    lay_week(ledger)
    report = measure.report(PROJECT)
    assert report.waiting.age.n == 1
    assert report.waiting.age.oldest == (NOW - (THURSDAY + DAY)).total_seconds()
    times = report.times.trace_to_label
    assert (times.n, times.n_done) == (21, 20)
    assert times.median.estimate == (DAY + HOUR).total_seconds()
    assert report.labels_per_hour.estimate == pytest.approx(60)
    assert report.n_annotators == 1
    assert report.signals.by_kind == {SignalKind.user_rating: 10}


def test_kappa_waits_for_enough_doubled_entries_and_then_has_an_interval(measure: Measure, ledger: Ledger) -> None:
    with ledger.begin(PROJECT) as tx:
        tx.codebooks.add(a_codebook_version())
        for number in range(1, 41):
            failed = number % 2 == 0
            lay(tx, number, verdict=Verdict.failed if failed else Verdict.passed, started_at=THURSDAY)
            agrees = number % 10 != 0
            second = an_annotation(
                id=f"second-{number}",
                entry_id=f"entry-{number}",
                trace_id=f"trace-{number}",
                annotator="bea",
                verdict=Verdict.failed if failed and agrees else Verdict.passed,
                at=NOW - DAY,
            )
            if number <= 29:
                tx.annotations.add(second, f"second-{number}", Told("label"))
    few = measure.report(PROJECT).kappas[0]
    assert (few.kappa.estimate, few.kappa.why) == (None, "not enough doubled entries: 29 of 30")
    with ledger.begin(PROJECT) as tx:
        for number in range(30, 41):
            failed = number % 2 == 0 and number % 10 != 0
            verdict = Verdict.failed if failed else Verdict.passed
            second = an_annotation(
                id=f"second-{number}", entry_id=f"entry-{number}", annotator="bea", verdict=verdict, at=NOW - DAY
            )
            tx.annotations.add(second, f"second-{number}", Told("label"))
    report = measure.report(PROJECT)
    overall = report.kappas[0]
    assert report.n_doubled == 40
    assert overall.kappa.estimate == pytest.approx(0.8)
    assert overall.kappa.low is not None
    assert overall.kappa.low < 0.8
    assert [row.category for row in report.kappas] == [None, "wrong-fact", "missed-point"]


def test_a_week_of_failures_without_a_fix_is_an_alarm(
    measure: Measure, close: Close, ledger: Ledger, clock: Clock
) -> None:
    lay_week(ledger)
    assert measure.report(PROJECT).closing.alarm is None
    clock.advance(days=8)
    assert measure.report(PROJECT).closing.alarm == "No fix in 9 days, and 9 failures wait for one."
    fix = close.add_fix(PROJECT, FixKind.prompt, "#1", labels=["label-1"])
    close.ship_fix(PROJECT, fix.id)
    assert measure.report(PROJECT).closing.alarm is None
    clock.advance(days=7)
    assert measure.report(PROJECT).closing.alarm == "No fix in 7 days, and 8 failures wait for one."
    done = close.add_fix(PROJECT, FixKind.prompt, "#2", categories=["wrong-fact"])
    assert len(done.label_ids) == 8
    assert measure.report(PROJECT).closing.alarm is None


def test_the_report_is_json_with_every_figure_in_one_form(measure: Measure, close: Close, ledger: Ledger) -> None:
    lay_week(ledger)
    close.route(PROJECT)
    told = json.loads(json.dumps(measure.report(PROJECT).as_dict()))
    assert told["window"] == {"from": "2026-11-16T00:00:00+00:00", "to": "2026-11-24T00:00:00+00:00"}
    negative = next(row for row in told["policies"] if row["policy"] == "negative")
    assert negative["conversion"]["estimate"] == 0.8
    assert len(negative["conversion"]["interval"]) == 2
    drift = next(row for row in told["policies"] if row["policy"] == "drift")
    assert drift["conversion"] == {
        "estimate": None,
        "interval": None,
        "n": 0,
        "m": 5,
        "why": "not enough labels: 0 of 5",
    }
    assert told["signals"]["by_kind"] == {"user_rating": 10}
    assert told["kappas"][0]["category"] is None


def test_a_report_over_many_rows_costs_as_many_statements_as_one_over_few(measure: Measure, ledger: Ledger) -> None:
    statements: list[str] = []
    event.listen(ledger.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    costs = []
    for first, last in ((1, 6), (6, 60)):
        with ledger.begin(PROJECT) as tx:
            for number in range(first, last):
                lay(tx, number, started_at=THURSDAY, label=a_label(corrected_output="Right."))
        before = len(statements)
        measure.report(PROJECT)
        costs.append(len(statements) - before)
    assert costs[0] == costs[1] < 30


def test_a_label_that_was_taken_back_is_in_no_number(measure: Measure, ledger: Ledger) -> None:
    lay_week(ledger)
    with ledger.begin(PROJECT) as tx:
        tx.annotations.supersede_label("label-1", NOW)
    report = measure.report(PROJECT)
    assert {step.name: step.n for step in report.funnel}["failures"] == 8
    assert next(row.n_failures for row in report.policies if row.policy is Policy.negative) == 7
    assert report.naive[0].of == 19


def test_clocks_that_run_backwards_do_no_harm(measure: Measure, ledger: Ledger) -> None:
    with ledger.begin(PROJECT) as tx:
        for number in range(1, 7):
            lay(tx, number, started_at=NOW + HOUR + number * MINUTE)
    report = measure.report(PROJECT)
    assert report.times.trace_to_label.n == 6
    assert report.waiting.age.n == 0
