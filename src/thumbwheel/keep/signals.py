"""Keeping signals: beside their trace, or apart until it comes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from thumbwheel.capture.edit import hunks
from thumbwheel.capture.implicit import reading
from thumbwheel.domain.identity import id_key
from thumbwheel.domain.signal import DwellNorm, Signal, SignalContext
from thumbwheel.domain.trace import text_of
from thumbwheel.keep.session import Outcome, Session, recognise
from thumbwheel.store.signals import NewSignal, StoredSignal
from thumbwheel.store.traces import TraceRow


def keep_signals(session: Session, arrived: Sequence[tuple[Signal, int]]) -> list[Outcome]:
    """Keep signals, each with the hash of what the client sent."""
    if not arrived:
        return []
    rows = session.tx.traces.find_many(list(dict.fromkeys(signal.trace_id for signal, _ in arrived)))
    stored = _stored(session, arrived, rows)
    known = {
        (id_key(trace_id), each.signal.id): each.content_hash for trace_id, found in stored.items() for each in found
    }
    outcomes: list[Outcome] = []
    fresh: list[NewSignal] = []
    for signal, content in arrived:
        outcome = recognise(known, (id_key(signal.trace_id), signal.id), content)
        outcomes.append(outcome)
        if outcome is True:
            fresh.append(NewSignal(signal, content))
    _add(session, fresh, rows, stored)
    return outcomes


def _stored(
    session: Session, arrived: Iterable[tuple[Signal, int]], rows: Mapping[str, TraceRow]
) -> dict[str, list[StoredSignal]]:
    """Every signal there is of the traces that these are about: by trace, or by the key of one that has not come."""
    missing = {id_key(signal.trace_id) for signal, _ in arrived if signal.trace_id not in rows}
    found = session.tx.signals.list_for({row.trace_id: row.day for row in rows.values()})
    return found | session.tx.signals.list_pending(sorted(missing))


def _add(
    session: Session,
    fresh: Sequence[NewSignal],
    rows: Mapping[str, TraceRow],
    stored: Mapping[str, Sequence[StoredSignal]],
) -> None:
    here = [(rows[item.signal.trace_id], item) for item in fresh if item.signal.trace_id in rows]
    outputs = outputs_of(session, [row.ref for row, item in here if _lacks_original(item.signal)])
    said = {row.ref: (row, [each.signal for each in stored[row.trace_id]]) for row, _ in here}
    for row, signal in put_beside(session, here, outputs):
        said[row.ref][1].append(signal)
    session.tx.signals.add_pending([item for item in fresh if item.signal.trace_id not in rows], session.now)
    _weigh(session, [(row, sorted(signals, key=_in_order)) for row, signals in said.values()])


def _in_order(signal: Signal) -> tuple[datetime, str]:
    return signal.at, signal.id


def put_beside(
    session: Session, here: Sequence[tuple[TraceRow, NewSignal]], outputs: Mapping[int, str]
) -> list[tuple[TraceRow, Signal]]:
    """Store signals of traces that are here, with what they were about; `outputs` by number, where edits need them."""
    norms = _norms(session, (item.signal for _, item in here))
    beside = [(row, about(item.signal, row, outputs.get(row.ref, ""), norms)) for row, item in here]
    new = [
        (row.day, NewSignal(signal, item.content_hash)) for (row, signal), (_, item) in zip(beside, here, strict=True)
    ]
    session.tx.signals.add_all(new, session.now)
    return beside


def _lacks_original(signal: Signal) -> bool:
    return signal.edit is not None and signal.edit.original is None


def outputs_of(session: Session, refs: Iterable[int]) -> dict[int, str]:
    """Outputs of these traces as text, by number."""
    wanted = sorted(set(refs))
    return {
        ref: text_of(trace.output) for ref, trace in (session.tx.traces.list_whole(wanted) if wanted else {}).items()
    }


def join_signals(session: Session, rows: Sequence[TraceRow], outputs: Mapping[int, str]) -> None:
    """Put what waited for these new traces beside them; `outputs` are theirs as text."""
    keys = {id_key(row.trace_id): row for row in rows}
    waiting = session.tx.signals.list_pending(list(keys))
    if not waiting:
        return
    put_beside(
        session,
        [
            (keys[key], NewSignal(stored.signal, stored.content_hash))
            for key, signals in waiting.items()
            for stored in signals
        ],
        outputs,
    )
    session.tx.signals.drop_pending(list(waiting))
    resize(session, [keys[key] for key in waiting])


def refresh_signals(session: Session, changed: Sequence[tuple[TraceRow, str, str]]) -> None:
    """Bring signals up to what is now known of their traces: each with its output before and now, as text.

    Feedback is faster than instrumentation, so a signal may have met a trace that had not said its model or its
    answer yet. What it was about is copied again, and an edit of the answer as it was is laid beside the answer as
    it is.
    """
    stored = session.tx.signals.list_for({row.trace_id: row.day for row, _, _ in changed})
    norms = _norms(session, (each.signal for signals in stored.values() for each in signals))
    touched = []
    for row, before, now in changed:
        fuller = [
            NewSignal(about(_unmade(each.signal, before), row, now, norms), each.content_hash)
            for each in stored[row.trace_id]
        ]
        new = [item for item, old in zip(fuller, stored[row.trace_id], strict=True) if item.signal != old.signal]
        if new:
            session.tx.signals.remove(row.day, row.trace_id, [item.signal.id for item in new])
            session.tx.signals.add_all([(row.day, item) for item in new], session.now)
            touched.append(row)
    resize(session, touched)


def _unmade(signal: Signal, output: str) -> Signal:
    """The signal with an edit of this output as one whose original is not known."""
    edit = signal.edit
    return signal if edit is None or edit.original != output else replace(signal, edit=replace(edit, original=None))


def _norms(session: Session, signals: Iterable[Signal]) -> Mapping[str | None, DwellNorm]:
    """What reading times are compared with, if one of these is a reading time."""
    return session.tx.dwell.norms() if any(signal.seconds is not None for signal in signals) else {}


def about(
    signal: Signal, row: TraceRow, output: str, norms: Mapping[str | None, DwellNorm] = MappingProxyType({})
) -> Signal:
    """The signal with what it was about: its trace's context; an edit with its difference, a reading time compared."""
    context = SignalContext(
        model=row.model, prompt_version=row.prompt_version, category=row.category, release=row.release
    )
    edit, read = signal.edit, signal.reading
    if edit is not None:
        edit = hunks(output if edit.original is None else edit.original, edit.edited)
    if read is None and signal.seconds is not None:
        read = reading(signal.seconds, row.category, norms)
    return replace(signal, trace_id=row.trace_id, context=context, edit=edit, reading=read)


def resize(session: Session, rows: Sequence[TraceRow]) -> None:
    """Say anew what is known of these traces."""
    stored = session.tx.signals.list_for({row.trace_id: row.day for row in rows})
    _weigh(session, [(row, [each.signal for each in stored[row.trace_id]]) for row in rows])


def _weigh(session: Session, said: Iterable[tuple[TraceRow, Sequence[Signal]]]) -> None:
    session.tx.evidence.put_all(
        [(row, session.weigh(signals, row.judge_score)) for row, signals in said],
        session.now,
    )
