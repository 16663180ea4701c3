"""Signals acknowledged a second over HTTP at 64 connections, beside the same endpoint doing nothing.

One server process, SQLite with synchronous=FULL, one signal a request. The endpoint that does nothing reads the body
and answers the same JSON from the same framework: what it reaches is the ceiling of the HTTP stack here.

    python benchmarks/bench_signals.py [--seconds 8] [--connections 64]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import Request, urlopen

from load import Load, request, run_load

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.server import environment, run, serving

_NOTHING = """
import uvicorn
from fastapi import FastAPI, Request, Response
app = FastAPI()
@app.post("/v1/signals")
async def nothing(request: Request) -> Response:
    await request.body()
    return Response(b'{"accepted":1,"duplicates":0,"rejected":[]}', 201, media_type="application/json")
@app.get("/readyz")
async def ready() -> None: ...
uvicorn.run(app, port=PORT, log_level="warning", access_log=False)
"""


@contextmanager
def doing_nothing(port: int) -> Iterator[None]:
    """The same endpoint with nothing behind it."""
    process = subprocess.Popen([sys.executable, "-c", _NOTHING.replace("PORT", str(port))])
    try:
        for _ in range(400):
            try:
                urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1)
                break
            except OSError:
                time.sleep(0.05)
        yield
    finally:
        process.kill()
        process.wait()


def fill(url: str, key: str, n: int) -> None:
    """`n` traces for the signals to be about."""
    at = datetime.now(UTC).isoformat()
    for begin in range(0, n, 500):
        traces = [
            {"id": f"t{number}", "started_at": at, "category": f"c{number % 20}", "input": "q", "output": "a" * 200}
            for number in range(begin, begin + 500)
        ]
        body = json.dumps({"traces": traces}).encode()
        urlopen(Request(f"{url}/v1/traces/batch", body, {"authorization": f"Bearer {key}"}))


def show(name: str, load: Load) -> None:
    """One line."""
    statuses = ", ".join(f"{n} x {status}" for status, n in sorted(load.statuses.items()))
    p50, p99 = load.percentile(0.5), load.percentile(0.99)
    print(f"{name:24}{load.per_second:10.0f}/s   p50 {p50:6.1f} ms   p99 {p99:6.1f} ms   {statuses}")


def main() -> None:
    """Measure both and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--connections", type=int, default=64)
    asked = parser.parse_args()
    given = {"connections": asked.connections, "seconds": asked.seconds}

    def signal(number: int, port: int, key: str) -> bytes:
        said = {"id": f"s{number}", "trace_id": f"t{number % 20_000}", "kind": "user_rating", "value": "down"}
        return request("127.0.0.1", port, "/v1/signals", key, json.dumps(said).encode())

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        env = environment(f"sqlite:///{folder}/bench.db")
        key = run("key", "create", "--scopes", "ingest", "--json", env=env)["secret_key"]
        with serving(env, folder) as server:
            fill(server.url, key, 20_000)
            port = int(server.url.rsplit(":", 1)[1])
            kept = run_load("127.0.0.1", port, lambda number: signal(number, port, key), **given)
    with doing_nothing(8765):
        nothing = run_load("127.0.0.1", 8765, lambda number: signal(number, 8765, key), **given)
    show("signals acknowledged", kept)
    show("doing nothing", nothing)
    print(f"\nkeeping signals reaches {kept.per_second / nothing.per_second:.0%} of an endpoint that does nothing")


if __name__ == "__main__":
    main()
