"""Capture: keep traces, and what users say, change and do about them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any, TypeAlias

from thumbwheel.domain.annotation import Annotation, Label, Suggestion
from thumbwheel.domain.artifact import GoldenRow, PreferencePair
from thumbwheel.domain.identity import id_key
from thumbwheel.domain.score import Review, Score
from thumbwheel.domain.signal import DEFAULT_REASONS, Signal
from thumbwheel.domain.span import WHOLE, Span
from thumbwheel.domain.trace import Trace
from thumbwheel.errors import Conflict, Invalid, NotHere
from thumbwheel.keep.door import Admission, Door, Note, days_of, note_down
from thumbwheel.keep.removal import remove_trace
from thumbwheel.keep.scores import Meanings, drop_scores, keep_scores, read_again
from thumbwheel.keep.session import Outcome, Session, Weigh
from thumbwheel.keep.signals import keep_signals
from thumbwheel.keep.spans import as_span, keep_spans
from thumbwheel.keep.traces import keep_traces
from thumbwheel.keep.work import Kept, LetIn, Work, joined, shared_out
from thumbwheel.ports import Now
from thumbwheel.store.ledger import Ledger, Tx
from thumbwheel.store.listings import TraceFilter
from thumbwheel.store.scores import ScoreFilter, StoredScore
from thumbwheel.store.scrubbings import Scrubbing
from thumbwheel.store.traces import TraceRow
from thumbwheel.store.writer import GroupWriter
from thumbwheel.telemetry import SCRUBBED

__all__ = ["Capture", "Kept", "LinkedScore", "Outcome", "ScoreFilter", "SpanTrace", "TraceFile", "TraceFilter", "Work"]


#: Makes a project's door from what the project chose.
OpenDoor: TypeAlias = Callable[[int, Mapping[str, Any]], Door]


@dataclass(frozen=True, slots=True)
class TraceFile:
    """Everything known about one trace."""

    trace: Trace
    signals: Sequence[Signal]
    annotations: Sequence[Annotation]
    label: Label | None
    suggestions: Sequence[Suggestion]
    artifacts: Sequence[GoldenRow | PreferencePair]
    #: The spans it came as, one for each id, in order of time; `WHOLE` is what was said of it alone.
    spans: Sequence[Span] = ()
    #: What other tools' clients said of it, as given.
    scores: Sequence[Score] = ()
    #: What reviewers said of it in other tools.
    reviews: Sequence[Review] = ()
    #: How many pieces of each type were taken out of it and of what is about it.
    scrubbed: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SpanTrace:
    """A trace with the spans it came as, and its scores."""

    trace: Trace
    #: One for each id, in order of time; `WHOLE` is what was said of the trace alone.
    spans: Sequence[Span]
    received_at: datetime
    #: In order of time.
    scores: Sequence[Score]


@dataclass(frozen=True, slots=True)
class LinkedScore:
    """A score, and the trace it is about by its own spelling; None while that has not come."""

    score: Score
    trace_id: str | None
    received_at: datetime


class Capture:
    """Keeps what arrives. What it acknowledges is committed."""

    def __init__(
        self, ledger: Ledger, now: Now, shuffle: bytes, weigh: Weigh, open_door: OpenDoor | None = None
    ) -> None:
        """Without `open_door` everything is let in as it is."""
        self._ledger = ledger
        self._now = now
        self._open_door = open_door
        #: Secret of the sample keys: who chooses trace ids must not choose places in the shuffle.
        self._shuffle = shuffle
        self._weigh = weigh
        self._settings: dict[int, tuple[datetime, Mapping[str, Any], Door | None]] = {}
        self._writer: GroupWriter[Work, Kept] = GroupWriter(self._commit)

    async def keep(self, work: Work) -> Kept:
        """Keep what arrived; returns when it is durable.

        Raises:
            StoreUnavailable: nothing was stored.
        """
        return await self._writer.submit_async(work, len(work))

    def keep_now(self, work: Work) -> Kept:
        """As `keep`, for callers that wait.

        Raises:
            StoreUnavailable: nothing was stored.
        """
        return self._writer.submit(work, len(work)).result()

    def close(self) -> None:
        """Commit what is under way and take no more."""
        self._writer.close()

    def reasons(self, project_id: int) -> tuple[str, ...]:
        """The reasons a user of this project may give; a change is seen within five seconds."""
        return tuple(self._chosen(project_id)[1].get("reasons", DEFAULT_REASONS))

    def _chosen(self, project_id: int) -> tuple[datetime, Mapping[str, Any], Door | None]:
        """When a project was last looked at, what it has chosen, and the door that follows from it."""
        cached = self._settings.get(project_id)
        if cached is not None and self._now() - cached[0] < _TRUST:
            return cached
        with self._ledger.read(project_id) as tx:
            settings = tx.people.project_settings(project_id)
        if cached is not None and cached[1] == settings:
            door = cached[2]
        else:
            door = None if self._open_door is None else self._open_door(project_id, settings)
        self._settings[project_id] = (self._now(), settings, door)
        return self._settings[project_id]

    def find_traces(self, project_id: int, trace_ids: Sequence[str]) -> set[str]:
        """Those of these ids whose trace is here."""
        with self._ledger.read(project_id) as tx:
            return set(tx.traces.find_many(trace_ids))

    def count_pending(self, project_id: int) -> int:
        """How many signals and scores wait for their trace."""
        with self._ledger.read(project_id) as tx:
            return tx.signals.count_pending() + tx.scores.count_waiting()

    def get(self, project_id: int, trace_id: str) -> TraceFile:
        """Everything known about one trace.

        Raises:
            NotHere: there is no such trace in this project.
        """
        with self._ledger.read(project_id) as tx:
            row = _row(tx, trace_id)
            trace = tx.traces.list_whole([row.ref])[row.ref]
            scores = tx.scores.list_for([row.ref])[row.ref]
            meanings = Meanings.of(tx) if scores else None
            reviews = [meanings.of_score(score, row, trace.output).review for score in scores] if meanings else []
            taken_out = tx.scrubbings.list_for({id_key(row.trace_id): row.day})
            return TraceFile(
                trace=trace,
                signals=[stored.signal for stored in tx.signals.list_for({row.trace_id: row.day})[row.trace_id]],
                annotations=tx.annotations.list_for_trace(row.trace_id),
                label=tx.annotations.find_label(row.trace_id),
                suggestions=tx.evidence.list_suggestions([row.ref]).get(row.ref, []),
                artifacts=tx.artifacts.list_for_trace(row.trace_id),
                spans=_in_order(tx.spans.list_for([row.ref])[row.ref]),
                scores=scores,
                reviews=[review for review in reviews if review is not None],
                scrubbed=next((each.total for each in taken_out.values()), {}),
            )

    # --- what other tools' clients ask for

    def list_traces(self, project_id: int, only: TraceFilter, limit: int, offset: int = 0) -> list[SpanTrace]:
        """Traces with their spans, last started first."""
        only = self._as_kept(project_id, only)
        with self._ledger.read(project_id) as tx:
            found = tx.listings.list_traces(only, limit, offset)
            return _with_spans(tx, found)

    def count_traces(self, project_id: int, only: TraceFilter) -> int:
        """How many traces there are."""
        only = self._as_kept(project_id, only)
        with self._ledger.read(project_id) as tx:
            return tx.listings.count_traces(only)

    def _as_kept(self, project_id: int, only: TraceFilter) -> TraceFilter:
        """The filter with the user by the name the project keeps them under."""
        door = self._chosen(project_id)[2]
        return only if door is None or only.user_id is None else replace(only, user_id=door.name_of(only.user_id))

    def list_sessions(self, project_id: int, limit: int, offset: int = 0) -> list[tuple[str, datetime]]:
        """Session ids with the time of the first trace of each, last begun first."""
        with self._ledger.read(project_id) as tx:
            return tx.listings.list_sessions(limit, offset)

    def count_sessions(self, project_id: int) -> int:
        """How many sessions there are."""
        with self._ledger.read(project_id) as tx:
            return tx.listings.count_sessions()

    def trace_with_spans(self, project_id: int, trace_id: str) -> SpanTrace:
        """One trace with its spans; one that came whole has what was said of it as a single `WHOLE`.

        Raises:
            NotHere: there is no such trace in this project.
        """
        with self._ledger.read(project_id) as tx:
            return _with_spans(tx, [_row(tx, trace_id).ref])[0]

    def find_span(self, project_id: int, span_id: str) -> tuple[SpanTrace, Span]:
        """A span by its own id, in its trace.

        Raises:
            NotHere: there is no such span in this project.
        """
        with self._ledger.read(project_id) as tx:
            refs = list(tx.spans.find_traces([id_key(span_id)]).values())
            for found in _with_spans(tx, refs):
                for span in found.spans:
                    if id_key(span.id) == id_key(span_id):
                        return found, span
        raise NotHere(f"There is no span {span_id!r} in this project.")

    def find_score(self, project_id: int, score_id: str) -> LinkedScore | None:
        """A score by its id."""
        with self._ledger.read(project_id) as tx:
            return next(iter(_linked(tx, tx.scores.find_many([score_id]).values())), None)

    def list_scores(
        self, project_id: int, only: ScoreFilter, limit: int, offset: int = 0, *, trace_id: str | None = None
    ) -> list[LinkedScore]:
        """Scores, newest first; those of one trace when `trace_id` is given, here already or not."""
        with self._ledger.read(project_id) as tx:
            return _linked(tx, tx.scores.list_page(_of_trace(tx, only, trace_id), limit, offset))

    def count_scores(self, project_id: int, only: ScoreFilter, *, trace_id: str | None = None) -> int:
        """How many scores there are."""
        with self._ledger.read(project_id) as tx:
            return tx.scores.count(_of_trace(tx, only, trace_id))

    def list_score_names(self, project_id: int) -> list[tuple[str, str, str, int]]:
        """Name, family and source of the scores other tools sent, with how many, the most frequent first."""
        with self._ledger.read(project_id) as tx:
            return tx.scores.count_names()

    def delete_score(self, project_id: int, score_id: str) -> bool:
        """Forget a score and what it became; False when there is none."""
        with self._ledger.archive(project_id) as tx:
            drop_scores(self._session(tx), found := list(tx.scores.find_many([score_id]).values()))
        return bool(found)

    def replace_score(self, project_id: int, score: Score) -> Outcome:
        """Keep a score in place of the one with its id, also where it says less than that did.

        Raises:
            StoreUnavailable: nothing has changed.
        """
        let_in, notes = self._let_in(project_id, [Work(project_id, scores=[score])])
        if let_in[0].scores:
            return let_in[0].scores[0]
        with self._ledger.archive(project_id) as tx:
            drop_scores(self._session(tx), list(tx.scores.find_many([score.id]).values()))
            done = _keep(self._session(tx), let_in[0].work)
            _note_down(tx, notes, let_in, [done])
            return done.scores[0]

    def read_scores_again(self, project_id: int, names: Sequence[str]) -> int:
        """Make anew what the scores of these names mean, after the project has said so otherwise; how many there were."""
        n = 0
        while True:
            with self._ledger.archive(project_id) as tx:
                found = read_again(self._session(tx), names, _AT_ONCE, n)
            n += found
            if found < _AT_ONCE:
                return n

    def delete_trace(self, project_id: int, trace_id: str) -> None:
        """Forget a trace, its spans, signals and scores.

        Raises:
            NotHere: there is no such trace in this project.
            Conflict: a draw has put it before people; what they decided rests on it.
        """
        with self._ledger.archive(project_id) as tx:
            row = _row(tx, trace_id)
            if tx.queue.find_entries_for(row.trace_id):
                raise Conflict("This trace has been drawn for review, so it stays.")
            remove_trace(self._session(tx), row)

    def _session(self, tx: Tx) -> Session:
        return Session(tx, self._now(), self._shuffle, self._weigh)

    def _commit(self, works: Sequence[Work]) -> Sequence[Kept]:
        """Keep all of them in one transaction, and each project's in one go: statements cost more than rows."""
        kept: dict[int, Kept] = {}
        places: dict[int, list[int]] = {}
        for place, work in enumerate(works):
            places.setdefault(work.project_id, []).append(place)
        # Before the transaction: nobody waits for a lock while text is read.
        passed = {each: self._let_in(each, [works[place] for place in mine]) for each, mine in places.items()}
        with self._ledger.archive(0) as tx:
            for project_id, (let_in, notes) in passed.items():
                session = self._session(tx.within(project_id))
                admitted = [each.work for each in let_in]
                done = list(shared_out(_keep(session, joined(project_id, admitted)), admitted))
                _note_down(session.tx, notes, let_in, done)
                whole = [each.complete(one) for each, one in zip(let_in, done, strict=True)]
                kept |= dict(zip(places[project_id], whole, strict=True))
        return [kept[place] for place in range(len(works))]

    def _let_in(self, project_id: int, works: Sequence[Work]) -> tuple[list[LetIn], list[Note]]:
        """The works of one project as they may be kept, and what was taken out of them."""
        door = self._chosen(project_id)[2]
        if door is None:
            return [LetIn(work) for work in works], []
        ids = list(dict.fromkeys(trace_id for work in works for trace_id in work.trace_ids))
        admission = Admission(door, ids, lambda wanted: self._taken_out(project_id, wanted))
        return [LetIn.through(admission, work) for work in works], admission.notes

    def _taken_out(self, project_id: int, trace_ids: Sequence[str]) -> Mapping[str, Scrubbing]:
        with self._ledger.read(project_id) as tx:
            return tx.scrubbings.list_for(days_of(tx, trace_ids))


