"""Evidently's reports, in every form its releases write them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from thumbwheel.connectors.evidently import is_evidently, read_evidently

#: Written by Evidently 0.7.21 over made-up columns, `length` and `kind` of which drifted; pictures are left out.
RECORDED: dict[str, Any] = json.loads(Path(__file__).with_name("evidently.json").read_text())


def a_column(score: float, method: str, threshold: float = 0.1, **more: Any) -> dict[str, Any]:
    """A metric as `snapshot.json()` of 0.7 has it."""
    config = {"type": "evidently:metric_v2:ValueDrift", "column": "length", "method": method, "threshold": threshold}
    return {"id": "m1", "metric_name": "ValueDrift(column=length)", "config": config, "value": score} | more


def a_test(status: str, metric_id: str = "m1") -> dict[str, Any]:
    """A test as `snapshot.json()` of 0.7 has it."""
    return {
        "id": "drift",
        "name": "Value Drift for column length",
        "description": "Drift score is 0.30. The drift detection method is PSI. The drift threshold is 0.10.",
        "metric_config": {"metric_id": metric_id, "params": {"column": "length"}},
        "test_config": {},
        "status": status,
        "bound_test": None,
    }


def named(body: dict[str, Any]) -> list[str]:
    return [each.name for each in read_evidently(body, "model = m1")]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("preset.json", "dataset drift and 2 more"),
        ("preset_well.json", None),
        ("preset_tests.json", "Share of Drifted Columns: Less 0.500 and 2 more"),
        ("preset_tests.dumps", "Share of Drifted Columns: Less 0.500 and 2 more"),
        ("preset_well_tests.json", None),
        ("column_ks.json", "drift of length"),
        ("column_ks_well.json", None),
        ("column_psi.json", "drift of length"),
        ("own_test_pass.json", None),
        ("rows.json", "Row count in dataset: Greater 1000.000"),
        ("legacy", "dataset drift"),
        ("legacy_well", None),
        ("legacy_tests", "Share of Drifted Columns and 1 more"),
    ],
)
def test_what_evidently_wrote_is_read(name: str, says: str | None) -> None:
    assert is_evidently(RECORDED[name])
    assert named(RECORDED[name]) == ([] if says is None else [f"Evidently: {says}"])


@pytest.mark.parametrize(
    ("score", "method", "drifted"),
    [
        (0.3, "PSI", True),
        (0.05, "PSI", False),
        (0.3, "Wasserstein distance (normed)", True),
        (0.3, "K-S p_value", False),
        (0.01, "K-S p_value", True),
        (0.01, "ks", True),
        (0.01, "Anderson-Darling", True),
        (0.97, "Percentile text content drift", True),
    ],
)
def test_a_score_means_drift_by_its_method_and_threshold(score: float, method: str, drifted: bool) -> None:
    assert named({"metrics": [a_column(score, method)], "tests": []}) == ["Evidently: drift of length"] * drifted


@pytest.mark.parametrize(("status", "n"), [("FAIL", 1), ("SUCCESS", 0), ("WARNING", 0), ("ERROR", 0), ("SKIPPED", 0)])
def test_a_metric_with_a_test_is_what_its_test_says(status: str, n: int) -> None:
    assert len(named({"metrics": [a_column(0.3, "PSI")], "tests": [a_test(status)]})) == n


def test_a_report_with_several_findings_is_one_alert() -> None:
    body = {"metrics": [a_column(0.3, "PSI", id="m2")], "tests": [a_test("FAIL")]}
    (name,) = named(body)
    assert name == "Evidently: Value Drift for column length and 1 more"


def test_a_dumped_snapshot_brings_its_own_metadata() -> None:
    params = {"type": "evidently:metric_v2:DriftedColumnsCount", "drift_share": 0.5}
    body = {
        "report": {"items": []},
        "metadata": {"category": "travel"},
        "metric_results": {
            "m1": {
                "type": "evidently:metric_result_v2:CountValue",
                "display_name": "Count of Drifted Columns",
                "metric_value_location": {"metric": {"metric_id": "m1", "params": params}, "param": {}},
                "tests": [],
                "count": {"value": 3},
                "share": {"value": 0.6},
            }
        },
    }
    assert is_evidently(body)
    (raised,) = read_evidently(body, None)
    assert (raised.name, raised.slice) == ("Evidently: dataset drift", {"category": "travel"})
    body["metric_results"]["m1"]["tests"] = [a_test("SUCCESS")]  # type: ignore[index]
    assert read_evidently(body, None) == []


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"metrics": [{"metric": "DatasetDriftMetric", "result": {"dataset_drift": True}}]}, "dataset drift"),
        (
            {"metrics": [{"metric": "ColumnDriftMetric", "result": {"column_name": "x", "drift_detected": True}}]},
            "drift of x",
        ),
        (
            {
                "metrics": [
                    {"metric": "EmbeddingsDriftMetric", "result": {"embeddings_name": "e", "drift_detected": True}}
                ]
            },
            "drift of e",
        ),
        (
            {"metrics": [{"result": {"text_column_name": "answer", "content_drift": True}}]},
            "drift of answer",
        ),
        (
            {"tests": [{"name": "Share of Drifted Columns", "description": "", "status": "FAIL"}]},
            "Share of Drifted Columns",
        ),
    ],
)
def test_the_forms_before_0_7_are_read_too(body: dict[str, Any], name: str) -> None:
    assert named(body) == [f"Evidently: {name}"]


def test_a_report_on_anything_else_raises_nothing() -> None:
    others: list[Any] = [
        {"metric": "ColumnDriftMetric", "result": {"column_name": "x", "drift_detected": False}},
        {"id": "r", "config": {"type": "evidently:metric_v2:RowCount"}, "value": 12},
        {"id": "d", "config": {"type": "x:ValueDrift", "column": "y", "method": "a function of mine"}, "value": 0.2},
        a_column(True, "PSI"),
        "noise",
        None,
    ]
    assert named({"metrics": others, "tests": ["noise"]}) == []
    assert not is_evidently({"name": "x", "slice": {}})
