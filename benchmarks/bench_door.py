"""What the door costs a trace and a signal: the figures under "What it costs to keep" in docs/privacy.md.

    python benchmarks/bench_door.py --answers halueval_general.jsonl.gz

`--answers` is JSONL with `user_query` and `chatgpt_response`, as HaluEval publishes it; it may be gzipped. A trace is
2 KB: a conversation, an answer, a document, a tool call, a few names. They are kept in batches of 50 in a SQLite file
with synchronous=FULL. Times are CPU time of the process.
"""

from __future__ import annotations

import argparse
import gzip
import json
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from thumbwheel.app import Wheel
from thumbwheel.config import Settings
from thumbwheel.domain.signal import Rating, Signal, SignalKind
from thumbwheel.domain.trace import Document, ToolCall, Trace
from thumbwheel.errors import StoreUnavailable
from thumbwheel.services.capture import Work

_BATCH = 50
_NOW = datetime.now(UTC)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", type=Path, required=True)
    data = parser.parse_args().answers.read_bytes()
    text = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode()
    traces = [a_trace(number, json.loads(line)) for number, line in enumerate(text.splitlines()[:2000])]
    signals = [a_signal(trace.id, number) for number, trace in enumerate(traces)]
    print("| scrub | ms a trace | ms a rating |\n|---|---|---|")
    for mode in ("off", "patterns", "full"):
        with tempfile.TemporaryDirectory() as folder:
            wheel = Wheel(Settings(database_url=f"sqlite:///{folder}/bench.db", scrub=mode))
            project_id = wheel.project("default")
            wheel.warm_up()
            wait(wheel)
            wheel.capture.keep_now(Work(project_id, traces=[(a_trace(-1, {}), 1)]))
            kept = [Work(project_id, traces=[(trace, 1) for trace in batch]) for batch in batches(traces)]
            rated = [Work(project_id, signals=[(signal, 1) for signal in batch]) for batch in batches(signals)]
            costs = [cost(wheel, works) / len(traces) * 1e3 for works in (kept, rated)]
            wheel.stop()
        print(f"| {mode} | {costs[0]:.2f} | {costs[1]:.2f} |")


def wait(wheel: Wheel) -> None:
    while True:
        try:
            wheel.ready()
        except StoreUnavailable:
            time.sleep(0.1)
        else:
            return


def cost(wheel: Wheel, works: list[Work]) -> float:
    begin = time.process_time()
    for work in works:
        wheel.capture.keep_now(work)
    return time.process_time() - begin


def batches(items: list) -> Iterator[list]:  # type: ignore[type-arg]
    for start in range(0, len(items), _BATCH):
        yield items[start : start + _BATCH]


def a_trace(number: int, row: dict[str, str]) -> Trace:
    query, answer = row.get("user_query", "Hello?"), row.get("chatgpt_response", "Hello.")
    return Trace(
        id=f"t{number}",
        started_at=_NOW,
        user_id=f"user-{number % 97}",
        session_id=f"session-{number // 3}",
        name="ask",
        category=("billing", "travel", "other")[number % 3],
        model="small-1",
        tags=("web", "beta"),
        input=[{"role": "system", "content": "You are a helpful assistant. " * 6}, {"role": "user", "content": query}],
        output=answer * 2,
        documents=(Document(id=f"doc-{number % 400}", content=answer, score=0.3, rank=1),),
        tool_calls=(ToolCall(name="search", arguments={"query": query, "limit": 5}, result={"n": 3}),),
        metadata={"environment": "production", "host": "web-1"},
    )


def a_signal(trace_id: str, number: int) -> Signal:
    return Signal(
        id="s",
        trace_id=trace_id,
        kind=SignalKind.user_rating,
        rating=Rating.down if number % 5 else Rating.up,
        at=_NOW,
        user_id=f"user-{number % 97}",
        comment="This is not what I asked for, it says the wrong year." if number % 4 == 0 else None,
    )


if __name__ == "__main__":
    main()
