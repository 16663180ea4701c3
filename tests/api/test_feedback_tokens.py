"""Feedback links: one trace, for a while, without a key."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.conftest import Clock
from thumbwheel.app import Wheel
from thumbwheel.client import sign_feedback_token
from thumbwheel.domain.person import Scope

TRACE = {"id": "t1", "started_at": "2026-11-23T10:00:00Z", "input": "?", "output": "Four euros."}


@pytest.fixture
def secret(wheel: Wheel) -> str:
    return wheel.access.add_key("default", [Scope.ingest]).secret_key


@pytest.fixture
def public(client: TestClient) -> TestClient:
    """A client with a trace behind it and without a key."""
    client.post("/v1/traces/batch", json={"traces": [TRACE]})
    client.reading = dict(client.headers)  # type: ignore[attr-defined]
    del client.headers["Authorization"]
    return client


def signals(client: TestClient, trace_id: str = "t1") -> list[dict[str, Any]]:
    return client.get(f"/v1/traces/{trace_id}", headers=client.reading).json()["signals"]  # type: ignore[attr-defined]


def sign(secret: str, clock: Clock, trace_id: str = "t1", **more: Any) -> str:
    return sign_feedback_token(trace_id, timedelta(days=1), secret, now=clock(), **more)


def test_rating_reason_and_edit_arrive_at_the_links_own_trace(public: TestClient, secret: str, clock: Clock) -> None:
    said = {
        "id": "x",
        "trace_id": "t2",
        "value": "down",
        "reason": "hallucination",
        "edited": "Five euros.",
        "comment": "no",
    }
    answer = public.post(f"/v1/feedback/{sign(secret, clock, user_id='ada')}", json=said)
    assert answer.status_code == 201
    assert answer.json() == {"accepted": 3, "duplicates": 0, "rejected": []}
    stored = {each["kind"]: each for each in signals(public)}
    assert stored["user_rating"]["value"] == "down"
    assert stored["user_rating"]["comment"] == "no"
    assert stored["user_reason"]["reason"] == "hallucination"
    assert stored["user_edit"]["edited"] == "Five euros."
    assert len({each["user_id"] for each in stored.values()}) == 1
    again = public.post(
        f"/v1/feedback/{sign(secret, clock)}".replace(sign(secret, clock), sign(secret, clock, user_id="ada")),
        json=said,
    )
    assert again.json()["duplicates"] == 3


def test_opening_a_link_keeps_nothing(public: TestClient, secret: str, clock: Clock) -> None:
    page = public.get(f"/v1/feedback/{sign(secret, clock)}?value=down")
    assert page.status_code == 200
    assert re.search(r'value="down" required checked', page.text)
    assert "Four euros" not in page.text
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    assert signals(public) == []


def test_the_pages_button_keeps_it_once(public: TestClient, secret: str, clock: Clock) -> None:
    url = f"/v1/feedback/{sign(secret, clock)}"
    nonce = re.search(r'name="id" value="(\w+)"', public.get(url).text)
    assert nonce
    form = {"id": nonce[1], "value": "down", "reason": "too_long", "comment": "Kürzer, bitte."}
    for _ in range(2):
        answer = public.post(url, data=form)
        assert answer.status_code == 201
        assert "Thank you" in answer.text
    assert sorted((each["kind"], each.get("comment")) for each in signals(public)) == [
        ("user_rating", "Kürzer, bitte."),
        ("user_reason", None),
    ]


def test_a_link_ends(public: TestClient, secret: str, clock: Clock) -> None:
    token = sign(secret, clock)
    clock.advance(hours=24)
    refused = public.post(f"/v1/feedback/{token}", json={"value": "up"})
    assert (refused.status_code, refused.json()["type"]) == (403, "LinkExpired")
    assert public.get(f"/v1/feedback/{token}").status_code == 403
    assert signals(public) == []


def test_an_altered_link_is_not_valid(public: TestClient, secret: str, clock: Clock) -> None:
    payload, _, signature = sign(secret, clock).partition(".")
    claims = urlsafe_b64decode(payload + "==")
    forged = urlsafe_b64encode(claims.replace(b'"t1"', b'"t2"')).rstrip(b"=").decode()
    far = urlsafe_b64encode(re.sub(rb'"e":\d+', b'"e":99999999999', claims)).rstrip(b"=").decode()
    bad = [
        f"{forged}.{signature}",
        f"{far}.{signature}",
        payload,
        f"{payload}.",
        "x",
        "a.b",
        f"{payload}.{signature[:-2]}",
    ]
    bad += [
        urlsafe_b64encode(text).decode() + ".x" for text in (b"[]", b'{"k":1,"t":"t1","e":1}', b"{" * 5000, b"\xff")
    ]
    bad += [sign("tw_sk_of_nobody", clock), sign(secret + "x", clock)]
    for token in bad:
        answer = public.post(f"/v1/feedback/{token}", json={"value": "up"})
        assert (answer.status_code, answer.json()["type"]) == (401, "NotKnown"), token
    assert signals(public) == []


def test_revoking_a_key_voids_the_links_it_signed(public: TestClient, wheel: Wheel, clock: Clock) -> None:
    made = wheel.access.add_key("default", [Scope.ingest])
    token = sign(made.secret_key, clock)
    assert public.post(f"/v1/feedback/{token}", json={"value": "up"}).status_code == 201
    wheel.access.revoke_key(made.key.id)
    assert public.post(f"/v1/feedback/{token}", json={"value": "up"}).status_code == 401


def test_a_key_that_may_only_read_signs_nothing(public: TestClient, wheel: Wheel, clock: Clock) -> None:
    token = sign(wheel.access.add_key("default", [Scope.read]).secret_key, clock)
    assert public.post(f"/v1/feedback/{token}", json={"value": "up"}).status_code == 403


def test_a_link_of_one_project_says_nothing_in_another(public: TestClient, wheel: Wheel, clock: Clock) -> None:
    token = sign(wheel.access.add_key("other", [Scope.ingest]).secret_key, clock)
    assert public.post(f"/v1/feedback/{token}", json={"value": "up"}).status_code == 201
    assert signals(public) == []


def test_the_server_makes_links_too(public: TestClient, client: TestClient) -> None:
    asked = {"trace_id": "t1", "expires_in": 3600, "user_id": "ada"}
    made = client.post("/v1/feedback-tokens", json=asked, headers=client.reading)  # type: ignore[attr-defined]
    assert made.status_code == 201
    assert made.json()["expires_at"] == "2026-11-23T13:00:00+00:00"
    assert made.json()["url"].endswith(made.json()["token"])
    assert public.post(made.json()["url"], json={"reason": "unsafe"}).status_code == 201
    assert [each["reason"] for each in signals(public)] == ["unsafe"]
    refused = client.post("/v1/feedback-tokens", json=asked | {"expires_in": 10**12}, headers=client.reading)  # type: ignore[attr-defined]
    assert refused.status_code == 422


@pytest.mark.parametrize(
    ("body", "field"), [({}, "value"), ({"value": "sideways"}, "value"), ({"reason": "ugly"}, "reason"), ([1], None)]
)
def test_what_says_nothing_is_refused(
    public: TestClient, secret: str, clock: Clock, body: Any, field: str | None
) -> None:
    answer = public.post(f"/v1/feedback/{sign(secret, clock)}", json=body)
    assert answer.status_code == 422
    assert answer.json().get("field") == field


def test_a_form_that_says_nothing_is_told_so_on_a_page(public: TestClient, secret: str, clock: Clock) -> None:
    answer = public.post(f"/v1/feedback/{sign(secret, clock)}", data={"comment": "<b>hm</b>"})
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("text/html")
    assert "Say something" in answer.text
