"""Laws that hold after any sequence of what reviewers and owners can do."""

from __future__ import annotations

import itertools
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import event

from tests.conftest import Clock
from tests.factories import a_codebook_file, a_draw, a_trace, an_entry
from tests.road import keep_trace
from thumbwheel.domain.annotation import Annotation, Judgement, Settled, Verdict
from thumbwheel.errors import Conflict, LeaseExpired
from thumbwheel.services.annotate import MOST_HELD, Annotate, Served
from thumbwheel.services.rubric import Rubric
from thumbwheel.store.engine import open_engine
from thumbwheel.store.ledger import Ledger
from thumbwheel.store.tables import metadata

PROJECT = 1
PEOPLE = st.sampled_from(["ann", "bob", "cai"])
NEEDED = {"entry-1": 2, "entry-2": 1, "entry-3": 2, "entry-4": 3}
JUDGEMENTS = st.sampled_from(
    [
        Judgement(verdict=Verdict.passed),
        Judgement(verdict=Verdict.failed, categories=("wrong-fact",)),
    ]
)
INDEX = st.integers(0, 50)


class Desk(RuleBasedStateMachine):
    """Three people, an owner, and four entries that need one, two or three judgements."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        engine = open_engine(f"sqlite:///{Path(self.folder.name)}/desk.db")
        event.listen(engine, "connect", lambda connection, _record: connection.execute("PRAGMA synchronous=OFF"))
        metadata.create_all(engine)
        self.ledger = Ledger(engine)
        self.clock = Clock()
        numbers = itertools.count(1)
        mint = lambda: f"{next(numbers):08}"  # noqa: E731
        self.annotate = Annotate(self.ledger, self._tick, mint)
        self.rubric = Rubric(self.ledger, self._tick, mint)
        self.rubric.publish(PROJECT, a_codebook_file(), "olga")
        self.served: list[Served] = []
        self.said: list[Annotation] = []
        self.dropped: set[str] = set()
        with self.ledger.begin(PROJECT) as tx:
            entries = []
            for number, (entry_id, needed) in enumerate(NEEDED.items(), 1):
                ref = keep_trace(tx, a_trace(id=f"trace-{number}"))
                entry = an_entry(id=entry_id, trace_id=f"trace-{number}", serve_rank=number, labels_needed=needed)
                entries.append((ref, entry))
            tx.queue.add_draw(a_draw(), entries)

    def _tick(self) -> datetime:
        return self.clock.advance(microseconds=1)

    def teardown(self) -> None:
        self.ledger.engine.dispose()
        self.folder.cleanup()

    # --- what people do

    @rule(person=PEOPLE, ahead=st.booleans())
    def take(self, person: str, ahead: bool) -> None:
        with self.ledger.read(PROJECT) as tx:
            holding = [each.entry.id for each in tx.leases.list_held(person)] if ahead else []
        served = self.annotate.next(PROJECT, person, holding)
        if served is not None:
            assert served.entry.id not in holding
            assert served.entry.id not in self.dropped
            self.served.append(served)

    @rule(person=PEOPLE, judgement=JUDGEMENTS)
    def judge(self, person: str, judgement: Judgement) -> None:
        self.take(person=person, ahead=False)
        if self.served and self.served[-1].lease.annotator == person:
            self.submit(which=len(self.served) - 1, judgement=judgement)

    @precondition(lambda self: self.served)
    @rule(which=INDEX, judgement=JUDGEMENTS)
    def submit(self, which: int, judgement: Judgement) -> None:
        served = self.served[which % len(self.served)]
        lease = served.lease
        try:
            outcome = self.annotate.submit(PROJECT, served.entry.id, lease.token, lease.annotator, judgement)
        except LeaseExpired:
            return
        again = self.annotate.submit(PROJECT, served.entry.id, lease.token, lease.annotator, judgement)
        assert again == outcome
        self.said.append(outcome.annotation)

    @precondition(lambda self: self.served)
    @rule(which=INDEX)
    def skip(self, which: int) -> None:
        served = self.served[which % len(self.served)]
        try:
            self.annotate.skip(PROJECT, served.entry.id, served.lease.token, served.lease.annotator)
        except LeaseExpired:
            return

    @precondition(lambda self: self.said)
    @rule(which=INDEX, judgement=JUDGEMENTS)
    def correct(self, which: int, judgement: Judgement) -> None:
        said = self.said[which % len(self.said)]
        try:
            self.said.append(self.annotate.correct(PROJECT, said.id, said.annotator, judgement).annotation)
        except Conflict:
            return

    @precondition(lambda self: self.said)
    @rule(which=INDEX)
    def undo(self, which: int) -> None:
        said = self.said[which % len(self.said)]
        try:
            back = self.annotate.undo(PROJECT, said.id, said.annotator)
        except Conflict:
            return
        assert (back.entry.id, back.lease.annotator) == (said.entry_id, said.annotator)
        self.served.append(back)

    @rule(which=INDEX, judgement=JUDGEMENTS)
    def decide(self, which: int, judgement: Judgement) -> None:
        opened = self.rubric.disputes(PROJECT, 10)
        if opened:
            dispute = opened[which % len(opened)].dispute
            label = self.rubric.adjudicate(PROJECT, dispute.id, "olga", judgement)
            assert self.rubric.adjudicate(PROJECT, dispute.id, "olga", judgement) == label

    @rule(entry=st.sampled_from([*NEEDED]), person=st.one_of(st.none(), PEOPLE))
    def assign(self, entry: str, person: str | None) -> None:
        self.rubric.assign(PROJECT, [entry], person)

    @rule(entry=st.sampled_from(["entry-2", "entry-3"]))
    def drop(self, entry: str) -> None:
        self.dropped.update(self.rubric.drop(PROJECT, [entry], "expired"))

    @rule()
    def leases_lapse(self) -> None:
        self.clock.at += timedelta(minutes=20)

    # --- what always holds

    @invariant()
    def each_entry_is_where_its_annotations_say(self) -> None:
        with self.ledger.read(PROJECT) as tx:
            standing = tx.annotations.list_by_entry([*NEEDED])
            labels = tx.annotations.list_labels(100)
            disputed = {each.dispute.entry_id for each in tx.annotations.list_disputes(100)}
            waits = {each.entry.id for each in tx.queue.list_waiting(100)}
        assert len({label.entry_id for label in labels}) == len(labels), "one label an entry stands"
        labelled = {label.entry_id: label for label in labels}
        for entry, needed in NEEDED.items():
            voices = standing[entry]
            assert len({one.annotator for one in voices}) == len(voices) <= needed
            agree = len({(one.verdict, one.categories) for one in voices}) <= 1
            complete = len(voices) == needed
            decided = entry in labelled and labelled[entry].settled is Settled.adjudicated
            assert (entry in waits) == (not complete and entry not in self.dropped)
            assert (entry in disputed) == (complete and not agree and not decided)
            assert (entry in labelled) == (complete and (agree or decided))
            if entry in labelled:
                assert set(labelled[entry].annotation_ids) == {one.id for one in voices}

    @invariant()
    def nobody_holds_too_much_or_what_they_have_judged(self) -> None:
        with self.ledger.read(PROJECT) as tx:
            for person in ("ann", "bob", "cai"):
                held = [each.entry.id for each in tx.leases.list_held(person)]
                judged = tx.annotations.list_by_entry(held)
                assert not [entry for entry in held if any(one.annotator == person for one in judged[entry])]
                # An entry that was taken back comes on top of what they held.
                assert len(held) <= MOST_HELD + len(self.said)


Desk.TestCase.settings = settings(
    max_examples=25, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestDesk = Desk.TestCase
