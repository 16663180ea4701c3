"""The widget in Chromium, on pages of another origin, from the click to the stored row."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import socket
import subprocess
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

import thumbwheel
from thumbwheel.app import Wheel
from thumbwheel.capture.edit import hunks
from thumbwheel.config import Settings
from thumbwheel.connectors import native
from thumbwheel.domain.person import Scope
from thumbwheel.domain.signal import Signal
from thumbwheel.errors import NotHere
from thumbwheel.services.capture import Work
from thumbwheel.serving import create_app

WIDGET = Path(thumbwheel.__file__).parent / "widget"
AXE = Path(__file__).parent / "axe" / "axe.min.js"
ANSWER = "Returns within 30 days are free. After that a return costs 4 euros."
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Answers</title>
<script type="module" src="/page.js"></script></head><body><main><h1>Answers</h1>
<p id="answer" contenteditable="true" role="textbox" aria-label="Answer">{answer}</p>
<thumbwheel-feedback trace="t1" for="answer"></thumbwheel-feedback>
<button id="again">Regenerate</button><button id="clarify">Not what I meant</button>
<p><label>Mail <textarea id="mail" rows="4"></textarea></label></p></main></body></html>"""
SCRIPT = """import * as widget from "{url}/widget.js";
window.widget = widget;
window.heard = [];
document.addEventListener("thumbwheel:signal", (event) => window.heard.push(event.detail));
const options = {options};
widget.configure({{ key: "{key}", ...options.configure }});
const find = (id) => document.getElementById(id);
window.tracking = options.track && widget.track(find("answer"), "t1",
  {{ regenerate: find("again"), clarification: find("clarify"), ...options.track }});
window.ready = true;
"""


@dataclass
class Shop:
    """Somebody's own site, on an origin of its own, that loads the widget from a thumbwheel server."""

    wheel: Wheel
    browser: Browser
    url: str
    public_key: str
    origin: str = ""
    csp: str = ""
    options: dict[str, Any] = field(default_factory=lambda: {"configure": {}, "track": {}})
    contexts: list[BrowserContext] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def file(self, path: str) -> tuple[str, str]:
        if path.startswith("/page.js"):
            options = json.dumps(self.options)
            return "text/javascript", SCRIPT.format(url=self.url, key=self.public_key, options=options)
        if path == "/elsewhere":
            return "text/html", "<!doctype html><title>Elsewhere</title>"
        return "text/html; charset=utf-8", PAGE.format(answer=ANSWER)

    def visitor(self) -> BrowserContext:
        context = self.browser.new_context()
        context.set_default_timeout(10_000)
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=self.origin)
        self.contexts.append(context)
        return context

    def open(self, context: BrowserContext | None = None, **options: Any) -> Page:
        self.options = {"configure": {}, "track": {}} | options
        page = (context or self.visitor()).new_page()
        page.on("pageerror", lambda fault: self.complaints.append(str(fault)))
        page.on("console", lambda said: self.complaints.append(said.text) if "Security Policy" in said.text else None)
        page.goto(self.origin)
        until(lambda: page.evaluate("window.ready"))
        return page

    def signals(self) -> list[Signal]:
        return sorted(self.wheel.capture.get(self.wheel.project("default"), "t1").signals, key=lambda each: each.at)

    def kinds(self) -> list[str]:
        return [each.kind for each in self.signals()]

    def arrives(self, kind: str, n: int = 1) -> Signal:
        """The last signal of this kind, once there are `n`."""
        until(lambda: self.kinds().count(kind) >= n, lambda: f"{n} {kind}, but {self.kinds()}")
        found = [each for each in self.signals() if each.kind == kind]
        assert len(found) == n
        return found[-1]


def until(holds: Callable[[], object], what: Callable[[], str] = lambda: "", page: Page | None = None) -> None:
    """Wait for something; what the browser tells is heard only while its page is waited with."""
    end = time.monotonic() + 15
    while not holds():
        assert time.monotonic() < end, what()
        if page is None:
            time.sleep(0.03)
        else:
            page.wait_for_timeout(30)


@pytest.fixture
def wheel(tmp_path: Path) -> Iterator[Wheel]:
    """Every service at the real time, which is the browser's too."""
    wheel = Wheel(Settings(database_url=f"sqlite:///{tmp_path}/wheel.db"))
    yield wheel
    wheel.stop()


