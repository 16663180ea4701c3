"""The frame of a draw: the traces it may pick, counted exactly without looking at each.

A trace is in one frame only. Draws record the window they covered and the last trace that had arrived, so a trace that
comes late falls into a later frame. Hours that every frame covers whole are counted by their counters; the few hours
that some frame cuts are counted trace by trace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from thumbwheel.domain.queue import Draw, Frame, Window
from thumbwheel.errors import Invalid
from thumbwheel.store.engine import DAY_MICROS, HOUR_MICROS, from_micros, micros
from thumbwheel.store.evidence import CellCounts, Evidence
from thumbwheel.store.queue import Queue
from thumbwheel.store.traces import TraceRow, Traces

_Key = TypeVar("_Key")


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

    def close(self) -> None:
        """Count its traces as framed, so that no later frame counts them."""
        first, last = _whole_hours(self.window)
        if first < last:
            self.traces.hours.close(first, last - 1)
            self.evidence.close_hours(first, last - 1)


def open_frame(traces: Traces, evidence: Evidence, queue: Queue, window: Window) -> OpenFrame:
    """The frame of a new draw: what started in the window and is in no frame yet."""
    framed = [frame for _, frame in queue.list_frames(window)]
    population = _count(traces.hours.count, traces.count_unframed, window, framed)
    known = _count(evidence.count_hours, evidence.count_unframed, window, framed)
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


def _count(
    hours: Callable[[int, int, set[int]], dict[_Key, int]],
    unframed: Callable[[Window, Sequence[Frame]], dict[_Key, int]],
    window: Window,
    framed: Sequence[Frame],
) -> dict[_Key, int]:
    cut = _cut_hours(window, framed)
    first, last = _whole_hours(window)
    counted = hours(first, last - 1, cut)
    for piece in _pieces(window, cut):
        for key, n in unframed(piece, framed).items():
            counted[key] = counted.get(key, 0) + n
    return {key: n for key, n in counted.items() if n > 0}


def _with_unknown(population: dict[str, int], known: CellCounts) -> CellCounts:
    left = dict(population)
    for (category, _), n in known.items():
        left[category] = left.get(category, 0) - n
    return known | {(category, 0): n for category, n in left.items() if n > 0}


def _whole_hours(window: Window) -> tuple[int, int]:
    """The hours that lie in the window whole: from the first up to, not including, the second."""
    return -(-micros(window.start) // HOUR_MICROS), micros(window.end) // HOUR_MICROS


def _cut_hours(window: Window, framed: Sequence[Frame]) -> set[int]:
    """Hours of the window that it, or a frame before it, covers only in part."""
    edges = {window.start, window.end}
    for frame in framed:
        edges |= {frame.window.start, frame.window.end}
    cut = {micros(edge) // HOUR_MICROS for edge in edges if micros(edge) % HOUR_MICROS}
    return cut.intersection(range(micros(window.start) // HOUR_MICROS, micros(window.end) // HOUR_MICROS + 1))


def _pieces(window: Window, cut: Iterable[int]) -> list[Window]:
    """The parts of the cut hours that lie in the window."""
    pieces = []
    for hour in sorted(cut):
        begin, end = from_micros(hour * HOUR_MICROS), from_micros((hour + 1) * HOUR_MICROS)
        piece = Window(start=max(begin, window.start), end=min(end, window.end))
        if piece.start < piece.end:
            pieces.append(piece)
    return pieces
