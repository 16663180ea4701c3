"""What others may implement, and what the core is handed instead of reaching for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias

#: The time now, aware and in UTC.
Now: TypeAlias = Callable[[], datetime]

#: A new id: unique, and sorting by the time it was made.
Mint: TypeAlias = Callable[[], str]
