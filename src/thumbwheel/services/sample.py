"""Sample: put the few traces worth a human's minute into the queue."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from secrets import randbits

from thumbwheel.annotate.assign import needs_two
from thumbwheel.capture.prior import BASE_RATE, SEED, SignalFact, is_negative, sign_log_odds
from thumbwheel.domain.queue import Draw, DriftAlert, Policy, Purpose, QueueEntry, Window
from thumbwheel.domain.signal import Signal
from thumbwheel.errors import Invalid
from thumbwheel.ports import Mint, Now
from thumbwheel.sample import again as second
from thumbwheel.sample.draw import Drawn, Pick, draw
from thumbwheel.sample.lane import Candidate, Lane, LaneId, Sizes, Tape
from thumbwheel.sample.mix import DEFAULT_MIX, shares, slices, split, strata
from thumbwheel.sample.policies import (
    class_of,
    drift_reason,
    negative_reason,
    random_reason,
    sizes,
    stratified_reason,
    uncertain_reason,
)
from thumbwheel.sample.ring import Ring, starts
from thumbwheel.sample.risk import LabelledCell, RiskModel, from_priors, refit
from thumbwheel.sample.stream import first_span, first_threshold, keyed_stream, weighted_stream
from thumbwheel.sample.sums import risk_sums
from thumbwheel.store.frames import OpenFrame, open_frame, reopen_frame
from thumbwheel.store.ledger import Ledger, Tx
from thumbwheel.store.traces import TraceRow

#: Most negative entries one user may fill in a draw.
PER_USER_CAP = 3
#: Labels older than this no longer teach the risk model.
_LEARN_FROM = timedelta(days=28)
#: Trace fields an alert's slice may name.
SLICE_FIELDS = ("category", "model", "prompt_version", "release", "user_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawRequest:
    """What somebody asks of a draw."""

    budget: int
    window: Window | timedelta
    #: Policy -> share; the default mix when None.
    mix: dict[str, float] | None = None
    seed: int | None = None
    #: How old a trace must be, so that feedback can have arrived.
    maturity: timedelta = timedelta(hours=24)
    #: Draw a second time from the last frame.
    again: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Drawing:
    """A draw and what it put into the queue."""

    draw: Draw
    entries: Sequence[QueueEntry]


@dataclass(frozen=True, slots=True)
class Sample:
    """Draws."""

    ledger: Ledger
    now: Now
    mint: Mint
    #: Chooses which entries two people judge.
    double: bytes
    #: Lets the embedded judge look at what a draw is about to see.
    suggest: Callable[[int], int]

    def draw(self, project_id: int, request: DrawRequest) -> Drawing:
        """Pick up to `budget` traces and queue them, unless it is a dry run.

        Raises:
            Invalid: the budget, the window or the mix cannot be.
            Conflict: a trace changed while it was being drawn; draw again.
        """
        split(_mix(request), request.budget)
        self.suggest(project_id)
        if request.dry_run:
            with self.ledger.read(project_id) as tx:
                return self._open(tx, request).run()
        with self.ledger.archive(project_id) as tx:
            drawing = self._open(tx, request)
            made = drawing.run()
            drawing.close(made)
            return made

    def _open(self, tx: Tx, request: DrawRequest) -> _Drawing:
        at = self.now()
        window = request.window
        if isinstance(window, timedelta):
            window = Window(start=at - window, end=at)
        if window.start >= window.end:
            raise Invalid("A window ends after it starts.", field="window")
        mature = at - request.maturity
        window = Window(start=min(window.start, mature), end=min(window.end, mature))
        make = reopen_frame if request.again else open_frame
        frame = make(tx.traces, tx.evidence, tx.queue, window)
        before = tx.queue.list_drawn_from(frame.draw_id) if frame.draw_id else []
        return _Drawing(
            service=self,
            tx=tx,
            request=request,
            id=self.mint(),
            at=at,
            frame=frame,
            alerts=tx.queue.list_alerts(at),
            before=before,
            model=_model(tx, at, before),
        )

    def raise_alert(
        self, project_id: int, name: str, slice_: dict[str, str], pull: int, lasts: timedelta
    ) -> DriftAlert:
        """Have draws look at a slice of the traffic until the alert expires.

        Raises:
            Invalid: the slice names no trace field, or nothing is to be pulled.
        """
        unknown = [name for name in slice_ if name not in SLICE_FIELDS]
        if unknown or not slice_:
            named = ", ".join(SLICE_FIELDS)
            raise Invalid(f"A slice is one or more of {named}; not {', '.join(unknown) or 'nothing'}.", field="slice")
        if pull < 1 or lasts <= timedelta(0):
            raise Invalid("An alert pulls at least one trace a draw, for some time to come.", field="pull")
        now = self.now()
        alert = DriftAlert(id=self.mint(), name=name, slice=slice_, pull=pull, raised_at=now, expires_at=now + lasts)
        with self.ledger.begin(project_id) as tx:
            tx.queue.add_alert(alert)
        return alert

    def list_alerts(self, project_id: int) -> list[DriftAlert]:
        """Alerts that are open."""
        with self.ledger.read(project_id) as tx:
            return tx.queue.list_alerts(self.now())

    def list_draws(self, project_id: int, limit: int = 20) -> list[Draw]:
        """The last draws, newest first."""
        with self.ledger.read(project_id) as tx:
            return tx.queue.list_draws(limit)


@dataclass(slots=True)
class _Drawing:
    """One draw under way."""

    service: Sample
    tx: Tx
    request: DrawRequest
    id: str
    at: datetime
    frame: OpenFrame
    alerts: list[DriftAlert]
    #: Set when drawing again: the draws of the frame so far, oldest first.
    before: list[Draw]
    model: RiskModel
    rows: dict[str, TraceRow] = field(default_factory=dict)

    def run(self) -> Drawing:
        """Pick, and say of each pick why."""
        seed = randbits(53) if self.request.seed is None else self.request.seed
        ring = Ring(starts(seed))
        mix = _mix(self.request)
        quotas = split(mix, self.request.budget)
        earlier = self._earlier()
        sizes_of = partial(self._sizes_of, at=None, alerts=self.alerts)
        drawn = draw(self._lanes(quotas, ring), quotas=quotas, chance=ring, sizes_of=sizes_of, earlier=earlier)
        kept = second.keep(ring, drawn.thresholds, drawn.standing)
        sums = risk_sums(self.frame.cells, self.model, [*self._kept(), kept])
        made = Draw(
            id=self.id,
            at=self.at,
            seed=seed,
            budget=self.request.budget,
            window=self.frame.window,
            mix={policy.value: share for policy, share in shares(mix).items()},
            maturity_seconds=self.request.maturity.total_seconds(),
            framed_to=self.frame.framed_to,
            again_of=self.before[0].id if self.before else None,
            population=self.frame.n,
            population_by_category=self.frame.population,
            middle=self._middle(drawn),
            cells=[(category, cell, n) for (category, cell), n in self.frame.cells.items()],
            risk_sums={category: (found.risk, found.anticipated) for category, found in sums.items()},
            risk_model=self.model.to_json(),
            shortfalls={policy.value: why for policy, why in drawn.shortfalls.items()},
            thresholds=kept.to_json(),
        )
        self._restate(drawn)
        return Drawing(made, self._entries(drawn))

    def close(self, made: Drawing) -> None:
        """Keep the draw, and close its frame."""
        refs = {trace_id: row.ref for trace_id, row in self.rows.items()}
        self.tx.queue.add_draw(made.draw, [(refs[entry.trace_id], entry) for entry in made.entries])
        if not self.before:
            self.frame.close()

    # --- the lists

    def _lanes(self, quotas: dict[Policy, int], ring: Ring) -> list[Lane]:
        n = self.frame.n
        lanes = []
        pulls = slices(quotas[Policy.drift], {alert.id: alert.pull for alert in self.alerts})
        for alert in self.alerts:
            lane = LaneId(Policy.drift, alert.id)
            lanes.append(Lane(id=lane, quota=pulls[lane], tape=Tape(self._slice(alert, pulls[lane], ring, n))))
        for policy, cap in ((Policy.negative, PER_USER_CAP), (Policy.uncertain, None)):
            tape = Tape(self._weighted(policy, quotas[policy], ring))
            lanes.append(Lane(id=LaneId(policy), quota=quotas[policy], tape=tape, per_user_cap=cap))
        rotation = self.tx.queue.count_draws()
        for lane, quota in strata(quotas[Policy.stratified], list(self.frame.population), rotation).items():
            rows = self._keyed(Policy.stratified, [lane.part], quota, ring, self.frame.population[lane.part])
            lanes.append(Lane(id=lane, quota=quota, tape=Tape(rows)))
        uniform = self._keyed(Policy.random, list(self.frame.population), quotas[Policy.random], ring, n)
        return [*lanes, Lane(id=LaneId(Policy.random), quota=quotas[Policy.random], tape=Tape(uniform))]

    def _keyed(
        self, policy: Policy, categories: list[str], k: int, ring: Ring, n: int
    ) -> Iterable[tuple[float, Candidate]]:
        def read(low: int, high: int) -> list[Candidate]:
            return self._candidates(self.tx.traces.read_keys(self.frame.days, categories, low, high))

        return keyed_stream(read, ring.starts[policy], first_span(k, n))

    def _slice(self, alert: DriftAlert, k: int, ring: Ring, n: int) -> Iterable[tuple[float, Candidate]]:
        category = alert.slice.get("category")
        categories = list(self.frame.population) if category is None else [category]
        within = n if category is None else self.frame.population.get(category, 0)

        def read(low: int, high: int) -> list[Candidate]:
            rows = self.tx.traces.read_keys(self.frame.days, categories, low, high)
            return self._candidates(row for row in rows if in_slice(row, alert))

        return keyed_stream(read, ring.starts[Policy.drift], first_span(k, within))

    def _weighted(self, policy: Policy, k: int, ring: Ring) -> Iterable[tuple[float, Candidate]]:
        classes, counts = self._classes(policy)

        def read(size_class: int, low: int, high: int) -> list[Candidate]:
            known = self.tx.evidence.read(self.frame.days, classes[size_class], low, high)
            if self.before:
                now = self.tx.evidence.list_cells([each.trace.ref for each in known])
                known = [each for each in known if now[each.trace.ref] == each.cell]
            cells = {each.trace.trace_id: each.cell for each in known}
            found = self._candidates(each.trace for each in known)
            return [one._replace(size=self._size(policy, one.category, cells[one.trace_id])) for one in found]

        return weighted_stream(read, classes, ring.starts[policy], first_threshold(k, counts)) if classes else ()

    def _classes(self, policy: Policy) -> tuple[dict[int, list[int]], dict[int, int]]:
        """Cells by the size class that holds their largest size, and how many traces each class has."""
        largest: dict[int, float] = {}
        n: dict[int, int] = {}
        later = self.tx.evidence.list_later(self.before[0].at) if self.before else set()
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
        return _size(self.model, policy, category, cell)

    def _candidates(self, rows: Iterable[TraceRow]) -> list[Candidate]:
        found = []
        for row in rows:
            if self.frame.holds(row):
                self.rows[row.trace_id] = row
                found.append(Candidate(row.trace_id, row.sample_key, 1.0, row.user_id, row.category))
        return found

    def _sizes_of(
        self, candidates: Sequence[Candidate], *, at: datetime | None, alerts: Sequence[DriftAlert]
    ) -> dict[str, Sizes]:
        """Sizes in a draw made at a time (in this one, when None) under these alerts."""
        rows = [self.rows[candidate.trace_id] for candidate in candidates]
        cells = self.tx.evidence.list_cells([row.ref for row in rows], at)
        return {
            row.trace_id: sizes(
                row.category,
                negative=self._size(Policy.negative, row.category, cells[row.ref]),
                uncertain=self._size(Policy.uncertain, row.category, cells[row.ref]),
                alerts=[alert.id for alert in alerts if in_slice(row, alert)],
            )
            for row in rows
        }

    # --- drawing again

    def _kept(self) -> list[second.Kept]:
        return [second.Kept.of_json(made.thresholds) for made in self.before]

    def _earlier(self) -> second.Earlier | None:
        if not self.before:
            return None
        kept = self._kept()
        found = self.tx.traces.find_many(list(kept[-1].picks))
        self.rows |= found
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
                partial(self._sizes_of, at=made.at, alerts=[alerts[part] for part in parts if part in alerts])
                for made, parts in zip(self.before, pulled, strict=True)
            ],
        )

    def _restate(self, drawn: Drawn) -> None:
        if self.request.dry_run:
            return
        chances = {standing.candidate.trace_id: standing.probability for standing in drawn.restated}
        self.tx.queue.restate([made.id for made in self.before], chances)

    # --- the entries

    def _entries(self, drawn: Drawn) -> list[QueueEntry]:
        spoken = [self.rows[pick.trace_id] for pick in drawn.picks if pick.policy is Policy.negative]
        stored = self.tx.signals.list_for({row.trace_id: row.day for row in spoken})
        signals = {
            trace_id: [each.signal for each in found if is_negative([SignalFact.of(each.signal)])]
            for trace_id, found in stored.items()
        }
        at = self.before[0].at if self.before else None
        cells = self.tx.evidence.list_cells([self.rows[pick.trace_id].ref for pick in drawn.picks], at)
        risks = {
            pick.trace_id: self.model.risk(pick.candidate.category, cells[self.rows[pick.trace_id].ref])
            for pick in drawn.picks
        }
        return [self._entry(pick, signals.get(pick.trace_id, []), risks[pick.trace_id]) for pick in drawn.picks]

    def _middle(self, drawn: Drawn) -> datetime | None:
        if not drawn.picks:
            return None
        weights = [1 / pick.probability for pick in drawn.picks]
        since = [
            (self.rows[pick.trace_id].started_at - self.frame.window.start).total_seconds() for pick in drawn.picks
        ]
        mean = sum(weight * seconds for weight, seconds in zip(weights, since, strict=True)) / sum(weights)
        return self.frame.window.start + timedelta(seconds=mean)

    def _entry(self, pick: Pick, signals: Sequence[Signal], risk: float) -> QueueEntry:
        twice = needs_two(pick.trace_id, draw_id=self.id, secret=self.service.double)
        return QueueEntry(
            id=self.service.mint(),
            draw_id=self.id,
            trace_id=pick.trace_id,
            policy=pick.policy,
            picked_by=pick.picked_by,
            rank=pick.rank,
            serve_rank=pick.serve_rank,
            reason=self._reason(pick, signals),
            inclusion_probability=pick.probability,
            risk=risk,
            core=pick.core,
            purpose=Purpose.double if twice else Purpose.label,
            labels_needed=2 if twice else 1,
            category=pick.candidate.category,
            added_at=self.at,
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
                return uncertain_reason()
            case Policy.stratified:
                return stratified_reason(pick.n_lane, pick.candidate.category)
            case Policy.random:
                return random_reason(pick.rank, pick.n_policy)


def _mix(request: DrawRequest) -> dict[str, float]:
    return request.mix or {policy.value: share for policy, share in DEFAULT_MIX.items()}


def _model(tx: Tx, at: datetime, before: Sequence[Draw]) -> RiskModel:
    """The risk model of a frame: made when it is first drawn from, from labels of other frames, then left alone."""
    if before and before[0].risk_model:
        return RiskModel.of_json(before[0].risk_model)
    labels = [] if before else tx.annotations.list_labelled_cells(at - _LEARN_FROM)
    return refit([LabelledCell(*label) for label in labels], from_priors(BASE_RATE, sign_log_odds(), SEED.version))


def _size(model: RiskModel, policy: Policy, category: str | None, cell: int) -> float:
    if policy is Policy.negative:
        return model.negative_size(category, cell)
    return model.uncertain_size(category, cell)


def in_slice(row: TraceRow, alert: DriftAlert) -> bool:
    """Whether a trace is in the slice an alert names."""
    return all(getattr(row, name) == value for name, value in alert.slice.items())
