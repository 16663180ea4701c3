"""The draws page: what a draw took and why, tomorrow's, the proposal and who puts it in force, past draws again."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import expect
from sqlalchemy import func, select

from tests.conftest import NOW
from tests.factories import a_signal, a_trace
from tests.web.conftest import Reviewer, Site
from tests.web.test_accessible import faults
from thumbwheel.domain.annotation import Judgement, Verdict
from thumbwheel.domain.signal import Rating, SignalKind
from thumbwheel.keep.work import Work
from thumbwheel.services.alerts import AlertRequest
from thumbwheel.services.sample import Drawing, DrawRequest
from thumbwheel.store.tables import metadata

Visit = Callable[..., TestClient]
Sit = Callable[..., Reviewer]

DAY = timedelta(days=1)
SHARES = {"drift": 0.1, "negative": 0.3, "uncertain": 0.1, "stratified": 0.25, "random": 0.25}


def traffic(site: Site, name: str, days_ago: float, n: int = 120) -> None:
    """Traces of two categories and a rare third; users put their thumb down on every eighth."""
    at = NOW - timedelta(days=days_ago)
    traces = [
        a_trace(id=f"{name}{i}", started_at=at, ended_at=at, category="rare" if i == 1 else "ab"[i % 2])
        for i in range(n)
    ]
    signals = [
        a_signal(id="s", trace_id=f"{name}{i}", kind=SignalKind.user_rating, rating=Rating.down, at=at)
        for i in range(0, n, 8)
    ]
    work = Work(site.project_id, traces=[(trace, 1) for trace in traces], signals=[(each, 1) for each in signals])
    site.wheel.capture.keep_now(work)


def drawn(site: Site, **given: object) -> Drawing:
    asked = {"budget": 40, "window": 7 * DAY, "seed": 1} | given
    return site.wheel.sample.draw(site.project_id, DrawRequest(**asked))  # type: ignore[arg-type]


def judged(site: Site) -> None:
    """Everything that waits: what users complained of fails."""
    for name in ("ann", "ben"):
        while served := site.wheel.annotate.next(site.project_id, name):
            bad = int(re.sub(r"\D", "", served.trace.id)) % 8 == 0
            said = Judgement(verdict=Verdict.failed if bad else Verdict.passed, categories=("wrong-fact",) * bad)
            site.wheel.annotate.submit(site.project_id, served.entry.id, served.lease.token, name, said)


def rows_of(site: Site) -> dict[str, int]:
    with site.wheel.ledger.read(0) as tx:
        counted = (tx.connection.execute(select(func.count()).select_from(table)) for table in metadata.sorted_tables)
        return {table.name: each.scalar_one() for table, each in zip(metadata.sorted_tables, counted, strict=True)}


def said(page: str) -> str:
    """The words of a page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", page))


def test_before_anything_is_drawn_the_page_says_what_is_missing(site: Site, visit: Visit) -> None:
    page = said(visit("olga").get("/draws").text)
    assert "Nothing has been drawn yet." in page
    assert "No failure is labelled yet, so nothing speaks for another mix." in page
    assert "Put the proposed mix in force" not in page
    nothing = said(visit("olga").get("/draws", params={"tomorrow": "force"}).text)
    assert "There is nothing to take" in nothing
    assert "There is no draw to replay yet." in said(visit("ben").get("/draws", params={"random": 100}).text)


def test_a_draw_says_what_it_took_and_why_it_was_less(site: Site, visit: Visit) -> None:
    traffic(site, "t", 2)
    slice_ = {"category": "a"}
    site.wheel.alerts.raise_all(site.project_id, [AlertRequest(name="<odd> refunds", slice=slice_, pull=2)])
    made = drawn(site)
    page = said(visit("ben").get("/draws").text)
    assert "The last one took 40 of 40 entries from 120 traces" in page
    assert "drift: 2 of 4: the open alerts ask for no more." in page
    assert re.search(r"random: \d+ more, left over by the other policies\.", page)
    assert re.search(r"rare \d of \d: all its traces are in the draw", page)
    assert "Pulled for alerts: &lt;odd&gt; refunds 2 of 2." in page
    assert f"Draw of {made.draw.at.day} Nov" in visit("ben").get(f"/draws/{made.draw.id}").text
    assert visit("ben").get("/draws/nothing").status_code == 404


def test_what_a_draw_lost_is_said(site: Site, visit: Visit) -> None:
    traffic(site, "t", 2)
    made = drawn(site)
    site.wheel.rubric.drop(site.project_id, [made.entries[0].id, made.entries[1].id], "a test of ours")
    with site.wheel.ledger.begin(site.project_id) as tx:
        tx.queue.drop([made.entries[2].id], "expired", NOW)
    page = said(visit("olga").get("/draws").text)
    assert "Dropped unjudged: 2 by hand, 1 waited too long." in page
    account = site.wheel.draws.get(site.project_id, made.draw.id)
    assert (account.whole.n_dropped, account.whole.n_open) == (3, 37)
    assert sum(part.n_dropped for part in account.policies) == sum(part.n_dropped for part in account.categories) == 3


