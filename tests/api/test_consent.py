"""Consent at other tools' doors: a user's word is asked for there as at our own, and what is refused is counted, not kept."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.conftest import NOW
from thumbwheel.app import Wheel
from thumbwheel.capture.privacy import ConsentMode
from thumbwheel.capture.score import consent_of, is_users_word, read_rules
from thumbwheel.domain.person import Scope
from thumbwheel.domain.score import Score, ScoreSource
from thumbwheel.services.capture import Work
from thumbwheel.telemetry import WITHOUT_CONSENT

RUN = "01890000-0000-7000-8000-000000000001"
TRACE = {"id": RUN, "started_at": NOW.isoformat(), "input": "60?", "output": "60 days."}


def refused(what: str, channel: str) -> float:
    return WITHOUT_CONSENT.labels(what, channel)._value.get()


@pytest.fixture(autouse=True)
def asking(wheel: Wheel, client: TestClient) -> None:
    """A project that keeps nothing of its users without a yes, and a trace in it."""
    wheel.projects.choose(wheel.project("default"), {"consent": {"*": "opt_in"}})
    assert client.post("/v1/traces/batch", json={"traces": [TRACE]}).status_code == 201


def kept(client: TestClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"/v1/traces/{RUN}").json()["signals"]
    return found


def scores(client: TestClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/api/public/v2/scores").json()["data"]
    return found


def langfuse_score(client: TestClient, consent: Any, **more: Any) -> int:
    metadata = {} if consent is None else {"metadata": {"consent": consent}}
    body = {"traceId": RUN, "name": "user_rating", "value": 0, "dataType": "BOOLEAN", "comment": "no"} | metadata
    return client.post("/api/public/scores", json=body | more).status_code


@pytest.mark.parametrize(
    ("consent", "status"), [(None, 400), (False, 400), ({"given": False}, 400), (True, 200), ({"given": True}, 200)]
)
def test_a_langfuse_score_needs_its_users_yes(client: TestClient, consent: Any, status: int) -> None:
    before = refused("scores", "server")
    assert langfuse_score(client, consent) == status
    n = int(status == 200)
    assert len(kept(client)) == len(scores(client)) == n
    assert refused("scores", "server") - before == 1 - n
    if n:
        assert kept(client)[0]["consent"] == {"given": True, "mode": "opt_in"}
        assert kept(client)[0]["channel"] == "server"


def test_a_batch_keeps_what_it_may_and_says_which_it_may_not(client: TestClient, wheel: Wheel) -> None:
    made = wheel.access.add_key("default", [Scope.ingest]).key.public_key
    body = {"traceId": RUN, "name": "user_rating", "value": 1, "dataType": "BOOLEAN"}
    events = [
        {"id": f"e{n}", "type": "score-create", "timestamp": NOW.isoformat(), "body": {**body, "id": f"s{n}", **more}}
        for n, more in enumerate(({}, {"metadata": {"consent": True}}))
    ]
    answer = client.post("/api/public/ingestion", json={"batch": events}, headers={"Authorization": f"Bearer {made}"})
    assert answer.status_code == 207
    assert [each["id"] for each in answer.json()["errors"]] == ["e0"]
    assert [(each["id"], each["channel"]) for each in kept(client)] == [("s1", "browser")]


def test_reviewers_and_evaluators_are_not_users(client: TestClient, wheel: Wheel) -> None:
    assert langfuse_score(client, None, id="a", source="ANNOTATION") == 200
    assert langfuse_score(client, None, id="b", source="EVAL", name="judge") == 200
    assert langfuse_score(client, None, id="c", name="faithfulness") == 400
    wheel.projects.choose(wheel.project("default"), {"scores": {"faithfulness": {"as": "judge"}}})
    wheel.now.advance(seconds=6)  # type: ignore[attr-defined]
    assert langfuse_score(client, None, id="c", name="faithfulness") == 200
    assert {each["id"] for each in scores(client)} == {"a", "b", "c"}
    assert kept(client) == []


def test_a_rule_that_comes_later_makes_no_users_word_of_what_was_never_asked_for(
    client: TestClient, wheel: Wheel
) -> None:
    assert langfuse_score(client, None, id="a", source="EVAL", name="thumb") == 200
    assert langfuse_score(client, True, id="b", source="EVAL", name="thumb") == 200
    project = wheel.project("default")
    wheel.projects.choose(project, {"scores": {"thumb": {"as": "rating"}}})
    assert wheel.capture.read_scores_again(project, ["thumb"]) == 2
    assert [each["id"] for each in kept(client)] == ["b"]


def test_langsmith_feedback_carries_it_in_its_sources_metadata(client: TestClient) -> None:
    feedback: dict[str, Any] = {"run_id": RUN, "key": "user_score", "score": 1, "trace_id": RUN}
    assert client.post("/langsmith/feedback", json=feedback).status_code == 400
    source = {"feedback_source": {"type": "api", "metadata": {"consent": {"given": True, "version": "2026-11"}}}}
    answer = client.post("/langsmith/feedback", json=feedback | source)
    assert answer.status_code == 200, answer.text
    (signal,) = kept(client)
    assert signal["consent"] == {"given": True, "version": "2026-11", "mode": "opt_in"}
    changed = client.patch(f"/langsmith/feedback/{answer.json()['id']}", json={"score": 0})
    assert changed.status_code == 200
    assert [each["value"] for each in kept(client)] == ["down"]


def test_an_address_for_feedback_is_a_link(client: TestClient, wheel: Wheel) -> None:
    made = client.post("/langsmith/feedback/tokens", json={"run_id": RUN, "feedback_key": "user_score"}).json()
    said = {"score": 1}
    assert client.post(made["url"], json=said).status_code == 400
    assert client.post(made["url"], json=said | {"metadata": {"consent": True}}).status_code == 200
    assert [each["channel"] for each in kept(client)] == ["link"]
    wheel.projects.choose(wheel.project("default"), {"consent": {"link": "none_needed"}})
    wheel.now.advance(seconds=6)  # type: ignore[attr-defined]
    assert client.get(made["url"], params={"score": 0}).status_code == 200


def evaluation(**more: Any) -> dict[str, Any]:
    said = {"gen_ai.evaluation.name": "thumb", "gen_ai.evaluation.score.value": 0.0} | more
    kinds = {bool: "boolValue", float: "doubleValue", str: "stringValue"}
    attributes = [{"key": name, "value": {kinds[type(value)]: value}} for name, value in said.items()]
    record = {"eventName": "gen_ai.evaluation.result", "traceId": RUN.replace("-", ""), "attributes": attributes}
    record |= {"timeUnixNano": str(int(NOW.timestamp() * 1e9))}
    return {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}


def test_an_otlp_event_that_the_project_calls_a_rating_is_a_users_word(client: TestClient, wheel: Wheel) -> None:
    assert client.post("/v1/logs", json=evaluation()).json() == {}
    assert kept(client) == []
    wheel.projects.choose(wheel.project("default"), {"scores": {"thumb": {"as": "rating"}}})
    wheel.now.advance(seconds=6)  # type: ignore[attr-defined]
    answer = client.post("/v1/logs", json=evaluation(**{"gen_ai.evaluation.score.label": "bad"})).json()
    assert answer["partialSuccess"]["rejectedLogRecords"] == "1"
    assert "agreed" in answer["partialSuccess"]["errorMessage"]
    assert kept(client) == []
    assert client.post("/v1/logs", json=evaluation(**{"consent.given": True})).json() == {}
    assert [each["value"] for each in kept(client)] == ["down"]


def test_a_no_holds_in_every_mode_and_takes_no_standing_score_away(client: TestClient, wheel: Wheel) -> None:
    wheel.projects.choose(wheel.project("default"), {"consent": {"*": "none_needed"}})
    wheel.now.advance(seconds=6)  # type: ignore[attr-defined]
    assert langfuse_score(client, None, id="s") == 200
    assert langfuse_score(client, False, id="s", value=1) == 400
    assert [each["value"] for each in kept(client)] == ["down"]
    assert "consent" not in kept(client)[0]


def test_basic_keys_are_asked_as_bearers_are(client: TestClient, wheel: Wheel) -> None:
    made = wheel.access.add_key("default", [Scope.ingest])
    pair = base64.b64encode(f"{made.key.public_key}:{made.secret_key}".encode()).decode()
    client.headers["Authorization"] = f"Basic {pair}"
    assert langfuse_score(client, None) == 400


@pytest.mark.parametrize(
    ("metadata", "given"),
    [
        ({"consent": "true"}, True),
        ({"consent": {"given": "False"}}, False),
        ({"consent.given": True}, True),
        ({"consent": {"asked": "2026"}}, None),
        ({"consent": 1}, None),
    ],
)
def test_consent_is_read_however_instrumentation_writes_it(metadata: dict[str, Any], given: bool | None) -> None:
    found = consent_of(metadata)
    assert found is not None
    assert found.get("given") is given
    assert consent_of({"other": 1}) is None


def test_whose_word_a_score_is_follows_its_source_and_the_projects_rules() -> None:
    rules = read_rules({"scores": {"n": {"as": "nothing"}, "r": {"as": "rating"}, "j": {"as": "judge"}}})
    asked = {
        (source.value, name)
        for source in ScoreSource
        for name in ("x", "n", "r", "j")
        if is_users_word(Score(id="s", name=name, source=source, at=NOW, family="langfuse"), rules)
    }
    assert asked == {("API", "x"), ("API", "n"), ("API", "r"), ("ANNOTATION", "r"), ("EVAL", "r")}


def test_what_a_pull_brings_is_asked_as_an_import(wheel: Wheel) -> None:
    project = wheel.project("default")
    wheel.projects.choose(project, {"consent": {"import": ConsentMode.opt_out}})
    wheel.now.advance(seconds=6)  # type: ignore[attr-defined]
    score = Score(id="s", name="user_rating", trace_id=RUN, value=1.0, at=NOW, family="langfuse")
    kept_now = wheel.capture.keep_now(Work(project, scores=[score], channel="import"))
    assert kept_now.scores == [True]
    assert wheel.capture.get(project, RUN).signals[0].consent == {"mode": "opt_out"}
