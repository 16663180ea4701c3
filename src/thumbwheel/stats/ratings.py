"""Who said what about which unit, folded to what agreement needs of it.

A coefficient only asks how often each value was given to a unit, and units
with the same counts are one and the same to it. So ratings are kept as
distinct patterns with the number of units showing each: a hundred thousand
units judged pass or fail by three raters are at most nine rows.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from math import isfinite
from numbers import Real
from typing import Any

import numpy as np

from thumbwheel.stats import given
from thumbwheel.stats.given import Floats


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Ratings:
    """Distinct rating patterns; build with `rate_units` or `rate_rows`."""

    #: Every value given, in the order of the scale if it has one.
    values: tuple[Hashable, ...]
    #: True when that order means something: the values are numbers, or their order was stated.
    ordered: bool
    #: patterns x values: how often a unit of this pattern got each value (sparse).
    counts: Any
    #: How many units show each pattern.
    units: Floats

    @property
    def n_units(self) -> int:
        """Units with at least one rating."""
        return int(self.units.sum())

    @property
    def n_ratings(self) -> int:
        """Ratings on all units together."""
        return int(self.units @ self.per_unit)

    @property
    def per_unit(self) -> Floats:
        """Ratings that a unit of each pattern has."""
        return np.asarray(self.counts.sum(axis=1), dtype=np.float64).ravel()

    def paired(self) -> "Ratings":
        """Without the units that fewer than two raters judged: they cannot agree or disagree."""
        return self._kept(self.per_unit >= 2)

    def one_vs_rest(self, value: Hashable) -> "Ratings":
        """The same units with only "this value" (True) and "any other" (False) told apart."""
        from scipy import sparse

        here = np.array([each == value for each in self.values], dtype=np.float64)
        merged = sparse.csr_array(self.counts @ np.column_stack([1 - here, here]))
        return Ratings(values=(False, True), ordered=True, counts=merged, units=self.units)

    def numbers(self) -> Floats:
        """The values as numbers. Raises `NumbersRequired`."""
        if not all(_is_number(value) for value in self.values):
            raise given.NumbersRequired("an interval scale needs values that are numbers")
        return np.array([_as_float(value) for value in self.values], dtype=np.float64)

    def _kept(self, wanted: Any) -> "Ratings":
        return Ratings(values=self.values, ordered=self.ordered, counts=self.counts[wanted], units=self.units[wanted])


def rate_units(units: Iterable[Iterable[Hashable | None]], *, order: Sequence[Hashable] | None = None) -> Ratings:
    """Ratings from one row per unit; rows may differ in length, None or NaN is a missing rating.

    `order` lists the values of an ordinal scale from low to high; numbers need
    none. Raises `OutOfRange` for a value that `order` does not list.

    >>> rate_units([["a", "a"], ["a", "b"], ["b", "a"], ["b", None]]).units
    array([1., 2., 1.])
    """
    found: dict[Hashable, int] = {} if order is None else {value: at for at, value in enumerate(order)}
    patterns: Counter[tuple[int, ...]] = Counter()
    for unit in units:
        codes = [_code(value, found, closed=order is not None) for value in unit if not given.is_missing(value)]
        if codes:
            patterns[tuple(sorted(codes))] += 1
    return _in_order(found, patterns, ordered=order is not None)


def rate_rows(
    units: Iterable[Hashable], values: Iterable[Hashable | None], *, order: Sequence[Hashable] | None = None
) -> Ratings:
    """Ratings from a long table: the unit and the value of each row, as in a CSV of (item, rater, value).

    Raises `LengthsDiffer`, and what `rate_units` raises.

    >>> rate_rows(["x", "x", "y"], [1, 2, 1]).n_units
    2
    """
    grouped: dict[Hashable, list[Hashable | None]] = {}
    try:
        for unit, value in zip(units, values, strict=True):
            grouped.setdefault(unit, []).append(value)
    except ValueError as error:
        raise given.LengthsDiffer("units and values must be equally many") from error
    return rate_units(grouped.values(), order=order)


def scale_of(values: Iterable[Hashable]) -> tuple[list[Hashable], bool]:
    """Distinct values in ascending order, and whether that order means anything: only numbers have one of their own."""
    distinct = list(dict.fromkeys(values))
    if all(_is_number(value) for value in distinct):
        return sorted(distinct, key=_as_float), True
    return sorted(distinct, key=lambda value: (type(value).__name__, str(value))), False


def _in_order(found: dict[Hashable, int], patterns: Counter[tuple[int, ...]], *, ordered: bool) -> Ratings:
    from scipy import sparse

    values, numeric = (list(found), False) if ordered else scale_of(found)
    place = {found[value]: at for at, value in enumerate(values)}
    rows = [row for row, codes in enumerate(patterns) for _ in codes]
    columns = [place[code] for codes in patterns for code in codes]
    shape = (len(patterns), len(values))
    counts = sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)
    units = np.fromiter(patterns.values(), dtype=np.float64, count=len(patterns))
    return Ratings(values=tuple(values), ordered=ordered or numeric, counts=counts, units=units)


def _code(value: Hashable, found: dict[Hashable, int], *, closed: bool) -> int:
    if closed and value not in found:
        raise given.OutOfRange(f"{value!r} is not on the scale")
    return found.setdefault(value, len(found))


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and isfinite(value)


def _as_float(value: Any) -> float:
    return float(value)
