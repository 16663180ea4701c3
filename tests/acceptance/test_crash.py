"""Acknowledged means committed: what a server answered for is there after it was killed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import text

from tests.postgres import create_database, drop_database
from tests.server import Server, environment, run, serving
from thumbwheel.store.engine import open_engine

CALLERS = 8


class Caller(threading.Thread):
    """Sends traces and signals until the server is gone, and remembers what was acknowledged."""

    def __init__(self, url: str, key: str, number: int) -> None:
        super().__init__(daemon=True)
        self.acknowledged: set[str] = set()
        self._number = number
        self._client = httpx2.Client(base_url=url, headers={"authorization": f"Bearer {key}"}, timeout=10)

    def run(self) -> None:
        at = datetime.now(UTC).isoformat()
        try:
            for count in range(1_000_000):
                self._send(f"{self._number}-{count}", at)
        except httpx2.TransportError:
            return

    def _send(self, name: str, at: str) -> None:
        traces = [{"id": f"{name}-{k}", "started_at": at, "input": "q", "output": "a" * 500} for k in range(3)]
        if self._client.post("/v1/traces/batch", json={"traces": traces}).status_code == 201:
            self.acknowledged |= {f"trace {trace['id']}" for trace in traces}
        signal = {"id": f"s-{name}", "trace_id": f"{name}-0", "kind": "user_rating", "value": "down"}
        if self._client.post("/v1/signals", json=signal).status_code == 201:
            self.acknowledged.add(f"signal s-{name}")


def stored(database_url: str) -> set[str]:
    engine = open_engine(database_url)
    with engine.connect() as connection:
        traces = {f"trace {row.trace_id}" for row in connection.execute(text("SELECT trace_id FROM traces"))}
        both = "SELECT event_id FROM signals UNION SELECT event_id FROM pending_signals"
        signals = {f"signal {row.event_id}" for row in connection.execute(text(both))}
    engine.dispose()
    return traces | signals


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> object:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/crash.db"
        return
    server = request.getfixturevalue("postgres_server")
    yield create_database(server, "crash")
    drop_database(server, "crash")


@pytest.mark.parametrize("end", [Server.kill, Server.stop], ids=["SIGKILL", "SIGTERM"])
def test_no_acknowledged_row_is_lost_when_the_server_dies_under_load(
    database_url: str, tmp_path: Path, end: Callable[[Server], object]
) -> None:
    env = environment(database_url)
    key = run("key", "create", "--scopes", "ingest", "--json", env=env)["secret_key"]
    with serving(env, tmp_path) as server:
        callers = [Caller(server.url, key, number) for number in range(CALLERS)]
        for caller in callers:
            caller.start()
        while sum(len(caller.acknowledged) for caller in callers) < 400:
            assert server.process.poll() is None
            time.sleep(0.02)
        end(server)
        for caller in callers:
            caller.join(30)
    acknowledged = set().union(*(caller.acknowledged for caller in callers))
    assert len(acknowledged) >= 400
    assert acknowledged - stored(database_url) == set()
