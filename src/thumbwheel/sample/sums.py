"""Sums of the risk over a frame: all that an estimate needs of the traces nobody labels.

A frame is known by how many of its traces are in each category and cell. The chance of a trace that was not picked
follows from its sizes and the draws' thresholds, so it too is the same for a whole category and cell. Two things are
left out of it, and both only make the anticipated variance a little larger or smaller, never an estimate biased: the
cap on one user's entries, and drift alerts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

import numpy as np

from thumbwheel.domain.queue import Policy
from thumbwheel.sample.again import Kept
from thumbwheel.sample.lane import LaneId
from thumbwheel.sample.ring import RING
from thumbwheel.sample.risk import RiskModel
from thumbwheel.stats.given import Floats

#: (category, cell) -> traces of a frame in it.
Cells: TypeAlias = Mapping[tuple[str, int], int]

#: Chances below this are taken for it: a draw gives random something, so no trace is out of reach.
_LEAST_CHANCE: Final = 1e-9


class RiskSum(NamedTuple):
    """Of one category of a frame: traces, the sum of m, and the sum of m (1 - m) (1 - p) / p."""

    n: int
    risk: float
    anticipated: float


def risk_sums(cells: Cells, model: RiskModel, draws: Sequence[Kept]) -> dict[str, RiskSum]:
    """The sums of a frame by category, over all draws made from it so far."""
    if not cells:
        return {}
    n = np.array(list(cells.values()), dtype=np.float64)
    m = np.array([model.risk(category, cell) for category, cell in cells])
    p = chances(list(cells), model, draws)
    spread = n * m * (1.0 - m) * (1.0 - p) / p
    found: dict[str, RiskSum] = {}
    for (category, _), here, risk, anticipated in zip(cells, n, n * m, spread, strict=True):
        before = found.get(category, RiskSum(0, 0.0, 0.0))
        found[category] = RiskSum(
            before.n + int(here), before.risk + float(risk), before.anticipated + float(anticipated)
        )
    return found


def chances(cells: Sequence[tuple[str, int]], model: RiskModel, draws: Sequence[Kept]) -> Floats:
    """Chance of a trace in each category and cell to be in one of the draws, in (0, 1]."""
    negative = np.array([model.negative_size(category, cell) for category, cell in cells])
    uncertain = np.array([model.uncertain_size(category, cell) for category, cell in cells])
    arcs: dict[int, Floats] = {}
    for kept in draws:
        uniform = np.array([max(_key(kept, Policy.random), _key(kept, Policy.stratified, each)) for each, _ in cells])
        for policy, lengths in (
            (Policy.negative, _reach(negative, _key(kept, Policy.negative))),
            (Policy.uncertain, _reach(uncertain, _key(kept, Policy.uncertain))),
            (Policy.random, np.minimum(uniform, 1.0)),
        ):
            start = kept.starts[policy]
            arcs[start] = np.maximum(arcs[start], lengths) if start in arcs else lengths
    return np.clip(covered_each(arcs), _LEAST_CHANCE, 1.0)


def covered_each(arcs: Mapping[int, Floats]) -> Floats:
    """`ring.covered` for many traces at once: start -> length of the arc of each trace."""
    begins = sorted(arcs)
    total = np.zeros_like(next(iter(arcs.values())))
    for at, begin in enumerate(begins):
        following = begins[at + 1] if at + 1 < len(begins) else begins[0] + RING
        reach = np.zeros_like(total)
        for other, length in arcs.items():
            reach = np.maximum(reach, length - (begin - other) % RING / RING)
        total += np.minimum(reach, (following - begin) / RING)
    return np.minimum(total, 1.0)


def _key(kept: Kept, policy: Policy, part: str = "") -> float:
    held = kept.thresholds.get(LaneId(policy, part))
    return 0.0 if held is None else held.key


def _reach(sizes: Floats, key: float) -> Floats:
    return (sizes > 0).astype(np.float64) if math.isinf(key) else np.minimum(sizes * key, 1.0)
