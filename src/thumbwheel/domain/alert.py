"""What somebody asks when the traffic has changed: look at this slice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

#: How long an alert stays open, and how many traces a draw pulls for it, where nobody says otherwise.
LASTS, PULL = timedelta(days=1), 8


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRequest:
    """An alert somebody raises. `slice` gives fields and values, `filter` a filter; at least one of them is needed."""

    name: str
    slice: dict[str, str]
    filter: str | None = None
    pull: int = PULL
    lasts: timedelta = LASTS
    #: Names the same alert when it is sent again: then only its end moves.
    key: str | None = None
    #: The sender says that it is over.
    resolved: bool = False
