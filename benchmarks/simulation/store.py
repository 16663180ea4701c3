"""The same day kept in a store and drawn through the services: the draw from memory must be the same one."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.simulation.product import CATEGORIES, Day, a_day, rng_of
from benchmarks.simulation.queue import Made, draw_day
from benchmarks.simulation.queues import BUDGET, DEFAULT, prior_model
from thumbwheel.app import weigh
from thumbwheel.domain.cell import Cell, Sign
from thumbwheel.domain.identity import id_key
from thumbwheel.domain.signal import Rating, Signal, SignalKind
from thumbwheel.domain.trace import JudgeScore, Trace
from thumbwheel.sample.ring import sample_key
from thumbwheel.services.capture import Capture, Work
from thumbwheel.services.sample import Drawing, DrawRequest, Sample
from thumbwheel.store.engine import open_engine
from thumbwheel.store.ledger import Ledger
from thumbwheel.store.migrate import migrate

_NOW = datetime(2026, 1, 7, 12, tzinfo=UTC)
_SHUFFLE = b"simulated"
_PROJECT = 1
_SAID: Final[Mapping[Sign, dict[str, Any]]] = {
    Sign.down: {"kind": SignalKind.user_rating, "rating": Rating.down},
    Sign.up: {"kind": SignalKind.user_rating, "rating": Rating.up},
    Sign.reason: {"kind": SignalKind.user_reason, "reason": "hallucination"},
    Sign.regenerate: {"kind": SignalKind.implicit_regenerate},
    Sign.clarification: {"kind": SignalKind.implicit_clarification},
}


def same_as_a_store(per_day: int, seed: int = 1) -> int:
    """Draw one day from memory and from a store with the same seed; how many entries both took.

    Raises AssertionError where they differ in an entry, its policy, its chance or its risk, or in the sums.
    """
    ids, day = _keyed_as_a_store(a_day(0, per_day, rng_of(seed)))
    ours = draw_day(day, prior_model(), DEFAULT, budget=BUDGET, seed=seed)
    with tempfile.TemporaryDirectory() as folder, _services(Path(folder)) as (capture, sample):
        _keep(capture, day, ids)
        theirs = sample.draw(_PROJECT, DrawRequest(budget=BUDGET, window=timedelta(days=7), seed=seed))
    _agree(ids, ours, theirs)
    return len(ours.entries)


def _keyed_as_a_store(day: Day) -> tuple[list[str], Day]:
    """The day under the keys a store gives its traces, and their ids in order of these."""
    keyed = sorted((sample_key(_SHUFFLE, id_key(f"t{number}")), f"t{number}") for number in range(day.n))
    return [trace_id for _, trace_id in keyed], replace(day, keys=np.array([key for key, _ in keyed], dtype=np.int64))


@contextmanager
def _services(folder: Path) -> Iterator[tuple[Capture, Sample]]:
    engine = open_engine(f"sqlite:///{folder}/simulated.db")
    migrate(engine)
    ledger, number = Ledger(engine), count()
    capture = Capture(ledger, lambda: _NOW, _SHUFFLE, weigh)
    sample = Sample(ledger, lambda: _NOW, lambda: f"{next(number):032x}", b"", lambda _project: 0)
    yield capture, sample
    capture.close()
    engine.dispose()


def _keep(capture: Capture, day: Day, ids: Sequence[str]) -> None:
    traces, signals = [], []
    for at in range(day.n):
        cell = Cell.of(int(day.cells[at]))
        assert cell.judge is not None
        trace = Trace(
            id=ids[at],
            started_at=_NOW - timedelta(hours=30 + 12 * at / day.n),
            category=CATEGORIES[day.categories[at]],
            user_id=f"u{day.users[at]}",
            judge=JudgeScore(score=1 / (1 + math.exp(cell.judge))),
        )
        traces.append((trace, at))
        signals += [
            (Signal(id=str(sign.name), trace_id=trace.id, at=trace.started_at, **said), at)
            for sign, said in _SAID.items()
            if sign & cell.signs
        ]
    for first in range(0, day.n, 1_000):
        capture.keep_now(Work(_PROJECT, traces=traces[first : first + 1_000]))
    capture.keep_now(Work(_PROJECT, signals=signals))


def _agree(ids: Sequence[str], ours: Made, theirs: Drawing) -> None:
    mine = {ids[entry.at]: entry for entry in ours.entries}
    assert mine.keys() == {entry.trace_id for entry in theirs.entries}, "other traces were taken"
    for entry in theirs.entries:
        own = mine[entry.trace_id]
        assert (own.policy, own.core) == (entry.policy, entry.core), f"{entry.trace_id} was taken by another policy"
        assert math.isclose(own.inclusion_probability, entry.inclusion_probability, rel_tol=1e-9), "other chances"
        assert math.isclose(own.risk, entry.risk or 0.0, rel_tol=1e-9), "other risks"
    assert ours.population == theirs.draw.population_by_category, f"another frame than the {len(ids)} traces"
    for category, (risk, anticipated) in ours.sums.items():
        stored = theirs.draw.risk_sums[category]
        assert math.isclose(risk, stored[0]) and math.isclose(anticipated, stored[1]), "other sums"  # noqa: PT018
