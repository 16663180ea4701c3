"""An MLflow as it is published: what its own client wrote comes in whole, and labels go back to it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from tests.conftest import Clock
from tests.sources import label
from thumbwheel.app import Wheel
from thumbwheel.connectors import sources
from thumbwheel.connectors.mlflow import records_of
from thumbwheel.domain.annotation import Verdict
from thumbwheel.domain.span import Level
from thumbwheel.errors import SourceRefused
from thumbwheel.ports import Source

pytestmark = pytest.mark.servers


@dataclass(frozen=True)
class There:
    """An experiment of a test's own, and what is in it."""

    url: str
    experiment: str
    #: As MLflow writes them; the last is of a trace that failed.
    ids: list[str]

    @property
    def source(self) -> Source:
        return sources.mlflow(self.url, None, self.experiment)

    def assessments(self, id: str) -> list[dict[str, Any]]:
        found = httpx2.get(f"{self.url}/api/3.0/mlflow/traces/{id}").json()
        return list(found["trace"]["trace_info"]["assessments"])


Fill = Callable[[int], There]


@pytest.fixture
def fill(mlflow: str, request: pytest.FixtureRequest, run_with: Callable[..., str]) -> Fill:
    experiment = request.node.name

    def run(n: int) -> There:
        settings = {"MLFLOW_TRACKING_URI": mlflow, "MLFLOW_ENABLE_ASYNC_TRACE_LOGGING": "false"}
        return There(
            mlflow, experiment, json.loads(run_with("mlflow", "mlflow_traces.py", experiment, str(n), **settings))
        )

    return run


def pull(wheel: Wheel, there: There, **given: Any) -> tuple[int, int, int]:
    found = wheel.sources.pull(wheel.project("default"), there.source, **given)
    assert (found.refused, found.why) == (0, None)
    return found.traces, found.observations, found.scores


def test_a_trace_comes_in_as_its_client_wrote_it(fill: Fill, wheel: Wheel) -> None:
    there = fill(1)
    assert pull(wheel, there, dry_run=True) == (2, 5, 4)
    assert pull(wheel, there) == (2, 5, 4)
    assert pull(wheel, there) == (0, 0, 0)
    assert pull(wheel, there, afresh=True) == (0, 0, 0)

    project = wheel.project("default")
    found = wheel.capture.get(project, there.ids[0].removeprefix("tr-"))
    trace = found.trace
    assert (trace.name, trace.user_id, trace.session_id, trace.category) == ("ask", "ann", "chat-1", "returns")
    assert (trace.input, trace.output, trace.model) == ({"question": "How long?"}, "60 days.", "small-1")
    assert trace.metadata == {"tenant": "acme"}
    assert [(each.id, each.content, each.score, each.rank) for each in trace.documents] == [
        ("doc-7", "Sixty days.", 0.9, 1)
    ]
    assert [(each.name, each.arguments, each.result) for each in trace.tool_calls] == [
        ("order", {"number": 7}, {"state": "sent"})
    ]
    llm = next(span for span in found.spans if span.name == "llm")
    assert (llm.usage, llm.kind) == ({"input": 12, "output": 4}, "GENERATION")
    assert {each.name: (each.verdict, each.annotator) for each in found.reviews} == {
        "correct": (Verdict.failed, "ann"),
        "reason": (None, "ann"),
        "expected_response": (None, "ann"),
    }
    assert [each.corrected_output for each in found.reviews if each.corrected_output] == ["30 days."]
    assert [(each.judge, each.failure_probability) for each in found.suggestions] == [("mlflow:relevance:gpt", 0.75)]

    broken = wheel.capture.get(project, there.ids[1].removeprefix("tr-"))
    (step,) = [span for span in broken.spans if span.name == "broken"]
    assert step.level is Level.error
    assert "no such order" in str(step.status_message)


def test_a_file_of_spans_says_what_the_store_says(fill: Fill) -> None:
    there = fill(1)
    id = there.ids[0]
    stored = httpx2.get(f"{there.url}/api/3.0/mlflow/traces/batchGet", params={"trace_ids": [id]}).json()
    kept = httpx2.get(f"{there.url}/ajax-api/3.0/mlflow/get-trace-artifact", params={"request_id": id}).json()
    info = {"trace_id": id}
    first, second = records_of(info, stored["traces"][0]["spans"]), records_of(info, kept["spans"])
    assert first == second
    assert len(first) == 4


def test_what_needs_many_pages_comes_whole(fill: Fill, wheel: Wheel) -> None:
    there = fill(230)
    assert pull(wheel, there) == (231, 921, 4)
    assert pull(wheel, there) == (0, 0, 0)


def test_labels_go_back_once_and_do_not_return(fill: Fill, wheel: Wheel, clock: Clock) -> None:
    there = fill(2)
    pull(wheel, there)
    project = wheel.project("default")
    ids = [id.removeprefix("tr-") for id in there.ids]
    label(wheel.ledger, project, ids[0], 1, clock())
    assert wheel.sources.push(project, there.source).pushed == 1
    assert wheel.sources.push(project, there.source).pushed == 0
    (written,) = [each for each in there.assessments(there.ids[0]) if each["assessment_name"] == "thumbwheel"]
    assert (written["feedback"]["value"], written["rationale"]) == (False, "It is 30 days.")
    assert written["metadata"]["thumbwheel.score_id"] == f"thumbwheel:{ids[0]}"
    assert written["metadata"]["thumbwheel.categories"] == "hallucination"

    # Broken off between writing and noting that it was written: it is looked for, not written again.
    with wheel.ledger.begin(project) as tx:
        tx.origins.mark_pushed(there.source.connect(), {ids[0]: "another"})
    assert wheel.sources.push(project, there.source).pushed == 1
    ours = [each for each in there.assessments(there.ids[0]) if each["assessment_name"] == "thumbwheel"]
    assert [each["assessment_id"] for each in ours] == [written["assessment_id"]]

    label(wheel.ledger, project, ids[0], 2, clock(), Verdict.passed)
    assert wheel.sources.push(project, there.source).pushed == 1
    ours = [each for each in there.assessments(there.ids[0]) if each["assessment_name"] == "thumbwheel"]
    assert [each["feedback"]["value"] for each in ours if each.get("valid") is not False] == [True]
    assert pull(wheel, there, afresh=True) == (0, 0, 0)
    with wheel.ledger.begin(project) as tx:
        for id in ("label-1", "label-2"):
            tx.annotations.supersede_label(id, clock())
    assert wheel.sources.push(project, there.source).pushed == 1
    assert {each["assessment_name"] for each in there.assessments(there.ids[0])}.isdisjoint({"thumbwheel"})

    httpx2.request(
        "POST",
        f"{there.url}/api/2.0/mlflow/traces/delete-traces",
        json={"experiment_id": there.source.connect().split()[-1], "request_ids": [there.ids[1]]},
    ).raise_for_status()
    label(wheel.ledger, project, ids[1], 3, clock())
    done = wheel.sources.push(project, there.source)
    assert (done.pushed, done.gone) == (0, 1)


def test_an_experiment_that_is_not_there_is_named(mlflow: str, wheel: Wheel) -> None:
    with pytest.raises(SourceRefused, match="no experiment 'nope'; there are"):
        wheel.sources.pull(wheel.project("default"), sources.mlflow(mlflow, None, "nope"))
