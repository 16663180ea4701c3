"""LangSmith's doors: what its clients send and read, in every order and encoding, and what is refused."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta
from typing import Any

import pytest
import zstandard
from fastapi.testclient import TestClient

from tests.conftest import Clock
from thumbwheel.app import Wheel
from thumbwheel.domain.person import Scope

ROOT = "01a20a47-97bf-7cd0-bde8-ca7ba4180001"
CHILD = "01a20a47-97bf-7cd0-bde8-ca7ba4180002"
DEEP = "01a20a47-97bf-7cd0-bde8-ca7ba4180003"
AT = "20261123T115958000000Z"
LATER = "20261123T115959000000Z"
BOUNDARY = "bound"
KINDS = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}


def root(**more: Any) -> dict[str, Any]:
    said = {"id": ROOT, "trace_id": ROOT, "dotted_order": f"{AT}{ROOT}", "name": "ask", "run_type": "chain"}
    return said | {"session_name": "support", "start_time": "2026-11-23T11:59:58+00:00"} | more


def child(**more: Any) -> dict[str, Any]:
    order = f"{AT}{ROOT}.{LATER}{CHILD}"
    said = {"id": CHILD, "trace_id": ROOT, "parent_run_id": ROOT, "dotted_order": order, "name": "llm"}
    return said | {"run_type": "llm", "session_name": "support", "start_time": "2026-11-23T11:59:59"} | more


def multipart(*parts: tuple[str, Any], end: str = f"--{BOUNDARY}--\r\n") -> bytes:
    """A body of these parts, JSON unless they are bytes."""
    body = b""
    for name, value in parts:
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        head = (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\nContent-Type: application/json\r\n\r\n'
        )
        body += head.encode() + data + b"\r\n"
    return body + end.encode()


BOMB = multipart((f"post.{ROOT}", root()), (f"attachment.{ROOT}.x", bytes(50_000_000)))


def send(client: TestClient, *parts: tuple[str, Any], status: int = 202) -> dict[str, Any]:
    answer = client.post("/langsmith/runs/multipart", content=multipart(*parts), headers=KINDS)
    assert answer.status_code == status, answer.text
    return answer.json()


def trace(client: TestClient, id: str = ROOT) -> dict[str, Any]:
    answer = client.get(f"/v1/traces/{id}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def query(client: TestClient, **body: Any) -> list[dict[str, Any]]:
    answer = client.post("/langsmith/runs/query", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["runs"]


def give(client: TestClient, **body: Any) -> dict[str, Any]:
    answer = client.post("/langsmith/feedback", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture
def filled(client: TestClient) -> TestClient:
    """A client with one trace of two runs behind it."""
    end = {"end_time": "2026-11-23T12:00:00+00:00"}
    send(
        client,
        (f"post.{ROOT}", root(**end, tags=["beta"])),
        (f"post.{ROOT}.inputs", {"question": "How long?"}),
        (f"post.{ROOT}.outputs", {"output": "60 days."}),
        (f"post.{ROOT}.extra", {"metadata": {"user_id": "ann", "thread_id": "chat-1", "tenant": "acme"}}),
        (f"post.{CHILD}", child(**end)),
        (f"post.{CHILD}.outputs", {"role": "assistant", "content": "60 days."}),
    )
    return client


# --- what comes in


def test_info_needs_no_key_and_lacks_none_of_its_own(client: TestClient) -> None:
    del client.headers["Authorization"]
    for prefix in ("/langsmith", "/langsmith/api/v1"):
        told = client.get(f"{prefix}/info").json()
        assert told == {
            "version": "0.13.0",
            "instance_flags": {"zstd_compression_enabled": True},
            "batch_ingest_config": {
                "use_multipart_endpoint": True,
                "size_limit": 100,
                "size_limit_bytes": 20_971_520,
                "scale_up_nthreads_limit": 16,
                "scale_up_qsize_trigger": 1000,
                "scale_down_nempty_trigger": 4,
            },
        }


def test_children_before_their_root_and_updates_before_what_they_update(client: TestClient) -> None:
    update = child(end_time="2026-11-23T12:00:00Z")
    send(client, (f"patch.{CHILD}", update), (f"patch.{CHILD}.outputs", {"role": "assistant", "content": "60 days."}))
    assert client.get(f"/langsmith/runs/{CHILD}").json()["dotted_order"] == f"{LATER}{CHILD}"
    send(client, (f"post.{CHILD}", child(tags=None)), (f"post.{CHILD}.inputs", {"messages": [{"role": "user"}]}))
    send(client, (f"post.{ROOT}", root()), (f"post.{ROOT}.outputs", {"output": "draft"}))
    send(client, (f"patch.{ROOT}", root(end_time=1_795_435_200_000)), (f"patch.{ROOT}.outputs", {"output": "60 days."}))
    found = trace(client)
    assert (found["name"], found["output"]) == ("ask", "60 days.")
    assert (found["started_at"], found["ended_at"]) == ("2026-11-23T11:59:58Z", "2026-11-23T12:00:00Z")
    run = client.get(f"/langsmith/runs/{CHILD}").json()
    assert run["dotted_order"] == f"{AT}{ROOT}.{LATER}{CHILD}"
    assert (run["status"], run["inputs"], run["parent_run_ids"]) == (
        "success",
        {"messages": [{"role": "user"}]},
        [ROOT],
    )


def test_what_comes_again_changes_nothing(filled: TestClient) -> None:
    before = trace(filled)
    for _ in range(2):
        send(filled, (f"post.{CHILD}", child(end_time="2026-11-23T12:00:00+00:00")))
    assert trace(filled) == before


@pytest.mark.parametrize(
    ("encoding", "squeeze"),
    [("gzip", gzip.compress), ("zstd", zstandard.compress), ("identity", bytes), ("GZIP", gzip.compress)],
)
def test_a_body_in_any_encoding_is_read(client: TestClient, encoding: str, squeeze: Any) -> None:
    body = squeeze(multipart((f"post.{ROOT}", root())))
    headers = KINDS | {"content-encoding": encoding}
    assert client.post("/langsmith/runs/multipart", content=body, headers=headers).status_code == 202
    assert trace(client)["name"] == "ask"


def test_a_body_in_many_small_chunks_is_read(client: TestClient) -> None:
    body = zstandard.compress(multipart((f"post.{ROOT}", root()), (f"attachment.{ROOT}.x", b"\r\n--boun" * 900)))
    chunks = (body[at : at + 7] for at in range(0, len(body), 7))
    headers = KINDS | {"content-encoding": "zstd"}
    assert client.post("/langsmith/runs/multipart", content=chunks, headers=headers).status_code == 202
    assert trace(client)["spans"][0]["extra"]["attachment.x"]["size"] == 7200


def test_attachments_are_measured_and_not_kept(client: TestClient) -> None:
    send(client, (f"post.{ROOT}", root()), (f"attachment.{ROOT}.picture", b"\x89PNG" * 1000), ("other.x", b"\xff"))
    (span,) = trace(client)["spans"]
    assert span["extra"]["attachment.picture"] == {"type": "application/json", "size": 4000}
    assert "PNG" not in json.dumps(span)


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (zstandard.compress(BOMB), {"content-encoding": "zstd"}, 413),
        (gzip.compress(BOMB, 1), {"content-encoding": "gzip"}, 413),
        (b"no zstd", {"content-encoding": "zstd"}, 400),
        (b"no gzip", {"content-encoding": "gzip"}, 400),
        (gzip.compress(multipart((f"post.{ROOT}", root())))[:-9], {"content-encoding": "gzip"}, 400),
        (multipart((f"post.{ROOT}", root())), {"content-encoding": "br"}, 400),
        (multipart((f"post.{ROOT}", root()), end=""), {}, 400),
        (multipart((f"post.{ROOT}", root()))[:60], {}, 400),
        (b"not multipart at all", {}, 400),
        (b"", {}, 400),
        (b"{}", {"content-type": "application/json"}, 400),
        (b"--x", {"content-type": "multipart/form-data"}, 400),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_whole(
    client: TestClient, body: bytes, headers: dict[str, str], status: int
) -> None:
    answer = client.post("/langsmith/runs/multipart", content=body, headers=KINDS | headers)
    assert answer.status_code == status
    assert client.get(f"/v1/traces/{ROOT}").status_code == 404


@pytest.mark.parametrize(
    "spoilt",
    [
        (f"post.{CHILD}.inputs", b"{not json"),
        (f"post.{CHILD}.inputs", b"[" * 100 + b"]" * 100),
        (f"post.{CHILD}.inputs", b"[" * 200_000),
        (f"post.{CHILD}", b"[]"),
        ("post.not-a-uuid", {}),
        ("post.", {}),
        (f"feedback.{CHILD}", {"run_id": ROOT}),
        (f"feedback.{CHILD}", {"key": "x", "run_id": "7"}),
        ("feedback.x", {"key": "x", "run_id": ROOT}),
    ],
)
def test_a_run_that_cannot_be_kept_costs_only_itself(client: TestClient, spoilt: tuple[str, Any]) -> None:
    answer = send(client, (f"post.{CHILD}", child()), spoilt, (f"post.{ROOT}", root()), status=400)
    assert answer["detail"]
    assert trace(client)["name"] == "ask"


def test_text_cut_in_the_middle_of_a_character_is_mended(client: TestClient) -> None:
    send(client, (f"post.{ROOT}", root()), (f"post.{ROOT}.inputs", b'{"a": "cut \\ud83d", "n": NaN, "z": "a\\u0000b"}'))
    assert trace(client)["input"] == {"a": "cut �", "n": None, "z": "a\0b"}


def test_runs_one_by_one_find_their_trace(client: TestClient) -> None:
    bare = {"id": ROOT, "name": "direct", "run_type": "chain", "start_time": "2026-11-23T11:59:58"}
    assert client.post("/langsmith/runs", json=bare).status_code == 202
    step = {"id": CHILD, "name": "step", "run_type": "tool", "parent_run_id": ROOT, "start_time": "2026-11-23T11:59:59"}
    assert client.post("/langsmith/runs", json=step | {"inputs": {"x": 1}}).status_code == 202
    deep = step | {"id": DEEP, "parent_run_id": CHILD}
    assert client.post("/langsmith/api/v1/runs", json=deep).status_code == 202
    change = {"outputs": {"output": "done"}, "end_time": "2026-11-23T12:00:00"}
    body = gzip.compress(json.dumps(change).encode())
    headers = {"content-encoding": "gzip"}
    assert client.patch(f"/langsmith/runs/{CHILD}", content=body, headers=headers).status_code == 202
    found = trace(client)
    assert [span["id"] for span in found["spans"]] == [ROOT, CHILD, DEEP]
    assert found["tool_calls"][0] == {"name": "step", "arguments": {"x": 1}, "result": "done"}
    assert client.get(f"/langsmith/runs/{DEEP}").json()["parent_run_ids"] == [ROOT, CHILD]


def test_a_batch_of_json(client: TestClient) -> None:
    body = {"post": [root(inputs={"input": "60?"})], "patch": [root(outputs={"outputs": "60."}, end_time=None)]}
    assert client.post("/langsmith/runs/batch", json=body).status_code == 202
    assert (trace(client)["input"], trace(client)["output"]) == ("60?", "60.")
    run = client.get(f"/langsmith/runs/{ROOT}").json()
    assert (run["inputs"], run["outputs"], run["status"]) == ({"input": "60?"}, {"outputs": "60."}, "pending")
    assert client.post("/langsmith/runs/batch", json={"post": {}}).status_code == 400
    assert client.post("/langsmith/runs/batch", content=b"{").status_code == 400


def test_the_environment_of_a_client_is_nobodys_metadata(client: TestClient) -> None:
    about = {"LANGSMITH_PROJECT": "x", "LANGCHAIN_HUB": "y", "ls_method": "traceable", "category": "returns", "a": 1}
    send(client, (f"post.{ROOT}", root()), (f"post.{ROOT}.extra", {"metadata": about, "runtime": {"sdk": "py"}}))
    found = trace(client)
    assert (found["category"], found["metadata"]) == ("returns", {"a": 1})
    told = client.get(f"/langsmith/runs/{ROOT}").json()["extra"]
    assert told == {"runtime": {"sdk": "py"}, "metadata": {"ls_method": "traceable", "category": "returns", "a": 1}}


def test_an_error_is_one(client: TestClient) -> None:
    send(client, (f"post.{ROOT}", root(end_time=None)), (f"post.{ROOT}.error", "ValueError: no"))
    run = client.get(f"/langsmith/runs/{ROOT}").json()
    assert (run["status"], run["error"]) == ("error", "ValueError: no")


def test_tokens_and_models_wherever_clients_put_them(client: TestClient) -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 4}
    send(
        client,
        (f"post.{CHILD}", child()),
        (f"post.{CHILD}.extra", {"invocation_params": {"model": "small-1"}}),
        (f"post.{CHILD}.outputs", {"generations": [[{"text": "hi"}]], "llm_output": {"token_usage": usage}}),
    )
    run = client.get(f"/langsmith/runs/{CHILD}").json()
    assert [run["prompt_tokens"], run["completion_tokens"], run["total_tokens"]] == [3, 4, 7]
    assert trace(client)["model"] == "small-1"
    assert trace(client)["output"] == "hi"


# --- who may


def test_a_key_is_needed_and_must_be_allowed(filled: TestClient, wheel: Wheel) -> None:
    ingest = wheel.access.add_key("default", [Scope.ingest])
    read = wheel.access.add_key("default", [Scope.read])
    body, doors = multipart((f"post.{ROOT}", root())), "/langsmith/runs/multipart"
    for key, status in ((None, 401), ("tw_sk_wrong", 401), (read.secret_key, 403), (ingest.key.public_key, 403)):
        filled.headers.pop("Authorization", None)
        headers = KINDS | ({} if key is None else {"x-api-key": key})
        assert filled.post(doors, content=body, headers=headers).status_code == status
        if key != read.secret_key:
            assert filled.get(f"/langsmith/runs/{ROOT}", headers=headers).status_code == status
    assert filled.post(doors, content=body, headers=KINDS | {"x-api-key": ingest.secret_key}).status_code == 202


def test_a_key_of_one_project_sees_and_changes_nothing_of_another(filled: TestClient, wheel: Wheel) -> None:
    id = give(filled, run_id=ROOT, key="user_rating", score=0)["id"]
    other = {"x-api-key": wheel.access.add_key("other", [Scope.ingest, Scope.read]).secret_key}
    del filled.headers["Authorization"]
    for path in (f"runs/{ROOT}", f"feedback/{id}"):
        assert filled.get(f"/langsmith/{path}", headers=other).status_code == 404
    assert filled.patch(f"/langsmith/feedback/{id}", json={"score": 1}, headers=other).status_code == 404
    assert filled.delete(f"/langsmith/feedback/{id}", headers=other).status_code == 404
    assert filled.get("/langsmith/feedback", params={"run": ROOT}, headers=other).json() == []
    assert filled.post("/langsmith/runs/query", json={"trace": ROOT}, headers=other).json()["runs"] == []
    assert filled.get("/langsmith/sessions", headers=other).json()[0]["name"] == "default"


# --- what is read


def test_a_run_has_everything_their_models_demand(filled: TestClient) -> None:
    run = filled.get(f"/langsmith/runs/{ROOT}").json()
    session = filled.get("/langsmith/sessions", params={"name": "support"}).json()[0]
    assert run["session_id"] == session["id"]
    assert {name: run[name] for name in ("id", "trace_id", "name", "run_type", "status", "tags", "parent_run_id")} == {
        "id": ROOT, "trace_id": ROOT, "name": "ask", "run_type": "chain", "status": "success", "tags": ["beta"],
        "parent_run_id": None,
    }  # fmt: skip
    assert run["extra"]["metadata"] == {"user_id": "ann", "thread_id": "chat-1", "tenant": "acme"}
    assert run["app_path"] == f"/traces/{ROOT}"
    assert filled.get(f"/langsmith/runs/{DEEP}").status_code == 404


def test_traces_of_other_clients_are_runs_too(client: TestClient) -> None:
    native = {"id": "order-7", "started_at": "2026-11-23T10:00:00Z", "input": [{"role": "user", "content": "?"}]}
    client.post("/v1/traces/batch", json={"traces": [native | {"output": "!", "user_id": "ann", "tags": ["x"]}]})
    (run,) = query(client)
    assert (run["inputs"], run["outputs"], run["tags"]) == ({"messages": native["input"]}, {"output": "!"}, ["x"])
    assert run["extra"]["metadata"]["user_id"] == "ann"
    assert run["dotted_order"] == f"20261123T100000000000Z{run['id']}"


def test_queries_restrict_by_what_they_name(filled: TestClient) -> None:
    def names(**body: Any) -> list[str]:
        return [run["name"] for run in query(filled, **body)]

    session = filled.get("/langsmith/sessions", params={"name": "support"}).json()[0]["id"]
    assert names() == ["llm", "ask"]
    assert names(session=[session]) == names(session=session) == ["llm", "ask"]
    assert names(session=[DEEP]) == []
    assert names(is_root=True) == ["ask"]
    assert names(run_type="llm") == ["llm"]
    assert names(parent_run=ROOT) == ["llm"]
    assert names(id=[CHILD, DEEP, ROOT]) == ["llm", "ask"]
    assert names(trace=ROOT, error=False) == ["llm", "ask"]
    assert names(error=True) == []
    assert names(start_time="2026-11-23T11:59:59Z") == ["llm"]
    assert names(end_time="2026-11-23T11:59:59Z") == ["ask"]
    assert names(order="asc") == ["ask", "llm"]
    assert names(filter='eq(thread_id, "chat-1")') == ["ask"]
    assert set(query(filled, select=["outputs"], is_root=True)[0]) >= {"id", "outputs", "trace_id", "session_id"}
    assert "events" not in query(filled, select=["outputs"])[0]
    for refused in ({"query": "x"}, {"filter": "eq("}, {"start_time": "yesterday"}, {"session": 7}, {"cursor": "x"}):
        assert filled.post("/langsmith/runs/query", json=refused).status_code == 400


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_hold_each_run_once(client: TestClient, order: str) -> None:
    for n in range(7):
        id = f"01a20a47-97bf-7cd0-bde8-ca7ba41810{n:02}"
        step = id.replace("ca7ba4181", "ca7ba4182")
        at = f"2026-11-23T10:0{n // 3}:00"
        client.post("/langsmith/runs", json={"id": id, "name": str(n), "run_type": "chain", "start_time": at})
        said = {"id": step, "parent_run_id": id, "trace_id": id, "name": f"{n} step", "run_type": "tool"}
        client.post("/langsmith/runs", json=said | {"start_time": at})
    found, cursor = [], None
    while True:
        answer = client.post("/langsmith/runs/query", json={"limit": 3, "cursor": cursor, "order": order}).json()
        found += [run["name"] for run in answer["runs"]]
        cursor = answer["cursors"]["next"]
        if cursor is None:
            break
        assert len(answer["runs"]) == 3
    assert sorted(found) == sorted([*map(str, range(7)), *(f"{n} step" for n in range(7))])


def test_projects_are_made_by_their_first_run_or_by_hand(filled: TestClient) -> None:
    def names(**params: Any) -> list[str]:
        return [each["name"] for each in filled.get("/langsmith/sessions", params=params).json()]

    assert names() == ["default", "support"]
    made = filled.post("/langsmith/sessions", json={"name": "try", "description": "d", "extra": {"metadata": {}}})
    assert made.status_code == 200
    assert made.json()["reference_dataset_id"] is None
    assert filled.get(f"/langsmith/sessions/{made.json()['id']}").json() == made.json()
    assert filled.post("/langsmith/sessions", json={"name": "try"}).status_code == 409
    assert filled.post("/langsmith/sessions?upsert=true", json={"name": "try"}).json()["description"] == "d"
    assert filled.post("/langsmith/sessions", json={}).status_code == 400
    assert names(name="try") == ["try"]
    assert names(name_contains="UPP") == ["support"]
    assert names(limit=1, offset=1) == ["support"]
    assert filled.get(f"/langsmith/sessions/{DEEP}").status_code == 404
    changed = filled.patch(f"/langsmith/sessions/{made.json()['id']}", json={"description": "e"})
    assert changed.json()["description"] == "e"


def test_a_run_that_names_its_project_by_id_is_in_it(client: TestClient) -> None:
    made = client.post("/langsmith/sessions", json={"name": "try"}).json()
    send(client, (f"post.{ROOT}", root(session_name=None, session_id=made["id"])))
    assert [run["session_id"] for run in query(client, session=[made["id"]])] == [made["id"]]


# --- feedback


def test_feedback_before_its_run_waits_for_it(client: TestClient) -> None:
    said = {"key": "user_rating", "score": False, "run_id": CHILD, "trace_id": None, "comment": "no"}
    send(client, (f"feedback.{DEEP}", said | {"created_at": "2026-11-23T11:00:00Z"}))
    assert client.get(f"/langsmith/feedback/{DEEP}").json()["trace_id"] is None
    assert [each["id"] for each in client.get("/langsmith/feedback", params={"run": CHILD}).json()] == [DEEP]
    send(client, (f"post.{CHILD}", child()))
    told = client.get(f"/langsmith/feedback/{DEEP}").json()
    assert (told["run_id"], told["trace_id"], told["score"], told["value"]) == (CHILD, ROOT, False, None)
    assert told["created_at"] == "2026-11-23T11:00:00.000000+00:00"
    assert told["feedback_source"]["type"] == "api"
    (signal,) = trace(client)["signals"]
    assert (signal["kind"], signal["value"], signal["comment"]) == ("user_rating", "down", "no")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"score": 1}, (1, None)),
        ({"score": 0.25, "value": "poor"}, (0.25, "poor")),
        ({"value": 3}, (3, None)),
        ({"value": True}, (True, None)),
        ({"value": {"a": [1]}}, (None, {"a": [1]})),
        ({"value": "hallucination"}, (None, "hallucination")),
    ],
)
def test_what_feedback_says_reads_back(filled: TestClient, said: dict[str, Any], told: tuple[Any, Any]) -> None:
    given = give(filled, run_id=ROOT, key="k", **said)
    assert (given["score"], given["value"], given["trace_id"]) == (*told, ROOT)
    assert filled.get(f"/langsmith/feedback/{given['id']}").json() == given


def test_feedback_is_changed_cleared_and_taken_back(filled: TestClient) -> None:
    id = give(filled, run_id=ROOT, trace_id=ROOT, key="user_rating", score=0, comment="no", value="bad")["id"]
    changed = filled.patch(f"/langsmith/feedback/{id}", json={"score": 1, "comment": None})
    assert changed.status_code == 200
    told = filled.get(f"/langsmith/feedback/{id}").json()
    assert (told["score"], told["comment"], told["value"]) == (1, None, "bad")
    assert told["modified_at"] >= told["created_at"]
    (signal,) = trace(filled)["signals"]
    assert (signal["value"], signal.get("comment")) == ("up", None)
    filled.patch(f"/langsmith/feedback/{id}", json={"score": None, "value": None, "correction": "30 days."})
    assert [each["kind"] for each in trace(filled)["signals"]] == ["user_edit"]
    assert filled.delete(f"/langsmith/feedback/{id}").status_code == 200
    assert filled.delete(f"/langsmith/feedback/{id}").status_code == 404
    assert trace(filled)["signals"] == []


def test_feedback_of_a_model_is_a_suggestion_and_of_a_reviewer_a_review(filled: TestClient) -> None:
    give(filled, run_id=ROOT, key="correct", score=0.25, feedback_source={"type": "model", "metadata": {"by": "x"}})
    give(filled, run_id=ROOT, key="quality", score=0, feedback_source={"type": "app", "user_name": "eve"})
    found = trace(filled)
    assert found["signals"] == []
    assert [each["failure_probability"] for each in found["suggestions"]] == [0.75]
    assert [(each["annotator"], each["verdict"]) for each in found["annotations"]] == [("eve", "fail")]
    listed = filled.get("/langsmith/feedback", params={"source": "model"}).json()
    assert [each["feedback_source"]["metadata"] for each in listed] == [{"by": "x"}]


def test_feedback_is_listed_by_run_and_key_in_pages(filled: TestClient) -> None:
    for n in range(5):
        give(filled, run_id=(ROOT, CHILD)[n % 2], key=f"k{n}", score=n)

    def keys(**params: Any) -> list[str]:
        return [each["key"] for each in filled.get("/langsmith/feedback", params=params).json()]

    assert sorted(keys(run=ROOT)) == ["k0", "k2", "k4"]
    assert sorted(keys(run=[ROOT, CHILD])) == ["k0", "k1", "k2", "k3", "k4"]
    assert keys(run=[ROOT, CHILD], key=["k1", "k3"], limit=1, offset=1) == ["k1"]
    assert sorted(keys(limit=3) + keys(limit=3, offset=3)) == ["k0", "k1", "k2", "k3", "k4"]
    assert filled.get("/langsmith/feedback", params={"offset": "x"}).status_code == 400


def test_feedback_is_listed_by_the_time_it_was_given(client: TestClient) -> None:
    for hour in (9, 10, 11):
        said = {"run_id": ROOT, "key": f"at {hour}", "score": 1, "created_at": f"2026-11-23T{hour:02}:00:00"}
        client.post("/langsmith/feedback", json=said)
    within = {"min_created_at": "2026-11-23T10:00:00Z", "max_created_at": "2026-11-23T11:00:00Z"}
    assert [each["key"] for each in client.get("/langsmith/feedback", params=within).json()] == ["at 10"]


def test_feedback_about_nothing_is_refused(client: TestClient) -> None:
    refused: list[Any] = [{"key": "k"}, {"run_id": ROOT}, {"key": "k", "run_id": "x"}, [], {"key": "", "run_id": ROOT}]
    for body in refused:
        assert client.post("/langsmith/feedback", json=body).status_code == 400
    assert client.post("/langsmith/feedback", json={"key": "k", "session_id": ROOT, "score": 1}).status_code == 200


# --- addresses that need no key


def address(client: TestClient, **more: Any) -> dict[str, Any]:
    answer = client.post("/langsmith/feedback/tokens", json={"run_id": ROOT, "feedback_key": "user_rating"} | more)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_an_address_takes_feedback_without_a_key_until_it_expires(filled: TestClient, clock: Clock) -> None:
    made = address(filled, expires_in={"minutes": 30})
    assert made["expires_at"] == "2026-11-23T12:30:00.000000+00:00"
    assert made["url"].endswith(f"/langsmith/feedback/tokens/{made['id']}")
    key = filled.headers.pop("Authorization")
    assert filled.post(made["url"], json={"score": 0, "comment": "no", "metadata": {"page": 1}}).status_code == 200
    clock.advance(minutes=1)
    assert filled.get(f"{made['url']}?score=1&comment=yes").status_code == 200
    clock.advance(minutes=30)
    assert filled.post(made["url"], json={"score": 0}).status_code == 403
    filled.headers["Authorization"] = key
    (signal,) = trace(filled)["signals"]
    assert (signal["value"], signal["comment"]) == ("up", "yes")


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("score=0.5", (0.5, None)),
        ("score=true", (True, None)),
        ("value=4", (4, None)),
        ("value=so-so", (None, "so-so")),
    ],
)
def test_parameters_of_an_address_are_read_as_what_they_are(filled: TestClient, asked: str, told: Any) -> None:
    made = address(filled, id=DEEP)
    assert filled.get(f"{made['url']}?{asked}").status_code == 200
    found = filled.get(f"/langsmith/feedback/{DEEP}").json()
    assert (found["score"], found["value"]) == told


def test_an_address_says_nothing_of_its_own_and_nothing_of_others(filled: TestClient, wheel: Wheel) -> None:
    made = address(filled)
    filled.headers.pop("Authorization")
    for url, body in ((made["url"], {}), (made["url"], {"score": None})):
        assert filled.post(url, json=body).status_code == 400
    assert filled.get(made["url"]).status_code == 400
    assert filled.post(f"/langsmith/feedback/tokens/{DEEP}", json={"score": 1}).status_code == 404
    said = {"score": 1, "run_id": CHILD, "key": "other", "id": DEEP}
    assert filled.post(made["url"], json=said).status_code == 200
    found = wheel.capture.get(1, ROOT).scores
    assert [(score.name, score.span_id, score.id == made["id"]) for score in found] == [("user_rating", ROOT, True)]


def test_addresses_end_with_the_key_that_made_them(filled: TestClient, wheel: Wheel) -> None:
    made = wheel.access.add_key("default", [Scope.ingest])
    asked = {"run_id": ROOT, "feedback_key": "k", "expires_at": "2026-11-23T13:00:00Z"}
    headers = {"Authorization": f"Bearer {made.secret_key}"}
    one, two = filled.post("/langsmith/feedback/tokens", json=[asked, asked], headers=headers).json()
    assert one["id"] != two["id"]
    listed = filled.get("/langsmith/feedback/tokens", params={"run_id": ROOT}).json()
    assert {each["id"] for each in listed} == {one["id"], two["id"]}
    wheel.access.revoke_key(made.key.id)
    assert filled.post(one["url"], json={"score": 1}).status_code == 401


@pytest.mark.parametrize(
    "more",
    [
        {"run_id": "x"}, {"feedback_key": None}, {"expires_in": {"days": -1}}, {"expires_in": {"days": 1000}},
        {"expires_in": {"hours": "3"}}, {"expires_at": "soon"}, {"expires_at": "2020-01-01T00:00:00Z"},
    ],
)  # fmt: skip
def test_an_address_that_cannot_be_is_refused(client: TestClient, more: dict[str, Any]) -> None:
    asked = {"run_id": ROOT, "feedback_key": "k"} | more
    assert client.post("/langsmith/feedback/tokens", json=asked).status_code == 400


def test_pages_of_allowed_origins_may_use_an_address(filled: TestClient, wheel: Wheel) -> None:
    wheel.access.allow_origins("default", ["https://app.example"])
    url = address(filled)["url"]
    asked = {"origin": "https://app.example", "access-control-request-method": "POST"}
    allowed = filled.options(url, headers=asked)
    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (204, "https://app.example")
    assert filled.options(url, headers=asked | {"origin": "https://evil.example"}).status_code == 403


# --- annotation queues


def test_a_queue_of_the_clients_own(filled: TestClient) -> None:
    made = filled.post("/langsmith/annotation-queues", json={"name": "look", "id": DEEP, "description": "d"}).json()
    assert (made["id"], made["name"], made["description"]) == (DEEP, "look", "d")
    runs = f"/langsmith/annotation-queues/{DEEP}/runs"
    assert filled.post(runs, json=[CHILD, ROOT]).status_code == 200
    assert filled.post(runs, json={"runs": []}).status_code == 400
    assert {run["name"] for run in filled.get(runs).json()} == {"llm", "ask"}
    assert filled.get(f"/langsmith/annotation-queues/{DEEP}/run/0").json()["name"] == "ask"
    assert filled.get(f"/langsmith/annotation-queues/{DEEP}/run/2").status_code == 404
    assert filled.delete(f"{runs}/{CHILD}").status_code == 200
    assert [run["name"] for run in filled.get(runs).json()] == ["ask"]
    assert [each["id"] for each in filled.get("/langsmith/annotation-queues", params={"name": "look"}).json()] == [DEEP]
    assert filled.delete(f"/langsmith/annotation-queues/{DEEP}").status_code == 200
    assert filled.get(f"/langsmith/annotation-queues/{DEEP}").status_code == 404


def test_a_clock_that_is_wrong_keeps_its_run(client: TestClient, clock: Clock) -> None:
    ahead = (clock() + timedelta(days=400)).isoformat()
    send(client, (f"post.{ROOT}", root(start_time=ahead, end_time="no time")))
    assert trace(client)["started_at"] == "2026-11-23T12:00:00Z"
