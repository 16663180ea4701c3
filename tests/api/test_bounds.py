"""What comes too large, too deep or too often is refused by every door before it costs anything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.conftest import NOW
from thumbwheel.app import Wheel
from thumbwheel.domain.person import Scope
from thumbwheel.serving import create_app

DOORS = [
    "/v1/draws",
    "/v1/annotations",
    "/v1/codebooks",
    "/v1/fixes",
    "/v1/alerts",
    "/v1/relink",
    "/v1/feedback-tokens",
]
DOORS += ["/v1/signals", "/v1/traces/batch", "/v1/traces", "/api/public/ingestion", "/langsmith/runs/batch"]


@pytest.fixture
def small(wheel: Wheel) -> Iterator[TestClient]:
    """A server that takes little."""
    wheel.settings.max_body_bytes = 100_000
    made = wheel.access.add_key("default", Scope)
    with TestClient(create_app(wheel), raise_server_exceptions=False) as client:
        client.headers["Authorization"] = f"Bearer {made.secret_key}"
        client.headers["Content-Type"] = "application/json"
        yield client


def pieces(n: int) -> Iterator[bytes]:
    yield b'{"a": "'
    for _ in range(n):
        yield b"x" * 10_000


@pytest.mark.parametrize("path", DOORS)
def test_a_body_is_read_no_further_than_is_taken(small: TestClient, path: str) -> None:
    said = small.post(path, content=b"x" * 3_000_000)
    coming = small.post(path, content=pieces(300))
    assert [said.status_code, coming.status_code] == [413, 413]
    if not path.startswith("/api/public"):
        assert "larger than 100000 bytes" in said.text + coming.text


def test_nobody_is_asked_for_a_key_with_a_body_in_memory(small: TestClient) -> None:
    del small.headers["Authorization"]
    for path in ("/v1/draws", "/v1/codebooks"):
        assert small.post(path, content=b"x" * 3_000_000).status_code == 413
        assert small.post(path, content=pieces(300)).status_code == 413
    assert small.post("/v1/draws", content=b"{}").status_code in {401, 422}


def test_what_is_nested_too_deeply_names_its_field_and_nothing_more(client: TestClient) -> None:
    value: Any = "x"
    for _ in range(70):
        value = [value]
    body = {"traces": [{"id": "t", "started_at": NOW.isoformat(), "input": value}]}
    said = client.post("/v1/traces/batch", json=body)
    assert said.status_code == 422
    assert said.json()["field"] == "input"


@pytest.mark.parametrize("path", ["/v1/signals", "/v1/traces/batch"])
def test_what_is_no_json_is_told_what_is_taken(client: TestClient, path: str) -> None:
    for kind in ("application/xml", "application/x-protobuf", "multipart/form-data; boundary=x", "image/png"):
        said = client.post(path, content=b"\x0a\x00<a/>", headers={"Content-Type": kind})
        assert (said.status_code, said.json()["type"]) == (415, "WrongContentType")
    for kind in ("application/json", "text/plain", "application/ld+json; charset=utf-8"):
        assert client.post(path, content=b"nope", headers={"Content-Type": kind}).status_code == 422
    packed = client.post(path, content=b"nope", headers={"Content-Encoding": "br"})
    assert packed.status_code == 415


def test_json_is_taken_whatever_it_is_called(client: TestClient) -> None:
    said = '{"trace_id": "t", "kind": "implicit_copy", "not_ours": {"deep": [1]}}'
    for kind in ("text/plain;charset=UTF-8", "application/x-www-form-urlencoded", "application/octet-stream"):
        assert client.post("/v1/signals", content=said, headers={"Content-Type": kind}).status_code == 201


@pytest.mark.parametrize("path", ["/v1/draws", "/v1/annotations", "/v1/alerts", "/v1/mix/replay"])
def test_a_door_that_takes_json_alone_says_so(client: TestClient, path: str) -> None:
    said = client.post(path, content=b"{}", headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert (said.status_code, said.json()["type"]) == (415, "WrongContentType")
    assert said.json()["detail"] == "Send Content-Type: application/json."


def test_a_window_that_is_none_is_told_how_one_is_written(client: TestClient) -> None:
    said = client.post("/v1/draws", json={"budget": 3, "window": "a week"}).json()
    assert (said["field"], said["detail"]) == ("window", "'a week' is no span of time; write 7d, 24h, 90m or 30s.")
    said = client.post("/v1/draws", json={"budget": 3, "window": {"from": "2026-11-20T00:00:00Z"}}).json()
    assert said["field"] == "window.to"
