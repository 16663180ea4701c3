"""The annotation page in Chromium, by keyboard alone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Route, expect
from sqlalchemy import text

from tests.conftest import NOW
from tests.factories import RIGHT, WRONG, a_document, a_signal, a_tool_call, an_edit_signal
from tests.web.conftest import Reviewer, Site
from thumbwheel.domain.annotation import Better, Comparison, Verdict
from thumbwheel.domain.queue import Purpose

pytestmark = pytest.mark.browser

Sit = Callable[..., Reviewer]


@pytest.fixture
def queued(served: Site) -> Site:
    """A codebook, and twelve traces that wait."""
    served.publish()
    for _ in range(12):
        served.queue()
    return served


def test_ten_traces_are_judged_with_one_key_each(queued: Site, sit: Sit) -> None:
    ann = sit()
    for number in range(1, 11):
        ann.sees(f"question {number}")
        ann.press("p" if number % 2 else "1")
    ann.sees("question 11")
    ann.settled()
    made = queued.annotations()
    assert [one.trace_id for one in made] == [f"trace-{number}" for number in range(1, 11)]
    assert {one.verdict for one in made} == {Verdict.passed}
    expect(ann.page.locator("[data-progress-text]")).to_contain_text("10 of 12")


def test_a_failure_takes_categories_a_critique_a_correction_and_documents(queued: Site, sit: Sit) -> None:
    ann = sit()
    ann.sees("question 1")
    ann.press("f", "w", "m", "m", "j", "r")
    ann.press("c")
    ann.page.keyboard.type("The policy says 30 days.")
    ann.press("Escape", "e", "Control+a")
    ann.page.keyboard.type(RIGHT)
    expect(ann.page.locator(".diff.live del")).to_have_text(["60"])
    expect(ann.page.locator(".diff.live ins")).to_have_text(["30"])
    ann.press("Control+Enter")
    ann.sees("question 2")
    ann.settled()
    (one,) = queued.annotations()
    assert (one.verdict, one.categories) == (Verdict.failed, ("wrong-fact",))
    assert (one.critique, one.corrected_output) == ("The policy says 30 days.", RIGHT)
    assert one.documents == {"returns": True}
    assert one.seconds > 0
    assert one.codebook_version == 1


def test_of_two_answers_to_one_question_the_better_one_is_said_by_one_key(served: Site, sit: Sit) -> None:
    served.publish()
    served.queue(session_id="s1", input="what is the fee?", output="Four euros.")
    served.queue(session_id="s1", input="what is the fee?", output="Five euros.")
    served.queue()
    ann = sit()
    expect(ann.page.get_by_label("Another answer to the same question")).to_contain_text("Five euros.")
    ann.press("Shift+B", "Shift+A", "Shift+B")
    expect(ann.page.locator("[data-better][aria-pressed=true]")).to_have_text(re.compile("the other"))
    ann.press("p")
    expect(ann.page.get_by_label("Another answer to the same question")).to_contain_text("Four euros.")
    expect(ann.page.locator("[data-better][aria-pressed=true]")).to_have_count(0)
    ann.press("p")
    ann.sees("question 3")
    expect(ann.page.locator("[data-compare]")).to_be_hidden()
    ann.settled()
    first, second = served.annotations()
    assert first.comparison == Comparison(other_trace_id="trace-2", better=Better.other)
    assert second.comparison is None


def test_a_failure_without_a_category_is_asked_for_one(queued: Site, sit: Sit) -> None:
    ann = sit()
    ann.sees("question 1")
    ann.press("f", "Control+Enter")
    expect(ann.page.locator("[data-fault]")).to_contain_text("at least one category")
    ann.press("w", "Control+Enter")
    ann.sees("question 2")


def test_the_last_judgements_can_be_taken_back_one_after_the_other(queued: Site, sit: Sit) -> None:
    ann = sit()
    ann.sees("question 1")
    ann.press("f", "w", "c")
    ann.page.keyboard.type("Wrong.")
    ann.press("Control+Enter")
    ann.sees("question 2")
    ann.press("p")
    ann.sees("question 3")
    ann.press("u")
    ann.sees("question 2")
    ann.press("u")
    ann.sees("question 1")
    expect(ann.page.locator("[name=critique]")).to_have_value("Wrong.")
    ann.settled()
    assert queued.annotations() == []
    expect(ann.page.locator("[data-progress-text]")).to_contain_text("0 of")
    ann.press("m", "Control+Enter")
    ann.sees("question 2")
    ann.press("p")
    ann.sees("question 3")
    ann.settled()
    assert [one.categories for one in queued.annotations()] == [("wrong-fact", "missed-point"), ()]


def test_undo_survives_a_reload_and_the_list_of_the_last_ten_reaches_any(queued: Site, sit: Sit) -> None:
    ann = sit()
    for number in (1, 2, 3):
        ann.sees(f"question {number}")
        ann.press("p")
    ann.sees("question 4")
    ann.settled()
    ann.page.reload()
    ann.sees("question 4")
    ann.press("u")
    ann.sees("question 3")
    ann.press("Shift+U")
    expect(ann.page.locator("[data-recent] button")).to_have_count(2)
    ann.press("Tab", "Enter")
    ann.sees("question 1")
    assert [one.trace_id for one in queued.annotations()] == ["trace-2"]


def test_a_skip_has_a_reason_and_goes_to_somebody_else(queued: Site, sit: Sit) -> None:
    ann = sit()
    ann.sees("question 1")
    ann.press("s", "2")
    ann.sees("question 2")
    ann.press("s", "Escape")
    ann.sees("question 2")
    ann.press("p")
    ann.sees("question 3")
    ann.settled()
    (skipped,) = queued.wheel.rubric.skipped(queued.project_id)
    assert skipped.skips[0].why == "Needs somebody who knows the subject"
    assert [one.trace_id for one in queued.annotations()] == ["trace-2"]
    ben = sit("ben")
    ben.sees("question 1")


def test_the_codebook_is_one_key_away(queued: Site, sit: Sit) -> None:
    ann = sit()
    ann.sees("question 1")
    meaning = ann.page.locator("[data-category=wrong-fact] .meaning")
    expect(meaning).to_be_hidden()
    ann.press("Shift+W")
    expect(meaning).to_contain_text("The policy itself is out of date.")
    ann.press("Shift+W")
    expect(meaning).to_be_hidden()
    ann.press("k")
    expect(ann.page.locator(".meaning:visible")).to_have_count(2)


def test_a_long_trace_is_read_without_a_mouse(served: Site, sit: Sit) -> None:
    served.publish()
    served.queue()
    served.queue(output="A long answer.\n\n" * 60)
    ann = sit()
    ann.sees("question 1")
    ann.press("p")
    ann.sees("A long answer.")
    scrolled = "document.querySelector('[data-reading]').scrollTop"
    for leave in ("Shift+K", "c", "e"):
        ann.press(leave)
        ann.page.keyboard.type("u")
        ann.press("Escape")
        before = ann.page.evaluate(scrolled)
        ann.press("PageDown")
        ann.until(f"{scrolled} > {before} + 100")
    expect(ann.page.locator("[name=missing_knowledge]")).to_have_value("u")


def test_keys_are_text_where_one_types_and_commands_nowhere_else(queued: Site, sit: Sit) -> None:
    ann = sit()
    ann.sees("question 1")
    ann.press("c")
    ann.page.keyboard.type("pass fail skip undo 12")
    expect(ann.page.locator("[name=critique]")).to_have_value("pass fail skip undo 12")
    ann.press("Escape", "?")
    expect(ann.page.locator("[data-dialog=help]")).to_be_visible()
    ann.press("p", "1")
    ann.press("Escape")
    expect(ann.page.locator("[data-dialog=help]")).to_be_hidden()
    ann.sees("question 1")
    assert queued.annotations() == []


@pytest.mark.parametrize(
    "event",
    [
        {"key": "p", "code": "KeyP", "repeat": True},
        {"key": "p", "code": "KeyP", "isComposing": True},
        {"key": "p", "code": "KeyP", "keyCode": 229},
        {"key": "p", "code": "KeyP", "ctrlKey": True},
        {"key": "p", "code": "KeyP", "modifierAltGraph": True},
        {"key": "Dead", "code": "KeyP"},
        {"key": "!", "code": "Digit1", "shiftKey": True},
        {"key": "Process", "code": "KeyP"},
    ],
    ids=lambda event: "-".join(str(value) for value in event.values()),
)
def test_held_composed_and_chorded_keys_judge_nothing(queued: Site, sit: Sit, event: dict[str, object]) -> None:
    ann = sit()
    ann.sees("question 1")
    send = "(init) => document.body.dispatchEvent(new KeyboardEvent('keydown', {bubbles: true, ...init}))"
    ann.page.evaluate(send, event)
    ann.press("f")
    ann.sees("question 1")
    assert ann.page.locator("[data-form]").get_attribute("data-verdict") == "fail"


@pytest.mark.parametrize(
    "event", [{"key": "з", "code": "KeyP"}, {"key": "π", "code": "KeyP"}, {"key": "&", "code": "Digit1"}]
)
def test_layouts_without_latin_letters_go_by_where_the_key_lies(queued: Site, sit: Sit, event: dict[str, str]) -> None:
    ann = sit()
    ann.sees("question 1")
    send = "(init) => document.body.dispatchEvent(new KeyboardEvent('keydown', {bubbles: true, ...init}))"
    ann.page.evaluate(send, event)
    ann.sees("question 2")


def test_a_draft_survives_a_reload(queued: Site, sit: Sit) -> None:
    ann = sit()
    ann.sees("question 1")
    ann.press("f", "w", "c")
    ann.page.keyboard.type("Half a sen")
    ann.press("Escape", "j", "i")
    ann.page.reload()
    ann.sees("question 1")
    expect(ann.page.locator("[name=critique]")).to_have_value("Half a sen")
    expect(ann.page.locator("[data-category=wrong-fact] .tick")).to_have_attribute("aria-pressed", "true")
    expect(ann.page.locator("[data-relevant=no]").first).to_have_attribute("aria-pressed", "true")
    ann.press("Control+Enter")
    ann.sees("question 2")
    ann.page.reload()
    ann.sees("question 2")
    expect(ann.page.locator("[name=critique]")).to_have_value("")


def test_what_is_judged_without_a_network_is_kept_shown_and_sent_once(queued: Site, sit: Sit) -> None:
    ann = sit()
    ann.sees("question 1")
    ann.until("performance.getEntriesByName(location.origin + '/annotate/next').length >= 3")
    ann.page.context.set_offline(True)
    for number in (1, 2, 3):
        ann.sees(f"question {number}")
        ann.press("p")
    expect(ann.page.locator("[data-unsent]")).to_have_text("3 unsent")
    expect(ann.page.locator(".blank")).to_contain_text("No connection")
    assert queued.annotations() == []
    ann.page.context.set_offline(False)
    ann.sees("question 4")
    ann.settled()
    assert [one.trace_id for one in queued.annotations()] == ["trace-1", "trace-2", "trace-3"]
    expect(ann.page.locator("[data-unsent]")).to_be_hidden()


def test_an_answer_that_is_lost_on_the_way_back_is_no_second_judgement(queued: Site, sit: Sit) -> None:
    ann = sit()
    ann.sees("question 1")

    def swallow(route: Route) -> None:
        route.fetch()
        route.abort()

    ann.page.route("**/annotate/submit", swallow, times=1)
    ann.press("f", "w", "Control+Enter")
    ann.sees("question 2")
    ann.settled()
    assert [one.trace_id for one in queued.annotations()] == ["trace-1"]


def test_what_was_judged_offline_is_sent_after_the_tab_was_closed(queued: Site, sit: Sit) -> None:
    ann = sit()
    ann.sees("question 1")
    ann.page.route("**/annotate/submit", lambda route: route.abort())
    ann.press("p")
    ann.sees("question 2")
    ann.page.unroute_all()
    ann.page.reload()
    ann.sees("question 2")
    ann.settled()
    assert [one.trace_id for one in queued.annotations()] == ["trace-1"]


def test_a_trace_that_is_deleted_while_on_screen_says_so_and_moves_on(queued: Site, sit: Sit) -> None:
    ann = sit()
    ann.sees("question 1")
    with queued.wheel.ledger.engine.begin() as connection:
        connection.execute(text("DELETE FROM traces WHERE trace_id = 'trace-1'"))
    ann.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    ann.sees("question 2")
    expect(ann.page.locator(".toast")).to_contain_text("deleted")


def test_an_empty_queue_says_what_to_do_next(served: Site, sit: Sit) -> None:
    served.publish()
    served.queue()
    ann = sit()
    ann.sees("question 1")
    ann.press("p")
    expect(ann.page.locator(".blank")).to_contain_text("Nothing waits for you")
    # What was asked ahead may still be under way, and would find it by itself.
    ann.settled()
    ann.page.wait_for_load_state("networkidle")
    served.queue()
    ann.page.click("[data-act=retry]")
    ann.sees("question 2")


def test_without_a_codebook_a_verdict_and_a_note_are_asked_for(served: Site, sit: Sit) -> None:
    served.queue()
    served.queue()
    ann = sit()
    ann.sees("question 1")
    expect(ann.page.locator("[data-categories]")).to_have_count(0)
    ann.press("f", "Control+Enter")
    expect(ann.page.locator("[data-fault]")).to_contain_text("what is wrong")
    ann.page.keyboard.type("Cites a policy that is not there.")
    ann.press("Control+Enter")
    ann.sees("question 2")
    ann.settled()
    (one,) = served.annotations()
    assert (one.verdict, one.categories, one.codebook_version) == (Verdict.failed, (), 0)
    assert one.critique == "Cites a policy that is not there."


def test_everything_about_a_trace_is_there_but_what_a_reviewer_must_not_know(served: Site, sit: Sit) -> None:
    served.publish()
    at = NOW - timedelta(hours=20)
    served.queue(
        input=[{"role": "system", "content": "You are a shop."}, {"role": "user", "content": "How long?"}],
        tool_calls=(a_tool_call(),),
        signals=(a_signal(id="s1", at=at), an_edit_signal(id="s2", at=at)),
        entry={"purpose": Purpose.double, "labels_needed": 2},
    )
    ann = sit()
    ann.sees("How long?")
    stage = ann.page.locator(".entry")
    for piece in ("You are a shop.", "order", "kettle", "Goods may be returned", "Thumbs down", "Edited the answer"):
        expect(stage).to_contain_text(piece)
    expect(stage.locator(".timeline del")).to_have_text("60")
    expect(stage.locator(".timeline ins")).to_have_text("30")
    expect(ann.page.locator(".why")).to_contain_text("thumbs-down")
    expect(ann.page.locator(".why")).to_contain_text("waiting for 2.0 h, due in 6.9 d")
    ann.press("e")
    expect(ann.page.locator("[name=corrected_output]")).to_have_value(RIGHT)
    assert not re.search(r"double|audit|relabel", ann.page.content())
    ann.press("Escape", "f", "w")
    with ann.page.expect_response("**/annotate/submit") as submitted:
        ann.press("Control+Enter")
    told = json.dumps(submitted.value.json())
    assert "dispute" not in told
    assert "label" not in told
    assert '"outcome' not in told


def test_a_swipe_decides_on_a_phone(queued: Site, sit: Sit) -> None:
    ann = sit(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    ann.sees("question 1")
    swipe = """(by) => {
      const stage = document.querySelector("[data-stage] .entry"), y = 300, x = 190;
      const touch = (x) => new Touch({identifier: 1, target: stage, clientX: x, clientY: y});
      const send = (type, touches) => stage.dispatchEvent(new TouchEvent(type, {bubbles: true, touches}));
      send("touchstart", [touch(x)]);
      for (const part of [0.3, 0.6, 1]) send("touchmove", [touch(x + by * part)]);
      send("touchend", []);
    }"""
    ann.page.evaluate(swipe, 40)
    ann.sees("question 1")
    ann.page.evaluate(swipe, 150)
    ann.sees("question 2")
    ann.page.evaluate(swipe, -150)
    expect(ann.page.locator("[data-act=fail]")).to_have_attribute("aria-pressed", "true")
    ann.settled()
    assert [one.verdict for one in queued.annotations()] == [Verdict.passed]


def test_two_reviewers_never_see_the_same_entry_and_a_label_costs_one_request(queued: Site, sit: Sit) -> None:
    ann = sit("ann")
    ann.sees("question 1")
    ann.until("performance.getEntriesByName(location.origin + '/annotate/next').length >= 3")
    ben = sit("ben")
    ben.sees("question 4")
    asked: list[str] = []
    ann.page.on("request", lambda request: asked.append(request.url.rsplit("/", 1)[-1]))
    ann.press("p")
    ann.sees("question 2")
    ann.press("p")
    ann.sees("question 3")
    ann.settled()
    assert asked == ["submit", "submit"]


def test_judged_documents_go_with_a_pass_that_is_submitted_by_one_key(queued: Site, sit: Sit) -> None:
    queued.queue(output=WRONG, documents=(a_document(id="one"), a_document(id="two")))
    ann = sit()
    ann.sees("question 1")
    ann.press("j", "i", "p")
    ann.sees("question 2")
    ann.settled()
    assert queued.annotations()[0].documents == {"returns": False}