@pytest.fixture
def shop(wheel: Wheel, chromium: Browser) -> Iterator[Shop]:
    key = wheel.access.add_key("default", [Scope.ingest]).key.public_key
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(wheel), log_level="warning"))
    serving = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    serving.start()
    until(lambda: server.started)
    shop = Shop(wheel, chromium, f"http://127.0.0.1:{listener.getsockname()[1]}", key)
    files = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(shop))
    threading.Thread(target=files.serve_forever, daemon=True).start()
    shop.origin = f"http://127.0.0.1:{files.server_port}"
    wheel.access.allow_origins("default", [shop.origin])
    trace = native.trace({"id": "t1", "started_at": wheel.now().isoformat(), "output": ANSWER}, wheel.now())
    wheel.capture.keep_now(Work(wheel.project("default"), traces=[(trace.value, trace.content_hash)]))
    yield shop
    for context in shop.contexts:
        context.close()
    files.shutdown()
    files.server_close()
    server.should_exit = True
    serving.join()
    listener.close()
    assert shop.complaints == []


def handler_of(shop: Shop) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            media_type, text = shop.file(self.path)
            self.send_response(200)
            self.send_header("content-type", media_type)
            if shop.csp:
                self.send_header("content-security-policy", shop.csp)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def leave(page: Page) -> None:
    page.goto(page.url.rstrip("/") + "/elsewhere")


def copy_answer(page: Page) -> None:
    page.evaluate("getSelection().selectAllChildren(document.getElementById('answer'))")
    page.keyboard.press("Control+c")


def press_down(page: Page) -> None:
    page.get_by_role("button", name="No, it was not helpful").click()


pytestmark = pytest.mark.browser

# --- the nine kinds, from click to row


def test_a_thumb(shop: Shop) -> None:
    page = shop.open(configure={"user": "ada"})
    page.get_by_role("button", name="Yes, it was helpful").click()
    expect(page.get_by_role("button", name="Yes, it was helpful")).to_have_attribute("aria-pressed", "true")
    stored = shop.arrives("user_rating")
    assert stored.rating == "up"
    assert stored.user_id is not None
    assert stored.consent == {"mode": "none_needed"}


def test_a_reason_and_a_comment(shop: Shop) -> None:
    page = shop.open()
    press_down(page)
    page.get_by_label("Missed the point").check()
    page.get_by_label("Outdated").check()
    page.get_by_label("Anything else?").fill("It is 30 days since May.")
    page.get_by_role("button", name="Send").click()
    shop.arrives("user_reason", 2)
    reasons = {each.reason: each.comment for each in shop.signals() if each.kind == "user_reason"}
    assert reasons == {"missed_the_point": "It is 30 days since May.", "outdated": None}
    assert shop.arrives("user_rating").rating == "down"


def test_an_edit(shop: Shop) -> None:
    page = shop.open(configure={"rights": ["evaluate"]})
    press_down(page)
    page.get_by_role("button", name="Skip").click()
    box = page.get_by_label("How should the answer have read?")
    expect(box).to_be_focused()
    expect(box).to_have_value(ANSWER)
    box.fill(ANSWER.replace("4 euros", "5 euros"))
    page.get_by_role("button", name="Send").click()
    stored = shop.arrives("user_edit")
    assert stored.edit == hunks(ANSWER, ANSWER.replace("4 euros", "5 euros"))
    assert stored.rights == {"evaluate"}


def test_regenerate(shop: Shop) -> None:
    shop.open().click("#again")
    shop.arrives("implicit_regenerate")


def test_clarification(shop: Shop) -> None:
    shop.open().click("#clarify")
    shop.arrives("implicit_clarification")


def test_what_the_application_reports_itself(shop: Shop) -> None:
    page = shop.open(track=None)
    page.evaluate("widget.regenerate('t1'); widget.clarification('t1'); widget.copied('t1')")
    for kind in ("implicit_regenerate", "implicit_clarification", "implicit_copy"):
        shop.arrives(kind)


def test_a_copy(shop: Shop) -> None:
    page = shop.open()
    copy_answer(page)
    copy_answer(page)
    shop.arrives("implicit_copy")
    page.evaluate(
        "const text = document.getElementById('answer').firstChild; getSelection().setBaseAndExtent(text, 0, text, 3)"
    )
    page.keyboard.press("Control+c")
    page.evaluate("getSelection().selectAllChildren(document.querySelector('h1'))")
    page.keyboard.press("Control+c")
    page.evaluate("widget.flush()")
    time.sleep(0.8)
    assert shop.kinds() == ["implicit_copy"]


