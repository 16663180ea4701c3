"""The risk model: the priors before labels, the labels after, and never sure."""

import json
import math
import random

import numpy as np
import pytest
from hypothesis import given, strategies

from tests.core.sample.frames import Row, make_frame
from tests.factories import MONDAY
from thumbwheel.capture.prior import BASE_RATE, SEED, SignalFact, failure_probability, sign_log_odds, signs
from thumbwheel.domain.cell import Cell, Sign
from thumbwheel.domain.queue import Policy
from thumbwheel.domain.signal import Rating, SignalKind
from thumbwheel.sample.again import keep
from thumbwheel.sample.lane import Candidate
from thumbwheel.sample.policies import class_of
from thumbwheel.sample.ring import RING, Ring, covered, starts
from thumbwheel.sample.risk import LabelledCell, RiskModel, from_priors, refit
from thumbwheel.sample.sums import chances, covered_each, risk_sums

PRIOR = from_priors(BASE_RATE, sign_log_odds(), SEED.version)
DOWN, JUDGED = Cell(Sign.down).number, Cell(judge=2).number


def test_without_labels_the_signal_priors_speak() -> None:
    down = SignalFact(kind=SignalKind.user_rating, rating=Rating.down, at=MONDAY)
    assert PRIOR.risk("any", 0) == pytest.approx(BASE_RATE)
    assert PRIOR.risk("any", Cell(signs([down])).number) == pytest.approx(failure_probability([down]))
    assert refit([], PRIOR) is PRIOR


def test_a_suggestion_alone_is_taken_at_its_word() -> None:
    assert PRIOR.risk("", Cell(judge=0, suggested=True).number) == pytest.approx(0.5)


def labels_of(n: int, rate: dict[tuple[str, int], float], seed: int = 1) -> list[LabelledCell]:
    rng = random.Random(seed)
    kinds = list(rate)
    picked = (rng.choice(kinds) for _ in range(n))
    return [LabelledCell(category, cell, rng.random() < rate[category, cell], 0.1) for category, cell in picked]


def test_labels_move_the_model_towards_what_they_say() -> None:
    rate = {("a", 0): 0.02, ("b", 0): 0.3, ("a", DOWN): 0.8, ("a", JUDGED): 0.4}
    model = refit(labels_of(3000, rate), PRIOR)
    for (category, cell), share in rate.items():
        assert model.risk(category, cell) == pytest.approx(share, abs=0.06)
    assert model.version.startswith("labels-3000-")
    assert model.risk("unheard of", 0) == pytest.approx(1 / (1 + math.exp(-model.intercept)))


def test_labels_weigh_by_the_chance_they_were_drawn_with() -> None:
    rare = [LabelledCell("", 0, True, 1.0)] * 50 + [LabelledCell("", 0, False, 0.01)] * 50
    assert refit(rare, PRIOR).risk("", 0) < 0.05


def test_a_model_comes_back_from_its_json() -> None:
    model = refit(labels_of(100, {("a", 0): 0.1, ("b", DOWN): 0.6}), PRIOR)
    stored = json.loads(json.dumps(model.to_json()))
    assert RiskModel.of_json(stored) == model


@given(strategies.integers(0, 2**10 - 1), strategies.none() | strategies.integers(-4, 4), strategies.booleans())
def test_sizes_are_of_a_class_and_only_for_what_a_policy_lists(said: int, judge: int | None, suggested: bool) -> None:
    cell = Cell(Sign(said), judge, suggested).number
    assert 0.001 <= PRIOR.risk("", cell) <= 0.999
    negative, uncertain = PRIOR.negative_size("", cell), PRIOR.uncertain_size("", cell)
    assert (negative > 0) is Cell.of(cell).is_negative
    assert (uncertain > 0) is (judge is not None)
    for size in (negative, uncertain):
        assert size == 0 or 0 <= class_of(size) <= 15


def test_arcs_of_many_traces_cover_what_they_cover_one_by_one() -> None:
    rng = np.random.default_rng(1)
    begins = [int(start) for start in rng.integers(0, RING, 4)]
    arcs = {begin: rng.random(50) ** 2 for begin in begins}
    together = covered_each(arcs)
    for at in range(50):
        assert together[at] == pytest.approx(covered({begin: float(length[at]) for begin, length in arcs.items()}))


def test_the_chances_of_a_frame_are_those_its_draw_gives_traces_it_did_not_pick() -> None:
    known = [Cell(), Cell(Sign.down), Cell(judge=1), Cell(Sign.edit, 0)]
    rows = [
        Row(
            trace_id=f"t{at}",
            key=random.Random(at).getrandbits(63),
            category=f"c{at % 3}",
            negative=PRIOR.negative_size(f"c{at % 3}", known[at % 4].number),
            uncertain=PRIOR.uncertain_size(f"c{at % 3}", known[at % 4].number),
        )
        for at in range(120)
    ]
    frame = make_frame(quotas={Policy.negative: 6, Policy.uncertain: 4, Policy.stratified: 6, Policy.random: 5})
    frame = type(frame)(rows, frame.quotas, cap=None)
    ring = Ring(starts(3))
    drawn = frame.draw(3, ring=ring)
    kept = keep(ring, drawn.thresholds, drawn.standing)
    cells = {(f"c{at % 3}", known[at % 4].number): 0 for at in range(120)}
    for at in range(120):
        cells[f"c{at % 3}", known[at % 4].number] += 1
    p = dict(zip(cells, chances(list(cells), PRIOR, [kept]), strict=True))
    picked = {pick.trace_id for pick in drawn.picks}
    for candidate in (row for row in frame.rows if row.trace_id not in picked):
        at = int(candidate.trace_id[1:])
        one = Candidate(candidate.trace_id, candidate.key, 1.0, None, candidate.category)
        exact = kept.probability(one, candidate.sizes)
        assert p[f"c{at % 3}", known[at % 4].number] == pytest.approx(exact)
    sums = risk_sums(cells, PRIOR, [kept])
    assert {category: found.n for category, found in sums.items()} == {"c0": 40, "c1": 40, "c2": 40}
    assert sum(found.risk for found in sums.values()) == pytest.approx(
        sum(n * PRIOR.risk(category, cell) for (category, cell), n in cells.items())
    )
    assert risk_sums({}, PRIOR, [kept]) == {}
