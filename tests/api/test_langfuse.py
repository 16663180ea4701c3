"""The doors for Langfuse's clients: what their SDKs never do, or do not show."""

from __future__ import annotations

import base64
import gzip
import itertools
import json
from contextlib import suppress
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import NOW
from thumbwheel.app import Wheel
from thumbwheel.connectors import langfuse
from thumbwheel.connectors.langfuse import Sender
from thumbwheel.domain.person import Scope
from thumbwheel.errors import Invalid

PUBLIC = "/api/public"
START = "2026-11-23T10:00:00.000Z"


def event(kind: str, body: dict[str, Any], at: str = START, id: str = "") -> dict[str, Any]:
    return {"id": id or f"{kind}-{body.get('id')}", "type": kind, "timestamp": at, "body": body}


TRACE = event("trace-create", {"id": "t1", "timestamp": START, "name": "ask", "userId": "ann", "sessionId": "s1"})
STEP = event("generation-create", {"id": "o1", "traceId": "t1", "startTime": START, "name": "llm", "input": "60?"})
DONE = event("generation-update", {"id": "o1", "traceId": "t1", "output": "60 days.", "model": "small-1"})
RATING = event("score-create", {"id": "r1", "traceId": "t1", "name": "user_rating", "value": 0, "dataType": "BOOLEAN"})


def send(client: TestClient, *events: object, **more: Any) -> dict[str, Any]:
    answer = client.post(f"{PUBLIC}/ingestion", json={"batch": events}, **more)
    assert answer.status_code == 207, answer.text
    found: dict[str, Any] = answer.json()
    return found


def read(client: TestClient, path: str, **query: Any) -> Any:
    answer = client.get(f"{PUBLIC}/{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture
def keys(wheel: Wheel) -> tuple[str, str]:
    """The halves of a key pair that may take in and read."""
    made = wheel.access.add_key("default", [Scope.ingest, Scope.read])
    return made.key.public_key, made.secret_key


# --- ingestion


def test_each_event_of_a_batch_stands_for_itself(client: TestClient) -> None:
    bad = event("score-create", {"name": "x", "value": 1}, id="bad")
    answer = send(client, TRACE, bad, event("sdk-log", {}, id="log"), event("nonsense", {}, id="what"), 5, STEP)
    assert [each["id"] for each in answer["successes"]] == ["trace-create-t1", "log", "generation-create-o1"]
    assert {each["status"] for each in answer["successes"]} == {201}
    assert [(each["id"], each["status"]) for each in answer["errors"]] == [("bad", 400), ("what", 400), ("", 400)]
    assert all(each["message"] and each["error"] for each in answer["errors"])
    assert read(client, "traces/t1")["observations"][0]["id"] == "o1"


@pytest.mark.parametrize("order", list(itertools.permutations([TRACE, STEP, DONE, RATING])))
def test_events_in_any_order_make_the_same_trace(client: TestClient, order: tuple[dict[str, Any], ...]) -> None:
    for each in order:
        send(client, each)
    trace = client.get("/v1/traces/t1").json()
    assert (trace["name"], trace["user_id"], trace["input"], trace["output"]) == ("ask", "ann", "60?", "60 days.")
    assert [signal["value"] for signal in trace["signals"]] == ["down"]


def test_a_batch_sent_again_changes_nothing(client: TestClient) -> None:
    first = send(client, TRACE, STEP, DONE, RATING)
    before = client.get("/v1/traces/t1").json()
    assert send(client, TRACE, STEP, DONE, RATING) == first
    assert client.get("/v1/traces/t1").json() == before


def test_an_update_of_a_trace_does_not_move_its_start(client: TestClient) -> None:
    later = "2026-11-23T10:05:00.000Z"
    update = event("trace-create", {"id": "t1", "timestamp": later, "output": "60 days.", "tags": ["b"]}, later, "e2")
    create = event("trace-create", {"id": "t1", "timestamp": START, "name": "ask", "tags": ["a"]})
    send(client, update)
    send(client, create)
    trace = read(client, "traces/t1")
    assert trace["timestamp"] == "2026-11-23T10:00:00.000000Z"
    assert (trace["name"], trace["output"], trace["tags"]) == ("ask", "60 days.", ["a", "b"])


def test_every_kind_of_observation_is_kept_as_such(client: TestClient) -> None:
    kinds = "span generation event agent tool chain retriever embedding evaluator guardrail".split()
    events = [event(f"{kind}-create", {"id": kind, "traceId": "t1", "startTime": START}) for kind in kinds]
    other = event("observation-create", {"id": "other", "traceId": "t1", "type": "TOOL", "startTime": START})
    assert send(client, *events, other)["errors"] == []
    found = {each["id"]: each["type"] for each in read(client, "v2/observations", traceId="t1")["data"]}
    assert found == {kind: kind.upper() for kind in kinds} | {"other": "TOOL"}


def test_usage_of_every_generation_is_understood() -> None:
    older = {"promptTokens": 3, "completionTokens": 4, "totalTokens": 7}
    openai = {"prompt_tokens": 3, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 1}}
    counts: list[dict[str, Any]] = [
        {"usage": older},
        {"usage": {"input": 3, "output": 4, "unit": "TOKENS"}},
        {"usageDetails": openai},
    ]
    found = [langfuse.event(event("generation-create", {"id": "o"} | each), Sender(NOW)) for each in counts]
    assert [getattr(each, "usage", None) for each in found] == [
        {"input": 3, "output": 4, "total": 7},
        {"input": 3, "output": 4},
        {"input": 3, "output": 4, "input_cached_tokens": 1},
    ]