def test_a_copy_of_a_changed_answer(shop: Shop) -> None:
    page = shop.open()
    page.click("#answer")
    page.keyboard.press("Control+End")
    page.keyboard.type(" Ask us.")
    copy_answer(page)
    stored = shop.arrives("implicit_copy_edit")
    assert stored.edit is not None
    assert stored.edit.edited == ANSWER + " Ask us."
    assert "implicit_copy" not in shop.kinds()


def test_a_copy_that_is_changed_where_it_was_pasted(shop: Shop) -> None:
    page = shop.open(track={"pasted": True})
    copy_answer(page)
    page.focus("#mail")
    page.keyboard.press("Control+v")
    page.keyboard.type(" Bye")
    page.focus("#again")
    stored = shop.arrives("implicit_copy_edit")
    assert stored.edit is not None
    assert (stored.edit.original, stored.edit.edited) == (ANSWER, ANSWER + " Bye")


def test_dwell(shop: Shop) -> None:
    page = shop.open()
    began = time.monotonic()
    time.sleep(3.2)
    leave(page)
    stored = shop.arrives("implicit_dwell")
    assert stored.seconds is not None
    assert 3.0 <= stored.seconds <= time.monotonic() - began + 1
    time.sleep(0.5)
    assert shop.kinds() == ["implicit_dwell"]


def test_abandonment(shop: Shop) -> None:
    page = shop.open(track={"streaming": True})
    time.sleep(0.3)
    leave(page)
    shop.arrives("implicit_abandonment")


def test_who_did_something_has_not_abandoned(shop: Shop) -> None:
    page = shop.open()
    page.click("#again")
    time.sleep(0.3)
    leave(page)
    shop.arrives("implicit_regenerate")
    time.sleep(0.5)
    assert "implicit_abandonment" not in shop.kinds()


def test_only_time_in_view_counts_as_dwell(shop: Shop) -> None:
    page = shop.open()
    page.evaluate("document.getElementById('answer').style.marginTop = '5000px'")
    time.sleep(1.5)
    page.evaluate("tracking.stop()")
    page.evaluate("widget.flush()")
    heard = [each for each in page.evaluate("heard") if each["kind"] == "implicit_dwell"]
    assert heard == []


# --- once, and not lost


def test_a_second_thought_within_a_moment_is_one_rating(shop: Shop) -> None:
    page = shop.open()
    page.get_by_role("button", name="Yes, it was helpful").click()
    press_down(page)
    assert shop.arrives("user_rating").rating == "down"
    time.sleep(1.2)
    assert shop.kinds() == ["user_rating"]


def test_offline_then_reloaded_it_is_sent_once(shop: Shop) -> None:
    context = shop.visitor()
    page = shop.open(context)
    context.route("**/v1/signals", lambda route: route.abort("internetdisconnected"))
    press_down(page)
    until(lambda: page.evaluate("Object.keys(localStorage).length") == 1)
    time.sleep(1.2)
    page.reload()
    time.sleep(0.5)
    assert shop.kinds() == []
    context.unroute("**/v1/signals")
    page.reload()
    shop.arrives("user_rating")
    until(lambda: page.evaluate("Object.keys(localStorage).length") == 0)
    page.reload()
    time.sleep(0.8)
    shop.arrives("user_rating")


def test_back_online_it_is_sent_without_a_reload(shop: Shop) -> None:
    context = shop.visitor()
    page = shop.open(context)
    context.set_offline(True)
    press_down(page)
    time.sleep(1.5)
    assert shop.kinds() == []
    context.set_offline(False)
    shop.arrives("user_rating")


def test_an_answer_that_is_lost_makes_no_second_signal(shop: Shop) -> None:
    context = shop.visitor()
    tries: list[str] = []

    def lose_first(route: Route) -> None:
        tries.append(route.request.post_data or "")
        if len(tries) == 1:
            route.fetch()
            route.abort("connectionreset")
        else:
            route.continue_()

    context.route("**/v1/signals", lose_first)
    page = shop.open(context)
    page.click("#again")
    until(lambda: len(tries) == 2, page=page)
    assert tries[0] == tries[1]
    until(lambda: page.evaluate("Object.keys(localStorage).length") == 0)
    shop.arrives("implicit_regenerate")