def _note_down(tx: Tx, notes: Sequence[Note], let_in: Sequence[LetIn], kept: Sequence[Kept]) -> None:
    """Keep what was taken out of what is new."""
    if notes:
        old = {each for was, now in zip(let_in, kept, strict=True) for each in was.not_new(now)}
        new = [note for note in notes if (note.key, note.part) not in old]
        note_down(tx, new)
        for name, n in chain.from_iterable(note.found.total.items() for note in new):
            SCRUBBED.labels(name).inc(n)


def _keep(session: Session, work: Work) -> Kept:
    """Traces first, so that what is about them finds them."""
    traces = keep_traces(session, work.traces)
    spans = keep_spans(session, work.spans)
    return Kept(traces, keep_signals(session, work.signals), spans, keep_scores(session, work.scores))


def _row(tx: Tx, trace_id: str) -> TraceRow:
    row = tx.traces.find(trace_id)
    if row is None:
        raise NotHere(f"There is no trace {trace_id!r} in this project.")
    return row


def _in_order(spans: Iterable[Span]) -> list[Span]:
    return sorted(spans, key=lambda span: (span.id != WHOLE, span.started_at or _FAR, span.id))


def _with_spans(tx: Tx, refs: Sequence[int]) -> list[SpanTrace]:
    whole, spans, received = tx.traces.list_whole(refs), tx.spans.list_for(refs), tx.listings.received(refs)
    scores = tx.scores.list_for(refs)
    return [
        SpanTrace(whole[ref], _in_order(spans[ref]) or [as_span(whole[ref])], received[ref], scores[ref])
        for ref in refs
        if ref in whole
    ]