def test_bodies_may_be_compressed_and_chunked(client: TestClient) -> None:
    body = json.dumps({"batch": [TRACE]}).encode()
    packed: dict[str, Any] = {"content": gzip.compress(body), "headers": {"content-encoding": "gzip"}}
    assert client.post(f"{PUBLIC}/ingestion", **packed).json()["errors"] == []
    assert client.post(f"{PUBLIC}/ingestion", content=iter([body[:9], body[9:]])).json()["errors"] == []


def test_too_large_a_body_is_refused_in_their_form(client: TestClient) -> None:
    bomb = gzip.compress(b" " * 30_000_000)
    answer = client.post(f"{PUBLIC}/ingestion", content=bomb, headers={"content-encoding": "gzip"})
    assert answer.status_code == 413
    assert set(answer.json()) == {"error", "message"}


@pytest.mark.parametrize("body", [b"{", b"[]", b"{}", b'{"batch": {}}', b"\xff"])
def test_what_is_no_batch_is_refused(client: TestClient, body: bytes) -> None:
    answer = client.post(f"{PUBLIC}/ingestion", content=body)
    assert answer.status_code == 400
    assert set(answer.json()) == {"error", "message"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    "id traceId parentObservationId name startTime endTime timestamp input output metadata level statusMessage version"
    " environment model modelParameters usage usageDetails promptName promptVersion userId sessionId tags value"
    " dataType comment configId source type".split()
)
TYPES = st.sampled_from(["trace-create", "score-create", "span-create", "generation-update", "observation-create"])


@given(TYPES, st.dictionaries(FIELDS, JSON))
def test_no_body_is_a_fault_of_ours(kind: str, body: dict[str, Any]) -> None:
    with suppress(Invalid):
        langfuse.event(event(kind, body), Sender(NOW))


