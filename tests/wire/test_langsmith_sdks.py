"""LangSmith's published SDKs against the real server: what they write is one trace, and they can read it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wire.clients import run_node, run_python
from tests.wire.conftest import Site

pytestmark = pytest.mark.wire

SDKS = ["python 0.15.0", "python 0.4.60", "js 0.12.0"]
ASKED = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "How long?"}]


def run(sdk: str, site: Site, **more: str) -> dict[str, Any]:
    """What the program of one SDK saw."""
    language, version = sdk.split()
    settings = {
        "LANGSMITH_ENDPOINT": f"{site.url}/langsmith",
        "LANGSMITH_API_KEY": site.secret_key,
        "LANGSMITH_TRACING": "true",
        "LANGSMITH_PROJECT": "support",
        # The older ones read it under its older name.
        "LANGSMITH_REVISION_ID": "2026.11",
        "LANGCHAIN_REVISION_ID": "2026.11",
    } | more
    if language == "js":
        found: dict[str, Any] = run_node("langsmith-js", "langsmith_runs.mjs", **settings)
        return found
    found = run_python(f"langsmith-{version}", "langsmith_runs.py", **settings)
    assert found["version"] == version
    return found


@pytest.mark.parametrize("sdk", SDKS)
def test_what_an_sdk_writes_is_one_trace_that_it_can_read(sdk: str, site: Site) -> None:
    seen = run(sdk, site)
    check_trace(site.trace(seen["trace"]))
    check_runs(seen)
    check_queries(seen)
    check_feedback(seen)
    broken = site.trace(seen["broken"])
    assert [span["level"] for span in broken["spans"]] == ["ERROR"]


@pytest.mark.parametrize(
    "more",
    [
        {"LANGSMITH_ENDPOINT": "/langsmith/api/v1"},
        {"LANGSMITH_DISABLE_RUN_COMPRESSION": "true"},
        {"LANGSMITH_RUN_COMPRESSION_LEVEL": "22"},
    ],
    ids=["api-v1", "plain", "strongest"],
)
def test_other_addresses_and_compressions_are_understood_alike(more: dict[str, str], site: Site) -> None:
    if "LANGSMITH_ENDPOINT" in more:
        more = {"LANGSMITH_ENDPOINT": site.url + more["LANGSMITH_ENDPOINT"]}
    seen = run("python 0.15.0", site, **more)
    check_trace(site.trace(seen["trace"]))
    check_runs(seen)


def check_trace(trace: dict[str, Any]) -> None:
    """Everything the program said of its trace is where it belongs."""
    assert (trace["name"], trace["user_id"], trace["session_id"]) == ("ask", "ann", "chat-1")
    assert (trace["model"], trace["prompt_version"], trace["release"]) == ("small-1", "v7", "2026.11")
    assert sorted(trace["tags"]) == ["beta", "eu"]
    assert trace["metadata"] == {"tenant": "acme"}
    assert trace["input"] == {"question": "How long?"}
    assert trace["output"] == "60 days."
    assert trace["documents"] == [{"id": "doc-7", "content": "Sixty days.", "score": 0.9, "rank": 1}]
    assert trace["tool_calls"] == [{"name": "order", "arguments": {"number": 7}, "result": {"state": "sent"}}]
    llm = next(span for span in trace["spans"] if span["name"] == "llm")
    assert (llm["kind"], llm["usage"]) == ("GENERATION", {"input": 12, "output": 4, "total": 16})
    signals = {signal["name"]: signal for signal in trace["signals"]}
    assert (signals["user_rating"]["value"], signals["user_rating"]["comment"]) == ("down", "no, 30 days")
    assert signals["reason_category"]["reason"] == "hallucination"
    assert (signals["user_edit"]["original"], signals["user_edit"]["edited"]) == ("60 days.", "30 days.")
    assert (signals["from_mail"]["value"], signals["from_mail"]["comment"]) == ("down", "by mail")
    assert signals["clicked"]["value"] == "up"
    assert signals["stars"]["score"] == 4
    assert "gone" not in signals
    (suggestion,) = trace["suggestions"]
    assert (suggestion["judge"], suggestion["failure_probability"]) == ("langsmith:correctness", 0.75)


def check_runs(seen: dict[str, Any]) -> None:
    """The runs the SDK read are the runs it wrote."""
    root, children = seen["root"], {each["name"]: each for each in seen["children"]}
    assert (root["id"], root["trace"], root["parent"]) == (seen["trace"], seen["trace"], None)
    assert (root["type"], root["status"], root["inputs"]) == ("chain", "success", {"question": "How long?"})
    assert list(root["outputs"].values()) == ["60 days."]
    assert sorted(root["tags"]) == ["beta", "eu"]
    assert (root["metadata"]["tenant"], root["metadata"]["thread_id"]) == ("acme", "chat-1")
    assert [each["name"] for each in seen["children"]] == ["retrieve", "order", "llm"]
    assert {each["parent"] for each in seen["children"]} == {seen["trace"]}
    llm = children["llm"]
    assert (llm["type"], llm["inputs"], llm["tokens"]) == ("llm", {"messages": ASKED}, [12, 4, 16])
    assert (llm["metadata"]["ls_model_name"], llm["metadata"]["prompt_version"]) == ("small-1", "v7")
    assert llm["outputs"]["content"] == "60 days."
    assert llm["outputs"]["usage_metadata"]["total_tokens"] == 16
    assert children["order"]["outputs"] == {"state": "sent"}
    ((documents,),) = [children["retrieve"]["outputs"].values()]
    assert documents[0]["metadata"] == {"id": "doc-7", "score": 0.9}


def check_queries(seen: dict[str, Any]) -> None:
    """Queries find what they ask for."""
    assert seen["whole"] == ["ask", "llm", "order", "retrieve"]
    assert seen["roots"] == ["ask", "break"]
    assert [each[0] for each in seen["failed"]] == ["break"]
    assert "no such order" in str(seen["failed"])
    assert ["direct", "success", {"output": "!"}] in seen["other"]
    assert seen["project"] == ["support", True, False]
    assert seen["projects"] == ["default", "other", "support"]
    assert seen["made"] == "d"
    assert seen["url"].endswith(f"/traces/{seen['trace']}")
    assert seen["fault"] in {404, "LangSmithNotFoundError"}
    assert seen["queue"] == [["look at these"], "ask"]
    if "llms" in seen:
        assert ["step", "success", {"y": 2}] in seen["other"]
        assert (seen["llms"], seen["by_id"], seen["filtered"]) == (["llm"], ["ask", "break"], ["ask"])


def check_feedback(seen: dict[str, Any]) -> None:
    """Feedback reads back as it was given, changed and taken back, with a key or without."""
    said = {key: each[:3] for key, each in seen["feedback"].items()}
    assert said == {
        "user_rating": [False, None, "no, 30 days"],
        "reason_category": [None, "hallucination", None],
        "correctness": [0.25, None, None],
        "stars": [4, None, "better"],
    }
    assert seen["of_llm"] == [["user_edit", {"content": "30 days."}]]
    assert (seen["read"][0], seen["read"][-1]) == (4, "better")
    assert seen["by_token"]["from_mail"] == [0, None, "by mail"]
    assert seen["by_token"]["clicked"] == [1, None, "ok"]
    assert seen.get("status", [seen.get("posted"), seen.get("clicked")]) == [200, 200]
    assert seen["tokens"] == len(seen["by_token"])
    if "posted" in seen:
        assert seen["by_token"]["written"] == [0.5, "so-so", None]
        # Which run and which trace it is about, and who judged.
        kinds = {key: each[3] for key, each in seen["feedback"].items()}
        assert (kinds["stars"], kinds["correctness"]) == ("api", "model")
        assert {about for each in seen["feedback"].values() for about in each[4:]} == {seen["trace"]}
