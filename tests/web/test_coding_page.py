"""Open coding in the browser: the note, the cards it is sorted on, and the codebook that comes of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import expect

from tests.web.conftest import Reviewer, Site
from tests.web.test_accessible import faults
from thumbwheel.domain.annotation import Judgement, Verdict
from thumbwheel.domain.note import Group, Grouping

Visit = Callable[..., TestClient]
Sit = Callable[..., Reviewer]

HOSTILE = "</script><script>document.title='taken'</script><img src=https://evil.example/x.png onerror=1>\x00\x1b[31m"
TEXTS = ("the link is dead", "rude tone", "a dead link", "its tone is rude", HOSTILE)


@pytest.fixture
def noted(site: Site) -> Site:
    """Five failures, noted by Ann."""
    for text in TEXTS:
        entry = site.queue()
        served = site.wheel.annotate.next(site.project_id, "ann")
        assert served is not None
        said = Judgement(verdict=Verdict.failed, critique=text)
        site.wheel.annotate.submit(site.project_id, entry.id, served.lease.token, "ann", said)
    # What groups notes takes seconds to import where the machine is busy, and no browser waits for it here.
    site.wheel.coding.desk(site.project_id)
    return site


def names(reviewer: Reviewer) -> list[str]:
    """What the cards are called, the trays too."""
    return [each.get_attribute("aria-label") or "" for each in reviewer.page.locator(".group:not(.fresh)").all()]


def kept(reviewer: Reviewer) -> None:
    """Wait until every change is on the server."""
    expect(reviewer.page.locator("[data-saved]")).to_have_text("Kept")


# --- through the door


def test_the_cards_are_the_owners(noted: Site, visit: Visit) -> None:
    assert visit("ann").get("/codebook/notes").status_code == 403
    assert visit("ann").post("/codebook/notes", json={"revision": 0, "groups": []}).status_code == 403
    assert visit("ann").post("/codebook/notes/requeue").status_code == 403
    page = visit("olga").get("/codebook/notes").text
    assert "5 notes brought 3 modes." in page
    assert "<script>document" not in page


def test_cards_are_kept_and_a_stale_page_is_told(noted: Site, visit: Visit) -> None:
    olga = visit("olga")
    notes = noted.wheel.coding.desk(noted.project_id).notes
    body = {"revision": 0, "groups": [{"id": "g1", "note_ids": [notes[0].id, notes[2].id], "name": "Link"}]}
    said = olga.post("/codebook/notes", json=body).json()
    assert (said["revision"], said["ok"], list(said["drafts"])) == (1, True, ["g1"])
    assert "5 notes brought 4 modes." in said["curve"]
    assert olga.post("/codebook/notes", json=body).status_code == 409
    assert olga.post("/codebook/notes/publish", data={"revision": "0", "note": ""}).status_code == 409
    assert olga.post("/codebook/notes", json=body | {"revision": -1}).status_code == 422
    assert olga.post("/codebook/notes/anew").status_code == 303
    assert noted.wheel.coding.desk(noted.project_id).revision == 0


def test_cards_that_make_no_codebook_come_back_with_their_faults(noted: Site, visit: Visit) -> None:
    ids = [note.id for note in noted.wheel.coding.desk(noted.project_id).notes]
    groups = tuple(Group(id=f"g{n}", note_ids=(ids[n],), name="Same") for n in range(2))
    noted.wheel.coding.sort(noted.project_id, Grouping(groups=groups), 0, "olga")
    answer = visit("olga").post("/codebook/notes/publish", data={"revision": "1", "note": "mine"})
    assert (answer.status_code, "already that of" in answer.text) == (422, True)
    assert noted.wheel.rubric.codebook(noted.project_id) is None
    noted.wheel.coding.sort(noted.project_id, Grouping(), 1, "olga")
    assert visit("olga").post("/codebook/notes/publish", data={"revision": "2"}).status_code == 409


def test_without_notes_the_page_says_how_to_take_them(site: Site, visit: Visit) -> None:
    assert "No notes yet" in visit("olga").get("/codebook/notes").text
    assert "/codebook/notes" in visit("olga").get("/codebook").text
    site.publish()
    assert "before anybody took notes" in visit("olga").get("/codebook/notes").text


# --- at the keyboard


@pytest.mark.browser
def test_notes_are_sorted_named_and_published_without_a_mouse(noted: Site, served: Site, sit: Sit) -> None:
    olga = sit("olga", "/codebook/notes", viewport={"width": 1280, "height": 900})
    assert names(olga) == ["Link, dead", "Rude, tone", "Not sorted"]
    expect(olga.page.locator(".tray li")).to_contain_text("</script><script>document")
    olga.press("j", "x", "j", "x", "m", "r")
    kept(olga)
    assert olga.page.locator(".group li").all_text_contents()[0] == "the link is dead"
    assert [each.locator("li").count() for each in olga.page.locator(".group:not(.fresh)").all()] == [1, 3, 1]
    olga.press("u", "Shift+K", "r")
    olga.page.keyboard.type("Dead link")
    olga.press("Enter", "e")
    olga.page.keyboard.press("Control+A")
    olga.page.keyboard.type("A link that leads nowhere.")
    olga.press("Escape", "Shift+J", "g", "l")
    kept(olga)
    assert names(olga) == ["Dead link", "Not sorted"]
    olga.press("u", "Shift+J", "n")
    olga.page.keyboard.type("Hostile")
    kept(olga)
    olga.page.reload()
    assert names(olga) == ["Dead link", "Rude, tone", "Hostile"]
    olga.press("j", "j", "j", "j", "d")
    kept(olga)
    assert names(olga) == ["Dead link", "Rude, tone", "Left out"]
    expect(olga.page.locator("[data-sentence]")).to_have_text("5 notes brought 2 modes.")
    assert olga.page.title().startswith("Sort the notes")
    olga.page.locator("[data-publish] button.primary").press("Enter")
    expect(olga.page.locator("h2").first).to_have_text("Judge 5 failures again, by letter")
    version = noted.wheel.rubric.codebook(noted.project_id)
    assert version is not None
    assert [(one.id, one.definition[:11]) for one in version.codebook.categories] == [
        ("dead-link", "A link that"),
        ("rude-tone", "Draft: 2 no"),
    ]
    assert version.note.startswith("First categories, from 5 open notes by 1 person")
    olga.page.locator(".next button").press("Enter")
    expect(olga.page.locator(".notice")).to_contain_text("In the queue again: 5")


@pytest.mark.browser
def test_a_failure_is_noted_at_once_and_both_pages_are_clean(noted: Site, served: Site, sit: Sit) -> None:
    noted.queue()
    ann = sit("ann")
    ann.sees("question 6")
    expect(ann.page.locator(".notice")).to_contain_text("Open coding")
    assert faults(ann) == []
    ann.press("f")
    ann.page.keyboard.type("just a table")
    ann.press("Control+Enter")
    ann.settled()
    assert noted.annotations()[-1].critique == "just a table"
    for scheme, width in (("light", 1440), ("dark", 390)):
        olga = sit("olga", "/codebook/notes", color_scheme=scheme, viewport={"width": width, "height": 900})
        olga.page.locator("summary").first.click()
        assert faults(olga) == []
        assert olga.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        olga.press("m")
        expect(olga.page.locator("[data-dialog=choose]")).to_be_visible()
        assert faults(olga) == []