@pytest.mark.parametrize("value", ["1e999", "-NaN", "1" + "0" * 40, '"\\ud800"', "[" * 80 + "]" * 80, '"\\u0000"'])
@pytest.mark.parametrize("field", ["input", "metadata", "name", "userId", "usage", "tags", "value"])
def test_what_no_store_holds_costs_its_own_event_at_most(client: TestClient, field: str, value: str) -> None:
    kind = "score-create" if field == "value" else "trace-create" if field in {"userId", "tags"} else "span-create"
    body = f'{{"id": "odd", "traceId": "odd", "name": "x", "startTime": "{START}", "{field}": {value}}}'
    odd = f'{{"id": "odd", "type": "{kind}", "timestamp": "{START}", "body": {body}}}'
    whole = f'{{"batch": [{odd}, {json.dumps(TRACE)}]}}'
    answer = client.post(f"{PUBLIC}/ingestion", content=whole.encode())
    if answer.status_code == 400:
        assert "JSON" in answer.json()["message"]
        return
    assert answer.status_code == 207, answer.text
    assert "trace-create-t1" in [each["id"] for each in answer.json()["successes"]]
    assert read(client, "traces")["data"]
    read(client, "v2/observations")
    read(client, "v3/scores")


# --- scores


def test_one_score_and_a_list_are_answered_differently(client: TestClient) -> None:
    good = {"id": "s1", "traceId": "t1", "name": "fluency", "value": 0.5}
    bad = {"traceId": "t1", "name": "fluency", "value": "much", "dataType": "NUMERIC"}
    one = client.post(f"{PUBLIC}/scores", json=good)
    assert (one.status_code, one.json()) == (200, {"id": "s1"})
    several = client.post(f"{PUBLIC}/scores", json=[good])
    assert (several.status_code, several.json()) == (202, {"message": "Accepted"})
    some = client.post(f"{PUBLIC}/scores", json=[good, bad])
    assert some.status_code == 207
    assert (some.json()["accepted"], some.json()["rejected"]) == (1, 1)
    refused = client.post(f"{PUBLIC}/scores", json=bad)
    assert refused.status_code == 400
    assert "value" in refused.json()["message"]


@pytest.mark.parametrize(
    "body",
    [
        {"name": "x", "value": 1},
        {"name": "x", "value": 1, "observationId": "o1"},
        {"name": "x", "value": None, "traceId": "t1"},
        {"value": 1, "traceId": "t1"},
        {"name": "x", "value": 2, "dataType": "BOOLEAN", "traceId": "t1"},
        {"name": "x", "value": 2, "dataType": "CATEGORICAL", "traceId": "t1"},
        {"name": "x", "value": 2, "dataType": "STARS", "traceId": "t1"},
        {"name": "x", "value": 2, "source": "NOBODY", "traceId": "t1"},
        {"name": "x", "value": 2, "timestamp": "soon", "traceId": "t1"},
    ],
)
def test_a_score_that_says_nothing_usable_is_refused(client: TestClient, body: dict[str, Any]) -> None:
    assert client.post(f"{PUBLIC}/scores", json=body).status_code == 400


def test_a_score_waits_for_its_trace_and_its_id_in_either_spelling_finds_it(client: TestClient) -> None:
    dashed = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
    plain = dashed.replace("-", "").upper()
    assert client.post(f"{PUBLIC}/scores", json={"traceId": plain, "name": "x", "value": 1}).status_code == 200
    assert read(client, "v3/scores", traceId=dashed)["data"][0]["subject"] == {"kind": "trace", "id": plain}
    send(client, event("trace-create", {"id": dashed, "timestamp": START}))
    assert read(client, "v3/scores", traceId=plain)["data"][0]["subject"] == {"kind": "trace", "id": dashed}
    assert [score["name"] for score in read(client, f"traces/{plain}")["scores"]] == ["x"]


def test_the_same_score_again_is_an_update(client: TestClient) -> None:
    send(client, TRACE)
    for value in ("hallucination", "outdated"):
        body = {"id": "s1", "traceId": "t1", "name": "reason_category", "value": value, "timestamp": START}
        client.post(f"{PUBLIC}/scores", json=body)
    assert [score["value"] for score in read(client, "v3/scores")["data"]] == ["outdated"]
    assert [signal["reason"] for signal in client.get("/v1/traces/t1").json()["signals"]] == ["outdated"]


