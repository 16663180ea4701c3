"""The client applications report feedback with: it sends once, keeps trying, stays small and never raises."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2
import pytest

from thumbwheel.client import AsyncClient, Client

Answer = tuple[int, dict[str, str], dict[str, Any]]


def taken(signals: list[dict[str, Any]]) -> Answer:
    return 201, {}, {"accepted": len(signals), "duplicates": 0, "rejected": []}


class Script:
    """A server's side: answers in turn, the last one for ever."""

    def __init__(self, *answers: Callable[[list[dict[str, Any]]], Answer] | Exception) -> None:
        self.answers = list(answers) or [taken]
        self.batches: list[list[dict[str, Any]]] = []
        self.times: list[float] = []
        self.headers: list[httpx2.Headers] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.times.append(time.monotonic())
        self.headers.append(request.headers)
        self.batches.append(json.loads(request.content)["signals"])
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        status, headers, body = answer(self.batches[-1])
        return httpx2.Response(status, headers=headers, json=body)

    @property
    def signals(self) -> list[dict[str, Any]]:
        return [signal for batch in self.batches for signal in batch]


def says(status: int, **headers: str) -> Callable[[list[dict[str, Any]]], Answer]:
    return lambda _signals: (status, {name.replace("_", "-"): value for name, value in headers.items()}, {})


@pytest.fixture
def connect() -> Iterator[Callable[..., Client]]:
    made: list[Client] = []

    def make(script: Callable[[httpx2.Request], httpx2.Response], **options: Any) -> Client:
        client = Client(
            "http://server/", "tw_sk_x", transport=httpx2.MockTransport(script), **{"every": 0.01} | options
        )
        made.append(client)
        return client

    yield make
    for client in made:
        client.close(0)


def test_each_call_is_one_signal_of_its_kind(connect: Callable[..., Client]) -> None:
    script = Script()
    client = connect(script)
    at = datetime(2026, 11, 23, tzinfo=UTC)
    ids = [
        client.rate("t", "up", user_id="ada", at=at),
        client.reason("t", "too_long", comment="much"),
        client.edit("t", "b", original="a", rights={"train", "evaluate"}),
        client.implicit("t", "regenerate"),
        client.implicit("t", "dwell", seconds=2.5),
        client.implicit("t", "copy_edit", edited="c", consent={"given": True}),
    ]
    assert client.flush()
    sent = script.signals
    assert [each["id"] for each in sent] == ids
    assert len(set(ids)) == 6
    assert sent[0] == {
        "id": ids[0],
        "trace_id": "t",
        "kind": "user_rating",
        "value": "up",
        "user_id": "ada",
        "at": at.isoformat(),
    }
    assert [each["kind"] for each in sent[1:]] == [
        "user_reason",
        "user_edit",
        "implicit_regenerate",
        "implicit_dwell",
        "implicit_copy_edit",
    ]
    assert sent[2]["rights"] == ["evaluate", "train"]
    assert sent[4]["seconds"] == 2.5
    assert script.headers[0]["authorization"] == "Bearer tw_sk_x"
    assert client.counters == (6, 0, 0, 0, 0)


def test_signals_travel_together(connect: Callable[..., Client]) -> None:
    script = Script()
    client = connect(script, every=30, batch=50)
    for _ in range(120):
        client.rate("t", "up")
    assert client.flush()
    assert sorted(map(len, script.batches)) == [20, 50, 50]


def test_a_busy_server_is_asked_again_when_it_said(connect: Callable[..., Client]) -> None:
    script = Script(says(429, retry_after="1"), says(503, retry_after="0"), httpx2.ConnectError("gone"), taken)
    client = connect(script)
    client.rate("t", "up")
    assert client.flush(10)
    assert len({json.dumps(batch) for batch in script.batches}) == 1
    assert script.times[1] - script.times[0] >= 1.0
    assert script.times[2] - script.times[1] < 0.4
    assert 0.2 < script.times[3] - script.times[2] < 4.0
    assert client.counters == (1, 0, 0, 3, 0)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_what_the_server_will_never_take_is_counted_and_logged(
    connect: Callable[..., Client], status: int, caplog: pytest.LogCaptureFixture
) -> None:
    client = connect(script := Script(says(status)))
    client.rate("t", "up")
    assert client.flush()
    assert len(script.batches) == 1
    assert client.counters.rejected == 1
    assert "refused 1 of 1" in caplog.text


def test_one_refused_signal_costs_only_itself(connect: Callable[..., Client]) -> None:
    client = connect(Script(lambda _: (201, {}, {"accepted": 1, "duplicates": 0, "rejected": [{"index": 0}]})), every=5)
    client.reason("t", "nonsense")
    client.rate("t", "up")
    assert client.flush()
    assert client.counters[:2] == (1, 1)


def test_a_batch_that_is_too_large_is_halved(connect: Callable[..., Client]) -> None:
    def small_only(signals: list[dict[str, Any]]) -> Answer:
        return taken(signals) if len(signals) <= 2 else (413, {}, {})

    client = connect(script := Script(small_only), every=5)
    for _ in range(7):
        client.rate("t", "up")
    assert client.flush()
    assert client.counters[:2] == (7, 0)
    assert sorted(len(batch) for batch in script.batches if len(batch) <= 2) == [1, 2, 2, 2]


