"""A Phoenix as it is published: its spans and annotations come in as they were sent, and labels go back to it."""

from __future__ import annotations

import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zlib import crc32

import httpx2
import pytest

from tests.conftest import Clock
from tests.connectors.test_dialects import as_openinference, read
from tests.otlp import AT, CHILD, ROOT, TRACE, as_protobuf
from tests.server import COMMAND, environment, run
from tests.sources import label
from tests.wire.test_pull import IT
from thumbwheel.app import Wheel
from thumbwheel.config import Settings
from thumbwheel.connectors import sources
from thumbwheel.domain.annotation import Verdict
from thumbwheel.domain.span import Span
from thumbwheel.errors import SourceRefused
from thumbwheel.ports import Source
from thumbwheel.services.capture import TraceFilter

pytestmark = pytest.mark.servers


@dataclass(frozen=True)
class There:
    """A project of a test's own in a Phoenix, where everything happens just before a time."""

    url: str
    project: str
    at: datetime

    @property
    def source(self) -> Source:
        return sources.phoenix(self.url, None, self.project)

    def trace_id(self, number: int) -> str:
        return f"{self._prefix:08x}{number:024x}"

    def span_id(self, number: int, span_id: str) -> str:
        return span_id and f"{(self._prefix + number) % 2**32:08x}{span_id[8:]}"

    @property
    def _prefix(self) -> int:
        """Phoenix takes an id once, whatever the project."""
        return crc32(self.project.encode())

    def send(self, *traces: list[dict[str, Any]]) -> None:
        """Spans as an exporter sends them; returns when they can be read."""
        shift = int(self.at.timestamp() * 1_000_000) * 1000 - AT
        spans = [
            span | {name: span[name] + shift for name in ("startTimeUnixNano", "endTimeUnixNano")}
            for trace in traces
            for span in trace
        ]
        body = as_protobuf(spans, {"service.name": "app", "openinference.project.name": self.project})
        media = {"content-type": "application/x-protobuf"}
        assert httpx2.post(f"{self.url}/v1/traces", content=body, headers=media, timeout=60).status_code == 200
        deadline = time.monotonic() + 120
        while self.count() < len(spans):
            assert time.monotonic() < deadline, "the spans do not appear"
            time.sleep(0.2)

    def count(self) -> int:
        answer = httpx2.get(f"{self.url}/v1/projects/{self.project}/spans", params={"limit": 1000}, timeout=60)
        return len(answer.json()["data"]) if answer.status_code == 200 else 0

    def annotate(self, about: str, **said: Any) -> None:
        answer = httpx2.post(f"{self.url}/v1/{about}_annotations?sync=true", json={"data": [said]}, timeout=60)
        assert answer.status_code == 200, answer.text

    def annotations(self, span_id: str) -> list[dict[str, Any]]:
        params: dict[str, Any] = {"span_ids": [span_id], "limit": 100}
        found = httpx2.get(f"{self.url}/v1/projects/{self.project}/span_annotations", params=params).json()["data"]
        return list(found)


@pytest.fixture
def there(phoenix: str, request: pytest.FixtureRequest, clock: Clock) -> There:
    return There(phoenix, request.node.name.replace("test_", "")[:60], clock() - timedelta(hours=1))


def pull(wheel: Wheel, there: There, **given: Any) -> tuple[int, int, int]:
    found = wheel.sources.pull(wheel.project("default"), there.source, **given)
    assert (found.refused, found.why) == (0, None)
    return found.traces, found.observations, found.scores


def test_a_trace_is_as_if_it_had_been_sent_here(there: There, wheel: Wheel, clock: Clock) -> None:
    there.send(as_openinference(IT))
    there.annotate(
        "span",
        span_id=ROOT,
        name="correctness",
        annotator_kind="HUMAN",
        identifier="bob",
        result={"label": "wrong", "score": 0, "explanation": "30 days"},
    )
    there.annotate("span", span_id=CHILD, name="relevance", annotator_kind="LLM", result={"score": 0.25})
    there.annotate("trace", trace_id=TRACE, name="tone", annotator_kind="CODE", result={"label": "good"})
    assert pull(wheel, there, dry_run=True) == (1, 4, 3)
    assert pull(wheel, there) == (1, 4, 3)
    assert pull(wheel, there) == (0, 0, 0)
    assert pull(wheel, there, afresh=True) == (0, 0, 0)

    found = wheel.capture.get(wheel.project("default"), TRACE)
    sent = read(as_openinference(IT), IT, json_form=False)
    began, ended = found.trace.started_at, found.trace.ended_at
    # Phoenix does not keep the resource, which had the release.
    assert found.trace == replace(sent, release=None, started_at=began, ended_at=ended)
    assert found.trace.ended_at == there.at
    assert [(each.name, each.verdict, each.annotator, each.critique) for each in found.reviews] == [
        ("correctness", Verdict.failed, "bob", "30 days")
    ]
    assert sorted((each.judge, each.failure_probability) for each in found.suggestions) == [
        ("phoenix:relevance:LLM", 0.75),
        ("phoenix:tone:CODE", 0.0),
    ]
    # Somebody changes their mind, and somebody else comes late.
    clock.advance(days=2)
    there.annotate(
        "span", span_id=ROOT, name="correctness", annotator_kind="HUMAN", identifier="bob", result={"score": 1}
    )
    there.annotate(
        "span", span_id=ROOT, name="correctness", annotator_kind="HUMAN", identifier="eve", result={"score": 0}
    )
    assert pull(wheel, there) == (0, 0, 1)
    reviews = wheel.capture.get(wheel.project("default"), TRACE).reviews
    assert {each.annotator: each.verdict for each in reviews} == {"bob": Verdict.passed, "eve": Verdict.failed}


