"""A frame in memory, and the lists a store would make of it."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from thumbwheel.domain.queue import Policy
from thumbwheel.sample.again import Earlier
from thumbwheel.sample.draw import Drawn, draw
from thumbwheel.sample.lane import Candidate, Lane, LaneId, Listed, Sizes, Tape
from thumbwheel.sample.mix import slices, strata
from thumbwheel.sample.policies import class_of, sizes
from thumbwheel.sample.ring import RING, Ring, position, starts
from thumbwheel.sample.stream import first_span, first_threshold, keyed_stream, weighted_stream


@dataclass(frozen=True, kw_only=True)
class Row:
    """One trace as a store knows it."""

    trace_id: str
    key: int = 0
    user_id: str | None = None
    category: str | None = None
    negative: float = 0.0
    uncertain: float = 0.0
    alerts: tuple[str, ...] = ()

    @property
    def sizes(self) -> dict[LaneId, float]:
        return sizes(self.category, negative=self.negative, uncertain=self.uncertain, alerts=self.alerts)


@dataclass
class Frame:
    """Traces that may be drawn, with or without an index over them."""

    rows: list[Row]
    quotas: Mapping[Policy, int]
    pulls: Mapping[str, int] = field(default_factory=dict)
    cap: int | None = 3
    rotation: int = 0
    #: Rows that readers gave out, by lane.
    n_read: Counter[LaneId] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.by_id = {row.trace_id: row for row in self.rows}

    def shuffled(self, rng: random.Random) -> Frame:
        """The same traces with fresh keys."""
        return replace(self, rows=[replace(row, key=rng.getrandbits(63)) for row in self.rows], n_read=Counter())

    def sizes_of(self, candidates: Sequence[Candidate]) -> dict[str, Sizes]:
        return {candidate.trace_id: self.by_id[candidate.trace_id].sizes for candidate in candidates}

    def lane_quotas(self) -> dict[LaneId, int]:
        """Quota of each lane, in priority order."""
        return {
            **slices(self.quotas.get(Policy.drift, 0), self.pulls),
            LaneId(Policy.negative): self.quotas.get(Policy.negative, 0),
            LaneId(Policy.uncertain): self.quotas.get(Policy.uncertain, 0),
            **strata(self.quotas.get(Policy.stratified, 0), [row.category for row in self.rows], self.rotation),
            LaneId(Policy.random): self.quotas.get(Policy.random, 0),
        }

    def lanes(self, lists: Callable[[LaneId, int], Iterable[Listed]]) -> list[Lane]:
        return [
            Lane(
                id=lane,
                quota=quota,
                tape=Tape(lists(lane, quota)),
                per_user_cap=self.cap if lane.policy is Policy.negative else None,
            )
            for lane, quota in self.lane_quotas().items()
        ]

    def sorted_lanes(self, ring: Ring) -> list[Lane]:
        """Lanes whose lists were made by looking at every trace."""
        lists: dict[LaneId, list[Listed]] = {lane: [] for lane in self.lane_quotas()}
        for row in self.rows:
            for lane, size in row.sizes.items():
                if lane in lists:
                    key = position(row.key, ring.starts[lane.policy]) / size
                    lists[lane].append((key, Candidate(row.trace_id, row.key, size, row.user_id, row.category)))
        return self.lanes(lambda lane, _: sorted(lists[lane]))

    def streamed_lanes(self, ring: Ring) -> list[Lane]:
        """Lanes whose lists are read by range, as from an index."""
        index = Index(self)
        return self.lanes(lambda lane, quota: index.stream(lane, quota, ring.starts[lane.policy]))

    def draw(
        self, seed: int, *, streamed: bool = False, earlier: Earlier | None = None, ring: Ring | None = None
    ) -> Drawn:
        ring = ring or Ring(starts(seed))
        lanes = self.streamed_lanes(ring) if streamed else self.sorted_lanes(ring)
        return draw(lanes, quotas=self.quotas, chance=ring, sizes_of=self.sizes_of, earlier=earlier)


class Index:
    """Rows by lane and size class in key order, read by half-open ranges that do not wrap."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.classes: dict[LaneId, dict[int, list[Candidate]]] = {}
        for row in sorted(frame.rows, key=lambda row: row.key):
            for lane, size in row.sizes.items():
                shelf = self.classes.setdefault(lane, {}).setdefault(class_of(size), [])
                shelf.append(Candidate(row.trace_id, row.key, size, row.user_id, row.category))

    def read(self, lane: LaneId, size_class: int, low: int, high: int) -> list[Candidate]:
        assert 0 <= low < high <= RING
        shelf = self.classes.get(lane, {}).get(size_class, [])
        rows = shelf[bisect_left(shelf, low, key=_key) : bisect_left(shelf, high, key=_key)]
        self.frame.n_read[lane] += len(rows)
        return rows

    def stream(self, lane: LaneId, quota: int, start: int) -> Iterable[Listed]:
        counts = {size_class: len(shelf) for size_class, shelf in self.classes.get(lane, {}).items()}
        if lane.policy in (Policy.negative, Policy.uncertain):
            first = first_threshold(quota, counts)
            return weighted_stream(lambda wanted: [self.read(lane, *each) for each in wanted], counts, start, first)
        span = first_span(quota, sum(counts.values()))
        one = class_of(1.0)
        return keyed_stream(lambda wanted: [row for each in wanted for row in self.read(lane, one, *each)], start, span)


def _key(candidate: Candidate) -> int:
    return candidate.sample_key


def make_frame(
    n: int = 40,
    *,
    seed: int = 7,
    quotas: Mapping[Policy, int] | None = None,
    categories: int = 4,
    users: int = 6,
    cap: int | None = 2,
    signals: float = 0.4,
    judged: float = 0.9,
    pulls: Mapping[str, int] | None = None,
) -> Frame:
    """A frame in which the policies want many of the same traces: the risky ones, of few users and one category."""
    rng = random.Random(seed)
    names = [None, *(f"user-{user}" for user in range(users))]
    rows = []
    for at in range(n):
        risk = rng.random() ** 2
        category = min(int(rng.expovariate(0.8)), categories - 1)
        rows.append(
            Row(
                trace_id=f"t{at}",
                key=rng.getrandbits(63),
                user_id=rng.choice(names),
                category=f"c{category}",
                negative=min(4.0, risk / (1 - risk) + 0.02) if rng.random() < signals * (0.5 + risk) else 0.0,
                uncertain=(risk * (1 - risk)) ** 0.5 if rng.random() < judged else 0.0,
                alerts=("a", "b") if category == 1 and risk > 0.2 else ("a",) if category == 1 else (),
            )
        )
    return Frame(
        rows,
        quotas=quotas
        or {Policy.drift: 2, Policy.negative: 3, Policy.uncertain: 2, Policy.stratified: 5, Policy.random: 3},
        pulls={"a": 1, "b": 1} if pulls is None else pulls,
        cap=cap,
    )
