"""The commands of annotating: codebook and queue."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.cli.conftest import Ran
from tests.factories import a_codebook_file, a_draw, a_trace, an_entry
from tests.road import keep_trace
from thumbwheel.app import Wheel
from thumbwheel.domain.annotation import Judgement, Verdict

Command = Callable[..., Ran]


@pytest.fixture
def filled(store: Wheel) -> Wheel:
    """Three entries that wait: added ten days ago, one and a half ago, and now."""
    with store.ledger.begin(store.project("default")) as tx:
        for number, days in enumerate((10, 1.5, 0), 1):
            trace = a_trace(id=f"trace-{number}")
            at = store.now() - timedelta(days=days)
            entry = an_entry(
                id=f"entry-{number}",
                trace_id=trace.id,
                draw_id=f"draw-{number}",
                added_at=at,
                reason="thumbs-down,\x1b[31m in red\n",
            )
            tx.queue.add_draw(a_draw(id=f"draw-{number}", at=at), [(keep_trace(tx, trace), entry)])
    return store


@pytest.fixture
def file(folder: Path) -> Path:
    """A codebook that holds together (JSON is YAML)."""
    path = folder / "codebook.yaml"
    path.write_text(json.dumps(a_codebook_file()))
    return path


# --- codebook


def test_the_example_holds_together_and_can_be_published(command: Command, folder: Path) -> None:
    made = command("codebook", "init", "rubric.yaml")
    assert (made.code, made.err) == (0, "")
    assert "rubric.yaml written" in made.out
    assert (folder / "rubric.yaml").read_text().startswith("# A codebook is the rubric")
    assert command("codebook", "check", "rubric.yaml").code == 0
    assert command("codebook", "publish", "rubric.yaml").out == (
        "published version 1 of support-assistant: 5 categories\n"
    )


def test_init_writes_over_nothing_unless_told_to(command: Command, folder: Path) -> None:
    (folder / "codebook.yaml").write_text("mine")
    refused = command("codebook", "init")
    assert (refused.code, refused.err) == (
        2,
        "thumbwheel: codebook.yaml is there already; --force writes over it. (field file)\n",
    )
    assert (folder / "codebook.yaml").read_text() == "mine"
    assert command("codebook", "init", "--force").code == 0
    assert command("codebook", "init", "-").out == (folder / "codebook.yaml").read_text()
    assert command("codebook", "init", "nowhere/codebook.yaml").code == 2


def test_check_names_every_fault_and_answers_no(command: Command, file: Path) -> None:
    assert command("codebook", "check", str(file)).out == (
        f"{file} holds together: 2 categories\n  w  Wrong fact (wrong-fact)\n  m  Missed the point (missed-point)\n"
    )
    broken = a_codebook_file(question="")
    del broken["categories"][1]["negative"]
    file.write_text(json.dumps(broken))
    said = command("codebook", "check", "codebook.yaml")
    assert (said.code, said.out) == (1, "")
    assert said.err == "codebook.yaml: question: is empty\ncodebook.yaml: categories.1.negative: is missing\n"
    assert command("codebook", "check", "codebook.yaml", "--json").json == {
        "valid": False,
        "faults": ["question: is empty", "categories.1.negative: is missing"],
    }


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("name: [", "line 1, column 8: expected the node content, but found '<stream end>'"),
        ("name: a\nname: b", "line 2, column 1: 'name' is here twice"),
        ("name: !!python/object:os.system x", "line 1, column 7: could not determine a constructor for the tag"),
        ("7", "a codebook is a mapping"),
        ("", "a codebook is a mapping"),
        ("? [a, b]\n: c", "line 1, column 3: found unhashable key"),
        ("\x00", "this is not YAML"),
        ("[" * 5000, "this is not YAML"),
    ],
)
def test_a_file_that_is_no_codebook_says_where(command: Command, folder: Path, text: str, fault: str) -> None:
    (folder / "codebook.yaml").write_text(text)
    said = command("codebook", "check", "codebook.yaml")
    assert said.code == 1
    assert fault in said.err
    published = command("codebook", "publish", "codebook.yaml")
    assert published.code == 2
    assert "Traceback" not in published.err


def test_a_file_that_cannot_be_read_is_wrong_use(command: Command, folder: Path) -> None:
    (folder / "latin.yaml").write_bytes(b"name: caf\xe9")
    assert command("codebook", "publish", "nothing.yaml").err == (
        "thumbwheel: nothing.yaml cannot be read: No such file or directory. (field file)\n"
    )
    assert command("codebook", "check", "latin.yaml").err == "latin.yaml: this is not UTF-8 text\n"


def test_a_codebook_comes_from_standard_input_too(
    command: Command, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(file.read_text()))
    assert command("codebook", "publish", "-", "--note", "by pipe", "--json").json["note"] == "by pipe"


def test_an_unchanged_codebook_stays_the_version_it_is(command: Command, file: Path) -> None:
    first = command("codebook", "publish", "codebook.yaml", "--json").json
    again = command("codebook", "publish", "codebook.yaml")
    assert again.code == 0
    assert again.out == f"version 1 of {first['codebook']['name']} says this already; nothing to publish\n"
    assert command("codebook", "publish", "codebook.yaml", "--json").json == first


def test_what_is_shown_can_be_published_again(command: Command, file: Path, folder: Path) -> None:
    missing = command("codebook", "show")
    assert missing.code == 3
    assert "No codebook is published" in missing.err
    command("codebook", "publish", "codebook.yaml", "--by", "olga")
    shown = command("codebook", "show")
    (folder / "shown.yaml").write_text(shown.out)
    assert "says this already" in command("codebook", "publish", "shown.yaml").out
    assert "nothing changes" in command("codebook", "diff", "shown.yaml").out
    assert command("codebook", "show", "--version", "1", "--json").json["published_by"] == "olga"
    assert command("codebook", "show", "--version", "2").code == 3


def test_a_diff_says_what_would_be_quarantined(command: Command, filled: Wheel, file: Path) -> None:
    assert command("codebook", "diff", "codebook.yaml").out == "Nothing is published yet: this would be version 1.\n"
    command("codebook", "publish", "codebook.yaml")
    project = filled.project("default")
    for categories in (("wrong-fact",), ("missed-point",)):
        served = filled.annotate.next(project, "ann")
        assert served is not None
        judgement = Judgement(verdict=Verdict.failed, categories=categories)
        filled.annotate.submit(project, served.entry.id, served.lease.token, "ann", judgement)
    changed = a_codebook_file()
    changed["categories"][0]["definition"] = "Something else."
    changed["categories"][1]["id"] = "lost"
    file.write_text(json.dumps(changed))
    said = command("codebook", "diff", "codebook.yaml")
    assert said.out.splitlines()[1:] == [
        "  + lost",
        "  - missed-point",
        "  ~ wrong-fact: definition",
        "would quarantine 2 labels (missed-point, wrong-fact)",
    ]
    assert command("codebook", "diff", "codebook.yaml", "--json").json == {
        "current": 1,
        "added": ["lost"],
        "removed": ["missed-point"],
        "changed": {"wrong-fact": ["definition"]},
        "question": False,
        "name": False,
        "quarantined": ["missed-point", "wrong-fact"],
        "n_quarantined": 2,
    }


# --- queue


def test_the_queue_says_what_waits_why_and_how_long(command: Command, filled: Wheel) -> None:
    filled.annotate.next(filled.project("default"), "ann")
    said = command("queue", "--limit", "2")
    assert (said.code, said.out.splitlines()) == (
        0,
        [
            "3 entries waiting, the oldest for 10 d",
            "entry-1      10 d  negative    thumbs-down,�[31m in red  [ann]",
            "entry-2     1.5 d  negative    thumbs-down,�[31m in red",
            "… and 1 more; --limit shows them",
        ],
    )
    told = command("queue", "--json").json
    assert (told["waiting"], [item["id"] for item in told["items"]]) == (3, ["entry-1", "entry-2", "entry-3"])
    assert [item["leased_by"] for item in told["items"]] == ["ann", None, None]


def test_an_empty_queue_says_what_to_do(command: Command, folder: Path) -> None:
    assert command("queue").out == "Nothing waits. `thumbwheel sample` draws the next traces.\n"
    assert command("queue", "skipped").out == "Nothing that waits was skipped.\n"


def test_entries_are_dropped_by_name_or_by_age(command: Command, filled: Wheel) -> None:
    assert command("queue", "drop", "--older-than", "7d", "--why", "old prompt").out == "1 entry dropped\n"
    assert command("queue", "drop", "entry-1", "entry-3", "--json").json == {"entry_ids": ["entry-3"]}
    for wrong in ([], ["entry-2", "--older-than", "7d"], ["--older-than", "soon"]):
        assert command("queue", "drop", *wrong).code == 2
    assert command("queue", "--json").json["waiting"] == 1


def test_what_was_skipped_is_shown_and_assigned(command: Command, filled: Wheel) -> None:
    project = filled.project("default")
    served = filled.annotate.next(project, "ann")
    assert served is not None
    filled.annotate.skip(project, "entry-1", served.lease.token, "ann", "my own customer")
    first, second = command("queue", "skipped").out.splitlines()
    assert first.startswith("entry-1 ")
    assert second == "    ann: my own customer"
    assert command("queue", "skipped", "--json").json["items"][0]["skips"][0]["annotator"] == "ann"
    assert command("queue", "assign", "entry-1", "--to", "bob").out == "1 entry kept for bob\n"
    assert command("queue").out.splitlines()[1].endswith("[for bob]")
    assert command("queue", "assign", "entry-1").out == "1 entry kept for anybody\n"
    assert command("queue", "assign").code == 2


def test_an_export_has_every_entry_with_its_trace(command: Command, filled: Wheel, folder: Path) -> None:
    said = command("queue", "export", "waiting.jsonl")
    assert (said.code, said.out, said.err) == (0, "", "3 entries written\n")
    rows = [json.loads(line) for line in (folder / "waiting.jsonl").read_text().splitlines()]
    assert [(row["id"], row["trace"]["id"]) for row in rows] == [(f"entry-{n}", f"trace-{n}") for n in (1, 2, 3)]
    assert command("queue", "export").out.count("\n") == 3
    assert command("queue", "export", "nowhere/waiting.jsonl").code == 2
    assert filled.access.list_audit(filled.project("default"))[0].action == "queue.export"
