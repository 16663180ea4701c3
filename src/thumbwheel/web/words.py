"""Numbers, times and texts as people read them, alike in the terminal, on a page and in a file."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from thumbwheel.services.measure import Figure

#: What a terminal or a browser would act on instead of showing.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_UNITS = (("d", 86_400.0), ("h", 3_600.0), ("min", 60.0), ("s", 1.0))


def one_line(text: str, limit: int) -> str:
    r"""A text on one line of at most `limit` characters, without what a terminal would obey.

    >>> one_line("two  lines\n\x1b[31mred", 40)
    'two lines �[31mred'
    """
    flat = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", " ".join(text[: 4 * limit].split()))
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def counted(n: int, noun: str, plural: str | None = None) -> str:
    """A number and its noun.

    >>> counted(1, "label"), counted(1200, "label"), counted(2, "entry", "entries")
    ('1 label', '1,200 labels', '2 entries')
    """
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def percent(share: float) -> str:
    """A share in [0, 1] as a percentage, with as many digits as still say something.

    >>> percent(0.5), percent(0.054), percent(0.0004), percent(0.0), percent(1.0), percent(0.97), percent(0.996)
    ('50 %', '5.4 %', '0.04 %', '0 %', '100 %', '97 %', '99.6 %')
    """
    value = 100 * share
    distance = min(value, 10 * (100 - value))
    digits = 0 if distance == 0 or distance >= 10 else 1 if distance >= 0.1 else 2
    text = f"{value:.{digits}f}"
    return f"{text.rstrip('0').rstrip('.') if digits else text} %"


def duration(seconds: float) -> str:
    """A length of time in its largest fitting unit.

    >>> duration(0), duration(42), duration(5400), duration(129_600), duration(8.64e6)
    ('0 s', '42 s', '1.5 h', '1.5 d', '100 d')
    """
    for unit, length in _UNITS:
        if seconds >= length:
            value = seconds / length
            return f"{value:.1f} {unit}" if value < 10 and value != round(value) else f"{value:.0f} {unit}"
    return "0 s"


def plain_number(value: float) -> str:
    """A number with two digits that say something.

    >>> plain_number(0.4914), plain_number(12.34), plain_number(1234.5)
    ('0.49', '12', '1,234')
    """
    return f"{value:,.2f}" if abs(value) < 10 else f"{value:,.0f}"


def estimate(figure: Figure, form: Callable[[float], str] = percent) -> str:
    """A figure with its 95 % limits, or the reason why there is none.

    A unit that all three numbers share is said once.

    >>> from types import SimpleNamespace as Some
    >>> estimate(Some(estimate=0.2, low=0.124, high=0.31, why=None))
    '20 % (12–31 %)'
    >>> estimate(Some(estimate=5400.0, low=42.0, high=None, why=None), duration)
    '1.5 h (42 s – not reached)'
    >>> estimate(Some(estimate=None, low=None, high=None, why="not enough labels: 3 of 5"))
    'not enough labels: 3 of 5'
    """
    if figure.estimate is None or figure.low is None:
        return figure.why or "not known"
    low, high = form(figure.low), "not reached" if figure.high is None else form(figure.high)
    number, _, unit = low.rpartition(" ")
    same_unit = bool(number) and high.endswith(f" {unit}")
    between = f"{number}–{high}" if same_unit else f"{low}–{high}" if " " not in low + high else f"{low} – {high}"
    return f"{form(figure.estimate)} ({between})"


def moment(at: datetime) -> str:
    """A time to the minute, in UTC.

    >>> from datetime import UTC
    >>> moment(datetime(2026, 11, 23, 9, 5, tzinfo=UTC))
    '23 Nov 2026, 09:05 UTC'
    """
    return f"{at.day} {at:%b %Y, %H:%M} UTC"


def date(at: datetime) -> str:
    """A day.

    >>> from datetime import UTC
    >>> date(datetime(2026, 11, 3, tzinfo=UTC))
    '3 Nov 2026'
    """
    return f"{at.day} {at:%b %Y}"
