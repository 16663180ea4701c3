"""An application whose failures are known: skewed categories, hidden failure modes, and users who say odd things.

Everything a human would have to find out is written down here, so that what a queue finds can be counted. Nothing in
it comes from a real product: it shows what a method does, and promises nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from thumbwheel.domain.cell import FARTHEST, Cell, Sign
from thumbwheel.sample.ring import RING

Ints = npt.NDArray[np.int64]

#: Twelve categories, each two thirds as common as the one before it.
CATEGORIES: Final = tuple(
    "support billing search travel coding orders tax legal medical payroll customs estate".split()
)
_DECAY: Final = 0.66
USERS: Final = 1_500
#: One user sends 2 % of everything and complains about half of it, whatever the answer was like.
HEAVY: Final = 0
_HEAVY_SHARE, _HEAVY_COMPLAINS = 0.02, 0.5
#: Complaints and thumbs-up on answers that were fine, and thumbs-up on failures.
_GRUMBLE, _PRAISE, _PRAISED_FAILURE = 0.012, 0.03, 0.004
#: How people complain.
_WAYS: Final = ((Sign.down, 0.35), (Sign.reason, 0.2), (Sign.regenerate, 0.3), (Sign.clarification, 0.15))
#: What the judge thinks of a failure it sees, and of everything else: mean and spread of its log-odds of failure.
_SEEN, _UNSEEN = (1.0, 1.4), (-2.4, 1.3)


@dataclass(frozen=True, slots=True)
class Mode:
    """One way to fail."""

    name: str
    category: str
    #: Share of the category's traces that fail so.
    rate: float
    #: Chance that the user says or does something about it; 0 makes it silent.
    complained: float
    #: Chance that the judge sees it.
    seen: float
    #: First day, 0 from the start.
    since: int = 0

    @property
    def silent(self) -> bool:
        """Whether no user ever complains of it."""
        return self.complained == 0.0


#: The day on which one more thing breaks.
DRIFT_DAY: Final = 28

MODES: Final = (
    Mode("refuses a harmless question", "support", 0.03, 0.40, 0.8),
    Mode("wrong invoice total", "billing", 0.05, 0.35, 0.6),
    Mode("answers in another language", "search", 0.03, 0.30, 0.8),
    Mode("dead link", "search", 0.04, 0.05, 0.1),
    Mode("dates off by a day", "travel", 0.06, 0.15, 0.3),
    Mode("code that does not run", "coding", 0.08, 0.30, 0.5),
    Mode("invented citation", "legal", 0.15, 0.00, 0.6),
    Mode("outdated tax rate", "tax", 0.12, 0.00, 0.0),
    Mode("flatters instead of warning", "medical", 0.15, 0.00, 0.2),
    Mode("polite but empty", "support", 0.015, 0.00, 0.0),
    Mode("wrong currency", "payroll", 0.20, 0.10, 0.3),
    Mode("customs code of another country", "customs", 0.25, 0.00, 0.3),
    Mode("mixes up heirs", "estate", 0.30, 0.05, 0.2),
    Mode("orders shown of another day", "orders", 0.20, 0.15, 0.3, since=DRIFT_DAY),
    Mode("one in four thousand", "support", 0.0007, 0.00, 0.0),
)
#: In place of a mode: the answer was fine.
FINE: Final = -1


@dataclass(frozen=True, slots=True, eq=False)
class Day:
    """The traces of one day, in order of their sample keys."""

    number: int
    keys: Ints
    users: Ints
    #: Index into `CATEGORIES`.
    categories: Ints
    #: `thumbwheel.domain.cell` numbers: all that is known of a trace before somebody looks.
    cells: Ints
    #: Index into `MODES`, or `FINE`.
    modes: Ints

    @property
    def n(self) -> int:
        """Traces."""
        return len(self.keys)

    def trace_id(self, at: int) -> str:
        """Id of the trace in this place."""
        return f"d{self.number}-{at}"

    def shuffled(self, rng: np.random.Generator) -> Day:
        """The same traces with fresh sample keys."""
        order = rng.permutation(self.n)
        keys = np.sort(rng.integers(0, RING, self.n, dtype=np.int64))
        fields = (self.users, self.categories, self.cells, self.modes)
        return Day(self.number, keys, *(field[order] for field in fields))


def a_day(number: int, n: int, rng: np.random.Generator, modes: Sequence[Mode] = MODES) -> Day:
    """One day of `n` traces."""
    weights = _DECAY ** np.arange(len(CATEGORIES))
    categories = rng.choice(len(CATEGORIES), n, p=weights / weights.sum())
    users = np.where(rng.random(n) < _HEAVY_SHARE, HEAVY, 1 + (USERS * rng.random(n) ** 2).astype(np.int64))
    failed = _fail(number, categories, rng, modes)
    return Day(
        number=number,
        keys=np.sort(rng.integers(0, RING, n, dtype=np.int64)),
        users=users,
        categories=categories,
        cells=_cells(failed, users, rng, modes),
        modes=failed,
    )


def _fail(day: int, categories: Ints, rng: np.random.Generator, modes: Sequence[Mode]) -> Ints:
    """The mode of each trace: of those of its category at most one."""
    found = np.full(len(categories), FINE)
    chance = rng.random(len(categories))
    passed = np.zeros(len(CATEGORIES))
    for at, mode in enumerate(modes):
        if day >= mode.since:
            category = CATEGORIES.index(mode.category)
            low = passed[category]
            passed[category] = low + mode.rate
            found[(categories == category) & (chance >= low) & (chance < low + mode.rate)] = at
    return found


def _cells(failed: Ints, users: Ints, rng: np.random.Generator, modes: Sequence[Mode]) -> Ints:
    n = len(failed)
    bad = failed != FINE
    complained = np.where(bad, np.array([mode.complained for mode in modes])[failed], _GRUMBLE)
    complained = np.where(users == HEAVY, _HEAVY_COMPLAINS, complained)
    complains = rng.random(n) < complained
    ways = rng.choice([int(sign) for sign, _ in _WAYS], n, p=[share for _, share in _WAYS])
    praises = ~complains & (rng.random(n) < np.where(bad, _PRAISED_FAILURE, _PRAISE))
    signs = np.where(complains, ways, np.where(praises, int(Sign.up), 0))
    seen = bad & (rng.random(n) < np.array([mode.seen for mode in modes])[failed])
    odds = np.where(seen, rng.normal(*_SEEN, n), rng.normal(*_UNSEEN, n))
    steps = np.clip(np.rint(odds), -FARTHEST, FARTHEST).astype(np.int64)
    judged = np.array([Cell(judge=step).number for step in range(-FARTHEST, FARTHEST + 1)])
    return np.asarray(signs | judged[steps + FARTHEST], dtype=np.int64)


def rng_of(*numbers: int) -> np.random.Generator:
    """Chance that these numbers alone decide."""
    return np.random.default_rng(numbers)


def truth(days: Sequence[Day], category: int | None = None) -> float:
    """The failure rate of all traces of these days, or of those of one category."""
    mine = [day.modes if category is None else day.modes[day.categories == category] for day in days]
    return sum(int((modes != FINE).sum()) for modes in mine) / sum(map(len, mine))


def of_json(value: Any) -> Any:
    """Plain numbers in place of numpy's, for JSON."""
    if isinstance(value, dict):
        return {str(name): of_json(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [of_json(each) for each in value]
    if isinstance(value, float | np.floating):
        return round(float(value), 5)
    return int(value) if isinstance(value, np.integer) else value
