"""Splitting one whole between many, none below its floor or above its cap."""

import numpy as np
import numpy.typing as npt

from thumbwheel.stats import given
from thumbwheel.stats.given import Floats

#: A wish this small beside the largest one counts as none.
VANISHING = 1e-12


class Unfillable(given.Refused):
    """The floors ask for more than there is, or the caps leave some of it over."""


def water_fill(wishes: npt.ArrayLike, *, floors: npt.ArrayLike, caps: npt.ArrayLike, total: float = 1.0) -> Floats:
    """Split `total` in proportion to the wishes, each part kept within its floor and cap.

    The answer is clip(level * wish, floor, cap) with the one level at which the
    parts add up to the total; what a cap cuts off flows to the others in
    proportion. A part without a wish stays at its floor until every other part
    is full; then such parts share the rest equally.

    Raises `LengthsDiffer`, `OutOfRange` (a negative or infinite number, a floor
    above its cap) and `Unfillable`.

    >>> water_fill([0.05, 0.70, 0.25], floors=[0, 0, 0.3], caps=[1, 0.5, 1]).round(4)
    array([0.0833, 0.5   , 0.4167])
    """
    wish, low, high = (given.floats(row, "a share", low=0.0) for row in (wishes, floors, caps))
    given.same_length("wishes, floors and caps", wish, low, high)
    total = given.not_negative(total, "a total")
    if (low > high).any():
        raise given.OutOfRange("a floor lies above its cap")
    slack = 1e-12 * max(1.0, total)
    if low.sum() > total + slack or high.sum() < total - slack:
        raise Unfillable(f"floors add up to {low.sum():.6g} and caps to {high.sum():.6g}, to split {total:.6g}")
    wish = wish / max(wish.max(initial=0.0), np.finfo(np.float64).tiny)
    silent = wish < VANISHING
    if np.where(silent, low, high).sum() >= total:
        return _filled(np.where(silent, 0.0, wish), low, high, total)
    low = np.where(silent, low, high)
    return _filled(silent.astype(np.float64), low, high, total)


def _filled(wish: Floats, low: Floats, high: Floats, total: float) -> Floats:
    """The clip(level * wish, low, high) with this total: exact, as it is linear between levels where a part fills."""
    parts = wish > 0
    if not parts.any():
        return low
    corners = np.unique(np.concatenate([[0.0], low[parts] / wish[parts], high[parts] / wish[parts]]))
    sums = np.clip(np.outer(corners, wish), low, high).sum(axis=1)
    level = float(np.interp(total, sums, corners))
    return np.clip(level * wish, low, high)
