"""Sources: bring in what another tool already has, go on where that ended, and take settled labels back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from thumbwheel.domain.annotation import Label
from thumbwheel.domain.identity import id_key
from thumbwheel.domain.source import Outgoing, Page, Stream
from thumbwheel.domain.span import WHOLE, Span
from thumbwheel.errors import ThumbwheelError
from thumbwheel.keep.work import Kept, Work
from thumbwheel.ports import Now, Source
from thumbwheel.store.ledger import Ledger, Tx
from thumbwheel.store.sources import Cursor, Remote

#: How far back a source is read that never was, when nobody says.
FIRST: Final = timedelta(days=7)
_FIRST_STEP: Final = timedelta(hours=1)
_LONGEST_STEP: Final = timedelta(days=7)
_SHORTEST_STEP: Final = timedelta(minutes=1)
#: Items of a step that was too short, and of one that was too long: a pull that was killed repeats one step.
_FEW, _MANY = 500, 5000
#: Labels taken back together.
_BATCH: Final = 50


@dataclass(slots=True)
class Pulled:
    """What a pull has brought so far: only what is new is counted."""

    traces: int = 0
    observations: int = 0
    scores: int = 0
    #: What could not be kept, and why the first of it could not.
    refused: int = 0
    why: str | None = None
    #: Which of it is new, where nothing is kept and so nobody else would know.
    seen: set[tuple[str, str]] = field(default_factory=set, repr=False)


@dataclass(slots=True)
class Pushed:
    """What a push has taken back so far."""

    pushed: int = 0
    #: Labels whose trace is no longer there.
    gone: int = 0


#: Is told how much of the time has been read, from 0 to 1, and what it brought.
Watch: TypeAlias = Callable[[float, Pulled], None]
#: Keeps what arrived, once it has passed the door that everything passes.
Keep: TypeAlias = Callable[[Work], Kept]


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A time to read, from either end."""

    start: datetime
    end: datetime
    backward: bool = False


