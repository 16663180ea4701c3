import numpy as np
import pytest
from hypothesis import given, strategies

from thumbwheel.stats.given import LengthsDiffer, NumbersRequired
from thumbwheel.stats.ratings import rate_rows, rate_units, scale_of


def test_units_with_the_same_counts_are_one_pattern() -> None:
    ratings = rate_units([["p", "f", "p"], ["f", "p", "p"], ["p", "p", "p"], ["p", None, float("nan")]])
    assert ratings.values == ("f", "p")
    assert ratings.counts.toarray().tolist() == [[1, 2], [0, 3], [0, 1]]
    assert ratings.units.tolist() == [2, 1, 1]
    assert (ratings.n_units, ratings.n_ratings) == (4, 10)


def test_only_units_judged_twice_are_paired() -> None:
    paired = rate_units([["p", "f"], ["p"]]).paired()
    assert (paired.n_units, paired.n_ratings) == (1, 2)


@given(
    rows=strategies.lists(
        strategies.tuples(strategies.integers(0, 8), strategies.none() | strategies.sampled_from("abc")), max_size=40
    )
)
def test_a_long_table_and_a_wide_one_say_the_same(rows: list[tuple[int, str | None]]) -> None:
    tall = rate_rows([unit for unit, _ in rows], [value for _, value in rows])
    wide = rate_units([[value for at, value in rows if at == unit] for unit in dict.fromkeys(unit for unit, _ in rows)])
    assert tall.values == wide.values
    assert np.array_equal(tall.counts.toarray(), wide.counts.toarray())
    assert np.array_equal(tall.units, wide.units)


def test_a_long_table_with_a_missing_cell_is_refused() -> None:
    with pytest.raises(LengthsDiffer):
        rate_rows(["a", "b"], [1])


def test_only_numbers_have_an_order_of_their_own() -> None:
    assert scale_of([10, 9, 2.5]) == ([2.5, 9, 10], True)
    assert scale_of(["10", "9"]) == (["10", "9"], False)
    assert scale_of([1, "a", float("inf")])[1] is False
    assert rate_units([["lo", "hi"]], order=["lo", "hi"]).ordered
    with pytest.raises(NumbersRequired):
        rate_units([["lo", "hi"]]).numbers()
