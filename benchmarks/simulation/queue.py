"""A day drawn from by the program's own sampler: its mix, strata, streams, draw, chances, risk model and sums.

Only the lists come from memory instead of a store; `benchmarks.simulation.store` checks that a store gives the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.simulation.product import CATEGORIES, FINE, Day, Ints
from thumbwheel.domain.queue import Policy
from thumbwheel.drawing.lists import PER_USER_CAP
from thumbwheel.measure.failure import DrawnFrame, Served
from thumbwheel.sample.again import keep
from thumbwheel.sample.draw import Drawn, draw
from thumbwheel.sample.lane import Candidate, Lane, LaneId, Listed, Sizes, Tape
from thumbwheel.sample.mix import slices, split, strata
from thumbwheel.sample.policies import class_of, sizes
from thumbwheel.sample.ring import Ring, starts
from thumbwheel.sample.risk import LabelledCell, RiskModel
from thumbwheel.sample.stream import first_span, first_threshold, keyed_stream, weighted_stream
from thumbwheel.sample.sums import risk_sums

Floats = npt.NDArray[np.float64]


class Alert(NamedTuple):
    """Somebody's monitor says that a category drifts."""

    id: str
    category: str
    pull: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One labelled trace: the label is the truth."""

    day: int
    at: int
    policy: Policy
    picked_by: tuple[Policy, ...]
    mode: int
    category: str
    cell: int
    core: bool
    inclusion_probability: float
    risk: float
    serve_rank: int

    @property
    def failed(self) -> bool:
        """Whether the answer was bad."""
        return self.mode != FINE

    @property
    def as_label(self) -> LabelledCell:
        """As the risk model learns from it."""
        return LabelledCell(self.category, self.cell, self.failed, self.inclusion_probability)

    def served(self, *, labelled: bool = True) -> Served:
        """As the estimate reads it."""
        return Served(
            policy=self.policy,
            category=self.category,
            core=self.core,
            inclusion_probability=self.inclusion_probability,
            risk=self.risk,
            failed=self.failed if labelled else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One draw, every entry labelled."""

    entries: Sequence[Entry]
    population: Mapping[str, int]
    sums: Mapping[str, tuple[float, float]]

    @property
    def frame(self) -> DrawnFrame:
        """As the estimate reads it."""
        return DrawnFrame(
            population=self.population, sums=self.sums, entries=[entry.served() for entry in self.entries]
        )


