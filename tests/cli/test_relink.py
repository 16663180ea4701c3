"""Relink from the command line."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.conftest import Ran

Command = Callable[..., Ran]
SAID = "your assistant claimed that a kettle can be returned within 60 days"


@pytest.fixture
def filled(command: Command, folder: Path) -> Command:
    at = (datetime.now(UTC) - timedelta(hours=5)).isoformat()
    rows = [
        {"id": "rain", "started_at": at, "input": "Will it rain?", "output": "No."},
        {"id": "kettle", "started_at": at, "input": "Return a kettle?", "output": "Within 60 days."},
    ]
    (folder / "traces.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert command("import", "traces", "traces.jsonl").code == 0
    return command


def test_the_likeliest_traces_are_shown_with_why_and_nothing_is_kept(filled: Command) -> None:
    shown = filled("relink", "--text", SAID)
    assert shown.code == 0
    assert shown.out.startswith("1. kettle")
    assert "5 hours before the message" in shown.out
    assert "answered: Within 60 days." in shown.out
    assert filled("relink", "--text", SAID, "--pick", "1").out == "Attached to kettle.\n"
    assert filled("relink", "--text", SAID, "--pick", "1").out == "It is attached already to kettle.\n"


def test_the_message_may_be_a_file_or_standard_input(
    filled: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "ticket.txt").write_text(SAID)
    monkeypatch.setattr("sys.stdin", io.StringIO(SAID))
    found = [filled("relink", source, "--json").json["items"][0]["trace_id"] for source in ("ticket.txt", "-")]
    assert found == ["kettle", "kettle"]


def test_a_trace_may_be_named_outright(filled: Command) -> None:
    made = filled("relink", "--text", SAID, "--trace", "rain", "--channel", "slack", "--json").json
    assert (made["trace_id"], made["kind"], made["new"]) == ("rain", "public_channel", True)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["relink"], 2, "--text"),
        (["relink", "missing.txt"], 2, "Cannot read"),
        (["relink", "--text", SAID, "--at", "noon"], 2, "ISO 8601"),
        (["relink", "--text", SAID, "--days", "91"], 2, "90 days"),
        (["relink", "--text", SAID, "--pick", "3"], 2, "2 candidates"),
        (["relink", "--text", SAID, "--trace", "ghost"], 3, "no trace 'ghost'"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(filled: Command, arguments: list[str], code: int, said: str) -> None:
    ran = filled(*arguments)
    assert ran.code == code
    assert said in ran.err
    assert ran.err.count("\n") == 1
