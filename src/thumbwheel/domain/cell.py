"""What is known of a trace before a human looks at it, as one small number.

A trace's cell says which signs its users gave and what a judge thinks of it, to the nearest step of its log-odds.
Everything the sampler believes about a trace follows from its category and its cell, so that a sum over millions of
traces is a sum over the few hundred cells they are in.
"""

from __future__ import annotations

import math
from enum import IntFlag
from functools import cache
from typing import Final, NamedTuple

#: A judge's log-odds of failure are kept to the nearest whole number within this distance of 0.
FARTHEST: Final = 4
_JUDGE_SHIFT: Final = 16
_SUGGESTED_BIT: Final = 1 << 24


class Sign(IntFlag):
    """One thing users' signals say of an answer. Of two that say the same, only the stronger is set."""

    #: A thumb down without a reason.
    down = 1
    #: A reason, with or without a thumb.
    reason = 2
    #: A correction.
    edit = 4
    #: A correction made after copying.
    copy_edit = 8
    regenerate = 16
    clarification = 32
    abandonment = 64
    up = 128
    copied = 256
    #: Read for unusually long or short a time.
    dwell = 512


#: Signs that speak against the answer: any of them makes a trace eligible for the negative policy.
AGAINST: Final = (
    Sign.down | Sign.reason | Sign.edit | Sign.copy_edit | Sign.regenerate | Sign.clarification | Sign.abandonment
)


class Cell(NamedTuple):
    """A cell, taken apart."""

    signs: Sign = Sign(0)
    #: Log-odds of failure by a judge, a whole number in [-4, 4]; None while no judge has looked.
    judge: int | None = None
    #: True when that judge is the one thumbwheel trains, False when the score came with the trace.
    suggested: bool = False

    @classmethod
    def of(cls, number: int) -> Cell:
        """Back from `number`."""
        return _apart(number)

    @property
    def number(self) -> int:
        """The cell as one integer that is not negative; 0 when nothing is known."""
        judged = 0 if self.judge is None else self.judge + FARTHEST + 1
        return int(self.signs) | judged << _JUDGE_SHIFT | (_SUGGESTED_BIT if self.suggested else 0)

    @property
    def is_negative(self) -> bool:
        """Whether something speaks against the answer."""
        return bool(self.signs & AGAINST)


def step_of(failure_probability: float) -> int:
    """The log-odds of a probability in [0, 1], to the nearest step.

    >>> step_of(0.5), step_of(0.0), step_of(0.9)
    (0, -4, 2)
    """
    if not 0.0 < failure_probability < 1.0:
        return FARTHEST if failure_probability >= 1.0 else -FARTHEST
    log_odds = math.log(failure_probability / (1.0 - failure_probability))
    return min(max(round(log_odds), -FARTHEST), FARTHEST)


@cache
def _apart(number: int) -> Cell:
    # A draw asks for the same few hundred cells again and again.
    judged = number >> _JUDGE_SHIFT & 0xFF
    return Cell(
        signs=Sign(number & (1 << _JUDGE_SHIFT) - 1),
        judge=judged - FARTHEST - 1 if judged else None,
        suggested=bool(number & _SUGGESTED_BIT),
    )
