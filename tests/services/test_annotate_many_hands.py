"""Twenty reviewers over two thousand entries, some of them crashing: each entry gets what it needs, no more, no less."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, event

from tests.factories import MONDAY, a_codebook_file, a_draw, a_trace, an_entry
from tests.road import keep_trace
from thumbwheel.app import mint_id
from thumbwheel.domain.annotation import Judgement, Verdict
from thumbwheel.errors import LeaseExpired
from thumbwheel.services.annotate import Annotate
from thumbwheel.services.rubric import Rubric
from thumbwheel.store.ledger import Ledger

N_REVIEWERS = 20
N_ENTRIES = 2000
PROJECT = 1
LEASE = timedelta(minutes=15)


@pytest.fixture
def ledger(engine: Engine) -> Ledger:
    """SQLite need not wait for the disk here: it is reviewers that crash, not the machine."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", lambda opened, _: opened.execute("PRAGMA synchronous = OFF"))
        engine.dispose()
    return Ledger(engine)


def labels_needed(number: int) -> int:
    """Every tenth entry needs two people, one needs three."""
    return 3 if number == 1250 else 2 if number % 10 == 0 else 1


def fill(ledger: Ledger, n: int = N_ENTRIES) -> None:
    with ledger.begin(PROJECT) as tx:
        entries = []
        for number in range(n):
            trace = a_trace(id=f"trace-{number}", session_id=None)
            entry = an_entry(
                id=f"entry-{number}", trace_id=trace.id, serve_rank=number, labels_needed=labels_needed(number)
            )
            entries.append((keep_trace(tx, trace), entry))
        tx.queue.add_draw(a_draw(at=MONDAY), entries)


class Time:
    """Moves on when a reviewer has nothing to do, or dawdles: then leases lapse, in whoever's hands they are."""

    def __init__(self) -> None:
        self._at = MONDAY + timedelta(days=9)
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        with self._lock:
            self._at += timedelta(microseconds=1)
            return self._at

    def pass_by(self, span: timedelta) -> None:
        with self._lock:
            self._at += span


class Reviewer:
    """Judges what is served; sometimes dies with leases in hand, sometimes skips, answers twice, or far too late."""

    def __init__(self, annotate: Annotate, clock: Time, number: int) -> None:
        self.annotate = annotate
        self.clock = clock
        self.name = f"reviewer-{number}"
        self.rng = random.Random(number)
        self.n_crashes = 0
        self.n_refused = 0

    def work(self) -> None:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            served = self.annotate.next(PROJECT, self.name)
            if served is not None:
                self._judge(served.entry.id, served.lease.token)
            elif self._anything_left():
                self.clock.pass_by(LEASE / 4)
                time.sleep(0.05)
            else:
                return

    def _judge(self, entry_id: str, token: str) -> None:
        fate = self.rng.random()
        if fate < 0.05:
            self._crash(entry_id)
            return
        if fate < 0.1:
            self.clock.pass_by(LEASE * 0.7)
        try:
            if 0.1 < fate < 0.13:
                self.annotate.skip(PROJECT, entry_id, token, self.name)
                return
            for _ in range(2 if fate < 0.2 else 1):
                self.annotate.submit(PROJECT, entry_id, token, self.name, Judgement(verdict=Verdict.passed))
        except LeaseExpired:
            self.n_refused += 1

    def _crash(self, entry_id: str) -> None:
        """Die holding this entry and one fetched ahead; somebody new sits down."""
        self.annotate.next(PROJECT, self.name, [entry_id])
        self.n_crashes += 1
        self.name = f"{self.name}'"

    def _anything_left(self) -> bool:
        with self.annotate.ledger.read(PROJECT) as tx:
            return tx.queue.count_waiting() > 0


