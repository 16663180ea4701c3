"""Measure: the report. How far traces came, how fast, what each policy caught, and how alike people judge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from thumbwheel.annotate.agreement import Agreement, agreement
from thumbwheel.domain.annotation import Annotation, Label, Verdict
from thumbwheel.domain.queue import Draw, Policy, QueueEntry, Window
from thumbwheel.errors import Invalid
from thumbwheel.keep.stalled import stalled
from thumbwheel.measure.failure import DrawnFrame, Failures, Served, change, failures
from thumbwheel.measure.figure import Figure
from thumbwheel.measure.flow import Counts, conversion, funnel
from thumbwheel.measure.pace import Case, cycle_times, labels_per_hour, queue_age
from thumbwheel.measure.report import Closing, DropRow, Kappa, PolicyRow, Report, Signals, Waiting, fix_alarm, naive
from thumbwheel.measure.rows import failures_of_rows, file_row, judge_sum_of
from thumbwheel.ports import Now
from thumbwheel.sample.again import Kept, chances_by_draw
from thumbwheel.stats.kappa import AgreementResult, AgreementState
from thumbwheel.store.ledger import Ledger, Tx
from thumbwheel.store.tallies import FixTally, GoldenTally, SignalTally, StepTally

__all__ = ["Figure", "Measure", "Report"]

#: Times and agreement need more than a week: they look back at least this far.
LOOK_BACK = timedelta(days=90)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two windows side by side."""

    window: Window
    earlier: Window
    before: Failures
    after: Failures

    def as_dict(self) -> dict[str, Any]:
        """As JSON values: `change` is None while either window has too few labels. A fall is negative."""
        moved = change(self.before, self.after)
        told: dict[str, Any] = {"window": _span(self.earlier), **self.before.as_dict()}
        if moved is None:
            return {"before": told, "change": None}
        limits = moved.difference.interval
        return {
            "before": told,
            "change": {
                "difference": moved.difference.point,
                "interval": [limits.low, limits.high],
                "z": moved.z,
                "p_value": moved.p_value,
            },
        }


def _span(window: Window) -> dict[str, str]:
    return {"from": window.start.isoformat(), "to": window.end.isoformat()}


@dataclass(frozen=True, slots=True)
class Measure:
    """Reads; writes nothing."""

    ledger: Ledger
    now: Now

    def report(self, project_id: int, window: Window | timedelta = timedelta(days=7)) -> Report:
        """The report over a window, widened to whole UTC days, or over the days that reach so far back.

        Its failure rate is that of `estimate` for the window as it was asked for.

        Raises:
            Invalid: the window ends before it starts, or reaches further than dates go.
        """
        at = self.now()
        try:
            days = _whole_days(Window(start=at - window, end=at) if isinstance(window, timedelta) else window)
            since = min(days.start, days.end - LOOK_BACK)
        except OverflowError as fault:
            raise Invalid("This window reaches further than dates go.", field="window") from fault
        with self.ledger.read(project_id) as tx:
            outcomes = tx.tallies.list_outcomes(days)
            labelled = [(entry, label) for entry, label in outcomes if label is not None]
            shares = conversion(labelled)
            signals, n_traces = tx.tallies.count_signals(days), tx.tallies.count_traces(days)
            annotations = tx.tallies.list_annotations(days)
            agreed = _agreement(tx, since)
            return Report(
                at=at,
                window=days,
                since=since,
                funnel=funnel(_counts(n_traces, signals, tx.tallies.count_steps(days))),
                policies=tuple(_policy_row(policy, outcomes, shares.policies[policy]) for policy in Policy),
                failures=failures(_frames(tx, self._window(window)), by_category=True),
                core=shares.core,
                naive=naive(
                    n_failures=sum(label.verdict is Verdict.failed for _, label in labelled),
                    n_labels=len(labelled),
                    n_down=signals.n_down,
                    n_rated=signals.n_rated,
                    n_traces=n_traces,
                ),
                waiting=Waiting(
                    age=queue_age(tx.tallies.list_waiting_since(), at),
                    n_disputes=tx.tallies.count_disputes(),
                    n_quarantined=tx.quarantines.count_open(),
                    n_stalled=len(stalled(tx, at).entry_ids),
                    dropped=tx.tallies.count_drops(days),
                    limits=tuple(
                        DropRow(policy=Policy(policy), category=category, why=why, n=n)
                        for policy, category, why, n in tx.outcomes.count_drops(days)
                    ),
                ),
                times=cycle_times(_cases(tx, since), at),
                labels_per_hour=labels_per_hour(annotations),
                n_annotators=_n_annotators(annotations),
                n_doubled=agreed.n_doubled,
                kappas=_kappas(agreed),
                signals=Signals(
                    by_kind=signals.by_kind, n_traces=signals.n_traces, n_pending=tx.signals.count_pending()
                ),
                closing=_closing(tx, at),
            )

    def estimate(
        self, project_id: int, window: Window | timedelta = timedelta(days=7), *, by_category: bool = False
    ) -> Failures:
        """The failure rate of the traces of a window, overall and, when asked, by category.

        It is about whole frames: those whose middle lies in the window, or where there is none, those that touch it.

        Raises:
            Invalid: the window ends before it starts, or reaches further than dates go.
        """
        window = self._window(window)
        with self.ledger.read(project_id) as tx:
            return failures(_frames(tx, window), by_category=by_category)

    def change(self, project_id: int, window: Window | timedelta = timedelta(days=7)) -> Comparison:
        """The failure rate of a window beside that of the window of the same length before it.

        Raises:
            Invalid: the window ends before it starts, or reaches further than dates go.
        """
        now = self._window(window)
        try:
            before = Window(start=now.start - (now.end - now.start), end=now.start)
        except OverflowError as fault:
            raise Invalid("This window reaches further than dates go.", field="window") from fault
        with self.ledger.read(project_id) as tx:
            return Comparison(
                before=failures(_middled(tx, before)), after=failures(_middled(tx, now)), window=now, earlier=before
            )

    def _window(self, window: Window | timedelta) -> Window:
        try:
            at = self.now()
            found = Window(start=at - window, end=at) if isinstance(window, timedelta) else window
        except OverflowError as fault:
            raise Invalid("This window reaches further than dates go.", field="window") from fault
        if found.end <= found.start:
            raise Invalid("A window ends after it starts.", field="window")
        return found


