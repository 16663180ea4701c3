"""Notes of open coding in the store, on every backend."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.factories import MONDAY, a_draw, a_label, a_trace, an_annotation, an_entry
from tests.road import keep_trace
from thumbwheel.domain.annotation import Verdict
from thumbwheel.domain.note import Group, Grouping
from thumbwheel.store.annotations import Told
from thumbwheel.store.ledger import Ledger, Tx

HOUR = timedelta(hours=1)


def say(tx: Tx, number: int, verdict: Verdict = Verdict.failed, categories: tuple[str, ...] = ()) -> None:
    """An annotation and its label, an hour after the one before."""
    at = MONDAY + number * HOUR
    trace, entry = f"trace-{number}", f"entry-{number}"
    ref = keep_trace(tx, a_trace(id=trace))
    tx.queue.add_draw(
        a_draw(id=f"draw-{number}"), [(ref, an_entry(id=entry, trace_id=trace, draw_id=f"draw-{number}"))]
    )
    common = {"entry_id": entry, "trace_id": trace, "verdict": verdict, "categories": categories}
    made = an_annotation(id=f"said-{number}", at=at, **common)
    tx.annotations.add(made, f"token-{number}", Told("waiting"))
    tx.annotations.add_label(a_label(id=f"label-{number}", settled_at=at, annotation_ids=(made.id,), **common))


@pytest.fixture
def filled(ledger: Ledger) -> Ledger:
    """A failure, a failure with a category, a pass, and another failure."""
    with ledger.begin(1) as tx:
        say(tx, 1)
        say(tx, 2, categories=("wrong-fact",))
        say(tx, 3, Verdict.passed)
        say(tx, 4)
    return ledger


def test_failures_without_a_category_are_listed_as_they_stood(filled: Ledger) -> None:
    with filled.begin(1) as tx:
        tx.annotations.supersede("said-1", MONDAY + 5 * HOUR)
        assert [one.id for one in tx.notes.list_open_failures(None)] == ["said-4"]
        assert [one.id for one in tx.notes.list_open_failures(MONDAY + 4 * HOUR)] == ["said-1", "said-4"]
        assert [one.id for one in tx.notes.list_open_failures(MONDAY + 3 * HOUR)] == ["said-1"]
        assert [one.id for one in tx.notes.list_open_failures(MONDAY + 6 * HOUR)] == ["said-4"]
        assert [label.id for label in tx.notes.list_open_labels(MONDAY + 3 * HOUR)] == ["label-1"]
        assert tx.within(2).notes.list_open_failures(None) == []


def test_waiting_entries_are_found_among_others(filled: Ledger) -> None:
    with filled.begin(1) as tx:
        tx.leases.finish("entry-1")
        assert tx.notes.find_waiting({"entry-1", "entry-2", "nowhere"}) == {"entry-2"}
        assert tx.within(2).notes.find_waiting({"entry-2"}) == set()


def test_a_grouping_is_replaced_by_whoever_knew_it(ledger: Ledger) -> None:
    first = Grouping(groups=(Group(id="g1", note_ids=("a", "b"), name="Wörter\u200f <b>"),), left_out=("c",))
    with ledger.begin(1) as tx:
        assert tx.notes.find_grouping() is None
        assert tx.notes.put_grouping(first, 0, "olga", MONDAY)
        assert not tx.notes.put_grouping(Grouping(), 0, "otto", MONDAY)
        assert not tx.notes.put_grouping(Grouping(), 2, "otto", MONDAY)
        assert tx.notes.find_grouping() == (1, first)
        assert tx.notes.put_grouping(Grouping(), 1, "otto", MONDAY)
        assert tx.notes.find_grouping() == (2, Grouping())
        assert tx.within(2).notes.find_grouping() is None
        tx.notes.drop_grouping()
        assert tx.notes.find_grouping() is None