def test_a_busy_server_is_left_alone_for_as_long_as_it_asks(shop: Shop) -> None:
    context = shop.visitor()
    times: list[float] = []

    def busy_first(route: Route) -> None:
        times.append(time.monotonic())
        headers = {
            "Retry-After": "2",
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Expose-Headers": "Retry-After",
        }
        if len(times) == 1:
            route.fulfill(status=429, headers=headers)
        else:
            route.continue_()

    context.route("**/v1/signals", busy_first)
    page = shop.open(context)
    page.click("#again")
    until(lambda: len(times) == 2, page=page)
    assert 1.9 < times[1] - times[0] < 4
    shop.arrives("implicit_regenerate")


def test_two_tabs_send_each_signal_once(shop: Shop) -> None:
    context = shop.visitor()
    context.route("**/v1/signals", lambda route: route.abort())
    first = shop.open(context)
    first.click("#again")
    until(lambda: first.evaluate("Object.keys(localStorage).length") == 1)
    context.unroute("**/v1/signals")
    second = shop.open(context)
    second.click("#clarify")
    shop.arrives("implicit_clarification")
    shop.arrives("implicit_regenerate")
    until(lambda: second.evaluate("Object.keys(localStorage).length") == 0)


def test_what_waits_is_bounded_and_the_oldest_goes(shop: Shop) -> None:
    context = shop.visitor()
    context.route("**/v1/signals", lambda route: route.abort())
    page = shop.open(context)
    page.evaluate("for (let n = 0; n < 250; n++) widget.regenerate('t' + n)")
    kept = page.evaluate("Object.values(localStorage).map((text) => JSON.parse(text).signal.trace_id)")
    assert len(kept) == 200
    assert "t249" in kept
    assert "t0" not in kept


def test_a_refused_signal_does_not_hold_up_the_others(shop: Shop) -> None:
    page = shop.open(configure={"reasons": ["nonsense", "other"]})
    press_down(page)
    page.get_by_label("Nonsense").check()
    page.get_by_label("Something else").check()
    page.get_by_role("button", name="Send").click()
    assert shop.arrives("user_reason").reason == "other"
    until(lambda: page.evaluate("Object.keys(localStorage).length") == 0)


# --- consent


def watch(context: BrowserContext) -> list[str]:
    sent: list[str] = []
    context.on("request", lambda request: sent.append(request.url) if "/v1/" in request.url else None)
    return sent


def test_opt_in_sends_and_stores_nothing_before_a_yes(shop: Shop) -> None:
    context = shop.visitor()
    sent = watch(context)
    page = shop.open(context, configure={"consent": "opt-in"})
    page.click("#again")
    press_down(page)
    time.sleep(1.5)
    assert sent == []
    assert page.evaluate("Object.keys(localStorage)") == []
    page.evaluate("widget.setConsent(true)")
    stored = shop.arrives("user_rating")
    assert stored.consent == {"mode": "opt_in", "given": True}
    assert shop.kinds() == ["user_rating"]
    assert context.cookies() == []


def test_a_no_forgets_what_waits(shop: Shop) -> None:
    context = shop.visitor()
    sent = watch(context)
    page = shop.open(context, configure={"consent": "opt-in"})
    press_down(page)
    page.evaluate("widget.setConsent(false)")
    press_down(page)
    page.evaluate("widget.setConsent(true)")
    time.sleep(1.5)
    assert sent == []
    assert [key for key in page.evaluate("Object.keys(localStorage)") if "signal" in key] == []


def test_a_yes_lasts_and_can_be_taken_back(shop: Shop) -> None:
    context = shop.visitor()
    page = shop.open(context, configure={"consent": "opt-in"})
    page.evaluate("widget.setConsent(true)")
    page.reload()
    until(lambda: page.evaluate("window.ready"))
    page.click("#again")
    shop.arrives("implicit_regenerate")
    page.evaluate("widget.setConsent(false)")
    assert page.evaluate("Object.keys(localStorage)") == []
    page.click("#again")
    time.sleep(1)
    shop.arrives("implicit_regenerate")


def test_opt_out_sends_until_a_no_which_lasts(shop: Shop) -> None:
    page = shop.open(configure={"consent": "opt-out"})
    page.click("#again")
    assert shop.arrives("implicit_regenerate").consent == {"mode": "opt_out"}
    page.evaluate("widget.setConsent(false)")
    page.reload()
    until(lambda: page.evaluate("window.ready"))
    page.click("#again")
    press_down(page)
    time.sleep(1.5)
    shop.arrives("implicit_regenerate")
    assert shop.kinds() == ["implicit_regenerate"]


