"""A lane: one list of a policy, walked in key order until its quota is filled.

Drift has a lane per alert, stratified one per category, the other policies one each. A lane is read through a tape
that remembers what it read, so walking it again without one trace costs only the few rows that come after.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from thumbwheel.domain.queue import Policy


class Candidate(NamedTuple):
    """A trace as a list shows it: the narrow columns a draw needs, and no more."""

    trace_id: str
    #: Place on the ring, in [0, 2^63).
    sample_key: int
    #: Size in the list it came from, > 0: its chance there is proportional to it.
    size: float = 1.0
    #: None: nobody known, so no cap applies.
    user_id: str | None = None
    category: str | None = None


class LaneId(NamedTuple):
    """Names a lane: its policy, and the category (stratified) or alert id (drift); empty for the other policies.

    Traces without a category are the stratum with the empty name.
    """

    policy: Policy
    part: str = ""


#: A candidate with its key R / size; lists come in ascending order of it.
Listed: TypeAlias = tuple[float, Candidate]

#: Size of one trace in every lane it is eligible for; a lane that is absent has size 0.
Sizes: TypeAlias = Mapping[LaneId, float]


class Tape:
    """A lazy list that remembers what was read from it.

    Reading raises ValueError where the list is not in ascending order: chances would be wrong.
    """

    def __init__(self, rows: Iterable[Listed]) -> None:
        self._rest = iter(rows)
        self._read: list[Listed] = []

    def __iter__(self) -> Iterator[Listed]:
        at = 0
        while True:
            while at < len(self._read):
                yield self._read[at]
                at += 1
            row = next(self._rest, None)
            if row is None:
                return
            if self._read and row[0] < self._read[-1][0]:
                raise ValueError(f"trace {row[1].trace_id} is out of key order")
            self._read.append(row)

    @property
    def n_read(self) -> int:
        """Rows taken from the list so far."""
        return len(self._read)


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """How far a lane went: the key below which it takes a trace."""

    #: Key of the last pick; infinity if the lane ran dry, 0 if it was asked for nothing.
    key: float
    #: User -> key at which that user had filled the cap.
    closed: Mapping[str, float] = field(default_factory=dict)

    def limit(self, user_id: str | None) -> float:
        """The key below which the lane takes a trace of this user."""
        return self.key if user_id is None else min(self.key, self.closed.get(user_id, math.inf))


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """What one lane took, in key order, and how far it went."""

    picks: tuple[Listed, ...]
    threshold: Threshold
    #: Candidates passed over because their user had filled the cap.
    n_held_back: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One list with its quota. Quota, cap and bound are fixed before any key is seen."""

    id: LaneId
    quota: int
    tape: Tape
    #: Most picks one user may fill here; None: no cap.
    per_user_cap: int | None = None
    #: Keys from here on are not looked at. Keeps a list that one capped user owns from being read to its end; set it
    #: from counters, never from keys, and it is part of the threshold like a quota.
    bound: float = math.inf

    def walk(self, quota: int, taken: Collection[str]) -> Walk:
        """Take the `quota` smallest keys that are not taken, passing over users who filled the cap."""
        if quota <= 0:
            return Walk(picks=(), threshold=Threshold(key=0.0))
        picks: list[Listed] = []
        seen: dict[str, int] = {}
        closed: dict[str, float] = {}
        n_held_back = 0
        for key, candidate in self.tape:
            if key >= self.bound:
                break
            if candidate.trace_id in taken:
                continue
            user = candidate.user_id if self.per_user_cap is not None else None
            if user is not None:
                if user in closed:
                    n_held_back += 1
                    continue
                seen[user] = seen.get(user, 0) + 1
                if seen[user] == self.per_user_cap:
                    closed[user] = key
            picks.append((key, candidate))
            if len(picks) == quota:
                return Walk(picks=tuple(picks), threshold=Threshold(key=key, closed=closed), n_held_back=n_held_back)
        return Walk(picks=tuple(picks), threshold=Threshold(key=self.bound, closed=closed), n_held_back=n_held_back)
