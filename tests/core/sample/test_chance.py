"""The stamped chance is the chance: over many draws with fresh keys, mean(picked / pi) is 1 for every trace."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.core.sample.frames import Frame, make_frame
from thumbwheel.domain.queue import Policy
from thumbwheel.sample.again import Kept, earlier, keep
from thumbwheel.sample.draw import Drawn
from thumbwheel.sample.ring import Ring, starts

P = Policy

FRAMES = {
    "policies that want the same traces": make_frame(),
    "a cap that binds for two users": make_frame(users=2, cap=1, signals=0.8),
    "one user who owns every negative": make_frame(
        users=1, signals=1.0, quotas={P.drift: 2, P.negative: 6, P.uncertain: 2, P.stratified: 4, P.random: 2}
    ),
    "dry policies": make_frame(
        pulls={},
        signals=0.05,
        judged=0.05,
        quotas={P.drift: 3, P.negative: 5, P.uncertain: 4, P.stratified: 3, P.random: 2},
    ),
    "nearly a census": make_frame(18),
    # Where each pick displaces another policy's, a rule that is only nearly right is far off.
    "few traces, much wanted": make_frame(
        16,
        users=2,
        cap=1,
        signals=1.0,
        quotas={P.drift: 2, P.negative: 2, P.uncertain: 2, P.stratified: 2, P.random: 1},
    ),
}


@dataclass
class Tally:
    """Weights 1/pi that one trace had over many draws; 0 where it was not drawn."""

    n: int
    weights: list[float] = field(default_factory=list)

    @property
    def mean(self) -> float:
        return math.fsum(self.weights) / self.n

    @property
    def z(self) -> float:
        """Standard errors between the mean weight and 1."""
        variance = math.fsum(weight * weight for weight in self.weights) / self.n - self.mean**2
        off = self.mean - 1.0
        return 0.0 if abs(off) < 1e-9 else off / math.sqrt(max(variance, 1e-18) / self.n)


def tally(n: int, frame: Frame, draws: Iterator[dict[str, float]]) -> dict[str, Tally]:
    found = {row.trace_id: Tally(n) for row in frame.rows}
    for drawn in draws:
        for trace_id, probability in drawn.items():
            found[trace_id].weights.append(1.0 / probability)
    return found


def single(frame: Frame, n: int) -> Iterator[dict[str, float]]:
    rng = random.Random(11)
    for seed in range(n):
        yield {pick.trace_id: pick.probability for pick in frame.shuffled(rng).draw(seed).picks}


def repeated(frame: Frame, n: int, rounds: int) -> Iterator[dict[str, float]]:
    """Several draws from each shuffling, the later ones with what the earlier left in store."""
    rng = random.Random(12)
    for seed in range(n):
        shuffled = frame.shuffled(rng)
        kept: list[Kept] = []
        drawn: Drawn | None = None
        for at in range(rounds):
            ring = Ring(starts(10 * seed + at))
            standing = {pick.candidate.trace_id: pick.candidate for pick in drawn.standing} if drawn else {}
            before = earlier(kept, standing, [shuffled.sizes_of] * len(kept)) if kept else None
            drawn = shuffled.draw(10 * seed + at, earlier=before)
            kept.append(Kept.of_json(keep(ring, drawn.thresholds, drawn.standing).to_json()))
        if drawn:
            yield {pick.candidate.trace_id: pick.probability for pick in drawn.standing}


def own_thresholds(frame: Frame, n: int) -> Iterator[dict[str, float]]:
    """The tempting wrong rule: chances by the thresholds of the run that took the traces."""
    rng = random.Random(11)
    for seed in range(n):
        shuffled = frame.shuffled(rng)
        drawn = shuffled.draw(seed)
        kept = keep(Ring(starts(seed)), drawn.thresholds, drawn.standing)
        sizes = shuffled.sizes_of([pick.candidate for pick in drawn.picks])
        yield {pick.trace_id: kept.probability(pick.candidate, sizes[pick.trace_id]) for pick in drawn.picks}


@pytest.mark.parametrize("name", FRAMES)
def test_the_chance_of_a_draw_is_exact(name: str) -> None:
    frame = FRAMES[name]
    found = tally(1000, frame, single(frame, 1000))
    assert all(len(one.weights) > 20 for one in found.values())
    assert max(abs(one.z) for one in found.values()) < 4


_ONE_EACH = {P.drift: 1, P.negative: 1, P.uncertain: 1, P.random: 1}
SEVERAL = {
    "policies that want the same traces": (2, FRAMES["policies that want the same traces"]),
    "two draws of few traces": (2, make_frame(12, users=2, cap=1, signals=1.0, quotas=_ONE_EACH)),
    "three draws of few traces": (3, make_frame(14, users=2, cap=1, signals=1.0, quotas=_ONE_EACH)),
}


@pytest.mark.parametrize("name", SEVERAL)
def test_the_chance_over_several_draws_of_a_frame_is_exact(name: str) -> None:
    rounds, frame = SEVERAL[name]
    found = tally(600, frame, repeated(frame, 600, rounds))
    assert max(abs(one.z) for one in found.values()) < 4


def test_the_runs_own_thresholds_would_not_do() -> None:
    frame = FRAMES["policies that want the same traces"]
    found = tally(400, frame, own_thresholds(frame, 400))
    assert math.fsum(one.mean for one in found.values()) / len(found) > 1.1
