"""Publishable keys: from which pages, how often, and how a beacon that cannot set headers carries one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.conftest import Clock
from thumbwheel.app import Wheel
from thumbwheel.config import Settings
from thumbwheel.domain.person import Scope
from thumbwheel.errors import ConfigInvalid, Invalid
from thumbwheel.services.access import origin_allowed
from thumbwheel.serving import create_app

APP = "https://app.example.com"
RATING = {"id": "s1", "trace_id": "t1", "kind": "user_rating", "value": "down"}


@pytest.fixture
def public_key(wheel: Wheel) -> str:
    wheel.access.allow_origins("default", [APP])
    return wheel.access.add_key("default", [Scope.ingest]).key.public_key


@pytest.fixture
def page(client: TestClient, wheel: Wheel, public_key: str) -> TestClient:
    """A client that sends what a browser on the page of APP would."""
    del client.headers["Authorization"]
    client.headers["Origin"] = APP
    return client


def beacon(page: TestClient, key: object, *signals: dict[str, Any], **headers: str) -> Any:
    body = json.dumps({"key": key, "signals": signals or [RATING]})
    return page.post("/v1/signals", content=body, headers={"Content-Type": "text/plain;charset=UTF-8"} | headers)


def test_a_beacon_carries_its_publishable_key_in_the_body(page: TestClient, wheel: Wheel, public_key: str) -> None:
    answer = beacon(page, public_key)
    assert answer.status_code == 201
    assert answer.json() == {"accepted": 1, "duplicates": 0, "rejected": []}
    assert answer.headers["access-control-allow-origin"] == APP
    assert "access-control-allow-credentials" not in answer.headers
    assert wheel.capture.count_pending(wheel.project("default")) == 1


def test_a_secret_key_in_a_body_is_refused(page: TestClient, wheel: Wheel) -> None:
    secret = wheel.access.add_key("default", [Scope.ingest]).secret_key
    for key in (secret, "", None, 5, "tw_pk_nobody"):
        answer = beacon(page, key)
        assert answer.status_code == 401
        assert answer.json()["type"] == "NotKnown"


def test_without_a_key_in_the_headers_no_long_body_is_read(page: TestClient, public_key: str) -> None:
    long = [RATING | {"id": str(n), "comment": "x" * 1000} for n in range(70)]
    assert beacon(page, public_key, *long).status_code == 413


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "https://app.example.com.evil.org", "null", "http://app.example.com"]
)
def test_a_page_of_another_origin_may_not_use_the_key(
    page: TestClient, wheel: Wheel, public_key: str, origin: str
) -> None:
    answer = beacon(page, public_key, Origin=origin)
    assert answer.status_code == 403
    assert answer.json()["type"] == "NotAllowed"
    assert "access-control-allow-origin" not in answer.headers
    assert (
        page.post(
            "/v1/signals", json=RATING, headers={"Authorization": f"Bearer {public_key}", "Origin": origin}
        ).status_code
        == 403
    )
    assert wheel.capture.count_pending(wheel.project("default")) == 0


def test_pages_of_this_server_and_programs_may_use_it(page: TestClient, public_key: str) -> None:
    assert beacon(page, public_key, Origin="http://testserver").status_code == 201
    del page.headers["Origin"]
    assert beacon(page, public_key).status_code == 201


def test_a_secret_key_is_not_held_to_origins(page: TestClient, wheel: Wheel) -> None:
    secret = wheel.access.add_key("default", [Scope.ingest]).secret_key
    headers = {"Authorization": f"Bearer {secret}", "Origin": "https://evil.example"}
    answer = page.post("/v1/signals", json=RATING, headers=headers)
    assert answer.status_code == 201
    assert "access-control-allow-origin" not in answer.headers


def test_one_projects_origins_are_not_anothers(page: TestClient, wheel: Wheel, public_key: str) -> None:
    other = wheel.access.add_key("other", [Scope.ingest]).key.public_key
    wheel.access.allow_origins("other", ["https://other.example"])
    assert beacon(page, other).status_code == 403
    assert beacon(page, public_key, Origin="https://other.example").status_code == 403


def test_a_preflight_is_answered_for_origins_some_project_allows(page: TestClient) -> None:
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    answer = page.options("/v1/signals", headers=asks)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == APP
    assert answer.headers["access-control-allow-headers"] == "authorization,content-type"
    assert "access-control-allow-credentials" not in answer.headers
    refused = page.options("/v1/signals", headers=asks | {"Origin": "https://evil.example"})
    assert refused.status_code == 403
    assert "access-control-allow-origin" not in refused.headers
    assert "access-control-allow-origin" not in page.options("/v1/draws", headers=asks).headers


def test_a_publishable_key_reads_nothing(page: TestClient, public_key: str) -> None:
    headers = {"Authorization": f"Bearer {public_key}"}
    assert page.get("/v1/traces/t1", headers=headers).status_code == 403
    assert page.post("/v1/traces/batch", json={"traces": []}, headers=headers).status_code == 403
    assert page.post("/v1/feedback-tokens", json={"trace_id": "t1"}, headers=headers).status_code == 403


@pytest.mark.parametrize(
    ("origin", "allowed", "answer"),
    [
        ("https://a.example.com", "https://*.example.com", True),
        ("https://a.b.example.com", "https://*.example.com", True),
        ("https://example.com", "https://*.example.com", False),
        ("https://evilexample.com", "https://*.example.com", False),
        ("http://a.example.com", "https://*.example.com", False),
        ("https://a.example.com:8443", "https://*.example.com", False),
        ("https://a.example.com:8443", "https://*.example.com:8443", True),
        ("https://anything.test", "*", True),
    ],
)
def test_an_origin_may_be_a_pattern(origin: str, allowed: str, answer: bool) -> None:
    assert origin_allowed(origin, [allowed]) is answer


@pytest.mark.parametrize(
    "text", ["example.com", "https://a.example/path", "ftp://a", "https://*", "null", "https://a b", ""]
)
def test_what_is_no_origin_is_refused(wheel: Wheel, text: str) -> None:
    wheel.project("default")
    with pytest.raises(Invalid, match="no origin"):
        wheel.access.allow_origins("default", [text])


# --- rates


@pytest.fixture
def slow(tmp_path: Path, clock: Clock) -> Iterator[tuple[Wheel, TestClient]]:
    settings = Settings(
        database_url=f"sqlite:///{tmp_path}/slow.db",
        key_rate="3/hour",
        browser_key_rate="3/hour",
        browser_rate="2/hour",
    )
    wheel = Wheel(settings, now=clock)
    with TestClient(create_app(wheel)) as client:
        yield wheel, client


def statuses(client: TestClient, times: int, **headers: str) -> list[int]:
    return [client.post("/v1/signals", json=RATING, headers=headers).status_code for _ in range(times)]


def test_a_key_that_knocks_too_often_waits_and_others_do_not(slow: tuple[Wheel, TestClient]) -> None:
    wheel, client = slow
    first, second = (wheel.access.add_key("default", [Scope.ingest]).secret_key for _ in range(2))
    assert statuses(client, 4, authorization=f"Bearer {first}") == [201, 201, 201, 429]
    answer = client.post("/v1/signals", json=RATING, headers={"authorization": f"Bearer {first}"})
    assert answer.json()["type"] == "TooOften"
    assert 0 < int(answer.headers["retry-after"]) <= 3600
    assert statuses(client, 1, authorization=f"Bearer {second}") == [201]


def test_one_address_does_not_use_up_a_publishable_key(slow: tuple[Wheel, TestClient]) -> None:
    wheel, client = slow
    key = wheel.access.add_key("default", [Scope.ingest]).key.public_key
    assert statuses(client, 3, authorization=f"Bearer {key}") == [201, 201, 429]
    with TestClient(create_app(wheel), client=("10.0.0.9", 1)) as elsewhere:
        assert statuses(elsewhere, 1, authorization=f"Bearer {key}") == [201]


def test_a_rate_that_does_not_read_like_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from thumbwheel.config import read_settings

    monkeypatch.setenv("THUMBWHEEL_BROWSER_RATE", "often")
    with pytest.raises(ConfigInvalid, match="600/minute"):
        read_settings()
