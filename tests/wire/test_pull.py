"""One thumbwheel pulls from another, over the doors it has for other tools' clients: the traces are equal."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest

from tests.conftest import NOW, Clock
from tests.connectors.test_dialects import Told, as_langfuse, as_langsmith
from tests.otlp import TRACE, as_protobuf
from tests.sources import label
from thumbwheel.app import Wheel
from thumbwheel.config import Settings
from thumbwheel.connectors import sources
from thumbwheel.domain.annotation import Verdict
from thumbwheel.domain.person import Scope
from thumbwheel.errors import SourceRefused
from thumbwheel.ports import Source
from thumbwheel.services.capture import ScoreFilter

IT = Told(
    system="Be brief.",
    question="How long may I return it?",
    answer="60 days.",
    documents=[{"id": "doc-7", "content": "Sixty days.", "score": 0.9}, {"id": "doc-8", "content": "x", "score": 0.5}],
    arguments={"number": 7},
    result={"state": "sent"},
    model="small-1",
    prompt_version="v7",
    user="ann",
    session="chat-1",
    tags=["beta", "eu"],
    release="2026.11",
    category="returns",
    metadata={"tenant": "acme", "n": 7, "long": "x" * 300},
)
AGO = NOW - timedelta(days=2)


@dataclass(frozen=True)
class There:
    """The other thumbwheel: a project of a test's own on the server."""

    url: str
    public: str
    secret: str
    wheel: Wheel
    project_id: int

    def post(self, path: str, **given: Any) -> None:
        headers = {"authorization": f"Bearer {self.secret}"} | given.pop("headers", {})
        answer = httpx2.post(f"{self.url}{path}", headers=headers, **given)
        assert answer.status_code < 300, answer.text

    def langfuse(self, *, version: int = 4) -> Source:
        source = sources.langfuse(self.url, f"{self.public}:{self.secret}")
        if version == 3:
            # A cached property: it would ask whether the newer addresses are there, and they are.
            source.__dict__.update(_is_new=False, _has_typed_scores=False)
        return source

    def langsmith(self, project: str = "default") -> Source:
        return sources.langsmith(f"{self.url}/langsmith", self.secret, project)


@pytest.fixture
def there(server: tuple[str, Wheel], request: pytest.FixtureRequest) -> There:
    url, wheel = server
    name = re.sub(r"\W+", "-", request.node.name)[:90]
    made = wheel.access.add_key(name, [Scope.ingest, Scope.read])
    return There(url, made.key.public_key, made.secret_key, wheel, wheel.project(name))


def send_to_langfuse(there: There, it: Told = IT) -> None:
    media = {
        "content-type": "application/x-protobuf",
        "x-langfuse-sdk-name": "python",
        "x-langfuse-sdk-version": "5.0.4",
    }
    there.post(
        "/api/public/otel/v1/traces", content=as_protobuf(as_langfuse(it), {"service.name": "app"}), headers=media
    )
    at = (NOW - timedelta(minutes=1)).isoformat()
    scores: list[dict[str, Any]] = [
        {"id": "s1", "name": "user_rating", "value": 0, "dataType": "BOOLEAN", "comment": "no, 30 days"},
        {"id": "s2", "name": "reason_category", "value": "hallucination", "dataType": "CATEGORICAL"},
        {"id": "s3", "name": "output", "value": "30 days.", "dataType": "CORRECTION"},
        {"id": "s4", "name": "fluency", "value": 0.8, "metadata": {"by": "me"}},
        {"id": "s5", "name": "right", "value": 1, "dataType": "BOOLEAN", "source": "ANNOTATION"},
    ]
    there.post("/api/public/scores", json=[{**each, "traceId": TRACE, "timestamp": at} for each in scores])


def send_to_langsmith(there: There) -> None:
    runs: dict[str, dict[str, Any]] = {}
    for part in as_langsmith(IT):
        event, id, *rest = part.name.split(".")
        said = json.loads(part.data)
        runs.setdefault(f"{event}.{id}", {}).update({rest[0]: said} if rest else said)
    body: dict[str, Any] = {"post": [], "patch": []}
    for name, run in runs.items():
        body[name.partition(".")[0]].append(run)
    there.post("/langsmith/runs/batch", json=body)
    run_id = str(UUID(TRACE))
    at = (NOW - timedelta(minutes=1)).isoformat()
    feedback: list[dict[str, Any]] = [
        {"key": "user_rating", "score": 0, "comment": "no, 30 days"},
        {"key": "reason_category", "value": "hallucination"},
        {"key": "user_edit", "correction": {"output": "30 days."}},
        {"key": "judged", "score": 0.25, "feedback_source": {"type": "model"}},
    ]
    for number, each in enumerate(feedback):
        id = f"0197a000-0000-7000-8000-00000000000{number}"
        there.post("/langsmith/feedback", json={**each, "id": id, "run_id": run_id, "created_at": at})


def pull(wheel: Wheel, source: Source, **given: Any) -> tuple[int, int, int]:
    found = wheel.sources.pull(wheel.project("mine"), source, since=AGO, **given)
    assert (found.refused, found.why) == (0, None)
    return found.traces, found.observations, found.scores


