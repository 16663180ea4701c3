"""Texts in, texts without personal data out."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ran

Command = Callable[..., Ran]
ROWS = [
    {"id": 7, "text": "I am ann@example.com, not bo@example.com. I, ann@example.com!"},
    {"id": "b", "text": "Nothing here."},
    {"text": "key sk-proj-abcdefghijklmnop1234567890"},
]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THUMBWHEEL_SCRUB", "patterns")


def jsonl(rows: list[object]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n\n" for row in rows)


@pytest.fixture
def texts(folder: Path) -> Path:
    path = folder / "texts.jsonl"
    path.write_text(jsonl([*ROWS]), encoding="utf-8")
    return path


def test_each_text_comes_back_scrubbed_with_what_was_found_where(command: Command, texts: Path) -> None:
    lines = [json.loads(line) for line in command("scrub", "--from", str(texts)).out.splitlines()]
    assert [each["id"] for each in lines] == [7, "b", None]
    assert lines[0]["text"] == "I am <EMAIL_1>, not <EMAIL_2>. I, <EMAIL_1>!"
    assert lines[1] == {"id": "b", "text": "Nothing here.", "found": []}
    assert lines[2]["text"] == "key <SECRET_1>"
    assert [each["type"] for each in lines[0]["found"]] == ["EMAIL_ADDRESS"] * 3
    spans = [ROWS[0]["text"][each["start"] : each["end"]] for each in lines[0]["found"]]  # type: ignore[index]
    assert spans == ["ann@example.com", "bo@example.com", "ann@example.com"]


def test_it_reads_standard_input_and_prints_one_document_when_asked(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(jsonl([{"id": 1, "text": "é ann@example.com"}])))
    (only,) = command("scrub", "--from", "-", "--json").json
    assert only == {"id": 1, "text": "é <EMAIL_1>", "found": [{"type": "EMAIL_ADDRESS", "start": 2, "end": 17}]}


def test_telephone_numbers_are_known_as_they_are_written_in_the_chosen_countries(
    command: Command, folder: Path
) -> None:
    (folder / "t.jsonl").write_text(jsonl([{"id": 1, "text": "Reste unter 06 12 34 56 78."}]))
    assert "<PHONE_1>" in command("scrub", "--from", "t.jsonl", "--regions", "fr").out
    assert "<PHONE_1>" not in command("scrub", "--from", "t.jsonl", "--regions", "US").out


@pytest.mark.parametrize(
    ("content", "arguments", "code"),
    [
        ('{"id": 1}\n', [], 2),
        ("[1]\n", [], 2),
        ("nonsense\n", [], 2),
        ('{"id": 1, "text": "\\ud800"}\n', [], 2),
        ("", ["--regions", "XX"], 3),
        (None, [], 2),
    ],
)
def test_what_cannot_be_scrubbed_is_one_sentence(
    command: Command, folder: Path, content: str | None, arguments: list[str], code: int
) -> None:
    if content is not None:
        (folder / "t.jsonl").write_text(content)
    ran = command("scrub", "--from", "t.jsonl", *arguments)
    assert (ran.code, ran.out) == (code, "")
    assert ran.err.count("\n") == 1
