"""Langfuse's published SDKs against the real server: what they write is one trace, and they can read it."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.wire.clients import run_node, run_python
from tests.wire.conftest import Site

pytestmark = pytest.mark.wire

SDKS = ["python 2.60.10", "python 3.15.0", "python 4.18.0", "python 5.0.4", "js 3.39.2", "js 4.6.1", "js 5.11.1"]
#: These report with ingestion events, the others with spans.
WITH_EVENTS = {"python 2.60.10", "js 3.39.2"}
QUESTION = [{"role": "user", "content": "How long may I return it?"}]


def run(sdk: str, site: Site) -> dict[str, Any]:
    """What the program of one SDK saw."""
    language, version = sdk.split()
    program = "langfuse_events" if sdk in WITH_EVENTS else "langfuse_spans"
    if language == "js":
        clients = "langfuse-js-4" if version.startswith("4") else "langfuse-js"
        found: dict[str, Any] = run_node(clients, f"{program}.mjs", **site.settings)
        return found
    found = run_python(f"langfuse-{version}", f"{program}.py", **site.settings)
    assert found["version"] == version
    assert found["auth"] is True
    return found


@pytest.mark.parametrize("sdk", SDKS)
def test_what_an_sdk_writes_is_one_trace_that_it_can_read(sdk: str, site: Site) -> None:
    seen = run(sdk, site)
    check_reads(seen)
    trace = site.trace(seen["trace"])
    assert trace["name"] == "support"
    assert trace["user_id"] == "ann"
    assert trace["session_id"] == "chat-1"
    assert trace["release"] == "2026.11"
    assert sorted(trace["tags"]) == ["beta", "eu"]
    assert trace["input"] == {"question": "How long?"}
    assert trace["output"] == "60 days."
    assert trace["model"] == "small-1"
    assert trace["metadata"]["tenant"] == "acme"
    assert trace["metadata"]["environment"] == "staging"
    # Events know no retrievers.
    assert [document["id"] for document in trace["documents"]] == ([] if sdk in WITH_EVENTS else ["doc-7"])
    check_signals(trace)
    check_link(seen, site)


def check_reads(seen: dict[str, Any]) -> None:
    """What the SDK read is what it wrote."""
    steps = by_name(seen["observations"])
    llm = steps["llm"]
    assert llm["type"] == "GENERATION"
    assert llm["input"] == QUESTION
    assert llm["output"] == "60 days."
    assert llm["model"] == "small-1"
    assert llm["usageDetails"] == {"input": 12, "output": 4}
    assert llm["environment"] == "staging"
    assert str(llm["modelParameters"]["temperature"]) == "0.2"
    assert seen.get("fault", "NotFoundError") == "NotFoundError"
    scores = by_name(seen["scores"])
    if "whole" in seen:
        assert seen["whole"]["metadata"]["tenant"] == "acme"
        assert seen["whole"]["userId"] == "ann"
        assert seen["listed"] == [seen["trace"]]
        assert seen["sessions"] == ["chat-1"]
        assert seen["one"]["usage"]["total"] == 16
        scores |= by_name(seen["whole"]["scores"])
    else:
        assert llm["metadata"] == {"tenant": "acme"}
        assert seen["pages"] == [2, len(steps) - 2, None]
    if "of_session" in seen:
        assert [score["value"] for score in seen["of_session"]] == [4.0]
        assert seen["left"] == len(scores) - 1
    assert value_of(scores["fluency"]) == 0.8
    assert value_of(scores["user_rating"]) == 0
    assert scores["user_rating"]["comment"] == "no, 30 days"


def by_name(items: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {item["name"]: item for item in items}


def value_of(score: dict[str, Any]) -> Any:
    """What a score of any version says."""
    text = score.get("stringValue")
    return score["value"] if text is None or score["dataType"] == "BOOLEAN" else text


def check_signals(trace: dict[str, Any]) -> None:
    """Every score is a signal, except those its program took back."""
    signals = {signal["name"]: signal for signal in trace["signals"]}
    assert signals["user_rating"]["value"] == "down"
    assert signals["user_rating"]["comment"] == "no, 30 days"
    assert signals["fluency"]["score"] == 0.8
    if "reason_category" in signals:
        assert signals["reason_category"]["reason"] == "hallucination"
    if "user_edit" in signals:
        assert signals["user_edit"]["edited"] == "30 days."
        assert signals["user_edit"]["original"] == "60 days."


def check_link(seen: dict[str, Any], site: Site) -> None:
    """The address the SDK gives leads to the trace's page."""
    assert seen["url"].startswith(site.url)
    found = httpx2.get(seen["url"], follow_redirects=False)
    assert found.status_code == 307
    assert found.headers["location"] == f"{site.url}/traces/{seen['trace']}"


def test_a_wrong_key_is_told_so(site: Site) -> None:
    wrong = site.settings | {"SECRET": "tw_sk_wrong"}
    with pytest.raises(AssertionError, match="Unauthorized"):
        run_python("langfuse-5.0.4", "langfuse_check.py", **wrong)
    assert run_python("langfuse-5.0.4", "langfuse_check.py", **site.settings) == {"auth": True}


@pytest.mark.parametrize("version", ["2.60.10", "3.15.0", "4.18.0", "5.0.4"])
def test_an_sdk_keeps_datasets_configs_and_queues(version: str, site: Site) -> None:
    seen = run_python(f"langfuse-{version}", "langfuse_datasets.py", **site.settings)
    assert seen["dataset"] == [True, "to know", {"by": "me"}]
    assert seen["items"] == [
        ["it", {"country": "Italy"}, "Rome"],
        ["fr", {"country": "France"}, "Paris"],
        ["de", {"country": "Germany"}, "Berlin"],
    ]
    assert sorted(seen.get("run", [])) == {"2": ["it"], "5": []}.get(version[0], ["de", "fr", "it"])
    assert (seen["config"], seen["configs"], seen["queues"]) == (5, ["stars"], ["review"])
    assert seen.get("queue", ["PENDING", "COMPLETED", 1]) == ["PENDING", "COMPLETED", 1]
