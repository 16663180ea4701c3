"""Cells: what is known of a trace in one number, and back."""

import pytest
from hypothesis import given, strategies

from thumbwheel.domain.cell import FARTHEST, Cell, Sign, step_of

cells = strategies.builds(
    Cell,
    signs=strategies.lists(strategies.sampled_from(Sign)).map(lambda said: Sign(sum(set(said)))),
    judge=strategies.none() | strategies.integers(-FARTHEST, FARTHEST),
    suggested=strategies.booleans(),
)


@given(cells)
def test_a_cell_comes_back_from_its_number(cell: Cell) -> None:
    assert Cell.of(cell.number) == cell


def test_nothing_known_is_cell_0() -> None:
    assert Cell().number == 0
    assert not Cell.of(0).is_negative


@pytest.mark.parametrize(
    ("signs", "negative"), [(Sign.down, True), (Sign.up, False), (Sign.up | Sign.edit, True), (Sign.dwell, False)]
)
def test_what_speaks_against_an_answer_makes_it_negative(signs: Sign, negative: bool) -> None:
    assert Cell(signs).is_negative is negative


@given(strategies.floats(0, 1))
def test_a_step_is_the_nearest_whole_number_of_the_log_odds(chance: float) -> None:
    assert -FARTHEST <= step_of(chance) <= FARTHEST
    assert step_of(1 - chance) in {-step_of(chance), -step_of(chance) - 1, -step_of(chance) + 1}
