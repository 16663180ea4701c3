"""The short way to the doors that are knocked at all day: the same doors, and the same answers."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from thumbwheel.api import capture, otlp, rate
from thumbwheel.app import Wheel
from thumbwheel.domain.person import Scope
from thumbwheel.errors import TooOften
from thumbwheel.serving import create_app


def test_every_door_is_described_or_another_address_of_one_that_is(wheel: Wheel) -> None:
    paths = create_app(wheel).openapi()["paths"]
    described = {path for path in (*capture.DOORS, *otlp.DOORS) if "post" in paths.get(path, {})}
    assert described == {"/v1/signals", "/v1/traces/batch", "/v1/traces", "/v1/logs", "/v1/metrics"}
    others = otlp.DOORS.keys() - described
    assert all(any(path.endswith(each) for each in described) for path in others)


@pytest.mark.parametrize("path", ["/v1/signals", "/v1/traces/batch", "/v1/traces"])
def test_another_method_is_told_so(client: TestClient, path: str) -> None:
    answer = client.put(path)
    assert answer.status_code == 405
    assert answer.headers["content-type"] == "application/problem+json"


def test_what_nobody_foresaw_is_a_problem_too(wheel: Wheel, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(_work: object) -> object:
        raise RuntimeError("unforeseen")

    with TestClient(create_app(wheel), raise_server_exceptions=False) as client:
        key = wheel.access.add_key("default", [Scope.ingest]).secret_key
        monkeypatch.setattr(wheel.capture, "keep", fail)
        said = {"trace_id": "t", "kind": "user_rating", "value": "up"}
        answer = client.post("/v1/signals", json=said, headers={"authorization": f"Bearer {key}"})
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "unforeseen" not in answer.text


def test_a_window_ends_and_windows_that_ended_are_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(rate, "monotonic", lambda: now)
    monkeypatch.setattr(rate, "_MANY", 3)
    counted = rate._Rate("2/minute", most=2, seconds=60, full=3)
    for name in ("a", "a", "b", "c"):
        counted.hit(name)
    with pytest.raises(TooOften) as refused:
        counted.hit("a")
    assert refused.value.retry_after == 60
    now = 1061.0
    counted.hit("a")
    counted.hit("d")
    assert set(counted.windows) == {("a",), ("d",)}
