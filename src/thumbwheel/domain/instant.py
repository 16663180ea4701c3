"""Points in time: in UTC, and within what can have happened."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

#: Nothing that comes here happened before: an earlier time is a clock that was never set.
EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
#: How far the clock of whoever says when something happened may be ahead of ours.
CLOCK_SKEW: Final = timedelta(days=1)


def utc(at: datetime) -> datetime:
    """The same point in time, in UTC; one that names no offset is in UTC already.

    Raises:
        ValueError: in UTC it is outside of the years 1 to 9999.
    """
    try:
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except OverflowError as fault:
        raise ValueError(f"{at.isoformat()} is further than dates go") from fault


def can_have_been(at: datetime, now: datetime) -> bool:
    """Whether something that somebody tells of now can have happened then."""
    return EARLIEST <= at <= now + CLOCK_SKEW
