"""What a report counts, on each engine."""

from __future__ import annotations

from datetime import timedelta

from tests.factories import (
    DAY,
    HOUR,
    MINUTE,
    MONDAY,
    a_dispute,
    a_draw,
    a_fix,
    a_label,
    a_signal,
    a_trace,
    a_window,
    an_annotation,
    an_entry,
)
from tests.road import keep_trace, lay, queue_up, settle
from tests.store.test_artifacts import LATER, route_all
from thumbwheel.domain.annotation import Verdict
from thumbwheel.domain.queue import Policy, Purpose, Window
from thumbwheel.domain.signal import Rating, SignalKind
from thumbwheel.store.annotations import Told
from thumbwheel.store.ledger import Ledger
from thumbwheel.store.tallies import FixTally, GoldenTally, Road, SignalTally, StepTally

#: The week of `MONDAY` in whole days.
WEEK = a_window(start=MONDAY - 9 * HOUR, end=MONDAY - 9 * HOUR + 7 * DAY)


def test_traces_are_counted_by_the_hour_they_started_in(ledger: Ledger) -> None:
    first, last = WEEK.start, WEEK.end - timedelta(microseconds=1)
    with ledger.begin(1) as tx:
        for number, at in enumerate((first, MONDAY, last, first - MINUTE, WEEK.end)):
            keep_trace(tx, a_trace(id=f"trace-{number}", started_at=at))
        assert tx.tallies.count_traces(WEEK) == 3
    with ledger.begin(2) as tx:
        assert tx.tallies.count_traces(WEEK) == 0


def test_signals_are_counted_by_kind_and_traces_by_what_they_got(ledger: Ledger) -> None:
    copy, rating = SignalKind.implicit_copy, SignalKind.user_rating
    with ledger.begin(1) as tx:
        keep_trace(tx, a_trace(id="a"), [a_signal(id="1", trace_id="a"), a_signal(id="2", trace_id="a", kind=copy)])
        keep_trace(tx, a_trace(id="b"), [a_signal(id="1", trace_id="b", rating=Rating.up)])
        keep_trace(
            tx, a_trace(id="c"), [a_signal(id="1", trace_id="c"), a_signal(id="2", trace_id="c", rating=Rating.up)]
        )
        keep_trace(tx, a_trace(id="d"), [a_signal(id="1", trace_id="d", kind=copy)])
        keep_trace(tx, a_trace(id="e", started_at=WEEK.end), [a_signal(id="1", trace_id="e")])
        keep_trace(tx, a_trace(id="f"))
        assert tx.tallies.count_signals(WEEK) == SignalTally({rating: 4, copy: 2}, n_traces=4, n_rated=3, n_down=2)


