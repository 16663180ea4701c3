"""The commands of the owner's desk: quarantine, spot checks, and changes of the queue with their undoing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cli.conftest import Ran
from tests.factories import a_codebook_file, a_draw, a_trace, an_entry
from tests.road import keep_trace
from thumbwheel.app import Wheel
from thumbwheel.domain.annotation import Judgement, Verdict

Command = Callable[..., Ran]
FAIL = Judgement(verdict=Verdict.failed, categories=("wrong-fact",))


@pytest.fixture
def filled(store: Wheel) -> Wheel:
    """Three entries, the first two doubled; Ann has judged the first, under the first of two versions."""
    project = store.project("default")
    store.rubric.publish(project, a_codebook_file(), "olga")
    with store.ledger.begin(project) as tx:
        entries = [
            (
                keep_trace(tx, a_trace(id=f"trace-{number}")),
                an_entry(
                    id=f"entry-{number}",
                    trace_id=f"trace-{number}",
                    serve_rank=number,
                    labels_needed=2 if number < 3 else 1,
                    added_at=store.now(),
                ),
            )
            for number in (1, 2, 3)
        ]
        tx.queue.add_draw(a_draw(id="draw-1", at=store.now()), entries)
    served = store.annotate.next(project, "ann")
    assert served is not None
    store.annotate.submit(project, served.entry.id, served.lease.token, "ann", FAIL)
    return store


def test_quarantine_is_printed_affirmed_and_requeued(command: Command, filled: Wheel) -> None:
    assert command("queue", "release").out == "1 entry settled on what was said\n"
    file = a_codebook_file()
    first, *others = file["categories"]
    filled.rubric.publish(1, file | {"categories": [first | {"definition": "Other."}, *others]}, "olga")
    told = command("quarantine", "--json").json
    assert (told["quarantined"], told["items"][0]["set_aside_by_version"]) == (1, 2)
    label_id = told["items"][0]["label"]["id"]
    assert label_id in command("quarantine").out
    assert command("quarantine", "affirm", label_id, "--by", "olga").out == "1 label affirmed\n"
    assert command("quarantine").out == "No label is set aside.\n"
    assert command("quarantine", "requeue", label_id).out == "0 entries back in the queue\n"


def test_a_drop_is_undone_from_the_command_line(command: Command, filled: Wheel) -> None:
    assert command("queue", "drop", "entry-2", "entry-3", "--why", "oops").out == "2 entries dropped\n"
    assert command("queue", "undo").out == "2 entries as before\n"
    assert filled.rubric.count_waiting(1) == 3
    assert command("queue", "undo").code == 3


def test_a_trace_is_added_by_hand_once(command: Command, filled: Wheel) -> None:
    with filled.ledger.archive(1) as tx:
        keep_trace(tx, a_trace(id="trace-9"))
    assert command("queue", "add", "trace-9", "--why", "a complaint").out == "1 trace added\n"
    again = command("queue", "add", "trace-9", "trace-77").out
    assert "trace-9 had been picked before" in again
    assert "there is no trace trace-77" in again


def test_quotas_are_set_and_printed(command: Command, filled: Wheel) -> None:
    assert "1 of 80 today" in command("queue", "quota", "ann", "80").out
    assert command("queue", "quota", "--json").json["items"][0]["quota"] == 80
    assert command("queue", "quota", "ann").code == 2


def test_spot_checks_are_summed_up(command: Command, filled: Wheel) -> None:
    assert "Nothing was looked at" in command("spot-check").out
    (label,) = filled.queue.release(1, ["entry-1"], "olga")
    filled.spot_check.judge(1, label.id, "ann", "olga", agrees=False)
    (row,) = command("spot-check", "--json").json["items"]
    assert (row["annotator"], row["disagreed"], row["agreement"]["n"]) == ("ann", 1, 1)
