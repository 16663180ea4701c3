"""What labels became: found by absence, added once, retired with their label."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import event

from tests.factories import (
    DAY,
    MONDAY,
    a_check,
    a_fix,
    a_golden_row,
    a_label,
    a_preference_pair,
    a_provenance,
)
from tests.road import lay, settle
from thumbwheel.domain.annotation import Label, Verdict
from thumbwheel.domain.artifact import CheckKind, GoldenRow, GoldenStatus
from thumbwheel.domain.signal import Right
from thumbwheel.errors import Conflict, IdReused, NotHere
from thumbwheel.store.artifacts import Routing
from thumbwheel.store.ledger import Ledger, Tx

OUTLETS = ("golden", "preference")
LATER = MONDAY + 10 * DAY


def labels_of(tx: Tx) -> list[Label]:
    return [one.label for one in tx.artifacts.list_unrouted(OUTLETS, 1000)]


def a_row_of(label: Label, **given: object) -> GoldenRow:
    provenance = a_provenance(label_id=label.id, trace_id=label.trace_id, entry_id=label.entry_id)
    return a_golden_row(**({"id": f"golden-of-{label.id}", "provenance": provenance} | given))


def route_all(tx: Tx, now: datetime = LATER) -> None:
    """Every label becomes a golden row; rows of one batch share their time."""
    for label in labels_of(tx):
        tx.artifacts.add(Routing(label, "golden", a_row_of(label, created_at=now)), now)
        tx.artifacts.add(Routing(label, "preference", None), now)


def test_a_live_label_is_unrouted_until_it_has_been_through_every_outlet(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        lay(tx, 1)
        lay(tx, 2, verdict=Verdict.passed)
        lay(tx, 3, verdict=None)
        first, second = tx.artifacts.list_unrouted(OUTLETS, 10)
        assert (first.label.id, first.entry, first.trace_ref) == ("label-1", tx.queue.get("entry-1"), 1)
        tx.artifacts.add(Routing(first.label, "golden", None), LATER)
        assert labels_of(tx) == [first.label, second.label]
        tx.artifacts.add(Routing(first.label, "preference", None), LATER)
        assert labels_of(tx) == [second.label]


def test_unrouted_labels_come_first_settled_first_and_no_more_than_asked(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        for number in (3, 1, 2):
            lay(tx, number)
        assert [one.label.id for one in tx.artifacts.list_unrouted(OUTLETS, 2)] == ["label-1", "label-2"]


def test_a_superseded_label_is_not_routed(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        lay(tx, 1)
        tx.annotations.supersede_label("label-1", LATER)
        assert labels_of(tx) == []


def test_a_label_goes_through_an_outlet_once(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        lay(tx, 1)
        (label,) = labels_of(tx)
        assert tx.artifacts.add(Routing(label, "golden", a_row_of(label)), LATER)
        assert not tx.artifacts.add(Routing(label, "golden", a_row_of(label, id="another")), LATER)
        assert [row.id for row in tx.artifacts.list_golden(10)] == ["golden-of-label-1"]


def test_a_golden_row_is_read_as_it_was_added(ledger: Ledger) -> None:
    messages = [{"role": "user", "content": [{"type": "text", "text": "nul \x00 and 𝄞"}]}]
    with ledger.begin(1) as tx:
        lay(tx, 1)
        (label,) = labels_of(tx)
        row = a_row_of(label, input=messages, failed_output={"answer": 1.5, "more": [None, True]})
        tx.artifacts.add(Routing(label, "golden", row), LATER)
    with ledger.read(1) as tx:
        assert tx.artifacts.list_golden(10) == [row]
        assert tx.artifacts.get_golden(row.id) == row


def test_a_pair_is_read_as_it_was_added(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        lay(tx, 1)
        (label,) = labels_of(tx)
        pair = a_preference_pair(rights=(Right.prompt, Right.train))
        tx.artifacts.add(Routing(label, "preference", pair), LATER)
        assert tx.artifacts.list_pairs(10) == [pair]
        assert tx.artifacts.list_golden(10) == []
        assert tx.artifacts.list_for_trace("trace-1") == [pair]


def test_what_came_of_a_superseded_label_is_gone_at_once_and_retired_when_asked(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        lay(tx, 1)
        lay(tx, 2)
        route_all(tx)
        tx.annotations.supersede_label("label-1", LATER)
        assert [row.id for row in tx.artifacts.list_golden(10)] == ["golden-of-label-2"]
        assert tx.artifacts.list_for_trace("trace-1") == []
        with pytest.raises(NotHere):
            tx.artifacts.get_golden("golden-of-label-1")
        assert tx.artifacts.retire_superseded(LATER) == 1
        assert tx.artifacts.retire_superseded(LATER) == 0


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8])
def test_pages_hold_every_row_once_even_when_all_share_their_time(ledger: Ledger, size: int) -> None:
    with ledger.begin(1) as tx:
        for number in range(7):
            lay(tx, number)
        route_all(tx)
        seen: list[str] = []
        page = tx.artifacts.list_golden(size)
        while page:
            seen += [row.id for row in page]
            page = tx.artifacts.list_golden(size, (page[-1].created_at, page[-1].id))
        assert seen == [f"golden-of-label-{number}" for number in range(7)]
        assert [row.id for row in tx.artifacts.stream_golden()] == seen


def test_a_page_of_50_costs_as_many_statements_as_a_page_of_5(ledger: Ledger) -> None:
    statements: list[str] = []
    with ledger.begin(1) as tx:
        for number in range(60):
            lay(tx, number)
        route_all(tx)
        tx.fixes.add(a_fix(label_ids=tuple(f"label-{number}" for number in range(60))))

        def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            statements.append(statement)

        event.listen(tx.connection, "before_cursor_execute", count)
        costs = []
        for read in (tx.artifacts.list_golden, tx.artifacts.list_pairs, tx.fixes.list_page):
            for size in (5, 50):
                before = len(statements)
                read(size)
                costs.append(len(statements) - before)
        before = len(statements)
        tx.artifacts.list_unrouted((*OUTLETS, "another"), 50)
        costs.append(len(statements) - before)
    assert costs == [1] * 7


def test_projects_do_not_see_each_other(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        lay(tx, 1)
        route_all(tx)
        tx.fixes.add(a_fix())
    with ledger.begin(2) as tx:
        assert tx.artifacts.list_golden(10) == []
        assert tx.artifacts.list_for_trace("trace-1") == []
        assert tx.fixes.list_page(10) == []
        assert tx.fixes.find("fix-1") is None
        assert tx.fixes.find_labels(["label-1"]) == {}
        assert tx.fixes.list_unanswered() == []
        assert tx.artifacts.retire_superseded(LATER) == 0
        with pytest.raises(IdReused):
            tx.fixes.add(a_fix())


def test_a_row_guards_from_the_moment_a_fix_of_its_label_ships(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        lay(tx, 1)
        lay(tx, 2)
        route_all(tx)
        tx.fixes.add(a_fix(label_ids=("label-1",)))
        assert {row.status for row in tx.artifacts.list_golden(10)} == {GoldenStatus.open}
        tx.fixes.ship("fix-1", LATER)
        statuses = {row.provenance.label_id: row.status for row in tx.artifacts.list_golden(10)}
        assert statuses == {"label-1": GoldenStatus.guarding, "label-2": GoldenStatus.open}


def test_a_chosen_check_replaces_the_one_the_row_was_made_with(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        lay(tx, 1)
        route_all(tx)
        chosen = a_check(kind=CheckKind.regex, value=r"\b30\b", negate=True)
        tx.artifacts.set_check("golden-of-label-1", chosen)
        (row,) = tx.artifacts.list_golden(10)
        assert row.check == chosen


def test_what_lacked_a_right_is_counted_while_its_label_lives(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        lay(tx, 1)
        lay(tx, 2)
        for label in labels_of(tx):
            tx.artifacts.add(Routing(label, "preference", None, Right.train), LATER)
        assert tx.artifacts.count_withheld("preference") == 2
        assert tx.artifacts.count_withheld("golden") == 0
        tx.annotations.supersede_label("label-2", LATER)
        assert tx.artifacts.count_withheld("preference") == 1


def test_labels_are_streamed_with_their_entries_and_what_they_lack(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        lay(tx, 1)
        lay(tx, 2, verdict=Verdict.passed)
        lay(tx, 3, verdict=None)
        first = labels_of(tx)[0]
        tx.artifacts.add(Routing(first, "golden", None, Right.evaluate), LATER)
        tx.artifacts.add(Routing(first, "preference", None, Right.train), LATER)
        found = list(tx.artifacts.stream_labelled())
    assert [(one.label.id, one.entry.id, one.lacks) for one in found] == [
        ("label-1", "entry-1", Right.evaluate),
        ("label-2", "entry-2", None),
    ]


# --- fixes


def test_a_fix_is_kept_once_with_its_labels(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        lay(tx, 1)
        lay(tx, 2)
        fix = a_fix(label_ids=("label-1", "label-2"))
        assert tx.fixes.add(fix)
        assert not tx.fixes.add(replace(fix, created_at=LATER))
        assert tx.fixes.get("fix-1") == fix
        assert tx.fixes.list_unanswered() == []


def test_the_same_id_with_other_content_is_refused(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        lay(tx, 1)
        tx.fixes.add(a_fix())
        with pytest.raises(IdReused):
            tx.fixes.add(a_fix(reference="#13"))


def test_a_fix_ships_once(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        lay(tx, 1)
        tx.fixes.add(a_fix())
        shipped = tx.fixes.ship("fix-1", LATER)
        assert shipped.shipped_at == LATER
        assert tx.fixes.ship("fix-1", LATER) == shipped == tx.fixes.get("fix-1")
        with pytest.raises(Conflict):
            tx.fixes.ship("fix-1", LATER + timedelta(seconds=1))
        with pytest.raises(NotHere):
            tx.fixes.ship("fix-2", LATER)


def test_fixes_come_last_added_first_in_pages(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        lay(tx, 1)
        for number in range(5):
            tx.fixes.add(a_fix(id=f"fix-{number}", created_at=MONDAY + (number // 2) * DAY))
        first = tx.fixes.list_page(2)
        rest = tx.fixes.list_page(10, (first[-1].created_at, first[-1].id))
        assert [fix.id for fix in first + rest] == ["fix-4", "fix-3", "fix-2", "fix-1", "fix-0"]


def test_the_fixes_of_a_replaced_label_go_with_its_replacement(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        lay(tx, 1)
        tx.fixes.add(a_fix())
        tx.fixes.ship("fix-1", LATER)
        settle(tx, a_label(id="label-1b", supersedes="label-1", settled_at=LATER))
        assert [label.id for label in tx.fixes.list_unanswered()] == ["label-1b"]
        tx.fixes.carry("label-1", "label-1b")
        tx.fixes.carry("label-1", "label-1b")
        assert tx.fixes.list_unanswered() == []
        route_all(tx)
        (row,) = tx.artifacts.list_golden(10)
        assert (row.provenance.label_id, row.status) == ("label-1b", GoldenStatus.guarding)


def test_only_live_labels_may_be_named_and_only_failures_wait_for_a_fix(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        lay(tx, 1)
        lay(tx, 2, verdict=Verdict.passed)
        lay(tx, 3)
        tx.annotations.supersede_label("label-3", LATER)
        assert sorted(tx.fixes.find_labels(["label-1", "label-2", "label-3", "label-4"])) == ["label-1", "label-2"]
        assert [label.id for label in tx.fixes.list_unanswered()] == ["label-1"]


def test_two_replicas_routing_the_same_labels_make_each_artifact_once(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        for number in range(20):
            lay(tx, number)
        found = labels_of(tx)
    together = threading.Barrier(2)
    made: list[int] = []

    def replica(name: str) -> None:
        together.wait()
        with ledger.begin(1) as tx:
            new = [
                tx.artifacts.add(Routing(label, "golden", a_row_of(label, id=f"{name}-{label.id}")), LATER)
                for label in found
            ]
        made.append(sum(new))

    threads = [threading.Thread(target=replica, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(made) == 20
    with ledger.read(1) as tx:
        assert len({row.provenance.label_id for row in tx.artifacts.stream_golden()}) == 20
