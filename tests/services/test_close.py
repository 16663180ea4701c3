"""Labels become artifacts by themselves, once, with the rights their words came with; fixes are credited."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.conftest import Clock
from tests.factories import (
    MONDAY,
    QUESTION,
    RIGHT,
    WRONG,
    a_label,
    a_trace,
    an_edit,
    an_edit_signal,
    an_entry,
)
from tests.road import keep_trace, lay, settle
from thumbwheel.domain.annotation import Better, Comparison, Verdict
from thumbwheel.domain.artifact import Check, CheckKind, FixKind, GoldenStatus
from thumbwheel.domain.queue import Purpose
from thumbwheel.domain.signal import Right
from thumbwheel.errors import Conflict, IdReused, Invalid, NotHere
from thumbwheel.services.close import Close, Routed
from thumbwheel.store.engine import open_engine
from thumbwheel.store.ledger import Ledger
from thumbwheel.store.tables import metadata

PROJECT = 1


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    engine = open_engine(f"sqlite:///{tmp_path}/close.db")
    metadata.create_all(engine)
    return Ledger(engine)


@pytest.fixture
def close(ledger: Ledger, clock: Clock, mint: Callable[[], str]) -> Close:
    return Close(ledger, clock, mint)


def lay_some(close: Close, n: int, **given: object) -> None:
    with close.ledger.begin(PROJECT) as tx:
        for number in range(1, n + 1):
            lay(tx, number, **given)  # type: ignore[arg-type]


# --- routing


def test_a_failure_becomes_a_golden_row_with_its_whole_provenance(close: Close) -> None:
    with close.ledger.begin(PROJECT) as tx:
        lay(tx, 1, label=a_label(critique="The policy says 30.", corrected_output=RIGHT))
    assert close.route(PROJECT) == Routed(labels=1, golden=1, preferences=1)
    (row,) = close.stream_golden(PROJECT)
    assert (row.input, row.failed_output, row.expected, row.critique) == (QUESTION, WRONG, RIGHT, "The policy says 30.")
    assert row.status is GoldenStatus.open
    origin = row.provenance
    assert (origin.trace_id, origin.entry_id, origin.label_id, origin.draw_id) == (
        "trace-1",
        "entry-1",
        "label-1",
        "draw-1",
    )
    assert (origin.codebook_version, origin.annotators) == (1, ("ann",))


def test_a_pass_becomes_nothing_and_is_not_looked_at_again(close: Close) -> None:
    lay_some(close, 1, verdict=Verdict.passed)
    assert close.route(PROJECT) == Routed(labels=1)
    assert close.route(PROJECT) == Routed()
    assert list(close.stream_golden(PROJECT)) == []


def test_routing_twice_is_routing_once(close: Close) -> None:
    lay_some(close, 3)
    assert close.route(PROJECT).golden == 3
    assert close.route(PROJECT) == Routed()
    assert len(list(close.stream_golden(PROJECT))) == 3


def test_routing_goes_on_past_its_stride(close: Close) -> None:
    lay_some(close, 401)
    assert close.route(PROJECT) == Routed(labels=401, golden=401)


def test_replicas_that_route_at_the_same_time_make_each_artifact_once(close: Close) -> None:
    lay_some(close, 40, label=a_label(corrected_output=RIGHT))
    start = threading.Barrier(4)
    done: list[Routed] = []

    def replica() -> None:
        start.wait()
        done.append(close.route(PROJECT))

    threads = [threading.Thread(target=replica) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(one.golden for one in done) == sum(one.preferences for one in done) == 40
    assert len({row.provenance.label_id for row in close.stream_golden(PROJECT)}) == 40
    assert len(list(close.stream_trl(PROJECT))) == 40


def test_a_users_words_go_only_where_the_user_let_them(close: Close) -> None:
    edit = an_edit_signal(rights=frozenset({Right.evaluate}))
    with close.ledger.begin(PROJECT) as tx:
        lay(tx, 1, label=a_label(corrected_output=RIGHT), signals=[edit])
    assert close.route(PROJECT) == Routed(labels=1, golden=1, withheld=1)
    (row,) = close.stream_golden(PROJECT)
    assert row.expected == RIGHT
    assert list(close.stream_trl(PROJECT)) == []
    assert (close.count_withheld(PROJECT, "golden"), close.count_withheld(PROJECT, "preference")) == (0, 1)


def test_words_that_may_not_be_used_for_evaluation_are_in_no_golden_row_and_no_label_export(close: Close) -> None:
    edit = an_edit_signal(rights=frozenset(), edit=an_edit(edited=RIGHT))
    with close.ledger.begin(PROJECT) as tx:
        lay(tx, 1, label=a_label(corrected_output=RIGHT), signals=[edit])
    close.route(PROJECT)
    (row,) = close.stream_golden(PROJECT)
    (found,) = close.stream_labelled(PROJECT)
    assert row.expected is None
    assert RIGHT not in row.check.value
    assert found.label.corrected_output is None
    assert close.count_withheld(PROJECT, "golden") == 1


def test_a_reviewers_own_words_have_every_right(close: Close) -> None:
    edit = an_edit_signal(rights=frozenset(), edit=an_edit(edited="Ask the shop where you bought it."))
    with close.ledger.begin(PROJECT) as tx:
        lay(tx, 1, label=a_label(corrected_output=RIGHT), signals=[edit])
    assert close.route(PROJECT).withheld == 0
    (pair,) = close.stream_trl(PROJECT)
    assert pair == {
        "prompt": [{"role": "user", "content": QUESTION}],
        "chosen": [{"role": "assistant", "content": RIGHT}],
        "rejected": [{"role": "assistant", "content": WRONG}],
    }


def test_a_relabelled_failure_makes_no_second_row(close: Close) -> None:
    with close.ledger.begin(PROJECT) as tx:
        lay(tx, 1, entry=an_entry(purpose=Purpose.relabel))
    assert close.route(PROJECT) == Routed(labels=1)


def test_a_corrected_label_retires_what_the_old_one_became(close: Close, clock: Clock) -> None:
    lay_some(close, 1)
    close.route(PROJECT)
    with close.ledger.begin(PROJECT) as tx:
        settle(tx, a_label(id="label-1b", supersedes="label-1", critique="No: 14 days.", settled_at=clock()))
    assert list(close.stream_golden(PROJECT)) == []
    assert close.route(PROJECT) == Routed(labels=1, golden=1, retired=1)
    (row,) = close.stream_golden(PROJECT)
    assert (row.provenance.label_id, row.critique) == ("label-1b", "No: 14 days.")


def test_a_corrected_label_keeps_the_fixes_of_the_old_one(close: Close, clock: Clock) -> None:
    lay_some(close, 1)
    close.route(PROJECT)
    fix = close.add_fix(PROJECT, FixKind.prompt, "#12", labels=["label-1"])
    close.ship_fix(PROJECT, fix.id)
    with close.ledger.begin(PROJECT) as tx:
        settle(tx, a_label(id="label-1b", supersedes="label-1", settled_at=clock()))
    close.route(PROJECT)
    (row,) = close.stream_golden(PROJECT)
    assert row.status is GoldenStatus.guarding


def test_projects_are_routed_apart(close: Close) -> None:
    lay_some(close, 1)
    assert close.route(2) == Routed()
    assert close.list_golden(2).items == []


# --- pages


def test_pages_follow_their_cursor_to_the_end(close: Close) -> None:
    lay_some(close, 5)
    close.route(PROJECT)
    page = close.list_golden(PROJECT, 2)
    seen = [*page.items]
    while page.next:
        page = close.list_golden(PROJECT, 2, page.next)
        seen += page.items
    assert [row.provenance.label_id for row in seen] == [f"label-{number}" for number in range(1, 6)]
    assert close.list_golden(PROJECT, 5).next is None


@pytest.mark.parametrize("cursor", ["", "x", "2026-11-23~a", "2026-11-23T00:00:00~a", "99999"])
def test_a_cursor_that_is_not_ours_is_refused(close: Close, cursor: str) -> None:
    with pytest.raises(Invalid) as refusal:
        close.list_golden(PROJECT, 2, cursor)
    assert refusal.value.field == "cursor"


# --- checks


def test_a_person_chooses_the_check_of_a_row(close: Close) -> None:
    lay_some(close, 1)
    close.route(PROJECT)
    (row,) = close.stream_golden(PROJECT)
    chosen = Check(kind=CheckKind.contains, value="30 days")
    assert close.choose_check(PROJECT, row.id, chosen).check == chosen
    assert next(close.stream_golden(PROJECT)).check == chosen


def test_a_check_that_cannot_run_is_refused_and_nothing_changes(close: Close) -> None:
    lay_some(close, 1)
    close.route(PROJECT)
    (row,) = close.stream_golden(PROJECT)
    with pytest.raises(Invalid):
        close.choose_check(PROJECT, row.id, Check(kind=CheckKind.regex, value="("))
    with pytest.raises(NotHere):
        close.choose_check(2, row.id, Check(kind=CheckKind.contains, value="30"))
    assert next(close.stream_golden(PROJECT)) == row


# --- fixes


def test_a_fix_is_about_the_categories_of_its_labels(close: Close, clock: Clock) -> None:
    lay_some(close, 2)
    fix = close.add_fix(PROJECT, FixKind.code, " #12 ", labels=["label-2"], description="Read the number.")
    assert (fix.reference, fix.label_ids, fix.categories) == ("#12", ("label-2",), ("wrong-fact",))
    assert (fix.created_at, fix.shipped_at) == (clock(), None)
    assert close.list_fixes(PROJECT).items == [fix]


def test_a_category_credits_every_failure_that_no_fix_answers(close: Close) -> None:
    lay_some(close, 3)
    close.add_fix(PROJECT, FixKind.prompt, "#1", labels=["label-2"])
    fix = close.add_fix(PROJECT, FixKind.prompt, "#2", categories=["wrong-fact"])
    assert fix.label_ids == ("label-1", "label-3")
    with pytest.raises(Invalid) as refusal:
        close.add_fix(PROJECT, FixKind.prompt, "#3", categories=["wrong-fact"])
    assert refusal.value.field == "categories"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"labels": ["label-9"]}, "labels"),
        ({"labels": ["label-2"]}, "labels"),
        ({"categories": ["no-such"]}, "categories"),
        ({}, "labels"),
        ({"labels": ["label-1"], "reference": "  "}, "reference"),
    ],
)
def test_a_fix_names_live_failures_and_a_reference(close: Close, given: dict, field: str) -> None:
    lay_some(close, 1)
    with close.ledger.begin(PROJECT) as tx:
        lay(tx, 2, verdict=Verdict.passed)
    with pytest.raises(Invalid) as refusal:
        close.add_fix(PROJECT, FixKind.prompt, given.pop("reference", "#1"), **given)
    assert refusal.value.field == field
    assert close.list_fixes(PROJECT).items == []


def test_the_same_id_twice_is_one_fix_and_other_content_is_refused(close: Close) -> None:
    lay_some(close, 2)
    fix = close.add_fix(PROJECT, FixKind.prompt, "#1", labels=["label-1"], id="fix-1")
    shipped = close.ship_fix(PROJECT, "fix-1")
    assert close.add_fix(PROJECT, FixKind.prompt, "#1", labels=["label-1"], id="fix-1") == shipped
    assert shipped.label_ids == fix.label_ids
    with pytest.raises(IdReused):
        close.add_fix(PROJECT, FixKind.prompt, "#2", labels=["label-1"], id="fix-1")
    with pytest.raises(IdReused):
        close.add_fix(PROJECT, FixKind.prompt, "#1", labels=["label-2"], id="fix-1")


def test_a_fix_ships_once_and_not_before_its_time(close: Close, clock: Clock) -> None:
    lay_some(close, 1)
    fix = close.add_fix(PROJECT, FixKind.prompt, "#1", labels=["label-1"])
    with pytest.raises(Invalid):
        close.ship_fix(PROJECT, fix.id, clock() + timedelta(seconds=1))
    shipped = close.ship_fix(PROJECT, fix.id, MONDAY)
    assert shipped.shipped_at == MONDAY
    clock.advance(hours=1)
    assert close.ship_fix(PROJECT, fix.id) == shipped
    with pytest.raises(Conflict):
        close.ship_fix(PROJECT, fix.id, clock())
    with pytest.raises(NotHere):
        close.ship_fix(PROJECT, "fix-9")


def test_a_label_without_its_trace_is_routed_to_nowhere(close: Close, ledger: Ledger) -> None:
    lay_some(close, 1)
    with ledger.begin(PROJECT) as tx:
        tx.connection.exec_driver_sql("DELETE FROM payloads")
    assert close.route(PROJECT) == Routed(labels=1)
    assert close.route(PROJECT) == Routed()


def test_an_input_that_cannot_be_shown_as_text_still_becomes_a_row(close: Close) -> None:
    odd = a_trace(id="trace-1", input={"q": [1, None, {"deep": [True]}]}, output=None)
    with close.ledger.begin(PROJECT) as tx:
        lay(tx, 1, trace=odd, label=a_label(corrected_output=RIGHT))
    assert close.route(PROJECT).golden == 1
    (row,) = close.stream_golden(PROJECT)
    assert row.input == odd.input


def test_the_better_of_two_answers_becomes_a_pair_even_of_a_pass(close: Close) -> None:
    better = Comparison(other_trace_id="again", better=Better.other)
    with close.ledger.begin(PROJECT) as tx:
        keep_trace(tx, a_trace(id="again", started_at=MONDAY, output=RIGHT))
        lay(tx, 1, label=a_label(verdict=Verdict.passed, categories=(), comparison=better), verdict=Verdict.passed)
        lay(tx, 2, verdict=Verdict.passed, label=a_label(verdict=Verdict.passed, categories=(), comparison=None))
    assert close.route(PROJECT) == Routed(labels=2, preferences=1)
    (pair,) = close.list_pairs(PROJECT).items
    assert (pair.chosen, pair.rejected, pair.other_trace_id) == (RIGHT, WRONG, "again")
    (written,) = close.stream_trl(PROJECT)
    assert written["chosen"] == [{"role": "assistant", "content": RIGHT}]
    assert close.route(PROJECT) == Routed()


def test_where_the_other_answer_is_gone_there_is_no_pair(close: Close) -> None:
    gone = Comparison(other_trace_id="gone", better=Better.this)
    with close.ledger.begin(PROJECT) as tx:
        lay(tx, 1, label=a_label(verdict=Verdict.passed, categories=(), comparison=gone), verdict=Verdict.passed)
    assert close.route(PROJECT) == Routed(labels=1)
