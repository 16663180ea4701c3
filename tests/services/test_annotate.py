"""Annotate: from a leased entry to a label, and every way back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from tests.conftest import Clock
from tests.factories import MONDAY, a_codebook_file, a_document, a_draw, a_signal, a_trace, an_entry
from tests.road import keep_trace
from thumbwheel.app import Wheel
from thumbwheel.domain.annotation import Annotation, Better, Comparison, Judgement, Label, Settled, Verdict
from thumbwheel.domain.person import Role
from thumbwheel.domain.trace import JudgeScore
from thumbwheel.errors import Conflict, Invalid, LeaseExpired, NotAllowed, NotHere
from thumbwheel.services.annotate import Outcome, Served

PASS = Judgement(verdict=Verdict.passed)
FAIL = Judgement(verdict=Verdict.failed, categories=("wrong-fact",), critique="The policy says 30.")


@dataclass
class Desk:
    """A project with a queue, and people at work on it."""

    wheel: Wheel
    clock: Clock
    project: int
    tokens: dict[str, str] = field(default_factory=dict)

    def queue(self, n: int, *, needed: Callable[[int], int] = lambda _number: 1, draw: str = "draw-1") -> None:
        """Put n traces into the queue, `entry-1` first."""
        with self.wheel.ledger.begin(self.project) as tx:
            entries = []
            for number in range(1, n + 1):
                signal = a_signal(id=f"signal-{number}", trace_id=f"trace-{number}")
                trace = a_trace(id=f"trace-{number}", judge=JudgeScore(score=0.2, name="judge-1"))
                entry = an_entry(
                    id=f"entry-{number}",
                    trace_id=trace.id,
                    draw_id=draw,
                    rank=number,
                    serve_rank=number,
                    labels_needed=needed(number),
                    added_at=self.clock(),
                )
                entries.append((keep_trace(tx, trace, [signal]), entry))
            tx.queue.add_draw(a_draw(id=draw, at=self.clock()), entries)

    def take(self, annotator: str, *holding: str) -> Served | None:
        served = self.wheel.annotate.next(self.project, annotator, holding)
        if served is not None:
            self.tokens[served.entry.id] = served.lease.token
        return served

    def judge(self, annotator: str, judgement: Judgement = PASS) -> Outcome:
        """Take the next entry and judge it."""
        served = self.take(annotator)
        assert served is not None
        return self.submit(served, judgement)

    def submit(self, served: Served, judgement: Judgement = PASS) -> Outcome:
        self.clock.advance(microseconds=1)
        lease = served.lease
        return self.wheel.annotate.submit(self.project, lease.entry_id, lease.token, lease.annotator, judgement)

    def correct(self, annotation_id: str, annotator: str, judgement: Judgement) -> Outcome:
        return self.wheel.annotate.correct(self.project, annotation_id, annotator, judgement)

    def undo(self, annotation_id: str, annotator: str) -> Served:
        return self.wheel.annotate.undo(self.project, annotation_id, annotator)

    def skip(self, served: Served, why: str | None = None) -> None:
        lease = served.lease
        self.wheel.annotate.skip(self.project, lease.entry_id, lease.token, lease.annotator, why)

    def labels(self) -> list[Label]:
        return self.wheel.annotate.labels(self.project, 1000)

    def annotations(self, trace_id: str = "trace-1") -> list[Annotation]:
        with self.wheel.ledger.read(self.project) as tx:
            return tx.annotations.list_for_trace(trace_id)

    def n_waiting(self) -> int:
        return self.wheel.rubric.count_waiting(self.project)


@pytest.fixture
def desk(wheel: Wheel, clock: Clock) -> Desk:
    project = wheel.project("default")
    wheel.rubric.publish(project, a_codebook_file(), "olga")
    return Desk(wheel, clock, project)


# --- being served


def test_the_first_added_is_served_first(desk: Desk) -> None:
    desk.queue(3)
    assert [desk.judge("ann").annotation.entry_id for _ in range(3)] == ["entry-1", "entry-2", "entry-3"]


def test_an_empty_queue_serves_nothing(desk: Desk) -> None:
    assert desk.take("ann") is None


def test_two_people_never_hold_the_same_entry(desk: Desk) -> None:
    desk.queue(2)
    served = [desk.take("ann"), desk.take("bob"), desk.take("cai")]
    assert [each and each.entry.id for each in served] == ["entry-1", "entry-2", None]


def test_a_reload_serves_what_is_held_already_and_renews_it(desk: Desk) -> None:
    desk.queue(2)
    first = desk.take("ann")
    desk.clock.advance(minutes=5)
    again = desk.take("ann")
    assert first is not None
    assert again is not None
    assert again.lease.token == first.lease.token
    assert again.lease.expires_at == first.lease.expires_at + timedelta(minutes=5)


def test_asking_ahead_gives_a_further_entry_up_to_three(desk: Desk) -> None:
    desk.queue(9)
    held: list[str] = []
    while served := desk.take("ann", *held):
        held.append(served.entry.id)
    assert held == ["entry-1", "entry-2", "entry-3"]


def test_asking_ahead_after_a_crash_serves_what_the_page_has_forgotten(desk: Desk) -> None:
    desk.queue(5)
    desk.take("ann")
    desk.take("ann", "entry-1")
    served = [desk.take("ann"), desk.take("ann", "entry-1"), desk.take("ann", "entry-1", "entry-2")]
    assert [each and each.entry.id for each in served] == ["entry-1", "entry-2", "entry-3"]


def test_a_lapsed_lease_goes_to_somebody_else(desk: Desk) -> None:
    desk.queue(1)
    desk.take("ann")
    assert desk.take("bob") is None
    desk.clock.advance(minutes=15)
    served = desk.take("bob")
    assert served is not None
    assert served.lease.annotator == "bob"


def test_a_renewed_lease_does_not_lapse(desk: Desk) -> None:
    desk.queue(1)
    served = desk.take("ann")
    assert served is not None
    desk.clock.advance(minutes=14)
    until = desk.wheel.annotate.renew(desk.project, "entry-1", served.lease.token)
    assert until == desk.clock() + timedelta(minutes=15)
    desk.clock.advance(minutes=14)
    assert desk.take("bob") is None


def test_a_lease_somebody_took_over_cannot_be_renewed(desk: Desk) -> None:
    desk.queue(1)
    served = desk.take("ann")
    assert served is not None
    desk.clock.advance(minutes=15)
    desk.take("bob")
    with pytest.raises(LeaseExpired):
        desk.wheel.annotate.renew(desk.project, "entry-1", served.lease.token)


def test_a_released_entry_is_free_at_once_and_for_the_same_person_too(desk: Desk) -> None:
    desk.queue(1)
    served = desk.take("ann")
    assert served is not None
    desk.wheel.annotate.release(desk.project, "entry-1", "another token")
    assert desk.take("bob") is None
    desk.wheel.annotate.release(desk.project, "entry-1", served.lease.token)
    assert desk.take("bob") is not None


def test_the_reviewer_sees_the_trace_and_its_signals_but_no_automatic_verdict(desk: Desk) -> None:
    desk.queue(1)
    served = desk.take("ann")
    assert served is not None
    assert served.trace.id == "trace-1"
    assert served.trace.judge is None
    assert [signal.id for signal in served.signals] == ["signal-1"]
    assert served.earlier is None


def test_who_was_shown_which_trace_is_written_down(desk: Desk) -> None:
    desk.queue(1)
    desk.take("ann")
    row = desk.wheel.access.list_audit(desk.project)[0]
    assert (row.actor, row.action, row.subject) == ("ann", "trace.read", "trace-1")


def test_an_entry_whose_trace_is_gone_is_dropped_and_the_next_one_served(desk: Desk) -> None:
    desk.queue(2)
    with desk.wheel.ledger.begin(desk.project) as tx:
        tx.connection.exec_driver_sql("DELETE FROM traces WHERE trace_id = 'trace-1'")
    served = desk.take("ann")
    assert served is not None
    assert served.entry.id == "entry-2"
    assert desk.n_waiting() == 1


@pytest.mark.parametrize("name", ["", " ann", "a\nb", "a\x00", "a" * 101, "\ud800"])
def test_an_annotator_needs_a_name(desk: Desk, name: str) -> None:
    with pytest.raises(Invalid) as refused:
        desk.take(name)
    assert refused.value.field == "annotator"


def test_one_project_never_sees_the_queue_of_another(desk: Desk) -> None:
    desk.queue(1)
    other = desk.wheel.project("other")
    assert desk.wheel.annotate.next(other, "ann") is None
    served = desk.take("ann")
    assert served is not None
    with pytest.raises(NotHere):
        desk.wheel.annotate.submit(other, "entry-1", served.lease.token, "ann", PASS)
    with pytest.raises(LeaseExpired):
        desk.wheel.annotate.renew(other, "entry-1", served.lease.token)
    assert desk.wheel.rubric.drop(other, ["entry-1"], "no") == []


# --- submitting


def test_one_judgement_settles_an_entry_that_needs_one(desk: Desk) -> None:
    desk.queue(1)
    outcome = desk.judge("ann", FAIL)
    (label,) = desk.labels()
    assert (outcome.outcome, outcome.outcome_id) == ("label", label.id)
    assert (label.verdict, label.categories, label.settled) == (Verdict.failed, ("wrong-fact",), Settled.single)
    assert (label.annotators, label.codebook_version, label.trace_id) == (("ann",), 1, "trace-1")
    assert desk.n_waiting() == 0


def test_submitting_twice_is_one_annotation_and_the_same_answer(desk: Desk) -> None:
    desk.queue(1)
    served = desk.take("ann")
    assert served is not None
    first = desk.submit(served, FAIL)
    assert desk.submit(served, PASS) == first
    assert len(desk.annotations()) == len(desk.labels()) == 1


def test_the_first_of_two_is_told_the_same_after_the_second_has_judged(desk: Desk) -> None:
    desk.queue(1, needed=lambda _: 2)
    served = desk.take("ann")
    assert served is not None
    first = desk.submit(served)
    assert desk.judge("bob").outcome == "label"
    assert desk.submit(served) == first
    assert first.outcome == "waiting"


def test_a_lease_that_ran_out_is_good_while_nobody_else_has_taken_the_entry(desk: Desk) -> None:
    desk.queue(1)
    served = desk.take("ann")
    assert served is not None
    desk.clock.advance(hours=3)
    assert desk.submit(served).outcome == "label"


def test_a_lease_somebody_took_over_is_refused_and_nothing_is_stored(desk: Desk) -> None:
    desk.queue(1)
    late = desk.take("ann")
    desk.clock.advance(minutes=15)
    taken = desk.take("bob")
    assert late is not None
    assert taken is not None
    with pytest.raises(LeaseExpired):
        desk.submit(late, FAIL)
    assert desk.annotations() == []
    assert desk.submit(taken).outcome == "label"


def test_a_token_is_good_for_its_own_entry_and_person_only(desk: Desk) -> None:
    desk.queue(2)
    served = desk.take("ann")
    assert served is not None
    with pytest.raises(LeaseExpired):
        desk.wheel.annotate.submit(desk.project, "entry-2", served.lease.token, "ann", PASS)
    with pytest.raises(LeaseExpired):
        desk.wheel.annotate.submit(desk.project, "entry-1", served.lease.token, "bob", PASS)
    desk.submit(served)
    with pytest.raises(LeaseExpired):
        desk.wheel.annotate.submit(desk.project, "entry-1", served.lease.token, "bob", PASS)


def test_an_entry_dropped_on_screen_is_refused(desk: Desk) -> None:
    desk.queue(1)
    served = desk.take("ann")
    assert served is not None
    desk.wheel.rubric.drop(desk.project, ["entry-1"], "erased")
    with pytest.raises(LeaseExpired):
        desk.submit(served)


def test_an_entry_that_never_was_is_not_here(desk: Desk) -> None:
    with pytest.raises(NotHere):
        desk.wheel.annotate.submit(desk.project, "no such entry", "token", "ann", PASS)


@pytest.mark.parametrize(
    ("judgement", "field"),
    [
        (Judgement(verdict=Verdict.failed, categories=("nonsense",)), "categories.0"),
        (Judgement(verdict=Verdict.failed), "categories"),
        (Judgement(verdict=Verdict.passed, categories=("wrong-fact",)), "categories"),
        (Judgement(verdict=Verdict.passed, seconds=-1.0), "seconds"),
        (Judgement(verdict=Verdict.passed, documents={"elsewhere": True}), "documents.elsewhere"),
    ],
)
def test_a_judgement_that_cannot_be_one_names_its_field_and_keeps_the_lease(
    desk: Desk, judgement: Judgement, field: str
) -> None:
    desk.queue(1)
    served = desk.take("ann")
    assert served is not None
    with pytest.raises(Invalid) as refused:
        desk.submit(served, judgement)
    assert refused.value.field == field
    assert desk.submit(served).outcome == "label"


def test_everything_a_reviewer_says_reaches_the_label(desk: Desk) -> None:
    desk.queue(1)
    said = Judgement(
        verdict=Verdict.failed,
        categories=("missed-point", "wrong-fact"),
        critique="Sixty is last year's.",
        corrected_output="Thirty days.",
        documents={a_document().id: False},
        missing_knowledge="This year's policy.",
        seconds=31.5,
    )
    annotation = desk.judge("ann", said).annotation
    (label,) = desk.labels()
    assert annotation.seconds == 31.5
    assert label.critique == said.critique
    assert label.corrected_output == said.corrected_output
    assert label.documents == said.documents
    assert label.missing_knowledge == said.missing_knowledge


def test_without_a_codebook_people_judge_under_version_zero_and_without_categories(wheel: Wheel, clock: Clock) -> None:
    desk = Desk(wheel, clock, wheel.project("fresh"))
    desk.queue(1)
    served = desk.take("ann")
    assert served is not None
    with pytest.raises(Invalid, match="no category"):
        desk.submit(served, FAIL)
    open_coding = Judgement(verdict=Verdict.failed, critique="It made up a number.")
    assert desk.submit(served, open_coding).annotation.codebook_version == 0


def test_a_judgement_is_stamped_with_the_version_it_was_made_with(desk: Desk) -> None:
    desk.queue(2)
    desk.wheel.rubric.publish(desk.project, a_codebook_file(categories=a_codebook_file()["categories"][:1]), "olga")
    old = Judgement(verdict=Verdict.failed, categories=("missed-point",), codebook_version=1)
    assert desk.judge("ann", old).annotation.codebook_version == 1
    assert desk.judge("ann", FAIL).annotation.codebook_version == 2


def test_a_version_that_never_was_cannot_be_judged_by(desk: Desk) -> None:
    desk.queue(1)
    with pytest.raises(NotHere):
        desk.judge("ann", Judgement(verdict=Verdict.passed, codebook_version=9))


# --- two annotators


def test_two_who_agree_make_a_label_that_rests_on_both(desk: Desk) -> None:
    desk.queue(1, needed=lambda _: 2)
    assert desk.judge("ann", FAIL).outcome == "waiting"
    assert desk.labels() == []
    assert desk.take("ann") is None, "nobody judges an entry twice"
    assert desk.judge("bob", FAIL).outcome == "label"
    (label,) = desk.labels()
    assert (label.settled, label.annotators) == (Settled.agreed, ("ann", "bob"))


def test_the_second_annotator_is_blind_to_the_first(desk: Desk) -> None:
    desk.queue(1, needed=lambda _: 2)
    desk.judge("ann", FAIL)
    served = desk.take("bob")
    assert served is not None
    assert served.earlier is None


def test_an_entry_that_needs_another_judgement_keeps_nobody_from_the_rest(desk: Desk) -> None:
    desk.queue(3, needed=lambda number: 2 if number < 3 else 1)
    assert [desk.judge("ann").annotation.entry_id for _ in range(3)] == ["entry-1", "entry-2", "entry-3"]
    assert [desk.judge("bob").annotation.entry_id for _ in range(2)] == ["entry-1", "entry-2"]
    assert desk.n_waiting() == 0


def test_two_who_differ_make_a_dispute_that_the_owner_decides(desk: Desk) -> None:
    desk.queue(1, needed=lambda _: 2)
    desk.judge("ann", FAIL)
    outcome = desk.judge("bob", PASS)
    (opened,) = desk.wheel.rubric.disputes(desk.project, 10)
    assert (outcome.outcome, outcome.outcome_id) == ("dispute", opened.dispute.id)
    assert [one.annotator for one in opened.annotations] == ["ann", "bob"]
    assert opened.entry.id == "entry-1"
    assert desk.labels() == []
    decision = Judgement(verdict=Verdict.failed, categories=("missed-point",))
    label = desk.wheel.rubric.adjudicate(desk.project, opened.dispute.id, "olga", decision)
    assert desk.labels() == [label]
    assert (label.settled, label.decided_by, label.categories) == (Settled.adjudicated, "olga", ("missed-point",))
    assert label.critique == FAIL.critique
    assert len(desk.annotations()) == 2
    assert desk.wheel.rubric.disputes(desk.project, 10) == []


def test_the_same_decision_twice_is_one_label_and_another_is_refused(desk: Desk) -> None:
    desk.queue(1, needed=lambda _: 2)
    desk.judge("ann", FAIL)
    dispute = desk.judge("bob", PASS).outcome_id
    assert dispute is not None
    label = desk.wheel.rubric.adjudicate(desk.project, dispute, "olga", FAIL)
    assert desk.wheel.rubric.adjudicate(desk.project, dispute, "olga", FAIL) == label
    with pytest.raises(Conflict):
        desk.wheel.rubric.adjudicate(desk.project, dispute, "olga", PASS)
    assert desk.labels() == [label]


def test_a_decision_must_hold_under_the_codebook(desk: Desk) -> None:
    desk.queue(1, needed=lambda _: 2)
    desk.judge("ann", FAIL)
    dispute = desk.judge("bob", PASS).outcome_id
    assert dispute is not None
    nonsense = Judgement(verdict=Verdict.failed, categories=("nonsense",))
    with pytest.raises(Invalid) as refused:
        desk.wheel.rubric.adjudicate(desk.project, dispute, "olga", nonsense)
    assert refused.value.field == "categories.0"


# --- correcting


def test_a_correction_makes_a_new_annotation_and_a_new_label(desk: Desk) -> None:
    desk.queue(1)
    first = desk.judge("ann", FAIL)
    second = desk.correct(first.annotation.id, "ann", PASS)
    (label,) = desk.labels()
    assert second.annotation.supersedes == first.annotation.id
    assert (label.verdict, label.supersedes) == (Verdict.passed, first.outcome_id)
    assert desk.annotations() == [second.annotation]


def test_the_same_correction_again_is_the_same_answer(desk: Desk) -> None:
    desk.queue(1)
    first = desk.judge("ann", FAIL)
    second = desk.correct(first.annotation.id, "ann", PASS)
    assert desk.correct(first.annotation.id, "ann", PASS) == second
    with pytest.raises(Conflict):
        desk.correct(first.annotation.id, "ann", FAIL)
    assert len(desk.labels()) == 1


def test_a_correction_can_settle_a_dispute_and_open_one(desk: Desk) -> None:
    desk.queue(1, needed=lambda _: 2)
    first = desk.judge("ann", FAIL)
    desk.judge("bob", PASS)
    second = desk.correct(first.annotation.id, "ann", PASS)
    assert (second.outcome, desk.wheel.rubric.disputes(desk.project, 10)) == ("label", [])
    third = desk.correct(second.annotation.id, "ann", FAIL)
    assert (third.outcome, desk.labels()) == ("dispute", [])
    assert len(desk.wheel.rubric.disputes(desk.project, 10)) == 1
    fourth = desk.correct(third.annotation.id, "ann", PASS)
    assert [label.id for label in desk.labels()] == [fourth.outcome_id]


def test_correcting_the_first_of_two_leaves_the_second_at_work(desk: Desk) -> None:
    desk.queue(1, needed=lambda _: 2)
    first = desk.judge("ann", FAIL)
    served = desk.take("bob")
    assert served is not None
    assert desk.correct(first.annotation.id, "ann", PASS).outcome == "waiting"
    assert desk.submit(served, PASS).outcome == "label"


def test_only_the_last_ten_stay_editable(desk: Desk) -> None:
    desk.queue(11)
    made = []
    for _ in range(11):
        desk.clock.advance(seconds=30)
        made.append(desk.judge("ann").annotation)
    assert desk.wheel.annotate.recent(desk.project, "ann") == made[:0:-1]
    with pytest.raises(Conflict):
        desk.correct(made[0].id, "ann", FAIL)
    with pytest.raises(Conflict):
        desk.undo(made[0].id, "ann")
    assert desk.correct(made[1].id, "ann", FAIL).outcome == "label"


def test_nobody_corrects_or_takes_back_what_another_said(desk: Desk) -> None:
    desk.queue(1)
    first = desk.judge("ann")
    with pytest.raises(NotAllowed):
        desk.correct(first.annotation.id, "bob", FAIL)
    with pytest.raises(NotAllowed):
        desk.undo(first.annotation.id, "bob")


def test_what_the_owner_has_decided_stays_decided(desk: Desk) -> None:
    desk.queue(1, needed=lambda _: 2)
    first = desk.judge("ann", FAIL)
    dispute = desk.judge("bob", PASS).outcome_id
    assert dispute is not None
    label = desk.wheel.rubric.adjudicate(desk.project, dispute, "olga", FAIL)
    with pytest.raises(Conflict):
        desk.correct(first.annotation.id, "ann", PASS)
    with pytest.raises(Conflict):
        desk.undo(first.annotation.id, "ann")
    assert desk.labels() == [label]


# --- undoing


def test_undo_returns_the_entry_to_the_same_person_and_takes_the_label_away(desk: Desk) -> None:
    desk.queue(2)
    first = desk.judge("ann", FAIL)
    back = desk.undo(first.annotation.id, "ann")
    assert (back.entry.id, back.earlier) == ("entry-1", first.annotation)
    assert desk.labels() == []
    assert desk.annotations() == []
    other = desk.take("bob")
    assert other is not None
    assert other.entry.id == "entry-2"
    again = desk.submit(back, PASS)
    (label,) = desk.labels()
    assert again.annotation.supersedes == first.annotation.id
    assert (label.verdict, label.supersedes) == (Verdict.passed, first.outcome_id)


def test_undo_twice_is_undo_once(desk: Desk) -> None:
    desk.queue(1)
    first = desk.judge("ann", FAIL)
    assert desk.undo(first.annotation.id, "ann").lease == desk.undo(first.annotation.id, "ann").lease
    back = desk.take("ann")
    assert back is not None
    desk.submit(back, PASS)
    with pytest.raises(Conflict):
        desk.undo(first.annotation.id, "ann")


def test_an_undone_entry_that_is_abandoned_goes_to_somebody_else(desk: Desk) -> None:
    desk.queue(1)
    first = desk.judge("ann", FAIL)
    desk.undo(first.annotation.id, "ann")
    desk.clock.advance(minutes=15)
    outcome = desk.judge("bob", PASS)
    (label,) = desk.labels()
    assert (label.id, label.supersedes) == (outcome.outcome_id, first.outcome_id)


def test_undo_of_one_of_two_keeps_the_other(desk: Desk) -> None:
    desk.queue(1, needed=lambda _: 2)
    desk.judge("ann", FAIL)
    second = desk.judge("bob", PASS)
    back = desk.undo(second.annotation.id, "bob")
    assert desk.wheel.rubric.disputes(desk.project, 10) == []
    assert desk.take("ann") is None
    assert desk.submit(back, FAIL).outcome == "label"
    (label,) = desk.labels()
    assert label.annotators == ("ann", "bob")


def test_an_entry_taken_back_by_one_is_not_for_who_judged_it_before(desk: Desk) -> None:
    desk.queue(1, needed=lambda _: 2)
    desk.judge("ann", FAIL)
    second = desk.judge("bob", PASS)
    desk.undo(second.annotation.id, "bob")
    desk.clock.advance(minutes=15)
    assert desk.take("ann") is None
    assert desk.judge("cai", FAIL).outcome == "label"


def test_undo_is_refused_while_the_second_annotator_is_at_work(desk: Desk) -> None:
    desk.queue(1, needed=lambda _: 2)
    first = desk.judge("ann", FAIL)
    served = desk.take("bob")
    assert served is not None
    with pytest.raises(Conflict):
        desk.undo(first.annotation.id, "ann")
    assert desk.submit(served, FAIL).outcome == "label"


def test_undo_does_not_bring_back_what_was_dropped(desk: Desk) -> None:
    desk.queue(1, needed=lambda _: 2)
    first = desk.judge("ann", FAIL)
    desk.wheel.rubric.drop(desk.project, ["entry-1"], "expired")
    with pytest.raises(Conflict):
        desk.undo(first.annotation.id, "ann")
    assert len(desk.annotations()) == 1


# --- skipping, assigning


def test_a_skipped_entry_goes_to_somebody_else(desk: Desk) -> None:
    desk.queue(2)
    served = desk.take("ann")
    assert served is not None
    desk.skip(served, "I know this customer")
    desk.skip(served)
    ann, bob = desk.take("ann"), desk.take("bob")
    assert ann is not None
    assert bob is not None
    assert (ann.entry.id, bob.entry.id) == ("entry-2", "entry-1")


def test_what_everybody_skipped_waits_for_the_owner(desk: Desk) -> None:
    desk.queue(2)
    for name in ("ann", "bob"):
        desk.wheel.access.add_person(name, Role.annotator, "long enough")
    desk.wheel.access.add_person("vic", Role.viewer, "long enough")
    left = []
    for name in ("ann", "bob"):
        served = desk.take(name)
        assert served is not None
        desk.skip(served, f"not for {name}")
        left.append(desk.wheel.rubric.skipped(desk.project)[0].nobody_left)
    (skipped,) = desk.wheel.rubric.skipped(desk.project)
    assert left == [False, True]
    assert skipped.waiting.entry.id == "entry-1"
    assert [(skip.annotator, skip.why) for skip in skipped.skips] == [("ann", "not for ann"), ("bob", "not for bob")]


def test_a_skip_needs_the_lease(desk: Desk) -> None:
    desk.queue(1)
    with pytest.raises(LeaseExpired):
        desk.wheel.annotate.skip(desk.project, "entry-1", "no token", "ann")


def test_an_assigned_entry_goes_to_that_person_first_and_to_nobody_else(desk: Desk) -> None:
    desk.queue(2)
    assert desk.wheel.rubric.assign(desk.project, ["entry-1", "entry-2", "entry-9"], "bob") == ["entry-1", "entry-2"]
    assert desk.take("ann") is None
    assert desk.judge("bob").annotation.entry_id == "entry-1"
    desk.wheel.rubric.assign(desk.project, ["entry-2"], None)
    assert desk.judge("ann").annotation.entry_id == "entry-2"


def test_the_owner_can_assign_what_somebody_skipped_back_to_them_once(desk: Desk) -> None:
    desk.queue(1)
    served = desk.take("ann")
    assert served is not None
    desk.skip(served)
    desk.wheel.rubric.assign(desk.project, ["entry-1"], "ann")
    again = desk.take("ann")
    assert again is not None
    desk.skip(again)
    assert desk.take("ann") is None
    assert desk.take("bob") is not None


# --- progress


def test_progress_counts_today_and_reckons_the_time_left(desk: Desk) -> None:
    desk.queue(14, needed=lambda number: 2 if number == 1 else 1)
    assert desk.wheel.annotate.progress(desk.project, "ann").per_hour is None
    for seconds in (30, 30, 3000, 30):
        desk.clock.advance(seconds=seconds)
        desk.judge("ann")
    progress = desk.wheel.annotate.progress(desk.project, "ann")
    assert (progress.done, progress.waiting) == (4, 10)
    assert progress.per_hour == pytest.approx(120)
    assert progress.minutes_left == pytest.approx(5)
    desk.clock.advance(days=1)
    assert desk.wheel.annotate.progress(desk.project, "ann").done == 0
    assert desk.wheel.annotate.progress(desk.project, "ann", since=MONDAY).done == 4


# --- the codebook


def test_versions_are_numbered_and_the_last_is_current(desk: Desk) -> None:
    changed = a_codebook_file(question="Would the customer come back?")
    version = desk.wheel.rubric.publish(desk.project, changed, "olga", "another question")
    assert (version.version, version.note) == (2, "another question")
    assert desk.wheel.rubric.codebook(desk.project) == version
    assert [each.version for each in desk.wheel.rubric.codebooks(desk.project)] == [2, 1]


def test_an_unchanged_codebook_is_not_published_again(desk: Desk) -> None:
    with pytest.raises(Conflict):
        desk.wheel.rubric.publish(desk.project, a_codebook_file(version=7), "olga")
    assert len(desk.wheel.rubric.codebooks(desk.project)) == 1


def test_a_revision_shows_what_it_would_quarantine_before_it_does(desk: Desk) -> None:
    desk.queue(3)
    desk.judge("ann", FAIL)
    desk.judge("ann", Judgement(verdict=Verdict.failed, categories=("missed-point",)))
    desk.judge("ann", PASS)
    file = a_codebook_file()
    file["categories"][0]["definition"] = "States something that was never so."
    revision = desk.wheel.rubric.revise(desk.project, file)
    assert revision.current is not None
    assert revision.changes is not None
    assert dict(revision.changes.changed) == {"wrong-fact": ("definition",)}
    assert (revision.quarantined, revision.n_quarantined) == (frozenset({"wrong-fact"}), 1)
    assert len(desk.wheel.rubric.codebooks(desk.project)) == 1


def test_the_first_codebook_revises_nothing(desk: Desk) -> None:
    revision = desk.wheel.rubric.revise(desk.wheel.project("fresh"), a_codebook_file())
    assert (revision.current, revision.changes, revision.n_quarantined) == (None, None, 0)


# --- two answers to one question


def _answered_twice(desk: Desk) -> None:
    """Three traces of one session; the second answers the question of the first again, the third another one."""
    with desk.wheel.ledger.begin(desk.project) as tx:
        entries = []
        for number, (asked, said) in enumerate([("fee?", "Four."), ("fee? ", "Five."), ("why?", "Because.")], start=1):
            at = MONDAY + timedelta(minutes=number)
            trace = a_trace(id=f"trace-{number}", session_id="s1", input=asked, output=said, started_at=at)
            entry = an_entry(id=f"entry-{number}", trace_id=trace.id, draw_id="draw-1", rank=number, serve_rank=number)
            entries.append((keep_trace(tx, trace), entry))
        tx.queue.add_draw(a_draw(id="draw-1", at=desk.clock()), entries)


def test_where_a_question_was_answered_twice_the_other_answer_comes_too(desk: Desk) -> None:
    _answered_twice(desk)
    first, second, third = (desk.take("ann", *held) for held in ((), ("entry-1",), ("entry-1", "entry-2")))
    assert first is not None
    assert second is not None
    assert third is not None
    assert (first.other and first.other.id, second.other and second.other.id) == ("trace-2", "trace-1")
    assert third.other is None


def test_which_is_better_goes_with_the_label(desk: Desk) -> None:
    _answered_twice(desk)
    better = Comparison(other_trace_id="trace-2", better=Better.other)
    assert desk.judge("ann", replace(PASS, comparison=better)).outcome == "label"
    (label,) = desk.wheel.annotate.labels(desk.project, 10)
    assert label.comparison == better


@pytest.mark.parametrize("other", ["trace-1", "trace-3", "nowhere"])
def test_only_two_answers_to_the_same_question_are_compared(desk: Desk, other: str) -> None:
    _answered_twice(desk)
    with pytest.raises(Invalid, match="same question"):
        desk.judge("ann", replace(PASS, comparison=Comparison(other_trace_id=other, better=Better.this)))
