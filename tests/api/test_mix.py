"""The doors of the mix: proposed, applied by a key, and past draws under another one; draws accounted for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.conftest import NOW, Clock
from tests.factories import DAY, a_codebook_version
from thumbwheel.app import Wheel
from thumbwheel.domain.annotation import Judgement, Verdict
from thumbwheel.domain.person import Scope
from thumbwheel.serving import create_app

DEFAULT = {"drift": 0.1, "negative": 0.3, "uncertain": 0.1, "stratified": 0.25, "random": 0.25}


def judge(wheel: Wheel, is_bad: Callable[[int], bool]) -> None:
    """Have everything that waits judged by two people who agree."""
    project_id = wheel.project("default")
    for annotator in ("ann", "bea"):
        while served := wheel.annotate.next(project_id, annotator):
            bad = is_bad(int(served.trace.id[1:]))
            judgement = Judgement(
                verdict=Verdict.failed if bad else Verdict.passed, categories=("wrong-fact",) if bad else ()
            )
            wheel.annotate.submit(project_id, served.entry.id, served.lease.token, annotator, judgement)


@pytest.fixture
def labelled(client: TestClient, wheel: Wheel) -> dict[str, Any]:
    """A draw of 40 out of 240, every entry judged: what users complained of failed, and every tenth that nobody did."""
    at = (NOW - 2 * DAY).isoformat()
    traces = [{"id": f"t{n}", "started_at": at, "category": "ab"[n % 2], "output": "x"} for n in range(240)]
    client.post("/v1/traces/batch", json={"traces": traces})
    signals = [{"trace_id": f"t{n}", "kind": "user_rating", "value": "down", "at": at} for n in range(0, 240, 8)]
    client.post("/v1/signals", json={"signals": signals})
    with wheel.ledger.begin(wheel.project("default")) as tx:
        tx.codebooks.add(a_codebook_version())
    drawn: dict[str, Any] = client.post("/v1/draws", json={"budget": 40, "window": "7d", "seed": 1}).json()
    judge(wheel, lambda n: n % 8 == 0 or n % 10 == 1)
    return drawn


def test_a_proposal_shows_its_evidence_and_changes_nothing(client: TestClient, labelled: dict[str, Any]) -> None:
    found = client.get("/v1/mix/proposal").json()
    rows = {row["policy"]: row for row in found["policies"]}
    assert list(rows) == ["drift", "negative", "uncertain", "stratified", "random"]
    assert sum(found["mix"].values()) == pytest.approx(1)
    assert rows["negative"]["share"] < found["mix"]["negative"] <= rows["negative"]["cap"] == 0.5
    assert rows["negative"]["n_failures"] == rows["negative"]["n_labels"] > 0
    assert all(row["floor"] - 1e-9 <= row["proposed"] <= row["cap"] + 1e-9 for row in rows.values())
    low, high = rows["negative"]["interval"]
    assert low < rows["negative"]["conversion"] < high
    assert found["gain"] == pytest.approx(found["failures_per_80_proposed"] - found["failures_per_80"])
    assert found["gain_interval"][0] < found["gain"] < found["gain_interval"][1]
    assert found["modes_found"] == 1
    assert 0 < found["silent_share"] < 1
    assert client.get("/v1/mix").json()["mix"] == DEFAULT


def test_a_key_applies_the_proposal_it_saw_and_is_kept_with_it(
    client: TestClient, labelled: dict[str, Any], wheel: Wheel
) -> None:
    seen = client.get("/v1/mix/proposal").json()["mix"]
    stale = client.post("/v1/mix/apply", json={"seen": DEFAULT})
    assert (stale.status_code, client.get("/v1/mix").json()["version"]) == (409, 0)
    applied = client.post("/v1/mix/apply", json={"seen": seen}).json()
    in_force = client.get("/v1/mix").json()
    assert (applied["version"], in_force["version"], in_force["mix"]) == (1, 1, seen)
    assert in_force["by"] == applied["by"] == f"API key {wheel.access.list_keys()[0].id}"
    assert [each["version"] for each in in_force["versions"]] == [0, 1]
    assert wheel.access.list_audit(wheel.project("default"))[0].action == "sample.tune"
    tried = client.post("/v1/draws", json={"budget": 20, "window": "7d", "dry_run": True, "again": True}).json()
    assert (tried["mix"], tried["mix_version"]) == (pytest.approx(seen), 1)


def test_past_draws_are_made_again_under_another_mix(client: TestClient, labelled: dict[str, Any]) -> None:
    (same,) = client.post("/v1/mix/replay", json={"mix": DEFAULT}).json()["items"]
    assert same["draw_id"] == labelled["id"]
    assert (same["picked"], same["expected"], same["error"]) == (same["replayed"], same["failures"], 0)
    assert (same["n_known"], same["n_caught"]) == (40, same["failures"])
    (plain,) = client.post("/v1/mix/replay", json={"mix": {"random": 3}}).json()["items"]
    assert plain["replayed"] == {"random": 40}
    assert plain["expected"] < plain["failures"]
    assert plain["error"] > 0
    (proposed,) = client.post("/v1/mix/replay").json()["items"]
    assert proposed["expected"] > same["failures"]


def test_a_second_draw_of_its_frame_does_not_change_what_a_replay_says(
    client: TestClient, labelled: dict[str, Any], clock: Clock
) -> None:
    before = client.post("/v1/mix/replay", json={"mix": {"random": 1}}).json()
    clock.advance(hours=1)
    again = client.post("/v1/draws", json={"budget": 40, "window": "7d", "again": True}).json()
    assert again["again_of"] == labelled["id"]
    assert client.post("/v1/mix/replay", json={"mix": {"random": 1}}).json() == before


@pytest.mark.parametrize(
    ("mix", "status"),
    [({"luck": 1}, 422), ({"random": -1, "negative": 2}, 422), ({}, 422), ({"random": 0}, 422)],
)
def test_a_mix_that_cannot_be_is_refused(client: TestClient, mix: dict[str, float], status: int) -> None:
    assert client.post("/v1/mix/replay", json={"mix": mix}).status_code == status


def test_looking_takes_the_scope_read_and_applying_admin(client: TestClient, wheel: Wheel) -> None:
    reader = TestClient(create_app(wheel))
    reader.headers["Authorization"] = f"Bearer {wheel.access.add_key('default', [Scope.read]).secret_key}"
    assert [reader.get(path).status_code for path in ("/v1/mix", "/v1/mix/proposal")] == [200, 200]
    assert reader.post("/v1/mix/replay").json() == {"items": [], "next": None}
    assert reader.post("/v1/mix/apply").status_code == 403
    client.headers["Authorization"] = f"Bearer {wheel.access.add_key('default', [Scope.annotate]).secret_key}"
    assert client.get("/v1/mix/proposal").status_code == 403


def test_the_doors_are_described(client: TestClient) -> None:
    described = client.get("/openapi.json").json()
    for path, verb in (("/v1/mix", "get"), ("/v1/mix/proposal", "get"), ("/v1/mix/apply", "post")):
        assert described["paths"][path][verb]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
    assert "gain_interval" in described["components"]["schemas"]["ProposalOut"]["properties"]


def test_a_draw_is_accounted_for(client: TestClient, labelled: dict[str, Any], wheel: Wheel) -> None:
    found = client.get(f"/v1/draws/{labelled['id']}").json()
    policies = {part["name"]: part for part in found["policies"]}
    assert {name: part["asked"] for name, part in policies.items()} == found["quotas"]
    assert sum(found["quotas"].values()) == 40
    assert (policies["drift"]["got"], policies["drift"]["why"]) == (
        0,
        "0 of 4: no open drift alert has a trace in the frame",
    )
    assert policies["random"]["why"] == "4 more, left over by the other policies"
    assert found["taken"]["got"] == found["taken"]["n_labelled"] == 40
    assert sum(part["got"] for part in found["categories"]) == 40
    assert {part["name"]: (part["population"], part["asked"]) for part in found["categories"]} == {
        "a": (120, 5),
        "b": (120, 5),
    }
    assert client.get("/v1/draws/nothing").status_code == 404


def test_a_misspelt_field_of_a_draw_draws_nothing(client: TestClient, labelled: dict[str, Any]) -> None:
    before = client.get("/v1/queue?limit=200").json()
    answer = client.post("/v1/draws", json={"budget": 5, "window": "7d", "dryrun": True})
    assert answer.status_code == 422
    assert answer.json()["field"] == "dryrun"
    assert client.get("/v1/queue?limit=200").json() == before
