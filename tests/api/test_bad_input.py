"""What a door is given wrongly it refuses as a problem that names the field: times, spans, types and broken JSON."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.conftest import NOW
from tests.road import lay
from thumbwheel.app import Wheel

#: In UTC these are in the years 10000 and 0.
BEYOND = ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00"]
_MESSAGE = {"text": "the answer was wrong"}


def refused(client: TestClient, path: str, body: Any) -> dict[str, Any]:
    answer = client.post(path, json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), answer.text
    return dict(answer.json())


@pytest.mark.parametrize("at", BEYOND)
def test_a_time_further_than_dates_go_is_refused_at_its_field(client: TestClient, wheel: Wheel, at: str) -> None:
    trace = {"id": "t", "started_at": at}
    signal = {"trace_id": "t", "kind": "implicit_copy", "at": at}
    assert refused(client, "/v1/traces/batch", {"traces": [trace]})["field"] == "started_at"
    assert refused(client, "/v1/signals", signal)["field"] == "at"
    assert refused(client, "/v1/relink/candidates", _MESSAGE | {"at": at})["field"] == "at"
    client.post("/v1/traces/batch", json={"traces": [{"id": "t", "started_at": NOW.isoformat()}]})
    assert refused(client, "/v1/relink", _MESSAGE | {"at": at, "trace_id": "t"})["field"] == "at"


@pytest.mark.parametrize("at", [*BEYOND, "1999-12-31T00:00:00Z", 5])
def test_a_fix_did_not_ship_before_anything_it_answers(client: TestClient, wheel: Wheel, at: object) -> None:
    with wheel.ledger.begin(wheel.project("default")) as tx:
        lay(tx, 1)
    (label,) = client.get("/v1/labels").json()["items"]
    fix = client.post("/v1/fixes", json={"kind": "prompt", "reference": "4f2c1aa", "labels": [label["id"]]}).json()
    assert refused(client, f"/v1/fixes/{fix['id']}/ship", {"at": at})["field"] == "at"
    assert client.get("/v1/report").status_code == 200


def test_a_window_may_be_open_at_both_ends(client: TestClient) -> None:
    traces = [{"id": f"t{number}", "started_at": f"2026-11-{20 + number}T09:00:00Z"} for number in (0, 1, 2)]
    client.post("/v1/traces/batch", json={"traces": traces})
    for window in (
        dict(zip(("from", "to"), reversed(BEYOND), strict=True)),
        {"from": "0001-01-01T00:00:00Z", "to": "9999-12-31T23:59:59Z"},
    ):
        made = client.post("/v1/draws", json={"budget": 2, "window": window, "dry_run": True})
        assert (made.status_code, made.json()["population"]) == (201, 3)
    for start, end in (("2098", "2099"), ("1970", "1971")):
        window = {"from": f"{start}-01-01T00:00:00Z", "to": f"{end}-01-01T00:00:00Z"}
        assert refused(client, "/v1/draws", {"budget": 2, "window": window})["field"] == "window"


@pytest.mark.parametrize(
    "wrong",
    [
        {"window": 7},
        {"window": 7.5},
        {"window": False},
        {"maturity": 24},
        {"maturity": True},
        {"budget": "2"},
        {"budget": True},
        {"seed": "1"},
    ],
)
def test_a_draw_takes_no_number_for_a_span_and_nothing_else_for_a_number(
    client: TestClient, wrong: dict[str, Any]
) -> None:
    (field,) = wrong
    assert refused(client, "/v1/draws", {"budget": 2} | wrong)["field"] == field
    assert client.get("/v1/draws").json()["items"] == []


def test_nothing_is_asked_of_maturity_by_a_plain_nought(client: TestClient) -> None:
    for nought in (0, "0", "0h"):
        assert client.post("/v1/draws", json={"budget": 2, "maturity": nought, "dry_run": True}).status_code == 201


def test_broken_json_is_told_where_it_breaks_and_names_no_field(client: TestClient) -> None:
    headers = {"content-type": "application/json"}
    for body, where in ((b'{"budget": 2,}', "at character 13"), (b'{"budget": "\xff"}', "UTF-8"), (b"{" * 9, "JSON")):
        answer = client.post("/v1/draws", content=body, headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (400, "Malformed")
        assert where in answer.json()["detail"]
        assert "field" not in answer.json()
    assert client.post("/v1/draws", headers=headers).json()["detail"] == "Send a JSON body."


def test_a_door_that_inflates_nothing_says_so(client: TestClient) -> None:
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    answer = client.post("/v1/draws", content=gzip.compress(b'{"budget": 2}'), headers=headers)
    assert (answer.status_code, answer.json()["field"]) == (415, "content-encoding")


def test_what_a_judgement_has_not_got_may_be_null(client: TestClient) -> None:
    old = {"id": "t", "started_at": "2026-11-20T09:00:00Z", "output": "x"}
    client.post("/v1/traces/batch", json={"traces": [old]})
    client.post("/v1/draws", json={"budget": 1})
    served = client.post("/v1/queue/next", json={"annotator": "ada"}).json()
    said = {"entry_id": served["entry"]["id"], "lease_token": served["lease"]["token"], "annotator": "ada"}
    nothing = dict.fromkeys(("categories", "critique", "corrected_output", "documents", "missing_knowledge", "seconds"))
    assert client.post("/v1/annotations", json=said | {"verdict": "pass"} | nothing).status_code == 201


def test_a_cursor_may_stand_in_a_query_as_it_is(client: TestClient, wheel: Wheel) -> None:
    with wheel.ledger.begin(wheel.project("default")) as tx:
        for number in range(1, 5):
            lay(tx, number)
    client.post("/v1/close")
    for path in ("/v1/labels", "/v1/golden"):
        first = client.get(f"{path}?limit=1").json()
        second = client.get(f"{path}?limit=1&cursor={first['next']}")
        assert second.status_code == 200, path
        assert second.json()["items"][0]["id"] != first["items"][0]["id"]
