"""Streams: the same list as a full sort, from few rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.sample.frames import Index, make_frame
from thumbwheel.domain.queue import Policy
from thumbwheel.sample.lane import Candidate, LaneId
from thumbwheel.sample.ring import RING, Ring, position, starts
from thumbwheel.sample.stream import (
    first_class_ranges,
    first_ranges,
    first_span,
    first_threshold,
    keyed_stream,
    weighted_stream,
)

RANDOM = LaneId(Policy.random)


@given(st.integers(0, 60), st.integers(0, 2**32), st.integers(0, 30))
def test_every_stream_is_the_sorted_list(n: int, seed: int, quota: int) -> None:
    frame = make_frame(n, seed=seed)
    ring = Ring(starts(seed))
    index = Index(frame)
    for lane in frame.sorted_lanes(ring):
        assert list(index.stream(lane.id, quota, ring.starts[lane.id.policy])) == list(lane.tape)


@given(st.lists(st.integers(0, RING - 1), max_size=30), st.integers(0, RING - 1), st.floats(1e-18, 1))
def test_every_key_is_found_once_whatever_the_first_span(keys: list[int], start: int, span: float) -> None:
    rows = [Candidate(f"t{at}", key) for at, key in enumerate(keys)]
    asked: list[list[tuple[int, int]]] = []

    def reader(wanted: Sequence[tuple[int, int]]) -> list[Candidate]:
        asked.append(list(wanted))
        return [row for row in rows for low, high in wanted if low <= row.sample_key < high]

    read = list(keyed_stream(reader, start, span))
    assert asked[0] == first_ranges(start, span)
    assert sorted(read) == read
    assert sorted(row for _, row in read) == sorted(rows)


@pytest.mark.parametrize("take", [10, 100])
def test_reading_grows_with_what_is_taken_and_not_with_the_frame(take: int) -> None:
    read: dict[int, list[int]] = {}
    for n in (2_000, 40_000):
        frame = make_frame(n, users=n, signals=0.2)
        index = Index(frame)
        for policy in (Policy.negative, Policy.uncertain, Policy.random):
            frame.n_read.clear()
            assert len(list(islice(index.stream(LaneId(policy), take, starts(5)[policy]), take))) == take
            read.setdefault(n, []).append(frame.n_read[LaneId(policy)])
    assert max(read[40_000]) < 10 * take
    assert all(large < 4 * small + 20 for small, large in zip(read[2_000], read[40_000], strict=True))


def test_a_row_that_is_read_twice_is_listed_once() -> None:
    row = Candidate("twice", 5)
    assert list(keyed_stream(lambda wanted: [row, row] if (0, 2**62 + 1) in wanted else [], 0, 0.5)) == [
        (position(5, 0), row)
    ]


def test_a_stream_reads_nothing_before_it_is_asked_and_no_class_twice() -> None:
    asked: list[tuple[int, int, int]] = []
    rounds = 0

    def read(wanted: Sequence[tuple[int, int, int]]) -> list[list[Candidate]]:
        nonlocal rounds
        rounds += 1
        asked.extend(wanted)
        return [[] for _ in wanted]

    stream = weighted_stream(read, [0, 3], RING - 7, 1e-3)
    assert not asked
    assert list(stream) == []
    assert rounds < 8
    first = first_class_ranges([0, 3], RING - 7, 1e-3)
    assert asked[: len(first)] == first
    for size_class in (0, 3):
        spans = sorted((low, high) for c, low, high in asked if c == size_class)
        assert sum(high - low for low, high in spans) == RING
        assert all(one[1] <= two[0] for one, two in pairwise(spans))


def test_a_size_outside_its_class_is_refused() -> None:
    with pytest.raises(ValueError, match="trace big is not in the class"):
        list(weighted_stream(lambda wanted: [[Candidate("big", 1, size=3.0)] for _ in wanted], [1], 0, 1.0))


@pytest.mark.parametrize(
    "stream",
    [lambda: keyed_stream(lambda _: [], 0, 0.0), lambda: weighted_stream(lambda _: [], [0], 0, 0.0)],
)
def test_a_stream_that_would_never_move_is_refused(stream: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match="must read something"):
        next(stream())  # type: ignore[call-overload]


def test_first_reads_are_sized_by_the_counters() -> None:
    assert first_span(100, 1_000_000) == pytest.approx(148 / 1_000_000)
    assert first_span(100, 10) == 1.0 == first_span(5, 0)
    assert first_threshold(25, {0: 10, 2: 20}) == pytest.approx(53 / (0.75 * (4 * 10 + 1 * 20)))
    assert first_threshold(25, {}) == float("inf")
