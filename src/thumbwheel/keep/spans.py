"""Keeping spans: a trace is what its spans say together, whenever and in whatever order they come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from thumbwheel.capture.assemble import facts_of, fold
from thumbwheel.capture.merge import merge
from thumbwheel.domain.identity import id_key, is_usable
from thumbwheel.domain.instant import can_have_been
from thumbwheel.domain.queue import Frame, Window
from thumbwheel.domain.span import WHOLE, Span
from thumbwheel.domain.trace import Trace, text_of
from thumbwheel.errors import Invalid
from thumbwheel.keep.category import with_category
from thumbwheel.keep.clarify import find_clarifications, forget_order
from thumbwheel.keep.fresh import add_fresh
from thumbwheel.keep.scores import join_scores
from thumbwheel.keep.session import Outcome, Session
from thumbwheel.keep.signals import refresh_signals, resize
from thumbwheel.sample.ring import sample_key
from thumbwheel.store.spans import keys_of
from thumbwheel.store.traces import NewTrace, TraceRow

#: A trace of more spans than this is a loop that forgot to end; each further one would be written with all others.
MOST_SPANS = 10_000
_DAY = timedelta(days=1)
_TICK = timedelta(microseconds=1)


@dataclass(slots=True)
class Addition:
    """What a stored trace gains."""

    row: TraceRow
    spans: list[Span]
    #: Of the whole trace, if that came; 0 if only spans did.
    content_hash: int = 0


@dataclass(slots=True)
class _Gathered:
    """The spans of one trace, by key."""

    spans: dict[str, Span]
    changed: bool = False

    def take(self, span: Span) -> Outcome:
        """Merge one report; whether it says anything new, or why it is refused."""
        key = id_key(span.id)
        before = self.spans.get(key)
        if before is None and len(self.spans) >= MOST_SPANS:
            return Invalid(f"A trace has at most {MOST_SPANS} spans.")
        after = span if before is None else merge(before, span)
        if before is not None and after == before:
            return False
        self.spans[key] = after
        self.changed = True
        return True


def keep_spans(session: Session, arrived: Sequence[Span]) -> list[Outcome]:
    """Keep spans: True for one that says something new, False for one that does not."""
    if not arrived:
        return []
    groups: dict[str, list[int]] = {}
    outcomes: list[Outcome] = [False] * len(arrived)
    for place, span in enumerate(arrived):
        if is_usable(span.trace_id) and (span.id == WHOLE or is_usable(span.id)):
            groups.setdefault(id_key(span.trace_id), []).append(place)
        else:
            outcomes[place] = Invalid("An id has 1 to 512 characters and no NUL.", field="id")
    rows = _find(session, {key: [arrived[place] for place in places] for key, places in groups.items()})
    fresh: list[NewTrace] = []
    for key, places in groups.items():
        if key not in rows:
            gathered = _Gathered({})
            for place in places:
                outcomes[place] = gathered.take(arrived[place])
            fresh.append(_new(session, arrived[places[0]].trace_id, gathered))
    add_fresh(session, fresh)
    known = [key for key in groups if key in rows]
    told = extend(session, [Addition(rows[key], [arrived[place] for place in groups[key]]) for key in known])
    for key, each in zip(known, told, strict=True):
        for place, outcome in zip(groups[key], each, strict=True):
            outcomes[place] = outcome
    return outcomes


def _find(session: Session, groups: Mapping[str, Sequence[Span]]) -> dict[str, TraceRow]:
    """The traces that are here already: near the time the spans give, or anywhere when they give none."""
    times = {key: at for key, spans in groups.items() if (at := _time(spans)) is not None}
    near = {key: at if can_have_been(at, session.now) else session.now for key, at in times.items()}
    timeless = [key for key in groups if key not in times]
    return session.tx.traces.find_near(near) | (session.tx.traces.find_many(timeless) if timeless else {})


def _time(spans: Iterable[Span]) -> datetime | None:
    times = [(each.started_at or each.facts.started_at or each.ended_at) for each in spans]
    return min((at for at in times if at is not None), default=None)


def _new(session: Session, trace_id: str, gathered: _Gathered) -> NewTrace:
    trace = fold(trace_id, gathered.spans.values(), otherwise=session.now)
    if not can_have_been(trace.started_at, session.now):
        trace = replace(trace, started_at=session.now, ended_at=None)
    return NewTrace(trace, sample_key(session.shuffle, id_key(trace_id)), 0, list(gathered.spans.values()))


# --- traces that are here


def extend(session: Session, additions: Sequence[Addition]) -> list[list[Outcome]]:
    """Add spans to stored traces; for each the outcome of each span."""
    if not additions:
        return []
    refs = [each.row.ref for each in additions]
    stored, whole = session.tx.spans.list_for(refs), session.tx.traces.list_whole(refs)
    told: list[list[Outcome]] = []
    changed: list[tuple[Addition, _Gathered]] = []
    for each in additions:
        spans = stored[each.row.ref] or [as_span(whole[each.row.ref])]
        gathered = _Gathered({id_key(span.id): span for span in spans})
        told.append([gathered.take(span) for span in each.spans])
        if gathered.changed or each.content_hash:
            changed.append((each, gathered))
    _replace(session, changed, stored, whole)
    return told


def as_span(trace: Trace) -> Span:
    """What is said of a trace that came whole."""
    return Span(trace_id=trace.id, id=WHOLE, facts=facts_of(trace))


def _replace(
    session: Session,
    changed: Sequence[tuple[Addition, _Gathered]],
    stored: Mapping[int, Sequence[Span]],
    whole: Mapping[int, Trace],
) -> None:
    before = [each.row for each, _ in changed]
    fuller = with_category(session, [_fuller(session, each, gathered) for each, gathered in changed])
    told = {row.ref: (whole[row.ref], item.trace) for row, item in zip(before, fuller, strict=True)}
    follow = forget_order(session, [ref for ref, (was, now) in told.items() if _place(was) != _place(now)])
    rows = session.tx.traces.replace_all(list(zip(before, fuller, strict=True)))
    new_keys = [keys_of(item.spans) - keys_of(stored[row.ref]) for row, item in zip(before, fuller, strict=True)]
    session.tx.spans.add_keys([(row.day, row.ref, keys) for row, keys in zip(rows, new_keys, strict=True)])
    texts = [
        (text_of(whole[row.ref].output), text_of(item.trace.output)) for row, item in zip(before, fuller, strict=True)
    ]
    refresh_signals(
        session,
        [
            (now, *said)
            for was, now, said in zip(before, rows, texts, strict=True)
            if said[0] != said[1] or _about(was) != _about(now)
        ],
    )
    resize(session, [now for was, now in zip(before, rows, strict=True) if _counted(was) != _counted(now)])
    turned = [ref for ref, (was, now) in told.items() if now.session_id and _turn(was) != _turn(now)]
    find_clarifications(session, [*turned, *follow], {ref: now for ref, (_, now) in told.items()}, new=False)
    join_scores(session, set().union(*new_keys))


def _place(trace: Trace) -> tuple[object, ...] | None:
    """Where it stands in its session; None for one that is in none."""
    return (trace.session_id, trace.started_at) if trace.session_id else None


def _turn(trace: Trace) -> tuple[object, ...]:
    """What decides whether it corrects the answer before it, or is corrected."""
    return trace.session_id, trace.started_at, trace.ended_at, trace.input, trace.output


def _counted(row: TraceRow) -> tuple[float | None, str | None, int]:
    """What decides where it is counted."""
    return row.judge_score, row.category, row.hour


def _about(row: TraceRow) -> tuple[str | None, ...]:
    return row.model, row.prompt_version, row.category, row.release


def _fuller(session: Session, addition: Addition, gathered: _Gathered) -> NewTrace:
    """The trace as it is with what it gained: under its number, on its day, and in no other frame than before."""
    row = addition.row
    trace = fold(row.trace_id, gathered.spans.values(), otherwise=row.started_at)
    started_at = trace.started_at if can_have_been(trace.started_at, session.now) else row.started_at
    midnight = datetime(1970, 1, 1, tzinfo=UTC) + row.day * _DAY
    started_at = min(max(started_at, midnight), midnight + _DAY - _TICK)
    if started_at != row.started_at and _frames(session, row, {started_at, row.started_at}):
        started_at = row.started_at
    ended_at = trace.ended_at if trace.ended_at is None or trace.ended_at >= started_at else None
    return NewTrace(
        replace(trace, started_at=started_at, ended_at=ended_at),
        row.sample_key,
        addition.content_hash or row.content_hash,
        list(gathered.spans.values()),
    )


def _frames(session: Session, row: TraceRow, times: set[datetime]) -> list[Frame]:
    """Frames closed after the trace had come that touch these times."""
    window = Window(start=min(times), end=max(times) + _TICK)
    return [frame for _, frame in session.tx.queue.list_frames(window) if row.ref <= frame.framed_to]
