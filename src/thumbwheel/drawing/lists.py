"""The lists of a draw, read from the store by range: a draw reads what it takes, and little more.

What every list needs first is read for all of them at once (`thumbwheel.drawing.ahead`); only a list that turns out to
need more, because what it found was taken already or a user had filled the cap, asks the store again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from thumbwheel.domain.queue import DriftAlert, Policy
from thumbwheel.drawing.ahead import KeyedList, WeightedList, wanted_of, within
from thumbwheel.sample.lane import Candidate, Lane, LaneId, Sizes, Tape
from thumbwheel.sample.mix import slices, strata
from thumbwheel.sample.policies import class_of, sizes
from thumbwheel.sample.ring import Ring
from thumbwheel.sample.risk import RiskModel
from thumbwheel.sample.slice import Slice, read_slice
from thumbwheel.sample.stream import (
    ClassRange,
    KeyRange,
    farthest,
    first_span,
    first_threshold,
    keyed_stream,
    weighted_stream,
)
from thumbwheel.store.frames import OpenFrame
from thumbwheel.store.ledger import Tx
from thumbwheel.store.ranges import KnownTrace
from thumbwheel.store.traces import TraceRow

#: Most negative entries one user may fill in a draw.
PER_USER_CAP = 3


@dataclass(slots=True)
class Lists:
    """What the policies may pick from one frame, under one risk model."""

    tx: Tx
    frame: OpenFrame
    model: RiskModel
    alerts: Sequence[DriftAlert]
    #: Set for a frame that is closed: when it was. Its traces may have come to be known better since.
    closed_at: datetime | None = None
    #: What traces were known for at this time is what counts; all that is known now, when None.
    as_of: datetime | None = None
    #: How many draws there were before: where the remainder of the strata begins. Counted now, when None.
    rotation: int | None = None
    #: Every trace that was listed, by id.
    rows: dict[str, TraceRow] = field(default_factory=dict)
    _cells: dict[datetime | None, dict[int, int]] = field(default_factory=dict)

    def lanes(self, quotas: Mapping[Policy, int], ring: Ring) -> list[Lane]:
        """The lists in order of priority, each with its quota."""
        cut = {LaneId(Policy.drift, alert.id): read_slice(alert.slice) for alert in self.alerts}
        # What counters know a slice can't give goes to the other alerts.
        most = {lane.part: self._most(slice_) for lane, slice_ in cut.items()}
        pulled = slices(quotas[Policy.drift], {alert.id: min(alert.pull, most[alert.id]) for alert in self.alerts})
        uniform = self._uniform(quotas)
        keyed = {lane: self._slice(cut[lane], quota, ring) for lane, quota in pulled.items()}
        keyed |= {lane: self._keyed(lane, quota, ring) for lane, quota in uniform.items()}
        # Random takes what the others leave, which may be the whole budget.
        keyed[LaneId(Policy.random)] = self._keyed(LaneId(Policy.random), sum(quotas.values()), ring)
        given = pulled | uniform
        weighted = [self._weighted(policy, quotas[policy], ring) for policy in (Policy.negative, Policy.uncertain)]
        rows = self.tx.ranges.list_traces(self.frame.days, wanted_of(one for lane, one in keyed.items() if given[lane]))
        known = self._known([each for one in weighted if quotas[one.policy] for each in one.in_cells(one.first)])
        return [
            *(self._keyed_lane(lane, pulled[lane], keyed[lane], rows, cut[lane]) for lane in pulled),
            *(self._weighted_lane(one, quotas[one.policy], known) for one in weighted),
            *(self._keyed_lane(lane, quota, keyed[lane], rows) for lane, quota in uniform.items()),
        ]

    def _most(self, slice_: Slice) -> int:
        """Traces of the frame that a slice can hold, as far as counters tell."""
        return self.frame.n if slice_.category is None else self.frame.population.get(slice_.category, 0)

    def _uniform(self, quotas: Mapping[Policy, int]) -> dict[LaneId, int]:
        """Quotas of the strata and of random, whose traces all have size 1."""
        if self.rotation is None:
            self.rotation = self.tx.queue.count_draws()
        stratified = strata(quotas[Policy.stratified], list(self.frame.population), self.rotation)
        return stratified | {LaneId(Policy.random): quotas[Policy.random]}

    def sizes_of(
        self, candidates: Sequence[Candidate], *, at: datetime | None, alerts: Sequence[DriftAlert]
    ) -> dict[str, Sizes]:
        """Sizes by what was known at a time (now, when None), under these alerts."""
        rows = [self.rows[candidate.trace_id] for candidate in candidates]
        cells = self.cells_of(rows, at)
        held: dict[str, list[str]] = {row.trace_id: [] for row in rows}
        for alert in alerts:
            for row in self.inside(read_slice(alert.slice), rows):
                held[row.trace_id].append(alert.id)
        return {
            row.trace_id: sizes(
                row.category,
                negative=self._size(Policy.negative, row.category, cells[row.ref]),
                uncertain=self._size(Policy.uncertain, row.category, cells[row.ref]),
                alerts=held[row.trace_id],
            )
            for row in rows
        }

    def cells_of(self, rows: Sequence[TraceRow], at: datetime | None) -> dict[int, int]:
        """The cells these traces had at a time (now, when None), by number; each is looked up once."""
        known = self._cells.setdefault(at, {})
        known |= self.tx.evidence.list_cells([row.ref for row in rows if row.ref not in known], at)
        return known

    def inside(self, slice_: Slice, rows: Iterable[TraceRow]) -> list[TraceRow]:
        """Those of these traces that are in a slice."""
        if not slice_.needs_tags:
            return [row for row in rows if slice_.holds(row)]
        rows = list(rows)
        tags = self.tx.traces.list_tags([row.ref for row in rows])
        return [row for row in rows if slice_.holds(row, tags.get(row.ref, ()))]

    def _keyed(self, lane: LaneId, k: int, ring: Ring) -> KeyedList:
        stratum = lane.policy is Policy.stratified
        categories = (lane.part,) if stratum else tuple(self.frame.population)
        n = self.frame.population[lane.part] if stratum else self.frame.n
        return KeyedList(categories, ring.starts[lane.policy], first_span(k, n))

    def _slice(self, slice_: Slice, k: int, ring: Ring) -> KeyedList:
        category = slice_.category
        categories = tuple(self.frame.population) if category is None else (category,)
        n = self.frame.n if category is None else self.frame.population.get(category, 0)
        return KeyedList(categories, ring.starts[Policy.drift], first_span(k, n))

    def _weighted(self, policy: Policy, k: int, ring: Ring) -> WeightedList:
        classes, counts = self._classes(policy)
        bound = farthest(k, counts) if policy is Policy.negative else math.inf
        return WeightedList(policy, classes, ring.starts[policy], first_threshold(k, counts), bound)

    def _keyed_lane(
        self, lane: LaneId, quota: int, one: KeyedList, ahead: Sequence[TraceRow], slice_: Slice | None = None
    ) -> Lane:
        def read(wanted: Sequence[KeyRange]) -> list[Candidate]:
            if wanted == one.first:
                rows = within(ahead, one.categories, wanted)
            else:
                by_category = [(category, low, high) for category in one.categories for low, high in wanted]
                rows = self.tx.ranges.list_traces(self.frame.days, by_category)
            return self._candidates(rows if slice_ is None else self.inside(slice_, rows))

        return Lane(id=lane, quota=quota, tape=Tape(keyed_stream(read, one.start, one.span)))

    def _weighted_lane(self, one: WeightedList, quota: int, ahead: Sequence[KnownTrace]) -> Lane:
        def read(wanted: Sequence[ClassRange]) -> list[list[Candidate]]:
            known = ahead if wanted == one.first else self._known(one.in_cells(wanted))
            return [self._sized(one.policy, shelf) for shelf in one.shared_out(known, wanted)]

        stream = weighted_stream(read, one.classes, one.start, one.threshold, one.bound) if one.classes else ()
        cap = PER_USER_CAP if one.policy is Policy.negative else None
        return Lane(id=LaneId(one.policy), quota=quota, tape=Tape(stream), per_user_cap=cap, bound=one.bound)

    def _known(self, wanted: Sequence[tuple[int, int, int]]) -> list[KnownTrace]:
        known = self.tx.ranges.list_known(self.frame.days, wanted)
        if self.closed_at is None:
            return known
        then = self.tx.evidence.list_cells([each.trace.ref for each in known], self.as_of)
        return [each for each in known if then[each.trace.ref] == each.cell]

    def _sized(self, policy: Policy, known: Sequence[KnownTrace]) -> list[Candidate]:
        cells = {each.trace.trace_id: each.cell for each in known}
        found = self._candidates(each.trace for each in known)
        return [one._replace(size=self._size(policy, one.category, cells[one.trace_id])) for one in found]

    def _classes(self, policy: Policy) -> tuple[dict[int, list[int]], dict[int, int]]:
        """Cells by the size class that holds their largest size, and how many traces each class has."""
        largest: dict[int, float] = {}
        n: dict[int, int] = {}
        later = self.tx.evidence.list_later(self.closed_at) if self.closed_at else set()
        everywhere = [(category, cell) for category in self.frame.population for cell in later]
        for category, cell in [*self.frame.cells, *everywhere]:
            largest[cell] = max(largest.get(cell, 0.0), self._size(policy, category, cell))
            n[cell] = n.get(cell, 0) + self.frame.cells.get((category, cell), 0)
        classes: dict[int, list[int]] = {}
        counts: dict[int, int] = {}
        for cell, size in largest.items():
            if size > 0.0:
                size_class = class_of(size)
                classes.setdefault(size_class, []).append(cell)
                counts[size_class] = counts.get(size_class, 0) + n[cell]
        return classes, counts

    def _size(self, policy: Policy, category: str | None, cell: int) -> float:
        if policy is Policy.negative:
            return self.model.negative_size(category, cell)
        return self.model.uncertain_size(category, cell)

    def _candidates(self, rows: Iterable[TraceRow]) -> list[Candidate]:
        found = []
        for row in rows:
            if self.frame.holds(row):
                self.rows[row.trace_id] = row
                found.append(Candidate(row.trace_id, row.sample_key, 1.0, row.user_id, row.category))
        return found
