"""Capture: keep traces, and what users say, change and do about them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import TypeAlias, TypeVar

from thumbwheel.capture.edit import hunks
from thumbwheel.domain.annotation import Annotation, Label, Suggestion
from thumbwheel.domain.artifact import GoldenRow, PreferencePair
from thumbwheel.domain.queue import Policy
from thumbwheel.domain.signal import DEFAULT_REASONS, Signal, SignalContext
from thumbwheel.domain.trace import Trace, text_of
from thumbwheel.errors import IdReused, Invalid, ThumbwheelError
from thumbwheel.ports import Now
from thumbwheel.sample.ring import sample_key
from thumbwheel.store.ledger import Ledger, Tx
from thumbwheel.store.signals import NewSignal
from thumbwheel.store.sizes import Size
from thumbwheel.store.traces import NewTrace, TraceRow
from thumbwheel.store.writer import GroupWriter

#: How much the weighted policies want a trace with these signals and this judge score (1 = good).
Weigh: TypeAlias = Callable[[Sequence[Signal], "float | None"], list[Size]]

#: What became of one item: kept, kept before, or refused.
Outcome: TypeAlias = "bool | ThumbwheelError"


@dataclass(frozen=True, slots=True)
class Work:
    """What one caller wants kept: values, each with the hash of what the client sent."""

    project_id: int
    traces: Sequence[tuple[Trace, int]] = ()
    signals: Sequence[tuple[Signal, int]] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """For each item in order: True when it is new, False when it was here already, or why it was refused."""

    traces: Sequence[Outcome]
    signals: Sequence[Outcome]


@dataclass(frozen=True, slots=True)
class TraceFile:
    """Everything known about one trace."""

    trace: Trace
    signals: Sequence[Signal]
    annotations: Sequence[Annotation]
    label: Label | None
    suggestions: Sequence[Suggestion]
    artifacts: Sequence[GoldenRow | PreferencePair]


class Capture:
    """Keeps what arrives. What it acknowledges is committed."""

    def __init__(self, ledger: Ledger, now: Now, shuffle: bytes, weigh: Weigh) -> None:
        self._ledger = ledger
        self._now = now
        #: Secret of the sample keys: who chooses trace ids must not choose places in the shuffle.
        self._shuffle = shuffle
        self._weigh = weigh
        self._reasons: dict[int, tuple[datetime, tuple[str, ...]]] = {}
        self._writer: GroupWriter[Work, Kept] = GroupWriter(self._commit)

    async def keep(self, work: Work) -> Kept:
        """Keep traces and signals; returns when they are durable.

        Raises:
            StoreUnavailable: nothing was stored.
        """
        return await asyncio.wrap_future(self._writer.submit(work, len(work.traces) + len(work.signals)))

    def keep_now(self, work: Work) -> Kept:
        """As `keep`, for callers that wait.

        Raises:
            StoreUnavailable: nothing was stored.
        """
        return self._writer.submit(work, len(work.traces) + len(work.signals)).result()

    def close(self) -> None:
        """Commit what is under way and take no more."""
        self._writer.close()

    def reasons(self, project_id: int) -> tuple[str, ...]:
        """The reasons a user of this project may give; a change is seen within five seconds."""
        cached = self._reasons.get(project_id)
        if cached is not None and self._now() - cached[0] < _TRUST:
            return cached[1]
        with self._ledger.read(project_id) as tx:
            settings = tx.people.project_settings(project_id)
        reasons = tuple(settings.get("reasons", DEFAULT_REASONS))
        self._reasons[project_id] = (self._now(), reasons)
        return reasons

    def count_pending(self, project_id: int) -> int:
        """How many signals wait for their trace."""
        with self._ledger.read(project_id) as tx:
            return tx.signals.count_pending()

    def get(self, project_id: int, trace_id: str) -> TraceFile:
        """Everything known about one trace.

        Raises:
            NotHere: there is no such trace in this project.
        """
        with self._ledger.read(project_id) as tx:
            trace = tx.traces.get(trace_id)
            row = tx.traces.find(trace_id)
            assert row is not None
            signals = tx.signals.list_for({trace_id: row.day})[trace_id]
            return TraceFile(
                trace=trace,
                signals=[stored.signal for stored in signals],
                annotations=tx.annotations.list_for_trace(trace_id),
                label=tx.annotations.find_label(trace_id),
                suggestions=tx.sizes.list_suggestions([row.ref]).get(row.ref, []),
                artifacts=tx.artifacts.list_for_trace(trace_id),
            )

    def _commit(self, works: Sequence[Work]) -> Sequence[Kept]:
        """Keep all of them in one transaction, and each project's in one go: statements cost more than rows."""
        now = self._now()
        kept: dict[int, Kept] = {}
        with self._ledger.archive(0) as tx:
            for project_id in dict.fromkeys(work.project_id for work in works):
                mine = {place: work for place, work in enumerate(works) if work.project_id == project_id}
                keeping = _Keeping(tx.within(project_id), now, self._shuffle, self._weigh)
                kept |= dict(
                    zip(mine, _shared_out(keeping.keep(_joined(project_id, mine.values())), mine.values()), strict=True)
                )
        return [kept[place] for place in range(len(works))]


def _joined(project_id: int, works: Collection[Work]) -> Work:
    return Work(
        project_id,
        traces=[trace for work in works for trace in work.traces],
        signals=[signal for work in works for signal in work.signals],
    )


def _shared_out(kept: Kept, works: Collection[Work]) -> Iterator[Kept]:
    """What became of each work, from what became of all of them joined."""
    traces, signals = iter(kept.traces), iter(kept.signals)
    for work in works:
        yield Kept(list(islice(traces, len(work.traces))), list(islice(signals, len(work.signals))))