def test_tomorrows_draw_is_tried_without_a_trace_of_it(site: Site, visit: Visit) -> None:
    traffic(site, "t", 2)
    drawn(site)
    traffic(site, "u", 0.5, n=60)
    olga = visit("olga")
    before = rows_of(site)
    page = said(olga.get("/draws", params={"tomorrow": "force"}).text)
    assert rows_of(site) == before
    assert "With the mix in force it would take 60 of 80 entries from 60 traces." in page
    assert page == said(olga.get("/draws", params={"tomorrow": "force"}).text)
    assert olga.get("/draws", params={"tomorrow": "never"}).status_code == 422


def test_only_an_owner_puts_the_proposal_in_force_and_only_the_one_that_was_seen(site: Site, visit: Visit) -> None:
    site.publish()
    traffic(site, "t", 2)
    drawn(site)
    judged(site)
    proposal = site.wheel.tune.propose(site.project_id)
    assert "An owner can put it in force." in visit("ben").get("/draws").text
    assert visit("vic").get("/draws").status_code == 403
    assert visit("ben").post("/draws/mix", data=proposal.mix).status_code == 403
    olga = visit("olga")
    assert olga.post("/draws/mix", data=SHARES).status_code == 409
    assert len(site.wheel.tune.mixes(site.project_id)) == 1
    page = olga.get("/draws").text
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)">', page))
    assert olga.post("/draws/mix", data=fields).headers["location"].startswith("/draws?said=")
    in_force = site.wheel.tune.mixes(site.project_id)[-1]
    assert (in_force.version, in_force.by) == (1, "olga")
    assert in_force.mix == pytest.approx(proposal.mix)
    after = said(olga.get("/draws").text)
    assert "In force: version 1, since 23 Nov 2026, 12:00 UTC, by olga." in after
    assert "The mix in force is the one the labels speak for." in after


def test_past_draws_are_shown_under_another_mix_that_adds_up(site: Site, visit: Visit) -> None:
    site.publish()
    traffic(site, "t", 2)
    drawn(site)
    ben = visit("ben")
    assert "No past draw has labels yet" in ben.get("/draws", params={"random": 100}).text
    judged(site)
    shares = {name: 100 * share for name, share in SHARES.items()}
    page = said(ben.get("/draws", params=shares).text)
    assert re.search(r"The last draw caught (\d+) failures\. .* to catch \1\.0: \+0\.0, give or take 0\.0\.", page)
    short = ben.get("/draws", params=shares | {"random": 20})
    assert short.status_code == 422
    assert "The shares add up to 95 %, not to 100 %." in short.text


def test_an_owner_closes_an_alert_and_reads_what_it_found(site: Site, visit: Visit) -> None:
    site.publish()
    traffic(site, "t", 2)
    asked = AlertRequest(name="odd", slice={"category": "a"}, pull=3)
    (alert,) = site.wheel.alerts.raise_all(site.project_id, [asked])
    drawn(site)
    judged(site)
    assert visit("ben").post(f"/draws/alerts/{alert.id}/close").status_code == 403
    closed = visit("olga").post(f"/draws/alerts/{alert.id}/close")
    page = said(visit("olga").get(closed.headers["location"]).text)
    assert re.search(r"Closed: \d failures? in 3 labels of 3 pulled\.", page)
    assert re.search(r"closed 23 Nov 2026, 12:00 UTC \d failures? in 3 labels of 3 pulled", page)


def test_somebody_looks_at_another_project(site: Site, visit: Visit) -> None:
    ben = visit("ben")
    assert 'action="/project"' not in ben.get("/draws").text
    site.wheel.project("shop")
    traffic(site, "t", 2)
    drawn(site)
    assert "took <strong>40 of 40</strong>" in ben.get("/draws").text
    assert ben.post("/project", data={"project": "nowhere"}).status_code == 404
    assert ben.post("/project", data={"project": "shop"}).status_code == 303
    assert "Nothing has been drawn yet." in ben.get("/draws").text
    assert '<button name="project" value="shop" aria-current="true">' in ben.get("/draws").text


@pytest.mark.browser
def test_shares_are_mixed_by_keyboard_and_have_to_add_up(served: Site, sit: Sit) -> None:
    served.publish()
    traffic(served, "t", 2)
    made = drawn(served)
    judged(served)
    olga = sit("olga", "/draws?tomorrow=proposed", viewport={"width": 390, "height": 800})
    slider, number = olga.page.get_by_label("random, slider"), olga.page.get_by_label("random", exact=True)
    was = int(number.input_value())
    slider.focus()
    olga.press("ArrowRight")
    expect(number).to_have_value(str(was + 1))
    expect(olga.page.locator("[data-sum]")).to_have_text("Shares add up to 101 %: 1 too many.")
    expect(olga.page.locator("[data-go]")).to_be_disabled()
    number.fill(str(was))
    expect(slider).to_have_value(str(was))
    number.press("Enter")
    olga.page.wait_for_url("**#replay")
    expect(olga.page.locator("#replay")).to_contain_text("This mix would be expected to catch")
    olga.page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    assert faults(olga) == []
    assert olga.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    olga.go(f"/draws/{made.draw.id}")
    assert faults(olga) == []
    served.wheel.project("shop")
    olga.go("/draws")
    olga.page.locator(".projects summary").press("Enter")
    assert faults(olga) == []
    olga.press("Tab", "Tab", "Enter")
    olga.page.wait_for_url(served.url + "/")
    assert olga.go("/draws").locator(".projects summary").inner_text().endswith("shop")