def rate_of_rows(rows: Sequence[Mapping[str, str]], n_population: int, judge_sum: float | None) -> dict[str, Any]:
    """The failure rate of a population from the rows of a file: item, failed, inclusion_probability[, stratum][, judge].

    A row without `failed` was drawn or listed but not labelled: it counts for nothing but, where the file lists the
    whole population with a judge's probability for each, for the judge's sum.

    Raises:
        Invalid: naming the row and column that cannot be read.
    """
    read = [found for number, row in enumerate(rows, start=1) if (found := file_row(row, number)) is not None]
    if len(read) > n_population:
        raise Invalid(f"There are {len(read)} labels from a population of {n_population}.", field="population")
    if judge_sum is None and len(rows) == n_population:
        judge_sum = judge_sum_of(rows)
    try:
        return failures_of_rows(read, n_population, judge_sum=judge_sum)
    except ValueError as fault:
        raise Invalid(f"{str(fault)[:1].upper()}{str(fault)[1:]}.", field="population") from fault


def _frames(tx: Tx, window: Window) -> list[DrawnFrame]:
    return _middled(tx, window) or _drawn(tx, tx.outcomes.list_frames(window))


def _middled(tx: Tx, window: Window) -> list[DrawnFrame]:
    frames = [draws for draws in tx.outcomes.list_frames(window) if window.start <= _middle(draws[0]) < window.end]
    return _drawn(tx, frames)


def _middle(draw: Draw) -> datetime:
    return draw.middle or draw.window.start + (draw.window.end - draw.window.start) / 2


def _drawn(tx: Tx, frames: Sequence[Sequence[Draw]]) -> list[DrawnFrame]:
    place = {draw.id: (frame, at) for frame, draws in enumerate(frames) for at, draw in enumerate(draws)}
    # Only where a frame was drawn from again is there more to know than the chance each entry is stamped with.
    by_draw = [
        chances_by_draw([Kept.of_json(draw.thresholds) for draw in draws]) if len(draws) > 1 else {} for draws in frames
    ]
    entries: list[list[Served]] = [[] for _ in frames]
    for outcome in tx.outcomes.list_for(list(place)):
        frame, at = place[outcome.draw_id]
        entries[frame].append(
            Served(
                policy=outcome.policy,
                category=outcome.category,
                core=outcome.core,
                inclusion_probability=outcome.inclusion_probability,
                risk=outcome.risk,
                failed=outcome.failed,
                disputed=outcome.disputed,
                draw=at if by_draw[frame] else 0,
                by_draw=by_draw[frame].get(outcome.trace_id, ()),
            )
        )
    return [
        DrawnFrame(population=draws[0].population_by_category, sums=draws[-1].risk_sums, entries=entries[frame])
        for frame, draws in enumerate(frames)
        if draws[0].population
    ]


