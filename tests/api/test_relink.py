"""The doors and the page of relink."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.conftest import NOW, Clock
from thumbwheel.app import Wheel
from thumbwheel.domain.person import Role, Scope
from thumbwheel.serving import create_app

SAID = "your assistant claimed that a kettle can be returned within 60 days"


def a_trace(trace_id: str, asked: str, answered: str, **given: object) -> dict[str, Any]:
    started_at = (NOW - timedelta(hours=2)).isoformat()
    return {"id": trace_id, "started_at": started_at, "input": asked, "output": answered} | given


TRACES = [
    a_trace("kettle", "Can I return a kettle?", "A kettle can be returned within 60 days.", category="returns"),
    a_trace("rain/<b>", "Will it rain?", "Take an <script>umbrella</script>."),
]


@pytest.fixture
def filled(client: TestClient) -> TestClient:
    assert client.post("/v1/traces/batch", json={"traces": TRACES}).status_code == 201
    return client


def test_candidates_come_with_why_and_nothing_is_kept(filled: TestClient) -> None:
    found = filled.post("/v1/relink/candidates", json={"text": SAID}).json()
    assert [each["trace_id"] for each in found["items"]] == ["kettle", "rain/<b>"]
    first = found["items"][0]
    assert first["output"] == "A kettle can be returned within 60 days."
    assert first["category"] == "returns"
    assert "2 hours before the message" in first["why"]
    assert 0 <= first["likeness"] <= 1
    assert found["next"] is None
    assert found["complete"] is True
    assert filled.get("/v1/traces/kettle").json()["signals"] == []


def test_a_message_is_attached_once(filled: TestClient) -> None:
    body = {"text": SAID, "trace_id": "kettle", "channel": "slack", "at": "2026-11-23T10:30:00Z", "user_id": "u-7"}
    first = filled.post("/v1/relink", json=body)
    assert first.status_code == 201
    assert first.json()["new"] is True
    assert filled.post("/v1/relink", json=body).json() == first.json() | {"new": False}
    (signal,) = filled.get("/v1/traces/kettle").json()["signals"]
    assert signal["kind"] == "public_channel"
    assert signal["channel"] == "slack"
    assert signal["comment"] == SAID
    assert signal["at"] == "2026-11-23T10:30:00Z"
    assert signal["relinked_by"]


def test_a_message_is_not_attached_to_a_trace_that_is_not_here(filled: TestClient) -> None:
    answer = filled.post("/v1/relink", json={"text": SAID, "trace_id": "ghost"})
    assert (answer.status_code, answer.json()["title"]) == (404, "NotHere")


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/v1/relink/candidates", {}, "text"),
        ("/v1/relink/candidates", {"text": SAID, "days": 91}, "days"),
        ("/v1/relink/candidates", {"text": " "}, "text"),
        ("/v1/relink", {"text": SAID}, "trace_id"),
        ("/v1/relink", {"text": SAID, "trace_id": "kettle", "at": "2026-11-23T10:30:00"}, "at"),
    ],
)
def test_what_is_missing_is_named(filled: TestClient, path: str, body: dict[str, Any], field: str) -> None:
    answer = filled.post(path, json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_where_a_project_asks_first_the_writer_must_have_agreed(filled: TestClient, wheel: Wheel, clock: Clock) -> None:
    wheel.projects.choose(wheel.project("default"), {"consent": {"slack": "opt_in"}})
    clock.advance(seconds=6)
    body = {"text": SAID, "trace_id": "kettle", "channel": "slack"}
    refused = filled.post("/v1/relink", json=body)
    assert (refused.status_code, refused.json()["title"]) == (422, "ConsentMissing")
    assert filled.post("/v1/relink", json=body | {"channel": "ticket"}).status_code == 201
    assert filled.post("/v1/relink", json=body | {"agreed": True}).status_code == 201
    kept = {each["channel"]: each.get("consent") for each in filled.get("/v1/traces/kettle").json()["signals"]}
    assert kept == {"slack": {"given": True, "mode": "opt_in"}, "ticket": None}


def test_it_takes_the_scope_annotate(filled: TestClient, wheel: Wheel) -> None:
    made = wheel.access.add_key("default", [Scope.ingest, Scope.read, Scope.admin])
    headers = {"Authorization": f"Bearer {made.secret_key}"}
    for path in ("/v1/relink/candidates", "/v1/relink"):
        body = {"text": SAID, "trace_id": "kettle"}
        assert filled.post(path, json=body, headers=headers).status_code == 403


def test_nobody_sends_a_public_channel_signal_past_the_person_who_links_it(filled: TestClient) -> None:
    answer = filled.post("/v1/signals", json={"trace_id": "kettle", "kind": "public_channel", "comment": SAID})
    assert (answer.status_code, answer.json()["field"]) == (422, "kind")


@pytest.fixture
def owner(filled: TestClient, wheel: Wheel) -> TestClient:
    wheel.access.add_person("olga", Role.owner, "a long password")
    wheel.access.add_person("ann", Role.annotator, "a long password")
    browser = TestClient(create_app(wheel))
    browser.post("/sign-in", data={"name": "olga", "password": "a long password"})
    return browser


def test_an_owner_pastes_a_message_and_chooses_its_trace(owner: TestClient, filled: TestClient, wheel: Wheel) -> None:
    assert "Paste it" in owner.get("/relink").text
    form = {"text": SAID, "channel": "zendesk", "user": "u-7", "reference": "#17", "at": "2026-11-23T11:00"}
    shown = owner.post("/relink", data=form | {"days": "7"}).text
    assert shown.index("A kettle can be returned") < shown.index("Take an &lt;script&gt;umbrella")
    assert "2026-11-23T11:00:00+00:00" in shown
    attached = owner.post("/relink/attach", data=form | {"trace_id": "rain/<b>"})
    assert 'href="/traces/rain/%3Cb%3E"' in attached.text
    (signal,) = filled.get("/v1/traces/rain%2F%3Cb%3E").json()["signals"]
    assert (signal["relinked_by"], signal["channel"], signal["at"]) == ("olga", "zendesk", "2026-11-23T11:00:00Z")
    read = {row.subject for row in wheel.access.list_audit(wheel.project("default")) if row.why == "relink"}
    assert read == {"kettle", "rain/<b>"}


def test_the_page_says_what_will_not_do(owner: TestClient) -> None:
    empty = owner.post("/relink", data={"text": "  "})
    assert empty.status_code == 422
    assert "Paste the text" in empty.text
    assert owner.post("/relink", data={"text": SAID, "at": "yesterday"}).status_code == 422
    assert owner.post("/relink/attach", data={"text": SAID, "trace_id": "ghost"}).status_code == 404


def test_the_page_is_the_owners_and_takes_no_orders_from_other_sites(owner: TestClient, wheel: Wheel) -> None:
    form = {"text": SAID, "trace_id": "kettle"}
    assert owner.post("/relink/attach", data=form, headers={"origin": "https://evil.example"}).status_code == 403
    owner.post("/sign-out")
    owner.post("/sign-in", data={"name": "ann", "password": "a long password"})
    assert owner.get("/relink").status_code == 403
    assert owner.post("/relink/attach", data=form).status_code == 403
