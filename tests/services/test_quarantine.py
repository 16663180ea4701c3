"""Labels whose meaning a revision changed: out of every figure and export, until affirmed or judged again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.conftest import Clock
from tests.factories import a_codebook_file, a_draw, a_trace, an_entry
from tests.road import keep_trace
from thumbwheel.app import Wheel
from thumbwheel.domain.annotation import Judgement, Label, Settled, Verdict
from thumbwheel.domain.artifact import Check, CheckKind, FixKind
from thumbwheel.domain.queue import Purpose
from thumbwheel.errors import Conflict, Invalid, NotHere

PASS = Judgement(verdict=Verdict.passed)
FACT = Judgement(verdict=Verdict.failed, categories=("wrong-fact",), critique="It is 30 days.")
POINT = Judgement(verdict=Verdict.failed, categories=("missed-point",))


def revised(**fields: str) -> dict[str, object]:
    """The codebook with another text in its first category, `wrong-fact`."""
    file = a_codebook_file()
    first, *others = file["categories"]
    return file | {"categories": [first | fields, *others]}


class Desk:
    def __init__(self, wheel: Wheel, clock: Clock) -> None:
        self.wheel, self.clock = wheel, clock
        self.project = wheel.project("default")
        wheel.rubric.publish(self.project, a_codebook_file(), "olga")

    def queue(self, *needed: int) -> None:
        """Entries `entry-1` and so on, each of which needs so many judgements."""
        with self.wheel.ledger.begin(self.project) as tx:
            entries = []
            for number, labels_needed in enumerate(needed, 1):
                trace = a_trace(id=f"trace-{number}", started_at=self.clock() - timedelta(days=1))
                entry = an_entry(
                    id=f"entry-{number}",
                    trace_id=trace.id,
                    rank=number,
                    serve_rank=number,
                    labels_needed=labels_needed,
                    added_at=self.clock(),
                )
                entries.append((keep_trace(tx, trace), entry))
            tx.queue.add_draw(a_draw(id="draw-1", at=self.clock()), entries)

    def judge(self, name: str, *judgements: Judgement) -> None:
        for judgement in judgements:
            served = self.wheel.annotate.next(self.project, name)
            assert served is not None
            self.clock.advance(seconds=20)
            self.wheel.annotate.submit(self.project, served.entry.id, served.lease.token, name, judgement)

    def labels(self) -> list[Label]:
        return self.wheel.annotate.labels(self.project, 100)

    def aside(self) -> list[Label]:
        return [each.label for each in self.wheel.quarantine.labels(self.project, 100)]

    def golden(self) -> list[str]:
        self.wheel.close.route(self.project)
        return [row.provenance.trace_id for row in self.wheel.close.stream_golden(self.project)]


@pytest.fixture
def desk(wheel: Wheel, clock: Clock) -> Desk:
    return Desk(wheel, clock)


def test_a_changed_meaning_takes_its_labels_out_of_everything_and_counts_them(desk: Desk) -> None:
    desk.queue(1, 1, 1)
    desk.judge("ann", FACT, POINT, PASS)
    assert sorted(desk.golden()) == ["trace-1", "trace-2"]
    foreseen = desk.wheel.rubric.revise(desk.project, revised(definition="Contradicts a document it was given."))
    desk.wheel.rubric.publish(desk.project, revised(definition="Contradicts a document it was given."), "olga")
    assert [label.trace_id for label in desk.aside()] == ["trace-1"]
    assert foreseen.n_quarantined == desk.wheel.quarantine.count(desk.project) == 1
    assert [label.trace_id for label in desk.labels()] == ["trace-2", "trace-3"]
    assert [row.provenance.trace_id for row in desk.wheel.close.stream_golden(desk.project)] == ["trace-2"]
    assert [each.label.trace_id for each in desk.wheel.close.stream_labelled(desk.project)] == ["trace-2", "trace-3"]
    with desk.wheel.ledger.read(desk.project) as tx:
        assert [outcome.failed for outcome in tx.outcomes.list_for(["draw-1"])] == [None, True, False]
    report = desk.wheel.measure.report(desk.project)
    assert report.waiting.n_quarantined == 1
    assert {step.name: step.n for step in report.funnel}["labelled"] == 2


@pytest.mark.parametrize("fields", [{"name": "Untrue"}, {"key": "z"}])
def test_another_name_or_key_sets_nothing_aside(desk: Desk, fields: dict[str, str]) -> None:
    desk.queue(1)
    desk.judge("ann", FACT)
    desk.wheel.rubric.publish(desk.project, revised(**fields), "olga")
    assert desk.aside() == []
    assert len(desk.labels()) == 1


def test_another_question_sets_passes_aside_as_well(desk: Desk) -> None:
    desk.queue(1, 1)
    desk.judge("ann", FACT, PASS)
    desk.wheel.rubric.publish(desk.project, a_codebook_file(question="Would a user come back?"), "olga")
    assert len(desk.aside()) == 2
    assert desk.labels() == []


def test_an_affirmed_label_stands_as_it_was_settled_and_keeps_what_hung_on_it(desk: Desk) -> None:
    desk.queue(1)
    desk.judge("ann", FACT)
    (trace_id,) = desk.golden()
    (row,) = desk.wheel.close.stream_golden(desk.project)
    check = Check(kind=CheckKind.contains, value="30 days")
    desk.wheel.close.choose_check(desk.project, row.id, check)
    (before,) = desk.labels()
    desk.wheel.close.add_fix(desk.project, FixKind.prompt, "PR 7", labels=[before.id])
    desk.wheel.rubric.publish(desk.project, revised(edge_case="A rounded number is not wrong."), "olga")
    desk.clock.advance(days=3)
    (affirmed,) = desk.wheel.quarantine.affirm(desk.project, [before.id], "olga")
    assert desk.labels() == [affirmed]
    assert (affirmed.settled_at, affirmed.annotation_ids) == (before.settled_at, before.annotation_ids)
    assert (affirmed.codebook_version, affirmed.affirmed_by, affirmed.supersedes) == (2, "olga", before.id)
    assert desk.golden() == [trace_id]
    (again,) = desk.wheel.close.stream_golden(desk.project)
    assert again.check == check
    assert desk.wheel.measure.report(desk.project).closing.n_unanswered == 0, "its fix still answers it"
    assert desk.wheel.quarantine.affirm(desk.project, [before.id], "olga") == [], "affirming twice is affirming once"
    assert desk.wheel.quarantine.count(desk.project) == 0


def test_a_label_of_a_category_that_is_gone_can_only_be_judged_again(desk: Desk) -> None:
    desk.queue(1)
    desk.judge("ann", FACT)
    (label,) = desk.labels()
    file = a_codebook_file()
    desk.wheel.rubric.publish(desk.project, file | {"categories": file["categories"][1:]}, "olga")
    assert "wrong-fact" in (desk.wheel.quarantine.get(desk.project, label.id).refusal or "")
    with pytest.raises(Invalid, match="wrong-fact"):
        desk.wheel.quarantine.affirm(desk.project, [label.id], "olga")
    assert desk.wheel.quarantine.requeue(desk.project, [label.id], "olga") == ["entry-1"]


def test_a_requeued_entry_is_judged_anew_by_anybody_who_sees_nothing_of_it(desk: Desk) -> None:
    desk.queue(2)
    desk.judge("ann", FACT)
    desk.judge("ben", FACT)
    (label,) = desk.labels()
    desk.wheel.rubric.publish(desk.project, revised(negative="The document itself is wrong."), "olga")
    desk.wheel.quarantine.requeue(desk.project, [label.id], "olga")
    (waiting,) = desk.wheel.rubric.waiting(desk.project, 5)
    assert (waiting.purpose, waiting.entry.purpose) == (Purpose.relabel, Purpose.label)
    served = desk.wheel.annotate.next(desk.project, "ann")
    assert served is not None
    assert served.earlier is None
    desk.judge("ann", PASS)
    desk.judge("ben", PASS)
    (new,) = desk.labels()
    assert (new.verdict, new.settled, new.supersedes, new.codebook_version) == (
        Verdict.passed,
        Settled.agreed,
        label.id,
        2,
    )
    assert desk.wheel.quarantine.count(desk.project) == 0
    with desk.wheel.ledger.read(desk.project) as tx:
        assert len(tx.annotations.list_kept("entry-1")) == 4, "nothing that was said is lost"
        assert [outcome.failed for outcome in tx.outcomes.list_for(["draw-1"])] == [False]


def test_what_is_settled_late_under_an_old_version_is_set_aside_as_well(desk: Desk) -> None:
    desk.queue(1, 1, 2)
    desk.judge("ann", PASS, PASS, FACT)
    desk.wheel.rubric.publish(desk.project, revised(definition="Contradicts a document it was given."), "olga")
    desk.judge("ben", FACT)
    (label,) = desk.aside()
    assert (label.entry_id, label.codebook_version) == ("entry-3", 1), "it rests on one reading of each version"
    assert len(desk.labels()) == 2


def test_a_meaning_that_changed_back_sets_nothing_aside_late(desk: Desk) -> None:
    desk.queue(2)
    desk.judge("ann", FACT)
    desk.wheel.rubric.publish(desk.project, revised(definition="Contradicts a document it was given."), "olga")
    desk.wheel.rubric.publish(desk.project, a_codebook_file(), "olga", "back")
    desk.judge("ben", FACT)
    assert desk.aside() == []
    assert len(desk.labels()) == 1


def test_a_dispute_is_decided_under_the_version_that_was_amended_for_it(desk: Desk) -> None:
    desk.queue(2)
    desk.judge("ann", FACT)
    desk.judge("ben", PASS)
    desk.wheel.rubric.publish(desk.project, revised(edge_case="A rounded number is not wrong."), "olga", "rounding")
    (opened,) = desk.wheel.rubric.disputes(desk.project, 5)
    label = desk.wheel.rubric.adjudicate(desk.project, opened.dispute.id, "olga", PASS)
    assert (label.codebook_version, desk.aside()) == (2, [])


def test_a_reviewer_who_takes_a_judgement_back_takes_it_out_of_quarantine(desk: Desk) -> None:
    desk.queue(1)
    desk.judge("ann", FACT)
    (label,) = desk.labels()
    desk.wheel.rubric.publish(desk.project, revised(definition="Contradicts a document it was given."), "olga")
    desk.wheel.annotate.undo(desk.project, label.annotation_ids[0], "ann")
    desk.judge("ann", POINT)
    assert desk.aside() == []
    assert [(one.supersedes, one.categories) for one in desk.labels()] == [(label.id, ("missed-point",))]


def test_only_what_is_in_quarantine_is_found_there(desk: Desk) -> None:
    desk.queue(1)
    desk.judge("ann", PASS)
    (label,) = desk.labels()
    with pytest.raises(NotHere):
        desk.wheel.quarantine.get(desk.project, label.id)
    assert desk.wheel.quarantine.requeue(desk.project, [label.id], "olga") == []
    with pytest.raises(Conflict, match="already"):
        desk.wheel.rubric.publish(desk.project, a_codebook_file(), "olga")