@dataclass(frozen=True, slots=True)
class Sources:
    """Reads other tools and writes back to them."""

    ledger: Ledger
    now: Now
    keep: Keep

    # --- in

    def pull(
        self,
        project_id: int,
        source: Source,
        *,
        since: datetime | None = None,
        late: timedelta | None = None,
        afresh: bool = False,
        dry_run: bool = False,
        watch: Watch = lambda _share, _pulled: None,
    ) -> Pulled:
        """Keep everything a source has from `since` on; only what came since the last pull is asked for again.

        A pull that breaks off leaves what it has read, and the next goes on there. Without `since` one that was never
        read is read from a week ago. `late` is how long after their trace judgements may come; `afresh` forgets what
        was read; `dry_run` keeps nothing and only counts.

        Raises:
            SourceUnavailable: it does not answer, or no longer.
            SourceRefused: it does not take the key.
            SourceBroken: what it answers cannot be.
            StoreUnavailable: our own store does not answer.
        """
        origin, now = source.connect(), self.now()
        begin, pulled = now - FIRST if since is None else min(since, now), Pulled()
        back = since is not None
        plan = self._plan(project_id, origin, source, (begin, now), late, back=back, afresh=afresh)
        whole = sum((each.end - each.start for _, each in plan), timedelta(0)) or timedelta(1)
        done = timedelta(0)
        for stream, stretch in plan:
            for step in _steps(stretch):
                n = 0
                for page in source.read(stream.name, step.start, step.end):
                    n += self._take(project_id, origin, page, pulled, dry_run=dry_run)
                    watch(done / whole, pulled)
                if not (dry_run or stream.echo):
                    self._note(project_id, origin, stream, step, afresh=afresh)
                step.items = n
                done += step.end - step.start
                watch(done / whole, pulled)
        if not dry_run:
            self._note_echoes(project_id, origin, source, begin, now)
        return pulled

    def _plan(
        self,
        project_id: int,
        origin: str,
        source: Source,
        wanted: tuple[datetime, datetime],
        late: timedelta | None,
        *,
        back: bool,
        afresh: bool,
    ) -> list[tuple[Stream, _Stretch]]:
        """What is to be read: what came since the last time and, where somebody asks for it, what lies before the first."""
        begin, now = wanted
        with self.ledger.read(project_id) as tx:
            found = {each.name: tx.origins.find_cursor(origin, each.name) for each in source.streams}
        cursors: Mapping[str, Cursor | None] = dict.fromkeys(found) if afresh else found
        plan: list[tuple[Stream, _Stretch]] = []
        fresh_from = now
        for stream in source.streams:
            cursor, wait = cursors[stream.name], late if late is not None and _is_judged(stream) else stream.late
            if cursor is None:
                stretches = [] if stream.echo else [_Stretch(begin, now)]
            else:
                again = max(cursor.begun_at, cursor.done_to - wait)
                stretches = [_Stretch(again, fresh_from if stream.echo else now)]
                if back and begin < cursor.begun_at and not stream.echo:
                    stretches.append(_Stretch(begin, cursor.begun_at, backward=True))
            if stretches and not stream.echo:
                fresh_from = min(fresh_from, stretches[0].start)
            plan += [(stream, each) for each in stretches if each.start < each.end]
        return plan

    def _take(self, project_id: int, origin: str, page: Page, pulled: Pulled, *, dry_run: bool) -> int:
        """Keep a page, and count what of it is new; how much it held."""
        with self.ledger.read(project_id) as tx:
            new = _new_of(tx, page)
        if dry_run:
            new -= pulled.seen
            pulled.seen.update(new)
        elif page.spans or page.scores:
            kept = self.keep(Work(project_id, spans=page.spans, scores=page.scores, channel="import"))
            refused = [each for each in (*kept.spans, *kept.scores) if isinstance(each, ThumbwheelError)]
            pulled.refused += len(refused)
            pulled.why = pulled.why or next((each.detail for each in refused), None)
            new -= _refused(page, kept)
            with self.ledger.begin(project_id) as tx:
                ids = {span.trace_id: page.remotes.get(span.trace_id, span.trace_id) for span in page.spans}
                tx.origins.add_traces(origin, ids)
        for kind in ("traces", "observations", "scores"):
            setattr(pulled, kind, getattr(pulled, kind) + sum(each == kind for each, _ in new))
        return len(page.spans) + len(page.scores)

    def _note(self, project_id: int, origin: str, stream: Stream, step: _Step, *, afresh: bool) -> None:
        """Note that a step has been read whole."""
        with self.ledger.begin(project_id) as tx:
            before = tx.origins.find_cursor(origin, stream.name)
            if before is None or (afresh and step.first):
                cursor = Cursor(step.start, step.end)
            else:
                cursor = Cursor(min(before.begun_at, step.start), max(before.done_to, step.end))
            tx.origins.put_cursor(origin, stream.name, cursor)

    def _note_echoes(self, project_id: int, origin: str, source: Source, begin: datetime, now: datetime) -> None:
        with self.ledger.begin(project_id) as tx:
            for stream in source.streams:
                if stream.echo:
                    before = tx.origins.find_cursor(origin, stream.name)
                    begun_at = begin if before is None else min(before.begun_at, begin)
                    tx.origins.put_cursor(origin, stream.name, Cursor(begun_at, now))

    # --- out

    def push(
        self,
        project_id: int,
        source: Source,
        *,
        dry_run: bool = False,
        watch: Callable[[float, Pushed], None] = lambda _share, _pushed: None,
    ) -> Pushed:
        """Take every settled label back to the source its trace came from, unless it is there already.

        One that stands no longer, with none in its place, is taken away there too.

        Raises:
            SourceUnavailable: it does not answer, or no longer; what was taken back stays.
            SourceRefused: the key may not write.
        """
        origin, pushed = source.connect(), Pushed()
        with self.ledger.read(project_id) as tx:
            waiting = _waiting(tx, origin)
        if dry_run:
            return Pushed(pushed=len(waiting))
        for place in range(0, len(waiting), _BATCH):
            with self.ledger.read(project_id) as tx:
                outgoing = _outgoing(tx, waiting[place : place + _BATCH])
            taken = source.push(outgoing)
            with self.ledger.begin(project_id) as tx:
                tx.origins.mark_pushed(
                    origin, {each.trace_id: None if each.label is None else each.label.id for each in taken}
                )
            pushed.pushed += len(taken)
            pushed.gone += len(outgoing) - len(taken)
            watch((pushed.pushed + pushed.gone) / len(waiting), pushed)
        return pushed


