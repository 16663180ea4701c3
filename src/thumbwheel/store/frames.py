"""The frame of a draw: the traces it may pick, counted exactly without looking at each.

A trace is in one frame only. Draws record the window they covered and the last trace that had arrived, so a trace that
comes late falls into a later frame. Hours that every frame covers whole are counted by counters of hours and days (see
`thumbwheel.store.counts`); the few hours that some frame cuts are counted trace by trace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from thumbwheel.domain.queue import Draw, Frame, Window
from thumbwheel.errors import Invalid
from thumbwheel.store.counts import Counts, Piece, pieces
from thumbwheel.store.engine import DAY_MICROS, HOUR_MICROS, from_micros, micros
from thumbwheel.store.evidence import CellCounts, Evidence
from thumbwheel.store.queue import Queue
from thumbwheel.store.traces import TraceRow, Traces


@dataclass(frozen=True, slots=True)
class OpenFrame:
    """The traces a draw may pick."""

    traces: Traces
    evidence: Evidence
    window: Window
    #: Number of the last trace that had arrived.
    framed_to: int
    #: Frames closed before: what one of them holds is not in this one.
    framed: Sequence[Frame]
    #: Days since 1970 that the window touches and that have traces.
    days: Sequence[int]
    #: Traces in the frame by category.
    population: dict[str, int]
    #: The same by category and cell; all that nothing is known of are in cell 0.
    cells: CellCounts = field(default_factory=dict)
    #: The draw that closed this frame, when it is drawn from again.
    draw_id: str | None = None

    @property
    def n(self) -> int:
        """Traces in the frame."""
        return sum(self.population.values())

    def holds(self, row: TraceRow) -> bool:
        """Whether a trace is in the frame."""
        if row.ref > self.framed_to or not self.window.start <= row.started_at < self.window.end:
            return False
        return not any(frame.holds(row.started_at, row.ref) for frame in self.framed)


def open_frame(traces: Traces, evidence: Evidence, queue: Queue, window: Window) -> OpenFrame:
    """The frame of a new draw: what started in the window and is in no frame yet."""
    traces.counts.prefer_seeks()
    framed = [frame for _, frame in queue.list_frames(window)]
    parts = _parts(window, framed)
    population = {
        str(category): n for (category,), n in _count(traces.counts, traces.count_unframed, parts, framed).items()
    }
    known = {
        (str(category), int(cell)): n
        for (category, cell), n in _count(evidence.counts, evidence.count_unframed, parts, framed).items()
    }
    return OpenFrame(
        traces=traces,
        evidence=evidence,
        window=window,
        framed_to=traces.last_number(),
        framed=framed,
        days=_days(traces, window),
        population=population,
        cells=_with_unknown(population, known),
    )


def count_all(traces: Traces, window: Window) -> int:
    """Traces that started in the window, in a frame or not."""
    return sum(_count(traces.counts, traces.count_unframed, _parts(window, []), []).values())


def reopen_frame(traces: Traces, evidence: Evidence, queue: Queue, window: Window) -> OpenFrame:
    """The last frame closed over any part of the window, to draw from again.

    Raises:
        Invalid: there is none.
    """
    found = [(draw_id, frame) for draw_id, frame in queue.list_frames(window) if queue.get_draw(draw_id).population]
    if not found:
        raise Invalid("There is no draw over this window to draw from again.", field="again")
    return frame_of(traces, evidence, queue, queue.get_draw(found[-1][0]))


def frame_of(traces: Traces, evidence: Evidence, queue: Queue, draw: Draw) -> OpenFrame:
    """The frame a draw closed."""
    traces.counts.prefer_seeks()
    overlapping = queue.list_frames(draw.window)
    before = [closed for _, closed in overlapping[: [other for other, _ in overlapping].index(draw.id)]]
    return OpenFrame(
        traces=traces,
        evidence=evidence,
        window=draw.window,
        framed_to=draw.framed_to,
        framed=before,
        days=_days(traces, draw.window),
        population=draw.population_by_category,
        cells={(category, cell): n for category, cell, n in draw.cells},
        draw_id=draw.id,
    )


def _days(traces: Traces, window: Window) -> list[int]:
    spanned = range(micros(window.start) // DAY_MICROS, micros(window.end) // DAY_MICROS + 1)
    return sorted(set(traces.list_days()).intersection(spanned))


class _Parts(NamedTuple):
    """How a window is counted: by counters, and where it or a frame cuts an hour by looking at traces."""

    counters: list[Piece]
    #: Parts of hours whose traces are to be added, and taken off what the counter of the whole hour says.
    more: list[Window]
    less: list[Window]


def _count(
    counts: Counts,
    unframed: Callable[[Window, Sequence[Frame]], Mapping[Any, int]],
    parts: _Parts,
    framed: Sequence[Frame],
) -> dict[tuple[str | int, ...], int]:
    counted = counts.sum(parts.counters)
    for windows, sign in ((parts.more, 1), (parts.less, -1)):
        for window in windows:
            for key, n in unframed(window, framed).items():
                counted[key] = counted.get(key, 0) + sign * n
    return {key: n for key, n in counted.items() if n > 0}


def _parts(window: Window, framed: Sequence[Frame]) -> _Parts:
    first, last = micros(window.start) // HOUR_MICROS, -(-micros(window.end) // HOUR_MICROS) - 1
    by_frames = _cut_hours(edge for frame in framed for edge in (frame.window.start, frame.window.end))
    parts = _Parts([], [], [])
    apart = {hour for hour in by_frames if first <= hour <= last}
    for hour in _cut_hours((window.start, window.end)) - by_frames:
        inside, outside = _sides(window, hour)
        # An hour that is cut near its end, as by a draw of what has come up to now, is counted from the other side.
        if _length(outside) < _length(inside):
            parts.less.extend(outside)
        else:
            parts.more.extend(inside)
            apart.add(hour)
    parts.more.extend(piece for hour in sorted(apart & by_frames) for piece in _sides(window, hour)[0])
    parts.counters.extend(_whole(first, last, apart, framed))
    return parts


def _whole(first: int, last: int, apart: set[int], framed: Sequence[Frame]) -> Iterator[Piece]:
    """Counters of the hours from `first` to `last` but for some, from the epoch of the last frame over each on."""
    spans = [(*_whole_hours(frame.window), frame.framed_to) for frame in framed]
    edges = {edge for begin, end, _ in spans for edge in (begin, end)} | {
        hour + step for hour in apart for step in (0, 1)
    }
    bounds = sorted({first, last + 1, *(edge for edge in edges if first < edge <= last)})
    run: list[int] = []
    for begin, end in pairwise(bounds):
        if begin in apart:
            continue
        epoch = max((to for start, stop, to in spans if start <= begin < stop), default=0)
        if run and run[1:] == [begin, epoch]:
            run[1] = end
            continue
        if run:
            yield from pieces(run[0], run[1] - 1, run[2])
        run = [begin, end, epoch]
    if run:
        yield from pieces(run[0], run[1] - 1, run[2])


def _with_unknown(population: dict[str, int], known: CellCounts) -> CellCounts:
    left = dict(population)
    for (category, _), n in known.items():
        left[category] = left.get(category, 0) - n
    return known | {(category, 0): n for category, n in left.items() if n > 0}


def _whole_hours(window: Window) -> tuple[int, int]:
    """The hours that lie in the window whole: from the first up to, not including, the second."""
    return -(-micros(window.start) // HOUR_MICROS), micros(window.end) // HOUR_MICROS


def _cut_hours(edges: Iterable[datetime]) -> set[int]:
    return {micros(edge) // HOUR_MICROS for edge in edges if micros(edge) % HOUR_MICROS}


def _sides(window: Window, hour: int) -> tuple[list[Window], list[Window]]:
    """The parts of an hour that lie in the window, and those that do not."""
    begin, end = from_micros(hour * HOUR_MICROS), from_micros((hour + 1) * HOUR_MICROS)
    start, stop = max(begin, window.start), min(end, window.end)
    inside = [Window(start=start, end=stop)]
    return inside, [Window(start=one, end=two) for one, two in ((begin, start), (stop, end)) if one < two]


def _length(windows: Iterable[Window]) -> timedelta:
    return sum((window.end - window.start for window in windows), timedelta(0))
