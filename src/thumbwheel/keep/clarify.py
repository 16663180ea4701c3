"""Corrections found in a conversation: a clarification on the trace whose answer the session's next turn corrects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from thumbwheel.capture.clarify import correction, may_correct
from thumbwheel.capture.privacy import ConsentMode
from thumbwheel.domain.identity import id_key
from thumbwheel.domain.signal import Signal, SignalKind
from thumbwheel.domain.trace import Trace
from thumbwheel.keep.session import Session
from thumbwheel.keep.signals import put_beside, resize
from thumbwheel.store.signals import NewSignal
from thumbwheel.store.traces import TraceRow

#: The channel of what was found, not told.
DETECTED: Final = "detected"


def clarification_id(trace_id: str) -> str:
    """The id of the clarification that a trace's user turn is: one trace is one at most."""
    return f"clarified-by:{id_key(trace_id)}"


def find_clarifications(session: Session, refs: Sequence[int], known: Mapping[int, Trace], *, new: bool) -> None:
    """Look at these traces, and at those that follow them in their sessions, for corrections of the answer before.

    However late and in whatever order traces come, a correction stands on the
    trace that is now before it, once. `known` are whole traces at hand, by
    number; `new` says that the traces have just come.
    """
    around = session.tx.listings.list_neighbours(refs) if refs and is_wanted(session) else {}
    pairs = {ref: before for ref, (before, _) in around.items() if before is not None}
    following = {after: ref for ref, (_, after) in around.items() if after is not None}
    # Where the correction by a trace that follows stood before this one came between.
    were = {after: before for before, after in around.values() if before is not None and after is not None}
    pairs |= following
    found = _found(session, pairs, known)
    doubtful = {ref: before for ref, before in pairs.items() if not new or ref in following}
    if found or doubtful:
        _put(session, found, doubtful, [(place, ref) for ref, place in (*doubtful.items(), *were.items())])


def _found(session: Session, pairs: Mapping[int, int], known: Mapping[int, Trace]) -> dict[int, tuple[int, Trace]]:
    """Number of a trace that corrects -> that of the one before it, and the trace itself."""
    whole = dict(known)
    whole |= session.tx.traces.list_whole(sorted(pairs.keys() - whole.keys()))
    asking = {ref: before for ref, before in pairs.items() if may_correct(whole[ref])}
    whole |= session.tx.traces.list_whole(sorted(set(asking.values()) - whole.keys()))
    return {ref: (before, whole[ref]) for ref, before in asking.items() if correction(whole[ref], whole[before])}


def _put(
    session: Session,
    found: Mapping[int, tuple[int, Trace]],
    doubtful: Iterable[int],
    places: Sequence[tuple[int, int]],
) -> None:
    """Corrections where they belong; those by doubtful traces are taken away from where else they stand.

    `places` are where those may stand: number of the trace, and of the one that corrects it.
    """
    involved = {*found, *(before for before, _ in found.values()), *doubtful, *(place for place, _ in places)}
    rows = session.tx.traces.list_rows(sorted(involved))
    stand = _standing(session, rows, {place for place, _ in places})
    wanted = {(before, clarification_id(by.id)): by for before, by in found.values()}
    ours = {clarification_id(rows[ref].trace_id) for ref in doubtful}
    wrong = {(place, each) for place, each in stand if each in ours} - wanted.keys()
    for place, each in wrong:
        session.tx.signals.remove(rows[place].day, rows[place].trace_id, [each])
    missing = [(rows[place], by) for (place, each), by in wanted.items() if (place, each) not in stand]
    put_beside(session, [(row, NewSignal(_signal(row, by), 0)) for row, by in missing], {})
    resize(session, [rows[ref] for ref in {*(row.ref for row, _ in missing), *(place for place, _ in wrong)}])


def forget_order(session: Session, refs: Sequence[int]) -> list[int]:
    """Take back what these traces' places in their sessions said, before those change; the traces to look at again."""
    around = session.tx.listings.list_neighbours(refs) if refs else {}
    rows = session.tx.traces.list_rows(sorted({each for ref, pair in around.items() for each in (ref, *pair) if each}))
    stand = _standing(session, rows, {each for ref, (before, _) in around.items() for each in (ref, before) if each})
    gone: set[tuple[int, str]] = set()
    for ref, (before, after) in around.items():
        gone |= {(before, clarification_id(rows[ref].trace_id))} if before else set()
        gone |= {(ref, clarification_id(rows[after].trace_id))} if after else set()
    for place, each in gone & stand:
        session.tx.signals.remove(rows[place].day, rows[place].trace_id, [each])
    resize(session, [rows[place] for place in {place for place, _ in gone & stand}])
    return [after for _, after in around.values() if after is not None]


def is_wanted(session: Session) -> bool:
    """Whether the project has corrections looked for. One that asks its users first has no yes to what they did not do."""
    settings = session.tx.people.project_settings(session.tx.project_id)
    consent = settings.get("consent", {})
    asks_first = consent.get(DETECTED, consent.get("*")) == ConsentMode.opt_in
    return bool(settings.get("clarifications", True)) and not asks_first


def _standing(session: Session, rows: Mapping[int, TraceRow], refs: Iterable[int]) -> set[tuple[int, str]]:
    """Place and id of the corrections that are there."""
    mine = [rows[ref] for ref in refs]
    stored = session.tx.signals.list_for({row.trace_id: row.day for row in mine})
    return {
        (row.ref, each.signal.id) for row in mine for each in stored[row.trace_id] if each.signal.channel == DETECTED
    }


def _signal(row: TraceRow, by: Trace) -> Signal:
    return Signal(
        id=clarification_id(by.id),
        trace_id=row.trace_id,
        kind=SignalKind.implicit_clarification,
        at=by.started_at,
        user_id=by.user_id,
        channel=DETECTED,
    )
