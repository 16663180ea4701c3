"""Open coding: from notes under no codebook to the first categories, and what becomes of the notes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.conftest import Clock
from tests.factories import a_codebook_file
from tests.services.test_annotate import Desk
from thumbwheel.app import Wheel
from thumbwheel.domain.annotation import Judgement, Verdict
from thumbwheel.domain.note import Group, Grouping
from thumbwheel.errors import CodebookInvalid, Conflict, Invalid

TEXTS = ("the link is dead", "rude tone", "a dead link", "its tone is rude", "shows a card number")
PASS = Judgement(verdict=Verdict.passed, critique="a little dry")


def note(text: str) -> Judgement:
    return Judgement(verdict=Verdict.failed, critique=text)


@pytest.fixture
def open_desk(wheel: Wheel, clock: Clock) -> Desk:
    """A project without a codebook, and ten entries; every second one of them needs two judgements."""
    desk = Desk(wheel, clock, wheel.project("open"))
    desk.queue(10)
    return desk


@pytest.fixture
def noted(open_desk: Desk) -> Desk:
    """Five failures noted, one pass."""
    for text in TEXTS:
        open_desk.judge("ann", note(text))
    open_desk.judge("ben", PASS)
    return open_desk


def by_text(desk: Desk) -> dict[str, str]:
    """Note text -> its id."""
    return {each.text: each.id for each in desk.wheel.coding.desk(desk.project).notes}


def sorted_by_hand(desk: Desk) -> Grouping:
    ids = by_text(desk)
    link = Group(id="g1", note_ids=(ids["the link is dead"], ids["a dead link"]), name="Dead link", key="l")
    tone = Group(id="g2", note_ids=(ids["rude tone"], ids["its tone is rude"]), name="Tone")
    return Grouping(groups=(link, tone), left_out=(ids["shows a card number"],))


def publish(desk: Desk) -> None:
    book = desk.wheel.coding.desk(desk.project).codebook("shop")
    desk.clock.advance(seconds=1)
    desk.wheel.rubric.publish(desk.project, book, "olga")
    desk.clock.advance(seconds=1)


# --- notes


def test_a_note_settles_its_verdict_and_nothing_else(noted: Desk) -> None:
    labels = noted.labels()
    assert [(one.verdict, one.categories, one.codebook_version) for one in labels] == [
        *[(Verdict.failed, (), 0)] * 5,
        (Verdict.passed, (), 0),
    ]


def test_failures_with_something_said_are_notes_in_the_order_they_were_made(noted: Desk) -> None:
    noted.judge("ann", note("   "))
    desk = noted.wheel.coding.desk(noted.project)
    assert [each.text for each in desk.notes] == list(TEXTS)
    assert {each.annotator for each in desk.notes} == {"ann"}
    assert noted.wheel.coding.count(noted.project) == 5


def test_a_note_that_was_taken_back_or_corrected_is_no_note(noted: Desk) -> None:
    ids = by_text(noted)
    noted.correct(ids["rude tone"], "ann", note("far too long"))
    noted.undo(ids["a dead link"], "ann")
    assert set(by_text(noted)) == {*TEXTS, "far too long"} - {"rude tone", "a dead link"}


def test_notes_are_grouped_by_how_alike_they_read_until_somebody_sorts_them(noted: Desk) -> None:
    desk = noted.wheel.coding.desk(noted.project)
    texts = {each.id: each.text for each in desk.notes}
    groups = [{texts[id] for id in group.note_ids} for group in desk.grouping.groups]
    assert groups == [{"the link is dead", "a dead link"}, {"rude tone", "its tone is rude"}]
    assert [each.text for each in desk.unsorted] == ["shows a card number"]
    assert (desk.revision, desk.curve.n_modes) == (0, 3)


# --- sorting


def test_what_is_sorted_is_kept_and_new_notes_wait_to_be(noted: Desk) -> None:
    kept = noted.wheel.coding.sort(noted.project, sorted_by_hand(noted), 0, "olga")
    assert (kept.revision, kept.curve.n_modes, kept.unsorted) == (1, 2, [])
    noted.judge("ann", note("broken table"))
    desk = noted.wheel.coding.desk(noted.project)
    assert [group.name for group in desk.grouping.groups] == ["Dead link", "Tone"]
    assert [each.text for each in desk.unsorted] == ["broken table"]
    anew = noted.wheel.coding.desk(noted.project, anew=True)
    assert [group.name for group in anew.grouping.groups] != ["Dead link", "Tone"]
    noted.wheel.coding.start_over(noted.project, "olga")
    assert noted.wheel.coding.desk(noted.project).revision == 0


def test_two_people_who_sort_at_once_are_told(noted: Desk) -> None:
    made = sorted_by_hand(noted)
    noted.wheel.coding.sort(noted.project, made, 0, "olga")
    for stale in (0, 2):
        with pytest.raises(Conflict):
            noted.wheel.coding.sort(noted.project, made, stale, "otto")
    assert noted.wheel.coding.sort(noted.project, made, 1, "otto").revision == 2


@pytest.mark.parametrize(
    "spoil",
    [
        lambda made: replace(made, left_out=made.groups[0].note_ids),
        lambda made: replace(made, groups=(*made.groups, replace(made.groups[0], note_ids=()))),
        lambda made: replace(made, groups=(replace(made.groups[0], name="x" * 121),)),
        lambda made: replace(made, groups=(replace(made.groups[0], definition="x" * 4_001),)),
        lambda made: replace(made, groups=(replace(made.groups[0], key="p"),)),
        lambda made: replace(made, groups=tuple(Group(id=f"g{n}", note_ids=()) for n in range(201))),
    ],
)
def test_what_cannot_be_a_grouping_is_refused(noted: Desk, spoil: Callable[[Grouping], Grouping]) -> None:
    with pytest.raises(Invalid):
        noted.wheel.coding.sort(noted.project, spoil(sorted_by_hand(noted)), 0, "olga")
    assert noted.wheel.coding.desk(noted.project).revision == 0


def test_a_note_nobody_took_is_not_sorted(noted: Desk) -> None:
    made = replace(sorted_by_hand(noted), left_out=("somebody else's",))
    assert noted.wheel.coding.sort(noted.project, made, 0, "olga").grouping.left_out == ()


# --- the first codebook


def test_groups_are_published_through_the_codebooks_own_check(noted: Desk) -> None:
    noted.wheel.coding.sort(noted.project, sorted_by_hand(noted), 0, "olga")
    publish(noted)
    version = noted.wheel.rubric.codebook(noted.project)
    assert version is not None
    assert [(one.id, one.key) for one in version.codebook.categories] == [("dead-link", "l"), ("tone", "t")]
    with pytest.raises(Conflict, match="has categories"):
        noted.wheel.coding.sort(noted.project, sorted_by_hand(noted), 1, "olga")


def test_two_groups_of_one_name_are_no_codebook(noted: Desk) -> None:
    made = sorted_by_hand(noted)
    twice = tuple(replace(group, name="Tone") for group in made.groups)
    desk = noted.wheel.coding.sort(noted.project, replace(made, groups=twice), 0, "olga")
    with pytest.raises(CodebookInvalid, match="already that of"):
        noted.wheel.rubric.check(desk.codebook("shop"))


def test_a_codebook_without_categories_is_still_open_coding(noted: Desk) -> None:
    noted.wheel.rubric.publish(noted.project, a_codebook_file(categories=[]), "olga")
    noted.clock.advance(seconds=1)
    noted.judge("ann", note("broken table"))
    assert "broken table" in by_text(noted)
    assert noted.wheel.coding.desk(noted.project).ended_by is None
    publish(noted)
    assert noted.wheel.coding.desk(noted.project).ended_by is not None
    assert noted.wheel.coding.to_judge(noted.project) == 6


# --- afterwards


def test_a_note_is_never_a_label_until_somebody_judges_again(noted: Desk) -> None:
    publish(noted)
    before = noted.labels()
    assert all(not label.categories for label in before)
    assert noted.wheel.coding.to_judge(noted.project) == 5
    assert noted.wheel.coding.requeue(noted.project, "olga") == 5
    assert noted.labels() == before
    assert noted.wheel.coding.to_judge(noted.project) == 0
    assert noted.wheel.coding.requeue(noted.project, "olga") == 0
    assert [each.text for each in noted.wheel.coding.desk(noted.project).notes] == list(TEXTS)


def test_who_judges_again_is_not_reminded_and_their_label_takes_the_place(noted: Desk) -> None:
    publish(noted)
    noted.wheel.coding.requeue(noted.project, "olga")
    served = noted.take("ann")
    assert served is not None
    assert served.earlier is None
    category = noted.wheel.coding.desk(noted.project).ended_by.codebook.categories[0].id  # type: ignore[union-attr]
    noted.submit(served, Judgement(verdict=Verdict.failed, categories=(category,)))
    (label,) = [one for one in noted.labels() if one.entry_id == served.entry.id]
    assert (label.categories, label.codebook_version) == ((category,), 1)
    assert len(noted.labels()) == 6
    assert noted.wheel.coding.count(noted.project) == 5


def test_taking_the_second_judgement_back_leaves_the_verdict_of_the_first(wheel: Wheel, clock: Clock) -> None:
    desk = Desk(wheel, clock, wheel.project("double"))
    desk.queue(1, needed=lambda _number: 2)
    for name in ("ann", "ben"):
        desk.judge(name, note("dead link"))
    publish(desk)
    assert desk.wheel.coding.requeue(desk.project, "olga") == 1
    again = desk.judge("ann", Judgement(verdict=Verdict.passed))
    assert again.outcome == "waiting"
    desk.undo(again.annotation.id, "ann")
    assert [one.verdict for one in desk.labels()] == [Verdict.failed]


def test_half_settled_entries_are_asked_of_both_again_and_disputes_stay_the_owners(wheel: Wheel, clock: Clock) -> None:
    desk = Desk(wheel, clock, wheel.project("double"))
    desk.queue(2, needed=lambda _number: 2)
    desk.judge("ann", note("dead link"))
    desk.judge("ben", PASS)
    desk.judge("ann", note("dead link"))
    publish(desk)
    assert len(desk.wheel.rubric.disputes(desk.project, 5)) == 1
    assert desk.wheel.coding.requeue(desk.project, "olga") == 1
    book = desk.wheel.rubric.codebook(desk.project)
    assert book is not None
    same = Judgement(verdict=Verdict.failed, categories=(book.codebook.categories[0].id,))
    assert [desk.judge(name, same).outcome for name in ("ann", "ben")] == ["waiting", "label"]


def test_without_categories_there_is_nothing_to_ask_again(noted: Desk) -> None:
    assert noted.wheel.coding.to_judge(noted.project) == 0
    with pytest.raises(Conflict, match="No codebook with categories"):
        noted.wheel.coding.requeue(noted.project, "olga")
