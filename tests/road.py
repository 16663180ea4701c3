"""Puts whole stretches of the road into a store: a trace, its entry, what people said and what was settled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from zlib import crc32

from tests.factories import DAY, HOUR, MINUTE, MONDAY, a_draw, a_label, a_trace, an_annotation, an_entry
from thumbwheel.domain.annotation import Label, Verdict
from thumbwheel.domain.queue import Policy, QueueEntry
from thumbwheel.domain.signal import Signal
from thumbwheel.domain.trace import Trace
from thumbwheel.store.annotations import Told
from thumbwheel.store.ledger import Tx
from thumbwheel.store.signals import NewSignal
from thumbwheel.store.traces import NewTrace, day_of


def keep_trace(tx: Tx, trace: Trace, signals: Sequence[Signal] = ()) -> int:
    """Store a trace with its signals; its number."""
    row = tx.traces.add_all([NewTrace(trace, crc32(trace.id.encode()), 0)], trace.started_at)[0]
    tx.signals.add_all([(day_of(trace.started_at), NewSignal(signal, 0)) for signal in signals], trace.started_at)
    return row.ref


def queue_up(tx: Tx, trace: Trace, entry: QueueEntry, signals: Sequence[Signal] = ()) -> None:
    """Store a trace and put it before a human, by a draw of its own."""
    tx.queue.add_draw(a_draw(id=entry.draw_id, at=entry.added_at), [(keep_trace(tx, trace, signals), entry)])


def settle(tx: Tx, label: Label) -> None:
    """Store a label of an entry that is here, and the annotation under it."""
    annotation = an_annotation(
        id=f"annotation-of-{label.id}",
        entry_id=label.entry_id,
        trace_id=label.trace_id,
        verdict=label.verdict,
        categories=label.categories,
        at=label.settled_at,
        critique=label.critique,
    )
    tx.annotations.add(annotation, f"token-of-{label.id}", Told("label", label.id))
    tx.annotations.add_label(replace(label, annotation_ids=(annotation.id,)))
    tx.leases.finish(label.entry_id)


def lay(
    tx: Tx,
    number: int = 1,
    *,
    verdict: Verdict | None = Verdict.failed,
    policy: Policy = Policy.negative,
    started_at: datetime = MONDAY,
    signals: Sequence[Signal] = (),
    trace: Trace | None = None,
    entry: QueueEntry | None = None,
    label: Label | None = None,
) -> None:
    """Store trace, entry and label number `number`; without a verdict it still waits for its label."""
    name = str(number)
    queue_up(
        tx,
        trace or a_trace(id=f"trace-{name}", started_at=started_at + number * MINUTE),
        entry
        or an_entry(
            id=f"entry-{name}",
            trace_id=f"trace-{name}",
            draw_id=f"draw-{name}",
            policy=policy,
            picked_by=(policy,),
            added_at=started_at + DAY,
        ),
        signals,
    )
    if verdict is not None:
        given = label or a_label(verdict=verdict)
        settle(
            tx,
            replace(
                given,
                id=f"label-{name}",
                entry_id=f"entry-{name}",
                trace_id=f"trace-{name}",
                settled_at=started_at + DAY + HOUR + number * MINUTE,
            ),
        )
