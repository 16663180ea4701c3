"""The pictures of docs/sampling.md, drawn from the figures of one run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from benchmarks.simulation.curves import COLOURS, Panel, figure
from benchmarks.simulation.product import DRIFT_DAY, MODES
from benchmarks.simulation.queues import MIXES, WITHOUT

_COLOUR: Final = dict(zip([*MIXES, *WITHOUT], COLOURS, strict=True))


def pictures(told: Mapping[str, Any]) -> dict[str, str]:
    """File name -> SVG."""
    return {
        "sampling-modes.svg": modes(told["queues"], told["days"]),
        "sampling-weeks.svg": weeks(told["weeks"]),
        "sampling-labels.svg": labels(told["queues"]),
    }


def modes(queues: Mapping[str, Any], n_days: int) -> str:
    """Failure modes found by day, all and silent ones."""
    n_silent = sum(mode.silent for mode in MODES)
    panels = [
        (Panel(f"Failure modes found, of {len(MODES)}", "day", n_days, len(MODES)), "modes_by_day", 3),
        (Panel(f"Silent ones found, of {n_silent}", "day", n_days, n_silent), "silent_by_day", 1),
    ]
    ticks = {float(day): str(day) for day in range(0, n_days + 1, 14)}
    for panel, of, _ in panels:
        for queue, found in queues.items():
            points = [(0.0, 0.0), *((day + 1.0, n) for day, n in enumerate(found[of]))]
            panel.line(queue, points, _COLOUR[queue], "5 3" if queue in WITHOUT else "")
        panel.mark(DRIFT_DAY, "something breaks")
    words = "Failure modes found over eight weeks by each queue: all, and those no user complains about."
    return figure(words, [(panel, ticks, range(0, int(panel.y_most) + 1, step)) for panel, _, step in panels])


def weeks(told: Sequence[Mapping[str, float]]) -> str:
    """What one product's weeks were like, and what they look like."""
    panel = Panel("Failure rate of one product, %", "week", len(told) + 0.3, 36.0, 620.0, x_first=0.5, right=170.0)
    rows = list(enumerate(told, start=1))
    panel.line("failures among labels", [(at, week["naive"]) for at, week in rows], COLOURS[1], "5 3")
    panel.line("traces with a complaint", [(at, week["complaints"]) for at, week in rows], COLOURS[3], "5 3")
    panel.line("the truth", [(at, week["truth"]) for at, week in rows], COLOURS[2])
    for at, week in rows:
        panel.span(at, week["low"], week["high"], week["estimate"], COLOURS[0])
    panel.line("estimate, 95 % interval", [(at, week["estimate"]) for at, week in rows], COLOURS[0], "1 6")
    words = "Week by week: the true failure rate, the estimate with its interval, and two shares mistaken for it."
    return figure(words, [(panel, {float(at): str(at) for at, _ in rows}, range(0, 36, 5))])


def labels(queues: Mapping[str, Any]) -> str:
    """How wide the interval is after so many labels."""
    panel = Panel("Width of the 95 % interval, points", "labels in the window", 2300.0, 20.0, 620.0, right=170.0)
    for queue, kind, name in (
        ("default mix", "width", "default mix"),
        ("default mix", "core_width", "its uniform core alone"),
        ("random only", "width", "random only"),
    ):
        colour = COLOURS[4] if kind == "core_width" else _COLOUR[queue]
        rows = queues[queue]["estimate"].values()
        panel.line(name, [(row["labels"], row[kind]) for row in rows], colour, "5 3" if kind == "core_width" else "")
    ticks = {float(n): str(n) for n in (80, 560, 1120, 2240)}
    return figure("The interval narrows with the square root of the labels.", [(panel, ticks, range(0, 21, 5))])
