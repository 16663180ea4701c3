"""Whether more reading still finds new ways to fail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

#: Notes in a step of the curve.
STEP = 20


@dataclass(frozen=True, slots=True)
class Step:
    """Some notes in a row."""

    #: Notes read up to its end.
    n_notes: int
    #: Modes first met in it.
    n_new: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """New modes as notes are read, in the order in which they were written."""

    n_notes: int
    n_modes: int
    #: Place of each note, counted from 1, that was the first of its mode.
    firsts: tuple[int, ...]
    #: `STEP` notes each, from the first on; the last may be shorter.
    steps: tuple[Step, ...]
    #: Modes first met in the last `STEP` notes, or in all when there are fewer.
    n_new_last: int
    #: Chance that the next note is of a mode nobody has met; None without notes.
    unseen_probability: float | None


def saturation(modes: Sequence[Hashable | None], step: int = STEP) -> Curve:
    """The curve of these notes' modes; None is a note that brings none.

    The chance that the next note is of a new mode is estimated by Good and Turing's n1 / n: modes
    met once over notes with a mode (Good 1953, *Biometrika* 40:237-264).

    >>> curve = saturation(["a", "a", "b", "a", None, "a"], step=3)
    >>> curve.firsts, [each.n_new for each in curve.steps], curve.n_new_last, curve.unseen_probability
    ((1, 3), [2, 0], 0, 0.2)
    """
    met = Counter(mode for mode in modes if mode is not None)
    seen: set[Hashable] = set()
    firsts = []
    for place, mode in enumerate(modes, 1):
        if mode is not None and mode not in seen:
            seen.add(mode)
            firsts.append(place)
    ends = range(step, len(modes) + step, step)
    steps = tuple(Step(min(end, len(modes)), sum(end - step < place <= end for place in firsts)) for end in ends)
    return Curve(
        n_notes=len(modes),
        n_modes=len(seen),
        firsts=tuple(firsts),
        steps=steps,
        n_new_last=sum(place > len(modes) - step for place in firsts),
        unseen_probability=sum(times == 1 for times in met.values()) / met.total() if met else None,
    )
