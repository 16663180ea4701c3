"""Traces that are new: stored, weighed, and joined with what was here before them."""

from __future__ import annotations

from collections.abc import Sequence

from thumbwheel.domain.identity import id_key
from thumbwheel.domain.trace import text_of
from thumbwheel.keep.category import with_category
from thumbwheel.keep.clarify import find_clarifications
from thumbwheel.keep.scores import join_scores
from thumbwheel.keep.session import Session
from thumbwheel.keep.signals import join_signals
from thumbwheel.store.spans import keys_of
from thumbwheel.store.traces import NewTrace


def add_fresh(session: Session, fresh: Sequence[NewTrace]) -> None:
    """Store traces known to be new, and join the signals and scores that waited for them."""
    if not fresh:
        return
    fresh = with_category(session, fresh)
    rows = session.tx.traces.add_all(fresh, session.now)
    session.tx.evidence.add_all([(row, session.weigh((), row.judge_score)) for row in rows])
    found = [(row, keys_of(item.spans)) for row, item in zip(rows, fresh, strict=True)]
    session.tx.spans.add_keys([(row.day, row.ref, keys) for row, keys in found])
    join_signals(session, rows, {row.ref: text_of(item.trace.output) for row, item in zip(rows, fresh, strict=True)})
    in_sessions = {row.ref: item.trace for row, item in zip(rows, fresh, strict=True) if item.trace.session_id}
    find_clarifications(session, list(in_sessions), in_sessions, new=True)
    join_scores(session, {id_key(row.trace_id) for row in rows}.union(*(keys for _, keys in found)))