def test_every_entry_gets_exactly_what_it_needs(ledger: Ledger) -> None:
    fill(ledger)
    clock = Time()
    annotate = Annotate(ledger, clock, mint_id, LEASE)
    reviewers = [Reviewer(annotate, clock, number) for number in range(N_REVIEWERS)]
    with ThreadPoolExecutor(N_REVIEWERS) as pool:
        for done in [pool.submit(reviewer.work) for reviewer in reviewers]:
            done.result()

    with ledger.read(PROJECT) as tx:
        by_entry = tx.annotations.list_by_entry([f"entry-{number}" for number in range(N_ENTRIES)])
        made = [one for annotations in by_entry.values() for one in annotations]
        labels = list(tx.annotations.stream_labels())
        assert tx.queue.count_waiting() == 0
    assert all(sum(getattr(each, what) for each in reviewers) for what in ("n_crashes", "n_refused"))
    assert Counter(one.entry_id for one in made) == {f"entry-{n}": labels_needed(n) for n in range(N_ENTRIES)}
    assert len({(one.entry_id, one.annotator) for one in made}) == len(made), "nobody judged an entry twice"
    assert Counter(label.entry_id for label in labels) == {f"entry-{n}": 1 for n in range(N_ENTRIES)}
    assert Counter(id for label in labels for id in label.annotation_ids) == Counter(one.id for one in made)


def test_two_who_change_their_minds_at_once_leave_one_answer(ledger: Ledger) -> None:
    fill(ledger, 5)
    annotate = Annotate(ledger, Time(), mint_id, LEASE)
    made = {}
    for name in ("ann", "bob"):
        served = annotate.next(PROJECT, name)
        assert served is not None
        passed = Judgement(verdict=Verdict.passed)
        made[name] = annotate.submit(PROJECT, "entry-0", served.lease.token, name, passed).annotation.id

    def look() -> None:
        with ledger.read(PROJECT) as tx:
            standing = tx.annotations.list_for("entry-0")
            labels, disputes = tx.annotations.list_labels(10), tx.annotations.list_disputes(10)
        agree = len({one.verdict for one in standing}) == 1
        seen.append((len(standing), len(labels), len(disputes)) == ((2, 1, 0) if agree else (2, 0, 1)))

    def waver(name: str) -> None:
        rng = random.Random(name)
        for _ in range(30):
            together.wait()
            judgement = Judgement(verdict=rng.choice(list(Verdict)))
            made[name] = annotate.correct(PROJECT, made[name], name, judgement).annotation.id
        together.wait()

    seen: list[bool] = []
    together = threading.Barrier(2, look, timeout=60)
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(waver, name) for name in made]:
            done.result()
    assert seen == [True] * 31


def test_no_label_slips_past_a_revision_that_is_published_meanwhile(ledger: Ledger) -> None:
    fill(ledger, 150)
    rubric, annotate = Rubric(ledger, Time(), mint_id), Annotate(ledger, Time(), mint_id)
    file = a_codebook_file()
    first, *others = file["categories"]
    rubric.publish(PROJECT, file, "olga")
    failed = Judgement(verdict=Verdict.failed, categories=(first["id"],), codebook_version=1)

    def judge(number: int) -> None:
        for _ in range(25):
            served = annotate.next(PROJECT, f"reviewer-{number}")
            assert served is not None
            annotate.submit(PROJECT, served.entry.id, served.lease.token, f"reviewer-{number}", failed)

    with ThreadPoolExecutor(5) as pool:
        made = [pool.submit(judge, number) for number in range(4)]
        time.sleep(0.1)
        changed = file | {"categories": [first | {"definition": "Another meaning."}, *others]}
        pool.submit(rubric.publish, PROJECT, changed, "olga").result()
        for done in made:
            done.result()
    with ledger.read(PROJECT) as tx:
        settled = tx.quarantines.list_open(5_000)
        assert list(tx.annotations.stream_labels()) == [], "every label names what has another meaning now"
    assert len(settled) >= 80, "a tenth wait for a second reviewer"