def _linked(tx: Tx, stored: Iterable[StoredScore]) -> list[LinkedScore]:
    found = list(stored)
    rows = tx.traces.list_rows(sorted({each.trace_ref for each in found if each.trace_ref is not None}))
    return [
        LinkedScore(each.score, row.trace_id if row else each.score.trace_id, each.received_at)
        for each in found
        for row in (None if each.trace_ref is None else rows.get(each.trace_ref),)
    ]


def _of_trace(tx: Tx, only: ScoreFilter, trace_id: str | None) -> ScoreFilter:
    if trace_id is None:
        return only
    row = tx.traces.find(trace_id)
    return replace(only, waits_for=id_key(trace_id)) if row is None else replace(only, trace_ref=row.ref)


#: Scores read anew in one transaction.
_AT_ONCE = 500

#: After any span that says when it began.
_FAR = datetime.max.replace(tzinfo=UTC)

#: How long what a project chose is taken as unchanged.
_TRUST = timedelta(seconds=5)


def check_reason(signal: Signal, reasons: Sequence[str]) -> None:
    """Refuse a reason the project does not have.

    Raises:
        Invalid: naming the field and the reasons there are.
    """
    if signal.reason is not None and signal.reason not in reasons:
        raise Invalid(f"{signal.reason!r} is not a reason here; one of {', '.join(reasons)}.", field="reason")
