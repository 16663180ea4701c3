"""The doors of capture: what gets in, what is refused and in which words."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.conftest import NOW
from thumbwheel.app import Wheel
from thumbwheel.domain.person import Scope

TRACE = {
    "id": "t1",
    "started_at": "2026-11-23T10:00:00Z",
    "ended_at": "2026-11-23T10:00:02.5+00:00",
    "name": "ask",
    "category": "billing",
    "user_id": "u1",
    "session_id": "s1",
    "model": "m",
    "prompt_version": "v7",
    "release": "2.4.0",
    "tags": ["beta"],
    "input": [{"role": "user", "content": "What is the fee?"}],
    "output": "The fee is 4 euros.",
    "documents": [{"id": "d1", "content": "Fees: 5 euros.", "score": 0.9}, {"id": "d2"}],
    "tool_calls": [{"name": "lookup", "arguments": {"q": "fee"}, "result": [1, None]}],
    "judge": {"score": 0.4, "name": "j"},
    "metadata": {"tenant": "acme"},
}


def trace(**given: Any) -> dict[str, Any]:
    return TRACE | given


def signal(**given: Any) -> dict[str, Any]:
    return {"id": "s1", "trace_id": "t1", "kind": "user_rating", "value": "down"} | given


def add_traces(client: TestClient, *traces: Any) -> Any:
    return client.post("/v1/traces/batch", json={"traces": list(traces)})


def test_a_trace_comes_back_as_it_was_sent(client: TestClient) -> None:
    answer = add_traces(client, TRACE)
    assert answer.status_code == 201
    assert answer.json() == {"accepted": 1, "duplicates": 0, "rejected": []}
    got = client.get("/v1/traces/t1").json()
    for name in ("id", "name", "category", "user_id", "session_id", "model", "prompt_version", "release", "tags"):
        assert got[name] == TRACE[name]
    for name in ("input", "output", "judge", "metadata", "tool_calls"):
        assert got[name] == TRACE[name]
    assert got["started_at"] == "2026-11-23T10:00:00Z"
    assert got["documents"] == [
        {"id": "d1", "content": "Fees: 5 euros.", "score": 0.9, "rank": 1},
        {"id": "d2", "content": None, "score": None, "rank": 2},
    ]
    assert got["signals"] == got["annotations"] == got["suggestions"] == got["artifacts"] == []
    assert got["label"] is None


KINDS: list[dict[str, Any]] = [
    {"kind": "user_rating", "value": "up"},
    {"kind": "user_rating", "value": "down"},
    {"kind": "user_reason", "reason": "hallucination", "comment": "it made that up"},
    {"kind": "user_edit", "edited": "The fee is 5 euros.", "rights": ["evaluate", "train"]},
    {"kind": "implicit_regenerate"},
    {"kind": "implicit_clarification"},
    {"kind": "implicit_abandonment"},
    {"kind": "implicit_copy"},
    {"kind": "implicit_copy_edit", "edited": "Fee: 5 euros."},
    {"kind": "implicit_dwell", "seconds": 12.5},
]


@pytest.mark.parametrize("said", KINDS, ids=lambda said: "-".join(map(str, list(said.values())[:2])))
def test_every_kind_of_signal_is_kept_with_what_it_was_about(client: TestClient, said: dict[str, Any]) -> None:
    add_traces(client, TRACE)
    answer = client.post("/v1/signals", json={"trace_id": "t1", "user_id": "u9", "consent": {"given": True}} | said)
    assert answer.status_code == 201, answer.text
    (kept,) = client.get("/v1/traces/t1").json()["signals"]
    assert {name: kept[name] for name in said if name != "rights"} == {n: v for n, v in said.items() if n != "rights"}
    assert set(kept["rights"]) == set(said.get("rights", []))
    assert kept["user_id"] == "u9"
    assert kept["consent"] == {"given": True}
    assert kept["context"] == {"model": "m", "prompt_version": "v7", "category": "billing", "release": "2.4.0"}


def test_an_edit_comes_back_with_its_hunks(client: TestClient) -> None:
    add_traces(client, TRACE)
    client.post("/v1/signals", json=signal(kind="user_edit", edited="The fee is 5 euros.", rights=["train"]))
    (kept,) = client.get("/v1/traces/t1").json()["signals"]
    assert kept["original"] == "The fee is 4 euros."
    assert kept["edit_kind"] == "correction"
    assert [(hunk["before"], hunk["after"]) for hunk in kept["hunks"]] == [("4", "5")]
    assert kept["rights"] == ["train"]


def test_signals_come_one_by_one_or_many_and_each_id_is_kept_once(client: TestClient) -> None:
    many = {"signals": [signal(id="a"), signal(id="b", kind="implicit_copy"), signal(id="a")]}
    assert client.post("/v1/signals", json=many).json() == {"accepted": 2, "duplicates": 1, "rejected": []}
    assert client.post("/v1/signals", json=signal(id="a")).json() == {"accepted": 0, "duplicates": 1, "rejected": []}


def test_a_signal_before_its_trace_joins_it(client: TestClient) -> None:
    client.post("/v1/signals", json=signal())
    assert client.get("/v1/traces/t1").status_code == 404
    add_traces(client, TRACE)
    assert [kept["value"] for kept in client.get("/v1/traces/t1").json()["signals"]] == ["down"]


BAD_TRACES: list[tuple[Any, str | None]] = [
    ({"started_at": "2026-11-23T10:00:00Z"}, "id"),
    (trace(id=""), "id"),
    (trace(id=7), "id"),
    (trace(id="nul\0"), "id"),
    (trace(started_at="yesterday"), "started_at"),
    (trace(started_at="1970-01-01T00:00:00Z"), "started_at"),
    (trace(started_at="2100-01-01T00:00:00Z"), "started_at"),
    (trace(ended_at="2026-11-23T09:00:00Z"), "ended_at"),
    (trace(judge={"score": 1.5}), "judge.score"),
    (trace(judge={"score": "high"}), "judge.score"),
    (trace(documents=[{"content": "no id"}]), "documents[0].id"),
    (trace(tags="beta"), "tags"),
    (trace(category=["a"]), "category"),
    ("not an object", None),
    (None, None),
]


@pytest.mark.parametrize(("bad", "field"), BAD_TRACES, ids=range(len(BAD_TRACES)))
def test_a_bad_trace_is_refused_naming_the_field_and_the_rest_is_kept(
    client: TestClient, bad: Any, field: str | None
) -> None:
    answer = add_traces(client, trace(id="good"), bad)
    assert answer.status_code == 201
    body = answer.json()
    assert body["accepted"] == 1
    (refused,) = body["rejected"]
    assert refused["index"] == 1
    assert refused["type"] == "Invalid"
    assert refused["detail"]
    assert refused.get("field") == field


BAD_SIGNALS: list[tuple[dict[str, Any], str, str]] = [
    ({"kind": "user_rating", "value": "up"}, "TraceRequired", "trace_id"),
    (signal(trace_id=""), "TraceRequired", "trace_id"),
    (signal(kind="thumbs"), "Invalid", "kind"),
    (signal(value="sideways"), "Invalid", "value"),
    (signal(value=None), "Invalid", "value"),
    (signal(kind="user_reason"), "Invalid", "reason"),
    (signal(kind="user_reason", reason="because"), "Invalid", "reason"),
    (signal(kind="user_edit"), "Invalid", "edited"),
    (signal(kind="implicit_dwell", seconds=-1), "Invalid", "seconds"),
    (signal(kind="implicit_dwell"), "Invalid", "seconds"),
    (signal(at="2100-01-01T00:00:00Z"), "Invalid", "at"),
    (signal(rights=["sell"]), "Invalid", "rights[0]"),
]


@pytest.mark.parametrize(("bad", "kind", "field"), BAD_SIGNALS, ids=range(len(BAD_SIGNALS)))
def test_a_bad_signal_alone_is_a_problem_naming_the_field(
    client: TestClient, bad: dict[str, Any], kind: str, field: str
) -> None:
    answer = client.post("/v1/signals", json=bad)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == kind
    assert problem["status"] == 422
    assert problem["field"] == field


@pytest.mark.parametrize(
    ("bad", "detail"),
    [
        (signal(value="sideways"), "'sideways' is none of down, up."),
        (signal(rights=["sell"]), "'sell' is none of evaluate, prompt, retrieve, train."),
    ],
)
def test_a_wrong_choice_is_told_the_choices(client: TestClient, bad: dict[str, Any], detail: str) -> None:
    assert client.post("/v1/signals", json=bad).json()["detail"] == detail
    kinds = client.post("/v1/signals", json=signal(kind="thumbs")).json()["detail"]
    assert "user_rating" in kinds
    assert "public_channel" not in kinds


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity", "1e999", r'"\ud800"'])
def test_what_json_cannot_hold_costs_only_its_own_item(client: TestClient, literal: str) -> None:
    good, bad = json.dumps(trace(id="good")), json.dumps(trace(id="bad", metadata={"x": "HERE"}))
    body = f'{{"traces": [{good}, {bad}]}}'.replace('"HERE"', literal)
    answer = client.post("/v1/traces/batch", content=body)
    assert answer.status_code == 201, answer.text
    assert answer.json()["accepted"] == 1
    (refused,) = answer.json()["rejected"]
    assert (refused["index"], refused["field"]) == (1, "metadata.x")


def test_the_same_id_with_other_content_is_refused(client: TestClient) -> None:
    add_traces(client, TRACE)
    assert add_traces(client, TRACE).json() == {"accepted": 0, "duplicates": 1, "rejected": []}
    again = add_traces(client, trace(output="something else"))
    assert again.status_code == 422
    assert (again.json()["type"], again.json()["field"]) == ("IdReused", "id")
    client.post("/v1/signals", json=signal())
    other = client.post("/v1/signals", json=signal(value="up"))
    assert (other.status_code, other.json()["type"]) == (422, "IdReused")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"{", 422),
        (b"[]", 422),
        (b'{"traces": {}}', 422),
        (b"\xff\xfe", 422),
        (b'{"traces": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", 422),
    ],
    ids=["empty", "cut off", "a list", "no list", "not UTF-8", "bottomless"],
)
def test_a_body_that_is_no_batch_is_a_problem(client: TestClient, body: bytes, status: int) -> None:
    answer = client.post("/v1/traces/batch", content=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_nesting_beyond_64_levels_costs_only_its_own_item(client: TestClient) -> None:
    deep: Any = 0
    for _ in range(70):
        deep = [deep]
    body = add_traces(client, trace(id="good"), trace(id="deep", metadata={"deep": deep})).json()
    assert body["accepted"] == 1
    assert body["rejected"][0]["field"] == "metadata"


def test_a_large_body_is_kept_and_one_over_the_limit_is_refused(client: TestClient, wheel: Wheel) -> None:
    assert add_traces(client, trace(output="x" * 10_000_000)).json()["accepted"] == 1
    wheel.settings.max_body_bytes = 1000
    answer = add_traces(client, trace(id="t2", output="x" * 2000))
    assert answer.status_code == 413
    assert answer.json()["type"] == "TooLarge"


def test_gzip_is_inflated_but_not_beyond_the_limit(client: TestClient, wheel: Wheel) -> None:
    packed = gzip.compress(json.dumps({"traces": [TRACE]}).encode())
    headers = {"content-encoding": "gzip"}
    assert client.post("/v1/traces/batch", content=packed, headers=headers).json()["accepted"] == 1
    wheel.settings.max_body_bytes = 100_000
    bomb = gzip.compress(b" " * 50_000_000)
    assert client.post("/v1/traces/batch", content=bomb, headers=headers).status_code == 413
    assert client.post("/v1/traces/batch", content=b"not gzip", headers=headers).status_code == 422


def test_credentials_are_taken_in_three_forms_and_wrong_ones_refused(client: TestClient, wheel: Wheel) -> None:
    made = wheel.access.add_key("other", [Scope.read])
    pair = base64.b64encode(f"{made.key.public_key}:{made.secret_key}".encode()).decode()
    del client.headers["Authorization"]
    url = "/v1/traces/none"
    for good in (
        {"authorization": f"Bearer {made.secret_key}"},
        {"authorization": f"Basic {pair}"},
        {"x-api-key": made.secret_key},
    ):
        assert client.get(url, headers=good).status_code == 404
    for bad in ({}, {"authorization": "Bearer tw_sk_wrong"}, {"authorization": "Basic !!"}, {"x-api-key": "x"}):
        answer = client.get(url, headers=bad)
        assert answer.status_code == 401
        assert answer.json()["type"] == "NotKnown"


def test_a_key_does_only_what_its_scopes_say(client: TestClient, wheel: Wheel) -> None:
    reader = {"authorization": f"Bearer {wheel.access.add_key('default', [Scope.read]).secret_key}"}
    answer = client.post("/v1/traces/batch", json={"traces": [TRACE]}, headers=reader)
    assert (answer.status_code, answer.json()["type"]) == (403, "NotAllowed")
    assert client.post("/v1/signals", json=signal(), headers=reader).status_code == 403


def test_a_key_sees_its_own_project_only(client: TestClient, wheel: Wheel) -> None:
    add_traces(client, TRACE)
    other = {"authorization": f"Bearer {wheel.access.add_key('other', Scope).secret_key}"}
    assert client.get("/v1/traces/t1", headers=other).status_code == 404
    mine = {"traces": [trace(output="theirs")]}
    assert client.post("/v1/traces/batch", json=mine, headers=other).json()["accepted"] == 1
    assert client.get("/v1/traces/t1").json()["output"] == TRACE["output"]


def test_a_revoked_key_is_refused(client: TestClient, wheel: Wheel) -> None:
    made = wheel.access.add_key("default", [Scope.read])
    header = {"authorization": f"Bearer {made.secret_key}"}
    assert client.get("/v1/traces/x", headers=header).status_code == 404
    wheel.access.revoke_key(made.key.id)
    assert client.get("/v1/traces/x", headers=header).status_code == 401


def test_an_id_may_hold_slashes(client: TestClient) -> None:
    add_traces(client, trace(id="a/b c?#é"))
    assert client.get("/v1/traces/a%2Fb%20c%3F%23%C3%A9").json()["id"] == "a/b c?#é"


def test_a_trace_is_read_at_the_time_of_the_clock(client: TestClient) -> None:
    add_traces(client, TRACE)
    client.post("/v1/signals", json={"trace_id": "t1", "kind": "implicit_copy"})
    (kept,) = client.get("/v1/traces/t1").json()["signals"]
    assert kept["at"] == NOW.isoformat().replace("+00:00", "Z")
    assert len(kept["id"]) == 32