def test_every_step_counts_traces_of_the_window(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        lay(tx, 1)
        lay(tx, 2)
        lay(tx, 3)
        lay(tx, 4, verdict=Verdict.passed)
        lay(tx, 5, verdict=None)
        lay(tx, 6, verdict=None)
        tx.annotations.add(an_annotation(id="half", entry_id="entry-6", trace_id="trace-6"), "half", Told("waiting"))
        lay(tx, 7, started_at=MONDAY - 30 * DAY)
        route_all(tx)
        tx.fixes.add(a_fix(label_ids=("label-1", "label-2", "label-7")))
        tx.fixes.add(a_fix(id="fix-2", label_ids=("label-1",)))
        tx.fixes.ship("fix-2", LATER)
        counted = tx.tallies.count_steps(WEEK)
    assert counted == StepTally(drawn=6, annotated=5, labelled=4, failures=3, artifacts=3, fixes=2, shipped=1)


def test_a_trace_drawn_twice_counts_once_and_a_relabelling_not_at_all(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        lay(tx, 1)
        ref = tx.traces.find_many(["trace-1"])["trace-1"].ref
        entries = [an_entry(id="again", draw_id="again"), an_entry(id="old", draw_id="again", purpose=Purpose.relabel)]
        tx.queue.add_draw(a_draw(id="again"), [(ref, entry) for entry in entries])
        settle(tx, a_label(id="again", entry_id="again"))
        settle(tx, a_label(id="old", entry_id="old"))
        assert tx.tallies.count_steps(WEEK).drawn == 1
        assert tx.tallies.count_steps(WEEK).failures == 1
        assert sorted(entry.id for entry, _ in tx.tallies.list_outcomes(WEEK)) == ["again", "entry-1"]
        assert len(tx.tallies.list_roads(MONDAY)) == 1


def test_outcomes_are_entries_with_their_live_label(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        lay(tx, 1, policy=Policy.random)
        lay(tx, 2, verdict=None)
        lay(tx, 3)
        tx.annotations.supersede_label("label-3", LATER)
        found = {entry.id: (entry.policy, label and label.id) for entry, label in tx.tallies.list_outcomes(WEEK)}
    assert found == {
        "entry-1": (Policy.random, "label-1"),
        "entry-2": (Policy.negative, None),
        "entry-3": (Policy.negative, None),
    }


def test_a_road_says_when_a_trace_came_how_far(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        lay(tx, 1)
        lay(tx, 2, verdict=Verdict.passed)
        lay(tx, 3, verdict=None)
        lay(tx, 4, verdict=None)
        tx.queue.drop(["entry-4"], "expired", LATER)
        tx.fixes.add(a_fix(id="late"))
        tx.fixes.add(a_fix(id="early"))
        tx.fixes.add(a_fix(id="never"))
        tx.fixes.ship("late", LATER + DAY)
        tx.fixes.ship("early", LATER)
        roads = sorted(tx.tallies.list_roads(MONDAY), key=lambda road: road.traced_at)
        assert tx.tallies.list_roads(MONDAY + 2 * DAY) == []
    labelled = MONDAY + DAY + HOUR
    assert roads == [
        Road(MONDAY + MINUTE, labelled + MINUTE, True, LATER, None),
        Road(MONDAY + 2 * MINUTE, labelled + 2 * MINUTE, False, None, None),
        Road(MONDAY + 3 * MINUTE, None, False, None, None),
        Road(MONDAY + 4 * MINUTE, None, False, None, LATER),
    ]


def test_of_a_trace_drawn_twice_the_entry_that_came_further_counts(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        lay(tx, 1, verdict=None)
        lay(tx, 2, verdict=None)
        refs = {row.trace_id: row.ref for row in tx.traces.find_many(["trace-1", "trace-2"]).values()}
        again = [
            (refs[f"trace-{n}"], an_entry(id=f"again-{n}", trace_id=f"trace-{n}", draw_id="again")) for n in (1, 2)
        ]
        tx.queue.add_draw(a_draw(id="again"), again)
        tx.queue.drop(["entry-1", "entry-2"], "expired", LATER)
        settle(tx, a_label(id="label-1", entry_id="again-1"))
        first, second = sorted(tx.tallies.list_roads(MONDAY), key=lambda road: road.traced_at)
    assert (first.labelled_at, first.dropped_at) == (a_label().settled_at, None)
    assert (second.labelled_at, second.dropped_at) == (None, None)


def test_annotations_of_a_window_stand_and_come_in_order(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        queue_up(tx, a_trace(), an_entry())
        for number, at in enumerate((2, 1, 0, 3, 4)):
            one = an_annotation(id=f"a{number}", at=MONDAY + at * DAY)
            tx.annotations.add(one, f"t{number}", Told("waiting"))
        tx.annotations.supersede("a0", LATER)
        found = tx.tallies.list_annotations(Window(start=MONDAY, end=MONDAY + 4 * DAY))
    assert [one.id for one in found] == ["a2", "a1", "a3"]


def test_what_waits_what_was_dropped_and_what_is_disputed(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        for number in range(1, 6):
            lay(tx, number, verdict=None)
        tx.queue.drop(["entry-1", "entry-2"], "expired", MONDAY)
        tx.queue.drop(["entry-3"], "overflow", MONDAY + DAY)
        tx.queue.drop(["entry-4"], "expired", WEEK.end)
        tx.annotations.add_dispute(a_dispute(id="d1", entry_id="entry-5"))
        tx.annotations.add_dispute(a_dispute(id="d2", entry_id="entry-4"))
        tx.annotations.close_disputes("entry-4", LATER)
        assert tx.tallies.list_waiting_since() == [MONDAY + DAY]
        assert tx.tallies.count_drops(WEEK) == {"expired": 2, "overflow": 1}
        assert tx.tallies.count_disputes() == 1
    with ledger.begin(2) as tx:
        assert (tx.tallies.list_waiting_since(), tx.tallies.count_drops(WEEK), tx.tallies.count_disputes()) == (
            [],
            {},
            0,
        )


def test_golden_rows_and_fixes_are_counted_by_how_they_stand(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        assert tx.tallies.count_golden() == GoldenTally(0, 0, 0)
        assert tx.tallies.count_fixes() == FixTally(0, 0, 0, None, None)
        for number in range(1, 6):
            lay(tx, number)
        lay(tx, 6, verdict=Verdict.passed)
        route_all(tx)
        tx.annotations.supersede_label("label-5", LATER)
        tx.fixes.add(a_fix(id="one", label_ids=("label-1", "label-2")))
        tx.fixes.add(a_fix(id="two", label_ids=("label-2", "label-3")))
        tx.fixes.ship("one", LATER)
        tx.fixes.ship("two", LATER + DAY)
        # A pass is routed as a row here only because `route_all` asks no questions.
        assert tx.tallies.count_golden() == GoldenTally(n_open=2, n_guarding=3, n_pairs=0)
        waiting_since = MONDAY + DAY + HOUR + 4 * MINUTE
        assert tx.tallies.count_fixes() == FixTally(2, 2, 1, waiting_since, LATER + DAY)
