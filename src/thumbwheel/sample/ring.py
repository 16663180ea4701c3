"""The ring of sample keys: where a trace sits on it, where each policy starts to read, and how long a union of arcs is.

A trace has one `sample_key`, a keyed hash of its id: uniform on [0, 2^63) and independent between traces. A policy
reads the same ring from an own start, so its own uniform number for a trace is the distance from that start. One
stored column then serves every policy of every draw, and each list can be read by key range from an index.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from thumbwheel.domain.queue import Policy
from thumbwheel.sample.lane import Candidate

#: Keys live in [0, RING): 63 bits, so that a signed 64-bit column holds them.
RING = 1 << 63

#: Start on the ring -> length as a share of the ring, in [0, 1]. Two arcs with one start are the longer of the two.
Arcs: TypeAlias = Mapping[int, float]


def sample_key(secret: bytes, trace_id: str) -> int:
    """Place of a trace on the ring, an integer in [0, 2^63).

    Keyed, because clients choose trace ids and must not be able to choose their chance with them. `secret` may have
    any length; it must stay the same for the life of a store.
    """
    key = secret if len(secret) <= hashlib.blake2b.MAX_KEY_SIZE else hashlib.blake2b(secret).digest()
    digest = hashlib.blake2b(trace_id.encode("utf-8", "surrogatepass"), digest_size=8, key=key)
    return int.from_bytes(digest.digest(), "big") >> 1


def starts(seed: int) -> dict[Policy, int]:
    """Where each policy starts to read, derived from the draw's seed (any integer).

    Stratified and random share one start: both are uniform over what they list, and a trace near it serves both.
    """
    own = {policy: _start(seed, policy.value) for policy in Policy}
    return own | {Policy.stratified: own[Policy.random]}


def _start(seed: int, name: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"{seed}|{name}".encode(), digest_size=8).digest(), "big") >> 1


def position(key: int, start: int) -> float:
    """Distance from `start` to `key` along the ring as a share of it, in (0, 1): the R of a policy for a trace."""
    return ((key - start) % RING + 0.5) / RING


def ranges(start: int, near: int, far: int) -> list[tuple[int, int]]:
    """Keys at distance near <= d < far from `start`, as half-open ranges that do not wrap: none, one or two."""
    if near >= far:
        return []
    low, high = (start + near) % RING, (start + near) % RING + far - near
    return [(low, high)] if high <= RING else [(low, RING), (0, high - RING)]


def covered(arcs: Arcs) -> float:
    """Length of the union of the arcs, as a share of the ring, in [0, 1].

    Between two neighbouring starts no arc begins, so what is covered there is one run from the first of them: as far
    as the farthest arc still reaches. No sorting of ends, and the same for every trace of a draw.
    """
    begins = sorted(arcs)
    total = 0.0
    for at, begin in enumerate(begins):
        following = begins[at + 1] if at + 1 < len(begins) else begins[0] + RING
        reach = max(length - (begin - other) % RING / RING for other, length in arcs.items())
        total += min(max(reach, 0.0), (following - begin) / RING)
    return min(total, 1.0)


def union(first: Arcs, second: Arcs) -> dict[int, float]:
    """Both sets of arcs as one."""
    return {start: max(first.get(start, 0.0), second.get(start, 0.0)) for start in {**first, **second}}


class Chance(Protocol):
    """How the numbers of the policies hang together: where a trace stands in each, and how their chances add up."""

    def position(self, policy: Policy, candidate: Candidate) -> float:
        """The uniform number R of this policy for this trace, in (0, 1)."""
        ...

    def arcs(self, reaches: Mapping[Policy, float], earlier: Arcs) -> dict[int, float]:
        """Arcs whose covered length is the chance that some policy, now or earlier, takes the trace.

        `reaches` holds for each policy the largest R at which it still takes it, in [0, 1].
        """
        ...


@dataclass(frozen=True, slots=True)
class Ring:
    """One key per trace, one start per policy: chances are lengths of unions of arcs."""

    starts: Mapping[Policy, int]

    def position(self, policy: Policy, candidate: Candidate) -> float:
        """Distance of the trace's key from the policy's start."""
        return position(candidate.sample_key, self.starts[policy])

    def arcs(self, reaches: Mapping[Policy, float], earlier: Arcs) -> dict[int, float]:
        """An arc from each policy's start, joined with the earlier ones."""
        joined = dict(earlier)
        for policy, reach in reaches.items():
            start = self.starts[policy]
            joined[start] = max(joined.get(start, 0.0), reach)
        return joined
