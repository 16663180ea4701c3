"""The pages behind a real server, and Chromium in front of them."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn
from fastapi import FastAPI, Response
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect, sync_playwright
from pwdlib import PasswordHash

from tests.conftest import NOW
from tests.factories import a_codebook_file, a_trace, an_entry
from tests.road import queue_up
from thumbwheel.app import Wheel
from thumbwheel.domain.person import Person, Role
from thumbwheel.domain.queue import QueueEntry
from thumbwheel.domain.signal import Signal
from thumbwheel.domain.trace import Trace
from thumbwheel.serving import create_app
from thumbwheel.web.session import COOKIE

#: Milliseconds: a machine that is busy with other tests paints late.
expect.set_options(timeout=15_000)

PASSWORD = "a long password"
ROLES = {"ann": Role.annotator, "ben": Role.annotator, "olga": Role.owner, "vic": Role.viewer}


@cache
def _password_hash() -> str:
    """Hashed once: it is slow on purpose."""
    return PasswordHash.recommended().hash(PASSWORD)


@dataclass
class Site:
    """A server with people, and what tests put into its store."""

    wheel: Wheel
    url: str = ""
    app: FastAPI = field(default_factory=FastAPI)
    n: int = 0
    project_id: int = field(init=False)

    def __post_init__(self) -> None:
        self.project_id = self.wheel.project("default")
        with self.wheel.ledger.begin(0) as tx:
            for name, role in ROLES.items():
                person = Person(id=f"id-of-{name}", name=name, role=role, created_at=NOW)
                tx.people.add(person, _password_hash())

    def cookie(self, app: FastAPI, name: str) -> str:
        """What the browser of somebody who is signed in would send."""
        person = self.wheel.access.person(f"id-of-{name}")
        assert person is not None
        answer = Response()
        app.state.sessions.remember(answer, person, "default")
        return answer.headers["set-cookie"].split(";")[0].split("=", 1)[1]

    def publish(self, **given: Any) -> None:
        """Publish the factories' codebook."""
        self.wheel.rubric.publish(self.project_id, a_codebook_file(**given), "olga")

    def queue(
        self, *, signals: tuple[Signal, ...] = (), entry: dict[str, Any] | None = None, **given: Any
    ) -> QueueEntry:
        """Put one more trace into the queue."""
        self.n += 1
        started_at = NOW - timedelta(days=1) + timedelta(minutes=self.n)
        trace: Trace = a_trace(
            **{"id": f"trace-{self.n}", "started_at": started_at, "ended_at": started_at, "input": f"question {self.n}"}
            | given
        )
        queued = replace(
            an_entry(
                id=f"entry-{self.n}",
                trace_id=trace.id,
                draw_id=f"draw-{self.n}",
                added_at=NOW - timedelta(hours=2) + timedelta(seconds=self.n),
            ),
            **entry or {},
        )
        with self.wheel.ledger.begin(self.project_id) as tx:
            queue_up(tx, trace, queued, [replace(signal, trace_id=trace.id) for signal in signals])
        return queued

    def annotations(self, name: str = "ann") -> list[Any]:
        """What somebody's standing judgements are, first made first."""
        return self.wheel.annotate.recent(self.project_id, name)[::-1]


@pytest.fixture
def site(wheel: Wheel) -> Site:
    """People, and nothing to judge."""
    return Site(wheel)


@pytest.fixture
def visit(site: Site) -> Iterator[Callable[[str | None], TestClient]]:
    """A client that is signed in as somebody."""
    app = create_app(site.wheel)
    with TestClient(app, base_url="http://wheel.test", follow_redirects=False) as first:
        made = [first]

        def visit(name: str | None = None) -> TestClient:
            client = TestClient(app, base_url="http://wheel.test", follow_redirects=False)
            made.append(client)
            if name:
                client.cookies.set(COOKIE, site.cookie(app, name), domain="wheel.test")
            return client

        yield visit
        for client in made[1:]:
            client.close()


@pytest.fixture
def served(site: Site) -> Iterator[Site]:
    """The same, behind a server on a port of its own."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    site.app = create_app(site.wheel)
    server = uvicorn.Server(uvicorn.Config(site.app, log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    site.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    yield site
    server.should_exit = True
    thread.join()
    listener.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One Chromium for every test of a process."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
        )
        yield browser
        browser.close()


@dataclass
class Reviewer:
    """Somebody at the keyboard."""

    page: Page
    site: Site
    #: What the page asked of anybody but the server.
    strayed: list[str] = field(default_factory=list)
    #: What the page itself complained about.
    complaints: list[str] = field(default_factory=list)

    def watch(self, request: Request) -> None:
        """Keep what goes elsewhere."""
        if urlsplit(request.url).netloc != urlsplit(self.site.url).netloc and not request.url.startswith("data:"):
            self.strayed.append(request.url)

    def go(self, path: str) -> Page:
        """Open a page."""
        self.page.goto(self.site.url + path)
        return self.page

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def sees(self, text: str) -> None:
        """Wait for the trace with this text to be on the stage."""
        self.page.locator(".entry", has_text=text).wait_for()

    def settled(self) -> None:
        """Wait until everything that was judged has reached the server."""
        self.until("Object.keys(localStorage).every((name) => !name.startsWith('thumbwheel.outbox'))")

    def until(self, holds: str) -> None:
        """Wait until an expression holds; the page's own policy forbids Playwright's way of waiting."""
        end = time.monotonic() + 10
        while not self.page.evaluate(holds):
            assert time.monotonic() < end, f"still not: {holds}"
            self.page.wait_for_timeout(20)


@pytest.fixture
def sit(served: Site, chromium: Browser) -> Iterator[Callable[..., Reviewer]]:
    """Sits somebody down at a browser of their own, signed in."""
    contexts: list[BrowserContext] = []
    reviewers: list[Reviewer] = []

    def sit(name: str = "ann", path: str = "/annotate", **options: Any) -> Reviewer:
        context = chromium.new_context(**options)
        contexts.append(context)
        reviewer = Reviewer(context.new_page(), served)
        reviewers.append(reviewer)
        page = reviewer.page
        page.set_default_timeout(10_000)
        page.on("request", reviewer.watch)
        page.on("pageerror", lambda fault: reviewer.complaints.append(str(fault)))
        page.on(
            "console", lambda said: reviewer.complaints.append(said.text) if "Content Security" in said.text else None
        )
        context.add_cookies([{"name": COOKIE, "value": served.cookie(served.app, name), "url": served.url}])
        reviewer.go(path)
        return reviewer

    yield sit
    for context in contexts:
        context.close()
    for reviewer in reviewers:
        assert reviewer.strayed == []
        assert reviewer.complaints == []
