"""From the key to the next trace painted, in Chromium, with many entries waiting; and what one label costs the server.

The reviewer is as fast as the page lets them be: the next key is pressed as soon as the next trace is there. The
first figure is the browser's own: from the key press to the frame after the one that shows the next trace.

    python benchmarks/bench_annotate.py [--waiting 100000] [--labels 200]
"""

from __future__ import annotations

import argparse
import socket
import statistics
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn
import yaml
from playwright.sync_api import Page, sync_playwright
from sqlalchemy import event

from thumbwheel.app import Wheel
from thumbwheel.config import Settings
from thumbwheel.domain.person import Role
from thumbwheel.domain.queue import Draw, Policy, Purpose, QueueEntry, Window
from thumbwheel.domain.trace import Document, Trace
from thumbwheel.serving import create_app
from thumbwheel.store.traces import NewTrace

NOW = datetime.now(UTC)
PASSWORD = "a long password"


def fill(wheel: Wheel, n: int) -> None:
    """`n` traces of ordinary size, each in the queue."""
    project_id = wheel.project("default")
    wheel.access.add_person("ann", Role.annotator, PASSWORD)
    wheel.rubric.publish(project_id, yaml.safe_load(wheel.rubric.example()), "bench")
    window = Window(start=NOW - timedelta(days=7), end=NOW)
    for begin in range(0, n, 5000):
        numbers = range(begin, min(begin + 5000, n))
        with wheel.ledger.archive(project_id) as tx:
            rows = tx.traces.add_all([NewTrace(a_trace(number), number, number) for number in numbers], NOW)
            draw = Draw(
                id=f"draw-{begin}", at=NOW, seed=1, budget=n, window=window, mix={}, maturity_seconds=0, framed_to=n
            )
            tx.queue.add_draw(
                draw, [(row.ref, an_entry(draw.id, number)) for row, number in zip(rows, numbers, strict=True)]
            )


def a_trace(number: int) -> Trace:
    """A question, two documents, and an answer of 1,500 characters in markdown."""
    answer = f"# Answer {number}\n\n" + "Some words of *advice*, with `code` and a [link](https://example.org). " * 20
    documents = tuple(Document(id=f"d{k}", content="What the article says. " * 40, rank=k) for k in (1, 2))
    at = NOW - timedelta(days=1) + timedelta(milliseconds=number)
    return Trace(id=f"trace-{number}", started_at=at, input=f"Question {number}?", output=answer, documents=documents)


def an_entry(draw_id: str, number: int) -> QueueEntry:
    """Its place in the queue."""
    return QueueEntry(
        id=f"entry-{number}",
        draw_id=draw_id,
        trace_id=f"trace-{number}",
        policy=Policy.random,
        picked_by=(Policy.random,),
        rank=number + 1,
        serve_rank=number + 1,
        reason="uniform random pick",
        inclusion_probability=0.1,
        core=True,
        purpose=Purpose.label,
        labels_needed=1,
        category=None,
        added_at=NOW + timedelta(milliseconds=number),
    )


def judge(page: Page, url: str, labels: int) -> tuple[list[float], int]:
    """Milliseconds from the key to the paint for each label, and how many requests it took."""
    page.goto(f"{url}/sign-in?next=/annotate")
    page.fill("[name=name]", "ann")
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.locator(".entry").wait_for()
    page.wait_for_timeout(500)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    for number in range(labels):
        page.locator(".entry", has_text=f"Question {number}?").wait_for()
        page.keyboard.press("p")
    page.locator(".entry", has_text=f"Question {labels}?").wait_for()
    page.wait_for_timeout(1000)
    took = page.evaluate("performance.getEntriesByName('thumbwheel.next').map((one) => one.duration)")
    return took, len(requests)


def main() -> None:
    """Fill, serve, judge, tell."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--waiting", type=int, default=100_000)
    options.add_argument("--labels", type=int, default=200)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder, socket.socket() as listener, sync_playwright() as playwright:
        wheel = Wheel(Settings(database_url=f"sqlite:///{Path(folder)}/bench.db"))
        fill(wheel, given.waiting)
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(create_app(wheel), log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.05)
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        statements: list[str] = []
        event.listen(wheel.ledger.engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
        took, n_requests = judge(browser.new_page(), f"http://127.0.0.1:{listener.getsockname()[1]}", given.labels)
        browser.close()
        server.should_exit = True
        thread.join()
    cuts = statistics.quantiles(took, n=20, method="inclusive")
    print(f"{given.waiting:,} entries waiting, {len(took)} labels")
    print(f"key to next trace painted: median {statistics.median(took):.0f} ms, p95 {cuts[18]:.0f} ms")
    print(f"requests per label: {n_requests / given.labels:.2f}")
    print(f"statements per label, signing in and schedule included: {len(statements) / given.labels:.1f}")


if __name__ == "__main__":
    main()
