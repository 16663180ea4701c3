"""What a draw asks of the store: as many statements from twenty thousand traces as from one thousand, and few rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from random import Random

import pytest

from tests.conftest import NOW, Clock
from tests.factories import a_trace
from tests.statements import Asked, counted
from thumbwheel.domain.cell import Cell, Sign
from thumbwheel.domain.queue import Policy
from thumbwheel.services.sample import Drawing, DrawRequest, Sample
from thumbwheel.store.ledger import Ledger
from thumbwheel.store.traces import NewTrace

SMALL, MIDDLE, LARGE = 1_000, 4_000, 20_000
BUDGET = 80


@pytest.fixture
def sample(ledger: Ledger, clock: Clock, mint: Callable[[], str]) -> Sample:
    return Sample(ledger, clock, mint, b"double", lambda _project: 0)


def fill(ledger: Ledger, project: int, n: int, *, negative: float = 0.05, loud: bool = False) -> None:
    """`n` traces of six categories over five days, all judged; a few with a thumb down, or many by one loud user."""
    rng = Random(n)
    first, step = NOW - timedelta(days=6), timedelta(days=5) / n
    new, cells = [], []
    for number in range(n):
        down = rng.random() < negative
        trace = a_trace(
            id=f"{project}-{number}",
            started_at=first + number * step,
            category="abcdef"[min(5, int(rng.expovariate(0.7)))],
            user_id="loud" if loud and down else f"u{rng.randrange(n // 4)}",
            judge=None,
        )
        new.append(NewTrace(trace, rng.getrandbits(63), number))
        cells.append(Cell(Sign.down if down else Sign(0), rng.randrange(-4, 1)))
    with ledger.archive(project) as tx:
        tx.evidence.add_all(list(zip(tx.traces.add_all(new, NOW), cells, strict=True)))


def asked_by(ledger: Ledger, sample: Sample, project: int, **given: object) -> tuple[Asked, Drawing]:
    request = DrawRequest(**({"budget": BUDGET, "window": timedelta(days=7), "seed": 7} | given))  # type: ignore[arg-type]
    with counted(ledger.engine) as asked:
        made = sample.draw(project, request)
    return asked, made


def test_a_draw_asks_as_much_of_many_traces_as_of_few(ledger: Ledger, sample: Sample) -> None:
    fill(ledger, 1, SMALL)
    fill(ledger, 2, LARGE)
    for dry_run in (True, False):
        few, _ = asked_by(ledger, sample, 1, dry_run=dry_run)
        many, made = asked_by(ledger, sample, 2, dry_run=dry_run)
        assert made.draw.population == LARGE
        assert len(made.entries) == BUDGET
        assert len(few.statements) == len(many.statements) <= (20 if dry_run else 28)
        assert many.n_rows <= 10 * BUDGET
    again, made = asked_by(ledger, sample, 2, again=True, seed=8)
    assert len(made.entries) == BUDGET
    assert len(again.statements) <= 34
    assert again.n_rows <= 20 * BUDGET


def test_rows_read_grow_with_what_is_taken(ledger: Ledger, sample: Sample) -> None:
    fill(ledger, 1, MIDDLE)
    rows = {k: asked_by(ledger, sample, 1, budget=k, dry_run=True)[0].n_rows for k in (10, 40, 160)}
    assert rows[10] < rows[40] < rows[160] < 4 * rows[40]


def test_a_user_who_owns_every_negative_is_not_read_to_the_end(ledger: Ledger, sample: Sample) -> None:
    fill(ledger, 1, MIDDLE, negative=0.9, loud=True)
    asked, made = asked_by(ledger, sample, 1, dry_run=True)
    taken = [entry.policy for entry in made.entries]
    assert len(taken) == BUDGET
    assert taken.count(Policy.negative) == 3
    assert "the cap of 3 per user held back" in made.draw.shortfalls["negative"]
    assert asked.n_rows < MIDDLE / 2
    assert len(asked.statements) <= 24
