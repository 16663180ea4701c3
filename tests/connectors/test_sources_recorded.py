"""Answers of a Phoenix 20.26 and an MLflow 3.17, recorded and trimmed; tests/servers asks the servers themselves."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from tests.connectors.test_sources_elsewhere import Server
from tests.factories import a_label
from thumbwheel.capture.assemble import fold
from thumbwheel.connectors.mlflow import assessment_of
from thumbwheel.connectors.mlflow_source import MlflowSource
from thumbwheel.connectors.phoenix_source import PhoenixSource, annotation_of
from thumbwheel.domain.annotation import Verdict
from thumbwheel.domain.score import ScoreSource, ScoreType
from thumbwheel.domain.source import Outgoing
from thumbwheel.domain.span import Level
from thumbwheel.errors import SourceBroken

START = datetime(2026, 11, 23, 10, tzinfo=UTC)
END = START + timedelta(hours=12)
TRACE, ROOT, LLM = "0af7651916cd43dd8448eb211c80319c", "00f067aa0ba902b7", "b9c7c989f97918e1"

# --- Phoenix


def a_span(id: str = ROOT, /, **given: Any) -> dict[str, Any]:
    return {
        "id": "U3Bhbjo0",
        "name": "ask",
        "context": {"trace_id": TRACE, "span_id": id},
        "span_kind": "CHAIN",
        "parent_id": None,
        "start_time": "2026-11-23T11:59:58+00:00",
        "end_time": "2026-11-23T12:00:00.5+00:00",
        "status_code": "UNSET",
        "status_message": "",
        "attributes": {
            "user.id": "ann",
            "session.id": "chat-1",
            "metadata.tenant": "acme",
            "metadata.a.b": 1,
            "metadata.a.c.0.d": 2,
            "metadata.l": ["p", "q"],
        },
        "events": [],
    } | given


def a_generation() -> dict[str, Any]:
    attributes = {
        "llm.model_name": "small-1",
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": "How long?",
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": "60 days.",
        "llm.token_count.prompt": 12,
    }
    return a_span(LLM, span_kind="LLM", parent_id=ROOT, name="llm", attributes=attributes, status_code="ERROR")


def an_annotation(**given: Any) -> dict[str, Any]:
    return {
        "id": "U3BhbkFubm90YXRpb246MQ==",
        "created_at": "2026-11-23T12:12:35+00:00",
        "updated_at": "2026-11-23T12:13:35+00:00",
        "source": "API",
        "user_id": None,
        "name": "correctness",
        "annotator_kind": "HUMAN",
        "result": {"label": "wrong", "score": 0.0, "explanation": "no, 30 days"},
        "metadata": {},
        "identifier": "bob",
        "span_id": ROOT,
    } | given


def phoenix(*annotations: dict[str, Any]) -> tuple[PhoenixSource, Server]:
    pages = {
        None: {"data": [a_span()], "next_cursor": "U3Bhbjoz"},
        "U3Bhbjoz": {"data": [a_generation()], "next_cursor": None},
    }
    none = httpx2.Response(404, text="None of the supplied span_ids exist in this project")
    server = Server(
        {
            "/v1/projects/default": lambda _: {"data": {"name": "default", "id": "UHJvamVjdDox"}},
            "/v1/projects/default/spans": lambda said: pages[said.get("cursor")],
            "/v1/projects/default/span_annotations": lambda said: (
                none
                if said.get("span_ids") == LLM
                else {"data": [each for each in annotations if "span_id" in each], "next_cursor": None}
            ),
            "/v1/projects/default/trace_annotations": lambda _: {
                "data": [each for each in annotations if "span_id" not in each],
                "next_cursor": None,
            },
        }
    )
    return PhoenixSource(server.http("Phoenix")), server


def test_spans_of_phoenix_make_their_trace() -> None:
    source, server = phoenix()
    assert source.connect() == "phoenix https://tool.test UHJvamVjdDox"
    spans = [span for page in source.read("traces", START, END) for span in page.spans]
    assert server.asked[1] == (
        "/v1/projects/default/spans",
        {"limit": "500", "start_time": "2026-11-23T10:00:00.000000Z", "end_time": "2026-11-23T22:00:00.000000Z"},
    )
    trace = fold(TRACE, spans, otherwise=END)
    assert (trace.name, trace.user_id, trace.session_id, trace.model) == ("ask", "ann", "chat-1", "small-1")
    assert (trace.input, trace.output) == ([{"role": "user", "content": "How long?"}], "60 days.")
    assert trace.metadata == {"tenant": "acme", "a": {"b": 1, "c": [{"d": 2}]}, "l": ["p", "q"]}
    assert trace.ended_at == datetime(2026, 11, 23, 12, 0, 0, 500_000, tzinfo=UTC)
    assert [span.level for span in spans] == [None, Level.error]


def test_annotations_of_phoenix_are_known_by_what_they_are_about() -> None:
    given = [
        an_annotation(),
        an_annotation(identifier="", annotator_kind="LLM", result={"label": None, "score": 0.25, "explanation": None}),
        an_annotation(identifier="thumbwheel:x", name="thumbwheel"),
        an_annotation(result=None, name="empty"),
    ]
    (of_trace,) = [{**an_annotation(annotator_kind="CODE"), "trace_id": TRACE}]
    del of_trace["span_id"]
    source, _ = phoenix(*given, of_trace)
    first, second, *_ = [page.scores for page in source.read("annotations", START, END)]
    assert [(each.name, each.source, each.trace_id, each.span_id, each.value, each.author) for each in first] == [
        ("correctness", ScoreSource.annotation, TRACE, ROOT, 0.0, "bob"),
        ("correctness", ScoreSource.eval, TRACE, ROOT, 0.25, "LLM"),
        ("correctness", ScoreSource.eval, TRACE, None, 0.0, "bob"),
    ]
    assert len({each.id for each in first}) == 3
    # Said again of the same, it is the same.
    assert [each.id for each in second] == [first[2].id]


def test_a_span_without_ids_is_named() -> None:
    source, server = phoenix()
    server.answers["/v1/projects/default/spans"] = lambda _: {"data": [a_span() | {"context": {}}]}
    with pytest.raises(SourceBroken, match="a span without trace and span id"):
        list(source.read("traces", START, END))


def test_what_goes_to_phoenix() -> None:
    label = a_label(id="l1", trace_id=TRACE, verdict=Verdict.failed, categories=("hallucination",), critique="No.")
    outgoing = Outgoing(trace_id=TRACE, label=label, remote_id=TRACE, root_id=ROOT)
    said = annotation_of(outgoing, label)
    assert (said["span_id"], said["identifier"], said["annotator_kind"]) == (ROOT, f"thumbwheel:{TRACE}", "HUMAN")
    assert said["result"] == {"label": "hallucination", "score": 0.0, "explanation": "No."}
    source, server = phoenix()
    server.answers["/v1/span_annotations"] = lambda said: (
        httpx2.Response(404, text="Spans with IDs x do not exist.")
        if any(each["span_id"] == "x" for each in said["data"])
        else {"data": []}
    )
    gone = replace(outgoing, root_id="x")
    assert source.push([outgoing, gone]) == [outgoing]
    assert source.push([replace(outgoing, label=None)]) == [replace(outgoing, label=None)]
    # It deletes in bulk: never without both a name and an identifier.
    assert server.asked[-1] == (
        "/v1/projects/default/span_annotations",
        {"name": "thumbwheel", "identifier": f"thumbwheel:{TRACE}", "delete_all": "true"},
    )


# --- MLflow


def an_info(**given: Any) -> dict[str, Any]:
    return {
        "trace_id": "tr-e2c809082a82bc1060c399a4fbbde60d",
        "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "1"}},
        "request_time": "2026-11-23T12:12:42.090Z",
        "execution_duration": "0.184s",
        "state": "OK",
        "trace_metadata": {
            "mlflow.trace.user": "ann",
            "mlflow.trace.session": "chat-1",
            "mlflow.traceInputs": '{"question": "How long?"}',
            "mlflow.traceOutputs": '"60 days."',
            "mlflow.source.git.commit": "",
        },
        "assessments": [],
        "tags": {"tenant": "acme", "mlflow.trace.spansLocation": "TRACKING_STORE", "mlflow.traceName": "ask"},
        "request_preview": '{"question": "How long?"}',
        "response_preview": '"60 days."',
    } | given


def an_assessment(name: str, /, **given: Any) -> dict[str, Any]:
    return {
        "assessment_id": f"a-{name}",
        "assessment_name": name,
        "trace_id": "tr-e2c809082a82bc1060c399a4fbbde60d",
        "source": {"source_type": "HUMAN", "source_id": "ann"},
        "create_time": "2026-11-23T12:12:42.318Z",
        "last_update_time": "2026-11-23T12:12:42.318Z",
        "valid": True,
    } | given


STORED = {
    "trace_id": "4sgJCCqCvBBgw5mk+73mDQ==",
    "span_id": "/rO8kYwxbq0=",
    "name": "ask",
    "start_time_unix_nano": 1795435962090014098,
    "end_time_unix_nano": 1795435962274390664,
    "attributes": [
        {"key": "mlflow.spanType", "value": {"string_value": "CHAIN"}},
        {
            "key": "mlflow.spanInputs",
            "value": {
                "kvlist_value": {
                    "values": [
                        {"key": "question", "value": {"string_value": "How long?"}},
                        {"key": "ids", "value": {"array_value": {"values": [{"int_value": "7"}]}}},
                    ]
                }
            },
        },
        {"key": "mlflow.spanOutputs", "value": {"string_value": "60 days."}},
    ],
    "status": {"code": "STATUS_CODE_OK"},
}
FILED = {
    **STORED,
    "parent_span_id": None,
    "events": [],
    "attributes": {
        "mlflow.spanType": '"CHAIN"',
        "mlflow.spanInputs": '{"question": "How long?", "ids": [7]}',
        "mlflow.spanOutputs": '"60 days."',
    },
}


def mlflow(*infos: dict[str, Any], stored: Any = None, filed: Any = None) -> tuple[MlflowSource, Server]:
    missing = httpx2.Response(500, json={"error_code": "INTERNAL_ERROR", "message": "no such trace"})
    server = Server(
        {
            "/api/2.0/mlflow/experiments/get-by-name": lambda said: (
                {"experiment": {"experiment_id": "0"}}
                if said["experiment_name"] == "Default"
                else httpx2.Response(404, json={"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no"})
            ),
            "/api/3.0/mlflow/traces/search": lambda _: {"traces": list(infos)},
            "/api/3.0/mlflow/traces/batchGet": lambda _: stored or missing,
            "/ajax-api/3.0/mlflow/get-trace-artifact": lambda _: filed or missing,
        }
    )
    return MlflowSource(server.http("MLflow"), "default"), server


@pytest.mark.parametrize("where", ["store", "file", "file though the store is named"])
def test_a_trace_of_mlflow_is_read_from_wherever_it_is(where: str) -> None:
    info = an_info()
    if where == "file":
        info["tags"] = {name: each for name, each in info["tags"].items() if "Location" not in name}
    stored = {"traces": [{"trace_info": info, "spans": [STORED]}]} if where == "store" else None
    source, _ = mlflow(info, stored=stored, filed=None if where == "store" else {"spans": [FILED]})
    assert source.connect() == "mlflow https://tool.test 0"
    (page,) = source.read("traces", START, END)
    assert page.remotes == {"e2c809082a82bc1060c399a4fbbde60d": "tr-e2c809082a82bc1060c399a4fbbde60d"}
    trace = fold("e2c809082a82bc1060c399a4fbbde60d", page.spans, otherwise=END)
    assert {span.trace_id for span in page.spans} == {trace.id}
    assert (trace.name, trace.user_id, trace.session_id, trace.release) == ("ask", "ann", "chat-1", None)
    assert (trace.input, trace.output) == ({"question": "How long?", "ids": [7]}, "60 days.")
    assert trace.metadata == {"tenant": "acme"}
    assert trace.started_at == datetime(2026, 11, 23, 12, 12, 42, 90014, tzinfo=UTC)


def test_a_trace_whose_spans_are_lost_is_what_mlflow_notes_of_it() -> None:
    source, _ = mlflow(an_info())
    (page,) = source.read("traces", START, END)
    trace = fold("e2c809082a82bc1060c399a4fbbde60d", page.spans, otherwise=END)
    assert (trace.input, trace.output) == ({"question": "How long?"}, "60 days.")
    assert trace.started_at == datetime(2026, 11, 23, 12, 12, 42, 90000, tzinfo=UTC)


def test_assessments_of_every_kind_are_understood() -> None:
    judge = {"source_type": "LLM_JUDGE", "source_id": "gpt"}
    serialized = {"serialization_format": "JSON", "value": '["a", "b"]'}
    given = [
        an_assessment("correct", feedback={"value": False}, rationale="no, 30 days"),
        an_assessment("relevance", feedback={"value": 0.25}, source=judge),
        an_assessment("reason", feedback={"value": "hallucination"}),
        an_assessment("expected_response", expectation={"value": "30 days."}),
        an_assessment("expected_facts", expectation={"serialized_value": serialized}),
        an_assessment("broken judge", feedback={"value": None, "error": {"error_code": "x"}}, source=judge),
        an_assessment("taken back", feedback={"value": True}, valid=False),
        an_assessment("ours", feedback={"value": True}, metadata={"thumbwheel.score_id": "thumbwheel:e2"}),
    ]
    source, _ = mlflow(an_info(assessments=given))
    (page,) = source.read("assessments", START, END)
    assert page.spans == ()
    assert [(each.id, each.source, each.type, each.value, each.correction) for each in page.scores] == [
        ("a-correct", ScoreSource.annotation, ScoreType.boolean, 0.0, None),
        ("a-relevance", ScoreSource.eval, ScoreType.numeric, 0.25, None),
        ("a-reason", ScoreSource.annotation, ScoreType.categorical, "hallucination", None),
        ("a-expected_response", ScoreSource.annotation, ScoreType.correction, None, "30 days."),
        ("a-expected_facts", ScoreSource.annotation, ScoreType.text, '["a","b"]', None),
    ]
    assert (page.scores[0].comment, page.scores[0].author) == ("no, 30 days", "ann")


def test_pages_of_mlflow_go_on_by_time_and_by_token_within_a_millisecond() -> None:
    infos = [an_info(trace_id=f"t{n}", request_time=f"2026-11-23T12:00:0{n // 2}.000Z") for n in range(6)]
    source, server = mlflow(stored={"traces": []}, filed={"spans": [FILED]})

    def search(said: Any) -> Any:
        start = int(said["filter"].split()[2])
        mine = [each for each in infos if _millis(each) >= start]
        begin = int(said.get("page_token") or 0)
        more = str(begin + 2) if begin + 2 < len(mine) else None
        return {"traces": mine[begin : begin + 2], "next_page_token": more}

    server.answers["/api/3.0/mlflow/traces/search"] = search
    seen = [span.trace_id for page in source.read("traces", START, END) for span in page.spans]
    assert set(seen) == {f"t{n}" for n in range(6)}
    asked = [said for path, said in server.asked if path.endswith("search")]
    assert [said.get("page_token") for said in asked] == [None, None, "2", None, "2"]


def _millis(info: dict[str, Any]) -> int:
    return int(datetime.fromisoformat(info["request_time"]).timestamp() * 1000)


def test_what_goes_to_mlflow_is_looked_for_before_it_is_written() -> None:
    label = a_label(id="l1", trace_id="e2", verdict=Verdict.failed, categories=("hallucination",), critique="No.")
    outgoing = Outgoing(trace_id="e2", label=label, remote_id="tr-e2", root_id=ROOT)
    body = assessment_of(outgoing, label)
    assert (body["feedback"], body["rationale"]) == ({"value": False}, "No.")
    source, server = mlflow()
    info = an_info(trace_id="tr-e2")
    server.answers |= {
        "/api/3.0/mlflow/traces/tr-e2": lambda _: {"trace": {"trace_info": info}},
        "/api/3.0/mlflow/traces/tr-e2/assessments": lambda _: {},
        "/api/3.0/mlflow/traces/tr-e2/assessments/a-1": lambda _: {},
    }

    def written() -> list[str]:
        server.asked.clear()
        source.push([outgoing])
        return [path.rpartition("tr-e2")[2] for path, _ in server.asked]

    assert written() == ["", "/assessments"]
    info["assessments"] = [json.loads(json.dumps(body)) | {"assessment_id": "a-1"}]
    assert written() == [""]
    info["assessments"][0]["rationale"] = "Yes."
    assert written() == ["", "/assessments/a-1"]
    gone = replace(outgoing, remote_id="tr-gone")
    assert source.push([gone]) == []
    assert source.push([replace(gone, label=None)]) == [replace(gone, label=None)]
