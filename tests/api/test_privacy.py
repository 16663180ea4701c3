"""What the doors keep by default: no names of users, no addresses, no secrets."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.conftest import NOW, Clock
from thumbwheel.app import Wheel
from thumbwheel.capture.privacy import pseudonym
from thumbwheel.config import Settings
from thumbwheel.domain.person import Scope
from thumbwheel.ports import Found
from thumbwheel.serving import create_app

MAIL, CARD, PHONE, KEY = (
    "ann@example.com",
    "4111 1111 1111 1111",
    "+44 20 7946 0958",
    "sk-proj-abcdefghijklmnop1234567890",
)


@pytest.fixture
def wheel(tmp_path: Path, clock: Clock, migrated: Path) -> Iterator[Wheel]:
    """With nothing set but what keeps the test quick."""
    shutil.copy(migrated, tmp_path / "wheel.db")
    wheel = Wheel(Settings(database_url=f"sqlite:///{tmp_path}/wheel.db", scrub="patterns"), now=clock)
    yield wheel
    wheel.stop()


def a_trace(trace_id: str = "t", **given: Any) -> dict[str, Any]:
    return {"id": trace_id, "started_at": NOW.isoformat(), "input": f"I am {MAIL}", "output": "Hello"} | given


def add(client: TestClient, *traces: dict[str, Any]) -> None:
    answer = client.post("/v1/traces/batch", json={"traces": list(traces)})
    assert answer.json()["accepted"] == len(traces)


def test_what_is_personal_is_taken_out_and_counted(client: TestClient) -> None:
    add(client, a_trace(output=f"Call {PHONE}, card {CARD}, key {KEY}, not {MAIL}", user_id="ann"))
    client.post("/v1/signals", json={"trace_id": "t", "kind": "user_rating", "value": "down", "comment": f"{MAIL}!"})
    got = client.get("/v1/traces/t").json()
    assert got["input"] == "I am <EMAIL_1>"
    assert got["output"] == "Call <PHONE_1>, card <CREDIT_CARD_1>, key <SECRET_1>, not <EMAIL_1>"
    assert got["signals"][0]["comment"] == "<EMAIL_1>!"
    assert got["scrubbed"] == {"EMAIL_ADDRESS": 3, "CREDIT_CARD": 1, "PHONE_NUMBER": 1, "SECRET": 1}


def test_a_user_becomes_a_pseudonym_that_can_be_made_again_from_the_id(client: TestClient, wheel: Wheel) -> None:
    add(client, a_trace(user_id="ann"), a_trace("t2", user_id="ann"))
    names = {client.get(f"/v1/traces/{trace_id}").json()["user_id"] for trace_id in ("t", "t2")}
    assert names == {pseudonym("ann", wheel.pseudonym_key(wheel.project("default")))}
    assert wheel.pseudonym_key(1) != wheel.pseudonym_key(2)


def test_a_user_is_found_by_the_id_the_client_knows(client: TestClient, wheel: Wheel) -> None:
    add(client, a_trace("own", user_id="ann"), a_trace("other", user_id="bo"))
    found = client.post("/v1/relink/candidates", json={"text": "hello", "user_id": "ann", "at": NOW.isoformat()})
    assert found.json()["items"][0]["trace_id"] == "own"
    pseudonym_of_ann = client.get("/v1/traces/own").json()["user_id"]
    for user in ("ann", pseudonym_of_ann):
        listed = client.get("/api/public/traces", params={"userId": user}).json()["data"]
        assert [each["id"] for each in listed] == ["own"]


def test_a_scrubber_that_fails_refuses_the_write(
    client: TestClient, wheel: Wheel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_self: object, _text: str) -> list[Found]:
        raise RuntimeError

    monkeypatch.setattr("thumbwheel.connectors.scrubber.PatternScrubber.find", broken)
    answer = client.post("/v1/traces/batch", json={"traces": [a_trace()]})
    assert (answer.status_code, answer.json()["title"]) == (503, "ScrubberFailed")
    assert answer.headers["retry-after"]
    assert client.get("/v1/traces/t").status_code == 404


@pytest.mark.parametrize(("consent", "status"), [(None, 422), ({"given": True}, 201), ({"given": False}, 422)])
def test_a_page_that_must_ask_is_held_to_it(
    client: TestClient, wheel: Wheel, consent: dict[str, Any] | None, status: int
) -> None:
    project_id = wheel.project("default")
    with wheel.ledger.begin(0) as tx:
        tx.people.set_project(project_id, {"consent": {"browser": "opt_in"}, "origins": ["*"]})
    add(client, a_trace())
    made = wheel.access.add_key("default", [Scope.ingest])
    said = {"trace_id": "t", "kind": "implicit_copy", "consent": consent}
    page = {"Authorization": f"Bearer {made.key.public_key}"}
    answer = client.post("/v1/signals", json=said, headers=page)
    assert answer.status_code == status
    if status == 422:
        assert answer.json()["title"] == "ConsentMissing"
    assert client.post("/v1/signals", json=said | {"consent": None, "id": "server"}).status_code == 201


@pytest.mark.parametrize(
    ("settings", "user", "said"),
    [
        ({"pseudonymise": False}, "ann", "I am <EMAIL_1>"),
        ({"pseudonymise": False, "scrub": "off"}, "ann", f"I am {MAIL}"),
    ],
)
def test_the_installation_may_be_told_otherwise(
    tmp_path: Path, clock: Clock, migrated: Path, settings: dict[str, Any], user: str, said: str
) -> None:
    shutil.copy(migrated, tmp_path / "other.db")
    wheel = Wheel(
        Settings(database_url=f"sqlite:///{tmp_path}/other.db", **{"scrub": "patterns"} | settings), now=clock
    )
    with TestClient(create_app(wheel)) as client:
        client.headers["Authorization"] = f"Bearer {wheel.access.add_key('default', Scope).secret_key}"
        add(client, a_trace(user_id="ann"))
        got = client.get("/v1/traces/t").json()
    assert (got["user_id"], got["input"]) == (user, said)
