"""The saturation curve in words and as a drawing."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from thumbwheel.web.words import counted, percent

if TYPE_CHECKING:
    from thumbwheel.services.coding import Curve

#: The drawing's size, in its own units.
WIDTH, HEIGHT = 320, 120
_LEFT, _BOTTOM, _TOP, _RIGHT = 26, 20, 14, 8
_STEP = 20
#: A chance of something new below this is not worth reading on for.
_RARE = 0.1


def sentence(curve: Curve) -> str:
    """What the last notes brought.

    >>> from types import SimpleNamespace as Some
    >>> step = Some(n_notes=20, n_new=4)
    >>> sentence(Some(n_notes=60, n_modes=9, n_new_last=1, steps=[step] * 3))
    'The last 20 notes brought 1 new mode.'
    >>> sentence(Some(n_notes=7, n_modes=4, n_new_last=4, steps=[step]))
    '7 notes brought 4 modes.'
    """
    if curve.n_notes < 2 * _STEP:
        return f"{counted(curve.n_notes, 'note')} brought {counted(curve.n_modes, 'mode')}."
    return f"The last {_STEP} notes brought {counted(curve.n_new_last, 'new mode')}."


def advice(curve: Curve) -> str:
    """What to do about it."""
    if curve.n_notes < 2 * _STEP or curve.unseen_probability is None:
        return "Whether that is all of them shows after forty notes or so."
    chance = f"The next note is of a kind nobody has met with a chance of {_kept_together(percent(curve.unseen_probability))}."
    if curve.n_new_last == 0 and curve.unseen_probability <= _RARE:
        return f"{chance} Reading more would find little: write the categories."
    if curve.n_new_last <= 1:
        return f"{chance} Nearly all is found: see whether the notes that stand alone belong to the others."
    return f"{chance} Read more before the categories are fixed, or merge groups that say the same."


def _kept_together(text: str) -> str:
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def in_steps(curve: Curve) -> str:
    """New modes of each twenty notes, on one line.

    >>> from types import SimpleNamespace as Some
    >>> in_steps(Some(steps=[Some(n_notes=20, n_new=9), Some(n_notes=40, n_new=2), Some(n_notes=47, n_new=0)]))
    '9, 2, 0 (the last 7 notes)'
    """
    numbers = ", ".join(str(step.n_new) for step in curve.steps)
    rest = curve.steps[-1].n_notes % _STEP if curve.steps else 0
    return f"{numbers} (the last {counted(rest, 'note')})" if rest else numbers


@dataclass(frozen=True, slots=True)
class Bar:
    """New modes of a step, as a rectangle."""

    x: float
    y: float
    width: float
    height: float
    n_new: int
    #: Notes read up to its end.
    n_notes: int


@dataclass(frozen=True, slots=True)
class Drawing:
    """The curve as shapes: a line of modes met so far, and a bar of new ones for each step."""

    bars: tuple[Bar, ...]
    #: Points of the line, as SVG wants them.
    line: str
    #: Where the line ends.
    end: tuple[float, float]
    ground: float
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT


def drawing(curve: Curve) -> Drawing:
    """The curve, drawn: notes to the right, modes upwards."""
    wide, high = WIDTH - _LEFT - _RIGHT, HEIGHT - _BOTTOM - _TOP
    most_notes, most = max(curve.n_notes, _STEP), max(curve.n_modes, 1)

    def x(n_notes: float) -> float:
        return round(_LEFT + wide * n_notes / most_notes, 1)

    def y(n_modes: float) -> float:
        return round(_TOP + high * (1 - n_modes / most), 1)

    starts = [0, *(step.n_notes for step in curve.steps)]
    bars = [
        Bar(
            x(start) + 1,
            y(step.n_new),
            max(x(step.n_notes) - x(start) - 2, 1),
            y(0) - y(step.n_new),
            step.n_new,
            step.n_notes,
        )
        for start, step in zip(starts, curve.steps, strict=False)
    ]
    firsts = set(curve.firsts)
    met = list(accumulate(place in firsts for place in range(1, curve.n_notes + 1)))
    points = [(x(0), y(0)), *((x(place), y(n)) for place, n in enumerate(met, 1))]
    return Drawing(tuple(bars), " ".join(f"{px},{py}" for px, py in points), points[-1], y(0))
