"""Every page, in both themes and at three widths, against axe's rules; nothing scrolls sideways."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.conftest import NOW
from tests.factories import a_label, a_signal, a_tool_call, an_edit_signal
from tests.web.conftest import Reviewer, Site
from tests.web.test_owner_pages import disagree

pytestmark = pytest.mark.browser

Sit = Callable[..., Reviewer]

AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text(encoding="utf-8")
PAGES = (
    "/",
    "/annotate",
    "/queue",
    "/draws",
    "/disputes",
    "/quarantine",
    "/spot-check",
    "/codebook",
    "/codebook/edit",
    "/report",
    "/traces/trace-1",
    "/queue/x",
)
RULES = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}"


@pytest.fixture
def full(served: Site) -> Site:
    """Something on every page."""
    served.publish()
    at = NOW - timedelta(hours=20)
    disagree(served)
    decided = served.queue()
    with served.wheel.ledger.begin(served.project_id) as tx:
        for id, settled_at in (("aside", at), ("checked", at)):
            tx.annotations.add_label(
                a_label(id=id, entry_id=decided.id, trace_id=decided.trace_id, settled_at=settled_at)
            )
        tx.quarantines.add(["aside"], 1, at)
        tx.leases.finish(decided.id)
    for _ in range(3):
        served.queue(
            input=[{"role": "system", "content": "You are a shop."}, {"role": "user", "content": "How *long*?"}],
            output="Long:\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```py\nprint(1)\n```\n\n![x](https://a.example/x.png)",
            tool_calls=(a_tool_call(),),
            signals=(a_signal(id="s1", at=at, comment="No."), an_edit_signal(id="s2", at=at)),
        )
    return served


def faults(reviewer: Reviewer) -> list[str]:
    """What axe finds on the page as it stands."""
    found = reviewer.page.evaluate(f"() => {{ {AXE}; return axe.run(document, {RULES}) }}")
    return [f"{each['id']}: {node['html'][:200]}" for each in found["violations"] for node in each["nodes"]]


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (1440, "dark"), (1024, "light"), (390, "dark")])
def test_every_page_is_clean(full: Site, sit: Sit, theme: str, width: int) -> None:
    olga = sit("olga", "/", color_scheme=theme, viewport={"width": width, "height": 900})
    found = {}
    for path in PAGES:
        olga.go(path)
        if path == "/annotate":
            olga.page.locator(".entry").wait_for()
        if at := faults(olga):
            found[path] = at
        wide = olga.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if wide > 0:
            found[f"{path} scrolls sideways"] = [str(wide)]
    assert found == {}


def test_the_annotation_page_is_clean_with_everything_open(full: Site, sit: Sit) -> None:
    olga = sit("olga")
    olga.page.locator(".entry").wait_for()
    olga.press("f", "w", "k", "x", "j", "r", "e")
    assert faults(olga) == []
    for dialog in ("help", "skip", "recent"):
        olga.press("Escape")
        olga.page.evaluate(f"document.querySelector('[data-dialog={dialog}]').showModal()")
        assert faults(olga) == []
        olga.page.evaluate(f"document.querySelector('[data-dialog={dialog}]').close()")


def test_twice_the_size_still_fits(full: Site, sit: Sit) -> None:
    ann = sit("ann", viewport={"width": 640, "height": 400}, device_scale_factor=2)
    ann.page.locator(".entry").wait_for()
    assert ann.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    ann.press("f", "w", "c")
    assert ann.page.evaluate(
        "(() => { const at = document.activeElement.getBoundingClientRect(); return at.top >= 0 && at.bottom <= innerHeight })()"
    )


def test_the_line_every_page_shows_stands_below_what_is_judged(full: Site, sit: Sit) -> None:
    full.wheel.settings.notice = (
        "Demo data: some of it is recorded, some of it is made up, and this line says which is which."
    )
    ann = sit("ann", viewport={"width": 390, "height": 844})
    ann.page.locator(".entry").wait_for()
    below = "document.querySelector('.colophon').getBoundingClientRect().top >= document.querySelector('.verdict').getBoundingClientRect().bottom"
    assert ann.page.evaluate(below)


def test_the_report_follows_the_theme_that_was_chosen(full: Site, sit: Sit) -> None:
    olga = sit("olga", "/report", color_scheme="light")
    line = "getComputedStyle(document.querySelector('.report td')).borderBottomColor"
    light = olga.page.evaluate(line)
    olga.page.click("[data-theme-toggle]")
    assert olga.page.evaluate(line) != light


def test_a_theme_is_kept(full: Site, sit: Sit) -> None:
    ann = sit("ann", "/", color_scheme="light")
    ann.page.click("[data-theme-toggle]")
    ann.go("/codebook")
    assert ann.page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert ann.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(19, 22, 25)"


def test_the_next_trace_is_said_to_those_who_listen(full: Site, sit: Sit) -> None:
    ann = sit("ann")
    ann.page.locator(".entry").wait_for()
    ann.press("p")
    ann.until("document.querySelector('[data-say]').textContent.startsWith('Next trace.')")
