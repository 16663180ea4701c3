"""The examples of docs/client.md, as they stand there, against the real server."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.server import environment, run, serving

PAGE = Path(__file__).parents[2] / "docs" / "client.md"


@dataclass
class Place:
    """A folder with the examples in it, and a server they report to."""

    folder: Path
    url: str
    key: str

    @property
    def env(self) -> dict[str, str]:
        return dict(os.environ) | {"THUMBWHEEL_SERVER": self.url, "THUMBWHEEL_KEY": self.key}

    def signals(self, n: int) -> list[dict[str, Any]]:
        """The signals of the trace t1, once there are `n`."""
        end = time.monotonic() + 20
        while True:
            answer = httpx2.get(f"{self.url}/v1/traces/t1", headers={"Authorization": f"Bearer {self.key}"}).json()
            if len(answer["signals"]) >= n:
                assert len(answer["signals"]) == n
                return sorted(answer["signals"], key=lambda each: each["kind"])
            assert time.monotonic() < end, answer
            time.sleep(0.05)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    for name, text in re.findall(r"```python\n# (\w+\.py)\n(.*?)```", PAGE.read_text(), re.DOTALL):
        (tmp_path / name).write_text(text)
    env = environment(f"sqlite:///{tmp_path}/wheel.db")
    key = run("key", "create", "--scopes", "ingest,read", "--json", env=env)["secret_key"]
    with serving(env, tmp_path) as server:
        trace = {"id": "t1", "started_at": "2026-11-20T10:00:00Z", "output": "A return costs 4 euros."}
        headers = {"Authorization": f"Bearer {key}"}
        httpx2.post(f"{server.url}/v1/traces/batch", json={"traces": [trace]}, headers=headers).raise_for_status()
        yield Place(tmp_path, server.url, key)


@contextmanager
def application(place: Place, *words: str) -> Iterator[str]:
    """An example as a process of its own; its address. Stopped as a supervisor would."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", *words, "--port", str(port)], cwd=place.folder, env=place.env)
    url = f"http://127.0.0.1:{port}"
    end = time.monotonic() + 30
    try:
        while True:
            try:
                httpx2.get(url)
                break
            except httpx2.TransportError:
                assert process.poll() is None
                assert time.monotonic() < end
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def test_the_fastapi_example_reports_and_flushes_when_it_stops(place: Place) -> None:
    with application(place, "uvicorn", "fastapi_app:app") as url:
        said = {"up": False, "reason": "outdated"}
        assert httpx2.post(f"{url}/answers/t1/thumb", json=said).status_code == 204
    assert [(each["kind"], each.get("value"), each.get("reason")) for each in place.signals(2)] == [
        ("user_rating", "down", None),
        ("user_reason", None, "outdated"),
    ]


def test_the_flask_example_reports(place: Place) -> None:
    with application(place, "flask", "--app", "flask_app", "run") as url:
        edited = {"text": "A return costs 5 euros.", "user": "ada"}
        assert httpx2.post(f"{url}/answers/t1/edit", json=edited).status_code == 204
        assert httpx2.post(f"{url}/answers/t1/regenerate").status_code == 204
        regenerated, edit = place.signals(2)
    assert regenerated["kind"] == "implicit_regenerate"
    assert edit["edited"] == "A return costs 5 euros."
    assert edit["edit_kind"] == "correction"


def test_the_mails_link_opens_a_page_whose_button_reports(place: Place) -> None:
    done = subprocess.run(
        [sys.executable, "mail.py"], cwd=place.folder, env=place.env, capture_output=True, text=True, check=True
    )
    link = re.search(r"No: (\S+)", done.stdout)
    assert link
    page = httpx2.get(link[1])
    assert page.status_code == 200
    form = dict(re.findall(r'name="(id)" value="(\w+)"', page.text)) | {"value": "down"}
    assert httpx2.post(link[1], data=form).status_code == 201
    (rating,) = place.signals(1)
    assert rating["value"] == "down"


def test_the_first_example_names_calls_that_are_there() -> None:
    from thumbwheel.client import AsyncClient, Client

    called = set(re.findall(r"feedback\.(\w+)\(", PAGE.read_text()))
    assert called == {"rate", "reason", "edit", "implicit", "close"}
    assert all(hasattr(kind, name) for kind in (Client, AsyncClient) for name in called)