def test_a_score_of_each_type_reads_back_in_each_form(client: TestClient) -> None:
    send(client, TRACE, STEP)
    given = {
        "NUMERIC": 0.5,
        "BOOLEAN": 1,
        "CATEGORICAL": "hallucination",
        "TEXT": "well said",
        "CORRECTION": "30 days.",
    }
    for type, value in given.items():
        body = {"id": type, "traceId": "t1", "observationId": "o1", "name": type, "value": value, "dataType": type}
        assert client.post(f"{PUBLIC}/scores", json=body).status_code == 200
    newest = {score["id"]: score for score in read(client, "v3/scores")["data"]}
    assert {id: score["value"] for id, score in newest.items()} == given | {"BOOLEAN": True}
    assert newest["TEXT"]["subject"] == {"kind": "observation", "id": "o1", "traceId": "t1"}
    older = {score["id"]: score for score in read(client, "v2/scores", observationId="o1")["data"]}
    assert {id: (score["dataType"], score["value"], score.get("stringValue")) for id, score in older.items()} == {
        "NUMERIC": ("NUMERIC", 0.5, None),
        "BOOLEAN": ("BOOLEAN", 1.0, "True"),
        "CATEGORICAL": ("CATEGORICAL", 0.0, "hallucination"),
        "TEXT": ("TEXT", 0.0, "well said"),
        "CORRECTION": ("CORRECTION", 0.0, "30 days."),
    }
    oldest = {score["dataType"] for score in read(client, "traces/t1")["scores"]}
    assert oldest == {"NUMERIC", "BOOLEAN", "CATEGORICAL"}


def test_a_reviewers_score_is_a_review_and_no_signal(client: TestClient) -> None:
    body = {"traceId": "t1", "name": "quality", "value": 0, "dataType": "BOOLEAN", "source": "ANNOTATION"}
    send(client, TRACE)
    client.post(f"{PUBLIC}/scores", json=body)
    trace = client.get("/v1/traces/t1").json()
    assert trace["signals"] == []
    assert [review["verdict"] for review in trace["annotations"]] == ["fail"]


def test_a_score_taken_back_takes_its_signal_along(client: TestClient) -> None:
    send(client, TRACE, RATING)
    assert client.delete(f"{PUBLIC}/scores/r1").status_code == 202
    assert client.get("/v1/traces/t1").json()["signals"] == []
    gone = client.delete(f"{PUBLIC}/scores/r1")
    assert gone.status_code == 404
    assert "r1" in gone.json()["message"]


# --- keys


def test_every_way_to_name_the_key_opens_the_door(client: TestClient, keys: tuple[str, str]) -> None:
    public, secret = keys
    basic = base64.b64encode(f"{public}:{secret}".encode()).decode()
    for headers in ({"authorization": f"Basic {basic}"}, {"authorization": f"Bearer {secret}"}, {"x-api-key": secret}):
        client.headers.pop("authorization", None)
        answer = client.get(f"{PUBLIC}/projects", headers=headers)
        assert answer.json()["data"][0]["name"] == "default"
        assert answer.json()["data"][0]["organization"].keys() == {"id", "name"}


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer tw_sk_wrong"}, {"authorization": "Basic !"}])
def test_without_a_good_key_every_door_but_health_is_shut(client: TestClient, headers: dict[str, str]) -> None:
    client.headers.pop("authorization")
    for method, path in (("GET", "projects"), ("GET", "traces"), ("POST", "scores"), ("POST", "ingestion")):
        answer = client.request(method, f"{PUBLIC}/{path}", headers=headers)
        assert answer.status_code == 401
        assert set(answer.json()) == {"error", "message"}
    assert client.get(f"{PUBLIC}/health").json()["status"] == "OK"


