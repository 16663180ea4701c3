"""Keeping traces that come whole."""

from __future__ import annotations

from collections.abc import Sequence

from thumbwheel.capture.assemble import facts_of
from thumbwheel.domain.identity import id_key
from thumbwheel.domain.span import WHOLE, Span
from thumbwheel.domain.trace import Trace
from thumbwheel.keep.fresh import add_fresh
from thumbwheel.keep.session import Outcome, Session, recognise
from thumbwheel.keep.spans import Addition, extend
from thumbwheel.sample.ring import sample_key
from thumbwheel.store.traces import NewTrace


def keep_traces(session: Session, arrived: Sequence[tuple[Trace, int]]) -> list[Outcome]:
    """Keep whole traces, each with the hash of what the client sent.

    One whose spans came before it is what its client says of the whole, and wins over what they say.
    """
    if not arrived:
        return []
    rows = session.tx.traces.find_near({trace.id: trace.started_at for trace, _ in arrived})
    known = {id_key(trace_id): row.content_hash for trace_id, row in rows.items() if row.content_hash}
    outcomes: list[Outcome] = []
    fresh: list[NewTrace] = []
    additions: list[Addition] = []
    for trace, content in arrived:
        outcome = recognise(known, id_key(trace.id), content)
        outcomes.append(outcome)
        if outcome is True and trace.id in rows:
            whole = Span(trace_id=trace.id, id=WHOLE, facts=facts_of(trace))
            additions.append(Addition(rows[trace.id], [whole], content))
        elif outcome is True:
            fresh.append(NewTrace(trace, sample_key(session.shuffle, id_key(trace.id)), content))
    extend(session, additions)
    add_fresh(session, fresh)
    return outcomes
