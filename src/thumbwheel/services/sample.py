"""Sample: put the few traces worth a human's minute into the queue."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from secrets import randbits

from thumbwheel.annotate.assign import needs_two
from thumbwheel.capture.prior import SignalFact, failure_log_odds, is_negative
from thumbwheel.domain.annotation import Suggestion
from thumbwheel.domain.queue import Draw, DriftAlert, Policy, Purpose, QueueEntry, Window
from thumbwheel.domain.signal import Signal
from thumbwheel.domain.trace import Trace
from thumbwheel.errors import Invalid
from thumbwheel.ports import Case, Example, FitJudge, Mint, Now
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
    uncertain_size,
)
from thumbwheel.sample.ring import Ring, starts
from thumbwheel.sample.stream import first_span, keyed_stream, weighted_stream
from thumbwheel.store.frames import OpenFrame, open_frame, reopen_frame
from thumbwheel.store.ledger import Ledger, Tx
from thumbwheel.store.sizes import Size
from thumbwheel.store.traces import TraceRow, day_of

#: Most negative entries one user may fill in a draw.
PER_USER_CAP = 3
#: Labels older than this no longer teach the embedded judge.
_LEARN_FROM = timedelta(days=28)
#: Unlabelled traces it learns the background from.
_BACKGROUND = 2_000
#: Size classes a weighted policy's rows are kept in.
_CLASSES = range(16)
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
    #: Makes the embedded judge from labels and priors.
    fit_judge: FitJudge

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
        frame = reopen_frame(tx.traces, tx.queue, window) if request.again else open_frame(tx.traces, tx.queue, window)
        return _Drawing(
            service=self,
            tx=tx,
            request=request,
            id=self.mint(),
            at=at,
            frame=frame,
            alerts=tx.queue.list_alerts(at),
            before=tx.queue.list_drawn_from(frame.draw_id) if frame.draw_id else [],
        )

    def suggest(self, project_id: int, limit: int = 5_000) -> int:
        """Let the embedded judge look at the traces that came after the last one it saw; how many those were.

        It learns from every label there is and, for want of labels, from what users' signals are known to mean.
        """
        with self.ledger.read(project_id) as tx:
            unseen, last = tx.traces.list_unjudged(limit)
            if not unseen:
                return 0
            labelled = tx.annotations.list_labelled(self.now() - _LEARN_FROM)
            learnt = tx.traces.find_many([label.trace_id for label in labelled])
            recent = tx.traces.list_newest(_BACKGROUND)
            whole = tx.traces.list_whole([row.ref for row in learnt.values()])
            cases = _cases(tx, [*unseen, *recent, *whole.items()])
            published = tx.codebooks.find_current()
        examples = [
            Example(case=cases[label.trace_id], failed=label.failed, weight=1 / label.inclusion_probability)
            for label in labelled
            if label.trace_id in cases
        ]
        named = {example.case.trace_id for example in examples}
        examples += [Example(case=cases[trace.id]) for _, trace in recent if trace.id not in named]
        judge = self.fit_judge(examples, published.version if published else None)
        chances = judge.score([cases[trace.id] for _, trace in unseen])
        self._keep_suggestions(project_id, judge.name, unseen, chances, last)
        return len(unseen)

    def _keep_suggestions(
        self, project_id: int, judge: str, seen: Sequence[tuple[int, Trace]], chances: Sequence[float], last: int
    ) -> None:
        now = self.now()
        with self.ledger.begin(project_id) as tx:
            rows = tx.traces.find_many([trace.id for _, trace in seen])
            pairs = [(rows[trace.id], chance) for (_, trace), chance in zip(seen, chances, strict=True)]
            tx.sizes.add_suggestions(
                [
                    (row.ref, Suggestion(trace_id=row.trace_id, judge=judge, failure_probability=chance, at=now))
                    for row, chance in pairs
                ]
            )
            sized = [(row, _uncertain(chance)) for row, chance in pairs]
            tx.sizes.put_all(sized, [Policy.uncertain])
            tx.traces.mark_judged(last)

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
    rows: dict[str, TraceRow] = field(default_factory=dict)
    risks: dict[str, float] = field(default_factory=dict)

    def run(self) -> Drawing:
        """Pick, and say of each pick why."""
        seed = randbits(53) if self.request.seed is None else self.request.seed
        ring = Ring(starts(seed))
        mix = _mix(self.request)
        quotas = split(mix, self.request.budget)
        earlier = self._earlier()
        drawn = draw(self._lanes(quotas, ring), quotas=quotas, chance=ring, sizes_of=self._sizes_of, earlier=earlier)
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
            shortfalls={policy.value: why for policy, why in drawn.shortfalls.items()},
            thresholds=second.keep(ring, drawn.thresholds, drawn.standing).to_json(),
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
            tape = Tape(self._weighted(policy, quotas[policy], ring, n))
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

    def _weighted(self, policy: Policy, k: int, ring: Ring, n: int) -> Iterable[tuple[float, Candidate]]:
        def read(size_class: int, low: int, high: int) -> list[Candidate]:
            sized = self.tx.sizes.read(policy, self.frame.days, size_class, low, high)
            self.risks |= {each.trace.trace_id: each.failure_probability for each in sized}
            of_size = {each.trace.trace_id: each.size for each in sized}
            found = self._candidates(each.trace for each in sized)
            return [candidate._replace(size=of_size[candidate.trace_id]) for candidate in found]

        return weighted_stream(read, _CLASSES, ring.starts[policy], first_span(k, n))

    def _candidates(self, rows: Iterable[TraceRow]) -> list[Candidate]:
        found = []
        for row in rows:
            if self.frame.holds(row):
                self.rows[row.trace_id] = row
                found.append(Candidate(row.trace_id, row.sample_key, 1.0, row.user_id, row.category))
        return found

    def _sizes_of(self, candidates: Sequence[Candidate]) -> dict[str, Sizes]:
        rows = [self.rows[candidate.trace_id] for candidate in candidates]
        weighted = self.tx.sizes.list_for(rows)
        return {
            row.trace_id: sizes(
                row.category,
                negative=weighted[row.trace_id].get(Policy.negative, 0.0),
                uncertain=weighted[row.trace_id].get(Policy.uncertain, 0.0),
                alerts=[alert.id for alert in self.alerts if in_slice(row, alert)],
            )
            for row in rows
        }

    # --- drawing again

    def _earlier(self) -> second.Earlier | None:
        if not self.before:
            return None
        kept = [second.Kept.of_json(made.thresholds) for made in self.before]
        found = self.tx.traces.find_many(list(kept[-1].picks))
        self.rows |= found
        picks = {
            trace_id: Candidate(trace_id, row.sample_key, 1.0, row.user_id, row.category)
            for trace_id, row in found.items()
        }
        return second.earlier(kept, picks, self._sizes_of)

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
        return [self._entry(pick, signals.get(pick.trace_id, [])) for pick in drawn.picks]

    def _entry(self, pick: Pick, signals: Sequence[Signal]) -> QueueEntry:
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
                return uncertain_reason(self.risks[pick.trace_id])
            case Policy.stratified:
                return stratified_reason(pick.n_lane, pick.candidate.category)
            case Policy.random:
                return random_reason(pick.rank, pick.n_policy)


def _mix(request: DrawRequest) -> dict[str, float]:
    return request.mix or {policy.value: share for policy, share in DEFAULT_MIX.items()}


def _uncertain(chance: float) -> list[Size]:
    size = uncertain_size(chance)
    return [Size(Policy.uncertain, class_of(size), size, chance)] if size > 0 else []


def _cases(tx: Tx, traces: Sequence[tuple[int, Trace]]) -> dict[str, Case]:
    whole = {trace.id: trace for _, trace in traces}
    stored = tx.signals.list_for({trace_id: day_of(trace.started_at) for trace_id, trace in whole.items()})
    return {
        trace_id: Case.of(
            trace, prior_log_odds=failure_log_odds([SignalFact.of(each.signal) for each in stored[trace_id]])
        )
        for trace_id, trace in whole.items()
    }


def in_slice(row: TraceRow, alert: DriftAlert) -> bool:
    """Whether a trace is in the slice an alert names."""
    return all(getattr(row, name) == value for name, value in alert.slice.items())