def test_a_publishable_key_sends_its_users_scores_and_nothing_else(client: TestClient, keys: tuple[str, str]) -> None:
    page: dict[str, Any] = {"headers": {"authorization": f"Bearer {keys[0]}"}}
    answer = send(client, TRACE, RATING, **page)
    assert [each["id"] for each in answer["successes"]] == ["score-create-r1"]
    assert [each["status"] for each in answer["errors"]] == [403]
    score = {"traceId": "t1", "name": "x", "value": 1}
    assert client.post(f"{PUBLIC}/scores", json=score, **page).status_code == 200
    assert client.post(f"{PUBLIC}/scores", json=score | {"source": "ANNOTATION"}, **page).status_code == 403
    paths = "projects traces traces/t1 v2/observations v3/scores sessions v2/datasets annotation-queues score-configs"
    assert {client.get(f"{PUBLIC}/{path}", **page).status_code for path in paths.split()} == {403}
    assert client.delete(f"{PUBLIC}/scores/r1", **page).status_code == 403


def test_a_page_of_an_allowed_origin_may_ask_first(client: TestClient, wheel: Wheel) -> None:
    client.get(f"{PUBLIC}/health")
    wheel.access.allow_origins("default", ["https://app.example.com"])
    asks = {
        "origin": "https://app.example.com",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization, content-type, x-langfuse-sdk-name",
    }
    answer = client.options(f"{PUBLIC}/ingestion", headers=asks)
    assert answer.headers["access-control-allow-origin"] == "https://app.example.com"
    assert "x-langfuse-sdk-name" in answer.headers["access-control-allow-headers"]
    assert client.options(f"{PUBLIC}/scores", headers=asks | {"origin": "https://evil.org"}).status_code == 403


def test_one_projects_key_neither_reads_nor_changes_anothers(client: TestClient, wheel: Wheel) -> None:
    send(client, TRACE, STEP, RATING)
    other = {"authorization": f"Bearer {wheel.access.add_key('other', [Scope.ingest, Scope.read]).secret_key}"}
    assert client.get(f"{PUBLIC}/traces", headers=other).json()["data"] == []
    for path in ("traces/t1", "observations/o1", "scores/r1", "sessions/s1"):
        assert client.get(f"{PUBLIC}/{path}", headers=other).status_code == 404
    assert client.delete(f"{PUBLIC}/scores/r1", headers=other).status_code == 404
    send(client, event("trace-create", {"id": "t1", "timestamp": START, "name": "theirs"}), headers=other)
    assert read(client, "traces/t1")["name"] == "ask"


# --- reads


def test_observations_are_paged_through_once_each(client: TestClient) -> None:
    steps = [
        event("span-create", {"id": f"o{n}", "traceId": f"t{n // 3}", "startTime": START, "name": f"step {n % 2}"})
        for n in range(10)
    ]
    send(client, *steps)
    found: list[str] = []
    cursor: str | None = None
    for _ in range(10):
        page = read(client, "v2/observations", limit=4, **({"cursor": cursor} if cursor else {}))
        found += [each["id"] for each in page["data"]]
        cursor = page["meta"].get("cursor")
        if cursor is None:
            break
    assert sorted(found) == sorted(f"o{n}" for n in range(10))
    assert {each["id"] for each in read(client, "v2/observations", name="step 1")["data"]} == {
        "o1",
        "o3",
        "o5",
        "o7",
        "o9",
    }
    second = read(client, "observations", page=2, limit=4)
    assert [each["id"] for each in second["data"]] == found[4:8]


def test_scores_are_paged_through_once_each(client: TestClient) -> None:
    client.post(f"{PUBLIC}/scores", json=[{"id": f"s{n}", "traceId": "t1", "name": "x", "value": n} for n in range(7)])
    found: list[str] = []
    cursor: str | None = None
    while len(found) < 7:
        page = read(client, "v3/scores", limit=3, **({"cursor": cursor} if cursor else {}))
        found += [each["id"] for each in page["data"]]
        cursor = page["meta"].get("cursor")
    assert sorted(found) == [f"s{n}" for n in range(7)]
    assert cursor is None
    meta = read(client, "v2/scores", limit=3, page=2)["meta"]
    assert meta == {"page": 2, "limit": 3, "totalItems": 7, "totalPages": 3}


