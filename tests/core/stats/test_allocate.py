import numpy as np
import pytest
from hypothesis import assume, given, strategies

from thumbwheel.stats.allocate import Unfillable, water_fill
from thumbwheel.stats.given import LengthsDiffer, OutOfRange

parts = strategies.lists(
    strategies.tuples(strategies.floats(0, 1), strategies.floats(0, 1), strategies.floats(0, 1)), min_size=1, max_size=8
)


def test_reference_mix() -> None:
    # drift, negative, uncertain, stratified, random
    floors, caps = [0, 0.05, 0.05, 0.10, 0.15], [0.15, 0.50, 0.30, 0.40, 0.30]
    found = water_fill([0.05, 0.70, 0.02, 0.13, 0.10], floors=floors, caps=caps)
    assert found == pytest.approx([0.0804, 0.5, 0.05, 0.2089, 0.1607], abs=5e-5)


@given(parts=parts, where=strategies.floats(0, 1))
def test_every_part_keeps_its_bounds_and_the_whole_is_split(
    parts: list[tuple[float, float, float]], where: float
) -> None:
    wishes = [wish for wish, _, _ in parts]
    floors, caps = [min(a, b) for _, a, b in parts], [max(a, b) for _, a, b in parts]
    total = sum(floors) + where * (sum(caps) - sum(floors))
    found = water_fill(wishes, floors=floors, caps=caps, total=total)
    assert found.sum() == pytest.approx(total, abs=1e-9)
    assert (found >= np.array(floors) - 1e-12).all()
    assert (found <= np.array(caps) + 1e-12).all()


@given(wishes=strategies.lists(strategies.floats(0.01, 1), min_size=1, max_size=8))
def test_without_bounds_that_bind_shares_follow_the_wishes(wishes: list[float]) -> None:
    n = len(wishes)
    found = water_fill(wishes, floors=[0] * n, caps=[1] * n)
    assert found == pytest.approx(np.array(wishes) / sum(wishes), abs=1e-9)


@given(parts=parts)
def test_whoever_wishes_more_never_gets_less_under_equal_bounds(parts: list[tuple[float, float, float]]) -> None:
    wishes = sorted(wish for wish, _, _ in parts)
    assume(wishes[-1] > 0)
    n = len(wishes)
    found = water_fill(wishes, floors=[0.01] * n, caps=[max(0.4, 1.5 / n)] * n)
    assert (np.diff(found) >= -1e-12).all()


def test_parts_without_a_wish_take_only_what_the_others_cannot() -> None:
    assert water_fill([1, 0, 0], floors=[0, 0.1, 0], caps=[1, 1, 1]) == pytest.approx([0.9, 0.1, 0])
    assert water_fill([1, 0, 0], floors=[0, 0, 0], caps=[0.4, 1, 1]) == pytest.approx([0.4, 0.3, 0.3])
    assert water_fill([0, 0], floors=[0, 0], caps=[1, 1]) == pytest.approx([0.5, 0.5])


def test_nothing_split_among_nobody_is_nothing() -> None:
    assert water_fill([], floors=[], caps=[], total=0).tolist() == []


def test_bounds_that_cannot_hold_are_refused() -> None:
    with pytest.raises(Unfillable):
        water_fill([1, 1], floors=[0.6, 0.6], caps=[1, 1])
    with pytest.raises(Unfillable):
        water_fill([1, 1], floors=[0, 0], caps=[0.4, 0.4])
    with pytest.raises(LengthsDiffer):
        water_fill([1, 1], floors=[0], caps=[1, 1])
    with pytest.raises(OutOfRange):
        water_fill([1, 1], floors=[0.5, 0], caps=[0.4, 1])
    with pytest.raises(OutOfRange):
        water_fill([1, float("nan")], floors=[0, 0], caps=[1, 1])
