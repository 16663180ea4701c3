"""Settling: agree, dispute or wait, whatever the order in which judgements came."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import DAY, HOUR, MINUTE, MONDAY, RIGHT, a_codebook, a_dispute, an_annotation
from tests.strategies import judgements
from thumbwheel.annotate.settle import Decision, adjudicate, check_annotation, check_decision, settle, standing
from thumbwheel.domain.annotation import Annotation, Better, Comparison, Dispute, Label, Settled, Verdict
from thumbwheel.errors import Invalid

NOW: datetime = MONDAY + 10 * DAY


def outcome(*annotations: Annotation, needed: int = 2) -> Label | Dispute | None:
    return settle(annotations, needed=needed, new_id="new", now=NOW)


def from_bob(**given: object) -> Annotation:
    return an_annotation(**{"id": "annotation-2", "annotator": "bob", "at": MONDAY + 9 * DAY + HOUR} | given)


def test_one_judgement_settles_an_entry_that_needs_one() -> None:
    label = outcome(
        an_annotation(critique="60 is wrong", corrected_output=RIGHT, documents={"returns": True}), needed=1
    )
    assert label == Label(
        id="new",
        entry_id="entry-1",
        trace_id="trace-1",
        verdict=Verdict.failed,
        categories=("wrong-fact",),
        settled=Settled.single,
        annotation_ids=("annotation-1",),
        annotators=("ann",),
        codebook_version=1,
        settled_at=NOW,
        critique="60 is wrong",
        corrected_output=RIGHT,
        documents={"returns": True},
    )


def test_an_entry_that_needs_two_waits_for_the_second() -> None:
    assert outcome(an_annotation()) is None
    assert outcome(needed=1) is None


def test_two_who_say_the_same_agree_and_both_are_heard() -> None:
    label = outcome(
        from_bob(critique="policy says 30", documents={"returns": True, "terms": False}, codebook_version=2),
        an_annotation(critique="60 is wrong", documents={"returns": True, "terms": True}),
    )
    assert isinstance(label, Label)
    assert label.settled is Settled.agreed
    assert label.annotators == ("ann", "bob")
    assert label.critique == "60 is wrong\n\npolicy says 30"
    assert label.documents == {"returns": True}
    assert label.codebook_version == 1


def test_the_same_verdict_for_other_reasons_is_a_dispute() -> None:
    dispute = outcome(an_annotation(), from_bob(categories=("missed-point",)))
    assert dispute == Dispute(
        id="new",
        entry_id="entry-1",
        trace_id="trace-1",
        annotation_ids=("annotation-1", "annotation-2"),
        opened_at=NOW,
    )


def test_a_third_who_differs_reopens_what_two_agreed_on() -> None:
    third = an_annotation(id="annotation-3", annotator="cai", verdict=Verdict.passed)
    assert isinstance(outcome(an_annotation(), from_bob()), Label)
    assert isinstance(outcome(an_annotation(), from_bob(), third), Dispute)


def test_a_correction_replaces_what_it_corrects_even_under_a_clock_that_runs_behind() -> None:
    taken_back = an_annotation(id="annotation-9", verdict=Verdict.passed, supersedes="annotation-1", at=MONDAY)
    assert standing([an_annotation(), taken_back]) == (taken_back,)


def test_nobody_takes_back_the_judgement_of_another() -> None:
    assert len(standing([an_annotation(), from_bob(supersedes="annotation-1")])) == 2


def test_corrections_in_a_ring_still_leave_the_latest() -> None:
    early = an_annotation(supersedes="annotation-9")
    late = an_annotation(id="annotation-9", supersedes="annotation-1", at=MONDAY + 9 * DAY + MINUTE)
    assert standing([late, early]) == (late,)


def test_annotations_of_two_entries_settle_none() -> None:
    with pytest.raises(Invalid):
        outcome(an_annotation(), from_bob(entry_id="entry-2"))


@given(judgements().flatmap(lambda made: st.tuples(st.just(made), st.permutations(made))), st.integers(1, 3))
def test_the_order_of_arrival_does_not_matter(made: tuple[list[Annotation], list[Annotation]], needed: int) -> None:
    first, second = made
    assert outcome(*first, needed=needed) == outcome(*second, needed=needed)


@given(judgements())
def test_everybody_has_one_voice_and_says_it_last(made: list[Annotation]) -> None:
    voices = standing(made)
    assert {voice.annotator for voice in voices} == {one.annotator for one in made}
    assert len({voice.annotator for voice in voices}) == len(voices)
    corrected = {one.supersedes for one in made}
    for voice in voices:
        own = [one for one in made if one.annotator == voice.annotator]
        assert voice.id not in corrected or all(one.id in corrected for one in own)


@given(judgements(), st.integers(1, 3))
def test_a_label_is_what_every_voice_says_and_a_dispute_what_they_do_not(made: list[Annotation], needed: int) -> None:
    voices = standing(made)
    said = {(voice.verdict, frozenset(voice.categories)) for voice in voices}
    settled = outcome(*made, needed=needed)
    if len(voices) < needed:
        assert settled is None
    elif len(said) > 1:
        assert isinstance(settled, Dispute)
        assert settled.annotation_ids == tuple(voice.id for voice in voices)
    else:
        assert isinstance(settled, Label)
        assert {(settled.verdict, frozenset(settled.categories))} == said
        assert settled.codebook_version == min(voice.codebook_version for voice in voices)


def a_decision(
    verdict: Verdict = Verdict.failed, categories: tuple[str, ...] = ("wrong-fact",), **given: str
) -> Decision:
    return Decision(verdict=verdict, categories=categories, decided_by="owner", codebook_version=2, **given)


DISPUTED = (
    an_annotation(critique="60 is wrong", corrected_output=RIGHT),
    from_bob(verdict=Verdict.passed, critique="close enough", corrected_output="nothing to correct"),
)


def test_the_owner_decides_on_every_annotation_and_keeps_the_words_of_those_confirmed() -> None:
    label = adjudicate(a_dispute(), DISPUTED, a_decision(), new_id="new", now=NOW, supersedes="label-0")
    assert (label.verdict, label.categories, label.settled) == (Verdict.failed, ("wrong-fact",), Settled.adjudicated)
    assert (label.annotation_ids, label.annotators) == (("annotation-1", "annotation-2"), ("ann", "bob"))
    assert (label.decided_by, label.codebook_version, label.supersedes) == ("owner", 2, "label-0")
    assert (label.critique, label.corrected_output) == ("60 is wrong", RIGHT)


def test_what_the_owner_says_counts_before_what_others_said() -> None:
    decision = a_decision(critique="see section 3", corrected_output="30 days.")
    label = adjudicate(a_dispute(), DISPUTED, decision, new_id="new", now=NOW)
    assert (label.critique, label.corrected_output) == ("see section 3", "30 days.")


def test_an_owner_who_confirms_nobody_speaks_alone() -> None:
    both_passed = [an_annotation(verdict=Verdict.passed, critique="fine"), from_bob(verdict=Verdict.passed)]
    label = adjudicate(a_dispute(), both_passed, a_decision(), new_id="new", now=NOW)
    assert (label.verdict, label.critique, label.corrected_output) == (Verdict.failed, None, None)


def test_a_dispute_is_decided_only_on_its_own_annotations() -> None:
    with pytest.raises(Invalid):
        adjudicate(a_dispute(), DISPUTED[:1], a_decision(), new_id="new", now=NOW)
    stranger = an_annotation(id="annotation-7", annotator="cai", critique="not asked")
    label = adjudicate(a_dispute(), (*DISPUTED, stranger), a_decision(), new_id="new", now=NOW)
    assert label.annotation_ids == ("annotation-1", "annotation-2")


@pytest.mark.parametrize(
    ("annotation", "field"),
    [
        (an_annotation(categories=("wrong-fact", "rude")), "categories.1"),
        (an_annotation(categories=("wrong-fact", "wrong-fact")), "categories"),
        (an_annotation(categories=()), "categories"),
        (an_annotation(verdict=Verdict.passed, categories=("wrong-fact",)), "categories"),
        (an_annotation(seconds=float("nan")), "seconds"),
        (an_annotation(seconds=float("inf")), "seconds"),
        (an_annotation(seconds=-1.0), "seconds"),
    ],
)
def test_a_judgement_the_codebook_does_not_allow_is_refused_by_field(annotation: Annotation, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_annotation(annotation, a_codebook())
    assert refused.value.field == field


def test_a_judgement_under_the_codebook_is_accepted() -> None:
    check_annotation(an_annotation(categories=("missed-point", "wrong-fact"), seconds=0.0), a_codebook())
    check_annotation(an_annotation(verdict=Verdict.passed), a_codebook())


def test_in_open_coding_a_failure_has_no_category() -> None:
    check_annotation(an_annotation(categories=()), a_codebook(categories=()))
    with pytest.raises(Invalid):
        check_annotation(an_annotation(), a_codebook(categories=()))


def test_the_owner_is_held_to_the_codebook_too() -> None:
    check_decision(a_decision(), a_codebook())
    with pytest.raises(Invalid):
        check_decision(a_decision(categories=("rude",)), a_codebook())


def test_which_answer_is_better_holds_where_all_who_compared_agree() -> None:
    better = Comparison(other_trace_id="t2", better=Better.other)
    worse = Comparison(other_trace_id="t2", better=Better.this)

    def settled(*said: Comparison | None) -> Comparison | None:
        voices = [an_annotation(id=f"a{n}", annotator=f"person {n}", comparison=each) for n, each in enumerate(said)]
        label = settle(voices, needed=len(voices), new_id="l", now=NOW)
        assert isinstance(label, Label)
        return label.comparison

    assert settled(better) == settled(better, None) == settled(better, better) == better
    assert settled(better, worse) is settled(None, None) is None
