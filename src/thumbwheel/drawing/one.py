"""One draw: quotas to picks, picks to entries, and everything that must be kept to weigh them later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from thumbwheel.annotate.assign import needs_two
from thumbwheel.capture.prior import SignalFact, is_negative
from thumbwheel.domain.queue import Draw, DriftAlert, Policy, Purpose, QueueEntry
from thumbwheel.domain.signal import Signal
from thumbwheel.drawing.lists import Lists
from thumbwheel.ports import Mint
from thumbwheel.sample import again as second
from thumbwheel.sample.draw import Drawn, Pick, draw
from thumbwheel.sample.lane import Candidate, LaneId
from thumbwheel.sample.mix import shares
from thumbwheel.sample.policies import (
    drift_reason,
    negative_reason,
    random_reason,
    stratified_reason,
    uncertain_reason,
)
from thumbwheel.sample.ring import Ring, starts
from thumbwheel.sample.shortfall import empty_slice
from thumbwheel.sample.slice import read_slice
from thumbwheel.sample.sums import risk_sums
from thumbwheel.store.frames import OpenFrame
from thumbwheel.store.ledger import Tx


@dataclass(frozen=True, slots=True)
class Drawing:
    """A draw and what it put into the queue."""

    draw: Draw
    entries: Sequence[QueueEntry]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What one draw is to do."""

    id: str
    at: datetime
    seed: int
    budget: int
    mix: Mapping[str, float]
    quotas: Mapping[Policy, int]
    maturity: timedelta
    #: How many mixes have been put in force; None when `mix` is none of them.
    mix_version: int | None = None
    #: Why it takes less than it was asked for, by what stands in the way: `queue` for one that is full, `frame` for one
    #: with too few traces, `mix` for one that does not add up.
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class OneDraw:
    """One draw under way."""

    tx: Tx
    order: Order
    frame: OpenFrame
    lists: Lists
    alerts: Sequence[DriftAlert]
    #: Set when drawing again: the draws of the frame so far, oldest first.
    before: Sequence[Draw]
    #: Chooses which entries two people judge.
    double: bytes
    mint: Mint
    restated: Mapping[str, float] = field(default_factory=dict)

    def run(self) -> Drawing:
        """Pick, and say of each pick why."""
        drawn, kept = self.pick()
        self.restated = {standing.candidate.trace_id: standing.probability for standing in drawn.restated}
        return Drawing(self._record(drawn, kept), self._entries(drawn))

    def pick(self) -> tuple[Drawn, second.Kept]:
        """The picks alone, and what must be kept to weigh what was not picked."""
        ring = Ring(starts(self.order.seed))
        drawn = draw(
            self.lists.lanes(self.order.quotas, ring),
            quotas=self.order.quotas,
            chance=ring,
            sizes_of=partial(self.lists.sizes_of, at=self.lists.as_of, alerts=self.alerts),
            earlier=self._earlier(),
        )
        return drawn, second.keep(ring, drawn.thresholds, drawn.standing)

    def close(self, made: Drawing) -> None:
        """Keep the draw, which closes its frame, and restate the chances of the frame's earlier picks."""
        rows = self.lists.rows
        self.tx.queue.add_draw(made.draw, [(rows[entry.trace_id].ref, entry) for entry in made.entries])
        self.tx.queue.restate([former.id for former in self.before], self.restated)

    def _record(self, drawn: Drawn, kept: second.Kept) -> Draw:
        sums = risk_sums(self.frame.cells, self.lists.model, [*self._kept(), kept])
        return Draw(
            id=self.order.id,
            at=self.order.at,
            seed=self.order.seed,
            budget=self.order.budget,
            window=self.frame.window,
            mix={policy.value: share for policy, share in shares(self.order.mix).items()},
            maturity_seconds=self.order.maturity.total_seconds(),
            framed_to=self.frame.framed_to,
            again_of=self.before[0].id if self.before else None,
            population=self.frame.n,
            population_by_category=self.frame.population,
            middle=self._middle(drawn),
            cells=[(category, cell, n) for (category, cell), n in self.frame.cells.items()],
            risk_sums={category: (found.risk, found.anticipated) for category, found in sums.items()},
            risk_model=self.lists.model.to_json(),
            shortfalls=self._shortfalls(drawn),
            quotas={policy.value: n for policy, n in self.order.quotas.items()},
            lists=[(lane.policy.value, lane.part, *counts) for lane, counts in drawn.lanes.items()],
            mix_version=self.order.mix_version,
            rotation=self.lists.rotation or 0,
            thresholds=kept.to_json(),
        )

    def _shortfalls(self, drawn: Drawn) -> dict[str, str]:
        said = {policy.value: why for policy, why in drawn.shortfalls.items()}
        asked = {alert.id: drawn.lanes[LaneId(Policy.drift, alert.id)] for alert in self.alerts}
        about = {alert.id: read_slice(alert.slice).category for alert in self.alerts}
        known = {None, *self.frame.population}
        empty = [
            empty_slice(alert.name, about[alert.id], self.frame.population)
            for alert in self.alerts
            if not asked[alert.id][1] and (asked[alert.id][0] or about[alert.id] not in known)
        ]
        if Policy.drift in drawn.shortfalls and empty:
            got = sum(given for _, given in asked.values())
            said["drift"] = f"{got} of {self.order.quotas[Policy.drift]}: {'; '.join(empty)}"
        return {**said, **self.order.notes}

    def _middle(self, drawn: Drawn) -> datetime | None:
        if not drawn.picks:
            return None
        start, rows = self.frame.window.start, self.lists.rows
        weights = [1 / pick.probability for pick in drawn.picks]
        since = [(rows[pick.trace_id].started_at - start).total_seconds() for pick in drawn.picks]
        mean = sum(weight * seconds for weight, seconds in zip(weights, since, strict=True)) / sum(weights)
        return start + timedelta(seconds=mean)

    # --- drawing again

    def _kept(self) -> list[second.Kept]:
        return [second.Kept.of_json(made.thresholds) for made in self.before]

    def _earlier(self) -> second.Earlier | None:
        if not self.before:
            return None
        kept = self._kept()
        found = self.tx.traces.find_many(list(kept[-1].picks))
        self.lists.rows |= found
        picks = {
            trace_id: Candidate(trace_id, row.sample_key, 1.0, row.user_id, row.category)
            for trace_id, row in found.items()
        }
        pulled = [[lane.part for lane in each.thresholds if lane.policy is Policy.drift] for each in kept]
        alerts = self.tx.queue.find_alerts([part for parts in pulled for part in parts])
        return second.earlier(
            kept,
            picks,
            [
                partial(self.lists.sizes_of, at=made.at, alerts=[alerts[part] for part in parts if part in alerts])
                for made, parts in zip(self.before, pulled, strict=True)
            ],
        )

    # --- the entries

    def _entries(self, drawn: Drawn) -> list[QueueEntry]:
        rows = self.lists.rows
        spoken = [rows[pick.trace_id] for pick in drawn.picks if pick.policy is Policy.negative]
        stored = self.tx.signals.list_for({row.trace_id: row.day for row in spoken})
        signals = {
            trace_id: [each.signal for each in found if is_negative([SignalFact.of(each.signal)])]
            for trace_id, found in stored.items()
        }
        # The baseline of a frame is what was known when it closed, whichever of its draws took a trace.
        closed_at = self.before[0].at if self.before else None
        cells = self.lists.cells_of([rows[pick.trace_id] for pick in drawn.picks], closed_at)
        risks = [self.lists.model.risk(pick.candidate.category, cells[rows[pick.trace_id].ref]) for pick in drawn.picks]
        return [
            self._entry(pick, signals.get(pick.trace_id, []), risk)
            for pick, risk in zip(drawn.picks, risks, strict=True)
        ]

    def _entry(self, pick: Pick, signals: Sequence[Signal], risk: float) -> QueueEntry:
        twice = needs_two(pick.trace_id, draw_id=self.order.id, secret=self.double)
        return QueueEntry(
            id=self.mint(),
            draw_id=self.order.id,
            trace_id=pick.trace_id,
            policy=pick.policy,
            picked_by=pick.picked_by,
            rank=pick.rank,
            serve_rank=pick.serve_rank,
            reason=self._reason(pick, signals),
            inclusion_probability=pick.probability,
            risk=risk,
            alert_id=pick.lane.part if pick.policy is Policy.drift else None,
            core=pick.core,
            purpose=Purpose.double if twice else Purpose.label,
            labels_needed=2 if twice else 1,
            category=pick.candidate.category,
            added_at=self.order.at,
        )

    def _reason(self, pick: Pick, signals: Sequence[Signal]) -> str:
        match pick.policy:
            case Policy.drift:
                alert = next(alert for alert in self.alerts if alert.id == pick.lane.part)
                return drift_reason(alert.name, alert.slice)
            case Policy.negative:
                reason = next((signal.reason for signal in signals if signal.reason), None)
                return negative_reason(
                    {signal.kind.value for signal in signals}, reason=reason, user_id=pick.candidate.user_id
                )
            case Policy.uncertain:
                return uncertain_reason(pick.n_policy)
            case Policy.stratified:
                return stratified_reason(pick.n_lane, pick.candidate.category)
            case Policy.random:
                return random_reason(pick.rank, pick.n_policy)
