"""Read ahead: what all lists of a draw read first, in two statements however many lists there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from thumbwheel.domain.queue import Policy
from thumbwheel.sample.ring import ranges
from thumbwheel.sample.stream import ClassRange, KeyRange, first_class_ranges, first_ranges
from thumbwheel.store.ranges import KnownTrace
from thumbwheel.store.traces import TraceRow


class KeyedList(NamedTuple):
    """A list in key order: of which categories, from where on the ring, and what share of it is read first."""

    categories: tuple[str, ...]
    start: int
    span: float

    @property
    def first(self) -> list[KeyRange]:
        """The ranges it reads first."""
        return first_ranges(self.start, self.span)


class WeightedList(NamedTuple):
    """A list in order of key by size: its cells by size class, where it starts, how far it is read first and at all."""

    policy: Policy
    classes: Mapping[int, Sequence[int]]
    start: int
    threshold: float
    bound: float

    @property
    def first(self) -> list[ClassRange]:
        """The ranges it reads first."""
        return first_class_ranges(self.classes, self.start, self.threshold)

    def in_cells(self, wanted: Sequence[ClassRange]) -> list[tuple[int, int, int]]:
        """The same ranges by cell."""
        return [(cell, low, high) for size_class, low, high in wanted for cell in self.classes[size_class]]

    def shared_out(self, known: Iterable[KnownTrace], wanted: Sequence[ClassRange]) -> list[list[KnownTrace]]:
        """For each range the traces in it."""
        class_of = {cell: size_class for size_class, cells in self.classes.items() for cell in cells}
        shelves: dict[int, list[KnownTrace]] = {size_class: [] for size_class in self.classes}
        for each in known:
            if each.cell in class_of:
                shelves[class_of[each.cell]].append(each)
        return [
            [each for each in shelves[size_class] if low <= each.trace.sample_key < high]
            for size_class, low, high in wanted
        ]


def wanted_of(lists: Iterable[KeyedList]) -> list[tuple[str, int, int]]:
    """The ranges these lists read first, those from one start joined: category, low, high."""
    reach: dict[tuple[int, str], int] = {}
    for one in lists:
        far = sum(high - low for low, high in one.first)
        for category in one.categories:
            reach[one.start, category] = max(reach.get((one.start, category), 0), far)
    return [(category, low, high) for (start, category), far in reach.items() for low, high in ranges(start, 0, far)]


def within(rows: Iterable[TraceRow], categories: Sequence[str], wanted: Sequence[KeyRange]) -> list[TraceRow]:
    """Those of these traces that are in one of the categories and ranges."""
    named = set(categories)
    return [
        row
        for row in rows
        if (row.category or "") in named and any(low <= row.sample_key < high for low, high in wanted)
    ]