def test_memory_is_bounded_and_the_oldest_go_first(
    connect: Callable[..., Client], caplog: pytest.LogCaptureFixture
) -> None:
    blocked = threading.Event()
    script = Script(lambda signals: (blocked.wait(10), taken(signals))[1])
    client = connect(script, max_pending=20, batch=5)
    for number in range(100):
        client.rate(f"t{number}", "up")
    assert client.counters.pending <= 20
    assert client.counters.dropped == 100 - client.counters.pending
    assert caplog.text.count("oldest are dropped") == 1
    blocked.set()
    assert client.flush()
    assert script.signals[-1]["trace_id"] == "t99"
    assert client.counters.sent + client.counters.dropped == 100


def test_bytes_are_bounded_too(connect: Callable[..., Client]) -> None:
    blocked = threading.Event()
    client = connect(Script(lambda signals: (blocked.wait(10), taken(signals))[1]), max_bytes=100_000, batch=1)
    for _ in range(50):
        client.edit("t", "x" * 10_000)
    assert client.counters.pending <= 11
    blocked.set()


class Awkward:
    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.rate("t", "sideways"),
        lambda client: client.rate("", "up"),
        lambda client: client.rate(None, "up"),
        lambda client: client.implicit("t", "sneeze"),
        lambda client: client.implicit("t", 5),
        lambda client: client.implicit("t", "dwell"),
        lambda client: client.implicit("t", "dwell", seconds=float("nan")),
        lambda client: client.implicit("t", "copy", seconds=3),
        lambda client: client.edit("t", Awkward()),
    ],
)
def test_what_is_no_signal_is_logged_and_never_raised(
    connect: Callable[..., Client], call: Callable[[Client], object], caplog: pytest.LogCaptureFixture
) -> None:
    client = connect(script := Script())
    assert call(client) is None
    assert client.flush()
    assert client.counters == (0, 1, 0, 0, 0)
    assert script.batches == []
    assert "could not be made" in caplog.text


def test_closing_sends_what_waits_and_takes_no_more(connect: Callable[..., Client]) -> None:
    client = connect(script := Script(), every=60)
    client.rate("t", "up")
    with client:
        client.rate("t", "down")
    client.rate("t", "up")
    assert len(script.signals) == 2
    assert client.counters == (2, 0, 1, 0, 0)


def test_closing_does_not_wait_for_a_server_that_is_away(
    connect: Callable[..., Client], caplog: pytest.LogCaptureFixture
) -> None:
    client = connect(Script(httpx2.ConnectError("gone")))
    client.rate("t", "up")
    began = time.monotonic()
    client.close(0.3)
    assert time.monotonic() - began < 2
    assert client.counters.dropped == 1
    assert "1 signals were not sent" in caplog.text


def test_the_async_client_never_holds_up_the_loop() -> None:
    def slow(signals: list[dict[str, Any]]) -> Answer:
        time.sleep(0.3)
        return taken(signals)

    script = Script(slow)

    async def use() -> tuple[float, bool, int]:
        async with AsyncClient(
            "http://server", "tw_sk_x", every=0.01, transport=httpx2.MockTransport(script)
        ) as client:
            await client.rate("t", "up")
            await client.reason("t", "other")
            await client.edit("t", "better")
            await client.implicit("t", "copy")
            worst = 0.0
            flushing = asyncio.create_task(client.flush())
            while not flushing.done():
                before = time.monotonic()
                await asyncio.sleep(0.01)
                worst = max(worst, time.monotonic() - before)
            return worst, await flushing, client.counters.sent

    worst, flushed, sent = asyncio.run(use())
    assert flushed
    assert sent == 4
    assert worst < 0.25


# --- the process around it


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A real server that keeps what it gets; its address."""
    got: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.extend(json.loads(self.rfile.read(int(self.headers["content-length"])))["signals"])
            body = b'{"accepted":1,"duplicates":0,"rejected":[]}'
            self.send_response(201)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", got
    server.shutdown()
    server.server_close()


def run(code: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout


def test_the_end_of_the_process_sends_what_waits(receiver: tuple[str, list[dict[str, Any]]]) -> None:
    url, got = receiver
    run("import sys\nfrom thumbwheel.client import Client\nClient(sys.argv[1], 'k', every=60).rate('t', 'down')", url)
    assert [each["value"] for each in got] == ["down"]


FORKING = """
import os, sys, time
from thumbwheel.client import Client
client = Client(sys.argv[1], 'k', every=60)
client.rate('parent', 'up')
time.sleep(.2)
child = os.fork()
if child == 0:
    client.rate('child', 'up')
    ok = client.flush(10) and client.counters.sent == 1
    client.close()
    os._exit(0 if ok else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_sends_its_own_and_its_parent_the_rest(receiver: tuple[str, list[dict[str, Any]]]) -> None:
    url, got = receiver
    assert run(FORKING, url).strip() == "0"
    assert sorted(each["trace_id"] for each in got) == ["child", "parent"]


ALONE = """
import sys, time
began = time.process_time()
import thumbwheel.client
print(time.process_time() - began)
print([name for name in sys.modules if name.startswith(("thumbwheel.", "httpx", "asyncio", "pydantic", "msgspec"))])
"""


def test_importing_it_costs_little_and_brings_nothing_else() -> None:
    answers = [run(ALONE).splitlines() for _ in range(5)]
    assert min(float(seconds) for seconds, _ in answers) < 0.05
    assert answers[0][1] == "['thumbwheel.client']"
