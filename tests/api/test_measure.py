"""The door of the report."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from tests.conftest import NOW
from tests.factories import DAY, a_codebook_version
from tests.road import lay
from thumbwheel.app import Wheel
from thumbwheel.domain.person import Scope


def test_the_report_says_what_it_is_about(client: TestClient, wheel: Wheel) -> None:
    with wheel.ledger.begin(wheel.project("default")) as tx:
        for number in range(1, 7):
            lay(tx, number, started_at=NOW - 3 * DAY)
    told = client.get("/v1/report", params={"window": "7d"}).json()
    assert told["window"] == {"from": "2026-11-16T00:00:00+00:00", "to": "2026-11-24T00:00:00+00:00"}
    assert {step["name"]: step["n"] for step in told["funnel"]} | {"traces": 6, "failures": 6} == {
        step["name"]: step["n"] for step in told["funnel"]
    }
    assert client.get("/v1/report").json() == told
    empty = client.get("/v1/report", params={"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}).json()
    assert empty["window"]["from"] == "2026-01-01T00:00:00+00:00"
    assert empty["funnel"][0]["n"] == 0


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"window": "week"}, "window"),
        ({"window": "0"}, "window"),
        ({"window": "999999w"}, "window"),
        ({"from": "2026-01-01T00:00:00Z"}, "to"),
        ({"to": "2026-01-01T00:00:00Z"}, "from"),
        ({"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "window"),
        ({"from": "0001-01-01T00:00:00Z", "to": "9999-12-31T01:00:00Z"}, "window"),
        ({"from": "2026-01-02T00:00:00", "to": "2026-01-03T00:00:00Z"}, "from"),
    ],
)
def test_a_window_that_is_none_is_a_problem_that_names_the_field(
    client: TestClient, asked: dict[str, str], field: str
) -> None:
    answer = client.get("/v1/report", params=asked)
    assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_the_report_is_for_those_who_may_read(client: TestClient, wheel: Wheel) -> None:
    sender = wheel.access.add_key("default", [Scope.ingest]).secret_key
    assert client.get("/v1/report", headers={"Authorization": f"Bearer {sender}"}).status_code == 403


def test_the_failure_rate_has_its_interval_its_size_and_what_it_replaces(client: TestClient, wheel: Wheel) -> None:
    project = wheel.project("default")
    traces = [
        {"id": f"t{at}", "started_at": (NOW - 2 * DAY).isoformat(), "category": "ab"[at % 2], "output": "x"}
        for at in range(60)
    ]
    assert client.post("/v1/traces/batch", json={"traces": traces}).status_code == 201
    needs = client.get("/v1/estimate").json()
    assert (needs["failure_rate"], needs["n_population"]) == (None, 0)
    assert needs["needs"]["labels"] >= 5
    assert client.post("/v1/draws", json={"budget": 30, "window": "7d", "maturity": "0"}).status_code == 201
    with wheel.ledger.begin(project) as tx:
        tx.codebooks.add(a_codebook_version())
    for at in range(60):
        taken = client.post("/v1/queue/next", json={"annotator": "ann" if at < 30 else "bea"})
        if taken.status_code != 200:
            continue
        given = {"verdict": "pass", "categories": []}
        if taken.json()["entry"]["trace_id"] in {"t1", "t3", "t5", "t7", "t9"}:
            given = {"verdict": "fail", "categories": ["wrong-fact"]}
        body = {
            "entry_id": taken.json()["entry"]["id"],
            "lease_token": taken.json()["lease"]["token"],
            "annotator": "ann" if at < 30 else "bea",
        }
        assert client.post("/v1/annotations", json=body | given).status_code == 201
    told = client.get("/v1/estimate", params={"window": "7d", "by": "category", "against": "previous"}).json()
    low, high = told["interval"]
    assert 0 <= low <= told["failure_rate"] <= high <= 1
    assert (told["level"], told["method"], told["n_population"]) == (0.95, "difference", 60)
    assert {row["category"] for row in told["by"]} == {"a", "b"}
    assert told["n_labels"] + told["n_unlabelled"] == 30
    assert told["change"] is None
    assert client.get("/v1/estimate", params={"by": "colour"}).status_code == 422