def many(there: There, n: int, apart: timedelta = timedelta(0)) -> Iterator[list[dict[str, Any]]]:
    """Traces like it, each with ids of its own, and each so long before the one before."""
    nanos = apart // timedelta(microseconds=1) * 1000
    for number in range(n):
        yield [
            span
            | {"traceId": there.trace_id(number)}
            | {name: there.span_id(number, span[name]) for name in ("spanId", "parentSpanId")}
            | {name: span[name] - number * nanos for name in ("startTimeUnixNano", "endTimeUnixNano")}
            for span in as_openinference(IT)
        ]


def test_what_needs_many_pages_comes_whole(there: There, wheel: Wheel) -> None:
    there.send(*many(there, 200))
    assert pull(wheel, there) == (200, 800, 0)
    assert pull(wheel, there) == (0, 0, 0)
    project = wheel.project("default")
    assert len(wheel.capture.get(project, there.trace_id(199)).trace.documents) == 2


def test_a_pull_that_is_killed_goes_on(there: There, tmp_path: Path) -> None:
    there.send(*many(there, 160, apart=timedelta(hours=1)))
    env = environment(f"sqlite:///{tmp_path}/store.db")
    words = ("pull", "phoenix", "--url", there.url, "--from", there.project, "--json")
    process = subprocess.Popen([*COMMAND, *words], env=env, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while _reached(tmp_path / "store.db") is None:
        assert process.poll() is None, "it was over before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.001)
    process.kill()
    process.wait(30)
    begun, done = _reached(tmp_path / "store.db") or (0, 0)
    assert done - begun < timedelta(days=6) // timedelta(microseconds=1)

    rest = run(*words, env=env)
    assert 0 < rest["traces"] < 160
    wheel = Wheel(Settings(database_url=env["THUMBWHEEL_DATABASE_URL"]))
    try:
        found = wheel.capture.list_traces(wheel.project("default"), TraceFilter(), 1000)
        assert {each.trace.id for each in found} == {there.trace_id(number) for number in range(160)}
        assert {len(each.spans) for each in found} == {4}
    finally:
        wheel.stop()
    assert run(*words, env=env) == {"source": "phoenix", "traces": 0, "observations": 0, "scores": 0}


def _reached(store: Path) -> tuple[int, int] | None:
    """Between which times the store says that everything was read, once it has something."""
    if not store.exists():
        return None
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
        try:
            row = connection.execute(
                "SELECT begun_at, done_to FROM source_cursors WHERE EXISTS (SELECT * FROM traces)"
            ).fetchone()
        except sqlite3.OperationalError:
            return None
    return None if row is None else (int(row[0]), int(row[1]))


def test_labels_go_back_once_and_do_not_return(there: There, wheel: Wheel, clock: Clock) -> None:
    there.send(*many(there, 3))
    pull(wheel, there)
    project = wheel.project("default")
    ids = [there.trace_id(number) for number in range(3)]
    spans = {id: _root(wheel.capture.get(project, id).spans) for id in ids}
    label(wheel.ledger, project, ids[0], 1, clock())
    label(wheel.ledger, project, ids[1], 2, clock(), Verdict.passed)
    assert wheel.sources.push(project, there.source, dry_run=True).pushed == 2
    assert wheel.sources.push(project, there.source).pushed == 2
    assert wheel.sources.push(project, there.source).pushed == 0
    (written,) = there.annotations(spans[ids[0]])
    assert (written["name"], written["annotator_kind"], written["identifier"]) == (
        "thumbwheel",
        "HUMAN",
        f"thumbwheel:{ids[0]}",
    )
    assert written["result"] == {"label": "hallucination", "score": 0.0, "explanation": "It is 30 days."}

    label(wheel.ledger, project, ids[0], 3, clock(), Verdict.passed)
    assert wheel.sources.push(project, there.source).pushed == 1
    assert [each["result"]["label"] for each in there.annotations(spans[ids[0]])] == ["pass"]
    assert pull(wheel, there, afresh=True) == (0, 0, 0)
    with wheel.ledger.begin(project) as tx:
        for id in ("label-1", "label-3"):
            tx.annotations.supersede_label(id, clock())
    assert wheel.sources.push(project, there.source).pushed == 1
    assert there.annotations(spans[ids[0]]) == []

    # One span that Phoenix no longer has costs only its own label.
    httpx2.delete(f"{there.url}/v1/traces/{ids[1]}").raise_for_status()
    label(wheel.ledger, project, ids[1], 4, clock(), Verdict.failed)
    label(wheel.ledger, project, ids[2], 5, clock(), Verdict.failed)
    done = wheel.sources.push(project, there.source)
    assert (done.pushed, done.gone) == (1, 1)


def _root(spans: Any) -> str:
    found: list[Span] = [span for span in spans if not span.parent_id]
    return found[0].id


def test_a_project_that_is_not_there_is_named(phoenix: str, wheel: Wheel) -> None:
    with pytest.raises(SourceRefused, match="no project 'nope'; there are"):
        wheel.sources.pull(wheel.project("default"), sources.phoenix(phoenix, None, "nope"))