@dataclass(frozen=True, slots=True)
class _Keeping:
    """One transaction's worth of keeping, in one project."""

    tx: Tx
    now: datetime
    shuffle: bytes
    weigh: Weigh

    def keep(self, work: Work) -> Kept:
        traces = self._keep_traces(work.traces)
        return Kept(traces, self._keep_signals(work.signals))

    # --- traces

    def _keep_traces(self, arrived: Sequence[tuple[Trace, int]]) -> list[Outcome]:
        new = [NewTrace(trace, sample_key(self.shuffle, trace.id), content) for trace, content in arrived]
        known = {trace_id: row.content_hash for trace_id, row in self.tx.traces.find_near(new).items()}
        outcomes: list[Outcome] = []
        fresh: list[NewTrace] = []
        for item in new:
            outcome = _recognise(known, item.trace.id, item.content_hash)
            outcomes.append(outcome)
            if outcome is True:
                fresh.append(item)
        self._add_traces(fresh)
        return outcomes

    def _add_traces(self, fresh: Sequence[NewTrace]) -> None:
        rows = self.tx.traces.add_all(fresh, self.now)
        self.tx.sizes.add_all([(row, self.weigh((), row.judge_score)) for row in rows])
        waiting = self.tx.signals.list_pending([row.trace_id for row in rows])
        if not waiting:
            return
        outputs = {item.trace.id: item.trace.output for item in fresh}
        joined = {row: waiting[row.trace_id] for row in rows if row.trace_id in waiting}
        self.tx.signals.add_all(
            [
                (row.day, NewSignal(about(stored.signal, row, text_of(outputs[row.trace_id])), stored.content_hash))
                for row, signals in joined.items()
                for stored in signals
            ],
            self.now,
        )
        self.tx.signals.drop_pending([row.trace_id for row in joined])
        self._resize(list(joined))

    # --- signals

    def _keep_signals(self, arrived: Sequence[tuple[Signal, int]]) -> list[Outcome]:
        if not arrived:
            return []
        ids = list(dict.fromkeys(signal.trace_id for signal, _ in arrived))
        rows = self.tx.traces.find_many(ids)
        stored = self.tx.signals.list_for({trace_id: row.day for trace_id, row in rows.items()})
        stored |= self.tx.signals.list_pending([trace_id for trace_id in ids if trace_id not in rows])
        known = {
            (trace_id, each.signal.id): each.content_hash for trace_id, signals in stored.items() for each in signals
        }
        outcomes: list[Outcome] = []
        fresh: list[NewSignal] = []
        for signal, content in arrived:
            outcome = _recognise(known, (signal.trace_id, signal.id), content)
            outcomes.append(outcome)
            if outcome is True:
                fresh.append(NewSignal(signal, content))
        self._add_signals(fresh, rows)
        return outcomes

    def _add_signals(self, fresh: Sequence[NewSignal], rows: dict[str, TraceRow]) -> None:
        here = [item for item in fresh if item.signal.trace_id in rows]
        outputs = self._outputs_needed(here, rows)
        self.tx.signals.add_all(
            [
                (row.day, NewSignal(about(item.signal, row, outputs.get(row.trace_id, "")), item.content_hash))
                for item in here
                for row in (rows[item.signal.trace_id],)
            ],
            self.now,
        )
        self.tx.signals.add_pending([item for item in fresh if item.signal.trace_id not in rows], self.now)
        self._resize([rows[trace_id] for trace_id in dict.fromkeys(item.signal.trace_id for item in here)])

    def _outputs_needed(self, here: Iterable[NewSignal], rows: dict[str, TraceRow]) -> dict[str, str]:
        """Outputs of the traces whose edits came without the original."""
        edits = (item.signal for item in here if item.signal.edit is not None and item.signal.edit.original is None)
        refs = {rows[signal.trace_id].ref for signal in edits}
        whole = self.tx.traces.list_whole(sorted(refs)) if refs else {}
        return {trace.id: text_of(trace.output) for trace in whole.values()}

    def _resize(self, rows: Sequence[TraceRow]) -> None:
        stored = self.tx.signals.list_for({row.trace_id: row.day for row in rows})
        for judged, policies in ((True, _WEIGHTED), (False, _WEIGHTED[:1])):
            self.tx.sizes.put_all(
                [
                    (row, self.weigh([each.signal for each in stored[row.trace_id]], row.judge_score))
                    for row in rows
                    if (row.judge_score is not None) is judged
                ],
                policies,
            )


#: Without a judge score of the trace's own, how uncertain it is stays as the embedded judge left it.
_WEIGHTED = (Policy.negative, Policy.uncertain)

#: How long a project's reasons are taken as unchanged.
_TRUST = timedelta(seconds=5)

_Key = TypeVar("_Key")


def _recognise(known: dict[_Key, int], key: _Key, content: int) -> Outcome:
    """Whether this key is new; a key that comes again with other content is refused."""
    if key not in known:
        known[key] = content
        return True
    return False if known[key] == content else IdReused(field="id")


def about(signal: Signal, row: TraceRow, output: str) -> Signal:
    """The signal with what it was about: its trace's context and, for an edit, the difference it made."""
    context = SignalContext(
        model=row.model, prompt_version=row.prompt_version, category=row.category, release=row.release
    )
    edit = signal.edit
    if edit is not None:
        edit = hunks(output if edit.original is None else edit.original, edit.edited)
    return replace(signal, context=context, edit=edit)


def check_reason(signal: Signal, reasons: Sequence[str]) -> None:
    """Refuse a reason the project does not have.

    Raises:
        Invalid: naming the field and the reasons there are.
    """
    if signal.reason is not None and signal.reason not in reasons:
        raise Invalid(f"{signal.reason!r} is not a reason here; one of {', '.join(reasons)}.", field="reason")
