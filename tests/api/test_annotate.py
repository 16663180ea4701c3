"""The doors of annotating: served, judged, corrected; the owner's desk beside them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.conftest import Clock
from tests.factories import a_codebook_file, a_draw, a_signal, a_trace, an_entry
from tests.road import keep_trace
from thumbwheel.app import Wheel
from thumbwheel.domain.person import Scope
from thumbwheel.domain.queue import Purpose
from thumbwheel.domain.trace import JudgeScore

#: What a reviewer must never be told.
SECRETS = ("purpose", "labels_needed", "double", "judge", "inclusion_probability", "core")


@pytest.fixture
def fill(wheel: Wheel, clock: Clock) -> Callable[..., None]:
    """Puts n traces into the queue of `default`; of those numbered in `doubled` two people must judge each."""

    def fill(n: int, doubled: tuple[int, ...] = ()) -> None:
        with wheel.ledger.begin(wheel.project("default")) as tx:
            entries = []
            for number in range(1, n + 1):
                trace = a_trace(id=f"trace-{number}", judge=JudgeScore(score=0.2001, name="judge-1"))
                two = number in doubled
                entry = an_entry(
                    id=f"entry-{number}",
                    trace_id=trace.id,
                    serve_rank=number,
                    labels_needed=2 if two else 1,
                    purpose=Purpose.double if two else Purpose.label,
                    added_at=clock(),
                )
                signal = a_signal(id=f"signal-{number}", trace_id=trace.id)
                entries.append((keep_trace(tx, trace, [signal]), entry))
            tx.queue.add_draw(a_draw(at=clock()), entries)

    return fill


@pytest.fixture
def desk(client: TestClient) -> TestClient:
    """With a codebook published."""
    assert client.post("/v1/codebooks", json=a_codebook_file()).status_code == 201
    return client


def take(client: TestClient, annotator: str = "ann", *holding: str) -> dict[str, Any]:
    answer = client.post("/v1/queue/next", json={"annotator": annotator, "holding": list(holding)})
    assert answer.status_code == 200, answer.text
    served: dict[str, Any] = answer.json()
    return served


def judgement(served: dict[str, Any], annotator: str = "ann", **said: Any) -> dict[str, Any]:
    held = {"entry_id": served["entry"]["id"], "lease_token": served["lease"]["token"], "annotator": annotator}
    return held | {"verdict": "pass"} | said


def submit(client: TestClient, served: dict[str, Any], annotator: str = "ann", **said: Any) -> dict[str, Any]:
    answer = client.post("/v1/annotations", json=judgement(served, annotator, **said))
    assert answer.status_code == 201, answer.text
    outcome: dict[str, Any] = answer.json()
    return outcome


def problem(answer: Any, status: int, title: str, field: str | None = None) -> None:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    told = answer.json()
    assert (answer.status_code, told["title"], told.get("field")) == (status, title, field), told


FAIL: dict[str, Any] = {"verdict": "fail", "categories": ["wrong-fact"], "critique": "The policy says 30."}


# --- the reviewer


def test_an_entry_is_served_with_its_trace_and_its_lease(desk: TestClient, fill: Callable[..., None]) -> None:
    fill(1)
    served = take(desk)
    assert served["entry"] == {
        "id": "entry-1",
        "trace_id": "trace-1",
        "draw_id": "draw-1",
        "policy": "negative",
        "picked_by": ["negative"],
        "rank": 1,
        "reason": "thumbs-down",
        "category": "returns",
        "added_at": "2026-11-23T12:00:00Z",
    }
    assert served["trace"]["id"] == "trace-1"
    assert served["trace"]["documents"][0]["id"] == "returns"
    assert served["trace"]["signals"][0]["value"] == "down"
    assert served["lease"]["expires_at"] == "2026-11-23T12:15:00Z"
    assert served["earlier"] is None


def test_nothing_a_reviewer_is_told_gives_a_double_or_a_judge_away(desk: TestClient, fill: Callable[..., None]) -> None:
    fill(2, doubled=(1,))
    told = desk.post("/v1/queue/next", json={"annotator": "ann"}).text + desk.get("/v1/queue").text
    assert [secret for secret in SECRETS if f'"{secret}' in told] == []
    first = take(desk)
    submit(desk, first, **FAIL)
    second = desk.post("/v1/queue/next", json={"annotator": "bob"}).text
    assert [secret for secret in (*SECRETS, "ann", "wrong-fact", "policy says") if f'"{secret}' in second] == []


def test_an_empty_queue_answers_204(desk: TestClient) -> None:
    answer = desk.post("/v1/queue/next", json={"annotator": "ann"})
    assert (answer.status_code, answer.content) == (204, b"")


def test_two_annotators_are_served_two_entries_and_one_gets_theirs_again(
    desk: TestClient, fill: Callable[..., None]
) -> None:
    fill(3)
    first = take(desk)
    assert take(desk, "bob")["entry"]["id"] == "entry-2"
    assert take(desk)["lease"]["token"] == first["lease"]["token"]
    assert take(desk, "ann", "entry-1")["entry"]["id"] == "entry-3"


def test_a_judgement_becomes_a_label_and_twice_is_once(desk: TestClient, fill: Callable[..., None]) -> None:
    fill(1)
    served = take(desk)
    outcome = submit(desk, served, **FAIL, corrected_output="30 days", documents={"returns": True}, seconds=12.5)
    assert outcome == submit(desk, served, verdict="pass")
    (label,) = desk.get("/v1/labels").json()["items"]
    assert outcome == {
        "outcome": "label",
        "annotation_id": label["annotation_ids"][0],
        "entry_id": "entry-1",
        "trace_id": "trace-1",
        "codebook_version": 1,
        "label_id": label["id"],
        "dispute_id": None,
    }
    assert label == label | FAIL | {"annotators": ["ann"], "corrected_output": "30 days", "settled": "single"}
    trace = desk.get("/v1/traces/trace-1").json()
    assert trace["label"]["id"] == label["id"]
    assert [one["critique"] for one in trace["annotations"]] == [FAIL["critique"]]


def test_a_lease_somebody_took_over_is_a_conflict(desk: TestClient, fill: Callable[..., None], clock: Clock) -> None:
    fill(1)
    late = take(desk)
    clock.advance(minutes=16)
    take(desk, "bob")
    problem(desk.post("/v1/annotations", json=judgement(late)), 409, "LeaseExpired")
    held = {"entry_id": "entry-1", "lease_token": late["lease"]["token"]}
    problem(desk.post("/v1/queue/renew", json=held), 409, "LeaseExpired")
    problem(desk.post("/v1/queue/skip", json=held | {"annotator": "ann"}), 409, "LeaseExpired")


def test_a_lease_is_renewed_and_released(desk: TestClient, fill: Callable[..., None], clock: Clock) -> None:
    fill(1)
    held = {"entry_id": "entry-1", "lease_token": take(desk)["lease"]["token"]}
    clock.advance(minutes=5)
    assert desk.post("/v1/queue/renew", json=held).json() == {"expires_at": "2026-11-23T12:20:00Z"}
    assert desk.post("/v1/queue/release", json=held).status_code == 204
    assert take(desk, "bob")["entry"]["id"] == "entry-1"


def test_a_skipped_entry_goes_to_somebody_else_and_is_seen_by_the_owner(
    desk: TestClient, fill: Callable[..., None]
) -> None:
    fill(1)
    token = take(desk)["lease"]["token"]
    skipped = {"entry_id": "entry-1", "lease_token": token, "annotator": "ann", "why": "I know this customer"}
    assert desk.post("/v1/queue/skip", json=skipped).status_code == 204
    assert desk.post("/v1/queue/next", json={"annotator": "ann"}).status_code == 204
    (seen,) = desk.get("/v1/queue/skipped").json()["items"]
    assert (seen["entry"]["id"], seen["skips"][0]["why"]) == ("entry-1", "I know this customer")
    assert take(desk, "bob")["entry"]["id"] == "entry-1"


def test_a_judgement_is_corrected_and_taken_back(desk: TestClient, fill: Callable[..., None]) -> None:
    fill(1)
    first = submit(desk, take(desk), **FAIL)
    path = f"/v1/annotations/{first['annotation_id']}"
    second = desk.put(path, json={"annotator": "ann", "verdict": "pass"}).json()
    assert desk.put(path, json={"annotator": "ann", "verdict": "pass"}).json() == second
    (label,) = desk.get("/v1/labels").json()["items"]
    assert (label["verdict"], label["supersedes"]) == ("pass", first["label_id"])
    recent = desk.get("/v1/annotations", params={"annotator": "ann"}).json()["items"]
    assert [one["id"] for one in recent] == [second["annotation_id"]]
    back = desk.post(f"/v1/annotations/{second['annotation_id']}/undo", json={"annotator": "ann"}).json()
    assert (back["entry"]["id"], back["earlier"]["verdict"]) == ("entry-1", "pass")
    assert desk.get("/v1/labels").json()["items"] == []
    problem(desk.put(path, json={"annotator": "bob"} | FAIL), 403, "NotAllowed")
    problem(desk.put("/v1/annotations/nothing", json={"annotator": "bob"} | FAIL), 404, "NotHere")


def test_progress_tells_what_is_done_and_what_is_left(
    desk: TestClient, fill: Callable[..., None], clock: Clock
) -> None:
    fill(4)
    for _ in range(2):
        clock.advance(seconds=30)
        submit(desk, take(desk))
    told = desk.get("/v1/progress", params={"annotator": "ann"}).json()
    assert told == {"done": 2, "waiting": 2, "quota": None, "left": 2, "per_hour": 120.0, "minutes_left": 1.0}


@pytest.mark.parametrize(
    ("said", "status", "field"),
    [
        ({"verdict": "maybe"}, 422, "verdict"),
        ({"verdict": None}, 422, "verdict"),
        ({"verdict": "fail", "categories": ["nonsense"]}, 422, "categories.0"),
        ({"verdict": "fail"}, 422, "categories"),
        ({"categories": ["wrong-fact"]}, 422, "categories"),
        ({"categories": "wrong-fact"}, 422, "categories"),
        ({"seconds": -1}, 422, "seconds"),
        ({"seconds": "long"}, 422, "seconds"),
        ({"documents": {"elsewhere": True}}, 422, "documents.elsewhere"),
        ({"documents": ["returns"]}, 422, "documents"),
        ({"critique": 7}, 422, "critique"),
        ({"annotator": "an\x00n"}, 409, None),
        ({"lease_token": "\x00"}, 422, "lease_token"),
        ({"entry_id": "no such entry"}, 404, None),
        ({"codebook_version": 9}, 404, None),
        ({"codebook_version": 2**40}, 422, "codebook_version"),
    ],
)
def test_a_judgement_that_cannot_be_one_names_its_field(
    desk: TestClient, fill: Callable[..., None], said: dict[str, Any], status: int, field: str | None
) -> None:
    fill(1)
    served = take(desk)
    answer = desk.post("/v1/annotations", json=judgement(served) | said)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json().get("field")) == (status, field), answer.text
    assert desk.get("/v1/labels").json()["items"] == []
    submit(desk, served)


@pytest.mark.parametrize("body", ['{"verdict": NaN', '{"seconds": NaN}', '{"annotator": "\\ud800"}', "[]", "7", ""])
def test_a_body_that_is_no_judgement_is_refused(desk: TestClient, body: str) -> None:
    answer = desk.post("/v1/annotations", content=body, headers={"content-type": "application/json"})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.status_code in {400, 422}


def test_words_of_every_kind_survive(desk: TestClient, fill: Callable[..., None]) -> None:
    fill(1)
    words = "«Ünïcode» 🙂 \x00 \u202e rtl </script> 'quoted' \\ back\n\ttabs"
    submit(desk, take(desk), **(FAIL | {"critique": words}))
    assert desk.get("/v1/labels").json()["items"][0]["critique"] == words


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 101])
def test_an_annotator_needs_a_name(desk: TestClient, name: str) -> None:
    problem(desk.post("/v1/queue/next", json={"annotator": name}), 422, "Invalid", "annotator")


# --- lists


def test_labels_and_the_queue_come_in_pages(desk: TestClient, fill: Callable[..., None], clock: Clock) -> None:
    fill(10)
    assert walk(desk, "/v1/queue", "entry") == [f"entry-{number}" for number in range(1, 11)]
    for _ in range(5):
        clock.advance(seconds=1)
        submit(desk, take(desk))
    assert walk(desk, "/v1/labels", None) == [f"entry-{number}" for number in range(1, 6)]
    assert walk(desk, "/v1/queue", "entry") == [f"entry-{number}" for number in range(6, 11)]


def walk(client: TestClient, path: str, key: str | None) -> list[str]:
    """The entries of a list, read three at a time."""
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(9):
        params = {"limit": "3"} | ({"cursor": cursor} if cursor else {})
        page = client.get(path, params=params).json()
        seen += [item[key]["id"] if key else item["entry_id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    return seen


@pytest.mark.parametrize("path", ["/v1/labels", "/v1/queue", "/v1/disputes"])
@pytest.mark.parametrize("cursor", ["", "x", "2026~1", "2026-11-23~1~2", "9~9~9", "2026-11-23T00:00:00+00:00~x~\x00"])
def test_a_cursor_of_somebody_else_is_refused(desk: TestClient, path: str, cursor: str) -> None:
    problem(desk.get(path, params={"cursor": cursor}), 422, "Invalid", "cursor")


def test_the_queue_says_who_holds_what_and_whom_it_is_kept_for(desk: TestClient, fill: Callable[..., None]) -> None:
    fill(2)
    take(desk)
    changed = desk.post("/v1/queue/assign", json={"entry_ids": ["entry-2", "entry-9"], "annotator": "bob"})
    assert changed.json() == {"entry_ids": ["entry-2"]}
    first, second = desk.get("/v1/queue").json()["items"]
    assert (first["leased_by"], first["assigned_to"]) == ("ann", None)
    assert (second["leased_by"], second["assigned_to"]) == (None, "bob")


def test_dropped_entries_wait_no_more(desk: TestClient, fill: Callable[..., None]) -> None:
    fill(2)
    dropped = desk.post("/v1/queue/drop", json={"entry_ids": ["entry-1"], "why": "erased"}).json()
    assert dropped == {"entry_ids": ["entry-1"]}
    assert walk(desk, "/v1/queue", "entry") == ["entry-2"]


# --- disputes


def test_a_dispute_is_seen_with_both_sides_and_decided_once(desk: TestClient, fill: Callable[..., None]) -> None:
    fill(1, doubled=(1,))
    assert submit(desk, take(desk), **FAIL)["outcome"] == "waiting"
    opened = submit(desk, take(desk, "bob"), "bob")
    (dispute,) = desk.get("/v1/disputes").json()["items"]
    assert (opened["outcome"], opened["dispute_id"], opened["label_id"]) == ("dispute", dispute["id"], None)
    assert [one["annotator"] for one in dispute["annotations"]] == ["ann", "bob"]
    path = f"/v1/disputes/{dispute['id']}/decision"
    problem(desk.post(path, json={"decided_by": "olga", "verdict": "fail"}), 422, "Invalid", "categories")
    label = desk.post(path, json={"decided_by": "olga"} | FAIL)
    assert (label.status_code, label.json()["settled"], label.json()["decided_by"]) == (201, "adjudicated", "olga")
    assert desk.post(path, json={"decided_by": "olga"} | FAIL).json() == label.json()
    problem(desk.post(path, json={"decided_by": "olga", "verdict": "pass"}), 409, "Conflict")
    problem(desk.post("/v1/disputes/nothing/decision", json={"decided_by": "olga"} | FAIL), 404, "NotHere")
    assert desk.get("/v1/disputes").json()["items"] == []


# --- the codebook


def test_a_codebook_is_published_as_the_next_version(client: TestClient) -> None:
    problem(client.get("/v1/codebooks/current"), 404, "NotHere")
    published = client.post("/v1/codebooks", json=a_codebook_file(note="first words"))
    assert published.status_code == 201
    version = published.json()
    assert (version["version"], version["note"], version["name"]) == (1, "first words", "support")
    assert [category["id"] for category in version["categories"]] == ["wrong-fact", "missed-point"]
    assert client.get("/v1/codebooks/current").json() == client.get("/v1/codebooks/1").json() == version
    assert client.get("/v1/codebooks").json() == {"items": [version], "next": None}
    problem(client.get("/v1/codebooks/2"), 404, "NotHere")
    problem(client.post("/v1/codebooks", json=a_codebook_file()), 409, "Conflict")


def test_a_codebook_that_does_not_hold_together_says_where(client: TestClient) -> None:
    file = a_codebook_file()
    del file["categories"][1]["edge_case"]
    problem(client.post("/v1/codebooks", json=file), 422, "CodebookInvalid", "categories.1.edge_case")
    problem(client.post("/v1/codebooks", json=a_codebook_file(note=7)), 422, "Invalid", "note")
    assert client.post("/v1/codebooks", json=[]).status_code == 422


@pytest.mark.parametrize("version", ["0", "-1", "1.0", "last", "9" * 30, "%00"])
def test_a_version_is_a_number_or_current(client: TestClient, version: str) -> None:
    answer = client.get(f"/v1/codebooks/{version}")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.status_code == 422


# --- who may


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        (Scope.ingest, set()),
        (Scope.read, {"/v1/labels", "/v1/queue", "/v1/codebooks"}),
        (Scope.annotate, {"/v1/queue/next"}),
        (Scope.admin, {"/v1/disputes", "/v1/queue/drop"}),
    ],
)
def test_a_key_opens_what_its_scope_allows(wheel: Wheel, client: TestClient, scope: Scope, allowed: set[str]) -> None:
    client.headers["Authorization"] = f"Bearer {wheel.access.add_key('default', [scope]).secret_key}"
    answers = {path: client.get(path) for path in ("/v1/labels", "/v1/queue", "/v1/codebooks", "/v1/disputes")}
    answers["/v1/queue/next"] = client.post("/v1/queue/next", json={"annotator": "ann"})
    answers["/v1/queue/drop"] = client.post("/v1/queue/drop", json={"entry_ids": ["entry-1"], "why": "no"})
    assert {path for path, answer in answers.items() if answer.status_code != 403} == allowed