def test_before_it_is_configured_nothing_happens(shop: Shop) -> None:
    page = shop.visitor().new_page()
    page.goto(f"{shop.origin}/elsewhere")
    held = page.evaluate(
        f"""async () => {{ const widget = await import("{shop.url}/widget.js"); const said = widget.regenerate("t1");
        return [said, Object.keys(localStorage)] }}"""
    )
    assert held == [None, []]


# --- the page it is on


def test_a_page_of_an_origin_that_is_not_allowed_is_refused(shop: Shop) -> None:
    shop.wheel.access.allow_origins("default", ["https://other.example"])
    context = shop.visitor()
    warnings: list[str] = []
    context.on("console", lambda said: warnings.append(said.text) if said.type == "warning" else None)
    page = shop.open(context)
    page.click("#again")
    until(lambda: warnings, page=page)
    assert f"thumbwheel key origins --add {shop.origin}" in warnings[0]
    assert shop.kinds() == []


def test_a_strict_policy_is_kept_and_nothing_is_asked_of_anybody_else(shop: Shop) -> None:
    shop.csp = (
        f"default-src 'none'; script-src 'self' {shop.url}; connect-src {shop.url}; base-uri 'none'; form-action 'none'; "
        "require-trusted-types-for 'script'"
    )
    context = shop.visitor()
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = shop.open(context)
    press_down(page)
    page.get_by_label("Outdated").check()
    page.get_by_role("button", name="Send").click()
    shop.arrives("user_reason")
    button = page.get_by_role("button", name="No, it was not helpful")
    assert button.evaluate("(node) => getComputedStyle(node).borderRadius") == "8px"
    assert all(url.startswith((shop.url, shop.origin)) for url in asked)
    assert context.cookies() == []


def test_it_is_used_by_keyboard_alone(shop: Shop) -> None:
    page = shop.open()
    page.focus("#answer")

    def focused() -> str:
        return page.evaluate(
            "(() => { let node = document.activeElement; while (node.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;"
            " return node.getAttribute('aria-label') || node.value || node.textContent })()"
        )

    def tab_to(name: str) -> None:
        for _ in range(20):
            page.keyboard.press("Tab")
            if focused() == name:
                return
        raise AssertionError(f"no way to {name}, but {focused()}")

    tab_to("No, it was not helpful")
    page.keyboard.press("Space")
    tab_to("too_long")
    page.keyboard.press("Space")
    tab_to("Send")
    page.keyboard.press("Enter")
    assert focused() == "How should the answer have read?"
    page.keyboard.press("Control+a")
    page.keyboard.type("Four euros.")
    tab_to("Send")
    page.keyboard.press("Enter")
    assert focused() == "Thank you for your feedback."
    assert shop.arrives("user_reason").reason == "too_long"
    edit = shop.arrives("user_edit").edit
    assert edit is not None
    assert edit.edited == "Four euros."


def test_escape_closes_and_gives_the_focus_back(shop: Shop) -> None:
    page = shop.open()
    press_down(page)
    page.get_by_label("Outdated").focus()
    page.keyboard.press("Escape")
    expect(page.get_by_role("group", name="What was wrong?")).to_have_count(0)
    expect(page.get_by_role("button", name="No, it was not helpful")).to_be_focused()


