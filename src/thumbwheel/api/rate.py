"""How often one may knock: rates per key and per address, counted in the memory of each process."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from time import monotonic
from typing import Final, TypeAlias, cast

from fastapi import Request

from thumbwheel.errors import TooOften
from thumbwheel.services.access import Caller
from thumbwheel.wheel import DoorSettings

_SECONDS: Final = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
#: Windows kept before those that have ended are let go.
_MANY: Final = 10_000

_Who: TypeAlias = tuple[str, ...]


@dataclass(slots=True)
class _Window:
    """One caller's, from its first request on."""

    ends: float
    n: int = 0


@dataclass(slots=True)
class _Rate:
    """So many requests in a window of so long, for each caller; `text` reads "600/minute"."""

    text: str
    most: int
    seconds: int
    windows: dict[_Who, _Window] = field(default_factory=dict)
    full: int = _MANY

    @classmethod
    def of(cls, text: str) -> _Rate:
        most, _, unit = text.partition("/")
        return cls(text, int(most), _SECONDS[unit])

    def hit(self, *who: str) -> None:
        """Count one request.

        Raises:
            TooOften: it is one too many.
        """
        now = monotonic()
        window = self.windows.get(who)
        if window is None or window.ends <= now:
            window = self._open(who, now)
        if window.n >= self.most:
            fault = TooOften(f"More than {self.text} requests; wait, then try again.")
            fault.retry_after = max(1, math.ceil(window.ends - now))
            raise fault
        window.n += 1

    def _open(self, who: _Who, now: float) -> _Window:
        if len(self.windows) >= self.full:
            self.windows = {each: window for each, window in self.windows.items() if window.ends > now}
            self.full = max(_MANY, 2 * len(self.windows))
        window = self.windows[who] = _Window(now + self.seconds)
        return window


class Rates:
    """Counts requests in fixed windows; a process that starts anew starts at nothing."""

    def __init__(self, settings: DoorSettings) -> None:
        self._key = _Rate.of(settings.key_rate)
        self._browser_key = _Rate.of(settings.browser_key_rate)
        #: For an address and the key it used, and for an address that used links.
        self._browser, self._links = _Rate.of(settings.browser_rate), _Rate.of(settings.browser_rate)

    def spend(self, request: Request, who: Caller) -> None:
        """Count one request of this caller.

        Raises:
            TooOften: the key has used up its rate; or, with a publishable key, the address has.
        """
        if who.public:
            self._browser.hit(who.name, _address(request))
            self._browser_key.hit(who.name)
        else:
            self._key.hit(who.name)

    def spend_link(self, request: Request) -> None:
        """Count one use of a feedback link, good or bad, by the address it came from.

        Raises:
            TooOften: the address has used up its rate.
        """
        self._links.hit(_address(request))


def rates(request: Request) -> Rates:
    """The rates of this server."""
    return cast(Rates, request.app.state.rates)


def _address(request: Request) -> str:
    return request.client.host if request.client else "nowhere"
