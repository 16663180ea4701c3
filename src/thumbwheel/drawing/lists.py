"""The lists of a draw, read from the store by range: a draw reads what it takes, and little more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from thumbwheel.domain.queue import DriftAlert, Policy
from thumbwheel.sample.lane import Candidate, Lane, LaneId, Listed, Sizes, Tape
from thumbwheel.sample.mix import slices, strata
from thumbwheel.sample.policies import class_of, sizes
from thumbwheel.sample.ring import Ring
from thumbwheel.sample.risk import RiskModel
from thumbwheel.sample.slice import Slice, read_slice
from thumbwheel.sample.stream import first_span, first_threshold, keyed_stream, weighted_stream
from thumbwheel.store.frames import OpenFrame
from thumbwheel.store.ledger import Tx
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

    def lanes(self, quotas: Mapping[Policy, int], ring: Ring) -> list[Lane]:
        """The lists in order of priority, each with its quota."""
        pulls = slices(quotas[Policy.drift], {alert.id: alert.pull for alert in self.alerts})
        lanes = [
            Lane(
                id=LaneId(Policy.drift, alert.id),
                quota=pulls[LaneId(Policy.drift, alert.id)],
                tape=Tape(self._slice(alert, pulls[LaneId(Policy.drift, alert.id)], ring)),
            )
            for alert in self.alerts
        ]
        for policy, cap in ((Policy.negative, PER_USER_CAP), (Policy.uncertain, None)):
            tape = Tape(self._weighted(policy, quotas[policy], ring))
            lanes.append(Lane(id=LaneId(policy), quota=quotas[policy], tape=tape, per_user_cap=cap))
        if self.rotation is None:
            self.rotation = self.tx.queue.count_draws()
        for lane, quota in strata(quotas[Policy.stratified], list(self.frame.population), self.rotation).items():
            rows = self._keyed(Policy.stratified, [lane.part], quota, ring, self.frame.population[lane.part])
            lanes.append(Lane(id=lane, quota=quota, tape=Tape(rows)))
        everything = list(self.frame.population)
        uniform = self._keyed(Policy.random, everything, quotas[Policy.random], ring, self.frame.n)
        return [*lanes, Lane(id=LaneId(Policy.random), quota=quotas[Policy.random], tape=Tape(uniform))]

    def sizes_of(
        self, candidates: Sequence[Candidate], *, at: datetime | None, alerts: Sequence[DriftAlert]
    ) -> dict[str, Sizes]:
        """Sizes by what was known at a time (now, when None), under these alerts."""
        rows = [self.rows[candidate.trace_id] for candidate in candidates]
        cells = self.tx.evidence.list_cells([row.ref for row in rows], at)
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

    def inside(self, slice_: Slice, rows: Iterable[TraceRow]) -> list[TraceRow]:
        """Those of these traces that are in a slice."""
        if not slice_.needs_tags:
            return [row for row in rows if slice_.holds(row)]
        rows = list(rows)
        tags = self.tx.traces.list_tags([row.ref for row in rows])
        return [row for row in rows if slice_.holds(row, tags.get(row.ref, ()))]

    def _keyed(self, policy: Policy, categories: list[str], k: int, ring: Ring, n: int) -> Iterable[Listed]:
        def read(low: int, high: int) -> list[Candidate]:
            return self._candidates(self.tx.traces.read_keys(self.frame.days, categories, low, high))

        return keyed_stream(read, ring.starts[policy], first_span(k, n))

    def _slice(self, alert: DriftAlert, k: int, ring: Ring) -> Iterable[Listed]:
        slice_ = read_slice(alert.slice)
        category = slice_.category
        categories = list(self.frame.population) if category is None else [category]
        within = self.frame.n if category is None else self.frame.population.get(category, 0)

        def read(low: int, high: int) -> list[Candidate]:
            rows = self.tx.traces.read_keys(self.frame.days, categories, low, high)
            return self._candidates(self.inside(slice_, rows))

        return keyed_stream(read, ring.starts[Policy.drift], first_span(k, within))

    def _weighted(self, policy: Policy, k: int, ring: Ring) -> Iterable[Listed]:
        classes, counts = self._classes(policy)

        def read(size_class: int, low: int, high: int) -> list[Candidate]:
            known = self.tx.evidence.read(self.frame.days, classes[size_class], low, high)
            if self.closed_at is not None:
                then = self.tx.evidence.list_cells([each.trace.ref for each in known], self.as_of)
                known = [each for each in known if then[each.trace.ref] == each.cell]
            cells = {each.trace.trace_id: each.cell for each in known}
            found = self._candidates(each.trace for each in known)
            return [one._replace(size=self._size(policy, one.category, cells[one.trace_id])) for one in found]

        return weighted_stream(read, classes, ring.starts[policy], first_threshold(k, counts)) if classes else ()

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
