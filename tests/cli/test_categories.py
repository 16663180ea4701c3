"""Clusters from the command line: proposed, put in force, given to what is here, renamed, given up."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.conftest import Ran
from tests.connectors.test_clusters import requests

Command = Callable[..., Ran]


def write(folder: Path, day: int) -> str:
    at = (datetime.now(UTC) - timedelta(days=2)).isoformat()
    rows = [{"id": f"{day}-{n}", "started_at": at, "input": text} for n, (_, text) in enumerate(requests(day))]
    file = folder / f"{day}.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    return str(file)


@pytest.fixture(autouse=True)
def unscrubbed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THUMBWHEEL_SCRUB", "off")


def test_clusters_from_the_first_proposal_to_the_end(command: Command, folder: Path) -> None:
    command("import", "traces", write(folder, 1))
    assert "No clusters yet" in command("categories").out
    proposed = command("categories", "fit", "--clusters", "4", "--json").json
    assert (proposed["version"], proposed["applied"], len(proposed["clusters"])) == (1, False, 4)
    assert command("categories", "--json").json == {"in_force": None, "versions": []}
    applied = command("categories", "fit", "--clusters", "4", "--apply", "--by", "maria")
    assert "version 1 is in force, by maria" in applied.out
    name = proposed["clusters"][0]["name"]
    assert name in applied.out
    assert command("categories", "assign", "--json").json["assigned"] > 200
    assert command("categories", "assign").out == "0 traces have a category now\n"
    assert command("categories", "rename", name, "first").out == f"version 2: {name} is now called first.\n"
    shown = command("categories", "--json").json
    assert shown["in_force"]["clusters"][0]["name"] == "first"
    assert [(each["version"], each["by"]) for each in shown["versions"]] == [(2, "command line"), (1, "maria")]
    assert "version 1, " in command("categories").out
    assert command("categories", "clear", "--json").json["clusters"] == []


def test_what_cannot_be_is_said(command: Command) -> None:
    few = command("categories", "fit")
    assert (few.code, "Clusters need 100 requests; there are 0" in few.err) == (3, True)
    wrong = command("categories", "rename", "nowhere", "somewhere")
    assert (wrong.code, "the clusters are none" in wrong.err) == (2, True)
    assert command("categories", "fit", "--clusters", "1").code == 2
    assert command("categories", "assign", "--window", "soon").code == 2