class Indexed:
    """A day with the indexes a store has: rows in key order, of all, of a category, of a size class."""

    def __init__(self, day: Day, model: RiskModel, alerts: Sequence[Alert] = ()) -> None:
        self.day, self.model, self.alerts = day, model, alerts
        pairs, place, counts = np.unique(
            np.column_stack([day.categories, day.cells]), axis=0, return_inverse=True, return_counts=True
        )
        named = [(CATEGORIES[category], int(cell)) for category, cell in pairs]
        self.cells = {pair: int(n) for pair, n in zip(named, counts, strict=True)}
        self._size = {
            Policy.negative: np.array([model.negative_size(*pair) for pair in named])[place.ravel()],
            Policy.uncertain: np.array([model.uncertain_size(*pair) for pair in named])[place.ravel()],
        }
        self._of = {name: np.flatnonzero(day.categories == at) for at, name in enumerate(CATEGORIES)}
        self.population = {name: len(rows) for name, rows in self._of.items() if len(rows)}

    def lanes(self, quotas: Mapping[Policy, int], ring: Ring, rotation: int) -> list[Lane]:
        """The lists in order of priority, as `thumbwheel.drawing.lists` makes them."""
        pulls = slices(quotas[Policy.drift], {alert.id: alert.pull for alert in self.alerts})
        lanes = []
        for alert in self.alerts:
            lane = LaneId(Policy.drift, alert.id)
            rows = self._keyed(self._of[alert.category], pulls[lane], ring.starts[Policy.drift])
            lanes.append(Lane(id=lane, quota=pulls[lane], tape=Tape(rows)))
        for policy, cap in ((Policy.negative, PER_USER_CAP), (Policy.uncertain, None)):
            tape = Tape(self._weighted(policy, quotas[policy], ring.starts[policy]))
            lanes.append(Lane(id=LaneId(policy), quota=quotas[policy], tape=tape, per_user_cap=cap))
        for lane, quota in strata(quotas[Policy.stratified], list(self.population), rotation).items():
            rows = self._keyed(self._of[lane.part], quota, ring.starts[Policy.stratified])
            lanes.append(Lane(id=lane, quota=quota, tape=Tape(rows)))
        everything = self._keyed(np.arange(self.day.n), quotas[Policy.random], ring.starts[Policy.random])
        return [*lanes, Lane(id=LaneId(Policy.random), quota=quotas[Policy.random], tape=Tape(everything))]

    def sizes_of(self, candidates: Sequence[Candidate]) -> dict[str, Sizes]:
        """Size of each candidate in every lane that lists it."""
        found = {}
        for candidate in candidates:
            at = int(candidate.trace_id.partition("-")[2])
            found[candidate.trace_id] = sizes(
                candidate.category,
                negative=float(self._size[Policy.negative][at]),
                uncertain=float(self._size[Policy.uncertain][at]),
                alerts=[alert.id for alert in self.alerts if alert.category == candidate.category],
            )
        return found

    def _keyed(self, rows: Ints, k: int, start: int) -> Iterable[Listed]:
        keys = self.day.keys[rows]

        def read(low: int, high: int) -> list[Candidate]:
            first, last = np.searchsorted(keys, [low, min(high, 2**63 - 1)])
            return [self._candidate(int(at)) for at in rows[first:last]]

        return keyed_stream(read, start, first_span(k, len(rows)))

    def _weighted(self, policy: Policy, k: int, start: int) -> Iterable[Listed]:
        size = self._size[policy]
        classes: dict[int, Ints] = {}
        for value in np.unique(size[size > 0]):
            found = np.flatnonzero(size == value)
            at = class_of(float(value))
            classes[at] = np.concatenate([classes[at], found]) if at in classes else found
        shelves = {at: np.sort(rows) for at, rows in classes.items()}
        keys = {at: self.day.keys[rows] for at, rows in shelves.items()}

        def read(size_class: int, low: int, high: int) -> list[Candidate]:
            first, last = np.searchsorted(keys[size_class], [low, min(high, 2**63 - 1)])
            return [self._candidate(int(at), float(size[at])) for at in shelves[size_class][first:last]]

        counts = {at: len(rows) for at, rows in shelves.items()}
        return weighted_stream(read, shelves, start, first_threshold(k, counts)) if shelves else ()

    def _candidate(self, at: int, size: float = 1.0) -> Candidate:
        day = self.day
        category = CATEGORIES[day.categories[at]]
        return Candidate(day.trace_id(at), int(day.keys[at]), size, f"u{day.users[at]}", category)


def draw_day(
    day: Day,
    model: RiskModel,
    mix: Mapping[str, float],
    *,
    budget: int,
    seed: int,
    rotation: int = 0,
    alerts: Sequence[Alert] = (),
) -> Made:
    """Draw from one day as from a frame of its own, and label everything."""
    indexed = Indexed(day, model, alerts)
    quotas = split(mix, budget)
    ring = Ring(starts(seed))
    drawn = draw(indexed.lanes(quotas, ring, rotation), quotas=quotas, chance=ring, sizes_of=indexed.sizes_of)
    sums = risk_sums(indexed.cells, model, [keep(ring, drawn.thresholds, drawn.standing)])
    return Made(
        entries=_entries(day, model, drawn),
        population=indexed.population,
        sums={category: (found.risk, found.anticipated) for category, found in sums.items()},
    )


def _entries(day: Day, model: RiskModel, drawn: Drawn) -> list[Entry]:
    entries = []
    for pick in drawn.picks:
        at = int(pick.trace_id.partition("-")[2])
        category, cell = CATEGORIES[day.categories[at]], int(day.cells[at])
        entries.append(
            Entry(
                day=day.number,
                at=at,
                policy=pick.policy,
                picked_by=pick.picked_by,
                mode=int(day.modes[at]),
                category=category,
                cell=cell,
                core=pick.core,
                inclusion_probability=pick.probability,
                risk=model.risk(category, cell),
                serve_rank=pick.serve_rank,
            )
        )
    return entries
