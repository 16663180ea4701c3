"""Lists in key order, read from an index by range, never whole.

A stream asks its reader for all the ranges it needs next at once, as half-open ranges of keys that do not wrap, so that
a store can answer with one statement; rows may come in any order. What a stream reads grows with what is taken from
it, not with what is stored. What it reads first is known before it starts: see `first_ranges` and
`first_class_ranges`.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from thumbwheel.sample.lane import Candidate, Listed
from thumbwheel.sample.policies import class_upper
from thumbwheel.sample.ring import RING, position, ranges

#: (low, high): keys with low <= sample_key < high.
KeyRange: TypeAlias = tuple[int, int]

#: (size class, low, high): the same among the rows of one size class.
ClassRange: TypeAlias = tuple[int, int, int]

#: The candidates in any of these ranges.
Read: TypeAlias = Callable[[Sequence[KeyRange]], Iterable[Candidate]]

#: The candidates in each of these ranges.
ReadClasses: TypeAlias = Callable[[Sequence[ClassRange]], Sequence[Sequence[Candidate]]]

#: How much farther each next read of a weighted stream goes.
GROWTH = 4.0

#: How many times what suffices for a list without a cap is read, at most, of one with a cap.
FARTHEST = 16


def first_span(k: int, n: int) -> float:
    """Share of the ring that holds k of n candidates but for bad luck: (k + 4 sqrt(k) + 8) / n, at most 1."""
    return min(1.0, _enough(k) / n) if n else 1.0


def first_threshold(k: int, counts: Mapping[int, int]) -> float:
    """Key below which k candidates lie but for bad luck, given how many there are in each size class.

    About t * (sum of sizes) candidates have a key below t; a class spans a factor of two, so three quarters of its
    largest size stands for its members.
    """
    total = sum(0.75 * class_upper(size_class) * n for size_class, n in counts.items())
    return _enough(k) / total if total else math.inf


def farthest(k: int, counts: Mapping[int, int]) -> float:
    """Key from which on a list with a cap per user is not followed, by the same counts; infinity for a short list.

    Where one user owns nearly all of a list, its quota is not filled however far it is read; `FARTHEST` times as many
    candidates as usually suffice lie below this key.
    """
    return math.inf if sum(counts.values()) <= FARTHEST * _enough(k) else FARTHEST * first_threshold(k, counts)


def _enough(k: int) -> float:
    # Eight more, since a lane of one or two picks must also find who would stand in for them.
    return max(k, 1) + 4.0 * math.sqrt(max(k, 1)) + 8.0


def first_ranges(start: int, span: float) -> list[KeyRange]:
    """What a keyed stream reads first."""
    return ranges(start, 0, _far(span))


def first_class_ranges(classes: Iterable[int], start: int, threshold: float) -> list[ClassRange]:
    """What a weighted stream reads first."""
    return _class_ranges(dict.fromkeys(classes, 0), _reaches(dict.fromkeys(classes, 0), threshold), start)


def keyed_stream(read: Read, start: int, span: float) -> Iterator[Listed]:
    """Candidates of size 1 by distance from `start`: reads `span` of the ring, then doubles what it has read.

    Raises ValueError unless span > 0.
    """
    if not span > 0:
        raise ValueError(f"a stream must read something: span {span}")
    seen: set[str] = set()
    near, far = 0, _far(span)
    while near < RING:
        yield from sorted(_keyed(read(ranges(start, near, far)), start, seen))
        near, far = far, min(RING, 2 * far)


def weighted_stream(
    read: ReadClasses, classes: Iterable[int], start: int, threshold: float, bound: float = math.inf
) -> Iterator[Listed]:
    """Candidates in order of R / size, from rows that are kept by size class.

    A row with a key below t has R < t * size <= t * u, u being the largest size of its class: reading each class as
    far as t * u finds every such row. Those are given out in order, farther ones are held back, and t grows fourfold
    until every class was read all round. At most GROWTH times too much is read, and twice for the width of a class.
    The list ends before the key `bound`; nothing is read beyond it.

    Raises ValueError unless threshold > 0, or for a row whose size is not of its class.
    """
    if not threshold > 0:
        raise ValueError(f"a stream must read something: threshold {threshold}")
    near = dict.fromkeys(classes, 0)
    held: list[Listed] = []
    seen: set[str] = set()
    while any(done < RING for done in near.values()):
        threshold = min(threshold, bound)
        far = _reaches(near, threshold)
        wanted = _class_ranges(near, far, start)
        for (size_class, _, _), rows in zip(wanted, read(wanted), strict=True):
            _check(rows, class_upper(size_class))
            for listed in _keyed(rows, start, seen):
                heapq.heappush(held, listed)
        near = far
        while held and held[0][0] < threshold:
            yield heapq.heappop(held)
        if threshold >= bound:
            return
        threshold *= GROWTH
    yield from (listed for listed in sorted(held) if listed[0] < bound)


def _reaches(near: Mapping[int, int], threshold: float) -> dict[int, int]:
    return {size_class: max(done, _far(threshold * class_upper(size_class))) for size_class, done in near.items()}


def _class_ranges(near: Mapping[int, int], far: Mapping[int, int], start: int) -> list[ClassRange]:
    return [(each, low, high) for each, done in near.items() for low, high in ranges(start, done, far[each])]


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
