"""What is known of traces: counters that equal the rows, frames that freeze it, and erasure."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from tests.conftest import NOW
from tests.factories import a_draw, a_trace
from thumbwheel.domain.cell import Cell, Sign
from thumbwheel.domain.queue import Window
from thumbwheel.store.frames import open_frame
from thumbwheel.store.ledger import Ledger, Tx
from thumbwheel.store.traces import NewTrace, TraceRow

PROJECT = 1
DOWN, UP = Cell(Sign.down), Cell(Sign.up)
WINDOW = Window(start=NOW - timedelta(hours=10, minutes=30), end=NOW - timedelta(hours=1))


def keep(tx: Tx, n: int, first: int = 0) -> list[TraceRow]:
    new = [
        NewTrace(a_trace(id=f"t{at}", started_at=NOW - timedelta(minutes=61 + 10 * at), category="ab"[at % 2]), at, at)
        for at in range(first, first + n)
    ]
    return tx.traces.add_all(new, NOW)


def counted(tx: Tx, window: Window = WINDOW) -> dict[tuple[str, int], int]:
    return open_frame(tx.traces, tx.evidence, tx.queue, window).cells


def test_a_frames_cells_are_counted_as_they_are(ledger: Ledger) -> None:
    with ledger.archive(PROJECT) as tx:
        rows = keep(tx, 40)
        cells = [DOWN if at % 3 == 0 else Cell(judge=at % 4) if at % 3 == 1 else Cell() for at in range(40)]
        tx.evidence.add_all(list(zip(rows, cells, strict=True)))
        tx.evidence.put_all([(rows[0], UP), (rows[2], DOWN), (rows[3], Cell())], NOW)
        cells[0], cells[2], cells[3] = UP, DOWN, Cell()
        expected = Counter((row.category, cell.number) for row, cell in zip(rows, cells, strict=True))
        assert counted(tx) == expected
        assert sum(counted(tx).values()) == 40


def test_what_comes_after_the_frame_closed_is_kept_beside(ledger: Ledger) -> None:
    with ledger.archive(PROJECT) as tx:
        rows = keep(tx, 30)
        tx.evidence.add_all([(row, Cell(judge=1)) for row in rows])
        frame = open_frame(tx.traces, tx.evidence, tx.queue, WINDOW)
        draw = a_draw(id="d", at=NOW, window=WINDOW, framed_to=frame.framed_to)
        tx.queue.add_draw(draw, [])
        assert counted(tx) == {}
        late = NOW + timedelta(hours=1)
        tx.evidence.put_all([(rows[0], Cell(Sign.down, judge=1)), (rows[1], Cell(judge=1))], late)
        refs = [rows[0].ref, rows[1].ref]
        assert tx.evidence.list_cells(refs, NOW) == dict.fromkeys(refs, Cell(judge=1).number)
        assert tx.evidence.list_cells(refs)[rows[0].ref] == Cell(Sign.down, judge=1).number
        assert tx.evidence.list_later(NOW) == {Cell(Sign.down, judge=1).number}
        assert counted(tx) == {}
        fresh = keep(tx, 3, first=30)
        tx.evidence.add_all([(row, DOWN) for row in fresh])
        assert sum(counted(tx).values()) == 3


def test_a_trace_that_moves_is_counted_where_it_is_now(ledger: Ledger) -> None:
    with ledger.archive(PROJECT) as tx:
        (row,) = keep(tx, 1)
        tx.evidence.add_all([(row, DOWN)])
        moved = TraceRow(**{name: getattr(row, name) for name in row.__slots__} | {"category": "z"})
        tx.evidence.put_all([(moved, DOWN)], NOW)
        assert tx.evidence.count_unframed(WINDOW, []) == {("z", DOWN.number): 1}


def test_a_trained_judges_suggestion_outlives_signals_and_gives_way_to_a_score_of_the_traces_own(
    ledger: Ledger,
) -> None:
    with ledger.archive(PROJECT) as tx:
        (row,) = keep(tx, 1)
        tx.evidence.put_suggested([(row, 0.9)], NOW)
        tx.evidence.put_all([(row, DOWN)], NOW)
        assert Cell.of(tx.evidence.list_cells([row.ref])[row.ref]) == Cell(Sign.down, judge=2, suggested=True)
        tx.evidence.put_all([(row, Cell(Sign.down, judge=-1))], NOW)
        assert Cell.of(tx.evidence.list_cells([row.ref])[row.ref]) == Cell(Sign.down, judge=-1)
        tx.evidence.remove(row)
        assert tx.evidence.list_cells([row.ref]) == {row.ref: 0}
        assert tx.evidence.count_unframed(WINDOW, []) == {}


@pytest.mark.parametrize(("low", "high", "n"), [(0, 100, 12), (5, 8, 3)])
def test_a_list_is_read_by_cell_and_range_of_keys(ledger: Ledger, low: int, high: int, n: int) -> None:
    with ledger.archive(PROJECT) as tx:
        rows = keep(tx, 12)
        tx.evidence.add_all([(row, DOWN if row.sample_key % 2 else UP) for row in rows])
        days = sorted({row.day for row in rows})
        found = tx.ranges.list_known(days, [(cell.number, low, high) for cell in (DOWN, UP)])
        assert len(found) == n
        assert {each.cell for each in tx.ranges.list_known(days, [(DOWN.number, 0, 2**62)])} == {DOWN.number}
        assert tx.ranges.list_known(days, []) == tx.ranges.list_known([], [(DOWN.number, 0, 2**62)]) == []
