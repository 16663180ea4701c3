"""The simulated product's page says what its run said, and the run draws what a store draws."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from benchmarks.simulation.page import filled
from benchmarks.simulation.pictures import pictures
from benchmarks.simulation.store import same_as_a_store

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "sampling.md").read_text(encoding="utf-8")
TOLD = json.loads((ROOT / "benchmarks" / "simulate.json").read_text(encoding="utf-8"))


def test_the_page_quotes_the_run() -> None:
    assert filled(PAGE, TOLD) == PAGE, "python benchmarks/simulate.py --page"
    passages = re.findall(r"<!-- (\w+) -->\n(.+?)\n<!-- /\1 -->", PAGE, flags=re.DOTALL)
    assert len(passages) == 6
    week = TOLD["queues"]["default mix"]["estimate"]["7"]
    assert f"| {week['rmse']:.2f} |" in dict(passages)["estimates"]


@pytest.mark.parametrize("name", sorted(pictures(TOLD)))
def test_a_picture_is_drawn_from_the_run_and_shown(name: str) -> None:
    assert (ROOT / "docs" / "images" / name).read_text(encoding="utf-8") == pictures(TOLD)[name]
    assert f"(images/{name})" in PAGE


def test_the_run_shows_what_the_page_claims() -> None:
    for queue, found in TOLD["queues"].items():
        for row in found.get("estimate", {}).values():
            assert abs(row["bias"]) < 3 * row["bias_error"], queue
            assert row["windows"] < 90 or 0.9 <= row["cover"] <= 0.995, queue
    queues = TOLD["queues"]
    assert queues["default mix"]["silent_by_day"][13] > 3 * queues["thumbs-down only"]["silent_by_day"][13]
    assert queues["random only"]["estimate"]["7"]["width"] < queues["default mix"]["estimate"]["7"]["width"]


def test_a_store_draws_what_the_simulation_draws() -> None:
    assert same_as_a_store(per_day=500) == 80
