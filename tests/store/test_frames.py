"""Frames: counted by counters of hours and days, they hold exactly what looking at every trace finds."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from random import Random

import pytest

from tests.conftest import NOW
from tests.factories import a_draw, a_trace
from tests.statements import counted
from thumbwheel.domain.cell import Cell, Sign
from thumbwheel.domain.queue import Window
from thumbwheel.store.counts import Piece, pieces
from thumbwheel.store.frames import open_frame
from thumbwheel.store.ledger import Ledger, Tx
from thumbwheel.store.traces import NewTrace, TraceRow

PROJECT = 1
FIRST = NOW - timedelta(days=5)
CELLS = [Cell(), Cell(Sign.down), Cell(judge=1), Cell(Sign.edit, judge=-2)]


def some_time(rng: Random) -> datetime:
    """Often on the hour, sometimes at midnight, else anywhere."""
    at = FIRST + timedelta(minutes=rng.randrange(5 * 24 * 60))
    return rng.choice([at, at.replace(minute=0), at.replace(minute=0, hour=0)])


def some_window(rng: Random) -> Window:
    start, end = sorted([some_time(rng), some_time(rng)])
    return Window(start=start, end=end + timedelta(minutes=1) if start == end else end)


class Store:
    """Traces as they are stored, and in a list beside it."""

    def __init__(self, tx: Tx, rng: Random) -> None:
        self.tx, self.rng = tx, rng
        self.known: dict[int, tuple[TraceRow, Cell]] = {}

    def arrive(self, n: int) -> None:
        begin = len(self.known)
        new = [
            NewTrace(a_trace(id=f"t{at}", started_at=some_time(self.rng), category=self.rng.choice("abc")), at, at)
            for at in range(begin, begin + n)
        ]
        said = [(row, self.rng.choice(CELLS)) for row in self.tx.traces.add_all(new, NOW)]
        self.tx.evidence.add_all(said)
        self.known |= {row.ref: (row, cell) for row, cell in said}

    def learn(self, n: int) -> None:
        """More of some traces, which moves those that are in no frame."""
        frames = [frame for _, frame in self.tx.queue.list_frames(Window(start=FIRST, end=NOW))]
        said = [(row, self.rng.choice(CELLS)) for row, _ in self.rng.sample(list(self.known.values()), n)]
        self.tx.evidence.put_all(said, NOW)
        free = {row.ref for row, _ in said if not any(frame.holds(row.started_at, row.ref) for frame in frames)}
        self.known |= {row.ref: (row, cell) for row, cell in said if row.ref in free}

    def close(self, name: str, window: Window) -> None:
        frame = open_frame(self.tx.traces, self.tx.evidence, self.tx.queue, window)
        at = NOW + timedelta(seconds=len(self.known))
        self.tx.queue.add_draw(a_draw(id=name, at=at, window=window, framed_to=frame.framed_to), [])

    def check(self, window: Window) -> None:
        frame = open_frame(self.tx.traces, self.tx.evidence, self.tx.queue, window)
        held = [(row, cell) for row, cell in self.known.values() if frame.holds(row)]
        assert frame.population == Counter(row.category for row, _ in held)
        assert frame.cells == Counter((row.category, cell.number) for row, cell in held)


@pytest.mark.parametrize("seed", range(3))
def test_a_frame_counts_what_looking_at_every_trace_finds(ledger: Ledger, seed: int) -> None:
    rng = Random(seed)
    with ledger.archive(PROJECT) as tx:
        store = Store(tx, rng)
        for round_ in range(6):
            store.arrive(60)
            store.learn(20)
            for _ in range(8):
                store.check(some_window(rng))
            store.close(f"d{round_}", some_window(rng))


def test_what_arrives_after_a_frame_closed_is_counted_by_the_next_one(ledger: Ledger) -> None:
    window = Window(start=FIRST.replace(hour=0), end=FIRST.replace(hour=0) + timedelta(days=3))
    with ledger.archive(PROJECT) as tx:
        store = Store(tx, Random(1))
        store.arrive(50)
        store.close("d", window)
        assert open_frame(tx.traces, tx.evidence, tx.queue, window).n == 0
        store.arrive(50)
        store.check(window)
        assert open_frame(tx.traces, tx.evidence, tx.queue, window).n > 10


def test_a_window_that_ends_now_is_counted_without_looking_at_this_hours_traces(ledger: Ledger) -> None:
    window = Window(start=NOW - timedelta(days=2), end=NOW + timedelta(minutes=59))
    with ledger.archive(PROJECT) as tx:
        new = [NewTrace(a_trace(id=f"t{at}", started_at=NOW + timedelta(minutes=at)), at, at) for at in range(50)]
        tx.traces.add_all(new, NOW)
        with counted(ledger.engine) as asked:
            frame = open_frame(tx.traces, tx.evidence, tx.queue, window)
        assert frame.n == 50
        assert asked.n_rows < 10


def test_hours_are_added_up_by_days_where_whole_days_lie_between() -> None:
    assert pieces(23, 24 * 3, 9) == [Piece(1, 23, 23, 9), Piece(24, 1, 2, 9), Piece(1, 72, 72, 9)]
    assert pieces(24, 47, 0) == [Piece(24, 1, 1, 0)]
    assert pieces(1, 30, 0) == [Piece(1, 1, 30, 0)]
