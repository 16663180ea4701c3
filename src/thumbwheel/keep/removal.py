"""Forgetting a trace with everything that hangs on it."""

from __future__ import annotations

from thumbwheel.domain.identity import id_key
from thumbwheel.keep.clarify import find_clarifications, forget_order
from thumbwheel.keep.scores import drop_scores
from thumbwheel.keep.session import Session
from thumbwheel.store.scores import ScoreFilter
from thumbwheel.store.spans import keys_of
from thumbwheel.store.traces import TraceRow

#: More scores than anybody gives one trace.
_ALL = 1_000_000


def remove_trace(session: Session, row: TraceRow) -> None:
    """Forget a trace, its spans, signals, scores, suggestions and place in the draw."""
    tx = session.tx
    follow = forget_order(session, [row.ref])
    drop_scores(session, tx.scores.list_page(ScoreFilter(trace_ref=row.ref), _ALL))
    stored = tx.signals.list_for({row.trace_id: row.day})[row.trace_id]
    tx.signals.remove(row.day, row.trace_id, [each.signal.id for each in stored])
    tx.spans.remove_keys(row.day, row.ref, keys_of(tx.spans.list_for([row.ref])[row.ref]))
    tx.evidence.remove(row)
    tx.scrubbings.remove(id_key(row.trace_id), row.day)
    tx.traces.remove(row)
    find_clarifications(session, follow, {}, new=False)
