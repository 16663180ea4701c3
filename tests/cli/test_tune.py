"""`sample tune` and `sample replay` in the terminal."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.conftest import Ran
from tests.factories import a_codebook_file
from thumbwheel.app import Wheel
from thumbwheel.domain.annotation import Judgement, Verdict

Command = Callable[..., Ran]


@pytest.fixture
def labelled(command: Command, folder: Path, store: Wheel) -> None:
    """A draw of 30 out of 90 traces; whatever users complained of fails."""
    at = (datetime.now(UTC) - timedelta(hours=30)).isoformat()
    traces = [
        {"id": f"t{n}", "started_at": at, "input": "q", "output": "a", "category": "ab"[n % 2]} for n in range(90)
    ]
    signals = [{"trace_id": f"t{n}", "kind": "user_rating", "value": "down", "at": at} for n in range(0, 90, 6)]
    for name, rows in (("traces", traces), ("signals", signals)):
        (folder / name).with_suffix(".jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        assert command("import", name, str(folder / f"{name}.jsonl")).code == 0
    assert command("sample", "--budget", "30", "--seed", "1").code == 0
    project_id = store.project("default")
    store.rubric.publish(project_id, a_codebook_file(), "olga")
    for name in ("ann", "ben"):
        while served := store.annotate.next(project_id, name):
            bad = int(served.trace.id[1:]) % 6 == 0
            said = Judgement(verdict=Verdict.failed if bad else Verdict.passed, categories=("wrong-fact",) * bad)
            store.annotate.submit(project_id, served.entry.id, served.lease.token, name, said)


def test_without_labels_nothing_speaks_for_another_mix(command: Command) -> None:
    said = command("sample", "tune").out
    assert "no failures are labelled yet" in said
    assert "nothing changed" in said
    assert command("sample", "replay").out == "There is no draw to replay.\n"
    refused = command("sample", "tune", "--apply")
    assert (refused.code, "No entry has a label yet" in refused.err) == (3, True)


@pytest.mark.parametrize("given", [("--seed", "-1"), ("--seed", str(2**63)), ("--budget", "0"), ("--budget", "100001")])
def test_a_draw_beyond_what_a_draw_can_be_is_wrong_use(command: Command, given: tuple[str, str]) -> None:
    assert command("sample", "--dry-run", *given).code == 2


def test_of_nothing_drawn_there_is_no_table(command: Command) -> None:
    said = command("sample", "--dry-run").out
    assert "chance" not in said
    assert "none has been sent to this project yet" in said


@pytest.mark.usefixtures("labelled")
def test_a_mix_is_shown_with_its_evidence_and_applied_by_somebody(command: Command) -> None:
    said = command("sample", "tune").out
    for piece in ("conversion (95 %)", "failures expected per 80:", "1 mode found", "are silent", "nothing changed"):
        assert piece in said
    applied = command("sample", "tune", "--apply", "--by", "maria", "--json").json
    assert (applied["applied"], applied["by"]) == (True, "maria")
    drawn = command("sample", "--budget", "10", "--again", "--dry-run", "--json").json
    assert (drawn["mix"], drawn["mix_version"]) == (pytest.approx(applied["mix"]), 1)


@pytest.mark.usefixtures("labelled")
def test_a_past_draw_is_replayed_under_another_mix(command: Command) -> None:
    (found,) = command("sample", "replay", "--mix", "random=1", "--json").json["items"]
    assert found["replayed"] == {"random": 30}
    assert found["expected"] < found["failures"]
    assert "of the new picks have a label" in command("sample", "replay", "--mix", "random=40,negative=60").out
    refused = command("sample", "replay", "--mix", "luck=1")
    assert (refused.code, "luck" in refused.err) == (2, True)
