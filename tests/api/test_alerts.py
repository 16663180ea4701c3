"""Alerts through the door: our own, Alertmanager's and Evidently's, and what their pulls found."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.conftest import NOW, Clock
from tests.factories import DAY, a_codebook_version
from thumbwheel.app import Wheel

FIRING: dict[str, Any] = {
    "version": "4",
    "groupKey": '{}:{alertname="RefundsUp"}',
    "receiver": "thumbwheel",
    "status": "firing",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "RefundsUp", "category": "billing", "severity": "page"},
            "annotations": {"summary": "Refund answers look odd", "thumbwheel_pull": "3"},
            "startsAt": "2026-11-23T11:00:00Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "fingerprint": "a1b2c3",
        }
    ],
}

#: As `snapshot.json()` of Evidently 0.7 writes it, with the metadata its sender adds.
DRIFTED: dict[str, Any] = {
    "metrics": [
        {
            "id": "20f09ee2a9dc0a2f2a9e1e4a7d3b6a11",
            "metric_name": "DriftedColumnsCount(drift_share=0.5)",
            "config": {"type": "evidently:metric_v2:DriftedColumnsCount", "drift_share": 0.5},
            "value": {"count": 3.0, "share": 0.6},
        }
    ],
    "tests": [],
    "metadata": {"category": "travel", "pull": 5, "lasts": "2d"},
}


def opened(client: TestClient) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = client.get("/v1/alerts").json()["items"]
    return items


def test_an_alert_of_our_own_takes_fields_or_a_filter(client: TestClient) -> None:
    made = client.post("/v1/alerts", json={"name": "odd", "slice": {"category": "billing"}, "pull": 3, "lasts": "2d"})
    assert made.status_code == 201
    assert made.json()["slice"] == {"category": "billing"}
    filtered = client.post("/v1/alerts", json={"name": "odd", "filter": "category = billing and tags has beta"})
    assert filtered.status_code == 201
    assert len(opened(client)) == 2


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "x"}, "slice"),
        ({"name": "x", "slice": {"colour": "red"}}, "slice"),
        ({"name": "x", "filter": "category = 'a' or 1=1"}, "filter"),
        ({"slice": {"category": "a"}}, "name"),
        ({"name": "x", "slice": {"category": "a"}, "pull": 0}, "pull"),
        ({"alerts": [{"status": "firing", "labels": {"alertname": "x"}}]}, "alerts.0.labels"),
        ({"alerts": ["x"]}, "alerts.0.labels"),
        ({"metrics": [{"result": {"dataset_drift": True}}]}, "metadata"),
        (DRIFTED | {"metadata": {"category": "a", "pull": "many"}}, "metadata.pull"),
        (DRIFTED | {"metadata": {"category": "a", "lasts": "long"}}, "metadata.lasts"),
    ],
)
def test_an_alert_that_cannot_be_is_a_problem_naming_the_field(
    client: TestClient, body: dict[str, Any], field: str
) -> None:
    answer = client.post("/v1/alerts", json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_a_span_that_is_none_is_told_in_a_sentence(client: TestClient) -> None:
    answer = client.post("/v1/alerts", json={"name": "x", "slice": {"category": "a"}, "lasts": "forever"})
    assert answer.json()["detail"] == "'forever' is no span of time; write 7d, 24h, 90m or 30s."


def test_alertmanager_fires_repeats_and_resolves_one_alert(client: TestClient, clock: Clock) -> None:
    (raised,) = client.post("/v1/alerts", json=FIRING).json()["items"]
    assert (raised["name"], raised["slice"], raised["pull"]) == ("Refund answers look odd", {"category": "billing"}, 3)
    clock.advance(hours=4)
    (again,) = client.post("/v1/alerts", json=FIRING).json()["items"]
    assert again["id"] == raised["id"]
    assert again["expires_at"] > raised["expires_at"]
    assert len(opened(client)) == 1
    assert client.post(f"/v1/alerts/{raised['id']}/close").status_code == 200
    assert client.post("/v1/alerts", json=FIRING).json()["items"][0]["closed_at"] is not None
    assert opened(client) == []
    fired_anew = FIRING | {"alerts": [FIRING["alerts"][0] | {"startsAt": "2026-11-24T11:00:00Z"}]}
    client.post("/v1/alerts", json=fired_anew)
    assert len(opened(client)) == 1
    resolved = fired_anew | {"status": "resolved", "alerts": [fired_anew["alerts"][0] | {"status": "resolved"}]}
    assert client.post("/v1/alerts", json=resolved).status_code == 201
    assert opened(client) == []


def test_evidently_raises_one_alert_for_drift_and_none_when_all_is_well(client: TestClient) -> None:
    (raised,) = client.post("/v1/alerts", json=DRIFTED).json()["items"]
    assert (raised["name"], raised["slice"]) == ("Evidently: dataset drift", {"category": "travel"})
    assert (raised["pull"], raised["expires_at"]) == (5, (NOW + 2 * DAY).isoformat().replace("+00:00", "Z"))
    (filtered,) = client.post("/v1/alerts", params={"filter": "model = m1"}, json=DRIFTED | {"metadata": {}}).json()[
        "items"
    ]
    assert filtered["slice"] == {"where": "model = m1"}
    assert client.post("/v1/alerts", json={"metrics": [], "tests": []}).json() == {"items": []}


def test_an_alert_closes_with_what_its_pulls_found(client: TestClient, wheel: Wheel) -> None:
    traces = [
        {
            "id": f"t{at}",
            "started_at": (NOW - 2 * DAY).isoformat(),
            "category": "ab"[at % 2],
            "output": "x",
            "tags": ["beta"] if at % 4 == 0 else [],
        }
        for at in range(80)
    ]
    client.post("/v1/traces/batch", json={"traces": traces})
    asked = {"name": "odd", "filter": "category = a and tags has beta", "pull": 4}
    alert = client.post("/v1/alerts", json=asked).json()
    with wheel.ledger.begin(wheel.project("default")) as tx:
        tx.codebooks.add(a_codebook_version())
    drawn = client.post("/v1/draws", json={"budget": 40, "window": "7d"}).json()
    pulled = {entry["trace_id"] for entry in drawn["entries"] if entry["policy"] == "drift"}
    assert len(pulled) == 4
    assert all(int(trace_id[1:]) % 4 == 0 for trace_id in pulled)
    for annotator in ("ann", "bea"):
        while (taken := client.post("/v1/queue/next", json={"annotator": annotator})).status_code == 200:
            bad = taken.json()["entry"]["trace_id"] in pulled
            body = {
                "entry_id": taken.json()["entry"]["id"],
                "lease_token": taken.json()["lease"]["token"],
                "annotator": annotator,
                "verdict": "fail" if bad else "pass",
                "categories": ["wrong-fact"] if bad else [],
            }
            assert client.post("/v1/annotations", json=body).status_code == 201
    assert opened(client)[0]["found"] == {"pulled": 4, "labelled": 4, "failures": 4}
    closed = client.post(f"/v1/alerts/{alert['id']}/close").json()
    assert (closed["open"], closed["found"]["failures"]) == (False, 4)
    assert opened(client) == []
    (listed,) = client.get("/v1/alerts", params={"closed": True}).json()["items"]
    assert listed["closed_at"] is not None
    assert client.post("/v1/alerts/nothing/close").status_code == 404


def test_draws_pull_what_an_alert_asks_for_until_it_expires(client: TestClient, clock: Clock) -> None:
    def drawn(day: int) -> dict[str, tuple[int, int]]:
        at = clock.at.isoformat()
        traces = [{"id": f"d{day}-{n}", "started_at": at, "category": "ab"[n % 2], "output": "x"} for n in range(80)]
        client.post("/v1/traces/batch", json={"traces": traces})
        clock.advance(hours=25)
        found = client.post("/v1/draws", json={"budget": 40, "window": "7d"}).json()
        client.post("/v1/alerts", json={"name": "odd", "slice": {"category": "a"}, "pull": 1, "lasts": "30h"})
        alerts = client.get(f"/v1/draws/{found['id']}").json()["alerts"]
        return {part["name"]: (part["asked"], part["got"]) for part in alerts}

    client.post("/v1/alerts", json={"name": "many", "slice": {"category": "a"}, "pull": 9, "lasts": "30h"})
    assert drawn(1) == {"many": (4, 4)}
    client.post("/v1/alerts", json={"name": "none", "filter": "category = c", "pull": 2, "lasts": "30h"})
    assert drawn(2) == {"odd": (1, 1), "none": (0, 0)}
