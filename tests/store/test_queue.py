"""The queue: alerts, draws, entries and what waits."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.factories import DAY, HOUR, MONDAY, a_draw, a_drift_alert, an_entry
from thumbwheel.domain.queue import Policy, Purpose, QueueEntry
from thumbwheel.errors import NotHere
from thumbwheel.store.ledger import Ledger, Tx

NOW = MONDAY + 8 * DAY


def add(tx: Tx, n: int, *, draw: str = "draw-1", first: int = 1, at: datetime = NOW) -> list[QueueEntry]:
    """A draw of n entries, served in the order of their numbers."""
    entries = [
        an_entry(
            id=f"entry-{number}", trace_id=f"trace-{number}", draw_id=draw, rank=number, serve_rank=number, added_at=at
        )
        for number in range(first, first + n)
    ]
    tx.queue.add_draw(a_draw(id=draw, at=at), [(number, entry) for number, entry in enumerate(entries, first)])
    return entries


def test_a_draw_and_its_entries_come_back_as_they_were(ledger: Ledger) -> None:
    draw = a_draw(shortfalls={"drift": "no alert is open"}, thresholds={"random": [0.25, 1e-9], "salt": "7"})
    entry = an_entry(
        policy=Policy.drift,
        picked_by=(Policy.drift, Policy.random),
        core=True,
        purpose=Purpose.double,
        labels_needed=2,
        category=None,
        inclusion_probability=1 / 3,
    )
    with ledger.begin(1) as tx:
        tx.queue.add_draw(draw, [(1, entry)])
    with ledger.read(1) as tx:
        assert tx.queue.get_draw("draw-1") == draw
        assert tx.queue.get("entry-1") == entry
        assert tx.queue.list_entries("draw-1") == [entry]
        assert tx.queue.find_entries_for("trace-1") == [entry]


def test_the_same_draw_again_changes_nothing(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        add(tx, 2)
        add(tx, 3)
        assert tx.queue.count_waiting() == len(tx.queue.list_entries("draw-1")) == 2


def test_a_draw_may_be_empty(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        tx.queue.add_draw(a_draw(), [])
        assert tx.queue.list_entries("draw-1") == []


def test_draws_are_listed_newest_first(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        for number in (1, 2, 3):
            tx.queue.add_draw(a_draw(id=f"draw-{number}", at=MONDAY + number * DAY), [])
        assert [draw.id for draw in tx.queue.list_draws(2)] == ["draw-3", "draw-2"]


def test_entries_of_a_trace_are_listed_first_added_first(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        for number, at in ((1, NOW + DAY), (2, NOW)):
            entry = an_entry(id=f"entry-{number}", draw_id=f"draw-{number}", added_at=at)
            tx.queue.add_draw(a_draw(id=f"draw-{number}"), [(1, entry)])
        assert [entry.id for entry in tx.queue.find_entries_for("trace-1")] == ["entry-2", "entry-1"]


def test_which_traces_were_drawn_already_is_told_for_any_number_of_them(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        add(tx, 3)
        assert tx.queue.list_drawn(range(2, 12_000)) == {2, 3}
        assert tx.queue.list_drawn([]) == set()


def test_an_entry_or_draw_that_never_was_is_not_here(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        assert tx.queue.find("nothing") is None
        for get in (tx.queue.get, tx.queue.get_draw, tx.queue.lock):
            with pytest.raises(NotHere):
                get("nothing")


def test_a_project_sees_its_own_queue_only(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        add(tx, 1)
        tx.queue.add_alert(a_drift_alert())
    with ledger.begin(2) as tx:
        assert tx.queue.find("entry-1") is None
        assert tx.queue.list_draws(9) == []
        assert tx.queue.list_drawn([1]) == set()
        assert tx.queue.list_alerts(MONDAY) == []
        assert tx.queue.count_waiting() == 0
        assert tx.queue.drop(["entry-1"], "not mine", NOW) == []
        assert tx.queue.assign(["entry-1"], "eve") == []
        with pytest.raises(NotHere):
            tx.queue.close_alert("alert-1", NOW)


# --- what waits


def test_waiting_entries_are_counted_and_listed_page_by_page(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        add(tx, 3, draw="draw-2", first=4, at=NOW + HOUR)
        add(tx, 3)
        assert tx.queue.count_waiting() == 6
        seen = []
        place = None
        while page := tx.queue.list_waiting(2, place):
            seen += [waiting.entry.id for waiting in page]
            last = page[-1].entry
            place = (last.added_at, last.serve_rank, last.id)
    assert seen == [f"entry-{number}" for number in range(1, 7)]


def test_nothing_waits_in_an_empty_queue(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        assert tx.queue.count_waiting() == 0


def test_the_number_left_for_a_reviewer_is_counted_no_further_than_asked(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        add(tx, 6)
        tx.leases.pass_on("entry-1", "ann")
        tx.queue.assign(["entry-2"], "bob")
        counts = [tx.queue.count_waiting_for(name, 100) for name in ("ann", "bob", "cai")]
        assert counts == [4, 6, 5]
        assert tx.queue.count_waiting_for("bob", 3) == 3


def test_a_dropped_entry_waits_no_more_and_says_why(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        add(tx, 3)
        assert tx.queue.drop(["entry-3", "entry-1", "entry-1", "entry-9"], "expired", NOW) == ["entry-1", "entry-3"]
        assert tx.queue.drop(["entry-1"], "again", NOW) == []
        assert tx.queue.find_drop("entry-1") == "expired"
        assert tx.queue.find_drop("entry-2") is None
        assert [waiting.entry.id for waiting in tx.queue.list_waiting(9)] == ["entry-2"]
        assert tx.queue.get("entry-1").id == "entry-1"


def test_thousands_are_dropped_at_once(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        entries = add(tx, 6000)
        assert len(tx.queue.drop([entry.id for entry in entries], "expired", NOW)) == 6000
        assert tx.queue.count_waiting() == 0


# --- alerts


def test_an_alert_is_open_until_it_is_closed_or_expires(ledger: Ledger) -> None:
    alert = a_drift_alert(slice={"category": "returns", "model": "small-1"})
    with ledger.begin(1) as tx:
        tx.queue.add_alert(alert)
        tx.queue.add_alert(alert)
        tx.queue.add_alert(a_drift_alert(id="alert-2", raised_at=MONDAY - DAY, expires_at=MONDAY + DAY))
        assert tx.queue.list_alerts(MONDAY) == [
            a_drift_alert(id="alert-2", raised_at=MONDAY - DAY, expires_at=MONDAY + DAY),
            alert,
        ]
        assert tx.queue.list_alerts(MONDAY + DAY) == [alert]
        tx.queue.close_alert(alert.id, MONDAY)
        tx.queue.close_alert(alert.id, MONDAY + HOUR)
        assert tx.queue.list_alerts(MONDAY + DAY) == []
