"""Disputes, the queue, the codebook and the front page, as an owner uses them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import yaml
from fastapi.testclient import TestClient
from playwright.sync_api import expect

from tests.conftest import Clock
from tests.factories import a_category, a_codebook_file, a_trace
from tests.road import keep_trace
from tests.web.conftest import Reviewer, Site
from thumbwheel.domain.annotation import Judgement, Settled, Verdict
from thumbwheel.domain.artifact import FixKind

Visit = Callable[..., TestClient]
Sit = Callable[..., Reviewer]

FAIL = Judgement(verdict=Verdict.failed, categories=("wrong-fact",), critique="It is 30 days.")
OTHER = Judgement(verdict=Verdict.failed, categories=("missed-point",), critique="Nobody asked about kettles.")
PASS = Judgement(verdict=Verdict.passed)


def disagree(site: Site, first: Judgement = FAIL, second: Judgement = PASS) -> None:
    """Let Ann and Ben judge a new entry differently."""
    entry = site.queue(entry={"labels_needed": 2})
    for name, judgement in (("ann", first), ("ben", second)):
        served = site.wheel.annotate.next(site.project_id, name)
        assert served is not None
        site.wheel.annotate.submit(site.project_id, entry.id, served.lease.token, name, judgement)


@pytest.mark.browser
def test_a_dispute_is_decided_by_one_key(served: Site, sit: Sit) -> None:
    served.publish()
    disagree(served)
    disagree(served, FAIL, OTHER)
    olga = sit("olga", "/disputes")
    expect(olga.page.locator("h1")).to_have_text("2 disputes")
    expect(olga.page.locator(".side").first).to_contain_text("It is 30 days.")
    expect(olga.page.locator(".contested")).to_contain_text("States something that is not so.")
    olga.press("1")
    expect(olga.page.locator("h1")).to_have_text("1 dispute")
    expect(olga.page.locator(".contested")).to_contain_text("Answers another question.")
    olga.press("2")
    expect(olga.page.locator("main")).to_contain_text("Nothing to decide")
    labels = served.wheel.annotate.labels(served.project_id, 10)
    assert [(one.categories, one.settled, one.decided_by) for one in labels] == [
        (("wrong-fact",), Settled.adjudicated, "olga"),
        (("missed-point",), Settled.adjudicated, "olga"),
    ]


@pytest.mark.browser
def test_an_owner_may_decide_otherwise(served: Site, sit: Sit) -> None:
    served.publish()
    disagree(served)
    olga = sit("olga", "/disputes")
    olga.press("3")
    olga.page.get_by_label("fail", exact=True).check()
    olga.page.get_by_label("Missed the point").check()
    olga.page.get_by_label("Why", exact=True).fill("It is about returns.")
    olga.press("p", "1", "2")
    olga.page.get_by_role("button", name="Decide so").click()
    expect(olga.page.locator("main")).to_contain_text("Nothing to decide")
    (label,) = served.wheel.annotate.labels(served.project_id, 10)
    assert (label.categories, label.critique) == (("missed-point",), "It is about returns.p12")


def test_a_pass_takes_no_category_however_the_form_is_sent(site: Site, visit: Visit) -> None:
    site.publish()
    disagree(site)
    (opened,) = site.wheel.rubric.disputes(site.project_id, 5)
    path = f"/disputes/{opened.dispute.id}"
    olga = visit("olga")
    assert olga.post(path, data={"verdict": "pass", "categories": "wrong-fact"}).status_code == 303
    assert olga.post(path, data={"verdict": "fail", "categories": "wrong-fact"}).status_code == 409
    (label,) = site.wheel.annotate.labels(site.project_id, 10)
    assert (label.verdict, label.categories) == (Verdict.passed, ())


def test_the_queue_shows_what_waits_and_why_and_can_be_filtered(site: Site, visit: Visit) -> None:
    site.queue(entry={"reason": "thumbs-down, by user …1", "category": "returns"})
    site.queue(entry={"reason": "uniform random pick", "category": "billing"})
    olga = visit("olga")
    both = olga.get("/queue").text
    assert "thumbs-down, by user …1" in both
    assert "uniform random pick" in both
    only = olga.get("/queue?category=billing").text
    assert "thumbs-down, by user …1" not in only
    assert "uniform random pick" in only


def test_entries_are_dropped_with_a_reason_or_kept_for_somebody(site: Site, visit: Visit) -> None:
    first, second = site.queue(), site.queue()
    olga = visit("olga")
    assert olga.post("/queue/drop", data={"entry": [first.id], "why": " "}).status_code == 422
    assert olga.post("/queue/drop", data={"entry": [first.id], "why": "a test"}).status_code == 303
    assert olga.post("/queue/assign", data={"entry": [second.id], "person": "ben"}).status_code == 303
    (waiting,) = site.wheel.rubric.waiting(site.project_id, 10)
    assert (waiting.entry.id, waiting.assigned_to) == (second.id, "ben")
    assert "kept for ben" in olga.get("/queue").text


def test_an_owner_draws_from_the_page(site: Site, visit: Visit, clock: Clock) -> None:
    site.queue()
    clock.advance(days=2)
    answer = visit("olga").post("/queue/draw", data={"budget": 5, "days": 7, "hours": 0})
    assert answer.status_code == 303
    assert "drawn" in answer.headers["location"]


def test_a_codebook_is_checked_compared_and_published(site: Site, visit: Visit) -> None:
    site.publish()
    olga = visit("olga")
    text = yaml.safe_dump(a_codebook_file(question="Is it useful?"))
    checked = olga.post("/codebook/check", json={"text": text}).json()
    assert checked["ok"]
    assert "The question changes." in checked["html"]
    answer = olga.post("/codebook", data={"text": text, "note": "A <b>better</b> question."})
    assert answer.headers["location"] == "/codebook?version=2"
    page = olga.get("/codebook").text
    assert "Is it useful?" in page
    assert "A &lt;b&gt;better&lt;/b&gt; question." in page
    assert "Is the answer right?" in olga.get("/codebook?version=1").text


@pytest.mark.parametrize("text", ["name: [", "name: x\ncategories: 3", "", "&a [*a]", "!!python/object:os.system x"])
def test_a_draft_with_faults_comes_back_with_them(site: Site, visit: Visit, text: str) -> None:
    olga = visit("olga")
    checked = olga.post("/codebook/check", json={"text": text}).json()
    assert not checked["ok"]
    assert "notice bad" in checked["html"]
    answer = olga.post("/codebook", data={"text": text or " "})
    assert answer.status_code == 422
    assert "notice bad" in answer.text
    assert site.wheel.rubric.codebooks(site.project_id) == []


def test_labels_that_would_be_set_aside_are_counted_before_publishing(site: Site, visit: Visit) -> None:
    site.publish()
    entry = site.queue()
    served = site.wheel.annotate.next(site.project_id, "ann")
    assert served is not None
    site.wheel.annotate.submit(site.project_id, entry.id, served.lease.token, "ann", FAIL)
    data = a_codebook_file()
    data["categories"][0]["definition"] = "Another meaning altogether."
    checked = visit("olga").post("/codebook/check", json={"text": yaml.safe_dump(data)}).json()
    assert "1 label would be set aside" in checked["html"]


@pytest.mark.browser
def test_the_editor_checks_while_one_writes_and_shows_what_changed(served: Site, sit: Sit) -> None:
    served.publish()
    olga = sit("olga", "/codebook/edit")
    check = olga.page.locator("[data-check]")
    expect(check).to_contain_text("as it stands")
    text = olga.page.locator("[data-text]")
    written = text.input_value()
    text.fill(written.replace("Is the answer right?", "Is the answer any good?"))
    expect(check).to_contain_text("The question changes.")
    expect(olga.page.locator("[data-changes] ins").first).to_contain_text("any good")
    text.fill(written.replace("definition:", "definitoin:", 1))
    expect(check).to_contain_text("definitoin")
    expect(olga.page.locator("[data-publish]")).to_be_disabled()


def test_the_front_page_names_the_next_step(site: Site, visit: Visit) -> None:
    front = visit("olga").get("/").text
    assert "Send the first traces" in front
    assert "<h1>This week</h1>" in front, "a project that nobody named has no name to show"
    assert "<title>This week ·" in front
    site.publish()
    disagree(site)
    assert "Decide 1 dispute" in visit("olga").get("/").text
    site.queue()
    assert "1 trace waits for you" in visit("ann").get("/").text
    assert "Nothing waits for you" in visit("vic").get("/").text


def test_the_report_covers_the_days_that_are_asked_for(site: Site, visit: Visit) -> None:
    site.queue(started_at=site.wheel.now() - timedelta(days=20))
    vic = visit("vic")
    assert "from 16 Nov 2026" in vic.get("/report").text
    assert "from 26 Oct 2026" in vic.get("/report?days=28").text
    assert vic.get("/report?days=0").status_code == 422


def test_the_key_that_chooses_a_category_is_shown_with_its_text(site: Site, visit: Visit) -> None:
    site.publish()
    page = visit("vic").get("/codebook").text
    category = a_category()
    for piece in (category.definition, category.positive, category.negative, category.edge_case):
        assert piece in page


def test_the_queue_goes_on_page_by_page_with_its_filter_in_the_address(site: Site, visit: Visit) -> None:
    for number in range(105):
        site.queue(entry={"category": "billing" if number % 5 else "returns"})
    olga = visit("olga")
    first = olga.get("/queue?category=billing&sort=trace").text
    assert "billing (84)" in first
    assert "84 entries match" in first
    everything = olga.get("/queue").text
    assert "Page 1 of 2, 105 entries" in everything
    assert olga.get("/queue?page=2").text.count('name="entry"') == 5
    assert "Nothing like that waits" in olga.get("/queue?text=nowhere").text


def test_all_that_match_are_dropped_at_once_and_return_with_one_key(site: Site, visit: Visit) -> None:
    for number in range(105):
        site.queue(entry={"category": "billing" if number % 5 else "returns"})
    olga = visit("olga")
    form = {"category": "billing", "sort": "newest", "every": "true", "why": "an incident"}
    dropped = olga.post("/queue/drop", data=form)
    assert dropped.headers["location"].startswith("/queue?category=billing&sort=newest&said=84+entries+dropped.")
    assert site.wheel.rubric.count_waiting(site.project_id) == 21
    change = dropped.headers["location"].rpartition("change=")[2]
    assert f'value="{change}"' in olga.get(dropped.headers["location"]).text
    assert olga.post("/queue/undo", data={"change": change}).status_code == 303
    assert site.wheel.rubric.count_waiting(site.project_id) == 105
    assert olga.post("/queue/undo", data={"change": change}).status_code == 409


def test_a_lone_reviewers_doubled_entries_are_named_and_settled(site: Site, visit: Visit) -> None:
    site.publish()
    entry = site.queue(entry={"labels_needed": 2})
    served = site.wheel.annotate.next(site.project_id, "ann")
    assert served is not None
    site.wheel.annotate.submit(site.project_id, entry.id, served.lease.token, "ann", PASS)
    olga = visit("olga")
    assert "1 entry waits for a second reviewer; there is only one" in olga.get("/queue").text
    assert olga.post("/queue/release", data={"entry": entry.id}).status_code == 303
    assert "second reviewer" not in olga.get("/queue").text
    (label,) = site.wheel.annotate.labels(site.project_id, 5)
    assert label.settled is Settled.single


def test_a_trace_tells_an_owner_what_happened_to_it_and_a_reviewer_only_what_they_said(
    site: Site, visit: Visit
) -> None:
    site.publish()
    disagree(site)
    (opened,) = site.wheel.rubric.disputes(site.project_id, 1)
    owners = visit("olga").get("/traces/trace-1").text
    for said in ("Picked by", "ann judged it: fail, wrong-fact", "ben judged it: pass", "A dispute to decide"):
        assert said in owners, said
    label = site.wheel.rubric.adjudicate(site.project_id, opened.dispute.id, "olga", FAIL)
    site.wheel.close.add_fix(site.project_id, FixKind.prompt, "PR 7", labels=[label.id])
    site.wheel.close.route(site.project_id)
    owners = visit("olga").get("/traces/trace-1").text
    for said in ("decided by the owner", "PR 7", "Golden row"):
        assert said in owners, said
    anns = visit("ann").get("/traces/trace-1").text
    for kept_back in ("ben", "What happened to it", "PR 7", "Golden row", "olga"):
        assert kept_back not in anns, kept_back


def test_a_quota_is_set_and_shown_to_its_reviewer(site: Site, visit: Visit) -> None:
    site.queue()
    olga = visit("olga")
    assert olga.post("/queue/quota", data={"person": "ann", "per_day": "80"}).status_code == 303
    assert "0 of 80 today" in olga.get("/queue").text
    told = visit("ann").post("/annotate/next", json={"holding": []}).json()["progress"]
    assert (told["done"], told["quota"]) == (0, 80)


def test_a_trace_is_put_into_the_queue_by_hand(site: Site, visit: Visit) -> None:
    with site.wheel.ledger.archive(site.project_id) as tx:
        keep_trace(tx, a_trace(id="a complaint"))
    olga = visit("olga")
    assert "Put it into the queue" in olga.get("/traces/a complaint").text
    assert olga.post("/queue/add", data={"traces": "a complaint\nnowhere"}).status_code == 303
    assert "by hand" in olga.get("/queue").text
    assert olga.get("/draws").status_code == 200
    assert "Put into the queue by hand" in olga.get("/traces/a complaint").text


@pytest.mark.browser
def test_many_are_chosen_dropped_and_taken_back_by_key(served: Site, sit: Sit) -> None:
    for number in range(4):
        served.queue(entry={"category": "billing" if number else "returns"})
    olga = sit("olga", "/queue")
    olga.page.get_by_label("Kind").select_option("billing")
    expect(olga.page.locator("tbody tr")).to_have_count(3)
    assert olga.page.url.endswith("/queue?category=billing")
    olga.page.get_by_label("Choose all on this page").check()
    expect(olga.page.locator("[data-chosen]")).to_have_text("3 chosen")
    olga.press("Enter")
    olga.page.get_by_label("Drop because").fill("an incident")
    olga.press("Enter")
    expect(olga.page.locator(".notice")).to_contain_text("3 entries dropped.")
    olga.page.locator("h1").click()
    olga.press("u")
    expect(olga.page.locator(".notice")).to_contain_text("Undone: 3 entries as before.")
    expect(olga.page.locator("tbody tr")).to_have_count(4)