def _whole_days(window: Window) -> Window:
    if window.end <= window.start:
        raise Invalid("A window ends after it starts.", field="window")
    return Window(start=_midnight(window.start), end=_midnight(window.end - timedelta(microseconds=1)) + _DAY)


def _midnight(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _counts(n_traces: int, signals: SignalTally, steps: StepTally) -> Counts:
    return Counts(
        traces=n_traces,
        with_signals=signals.n_traces,
        drawn=steps.drawn,
        annotated=steps.annotated,
        labelled=steps.labelled,
        failures=steps.failures,
        artifacts=steps.artifacts,
        fixes=steps.fixes,
        shipped=steps.shipped,
    )


def _policy_row(policy: Policy, outcomes: Iterable[tuple[QueueEntry, Label | None]], share: Figure) -> PolicyRow:
    labels = [label for entry, label in outcomes if policy in entry.picked_by]
    return PolicyRow(
        policy=policy,
        n_entries=len(labels),
        n_labelled=sum(label is not None for label in labels),
        n_failures=sum(label is not None and label.verdict is Verdict.failed for label in labels),
        conversion=share,
    )


def _cases(tx: Tx, since: datetime) -> list[Case]:
    return [
        Case(
            traced_at=road.traced_at,
            labelled_at=road.labelled_at,
            failed=road.failed,
            fixed_at=road.fixed_at,
            dropped_at=road.dropped_at,
        )
        for road in tx.tallies.list_roads(since)
    ]


def _n_annotators(annotations: Iterable[Annotation]) -> int:
    return len({annotation.annotator for annotation in annotations})


def _agreement(tx: Tx, since: datetime) -> Agreement:
    published = tx.codebooks.find_current()
    categories = [category.id for category in published.codebook.categories] if published else []
    return agreement(tx.annotations.list_doubled(since), categories)


def _kappas(agreed: Agreement) -> tuple[Kappa, ...]:
    overall = _kappa(None, agreed.overall, agreed.n_needed, len(agreed.disputed))
    return overall, *(
        _kappa(each.category, each.kappa, agreed.n_needed, len(each.disputed)) for each in agreed.categories
    )


def _kappa(category: str | None, found: AgreementResult, needed: int, n_disputed: int) -> Kappa:
    return Kappa(
        category=category,
        state=found.state,
        kappa=_kappa_figure(found, needed),
        observed=found.observed,
        ac1=found.ac1,
        n_disputed=n_disputed,
    )


def _kappa_figure(found: AgreementResult, needed: int) -> Figure:
    if found.n < needed:
        return Figure(n=found.n, m=needed, why=f"not enough doubled entries: {found.n} of {needed}")
    if found.kappa is None or found.interval is None:
        return Figure(n=found.n, m=needed, why=found.reason)
    if found.state is AgreementState.TOO_FEW:
        return Figure(n=found.n, m=needed, why="a reviewer used one of the two answers too rarely to tell")
    return Figure(estimate=found.kappa, low=found.interval.low, high=found.interval.high, n=found.n, m=needed)


def _closing(tx: Tx, at: datetime) -> Closing:
    golden: GoldenTally = tx.tallies.count_golden()
    fixes: FixTally = tx.tallies.count_fixes()
    return Closing(
        n_open=golden.n_open,
        n_guarding=golden.n_guarding,
        n_pairs=golden.n_pairs,
        n_withheld_golden=tx.artifacts.count_withheld("golden"),
        n_withheld_pairs=tx.artifacts.count_withheld("preference"),
        n_fixes=fixes.n,
        n_shipped=fixes.n_shipped,
        last_shipped_at=fixes.last_shipped_at,
        n_unanswered=fixes.n_unanswered,
        alarm=fix_alarm(
            at,
            n_unanswered=fixes.n_unanswered,
            waiting_since=fixes.unanswered_since,
            last_shipped_at=fixes.last_shipped_at,
        ),
    )
