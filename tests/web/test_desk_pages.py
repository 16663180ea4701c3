"""Labels set aside, spot checks and amending the codebook from a dispute, as an owner uses them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import expect

from tests.conftest import Clock
from tests.factories import a_codebook_file
from tests.web.conftest import Reviewer, Site
from thumbwheel.domain.annotation import Judgement, Verdict

Visit = Callable[..., TestClient]
Sit = Callable[..., Reviewer]

FAIL = Judgement(verdict=Verdict.failed, categories=("wrong-fact",), critique="It is 30 days.")
PASS = Judgement(verdict=Verdict.passed)


def judge(site: Site, name: str, *judgements: Judgement, needed: int = 1) -> None:
    """Let somebody judge new entries."""
    for judgement in judgements:
        site.queue(entry={"labels_needed": needed})
        answer(site, name, judgement)


def answer(site: Site, name: str, judgement: Judgement) -> None:
    served = site.wheel.annotate.next(site.project_id, name)
    assert served is not None
    site.wheel.annotate.submit(site.project_id, served.entry.id, served.lease.token, name, judgement)


def revise(site: Site) -> None:
    file = a_codebook_file()
    first, *others = file["categories"]
    changed = first | {"definition": "Contradicts a document it was given."}
    site.wheel.rubric.publish(site.project_id, file | {"categories": [changed, *others]}, "olga")


@pytest.mark.browser
def test_a_label_set_aside_is_affirmed_or_sent_back_by_one_key(served: Site, sit: Sit) -> None:
    served.publish()
    judge(served, "ann", FAIL, FAIL, PASS)
    revise(served)
    olga = sit("olga", "/quarantine")
    expect(olga.page.locator("h1")).to_have_text("2 labels set aside")
    expect(olga.page.locator(".changed ins").first).to_contain_text("Contradicts")
    olga.press("1")
    expect(olga.page.locator("h1")).to_have_text("1 label set aside")
    olga.press("2")
    expect(olga.page.locator("main")).to_contain_text("No label is set aside")
    assert len(served.wheel.annotate.labels(served.project_id, 10)) == 2
    assert served.wheel.rubric.count_waiting(served.project_id) == 1


@pytest.mark.browser
def test_the_codebook_is_amended_from_a_dispute_and_decides_it(served: Site, sit: Sit) -> None:
    served.publish()
    judge(served, "ann", FAIL)
    judge(served, "ann", FAIL, needed=2)
    answer(served, "ben", PASS)
    olga = sit("olga", "/disputes")
    olga.press("a")
    olga.page.keyboard.type("Rounded is fine. ")
    form = olga.page.locator("[data-amend]")
    expect(form.locator("[data-check]")).to_contain_text("1 label would be set aside")
    form.get_by_label("What changes, and why").fill("rounding")
    form.get_by_role("button", name="Publish version 2").click()
    expect(olga.page.locator(".notice.good")).to_contain_text("Version 2 is published")
    expect(olga.page.locator(".contested")).to_contain_text("Rounded is fine.")
    olga.press("2")
    expect(olga.page.locator("main")).to_contain_text("Nothing to decide")
    (label,) = served.wheel.annotate.labels(served.project_id, 10)
    assert (label.verdict, label.codebook_version) == (Verdict.passed, 2)
    current = served.wheel.rubric.codebook(served.project_id)
    assert current is not None
    assert (current.note, current.published_by) == ("rounding", "olga")


def test_an_amendment_of_a_version_that_moved_on_is_refused(site: Site, visit: Visit) -> None:
    site.publish()
    judge(site, "ann", FAIL, needed=2)
    answer(site, "ben", PASS)
    (opened,) = site.wheel.rubric.disputes(site.project_id, 1)
    revise(site)
    first = a_codebook_file()["categories"][0]
    texts = {field: first[field] for field in ("definition", "positive", "negative")} | {"edge_case": "Another."}
    form = texts | {"category": "wrong-fact", "base": 1}
    olga = visit("olga")
    path = f"/disputes/{opened.dispute.id}/amend"
    assert olga.post(path, data=form).status_code == 409
    assert olga.post(path, data=form | {"base": 2}).status_code == 303
    checked = olga.post("/codebook/amend/check", json=form | {"base": 3, "positive": " "}).json()
    assert (checked["ok"], "positive: is empty" in checked["html"]) == (False, True)


def test_the_report_and_the_desk_count_what_is_set_aside(site: Site, visit: Visit) -> None:
    site.publish()
    judge(site, "ann", FAIL, FAIL)
    revise(site)
    olga = visit("olga")
    assert "<dt>Labels set aside</dt><dd>2</dd>" in olga.get("/report").text
    assert "2 labels" in olga.get("/").text
    ids = [each.label.id for each in site.wheel.quarantine.labels(site.project_id, 10)]
    assert olga.post("/quarantine/requeue", data={"label": ids}).status_code == 303
    assert "Labels set aside</dt>" not in olga.get("/report").text


@pytest.mark.browser
def test_a_spot_check_takes_one_key_a_label_and_can_be_taken_back(served: Site, sit: Sit, clock: Clock) -> None:
    served.publish()
    judge(served, "ann", FAIL, PASS)
    clock.advance(days=1)
    olga = sit("olga", "/spot-check")
    expect(olga.page.locator("main")).to_contain_text("0 of 2 looked at today")
    olga.press("2")
    expect(olga.page.locator(".notice")).to_contain_text("You disagree with ann.")
    olga.press("u")
    expect(olga.page.locator("main")).to_contain_text("0 of 2 looked at today")
    olga.press("2")
    expect(olga.page.locator(".notice")).to_contain_text("You disagree with ann.")
    olga.press("1")
    expect(olga.page.locator("main")).to_contain_text("That is all for today")
    expect(olga.page.locator("main")).to_contain_text("not enough labels looked at: 2 of 5")
    olga.page.get_by_role("button", name="Have it judged again").click()
    expect(olga.page.locator(".notice")).to_contain_text("Back in the queue")
    assert served.wheel.rubric.count_waiting(served.project_id) == 1


def test_the_desk_is_the_owners_alone(site: Site, visit: Visit) -> None:
    for path in ("/disputes", "/quarantine", "/spot-check"):
        assert visit("ann").get(path).status_code == 403
        assert visit("vic").get(path).status_code == 403


def test_a_label_whose_trace_is_gone_can_still_be_decided_on(site: Site, visit: Visit) -> None:
    site.publish()
    judge(site, "ann", FAIL, needed=2)
    answer(site, "ben", PASS)
    judge(site, "ann", FAIL)
    revise(site)
    for number in (1, 2):
        with site.wheel.ledger.archive(site.project_id) as tx:
            row = tx.traces.find(f"trace-{number}")
            assert row is not None
            tx.traces.remove(row)
    olga = visit("olga")
    for path in ("/disputes", "/quarantine"):
        assert "The trace was deleted" in olga.get(path).text, path
