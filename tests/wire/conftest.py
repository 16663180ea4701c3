"""A real server for published clients."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import httpx2
import pytest

from tests.server import environment, serving
from thumbwheel.app import Wheel
from thumbwheel.config import Settings
from thumbwheel.domain.person import Scope


@dataclass(frozen=True)
class Site:
    """A server with a key pair, and what it holds."""

    url: str
    public_key: str
    secret_key: str

    @property
    def settings(self) -> dict[str, str]:
        """What a program is told of it."""
        return {"BASE": self.url, "PUBLIC": self.public_key, "SECRET": self.secret_key}

    def trace(self, trace_id: str) -> dict:
        """A trace as thumbwheel itself understands it."""
        found = httpx2.get(f"{self.url}/v1/traces/{trace_id}", headers={"authorization": f"Bearer {self.secret_key}"})
        assert found.status_code == 200, found.text
        return found.json()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Wheel]]:
    """The address of a server for every test, and its store from this process."""
    folder = tmp_path_factory.mktemp("server")
    env = environment(f"sqlite:///{folder}/thumbwheel.db")
    with serving(env, folder) as server:
        wheel = Wheel(Settings(database_url=env["THUMBWHEEL_DATABASE_URL"]))
        yield server.url, wheel
        wheel.stop()


@pytest.fixture
def site(server: tuple[str, Wheel], request: pytest.FixtureRequest) -> Site:
    """A project of a test's own."""
    url, wheel = server
    project = re.sub(r"\W+", "-", request.node.name)[:90]
    made = wheel.access.add_key(project, [Scope.ingest, Scope.read])
    return Site(url, made.key.public_key, made.secret_key)