# --- steps


@dataclass(slots=True)
class _Step:
    """A part of a stretch that is read at once; the reader says how much it held."""

    start: datetime
    end: datetime
    first: bool
    items: int = 0


def _steps(stretch: _Stretch) -> Iterator[_Step]:
    """A stretch in parts, each longer or shorter than the one before by what that one held."""
    length, start, end = _FIRST_STEP, stretch.start, stretch.end
    first = True
    while start < end:
        if stretch.backward:
            step = _Step(max(end - length, start), end, first=False)
            end = step.start
        else:
            step = _Step(start, min(start + length, end), first=first)
            start = step.end
        first = False
        yield step
        if step.items < _FEW:
            length = min(2 * length, _LONGEST_STEP)
        elif step.items > _MANY:
            length = max(length / 2, _SHORTEST_STEP)


def _is_judged(stream: Stream) -> bool:
    """Whether judgements come by this stream, whose lateness a caller may know better."""
    return stream.echo or stream.name == "scores"


# --- what is new


def _new_of(tx: Tx, page: Page) -> set[tuple[str, str]]:
    """Kind and key of everything on a page that is not here."""
    traces = {id_key(span.trace_id) for span in page.spans}
    spans = {id_key(span.id) for span in page.spans if span.id != WHOLE}
    scores = {id_key(score.id) for score in page.scores}
    traces -= set(map(id_key, tx.traces.find_many(sorted(traces)))) if traces else set()
    spans -= tx.spans.find_traces(sorted(spans)).keys() if spans else set()
    scores -= tx.scores.find_many(sorted(scores)).keys()
    named = (("traces", traces), ("observations", spans), ("scores", scores))
    return {(kind, key) for kind, keys in named for key in keys}


def _refused(page: Page, kept: Kept) -> set[tuple[str, str]]:
    spans = zip(page.spans, kept.spans, strict=True)
    scores = zip(page.scores, kept.scores, strict=True)
    return {("observations", id_key(span.id)) for span, outcome in spans if isinstance(outcome, ThumbwheelError)} | {
        ("scores", id_key(score.id)) for score, outcome in scores if isinstance(outcome, ThumbwheelError)
    }


# --- what goes back


@dataclass(frozen=True, slots=True)
class _Due:
    """A trace whose source does not say of it what we do."""

    trace_id: str
    label: Label | None
    remote: Remote


def _waiting(tx: Tx, origin: str) -> list[_Due]:
    """The traces that came from a source and have another label here than there, or one on one side only."""
    labels: dict[str, Label] = {id_key(label.trace_id): label for label in tx.annotations.stream_labels()}
    found: list[_Due] = []
    keys = list(labels)
    for place in range(0, len(keys), _BATCH):
        remotes = tx.origins.find_remotes(origin, keys[place : place + _BATCH])
        found += [_Due(key, labels[key], each) for key, each in remotes.items() if each.pushed_label != labels[key].id]
    return found + [_Due(key, None, each) for key, each in tx.origins.list_pushed(origin).items() if key not in labels]


def _outgoing(tx: Tx, batch: Sequence[_Due]) -> list[Outgoing]:
    rows = tx.traces.find_many([each.trace_id for each in batch])
    refs = {trace_id: row.ref for trace_id, row in rows.items()}
    spans = tx.spans.list_for(list(refs.values()))
    return [
        Outgoing(
            trace_id=each.trace_id,
            label=each.label,
            remote_id=each.remote.id,
            root_id=_root(spans.get(refs.get(each.trace_id, -1), [])),
            replaces=each.remote.pushed_label is not None,
        )
        for each in batch
    ]


def _root(spans: Sequence[Span]) -> str | None:
    """The step that stands for all."""
    steps = [span for span in spans if span.id != WHOLE]
    roots = [span for span in steps if span.root] or [span for span in steps if not span.parent_id] or steps
    return roots[0].id if roots else None