def test_a_client_may_choose_fields_and_text(client: TestClient) -> None:
    step = STEP["body"] | {"input": {"q": "60?"}, "promptName": "answer", "promptVersion": 3}
    send(client, event("generation-create", step))
    core = read(client, "v2/observations", fields="core")["data"][0]
    assert set(core) == {"id", "traceId", "projectId", "parentObservationId", "type", "startTime", "endTime"}
    assert read(client, "v2/observations", fields="io", parseIoAsJson="false")["data"][0]["input"] == '{"q": "60?"}'
    whole = read(client, "v2/observations")["data"][0]
    assert (whole["input"], whole["promptVersion"]) == ({"q": "60?"}, 3)


def test_a_prompt_version_that_is_no_number_stands_in_the_metadata(client: TestClient) -> None:
    send(client, event("generation-create", STEP["body"] | {"promptVersion": "v7"}))
    found = read(client, "observations/o1")
    assert (found["promptVersion"], found["metadata"]) == (None, {"prompt_version": "v7"})


def test_traces_are_filtered(client: TestClient) -> None:
    other = event("trace-create", {"id": "t2", "timestamp": "2026-11-22T10:00:00Z", "name": "b", "tags": ["x", "y"]})
    send(client, TRACE, other)
    for query, ids in (
        ({"name": "ask"}, ["t1"]),
        ({"userId": "ann"}, ["t1"]),
        ({"tags": ["x", "y"]}, ["t2"]),
        ({"fromTimestamp": "2026-11-23T00:00:00Z"}, ["t1"]),
        ({"toTimestamp": "2026-11-23T00:00:00+00:00"}, ["t2"]),
        ({"limit": 1, "page": 2}, ["t2"]),
    ):
        assert [each["id"] for each in read(client, "traces", **query)["data"]] == ids


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "page=-1", "fromTimestamp=soon", "filter=[]"])
def test_a_question_that_cannot_be_answered_is_refused(client: TestClient, query: str) -> None:
    answer = client.get(f"{PUBLIC}/traces?{query}")
    assert answer.status_code == 400
    assert answer.json()["message"]


def test_a_cursor_of_somebody_else_is_refused(client: TestClient) -> None:
    for path in ("v2/observations", "v3/scores"):
        assert client.get(f"{PUBLIC}/{path}?cursor=abc").status_code == 400


def test_a_trace_that_was_sent_natively_is_read_too(client: TestClient) -> None:
    trace = {"id": "n1", "started_at": START, "input": "60?", "output": "60 days.", "metadata": {"tenant": "acme"}}
    client.post("/v1/traces/batch", json={"traces": [trace]})
    found = read(client, "traces/n1")
    assert (found["input"], found["output"], found["metadata"]) == ("60?", "60 days.", {"tenant": "acme"})
    assert found["observations"] == []


def test_a_trace_is_forgotten_with_all_that_hangs_on_it(client: TestClient) -> None:
    send(client, TRACE, STEP, RATING)
    assert client.delete(f"{PUBLIC}/traces/t1").status_code == 200
    for path in ("traces/t1", "observations/o1", "scores/r1"):
        assert client.get(f"{PUBLIC}/{path}").status_code == 404
    assert client.request("DELETE", f"{PUBLIC}/traces", json={"traceIds": ["t1"]}).status_code == 200


def test_media_are_never_uploaded(client: TestClient) -> None:
    body = {"traceId": "t1", "contentType": "image/png", "contentLength": 9, "sha256Hash": "a+/b" * 10 + "a+8="}
    answer = client.post(f"{PUBLIC}/media", json=body)
    assert answer.status_code == 201
    assert answer.json() == {"mediaId": "a-_b" * 5 + "a-", "uploadUrl": None}


# --- datasets, score configs, queues


