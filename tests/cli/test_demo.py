"""The demo a visitor starts with, filled and turned once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ran


def test_replayed_verdicts_are_labels_golden_rows_and_figures_of_somebody_else_than_the_visitor(
    command: Callable[..., Ran], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DATABASE_URL", "TRACES_URL", "NOTICE"):
        monkeypatch.setenv(f"THUMBWHEEL_{name}", "")  # the demo sets them; this takes them back
    ran = command("demo", "--auto-label", "--no-serve")
    assert ran.code == 0, ran.err
    assert re.search(r"80 recorded verdicts replayed, and [1-9]\d* by a simulated second reviewer", ran.out)
    report = command("report", "--window", "28d", "--json").json
    funnel = {step["name"]: step["n"] for step in report["funnel"]}
    assert funnel["traces"] == 2249
    assert funnel["labelled"] + report["waiting"]["n_disputes"] == 80
    assert 0 < funnel["failures"] < funnel["labelled"]
    assert len(command("golden", "list", "--limit", "200", "--json").json["items"]) == funnel["failures"]
    low, high = report["failures"]["interval"]
    assert low < report["failures"]["failure_rate"] < high
    labels = map(json.loads, command("export", "labels").out.splitlines())
    assert {name for label in labels for name in label["annotators"]} == {"recorded", "second"}
    again = command("demo", "--no-serve")
    assert "80 recorded verdicts replayed" in again.out
    assert again.err == ""