def test_what_happens_is_said_aloud(shop: Shop) -> None:
    page = shop.open()
    status = page.get_by_role("status")
    expect(status).to_have_text("")
    press_down(page)
    expect(status).to_have_text("What was wrong?")
    page.get_by_role("button", name="Yes, it was helpful").click()
    expect(status).to_have_text("Thank you for your feedback.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_wcag_2_2_aa_at_every_step(shop: Shop, scheme: Any) -> None:
    page = shop.open()
    page.emulate_media(color_scheme=scheme)
    page.evaluate(AXE.read_text())

    def faults() -> list[str]:
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
        found = page.evaluate("(tags) => axe.run('thumbwheel-feedback', { runOnly: tags })", tags)
        return [f"{fault['id']}: {fault['nodes'][0]['html']}" for fault in found["violations"]]

    assert faults() == []
    press_down(page)
    assert faults() == []
    page.get_by_role("button", name="Send").click()
    assert faults() == []
    page.get_by_role("button", name="Skip").click()
    assert faults() == []
    for button in page.get_by_role("button", name="helpful").all():
        box = button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 24


def test_words_reasons_and_looks_are_the_pages(shop: Shop) -> None:
    strings = {
        "question": "War das hilfreich?",
        "down": "Nein",
        "why": "Was war falsch?",
        "reasons": {"unsafe": "Gefährlich"},
    }
    page = shop.open(configure={"strings": strings, "reasons": ["unsafe", "other"]})
    page.evaluate(
        """() => { const sheet = new CSSStyleSheet();
        sheet.replaceSync("thumbwheel-feedback { --thumbwheel-radius: 3px } thumbwheel-feedback::part(question) { color: rgb(1, 2, 3) }");
        document.adoptedStyleSheets = [sheet]; }"""
    )
    expect(page.get_by_text("War das hilfreich?")).to_have_css("color", "rgb(1, 2, 3)")
    button = page.get_by_role("button", name="Nein")
    expect(button).to_have_css("border-radius", "3px")
    button.click()
    expect(page.get_by_role("group", name="Was war falsch?").get_by_role("checkbox")).to_have_count(2)
    expect(page.get_by_label("Gefährlich")).to_be_visible()


def test_the_page_hears_each_signal_and_may_stop_it(shop: Shop) -> None:
    page = shop.open()
    page.evaluate(
        "addEventListener('thumbwheel:signal', (event) => { if (event.detail.kind === 'implicit_regenerate') event.preventDefault(); })"
    )
    page.click("#again")
    page.click("#clarify")
    shop.arrives("implicit_clarification")
    assert [each["kind"] for each in page.evaluate("heard")] == ["implicit_regenerate", "implicit_clarification"]
    assert shop.kinds() == ["implicit_clarification"]


def test_a_new_trace_is_asked_about_anew(shop: Shop) -> None:
    page = shop.open()
    press_down(page)
    page.evaluate("document.querySelector('thumbwheel-feedback').setAttribute('trace', 't2')")
    expect(page.get_by_role("button", name="No, it was not helpful")).to_have_attribute("aria-pressed", "false")
    expect(page.get_by_role("checkbox")).to_have_count(0)


def test_one_script_tag_is_enough(shop: Shop) -> None:
    tag = f'<script type="module" src="{shop.url}/widget.js" data-key="{shop.public_key}" data-user="ada"></script>'
    html = f'<!doctype html>{tag}<thumbwheel-feedback trace="t1"></thumbwheel-feedback>'
    shop.file = lambda path: ("text/html", html)  # type: ignore[method-assign]
    page = shop.visitor().new_page()
    page.goto(shop.origin)
    press_down(page)
    assert shop.arrives("user_rating").user_id is not None


def test_the_demo_page_works(shop: Shop) -> None:
    page = shop.visitor().new_page()
    page.on("console", lambda said: shop.complaints.append(said.text) if said.type == "error" else None)
    page.goto(f"{shop.url}/widget/demo#key={shop.public_key}&trace=t1")
    press_down(page)
    page.click("#clarify")
    expect(page.locator("#log li")).to_have_count(2)
    shop.arrives("user_rating")
    shop.arrives("implicit_clarification")


# --- the files


def test_it_is_under_8_kilobytes_gzipped() -> None:
    assert len(gzip.compress((WIDGET / "widget.js").read_bytes(), 9, mtime=0)) < 8_000


def test_its_types_name_what_it_exports() -> None:
    exported = re.compile(r"^export (?:async )?(?:const|function) (\w+)", re.MULTILINE)
    typed = re.compile(r"^export function (\w+)", re.MULTILINE)
    script, types = ((WIDGET / name).read_text() for name in ("widget.js", "widget.d.ts"))
    assert sorted(exported.findall(script)) == sorted(typed.findall(types))


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not here")
def test_it_packs_as_an_npm_package(tmp_path: Path) -> None:
    subprocess.run(["npm", "pack", str(WIDGET), "--silent"], cwd=tmp_path, check=True, capture_output=True, timeout=120)
    with tarfile.open(next(tmp_path.glob("*.tgz"))) as packed:
        assert sorted(packed.getnames()) == [
            f"package/{name}" for name in ("README.md", "package.json", "widget.d.ts", "widget.js")
        ]
        script = packed.extractfile("package/widget.js")
        assert script is not None
        assert script.read() == (WIDGET / "widget.js").read_bytes()


def test_it_is_served_to_pages_of_any_origin(wheel: Wheel) -> None:
    from fastapi.testclient import TestClient

    with TestClient(create_app(wheel)) as client:
        answer = client.get("/widget.js", headers={"Origin": "https://anybody.example"})
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/javascript")
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.content == (WIDGET / "widget.js").read_bytes()
        assert client.get("/widget.js", headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
        assert client.get("/widget.d.ts").status_code == 200
        with pytest.raises(NotHere):
            wheel.capture.get(wheel.project("default"), "t1")
