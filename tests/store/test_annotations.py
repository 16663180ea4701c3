"""Annotations, disputes and labels: rows that are only added, and what stands among them."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError

from tests.factories import DAY, HOUR, MINUTE, MONDAY, a_dispute, a_draw, a_label, an_annotation, an_entry
from thumbwheel.domain.annotation import Settled, Verdict
from thumbwheel.errors import NotHere
from thumbwheel.store.annotations import Told
from thumbwheel.store.ledger import Ledger, Tx

NOW = MONDAY + 9 * DAY
WAITING = Told("waiting")


@pytest.fixture
def filled(ledger: Ledger) -> Ledger:
    """Three entries; the third is a second one of the first trace."""
    with ledger.begin(1) as tx:
        entries = [
            (1, an_entry()),
            (2, an_entry(id="entry-2", trace_id="trace-2")),
            (1, an_entry(id="entry-3")),
        ]
        tx.queue.add_draw(a_draw(), entries)
    return ledger


def add(tx: Tx, number: int, told: Told = WAITING, **given: object) -> None:
    at = NOW + number * MINUTE
    tx.annotations.add(an_annotation(**{"id": f"annotation-{number}", "at": at} | given), f"token-{number}", told)


# --- annotations


def test_an_annotation_comes_back_as_it_was_made(filled: Ledger) -> None:
    made = an_annotation(
        categories=("missed-point", "wrong-fact"),
        critique="Last year's \x00 policy.",
        corrected_output="30 — “thirty” — days",
        documents={"returns": True, "shipping": False},
        missing_knowledge="This year's.",
        seconds=31.25,
        supersedes="annotation-0",
    )
    with filled.begin(1) as tx:
        tx.annotations.add(made, "token-1", Told("label", "label-1"))
        kept = tx.annotations.get("annotation-1")
    assert kept.annotation == made
    assert (kept.lease_token, kept.told, kept.superseded_at) == ("token-1", Told("label", "label-1"), None)


def test_one_lease_makes_one_annotation(filled: Ledger) -> None:
    def twice() -> None:
        with filled.begin(1) as tx:
            tx.annotations.add(an_annotation(), "token-1", WAITING)
            tx.annotations.add(an_annotation(id="annotation-2"), "token-1", WAITING)

    with pytest.raises(IntegrityError):
        twice()
    with filled.read(1) as tx:
        assert tx.annotations.list_for("entry-1") == []


def test_a_superseded_annotation_stays_but_does_not_stand(filled: Ledger) -> None:
    with filled.begin(1) as tx:
        add(tx, 1)
        add(tx, 2, supersedes="annotation-1")
        assert tx.annotations.supersede("annotation-1", NOW)
        assert not tx.annotations.supersede("annotation-1", NOW + HOUR)
        assert [one.id for one in tx.annotations.list_for("entry-1")] == ["annotation-2"]
        kept = tx.annotations.list_kept("entry-1")
    assert [(each.annotation.id, each.superseded_at) for each in kept] == [
        ("annotation-1", NOW),
        ("annotation-2", None),
    ]


def test_annotations_of_a_trace_come_from_all_its_entries(filled: Ledger) -> None:
    with filled.begin(1) as tx:
        add(tx, 3, entry_id="entry-3")
        add(tx, 2, entry_id="entry-2", trace_id="trace-2")
        add(tx, 1)
        assert [one.id for one in tx.annotations.list_for_trace("trace-1")] == ["annotation-1", "annotation-3"]
        by_entry = tx.annotations.list_by_entry(["entry-1", "entry-2", "entry-9"])
    assert {entry: [one.id for one in made] for entry, made in by_entry.items()} == {
        "entry-1": ["annotation-1"],
        "entry-2": ["annotation-2"],
        "entry-9": [],
    }


def test_the_last_annotations_of_one_person_are_listed_newest_first(filled: Ledger) -> None:
    with filled.begin(1) as tx:
        for number in range(1, 6):
            add(tx, number, annotator="ann" if number != 4 else "bob")
        tx.annotations.supersede("annotation-5", NOW)
        assert [one.id for one in tx.annotations.list_recent("ann", 2)] == ["annotation-3", "annotation-2"]
        assert tx.annotations.count_since("ann", NOW + 2 * MINUTE) == 2
        assert tx.annotations.list_annotators(NOW) == ["ann", "bob"]
        assert tx.annotations.list_annotators(NOW + HOUR) == []


def test_doubled_annotations_are_those_of_entries_that_two_people_judged(filled: Ledger) -> None:
    with filled.begin(1) as tx:
        add(tx, 1, annotator="ann")
        add(tx, 2, annotator="bob")
        add(tx, 3, annotator="ann", entry_id="entry-2", trace_id="trace-2")
        add(tx, 4, annotator="ann", entry_id="entry-3")
        add(tx, 5, annotator="bob", entry_id="entry-3")
        tx.annotations.supersede("annotation-4", NOW)
        assert [one.id for one in tx.annotations.list_doubled(NOW)] == ["annotation-1", "annotation-2"]
        assert [one.id for one in tx.annotations.list_doubled(NOW + 2 * MINUTE)] == ["annotation-1", "annotation-2"]
        assert tx.annotations.list_doubled(NOW + 3 * MINUTE) == []


# --- disputes


def test_an_open_dispute_brings_its_entry_and_its_annotations(filled: Ledger) -> None:
    with filled.begin(1) as tx:
        add(tx, 2, annotator="bob", verdict=Verdict.passed)
        add(tx, 1, annotator="ann")
        tx.annotations.add_dispute(a_dispute())
        tx.annotations.add_dispute(a_dispute())
        (found,) = tx.annotations.list_disputes(10)
        assert tx.annotations.find_open("dispute-1") == found
    assert (found.dispute, found.entry) == (a_dispute(), an_entry())
    assert [one.annotator for one in found.annotations] == ["ann", "bob"]


def test_a_closed_dispute_is_listed_no_more_but_stays(filled: Ledger) -> None:
    with filled.begin(1) as tx:
        add(tx, 1, annotator="ann")
        add(tx, 2, annotator="bob")
        tx.annotations.add_dispute(a_dispute())
        tx.annotations.close_disputes("entry-1", NOW)
        assert tx.annotations.list_disputes(10) == []
        assert tx.annotations.find_open("dispute-1") is None
        assert tx.annotations.get_dispute("dispute-1") == a_dispute()


def test_disputes_are_listed_page_by_page_first_opened_first(filled: Ledger) -> None:
    with filled.begin(1) as tx:
        for number in (1, 2, 3):
            add(tx, number, annotator=f"annotator-{number}")
            opened = NOW + (0 if number < 3 else 1) * HOUR
            dispute = a_dispute(id=f"dispute-{number}", opened_at=opened, annotation_ids=(f"annotation-{number}",))
            tx.annotations.add_dispute(dispute)
        first = tx.annotations.list_disputes(2)
        place = (first[-1].dispute.opened_at, first[-1].dispute.id)
        second = tx.annotations.list_disputes(2, place)
    assert [each.dispute.id for each in first + second] == ["dispute-1", "dispute-2", "dispute-3"]


# --- labels


def test_a_label_comes_back_as_it_was_settled(filled: Ledger) -> None:
    label = a_label(
        settled=Settled.adjudicated,
        annotation_ids=("annotation-1", "annotation-2"),
        annotators=("ann", "bob"),
        decided_by="olga",
        documents={"returns": True},
    )
    with filled.begin(1) as tx:
        tx.annotations.add_label(label)
        tx.annotations.add_label(label)
        assert tx.annotations.list_labels(10) == [label]
        assert tx.annotations.find_label("trace-1") == label
        assert tx.annotations.find_last_label("entry-1") == (label, None)
        assert tx.annotations.find_label("trace-2") is None
        assert tx.annotations.find_last_label("entry-2") is None


def test_a_label_takes_the_place_of_the_one_it_supersedes(filled: Ledger) -> None:
    later = a_label(id="label-2", verdict=Verdict.passed, settled_at=NOW + HOUR, supersedes="label-1")
    with filled.begin(1) as tx:
        tx.annotations.add_label(a_label(settled_at=NOW))
        tx.annotations.add_label(later)
        assert tx.annotations.list_labels(10) == [later]
        assert tx.annotations.find_label("trace-1") == later
        assert tx.annotations.find_last_label("entry-1") == (later, None)


def test_a_label_taken_back_is_still_the_last_one(filled: Ledger) -> None:
    with filled.begin(1) as tx:
        tx.annotations.add_label(a_label())
        tx.annotations.supersede_label("label-1", NOW)
        tx.annotations.supersede_label("label-1", NOW + HOUR)
        assert tx.annotations.list_labels(10) == []
        assert tx.annotations.find_last_label("entry-1") == (a_label(), NOW)


def test_labels_are_listed_page_by_page_and_streamed_first_settled_first(filled: Ledger) -> None:
    with filled.begin(1) as tx:
        for number in range(1, 601):
            tx.annotations.add_label(a_label(id=f"label-{number:03}", settled_at=NOW + (number // 3) * MINUTE))
        seen = []
        place = None
        while page := tx.annotations.list_labels(100, place):
            seen += page
            place = (page[-1].settled_at, page[-1].id)
        assert [label.id for label in seen] == [f"label-{number:03}" for number in range(1, 601)]
        assert list(tx.annotations.stream_labels()) == seen


def test_a_project_sees_its_own_only(filled: Ledger) -> None:
    with filled.begin(1) as tx:
        add(tx, 1)
        tx.annotations.add_dispute(a_dispute(annotation_ids=("annotation-1",)))
        tx.annotations.add_label(a_label())
    with filled.begin(2) as tx:
        assert tx.annotations.list_for("entry-1") == []
        assert tx.annotations.list_for_trace("trace-1") == []
        assert tx.annotations.list_recent("ann", 10) == []
        assert tx.annotations.list_disputes(10) == []
        assert tx.annotations.list_labels(10) == []
        assert tx.annotations.find_label("trace-1") is None
        assert not tx.annotations.supersede("annotation-1", NOW)
        tx.annotations.supersede_label("label-1", NOW)
        tx.annotations.close_disputes("entry-1", NOW)
        for get in (tx.annotations.get, tx.annotations.get_dispute):
            with pytest.raises(NotHere):
                get("annotation-1")
    with filled.read(1) as tx:
        assert len(tx.annotations.list_labels(10)) == len(tx.annotations.list_disputes(10)) == 1
