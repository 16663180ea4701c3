"""What an owner does with what waits: filters, bulk changes and their undoing, entries by hand, quotas, lone reviewers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.conftest import NOW, Clock
from tests.factories import a_codebook_file, a_draw, a_trace, an_entry
from tests.road import keep_trace
from thumbwheel.app import Wheel, mint_id
from thumbwheel.domain.annotation import Dispute, Judgement, Label, Settled, Verdict
from thumbwheel.domain.person import Person, Role
from thumbwheel.domain.queue import Policy, Purpose
from thumbwheel.errors import Conflict, Invalid, LeaseExpired
from thumbwheel.services.annotate import Annotate
from thumbwheel.services.queue import QueueDesk, WaitingFilter
from thumbwheel.store.ledger import Ledger

PROJECT = 1
PASS = Judgement(verdict=Verdict.passed)
FAIL = Judgement(verdict=Verdict.failed)


class Desk:
    def __init__(self, ledger: Ledger, clock: Clock, mint: Callable[[], str]) -> None:
        self.ledger, self.clock = ledger, clock
        self.queue = QueueDesk(ledger, clock, mint)
        self.annotate = Annotate(ledger, clock, mint)

    def fill(self, n: int, *, needed: int = 1, draw: str = "draw-1") -> None:
        """Entries `entry-1` and so on, of every policy and three categories in turn."""
        policies, categories = list(Policy), ("billing", "returns", None)
        with self.ledger.begin(PROJECT) as tx:
            entries = []
            for number in range(1, n + 1):
                trace = a_trace(id=f"trace-{number}", session_id=None)
                entry = an_entry(
                    id=f"entry-{number}",
                    trace_id=trace.id,
                    draw_id=draw,
                    policy=policies[number % 5],
                    serve_rank=number,
                    category=categories[number % 3],
                    reason=f"because {number} % sure",
                    labels_needed=needed,
                    added_at=NOW - timedelta(days=1, minutes=-number),
                )
                entries.append((keep_trace(tx, trace), entry))
            tx.queue.add_draw(a_draw(id=draw, at=NOW), entries)

    def find(self, sort: str = "oldest", **only: str) -> list[str]:
        found = self.queue.find(PROJECT, WaitingFilter(**only), sort)  # type: ignore[arg-type]
        assert found.n == len(found.items)
        return [each.entry.id for each in found.items]

    def judge(self, name: str, judgement: Judgement = PASS) -> str:
        served = self.annotate.next(PROJECT, name)
        assert served is not None
        self.clock.advance(seconds=30)
        self.annotate.submit(PROJECT, served.entry.id, served.lease.token, name, judgement)
        return served.entry.id


@pytest.fixture
def desk(ledger: Ledger, clock: Clock) -> Desk:
    return Desk(ledger, clock, mint_id)


# --- looking


def test_what_waits_is_filtered_and_sorted_in_the_store(desk: Desk) -> None:
    desk.fill(12)
    assert desk.find() == [f"entry-{n}" for n in range(1, 13)]
    assert desk.find("newest")[0] == "entry-12"
    assert desk.find(policy="negative") == ["entry-1", "entry-6", "entry-11"]
    assert desk.find(category="none") == ["entry-2", "entry-5", "entry-8", "entry-11"]
    assert desk.find(policy="negative", category="none") == ["entry-11"]
    assert desk.find(text="TRACE-1") == ["entry-1", "entry-10", "entry-11", "entry-12"]
    assert desk.find(text="7 % sure") == ["entry-7"], "a mark of LIKE is a letter"
    assert desk.find(text="%") == desk.find()
    assert desk.find("category")[-1] == "entry-10", "returns come after billing and none"
    found = desk.queue.find(PROJECT, WaitingFilter(policy="negative"))
    assert (found.n, found.n_waiting) == (3, 12)
    assert found.facets["category"] == {"billing": 4, "none": 4, "returns": 4}
    with pytest.raises(Invalid):
        desk.queue.find(PROJECT, WaitingFilter(), "entry_id; DROP TABLE waiting")


def test_entries_kept_for_somebody_are_found_by_name_and_the_others_as_nobodys(desk: Desk) -> None:
    desk.fill(3)
    desk.queue.assign(PROJECT, ["entry-2"], "ann", "olga")
    assert (desk.find(kept_for="ann"), desk.find(kept_for="nobody")) == (["entry-2"], ["entry-1", "entry-3"])


# --- many at once, and undone


def test_a_drop_is_undone_to_the_place_each_entry_had(desk: Desk) -> None:
    desk.fill(4, needed=2)
    desk.judge("ann")
    desk.queue.assign(PROJECT, ["entry-3"], "ben", "olga")
    with desk.ledger.read(PROJECT) as tx:
        before = tx.queue.list_waiting(10)
    changed = desk.queue.drop(PROJECT, ["entry-1", "entry-3", "entry-4", "entry-99"], "by mistake", "olga")
    assert (sorted(changed.entry_ids), desk.find()) == (["entry-1", "entry-3", "entry-4"], ["entry-2"])
    undone = desk.queue.undo(PROJECT, changed.change_id, "olga")
    assert sorted(undone.entry_ids) == ["entry-1", "entry-3", "entry-4"]
    with desk.ledger.read(PROJECT) as tx:
        assert tx.queue.list_waiting(10) == before
        assert tx.queue.find_drop("entry-1") is None
    assert desk.annotate.next(PROJECT, "ann").entry.id == "entry-2", "her own judgement is still known"  # type: ignore[union-attr]
    with pytest.raises(Conflict):
        desk.queue.undo(PROJECT, changed.change_id, "olga")


def test_what_was_dropped_anew_meanwhile_stays_dropped(desk: Desk) -> None:
    desk.fill(1)
    first = desk.queue.drop(PROJECT, ["entry-1"], "one", "olga")
    desk.queue.undo(PROJECT, first.change_id, "olga")
    desk.clock.advance(seconds=1)
    second = desk.queue.drop(PROJECT, ["entry-1"], "two", "olga")
    with pytest.raises(Conflict):
        desk.queue.undo(PROJECT, first.change_id, "olga")
    assert desk.queue.undo(PROJECT, None, "olga").entry_ids == second.entry_ids


def test_an_assignment_is_undone_for_each_as_it_was(desk: Desk) -> None:
    desk.fill(3)
    desk.queue.assign(PROJECT, ["entry-1"], "ben", "olga")
    changed = desk.queue.assign(PROJECT, ["entry-1", "entry-2"], "ann", "olga")
    desk.queue.undo(PROJECT, changed.change_id, "olga")
    assert (desk.find(kept_for="ben"), desk.find(kept_for="ann")) == (["entry-1"], [])


def test_nothing_is_changed_without_a_reason_or_entries(desk: Desk) -> None:
    desk.fill(1)
    with pytest.raises(Invalid, match="why"):
        desk.queue.drop(PROJECT, ["entry-1"], " ", "olga")
    assert desk.queue.drop(PROJECT, ["entry-9"], "gone", "olga").change_id is None
    with pytest.raises(Conflict):
        desk.queue.undo(PROJECT, None, "olga")


# --- by hand


def test_traces_added_by_hand_wait_and_are_in_no_rate(wheel: Wheel, clock: Clock) -> None:
    project = wheel.project("default")
    wheel.rubric.publish(project, a_codebook_file(), "olga")
    with wheel.ledger.archive(project) as tx:
        for number in (1, 2):
            keep_trace(tx, a_trace(id=f"trace-{number}", started_at=clock() - timedelta(hours=5)))
    added = wheel.queue.add(project, ["trace-1", "trace-1", "trace-9"], "olga", "a complaint")
    again = wheel.queue.add(project, ["trace-1", "trace-2"], "olga")
    assert (len(added.entry_ids), added.missing) == (1, ["trace-9"])
    assert (len(again.entry_ids), again.known) == (1, ["trace-1"])
    served = wheel.annotate.next(project, "ann")
    assert served is not None
    assert (served.entry.reason, served.entry.purpose) == ("a complaint", Purpose.chosen)
    wheel.annotate.submit(
        project,
        served.entry.id,
        served.lease.token,
        "ann",
        Judgement(verdict=Verdict.failed, categories=("wrong-fact",)),
    )
    assert wheel.close.route(project).golden == 1, "what is wrong is worth a golden row"
    assert wheel.sample.list_draws(project) == [], "chance did not draw it"
    assert wheel.sample.trim(project) == {"expired": 0, "overflow": 0}
    report = wheel.measure.report(project)
    assert {step.name: step.n for step in report.funnel}["labelled"] == 0
    with pytest.raises(Invalid):
        wheel.queue.add(project, [], "olga")


# --- one reviewer, doubled entries


def test_entries_a_lone_reviewer_has_done_are_named_and_released(desk: Desk) -> None:
    desk.fill(3, needed=2)
    judged = [desk.judge("ann"), desk.judge("ann", FAIL)]
    stalled = desk.queue.stalled(PROJECT)
    assert (list(stalled.entry_ids), list(stalled.reviewers)) == (judged, ["ann"])
    released = desk.queue.release(PROJECT, [*judged, "entry-3", "entry-9"], "olga")
    assert [(one.settled, one.annotators) for one in released if isinstance(one, Label)] == [
        (Settled.single, ("ann",))
    ] * 2
    assert desk.find() == ["entry-3"], "what nobody judged waits on"
    assert desk.queue.stalled(PROJECT).entry_ids == ()


def test_with_a_second_reviewer_nothing_is_stalled(desk: Desk) -> None:
    desk.fill(3, needed=2)
    desk.judge("ann")
    desk.judge("ben")
    desk.judge("ann")
    assert desk.queue.stalled(PROJECT).entry_ids == ()


def test_releasing_judgements_that_differ_opens_a_dispute_and_takes_it_from_who_holds_it(desk: Desk) -> None:
    desk.fill(1, needed=4)
    for name, judgement in (("ann", PASS), ("ben", FAIL)):
        desk.judge(name, judgement)
    served = desk.annotate.next(PROJECT, "cai")
    assert served is not None
    (outcome,) = desk.queue.release(PROJECT, ["entry-1"], "olga")
    assert isinstance(outcome, Dispute)
    with pytest.raises(LeaseExpired):
        desk.annotate.submit(PROJECT, "entry-1", served.lease.token, "cai", PASS)


# --- quotas


def test_a_quota_bounds_what_is_left_of_the_day(desk: Desk) -> None:
    desk.fill(9)
    desk.queue.set_quota(PROJECT, "ann", 5, "olga")
    for _ in range(3):
        desk.judge("ann")
    progress = desk.annotate.progress(PROJECT, "ann")
    assert (progress.done, progress.quota, progress.waiting, progress.left) == (3, 5, 6, 2)
    assert progress.minutes_left == pytest.approx(1.0), "two more, half a minute each"
    desk.queue.set_quota(PROJECT, "ann", None, "olga")
    assert desk.annotate.progress(PROJECT, "ann").left == 6
    with pytest.raises(Invalid):
        desk.queue.set_quota(PROJECT, "ann", -1, "olga")


def test_the_owner_sees_how_far_everybody_is(desk: Desk) -> None:
    desk.fill(9)
    with desk.ledger.begin(PROJECT) as tx:
        for name, role in (("cai", Role.annotator), ("olga", Role.owner)):
            tx.people.add(Person(id=name, name=name, role=role, created_at=NOW), "no hash")
    desk.queue.set_quota(PROJECT, "ann", 4, "olga")
    desk.queue.assign(PROJECT, ["entry-8", "entry-9"], "cai", "olga")
    for _ in range(2):
        desk.judge("ann")
    ann, cai = desk.queue.reviewers(PROJECT)
    assert (ann.name, ann.done, ann.quota, ann.per_hour, ann.minutes_left) == ("ann", 2, 4, 120.0, 1.0)
    assert (cai.name, cai.done, cai.n_kept, cai.minutes_left) == ("cai", 0, 2, None)