@pytest.mark.parametrize(
    ("send", "opened", "n_scores"),
    [
        (send_to_langfuse, lambda there: there.langfuse(), 5),
        (send_to_langfuse, lambda there: there.langfuse(version=3), 5),
        (send_to_langsmith, lambda there: there.langsmith(), 4),
    ],
    ids=["langfuse 4", "langfuse 3", "langsmith"],
)
def test_what_is_pulled_is_what_was_sent(
    send: Callable[[There], None],
    opened: Callable[[There], Source],
    n_scores: int,
    there: There,
    wheel: Wheel,
) -> None:
    send(there)
    assert pull(wheel, opened(there), dry_run=True) == (1, 4, n_scores)
    assert pull(wheel, opened(there)) == (1, 4, n_scores)
    assert pull(wheel, opened(there)) == (0, 0, 0)
    assert pull(wheel, opened(there), afresh=True) == (0, 0, 0)

    mine, theirs = (
        w.capture.get(id, TRACE) for w, id in ((wheel, wheel.project("mine")), (there.wheel, there.project_id))
    )
    assert mine.trace == replace(theirs.trace, id=mine.trace.id)
    assert mine.trace.documents
    assert mine.trace.tool_calls

    def said(file: Any) -> list[tuple[Any, ...]]:
        return sorted((each.id, each.kind, each.rating, each.reason, each.edit, each.comment) for each in file.signals)

    assert said(mine) == said(theirs)
    assert [each.failure_probability for each in mine.suggestions] == [
        each.failure_probability for each in theirs.suggestions
    ]
    assert [(each.name, each.verdict) for each in mine.reviews] == [
        (each.name, each.verdict) for each in theirs.reviews
    ]


@pytest.mark.parametrize(
    ("send", "opened"),
    [
        (send_to_langfuse, lambda there: there.langfuse()),
        (send_to_langsmith, lambda there: there.langsmith()),
    ],
    ids=["langfuse", "langsmith"],
)
def test_a_label_goes_back_once_and_does_not_return(
    send: Callable[[There], None], opened: Callable[[There], Source], there: There, wheel: Wheel
) -> None:
    send(there)
    project = wheel.project("mine")
    pull(wheel, opened(there))
    label(wheel.ledger, project, TRACE, 1, NOW)
    assert wheel.sources.push(project, opened(there)).pushed == 1
    assert wheel.sources.push(project, opened(there)).pushed == 0
    scores = there.wheel.capture.list_scores(there.project_id, ScoreFilter(names=["thumbwheel"]), 10)
    assert [(each.score.value, each.score.comment) for each in scores] == [(0.0, "It is 30 days.")]

    label(wheel.ledger, project, TRACE, 2, NOW, Verdict.passed)
    assert wheel.sources.push(project, opened(there)).pushed == 1
    scores = there.wheel.capture.list_scores(there.project_id, ScoreFilter(names=["thumbwheel"]), 10)
    assert [each.score.value for each in scores] == [1.0]
    with wheel.ledger.begin(project) as tx:
        for id in ("label-1", "label-2"):
            tx.annotations.supersede_label(id, NOW)
    assert wheel.sources.push(project, opened(there)).pushed == 1
    names = [name for name, *_ in there.wheel.capture.list_score_names(there.project_id)]
    assert not [name for name in names if name.startswith("thumbwheel")]
    assert pull(wheel, opened(there), afresh=True) == (0, 0, 0)


def test_what_is_pulled_passes_the_door(there: There, tmp_path: Path, clock: Clock, migrated: Path) -> None:
    send_to_langfuse(there, replace(IT, question="I am ann@example.com, how long?"))
    shutil.copy(migrated, tmp_path / "strict.db")
    strict = Wheel(Settings(database_url=f"sqlite:///{tmp_path}/strict.db", scrub="patterns"), now=clock)
    try:
        assert pull(strict, there.langfuse()) == (1, 4, 5)
        assert pull(strict, there.langfuse(), afresh=True) == (0, 0, 0)
        trace = strict.capture.get(strict.project("mine"), TRACE).trace
    finally:
        strict.stop()
    assert isinstance(trace.input, list)
    assert trace.input[-1] == {"role": "user", "content": "I am <EMAIL_1>, how long?"}
    assert trace.user_id not in {None, "ann"}


def test_a_wrong_key_and_a_wrong_project_are_named(there: There, wheel: Wheel) -> None:
    send_to_langsmith(there)
    with pytest.raises(SourceRefused, match="does not take this key"):
        pull(wheel, sources.langfuse(there.url, "pk:sk"))
    with pytest.raises(SourceRefused, match="does not take this key"):
        pull(wheel, sources.langsmith(f"{there.url}/langsmith", "wrong", "default"))
    with pytest.raises(SourceRefused, match="'other'; there are default"):
        pull(wheel, there.langsmith("other"))
    with pytest.raises(SourceRefused, match="not of 'other'"):
        pull(wheel, sources.langfuse(there.url, f"{there.public}:{there.secret}", "other"))