def test_a_dataset_is_kept_with_its_items_and_runs(client: TestClient) -> None:
    made = client.post(f"{PUBLIC}/v2/datasets", json={"name": "capitals/eu", "metadata": {"a": 1}}).json()
    item = {"datasetName": "capitals/eu", "id": "i1", "input": {"of": "Italy"}, "expectedOutput": "Rome"}
    assert client.post(f"{PUBLIC}/dataset-items", json=item).json()["datasetId"] == made["id"]
    changed = client.post(f"{PUBLIC}/dataset-items", json=item | {"status": "ARCHIVED"}).json()
    assert (changed["status"], changed["input"], changed["mediaReferences"]) == ("ARCHIVED", {"of": "Italy"}, [])
    assert read(client, "v2/datasets/capitals%2Feu")["id"] == made["id"]
    assert [each["id"] for each in read(client, "dataset-items", datasetName="capitals/eu")["data"]] == ["i1"]
    assert [each["name"] for each in read(client, "v2/datasets")["data"]] == ["golden", "capitals/eu"]
    run = {"runName": "first", "datasetItemId": "i1", "traceId": "t1"}
    assert client.post(f"{PUBLIC}/dataset-run-items", json=run).json()["datasetRunName"] == "first"
    unknown = client.post(f"{PUBLIC}/dataset-items", json=item | {"datasetName": "none", "id": "i2"})
    assert unknown.status_code == 404


def test_the_golden_set_takes_no_rows_but_from_labels(client: TestClient) -> None:
    assert read(client, "v2/datasets/golden")["name"] == "golden"
    assert read(client, "dataset-items", datasetName="golden")["data"] == []
    assert client.post(f"{PUBLIC}/dataset-items", json={"datasetName": "golden", "input": 1}).status_code == 409


def test_score_configs_are_the_codebooks_fields_and_the_clients_own(client: TestClient, wheel: Wheel) -> None:
    category = {"id": "invented", "name": "Invented", "definition": "d", "positive": "p", "negative": "n"}
    book = {"name": "support", "question": "Is it right?", "categories": [category | {"edge_case": "e"}]}
    wheel.rubric.publish(wheel.project("default"), book, "owner")
    own = client.post(f"{PUBLIC}/score-configs", json={"name": "stars", "dataType": "NUMERIC", "maxValue": 5}).json()
    found = {each["id"]: each for each in read(client, "score-configs")["data"]}
    assert list(found) == ["verdict", "category", own["id"]]
    assert found["verdict"]["description"] == "Is it right?"
    assert found["category"]["categories"] == [{"value": 0, "label": "invented"}]
    assert read(client, f"score-configs/{own['id']}")["maxValue"] == 5
    assert client.patch(f"{PUBLIC}/score-configs/verdict", json={"isArchived": True}).status_code == 409


def test_a_clients_own_queue_is_kept_and_the_review_queue_is_only_read(client: TestClient) -> None:
    made = client.post(f"{PUBLIC}/annotation-queues", json={"name": "mine", "scoreConfigIds": []}).json()
    items = f"{PUBLIC}/annotation-queues/{made['id']}/items"
    item = client.post(items, json={"objectId": "t1", "objectType": "TRACE"}).json()
    assert (item["status"], item["completedAt"], item["queueId"]) == ("PENDING", None, made["id"])
    done = client.patch(f"{items}/{item['id']}", json={"status": "COMPLETED"}).json()
    assert done["completedAt"] is not None
    assert read(client, f"annotation-queues/{made['id']}/items", status="PENDING")["data"] == []
    assert [each["name"] for each in read(client, "annotation-queues")["data"]] == ["review", "mine"]
    refused = client.post(f"{PUBLIC}/annotation-queues/review/items", json={"objectId": "t1", "objectType": "TRACE"})
    assert refused.status_code == 409


def test_the_review_queue_shows_what_draws_put_there(client: TestClient) -> None:
    send(client, TRACE, STEP)
    draw = {"budget": 1, "window": "7d", "maturity": "0", "mix": {"random": 100}}
    entries = client.post("/v1/draws", json=draw).json()["entries"]
    shown = read(client, "annotation-queues/review/items")["data"]
    assert [(each["id"], each["objectId"], each["status"]) for each in shown] == [(entries[0]["id"], "t1", "PENDING")]
    drawn = client.delete(f"{PUBLIC}/traces/t1")
    assert drawn.status_code == 409
