"""Leases: the next entry in one atomic step, whose cost does not grow with the queue."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event

from tests.factories import DAY, HOUR, MINUTE, MONDAY, a_draw, an_annotation, an_entry
from thumbwheel.domain.queue import QueueEntry
from thumbwheel.store.annotations import Told
from thumbwheel.store.leases import Skip
from thumbwheel.store.ledger import Ledger, Tx

NOW = MONDAY + 8 * DAY
UNTIL = NOW + 15 * MINUTE


def add(tx: Tx, n: int) -> list[QueueEntry]:
    entries = [
        an_entry(id=f"entry-{number}", trace_id=f"trace-{number}", serve_rank=number) for number in range(1, n + 1)
    ]
    tx.queue.add_draw(a_draw(), [(number, entry) for number, entry in enumerate(entries, 1)])
    return entries


def lease(tx: Tx, annotator: str, token: str = "", now: Any = NOW, until: Any = UNTIL) -> str | None:
    """The id of the entry this annotator is given."""
    given = tx.leases.lease(annotator, token or f"token of {annotator}", now, until)
    return given.entry.id if given else None


def test_a_lease_names_its_entry_its_holder_and_its_end(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        (entry,) = add(tx, 1)
        given = tx.leases.lease("ann", "token-1", NOW, UNTIL)
        assert given is not None
        assert given.lease is not None
        assert (given.entry, given.trace_ref) == (entry, 1)
        assert (given.lease.entry_id, given.lease.annotator, given.lease.token) == ("entry-1", "ann", "token-1")
        assert given.lease.expires_at == UNTIL
        assert tx.leases.find("entry-1") == given


def test_entries_are_given_in_the_order_they_were_added_then_served(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        for number, (at, rank) in enumerate([(NOW + HOUR, 1), (NOW, 2), (NOW, 1)], 1):
            entry = an_entry(id=f"entry-{number}", draw_id=f"draw-{number}", serve_rank=rank, added_at=at)
            tx.queue.add_draw(a_draw(id=f"draw-{number}"), [(number, entry)])
        assert [lease(tx, name) for name in "abcd"] == ["entry-3", "entry-2", "entry-1", None]


def test_a_lease_ends_when_it_says_and_not_before(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        add(tx, 1)
        lease(tx, "ann")
        assert lease(tx, "bob", now=UNTIL - MINUTE) is None
        assert lease(tx, "bob", now=UNTIL, until=UNTIL + MINUTE) == "entry-1"


def test_nobody_is_given_what_they_hold_even_when_its_time_ran_out(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        add(tx, 2)
        assert [lease(tx, "ann"), lease(tx, "ann", "another")] == ["entry-1", "entry-2"]
        assert lease(tx, "ann", "a third", now=UNTIL + DAY) is None
        assert [held.entry.id for held in tx.leases.list_held("ann")] == ["entry-1", "entry-2"]


def test_nobody_is_given_what_they_judged_or_skipped(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        add(tx, 2)
        tx.annotations.add(an_annotation(entry_id="entry-1", annotator="ann"), "token", Told("waiting"))
        tx.leases.pass_on("entry-1", "ann")
        tx.leases.skip(Skip("entry-2", "ann", NOW, "no time"))
        assert lease(tx, "ann") is None
        assert [lease(tx, "bob"), lease(tx, "bob", "another")] == ["entry-1", "entry-2"]


@pytest.mark.parametrize("last", ["aaa", "zzz"])
def test_who_passed_an_entry_on_before_the_last_one_is_not_given_it_again(ledger: Ledger, last: str) -> None:
    with ledger.begin(1) as tx:
        add(tx, 2)
        tx.leases.skip(Skip("entry-1", "mid", NOW, None))
        tx.leases.skip(Skip("entry-1", last, NOW, None))
        tx.annotations.add(an_annotation(entry_id="entry-2", annotator="mid"), "token", Told("waiting"))
        tx.leases.pass_on("entry-2", last)
        assert lease(tx, "mid") is None
        assert lease(tx, "new") == "entry-1"


def test_a_judgement_taken_back_does_not_keep_its_annotator_away(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        (entry,) = add(tx, 1)
        tx.annotations.add(an_annotation(annotator="ann"), "token", Told("label", "label-1"))
        tx.leases.finish("entry-1")
        assert tx.leases.find("entry-1") is None
        tx.annotations.supersede("annotation-1", NOW)
        tx.leases.wait_again(entry, "")
        tx.leases.wait_again(entry, "")
        assert lease(tx, "ann") == "entry-1"


def test_what_somebody_passed_on_comes_before_what_nobody_has_seen(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        add(tx, 3)
        for number, name in ((3, "ann"), (2, "cai")):
            tx.leases.pass_on(f"entry-{number}", name)
        assert [lease(tx, "bob", str(number)) for number in range(3)] == ["entry-2", "entry-3", "entry-1"]


def test_an_assigned_entry_is_for_one_person_and_comes_first(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        add(tx, 3)
        tx.queue.assign(["entry-3"], "bob")
        assert [lease(tx, "ann"), lease(tx, "bob")] == ["entry-1", "entry-3"]
        waiting = tx.leases.find("entry-3")
        assert waiting is not None
        assert waiting.assigned_to == "bob"
        tx.leases.skip(Skip("entry-3", "bob", NOW, None))
        assert lease(tx, "cai") == "entry-3"


def test_a_lease_is_renewed_by_its_token_only(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        add(tx, 1)
        lease(tx, "ann", "token-1")
        assert not tx.leases.renew("entry-1", "token-2", UNTIL + HOUR)
        assert tx.leases.renew("entry-1", "token-1", UNTIL + HOUR)
        assert lease(tx, "bob", now=UNTIL) is None
        tx.leases.release("entry-1")
        assert not tx.leases.renew("entry-1", "token-1", UNTIL + HOUR)
        assert lease(tx, "bob") == "entry-1"


def test_skipped_entries_are_listed_with_who_skipped_them_and_why(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        add(tx, 3)
        skips = [Skip("entry-2", "ann", NOW, "not mine"), Skip("entry-2", "bob", NOW + MINUTE, None)]
        for skip in [*skips, skips[0]]:
            tx.leases.skip(skip)
        tx.leases.pass_on("entry-1", "cai")
        ((waiting, said),) = tx.leases.list_skipped(10)
        assert (waiting.entry.id, said) == ("entry-2", skips)


def test_what_is_rolled_back_was_never_leased(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        add(tx, 1)

    def crash() -> None:
        with ledger.begin(1) as tx:
            lease(tx, "ann")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        crash()
    with ledger.begin(1) as tx:
        assert lease(tx, "bob") == "entry-1"


def test_many_who_ask_at_once_are_each_given_another_entry(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        add(tx, 60)

    def ask(number: int) -> str | None:
        with ledger.begin(1) as tx:
            return lease(tx, f"annotator-{number}")

    with ThreadPoolExecutor(20) as pool:
        given = list(pool.map(ask, range(80)))
    assert sorted(entry for entry in given if entry) == sorted(f"entry-{number}" for number in range(1, 61))
    assert given.count(None) == 20


def test_nobody_waits_for_a_row_that_somebody_else_is_taking(ledger: Ledger) -> None:
    if ledger.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    with ledger.begin(1) as tx:
        add(tx, 2)
    with ledger.begin(1) as slow:
        assert lease(slow, "ann") == "entry-1"
        with ledger.begin(1) as quick:
            quick.connection.exec_driver_sql("SET LOCAL lock_timeout = '1s'")
            assert lease(quick, "bob") == "entry-2"


# --- what it costs


@contextmanager
def recorded(engine: Engine) -> Iterator[list[tuple[str, Any]]]:
    """The statements run meanwhile, with their parameters."""
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        seen.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def fill_unevenly(tx: Tx) -> None:
    """Two thousand entries that wait, of which `lone` has judged the first five hundred."""
    add(tx, 2000)
    for number in range(1, 501):
        made = an_annotation(id=f"annotation-{number}", entry_id=f"entry-{number}", annotator="lone")
        tx.annotations.add(made, f"token-{number}", Told("waiting"))
        tx.leases.pass_on(f"entry-{number}", "lone")


def test_each_statement_reads_an_index_in_order_and_only_as_far_as_it_must(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        fill_unevenly(tx)
    with ledger.begin(1) as tx:
        tx.connection.exec_driver_sql("ANALYZE")
    with ledger.begin(1) as tx, recorded(ledger.engine) as statements:
        assert lease(tx, "lone") == "entry-501"
        tx.leases.list_held("lone")
    assert len(statements) == 6
    with ledger.begin(1) as tx:
        for statement, parameters in statements:
            if statement.startswith("SELECT"):
                assert_cheap(tx, statement, parameters)


def assert_cheap(tx: Tx, statement: str, parameters: Any) -> None:
    if tx.connection.dialect.name == "sqlite":
        plan = [row[-1] for row in tx.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
        assert not [line for line in plan if line.startswith("SCAN") or "TEMP B-TREE" in line], plan
        assert any("waiting" in line and ("passed_by" in line or "leased_by" in line) for line in plan), plan
        return
    rows = tx.connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters)
    for node in _nodes(rows.scalar_one()[0]["Plan"]):
        assert node.get("Rows Removed by Filter", 0) <= 10, node
        assert node["Actual Rows"] <= 10, node


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from _nodes(child)
