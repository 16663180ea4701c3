"""`thumbwheel codebook suggest`, over a store and over a file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ran
from tests.factories import a_draw, a_trace, an_entry
from tests.road import keep_trace
from thumbwheel.app import Wheel
from thumbwheel.domain.annotation import Judgement, Verdict
from thumbwheel.domain.note import Group, Grouping

Command = Callable[..., Ran]

TEXTS = ("the link is dead", "rude tone", "a dead link", "its tone is rude", "\x1b[31mshows a [bold]card[/] number")


@pytest.fixture
def noted(store: Wheel) -> Wheel:
    """Five failures, noted without a codebook."""
    project = store.project("default")
    with store.ledger.begin(project) as tx:
        entries = [
            (
                keep_trace(tx, a_trace(id=f"trace-{number}")),
                an_entry(id=f"entry-{number}", trace_id=f"trace-{number}", rank=number, serve_rank=number),
            )
            for number in range(len(TEXTS))
        ]
        tx.queue.add_draw(a_draw(), entries)
    for text in TEXTS:
        served = store.annotate.next(project, "ann")
        assert served is not None
        said = Judgement(verdict=Verdict.failed, critique=text)
        store.annotate.submit(project, served.entry.id, served.lease.token, "ann", said)
    return store


@pytest.fixture
def file(folder: Path) -> Path:
    """The same notes, taken elsewhere."""
    path = folder / "notes.jsonl"
    path.write_text("".join(json.dumps({"note": text}) + "\n" for text in TEXTS))
    return path


def test_categories_are_proposed_with_counts_examples_and_the_curve(noted: Wheel, command: Command) -> None:
    ran = command("codebook", "suggest")
    assert ran.code == 0
    assert "5 notes by 1 person, 3 modes" in ran.out
    assert "Link, dead" in ran.out
    assert "new modes per 20 notes: 3 (the last 5 notes)" in ran.out
    assert "alone: �[31mshows a [bold]card[/] number" in ran.out
    assert "\x1b" not in ran.out


def test_the_file_it_writes_is_a_codebook_that_can_be_published(noted: Wheel, command: Command, folder: Path) -> None:
    assert command("codebook", "suggest", "--out", "codebook.yaml").code == 0
    assert (folder / "codebook.yaml").read_text().startswith("# Proposed from 5 notes.\n")
    assert "2 categories" in command("codebook", "check", "codebook.yaml").out
    again = command("codebook", "suggest", "--out", "codebook.yaml")
    assert (again.code, "--force" in again.err) == (2, True)
    assert command("codebook", "suggest", "--out", "codebook.yaml", "--force").code == 0
    assert command("codebook", "publish", "codebook.yaml").code == 0


def test_as_json_every_group_has_its_members(noted: Wheel, command: Command) -> None:
    said = command("codebook", "suggest", "--json").json
    assert [(group["n_notes"], len(group["notes"])) for group in said["groups"]] == [(2, 2), (2, 2)]
    assert {note["note"] for note in said["groups"][0]["notes"]} == {"the link is dead", "a dead link"}
    assert said["groups"][0]["notes"][0]["trace_id"].startswith("trace-")
    assert [note["note"] for note in said["alone"]] == [TEXTS[-1]]
    assert said["saturation"] == {
        "n_modes": 3,
        "step": 20,
        "new": [3],
        "new_in_last_20": 3,
        "unseen_probability": 0.2,
    }
    assert {category["key"] for category in said["codebook"]["categories"]} == {
        group["key"] for group in said["groups"]
    }


def test_what_the_owner_sorted_on_the_page_can_be_had_too(noted: Wheel, command: Command) -> None:
    project = noted.project("default")
    notes = noted.coding.desk(project).notes
    mine = Grouping(groups=(Group(id="g1", note_ids=tuple(note.id for note in notes), name="All of it"),))
    noted.coding.sort(project, mine, 0, "olga")
    assert [group["name"] for group in command("codebook", "suggest", "--arranged", "--json").json["groups"]] == [
        "All of it"
    ]
    assert len(command("codebook", "suggest", "--json").json["groups"]) == 2


def test_notes_may_come_from_a_file_and_need_no_store(file: Path, command: Command, folder: Path) -> None:
    ran = command("codebook", "suggest", "--from", "notes.jsonl")
    assert (ran.code, "5 notes, 3 modes" in ran.out) == (0, True)
    assert not (folder / "thumbwheel.db").exists()
    file.write_text("not json")
    assert command("codebook", "suggest", "--from", "notes.jsonl").code == 2
    assert command("codebook", "suggest", "--from", "nowhere.jsonl").code == 2


def test_without_notes_the_answer_is_no(store: Wheel, command: Command, folder: Path) -> None:
    ran = command("codebook", "suggest", "--out", "codebook.yaml")
    assert (ran.code, "No notes yet" in ran.out) == (1, True)
    assert not (folder / "codebook.yaml").exists()


def test_more_groups_than_letters_are_cut_to_the_largest(folder: Path, command: Command) -> None:
    words = [f"{first}{last}" for first in "bdfgkl" for last in ("arn", "olt", "ims", "ung")]
    lines = [{"note": f"{word} {word}ing {word}s"} for word in words for _ in range(3)]
    (folder / "notes.jsonl").write_text("\n".join(map(json.dumps, lines)))
    ran = command("codebook", "suggest", "--from", "notes.jsonl", "--out", "codebook.yaml")
    assert ran.code == 0
    assert "7 smaller groups had no letter left and are not here." in (folder / "codebook.yaml").read_text()
    assert "17 categories" in command("codebook", "check", "codebook.yaml").out
