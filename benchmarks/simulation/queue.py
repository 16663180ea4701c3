"""A day drawn from by the program's own sampler: its mix, strata, sizes, draw, chances, risk model and sums.

Only the lists come from memory instead of a store; `benchmarks.simulation.store` checks that a store gives the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.simulation.product import CATEGORIES, FINE, Day, Ints
from thumbwheel.domain.queue import Policy
from thumbwheel.drawing.lists import PER_USER_CAP
from thumbwheel.measure.failure import DrawnFrame, Served
from thumbwheel.sample.again import Kept, chances_by_draw, earlier, keep
from thumbwheel.sample.draw import Drawn, draw
from thumbwheel.sample.lane import Candidate, Lane, LaneId, Listed, Sizes, Tape
from thumbwheel.sample.mix import slices, split, strata
from thumbwheel.sample.policies import sizes
from thumbwheel.sample.ring import RING, Ring, starts
from thumbwheel.sample.risk import LabelledCell, RiskModel
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


class Listing:
    """A day, and the lists the policies pick from."""

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
            rows = self._listed(self._of[alert.category], ring.starts[Policy.drift])
            lanes.append(Lane(id=lane, quota=pulls[lane], tape=Tape(rows)))
        for policy, cap in ((Policy.negative, PER_USER_CAP), (Policy.uncertain, None)):
            size = self._size[policy]
            tape = Tape(self._listed(np.flatnonzero(size > 0), ring.starts[policy], size))
            lanes.append(Lane(id=LaneId(policy), quota=quotas[policy], tape=tape, per_user_cap=cap))
        for lane, quota in strata(quotas[Policy.stratified], list(self.population), rotation).items():
            rows = self._listed(self._of[lane.part], ring.starts[Policy.stratified])
            lanes.append(Lane(id=lane, quota=quota, tape=Tape(rows)))
        everything = self._listed(np.arange(self.day.n), ring.starts[Policy.random])
        return [*lanes, Lane(id=LaneId(Policy.random), quota=quotas[Policy.random], tape=Tape(everything))]

    def sizes_of(self, candidates: Sequence[Candidate]) -> dict[str, Sizes]:
        """Size of each candidate in every lane that lists it."""
        found: dict[str, Sizes] = {}
        for candidate in candidates:
            at = int(candidate.trace_id.partition("-")[2])
            found[candidate.trace_id] = sizes(
                candidate.category,
                negative=float(self._size[Policy.negative][at]),
                uncertain=float(self._size[Policy.uncertain][at]),
                alerts=[alert.id for alert in self.alerts if alert.category == candidate.category],
            )
        return found

    def _listed(self, rows: Ints, start: int, size: Floats | None = None) -> Iterator[Listed]:
        """These rows in order of R / size, made into candidates only as far as the draw reads."""
        away = (self.day.keys[rows].astype(np.uint64) - np.uint64(start)) & np.uint64(RING - 1)
        mine = np.ones(len(rows)) if size is None else size[rows]
        keys = (away + 0.5) / RING / mine
        for at in np.argsort(keys, kind="stable"):
            yield float(keys[at]), self.candidate(int(rows[at]), float(mine[at]))

    def candidate(self, at: int, size: float = 1.0) -> Candidate:
        """One trace as a list shows it."""
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
    listing = Listing(day, model, alerts)
    quotas = split(mix, budget)
    ring = Ring(starts(seed))
    drawn = draw(listing.lanes(quotas, ring, rotation), quotas=quotas, chance=ring, sizes_of=listing.sizes_of)
    sums = risk_sums(listing.cells, model, [keep(ring, drawn.thresholds, drawn.standing)])
    return Made(
        entries=_entries(day, model, drawn),
        population=listing.population,
        sums={category: (found.risk, found.anticipated) for category, found in sums.items()},
    )


def draw_twice(
    day: Day,
    model: RiskModel,
    mix: Mapping[str, float],
    *,
    budget: int,
    seeds: tuple[int, int],
    labelled: tuple[float, float],
) -> DrawnFrame:
    """Draw twice from one day, and label of each draw its first share in serving order."""
    listing, quotas = Listing(day, model), split(mix, budget)
    everybody = {day.trace_id(at): listing.candidate(at) for at in range(day.n)}
    kept: list[Kept] = []
    made: list[Drawn] = []
    for seed in seeds:
        ring = Ring(starts(seed))
        before = earlier(kept, everybody, [listing.sizes_of] * len(kept)) if kept else None
        lanes = listing.lanes(quotas, ring, 0)
        drawn = draw(lanes, quotas=quotas, chance=ring, sizes_of=listing.sizes_of, earlier=before)
        kept.append(keep(ring, drawn.thresholds, drawn.standing))
        made.append(drawn)
    by_draw = chances_by_draw(kept)
    restated = {pick.candidate.trace_id: pick.probability for pick in made[-1].restated}
    entries = [
        replace(
            entry.served(labelled=entry.serve_rank <= labelled[at] * budget),
            inclusion_probability=restated.get(day.trace_id(entry.at), entry.inclusion_probability),
            draw=at,
            by_draw=by_draw[day.trace_id(entry.at)],
        )
        for at, drawn in enumerate(made)
        for entry in _entries(day, model, drawn)
    ]
    sums = risk_sums(listing.cells, model, kept)
    return DrawnFrame(
        population=listing.population,
        sums={category: (found.risk, found.anticipated) for category, found in sums.items()},
        entries=entries,
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
