"""Purposes are invisible to the reviewer: an entry for one judgement, for two, to be judged again or to audit looks the same."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.web.conftest import Site
from thumbwheel.domain.annotation import Judgement, Verdict
from thumbwheel.domain.person import Scope
from thumbwheel.domain.queue import Purpose
from thumbwheel.serving import create_app

Visit = Callable[..., TestClient]

#: What tells one entry from another, whatever it is for.
_OWN = re.compile(
    r"(trace|entry|draw|annotation)-?\w*\d+|[0-9a-f]{32}|\d\d:\d\d(:\d\d)?(\.\d+)?|\d+ (s|min|h)\b|question \d+"
)
SAID = Judgement(verdict=Verdict.failed, categories=("wrong-fact",), critique="Said before.")


def alike(text: str) -> str:
    return _OWN.sub("#", text)


def make(site: Site, purpose: Purpose, needed: int) -> None:
    """An entry of this purpose, for Ann; one that is judged again has been judged by her before."""
    entry = site.queue(entry={"purpose": purpose, "labels_needed": needed})
    if purpose is not Purpose.relabel:
        return
    served = site.wheel.annotate.next(site.project_id, "ann")
    assert served is not None
    site.wheel.annotate.submit(site.project_id, entry.id, served.lease.token, "ann", SAID)
    label = next(one for one in site.wheel.annotate.labels(site.project_id, 5) if one.entry_id == entry.id)
    site.wheel.spot_check.send_back(site.project_id, label.id, "olga")
    site.wheel.queue.assign(site.project_id, [entry.id], "ann", "olga")


def shown(name: str, ann: TestClient, key: TestClient) -> dict[str, Any]:
    """Everything the pages tell somebody from the next entry to its judgement, and what the door hands out."""
    told: dict[str, Any] = {}
    told["page"] = ann.get("/annotate").text
    told["next"] = ann.post("/annotate/next", json={"holding": []}).text
    asked = key.post("/v1/queue/next", json={"annotator": name})
    told["door"] = asked.text
    held = {"entry_id": asked.json()["entry"]["id"], "lease_token": asked.json()["lease"]["token"]}
    told["renewed"] = ann.post(
        "/annotate/renew", json={"held": [held | {"trace_id": asked.json()["trace"]["id"]}]}
    ).text
    told["submitted"] = ann.post("/annotate/submit", json=held | {"judgement": {"verdict": "pass"}}).text
    told["recent"] = ann.get("/annotate/recent").text
    return {what: alike(re.sub(rf"\b{name}\b", "#", text)) for what, text in told.items()}


@pytest.mark.parametrize(("purpose", "needed"), [(Purpose.double, 2), (Purpose.relabel, 1), (Purpose.audit, 1)])
def test_nothing_tells_what_an_entry_is_for(site: Site, visit: Visit, purpose: Purpose, needed: int) -> None:
    site.publish()
    key = site.wheel.access.add_key("default", [Scope.annotate])
    door = TestClient(create_app(site.wheel), headers={"Authorization": f"Bearer {key.secret_key}"})
    make(site, Purpose.label, 1)
    plain = shown("ben", visit("ben"), door)
    make(site, purpose, needed)
    other = shown("ann", visit("ann"), door)
    assert other == plain
    words = " ".join(other.values()).lower()
    assert not re.search(r"purpose|labels_needed|relabel|audit|double|said before", words)
