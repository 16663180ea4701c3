"""A real server for published clients."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import httpx2
import pytest

from tests.server import environment, run, serving


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


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server of a test's own."""
    folder = tmp_path_factory.mktemp("site")
    env = environment(f"sqlite:///{folder}/thumbwheel.db")
    key = run("key", "create", "--json", env=env)
    with serving(env, folder) as server:
        yield Site(server.url, key["public_key"], key["secret_key"])
