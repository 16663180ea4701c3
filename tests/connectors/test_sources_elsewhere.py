"""Langfuse's and LangSmith's own servers answer as their API descriptions say; this is what they would be understood as."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import msgspec
import pytest

from tests.factories import a_label
from thumbwheel.capture.assemble import fold
from thumbwheel.connectors.langfuse_source import LangfuseSource, given_score, scores_of
from thumbwheel.connectors.langsmith_source import LangSmithSource, feedback_of
from thumbwheel.connectors.source_http import Http
from thumbwheel.domain.annotation import Verdict
from thumbwheel.domain.score import ScoreSource, ScoreType
from thumbwheel.domain.source import Outgoing
from thumbwheel.errors import SourceBroken, SourceRefused

START = datetime(2026, 11, 23, 10, tzinfo=UTC)
END = START + timedelta(hours=1)


class Server:
    """Answers by path, and remembers what it was asked."""

    def __init__(self, answers: dict[str, Callable[[Any], Any]]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, Any]] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        said = msgspec.json.decode(request.content) if request.content else dict(request.url.params.multi_items())
        self.asked.append((request.url.path, said))
        answer = self.answers.get(request.url.path)
        if answer is None:
            return httpx2.Response(404, json={"message": "no such route"})
        found = answer(said)
        return found if isinstance(found, httpx2.Response) else httpx2.Response(200, json=found)

    def http(self, tool: str) -> Http:
        return Http(tool, "https://tool.test", transport=httpx2.MockTransport(self), sleep=lambda _: None)


# --- Langfuse


def an_observation(**given: Any) -> dict[str, Any]:
    """An ObservationV2: content as raw text, what it says of its trace beside it."""
    return {
        "id": "00f067aa0ba902b7",
        "traceId": "0af7651916cd43dd8448eb211c80319c",
        "projectId": "p",
        "parentObservationId": None,
        "type": "SPAN",
        "isRootObservation": True,
        "name": "ask",
        "startTime": "2026-11-23T10:00:00.000Z",
        "endTime": "2026-11-23T10:00:02.000Z",
        "completionStartTime": None,
        "level": "DEFAULT",
        "statusMessage": "",
        "version": None,
        "environment": "production",
        "bookmarked": False,
        "public": False,
        "userId": "ann",
        "sessionId": "chat-1",
        "input": '{"question": "How long?"}',
        "output": "60 days.",
        "metadata": {"tenant": "acme", "resourceAttributes": {"service.name": "app"}, "scope": {"name": "x"}},
        "providedModelName": None,
        "internalModelId": None,
        "modelParameters": None,
        "usageDetails": {},
        "costDetails": {},
        "promptName": None,
        "promptVersion": None,
        "tags": ["beta"],
        "release": "2026.11",
        "traceName": "support",
    } | given


def a_generation(**given: Any) -> dict[str, Any]:
    return an_observation(
        id="b9c7c989f97918e1",
        parentObservationId="00f067aa0ba902b7",
        type="GENERATION",
        isRootObservation=False,
        name="llm",
        startTime="2026-11-23T10:00:01.000Z",
        input='[{"role": "user", "content": "How long?"}]',
        output='{"role": "assistant", "content": "60 days."}',
        metadata={},
        providedModelName="small-1",
        modelParameters='{"temperature": 0.2}',
        usageDetails={"input": 12, "output": 4, "total": 16},
        promptName="answer",
        promptVersion=7,
    ) | dict(given)


PROJECT = {"data": [{"id": "p1", "name": "support", "metadata": {}, "organization": {"id": "o", "name": "o"}}]}


def langfuse(pages: dict[str | None, Any], **more: Callable[[Any], Any]) -> tuple[LangfuseSource, Server]:
    """Version 4, whose observations come by cursor."""

    def observations(said: Any) -> Any:
        if said.get("toStartTime", "").startswith("1970"):
            return {"data": [], "meta": {}}
        return pages[said.get("cursor")]

    server = Server(
        {
            "/api/public/projects": lambda _: PROJECT,
            "/api/public/v2/observations": observations,
            **{f"/api/public/{name}": answer for name, answer in more.items()},
        }
    )
    return LangfuseSource(server.http("Langfuse")), server


def test_observations_of_langfuse_4_make_their_trace() -> None:
    pages = {
        None: {"data": [a_generation()], "meta": {"cursor": "next"}},
        "next": {"data": [an_observation()], "meta": {}},
    }
    source, server = langfuse(pages)
    assert source.connect() == "langfuse https://tool.test p1"
    spans = [span for page in source.read("traces", START, END) for span in page.spans]
    asked = server.asked[-1][1]
    assert (asked["fromStartTime"], asked["toStartTime"]) == (
        "2026-11-23T10:00:00.000000Z",
        "2026-11-23T11:00:00.000000Z",
    )
    trace = fold("0af7651916cd43dd8448eb211c80319c", spans, otherwise=END)
    assert (trace.name, trace.user_id, trace.session_id, trace.release) == ("support", "ann", "chat-1", "2026.11")
    assert (trace.input, trace.output) == ({"question": "How long?"}, "60 days.")
    assert (trace.model, trace.prompt_version, trace.tags) == ("small-1", "7", ("beta",))
    assert trace.metadata == {"environment": "production", "tenant": "acme"}
    llm = next(span for span in spans if span.name == "llm")
    assert (llm.usage, llm.extra["model_parameters"]) == ({"input": 12, "output": 4, "total": 16}, {"temperature": 0.2})


def test_metadata_that_was_cut_is_asked_for_whole() -> None:
    whole = {"note": "x" * 500, "short": "y"}

    def observations(said: Any) -> Any:
        expanded = said.get("expandMetadata", "").split(",")
        metadata = {name: each if name in expanded else each[:200] for name, each in whole.items()}
        return {"data": [an_observation(metadata=metadata)], "meta": {}}

    source, _ = langfuse({})
    source.http.transport.handler.answers["/api/public/v2/observations"] = observations  # type: ignore[union-attr]
    (page,) = source.read("traces", START, END)
    assert page.spans[0].facts.metadata == whole


def test_an_observation_that_cannot_be_is_named() -> None:
    source, _ = langfuse({None: {"data": [an_observation(startTime="yesterday")], "meta": {}}})
    with pytest.raises(SourceBroken, match="'00f067aa0ba902b7', which cannot be: 'yesterday' is not a time"):
        list(source.read("traces", START, END))


def a_score(**given: Any) -> dict[str, Any]:
    return {
        "id": "s1",
        "projectId": "p1",
        "name": "user_rating",
        "source": "API",
        "timestamp": "2026-11-23T10:05:00.000Z",
        "createdAt": "2026-11-23T10:05:00.000Z",
        "updatedAt": "2026-11-23T10:06:00.000Z",
        "environment": "default",
        "comment": None,
        "configId": None,
        "queueId": None,
        "authorUserId": None,
        "metadata": {},
    } | given


def test_scores_of_every_type_and_subject_are_understood() -> None:
    about = {"kind": "observation", "id": "b9c7c989f97918e1", "traceId": "t"}
    given = [
        a_score(dataType="BOOLEAN", value=False, subject={"kind": "trace", "id": "t"}),
        a_score(dataType="NUMERIC", value=0.8, subject=about),
        a_score(dataType="CORRECTION", value="30 days.", subject=about),
        a_score(dataType="CATEGORICAL", value="good", subject={"kind": "session", "id": "chat-1"}),
        a_score(dataType="CATEGORICAL", value=0, stringValue="good", traceId="t", source="EVAL"),
        a_score(dataType="BOOLEAN", value=1, stringValue="True", traceId="t", source="ANNOTATION", authorUserId="u"),
    ]
    found = [score for each in given if (score := given_score(each)) is not None]
    assert [(each.type, each.value) for each in found] == [
        (ScoreType.boolean, 0.0),
        (ScoreType.numeric, 0.8),
        (ScoreType.correction, "30 days."),
        (ScoreType.categorical, "good"),
        (ScoreType.categorical, "good"),
        (ScoreType.boolean, 1.0),
    ]
    assert [(each.trace_id, each.span_id, each.session_id) for each in found[:4]] == [
        ("t", None, None),
        ("t", "b9c7c989f97918e1", None),
        ("t", "b9c7c989f97918e1", None),
        (None, None, "chat-1"),
    ]
    assert [each.source for each in found[4:]] == [ScoreSource.eval, ScoreSource.annotation]
    assert found[5].author == "u"
    # Read again it is the same, whenever that is.
    assert given_score(given[0]) == found[0]
    assert given_score(a_score(dataType="NUMERIC", value=1, subject=None)) is None


def test_our_own_scores_are_not_read_back() -> None:
    ours = a_score(id="thumbwheel:abc", dataType="BOOLEAN", value=True, subject={"kind": "trace", "id": "t"})
    theirs = a_score(dataType="BOOLEAN", value=True, subject={"kind": "trace", "id": "t"})
    source, _ = langfuse({}, **{"v3/scores": lambda _: {"data": [ours, theirs], "meta": {"limit": 100}}})
    assert [[score.id for score in page.scores] for page in source.read("scores", START, END)] == [["s1"]]


def test_a_server_of_version_3_is_read_by_pages() -> None:
    trace = {
        "id": "t",
        "timestamp": "2026-11-23T10:00:00.000Z",
        "updatedAt": "2026-11-23T10:00:03.000Z",
        "name": "support",
        "userId": "ann",
        "sessionId": "chat-1",
        "release": None,
        "version": None,
        "environment": "default",
        "public": False,
        "bookmarked": False,
        "input": {"question": "How long?"},
        "output": "60 days.",
        "metadata": {"tenant": "acme"},
        "tags": ["beta"],
    }
    old = {
        name: each for name, each in a_generation(traceId="t").items() if name not in {"userId", "tags", "traceName"}
    }
    pages = {"1": [trace], "2": [trace | {"id": "u"}]}

    def traces(said: Any) -> Any:
        return {"data": pages[said["page"]], "meta": {"page": int(said["page"]), "totalPages": 2}}

    server = Server(
        {
            "/api/public/projects": lambda _: PROJECT,
            "/api/public/traces": traces,
            "/api/public/observations": lambda _: {"data": [old | {"model": "small-1"}], "meta": {"totalPages": 1}},
            "/api/public/v2/scores": lambda _: {
                "data": [a_score(dataType="BOOLEAN", value=0, stringValue="False", traceId="t")],
                "meta": {"totalPages": 1},
            },
        }
    )
    source = LangfuseSource(server.http("Langfuse"))
    spans = [span for page in source.read("traces", START, END) for span in page.spans]
    assert [(span.trace_id, span.id) for span in spans] == [("t", ""), ("u", ""), ("t", "b9c7c989f97918e1")]
    found = fold("t", [span for span in spans if span.trace_id == "t"], otherwise=END)
    assert (found.name, found.user_id, found.model, found.output) == ("support", "ann", "small-1", "60 days.")
    (page,) = source.read("scores", START, END)
    assert [score.value for score in page.scores] == [0.0]


def test_what_goes_to_langfuse() -> None:
    label = a_label(id="l1", trace_id="T1", verdict=Verdict.failed, categories=("hallucination",), critique="No.")
    verdict, category = scores_of(Outgoing(trace_id="T1", label=label, remote_id="T1", root_id="r"), label)
    assert (verdict["id"], verdict["traceId"], verdict["value"], verdict["dataType"], verdict["comment"]) == (
        "thumbwheel:T1",
        "T1",
        0,
        "BOOLEAN",
        "No.",
    )
    assert (category["id"], category["value"], category["dataType"]) == (
        "thumbwheel:T1:category",
        "hallucination",
        "CATEGORICAL",
    )
    passed = a_label(verdict=Verdict.passed, categories=())
    given = Outgoing(trace_id="T1", label=passed, remote_id="T1", root_id="r")
    assert len(scores_of(given, passed)) == 1
    # The category that is no more is taken back.
    assert scores_of(replace(given, replaces=True), passed)[1]["value"] == "none"


# --- LangSmith

SESSION = "5f0c1b1e-0000-4000-8000-000000000001"
ROOT = "0af76519-16cd-43dd-8448-eb211c80319c"


def a_run(**given: Any) -> dict[str, Any]:
    return {
        "id": ROOT,
        "name": "ask",
        "run_type": "chain",
        "start_time": "2026-11-23T10:00:00.123456",
        "end_time": "2026-11-23T10:00:02",
        "status": "success",
        "error": None,
        "extra": {"metadata": {"user_id": "ann", "tenant": "acme"}, "runtime": {}},
        "inputs": {"question": "How long?"},
        "outputs": {"output": "60 days."},
        "parent_run_id": None,
        "trace_id": ROOT,
        "dotted_order": f"20261123T100000123456Z{ROOT}",
        "session_id": SESSION,
        "tags": ["beta"],
        "feedback_stats": {},
    } | given


def langsmith(**more: Callable[[Any], Any]) -> tuple[LangSmithSource, Server]:
    answers: dict[str, Callable[[Any], Any]] = {
        "/sessions": lambda said: [{"id": SESSION, "name": "support"}] if said.get("name") in {None, "support"} else [],
        **{f"/{name}": answer for name, answer in more.items()},
    }
    server = Server(answers)
    return LangSmithSource(server.http("LangSmith"), "support"), server


def test_runs_of_langsmith_are_read_by_cursor_until_there_is_none() -> None:
    pages = {None: ([a_run()], "c1"), "c1": ([a_run(id="1af76519-16cd-43dd-8448-eb211c80319c", name="again")], None)}

    def query(said: Any) -> Any:
        runs, following = pages[said.get("cursor")]
        return {"runs": runs, "cursors": {"next": following}}

    source, server = langsmith(**{"runs/query": query})
    assert source.connect() == f"langsmith https://tool.test {SESSION}"
    spans = [span for page in source.read("traces", START, END) for span in page.spans]
    assert [span.name for span in spans] == ["ask", "again"]
    said = server.asked[-1][1]
    assert (said["session"], said["start_time"], said["filter"]) == (
        [SESSION],
        "2026-11-23T10:00:00.000000Z",
        'lt(start_time, "2026-11-23T11:00:00.000000Z")',
    )
    trace = fold(ROOT, spans[:1], otherwise=END)
    assert (trace.user_id, trace.output, trace.tags, trace.metadata) == (
        "ann",
        "60 days.",
        ("beta",),
        {"tenant": "acme"},
    )


def test_feedback_of_langsmith_is_read_by_offset_without_our_own() -> None:
    def one(number: int, **given: Any) -> dict[str, Any]:
        return {
            "id": f"0197a000-0000-7000-8000-{number:012d}",
            "created_at": "2026-11-23T10:30:00.000000",
            "modified_at": "2026-11-23T10:31:00.000000",
            "run_id": ROOT,
            "trace_id": ROOT,
            "session_id": SESSION,
            "key": "user_rating",
            "score": 0,
            "value": None,
            "comment": None,
            "correction": None,
            "feedback_source": {"type": "api", "metadata": {}, "user_id": None, "user_name": None},
        } | given

    ours = one(0, feedback_source={"type": "api", "metadata": {"thumbwheel": "thumbwheel:x"}})
    elsewhere = one(1, created_at="2026-11-23T12:00:00")
    pages = {"0": [ours, elsewhere, *(one(n) for n in range(2, 100))], "100": [one(100)]}
    source, server = langsmith(feedback=lambda said: pages[said["offset"]])
    scores = [score for page in source.read("scores", START, END) for score in page.scores]
    assert len(scores) == 99
    assert scores[0].trace_id == ROOT
    assert scores[0].at == datetime(2026, 11, 23, 10, 30, tzinfo=UTC)
    assert server.asked[-1][1]["min_created_at"] == "2026-11-23T10:00:00.000000Z"


def test_a_project_of_langsmith_that_is_not_there_is_named_with_those_that_are() -> None:
    _, server = langsmith()
    with pytest.raises(SourceRefused, match="no project 'other'; there are support"):
        LangSmithSource(server.http("LangSmith"), "other").connect()


def test_what_goes_to_langsmith_is_changed_where_it_was_written_before() -> None:
    label = a_label(id="l1", trace_id=ROOT, verdict=Verdict.failed, categories=("a", "b"), corrected_output="30 days.")
    outgoing = Outgoing(trace_id=ROOT, label=label, remote_id=ROOT, root_id=ROOT)
    body = feedback_of(outgoing, label)
    assert (body["run_id"], body["score"], body["value"], body["correction"]) == (
        ROOT,
        0,
        "a, b",
        {"output": "30 days."},
    )
    source, server = langsmith(**{"feedback": lambda _: {}, f"feedback/{body['id']}": lambda _: {}})
    assert source.push([outgoing]) == [outgoing]
    assert server.asked == [("/feedback", json.loads(json.dumps(body)))]
    source.push([replace(outgoing, replaces=True)])
    assert server.asked[-1][0] == f"/feedback/{body['id']}"


def test_a_run_that_langsmith_has_forgotten_costs_only_itself() -> None:
    source, server = langsmith()
    outgoing = Outgoing(trace_id=ROOT, label=a_label(trace_id=ROOT), remote_id=ROOT, root_id=ROOT)
    assert source.push([outgoing]) == []
    assert [path for path, _ in server.asked] == ["/feedback"]
    # Nor need be taken away what is not there.
    gone = replace(outgoing, label=None)
    assert source.push([gone]) == [gone]
