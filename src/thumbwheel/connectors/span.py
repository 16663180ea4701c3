"""Spans of time as people write them: 7d, 24h, 90m, 30s, 0."""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_SPAN = re.compile(r"\s*(\d{1,6}(?:\.\d{1,3})?)\s*([wdhms])\s*")


def parse_span(text: object) -> object:
    """The span a text like "7d" means; 0 and "0" mean none. Anything that is neither text nor number is left as it is.

    Raises:
        ValueError: the text is no span, or it is a number, which has no unit.

    >>> parse_span("36h")
    datetime.timedelta(days=1, seconds=43200)
    """
    if text in (0, "0") and not isinstance(text, bool):
        return timedelta(0)
    if not isinstance(text, str | int | float):
        return text
    found = _SPAN.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError(f"{text!r} is no span of time; write 7d, 24h, 90m or 30s")
    return timedelta(**{_UNITS[found[2]]: float(found[1])})
