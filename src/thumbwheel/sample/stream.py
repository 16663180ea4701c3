"""Lists in key order, read from an index by range, never whole.

A reader is a callable `read(low, high)` that returns the candidates with low <= sample_key < high, in any order; it is
never asked for a range that wraps. What a stream reads grows with what is taken from it, not with what is stored.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from thumbwheel.sample.lane import Candidate, Listed
from thumbwheel.sample.policies import class_upper
from thumbwheel.sample.ring import RING, position, ranges

#: read(low, high): the candidates with low <= sample_key < high.
Read: TypeAlias = Callable[[int, int], Sequence[Candidate]]

#: read(size_class, low, high): the same among the rows of one size class.
ReadClass: TypeAlias = Callable[[int, int, int], Sequence[Candidate]]

#: How much farther each next read of a weighted stream goes.
GROWTH = 4.0


def first_span(k: int, n: int) -> float:
    """Share of the ring that holds k of n candidates but for bad luck: (k + 4 sqrt(k)) / n, at most 1."""
    return min(1.0, _enough(k) / n) if n else 1.0


def first_threshold(k: int, counts: Mapping[int, int]) -> float:
    """Key below which k candidates lie but for bad luck, given how many there are in each size class.

    About t * (sum of sizes) candidates have a key below t; a class spans a factor of two, so three quarters of its
    largest size stands for its members.
    """
    total = sum(0.75 * class_upper(size_class) * n for size_class, n in counts.items())
    return _enough(k) / total if total else math.inf


def _enough(k: int) -> float:
    return max(k, 1) + 4.0 * math.sqrt(max(k, 1))


def keyed_stream(read: Read, start: int, span: float) -> Iterator[Listed]:
    """Candidates of size 1 by distance from `start`: reads `span` of the ring, then doubles what it has read.

    Raises ValueError unless span > 0.
    """
    if not span > 0:
        raise ValueError(f"a stream must read something: span {span}")
    seen: set[str] = set()
    near = 0
    while near < RING:
        far = min(RING, max(2 * near, math.ceil(min(span, 1.0) * RING)))
        rows = [row for low, high in ranges(start, near, far) for row in read(low, high)]
        yield from sorted(_keyed(rows, start, seen))
        near = far


def weighted_stream(read: ReadClass, classes: Iterable[int], start: int, threshold: float) -> Iterator[Listed]:
    """Candidates in order of R / size, from rows that are kept by size class.

    A row with a key below t has R < t * size <= t * u, u being the largest size of its class: reading each class as
    far as t * u finds every such row. Those are given out in order, farther ones are held back, and t grows fourfold
    until every class was read all round. At most GROWTH times too much is read, and twice for the width of a class.

    Raises ValueError unless threshold > 0, or for a row whose size is not of its class.
    """
    if not threshold > 0:
        raise ValueError(f"a stream must read something: threshold {threshold}")
    near = dict.fromkeys(classes, 0)
    held: list[Listed] = []
    seen: set[str] = set()
    while any(done < RING for done in near.values()):
        for size_class, done in near.items():
            far = _far(threshold * class_upper(size_class))
            rows = [row for low, high in ranges(start, done, far) for row in read(size_class, low, high)]
            _check(rows, class_upper(size_class))
            for listed in _keyed(rows, start, seen):
                heapq.heappush(held, listed)
            near[size_class] = max(done, far)
        while held and held[0][0] < threshold:
            yield heapq.heappop(held)
        threshold *= GROWTH
    yield from sorted(held)


def _far(reach: float) -> int:
    return RING if reach >= 1.0 else min(RING, int(reach * RING) + 1)


def _keyed(rows: Iterable[Candidate], start: int, seen: set[str]) -> Iterator[Listed]:
    for row in rows:
        if row.trace_id not in seen:
            seen.add(row.trace_id)
            yield position(row.sample_key, start) / row.size, row


def _check(rows: Iterable[Candidate], upper: float) -> None:
    for row in rows:
        if not 0.0 < row.size <= upper:
            raise ValueError(f"size {row.size} of trace {row.trace_id} is not in the class up to {upper}")
