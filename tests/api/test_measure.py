"""The door of the report."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from tests.conftest import NOW
from tests.factories import DAY
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
