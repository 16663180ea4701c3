"""The doors of closing: what labels became, and fixes."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.factories import RIGHT, WRONG, a_label
from tests.road import lay
from thumbwheel.app import Wheel
from thumbwheel.domain.annotation import Verdict
from thumbwheel.domain.person import Scope


@pytest.fixture
def filled(wheel: Wheel, client: TestClient) -> TestClient:
    """Three failures, one of them corrected, and a pass, all routed."""
    with wheel.ledger.begin(wheel.project("default")) as tx:
        for number in (1, 2, 3):
            lay(tx, number, label=a_label(corrected_output=RIGHT if number == 1 else None))
        lay(tx, 4, verdict=Verdict.passed)
    assert client.post("/v1/close").json() == {
        "labels": 4,
        "golden": 3,
        "preferences": 1,
        "withheld": 0,
        "retired": 0,
    }
    return client


def problem(answer: Any, status: int, title: str, field: str | None = None) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert (answer.status_code, told["title"], told.get("field")) == (status, title, field)
    return told


def test_golden_rows_come_in_pages(filled: TestClient) -> None:
    first = filled.get("/v1/golden", params={"limit": 2}).json()
    second = filled.get("/v1/golden", params={"limit": 2, "cursor": first["next"]}).json()
    assert second["next"] is None
    assert len(first["items"]) == 2
    rows = {row["provenance"]["label_id"]: row for row in first["items"] + second["items"]}
    assert sorted(rows) == ["label-1", "label-2", "label-3"]
    assert rows["label-1"] == rows["label-1"] | {
        "failed_output": WRONG,
        "expected": RIGHT,
        "status": "open",
        "categories": ["wrong-fact"],
        "check": {"kind": "equals", "value": WRONG, "negate": True},
    }


def test_preference_pairs_carry_their_rights(filled: TestClient) -> None:
    told = filled.get("/v1/preferences").json()
    (pair,) = told["items"]
    assert (pair["chosen"], pair["rejected"]) == (RIGHT, WRONG)
    assert sorted(pair["rights"]) == ["evaluate", "prompt", "retrieve", "train"]
    assert told["next"] is None


def test_a_fix_is_added_shipped_and_listed(filled: TestClient) -> None:
    body = {"kind": "prompt", "reference": "#12", "labels": ["label-1"], "id": "fix-1"}
    added = filled.post("/v1/fixes", json=body)
    assert added.status_code == 201
    assert added.json()["categories"] == ["wrong-fact"]
    assert filled.post("/v1/fixes", json=body).json() == added.json()
    shipped = filled.post("/v1/fixes/fix-1/ship").json()
    assert shipped["shipped_at"] == "2026-11-23T12:00:00Z"
    assert filled.post("/v1/fixes/fix-1/ship", json={}).json() == shipped
    assert filled.get("/v1/fixes").json() == {"items": [shipped], "next": None}
    rows = filled.get("/v1/golden").json()["items"]
    assert [row["provenance"]["label_id"] for row in rows if row["status"] == "guarding"] == ["label-1"]
    problem(filled.post("/v1/fixes/fix-1/ship", json={"at": "2026-11-22T12:00:00Z"}), 409, "Conflict")


def test_a_category_credits_what_no_fix_answers(filled: TestClient) -> None:
    filled.post("/v1/fixes", json={"kind": "prompt", "reference": "a", "labels": ["label-2"]})
    fix = filled.post("/v1/fixes", json={"kind": "code", "reference": "b", "categories": ["wrong-fact"]}).json()
    assert fix["label_ids"] == ["label-1", "label-3"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "magic", "reference": "a", "labels": ["label-1"]}, "kind"),
        ({"kind": "prompt", "labels": ["label-1"]}, "reference"),
        ({"kind": "prompt", "reference": "", "labels": ["label-1"]}, "reference"),
        ({"kind": "prompt", "reference": "a", "labels": ["label-9"]}, "labels"),
        ({"kind": "prompt", "reference": "a", "labels": ["label-4"]}, "labels"),
        ({"kind": "prompt", "reference": "a", "labels": "label-1"}, "labels"),
        ({"kind": "prompt", "reference": "a"}, "labels"),
        ({"kind": "prompt", "reference": "a", "categories": ["no-such"]}, "categories"),
    ],
)
def test_a_fix_that_does_not_hold_is_a_problem_that_names_the_field(
    filled: TestClient, body: dict[str, Any], field: str
) -> None:
    problem(filled.post("/v1/fixes", json=body), 422, "Invalid", field)
    assert filled.get("/v1/fixes").json()["items"] == []


def test_an_id_with_other_content_is_refused(filled: TestClient) -> None:
    body = {"kind": "prompt", "reference": "#12", "labels": ["label-1"], "id": "fix-1"}
    filled.post("/v1/fixes", json=body)
    problem(filled.post("/v1/fixes", json=body | {"reference": "#13"}), 422, "IdReused", "id")


def test_a_fix_does_not_ship_before_it_is_there(filled: TestClient) -> None:
    problem(filled.post("/v1/fixes/none/ship"), 404, "NotHere")
    filled.post("/v1/fixes", json={"kind": "prompt", "reference": "a", "labels": ["label-1"], "id": "f"})
    problem(filled.post("/v1/fixes/f/ship", json={"at": "2027-01-01T00:00:00Z"}), 422, "Invalid", "at")
    problem(filled.post("/v1/fixes/f/ship", json={"at": "2026-11-01T00:00:00"}), 422, "Invalid", "at")


def test_a_check_is_chosen(filled: TestClient) -> None:
    row = filled.get("/v1/golden").json()["items"][0]
    chosen = {"kind": "contains", "value": "30 days", "negate": False}
    assert filled.put(f"/v1/golden/{row['id']}/check", json=chosen).json()["check"] == chosen
    assert filled.get("/v1/golden").json()["items"][0]["check"] == chosen
    problem(
        filled.put(f"/v1/golden/{row['id']}/check", json={"kind": "regex", "value": "("}), 422, "Invalid", "check.value"
    )
    problem(filled.put("/v1/golden/none/check", json=chosen), 404, "NotHere")


@pytest.mark.parametrize("path", ["/v1/golden", "/v1/preferences", "/v1/fixes"])
def test_a_page_that_cannot_be_is_a_problem(client: TestClient, path: str) -> None:
    problem(client.get(path, params={"limit": 0}), 422, "Invalid", "limit")
    problem(client.get(path, params={"limit": 1001}), 422, "Invalid", "limit")
    problem(client.get(path, params={"cursor": "nonsense"}), 422, "Invalid", "cursor")


def test_each_door_asks_for_its_scope(wheel: Wheel, client: TestClient) -> None:
    reader = {"Authorization": f"Bearer {wheel.access.add_key('default', [Scope.read]).secret_key}"}
    sender = {"Authorization": f"Bearer {wheel.access.add_key('default', [Scope.ingest]).secret_key}"}
    fix = {"kind": "prompt", "reference": "a", "labels": ["label-1"]}
    assert client.get("/v1/golden", headers=reader).status_code == 200
    problem(client.get("/v1/golden", headers=sender), 403, "NotAllowed")
    problem(client.get("/v1/preferences", headers=sender), 403, "NotAllowed")
    problem(client.post("/v1/fixes", json=fix, headers=reader), 403, "NotAllowed")
    problem(client.post("/v1/close", headers=reader), 403, "NotAllowed")
    problem(client.get("/v1/golden", headers={"Authorization": ""}), 401, "NotKnown")


def test_a_key_sees_its_own_project_only(wheel: Wheel, filled: TestClient) -> None:
    other = {"Authorization": f"Bearer {wheel.access.add_key('other', Scope).secret_key}"}
    assert filled.get("/v1/golden", headers=other).json() == {"items": [], "next": None}
    assert filled.get("/v1/preferences", headers=other).json()["items"] == []
    body = {"kind": "prompt", "reference": "a", "labels": ["label-1"]}
    problem(filled.post("/v1/fixes", json=body, headers=other), 422, "Invalid", "labels")


def test_a_trace_shows_what_it_became(filled: TestClient) -> None:
    artifacts = filled.get("/v1/traces/trace-1").json()["artifacts"]
    assert [artifact["provenance"]["label_id"] for artifact in artifacts] == ["label-1", "label-1"]
