"""What a statistic is given, checked once at the door, so that no NaN is ever computed from it.

Data that cannot be read (a share of 1.2, lists that do not match) is refused
with one of the errors below. Data that is merely too little is not an error:
functions answer it with a typed "undefined" or "too few" of their own.
"""

from collections.abc import Hashable, Sized

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

#: No 64-bit sampling key can realise a smaller chance; squares of its inverse stay finite.
LEAST_CHANCE = 2.0**-64


class Refused(ValueError):
    """What was given cannot be computed with."""


class OutOfRange(Refused):
    """A number lies outside what its meaning allows, or is not finite."""


class LengthsDiffer(Refused):
    """Values that belong together are not equally many."""


class NumbersRequired(Refused):
    """Distances between values need values that are numbers."""


class OrderRequired(Refused):
    """The values of an ordinal scale are words, and nobody said in which order they stand."""


def positive(value: float, what: str) -> float:
    """The value, if it is finite and above zero; otherwise `OutOfRange`."""
    if not 0 < value < float("inf"):
        raise OutOfRange(f"{what} must be finite and above 0, not {value}")
    return float(value)


def not_negative(value: float, what: str) -> float:
    """The value, if it is finite and at least zero; otherwise `OutOfRange`."""
    if not 0 <= value < float("inf"):
        raise OutOfRange(f"{what} must be finite and at least 0, not {value}")
    return float(value)


def share(value: float, what: str) -> float:
    """The value, if it lies in [0, 1]; otherwise `OutOfRange`."""
    if not 0 <= value <= 1:
        raise OutOfRange(f"{what} must lie in [0, 1], not {value}")
    return float(value)


def chance(value: float, what: str) -> float:
    """The value, if it lies strictly between 0 and 1, as a confidence level must; otherwise `OutOfRange`."""
    if not 0 < value < 1:
        raise OutOfRange(f"{what} must lie between 0 and 1, not {value}")
    return float(value)


def count(value: int, what: str) -> int:
    """The value, if it is a whole number of things; otherwise `OutOfRange`."""
    if not 0 <= value < float("inf") or value != int(value):
        raise OutOfRange(f"{what} must be a whole number and at least 0, not {value}")
    return int(value)


def floats(values: npt.ArrayLike, what: str, *, low: float = -np.inf, high: float = np.inf) -> Floats:
    """The values as one row of finite numbers in [low, high]; otherwise `OutOfRange`."""
    row = np.atleast_1d(np.asarray(values, dtype=np.float64))
    if row.ndim != 1:
        raise OutOfRange(f"{what} must be one row of numbers, not {row.ndim} dimensions")
    if not np.isfinite(row).all() or (row < low).any() or (row > high).any():
        raise OutOfRange(f"{what} must be finite and lie in [{low}, {high}]")
    return row


def verdicts(values: npt.ArrayLike, what: str) -> Floats:
    """The values as one row of zeros and ones; otherwise `OutOfRange`."""
    row = floats(values, what)
    if not np.isin(row, (0.0, 1.0)).all():
        raise OutOfRange(f"{what} must be 0 or 1")
    return row


def inclusion_chances(values: npt.ArrayLike) -> Floats:
    """The values as one row of chances in (0, 1]: what has no chance to be picked cannot have been."""
    return floats(values, "an inclusion probability", low=LEAST_CHANCE, high=1.0)


def is_missing(value: Hashable | None) -> bool:
    """True for None and for NaN."""
    return value is None or (isinstance(value, (float, np.floating)) and bool(np.isnan(value)))


def same_length(what: str, *rows: Sized) -> None:
    """Refuse rows that are not equally long with `LengthsDiffer`."""
    lengths = [len(row) for row in rows]
    if len(set(lengths)) > 1:
        raise LengthsDiffer(f"{what} must be equally many, not {lengths}")
