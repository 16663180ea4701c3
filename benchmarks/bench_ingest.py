"""Traces over OTLP and signals over HTTP: how many a second one process acknowledges, and what each costs it.

    python benchmarks/bench_ingest.py [--seconds 6] [--scrub off patterns]

One server process on SQLite with synchronous=FULL, as a fresh install has it but for the rates; it and the client have
a core each. An answer means that the rows are durable: when the load ends every acknowledged row is looked for in the
file, and while it runs a trace is now and then fetched right after the answer to its batch. Beside them, in the same run, an endpoint of the
same framework that reads the body and does nothing: the ceiling of the HTTP stack. Compare CPU, and figures of one run;
what is acknowledged a second depends on what else the machine does.

A trace is 2 KB as protobuf: a chain, a retriever and a generation, in batches of 50. A signal is a rating with a user,
one a request; every fourth has a comment.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import pstats
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from load import Load, get, post, run_load
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.server import environment, run, serving

_BATCH = 50
_PROTOBUF = "application/x-protobuf"
_RATES = {"THUMBWHEEL_KEY_RATE": "1000000/second", "THUMBWHEEL_PSEUDONYMISE": "true"}
_PROSE = (
    "The refund was booked on the third of May and reaches the account within five working days. "
    "To change the delivery address, open the order, choose Edit and save; parcels already on their way keep theirs. "
    "A subscription ends at the close of the month in which it is cancelled, and nothing is charged after that. "
    "The invoice lists each item with its price, the tax and the discount that was agreed, so both totals must match. "
    "Most routers lose their settings when the button is held for ten seconds; write them down first. "
    "Which of the two plans is cheaper depends on how many people share it: from four on it is the larger one. "
)
_WORDS = _PROSE.split()
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


# --- what is sent


def batches(n: int, chance: random.Random) -> list[tuple[bytes, str]]:
    """`n` export requests, each with the id of its last trace."""
    return [_batch(number * _BATCH, chance) for number in range(n)]


def _batch(first: int, chance: random.Random) -> tuple[bytes, str]:
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.extend(_attributes({"service.name": "shop", "service.version": "1.4.2"}))
    spans = group.scope_spans.add().spans
    last = ""
    for number in range(first, first + _BATCH):
        last = _add_trace(spans, number, chance)
    return request.SerializeToString(), last


def _add_trace(spans: object, number: int, chance: random.Random) -> str:
    trace_id, root = chance.randbytes(16), chance.randbytes(8)
    began = time.time_ns() - chance.randrange(10**9, 3600 * 10**9)
    question, answer, passage = _prose(90, chance), _prose(360, chance), _prose(230, chance)

    def add(span_id: bytes, name: str, attributes: dict[str, str | int | float]) -> None:
        spans.add(  # type: ignore[attr-defined]
            trace_id=trace_id,
            span_id=span_id,
            parent_span_id=b"" if span_id == root else root,
            name=name,
            start_time_unix_nano=began,
            end_time_unix_nano=began + 10**9,
            attributes=_attributes(attributes),
        )

    said = {"user.id": f"user-{number % 97}", "session.id": f"session-{number // 3}", "category": f"c{number % 20}"}
    add(root, "ask", {"openinference.span.kind": "CHAIN", "input.value": question, "output.value": answer} | said)
    found = {"document.id": f"doc-{number % 400}", "document.content": passage, "document.score": 0.31}
    documents = {f"retrieval.documents.0.{name}": value for name, value in found.items()}
    add(chance.randbytes(8), "search", {"openinference.span.kind": "RETRIEVER", "input.value": question} | documents)
    asked = [_message("system", "You are a helpful assistant."), _message("user", question)]
    model = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "small-1", "gen_ai.response.model": "small-1"}
    usage = {"gen_ai.usage.input_tokens": 312, "gen_ai.usage.output_tokens": 155}
    messages = {
        "gen_ai.input.messages": json.dumps(asked),
        "gen_ai.output.messages": json.dumps([_message("assistant", answer)]),
    }
    add(chance.randbytes(8), "chat", model | usage | messages)
    return trace_id.hex()


def _message(role: str, text: str) -> dict[str, object]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def _attributes(given: dict[str, str | int | float]) -> list[KeyValue]:
    name = {str: "string_value", int: "int_value", float: "double_value"}
    return [KeyValue(key=key, value=AnyValue(**{name[type(value)]: value})) for key, value in given.items()]


def _prose(size: int, chance: random.Random) -> str:
    """Words in an order of their own: a text that comes again is scrubbed once, so none may."""
    return " ".join(chance.choices(_WORDS, k=size // 4))[:size]


def signals(n: int, trace_ids: Sequence[str]) -> list[bytes]:
    """`n` ratings, one a request."""
    return [json.dumps(_signal(number, trace_ids[number % len(trace_ids)])).encode() for number in range(n)]


def _signal(number: int, trace_id: str) -> dict[str, str]:
    said = {"id": f"s{number}", "trace_id": trace_id, "kind": "user_rating", "value": "down"}
    comment = {"comment": f"This is not what I asked for, it says {number} is the year."} if number % 4 == 0 else {}
    return said | {"user_id": f"user-{number % 97}"} | comment


# --- loads


def measure(scrub: str, asked: argparse.Namespace, nothing: float) -> None:
    """Both loads on a server of its own; `nothing` is the CPU of a request for which nothing is done."""
    chance = random.Random(7)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        env = environment(f"sqlite:///{folder}/bench.db", THUMBWHEEL_SCRUB=scrub, **_RATES)
        key = run("key", "create", "--scopes", "ingest,read", "--json", env=env)["secret_key"]
        with serving(env, folder) as server:
            port, pid = int(server.url.rsplit(":", 1)[1]), server.process.pid
            os.sched_setaffinity(pid, _cores()[0])
            sent = batches(int(asked.seconds * 50), chance)
            _load(port, pid, _traced(sent[: len(sent) // 10], key), asked.exporters)
            load = _load(port, pid, _traced(sent[len(sent) // 10 :], key), asked.exporters)
            show(f"traces, scrub {scrub}", load, nothing, _BATCH)
            trace_ids = _column(folder, "SELECT trace_id FROM traces")
            ratings = [(post("/v1/signals", key, body),) for body in signals(int(asked.seconds * 2500), trace_ids)]
            _load(port, pid, ratings[: len(ratings) // 10], asked.connections)
            load = _load(port, pid, ratings[len(ratings) // 10 :], asked.connections)
            show(f"signals, scrub {scrub}", load, nothing)
            kept = _column(folder, "SELECT event_id FROM signals WHERE kind = 'user_rating'")
        assert len(trace_ids) == _BATCH * len(sent), (
            f"of {_BATCH * len(sent)} acknowledged traces {len(trace_ids)} are there"
        )
        assert len(kept) == len(ratings), f"of {len(ratings)} acknowledged signals {len(kept)} are there"


def _traced(sent: Sequence[tuple[bytes, str]], key: str) -> Iterator[tuple[bytes, ...]]:
    """Each batch; every twentieth is followed by a look at its last trace."""
    for number, (body, last) in enumerate(sent):
        look = () if number % 20 else (get(f"/v1/traces/{last}", key),)
        yield post("/v1/traces", key, body, _PROTOBUF), *look


def _load(port: int, pid: int, requests: Iterable[Sequence[bytes]], connections: int) -> Load:
    load = run_load(port, pid, requests, connections=connections)
    assert all(200 <= status < 300 for status in load.statuses), load.statuses
    return load


def _column(folder: Path, statement: str) -> list[str]:
    with sqlite3.connect(folder / "bench.db") as connection:
        return [row[0] for row in connection.execute(statement)]


def measure_nothing(asked: argparse.Namespace) -> float:
    """The same requests to an endpoint that does nothing; milliseconds of CPU each."""
    bodies = signals(int(asked.seconds * 2500), ["t"])
    with doing_nothing(8765) as pid:
        os.sched_setaffinity(pid, _cores()[0])
        requests = [(post("/v1/signals", "none", body),) for body in bodies]
        load = _load(8765, pid, requests, asked.connections)
    show("doing nothing", load, load.cpu_ms)
    return load.cpu_ms


@contextmanager
def doing_nothing(port: int) -> Iterator[int]:
    """The endpoint with nothing behind it; its process."""
    process = subprocess.Popen([sys.executable, "-c", _NOTHING.replace("PORT", str(port))])
    try:
        for _ in range(400):
            try:
                urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1)
                break
            except (URLError, OSError):
                time.sleep(0.05)
        yield process.pid
    finally:
        process.kill()
        process.wait()


def _cores() -> tuple[set[int], set[int]]:
    """A core for the server and one for the client, where there are two."""
    found = sorted(os.sched_getaffinity(0) | set(range(os.cpu_count() or 1)))
    return {found[0]}, {found[-1]}


def show(name: str, load: Load, nothing: float, each: int = 1) -> None:
    """One line; `each` items a request."""
    p50, p99 = load.percentile(0.5), load.percentile(0.99)
    print(
        f"| {name} | {each * load.per_second:,.0f} | {load.cpu_ms / each:.3f} | {load.cpu_ms / each / nothing:.1f} | {p50:.1f} | {p99:.1f} |"
        f" {load.cpu / load.seconds:.0%} |",
        flush=True,
    )


# --- where the time goes


def profile() -> None:
    """CPU of the door and of the commit in one thread, by what it is spent in. Calls cost more than they do unwatched."""
    from thumbwheel.app import Wheel
    from thumbwheel.config import Settings
    from thumbwheel.connectors.attributes import Client
    from thumbwheel.connectors.otlp import decode_traces
    from thumbwheel.connectors.semantics import understand_spans
    from thumbwheel.services.capture import Work

    sent = [body for body, _ in batches(40, random.Random(7))]
    with tempfile.TemporaryDirectory() as name:
        wheel = Wheel(Settings(database_url=f"sqlite:///{name}/bench.db", scrub="off"))
        project_id = wheel.project("default")

        def keep(body: bytes) -> None:
            understood = understand_spans(decode_traces(body, as_json=False).records, Client())
            wheel.capture._commit([Work(project_id, spans=understood.spans)])  # noqa: SLF001 - in this thread

        keep(sent[0])
        watched = cProfile.Profile(time.thread_time)
        watched.enable()
        for body in sent[1:]:
            keep(body)
        watched.disable()
        wheel.stop()
    spent: Counter[str] = Counter()
    for (file, _, function), (_, _, own, _, callers) in pstats.Stats(watched).stats.items():  # type: ignore[attr-defined]
        if file != "~":
            spent[_part(file)] += own
        else:
            for (caller, _, _), (_, _, by, _) in callers.items():
                spent[_part(caller if "sqlite3" not in function else "sqlite3")] += by
    total = sum(spent.values())
    for part, own in spent.most_common(12):
        print(f"| {part} | {own / total:.0%} |")


def _part(file: str) -> str:
    if "/thumbwheel/" in file:
        return file.rpartition("/thumbwheel/")[2].removesuffix(".py").replace("/", ".")
    return next((part for part in ("sqlalchemy", "sqlite3", "dataclasses") if part in file), "others")


def main() -> None:
    """Measure, or show where the time goes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=6.0, help="about as long as each load takes")
    parser.add_argument("--connections", type=int, default=64, help="of signals")
    parser.add_argument("--exporters", type=int, default=4, help="connections of traces")
    parser.add_argument("--scrub", nargs="*", default=["off", "patterns"])
    parser.add_argument("--profile", action="store_true", help="where the time of a trace goes, instead")
    asked = parser.parse_args()
    if asked.profile:
        profile()
        return
    os.sched_setaffinity(0, _cores()[1])
    print(f"load of the machine before: {os.getloadavg()[0]:.2f}\n")
    print("| | a second | ms of CPU each | times doing nothing | p50 ms a request | p99 | server busy |")
    print("|---|---|---|---|---|---|---|")
    nothing = measure_nothing(asked)
    for scrub in asked.scrub:
        measure(scrub, asked, nothing)


if __name__ == "__main__":
    main()
