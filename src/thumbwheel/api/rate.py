"""How often one may knock: rates per key and per address, counted in the memory of each process."""

from __future__ import annotations

import math
import time
from typing import cast

from fastapi import Request
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from thumbwheel.errors import TooOften
from thumbwheel.services.access import Caller
from thumbwheel.wheel import DoorSettings


class Rates:
    """Counts requests in fixed windows; a process that starts anew starts at nothing."""

    def __init__(self, settings: DoorSettings) -> None:
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._key = parse(settings.key_rate)
        self._browser_key = parse(settings.browser_key_rate)
        self._browser = parse(settings.browser_rate)

    def spend(self, request: Request, who: Caller) -> None:
        """Count one request of this caller.

        Raises:
            TooOften: the key has used up its rate; or, with a publishable key, the address has.
        """
        if who.public:
            self._hit(self._browser, "address", who.name, _address(request))
        self._hit(self._browser_key if who.public else self._key, "public" if who.public else "secret", who.name)

    def spend_link(self, request: Request) -> None:
        """Count one use of a feedback link, good or bad, by the address it came from.

        Raises:
            TooOften: the address has used up its rate.
        """
        self._hit(self._browser, "link", _address(request))

    def _hit(self, item: RateLimitItem, *who: str) -> None:
        if self._limiter.hit(item, *who):
            return
        opens = self._limiter.get_window_stats(item, *who).reset_time
        fault = TooOften(f"More than {item} requests; wait, then try again.")
        fault.retry_after = max(1, math.ceil(opens - time.time()))  # noqa: TID251 - the limiter reads this clock too
        raise fault


def rates(request: Request) -> Rates:
    """The rates of this server."""
    return cast(Rates, request.app.state.rates)


def _address(request: Request) -> str:
    return request.client.host if request.client else "nowhere"
