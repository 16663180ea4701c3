"""Signing in, roles, and requests that other sites send; no browser needed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from tests.conftest import Clock
from tests.web.conftest import PASSWORD, Site
from thumbwheel.web.session import COOKIE, local_path

Visit = Callable[..., TestClient]

PAGES = ("/", "/annotate", "/queue", "/disputes", "/codebook", "/codebook/edit", "/report")
OPEN_TO = {
    "vic": {"/", "/codebook", "/report"},
    "ann": {"/", "/annotate", "/codebook", "/report"},
    "olga": set(PAGES),
}


def test_a_stranger_is_sent_to_sign_in_and_comes_back(visit: Visit) -> None:
    answer = visit().get("/queue?policy=drift")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=%2Fqueue%3Fpolicy%3Ddrift"
    there = visit().post("/sign-in", data={"name": "ann", "password": PASSWORD, "next": "/annotate"})
    assert (there.status_code, there.headers["location"]) == (303, "/annotate")


@pytest.mark.parametrize("name", OPEN_TO)
def test_each_role_opens_its_pages_and_no_other(visit: Visit, name: str) -> None:
    client = visit(name)
    assert {page for page in PAGES if client.get(page).status_code == 200} == OPEN_TO[name]
    assert {client.get(page).status_code for page in set(PAGES) - OPEN_TO[name]} <= {403}


@pytest.mark.parametrize("name", ["vic", "ann"])
@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("/disputes/1", {"verdict": "pass"}),
        ("/codebook", {"text": "name: x"}),
        ("/queue/drop", {"entry": "e", "why": "w"}),
        ("/queue/assign", {"entry": "e"}),
        ("/queue/draw", {}),
    ],
)
def test_what_is_the_owners_to_do_nobody_else_does(visit: Visit, name: str, path: str, data: dict[str, str]) -> None:
    assert visit(name).post(path, data=data).status_code == 403


def test_a_viewer_is_handed_no_trace(site: Site, visit: Visit) -> None:
    site.queue()
    client = visit("vic")
    assert client.post("/annotate/next", json={}).status_code == 403
    assert client.get("/traces/trace-1").status_code == 403


def test_an_annotator_reads_the_traces_they_judged_and_only_their_own_words(site: Site, visit: Visit) -> None:
    site.queue(entry={"labels_needed": 2})
    ann, ben = visit("ann"), visit("ben")
    assert ann.get("/traces/trace-1").status_code == 404
    for client, critique in ((ann, "Ann was here."), (ben, "Ben was here.")):
        entry = client.post("/annotate/next", json={}).json()["entry"]
        held = {name: entry[name] for name in ("entry_id", "lease_token")}
        said = {"verdict": "fail", "critique": critique}
        assert client.post("/annotate/submit", json=held | {"judgement": said}).status_code == 200
    page = ann.get("/traces/trace-1").text
    assert "Ann was here." in page
    assert "Ben was here." not in page
    assert {"Ann was here.", "Ben was here."} <= set(
        visit("olga").get("/traces/trace-1").text.replace("<", ">").split(">")
    )


def test_a_look_at_a_trace_is_in_the_audit_log(site: Site, visit: Visit) -> None:
    site.queue()
    visit("olga").get("/traces/trace-1")
    (row,) = site.wheel.access.list_audit(site.project_id)
    assert (row.actor, row.action, row.subject) == ("olga", "trace.read", "trace-1")


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(visit: Visit) -> None:
    answer = visit().post("/sign-in", data={"name": "ann", "password": PASSWORD})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "secure" not in cookie


def test_a_session_ends_when_it_is_old_signed_out_or_altered(site: Site, visit: Visit, clock: Clock) -> None:
    client = visit("ann")
    cookie = client.cookies[COOKIE]
    assert client.get("/").status_code == 200
    forged = visit()
    forged.cookies.set(COOKIE, cookie[:-2] + ("aa" if cookie[-2:] != "aa" else "bb"))
    assert forged.get("/").status_code == 303
    clock.advance(hours=site.wheel.settings.session_hours + 1)
    assert client.get("/").status_code == 303
    client = visit("ann")
    client.post("/sign-out")
    assert client.get("/").status_code == 303


def test_wrong_passwords_run_out(visit: Visit) -> None:
    client = visit()
    wrong = {"name": "ann", "password": "not this one"}
    assert [client.post("/sign-in", data=wrong).status_code for _ in range(9)] == [401] * 8 + [429]
    assert client.post("/sign-in", data={"name": "ann", "password": PASSWORD}).status_code == 429
    assert client.post("/sign-in", data={"name": "ben", "password": PASSWORD}).status_code == 303


def test_a_wrong_name_and_a_wrong_password_read_alike(visit: Visit) -> None:
    said = [visit().post("/sign-in", data={"name": name, "password": "x" * 9}).text for name in ("ann", "nobody")]
    assert said[0] == said[1].replace("nobody", "ann")


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
    ],
)
@pytest.mark.parametrize(
    "path", ["/annotate/next", "/annotate/undo", "/codebook/check", "/sign-out", "/queue/draw", "/sign-in"]
)
def test_what_another_site_sends_is_refused(visit: Visit, path: str, headers: dict[str, str]) -> None:
    assert visit("olga").post(path, headers=headers, json={}).status_code == 403


@pytest.mark.parametrize("headers", [{"sec-fetch-site": "same-origin"}, {"origin": "http://wheel.test"}, {}])
def test_what_our_own_pages_send_is_done(visit: Visit, headers: dict[str, str]) -> None:
    assert visit("ann").post("/annotate/next", headers=headers, json={}).status_code == 200


@pytest.mark.parametrize(
    "path", ["/sign-in", "/", "/annotate", "/nowhere", "/static/app.css", "/static/annotate/main.js"]
)
def test_every_page_keeps_to_itself(visit: Visit, path: str) -> None:
    headers = visit("olga").get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("path", PAGES)
def test_no_page_holds_a_script_or_a_style_of_its_own(site: Site, visit: Visit, path: str) -> None:
    site.publish()
    page = visit("olga").get(path).text
    assert "<script>" not in page
    assert "<style" not in page
    assert " style=" not in page
    assert " onclick=" not in page


@pytest.mark.parametrize(
    "path", ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:x", "", None, "/\n/evil"]
)
def test_nobody_is_sent_to_another_site_after_signing_in(path: str | None) -> None:
    assert local_path(path) == "/"
