"""Giving traces that came without a category the one the project's rules or its clusters say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from thumbwheel.capture.category import categorise, read_category_rules
from thumbwheel.capture.cluster import Clustering, asked_of
from thumbwheel.domain.queue import Window
from thumbwheel.domain.trace import Trace, text_of
from thumbwheel.keep.session import Session
from thumbwheel.keep.signals import refresh_signals, resize
from thumbwheel.store.engine import from_micros, micros
from thumbwheel.store.traces import NewTrace


def with_category(session: Session, items: Sequence[NewTrace]) -> list[NewTrace]:
    """The same traces, each with a category if it had one, a rule gives one or it is like a cluster."""
    if all(item.trace.category for item in items):
        return list(items)
    chosen = session.tx.people.project_settings(session.tx.project_id)
    rules = read_category_rules(chosen["categories"]) if chosen.get("categories") else ()
    ruled = [replace(item, trace=replace(item.trace, category=categorise(item.trace, rules))) for item in items]
    if all(item.trace.category for item in ruled):
        return ruled
    learnt = session.tx.clusterings.find_current() if chosen.get("clusters") else None
    if learnt is None:
        return ruled
    clusters = Clustering.of_json(learnt)
    return [item if item.trace.category else _clustered(item, clusters) for item in ruled]


def _clustered(item: NewTrace, clusters: Clustering) -> NewTrace:
    return replace(item, trace=replace(item.trace, category=clusters.nearest(asked_of(item.trace))[0]))


def recategorise(session: Session, found: Sequence[tuple[int, Trace]]) -> int:
    """Give a category to those of these stored traces that have none and are in no frame; how many got one.

    What a frame counted stays as it was counted: the draws made from it rest on it.
    """
    open_ = _unframed(session, [(ref, trace) for ref, trace in found if not trace.category])
    rows, spans = session.tx.traces.list_rows(list(open_)), session.tx.spans.list_for(list(open_))
    items = [NewTrace(trace, rows[ref].sample_key, rows[ref].content_hash, spans[ref]) for ref, trace in open_.items()]
    given = [
        (rows[ref], item)
        for (ref, _), item in zip(open_.items(), with_category(session, items), strict=True)
        if item.trace.category
    ]
    after = session.tx.traces.replace_all(given)
    said = [text_of(item.trace.output) for _, item in given]
    refresh_signals(session, [(row, text, text) for row, text in zip(after, said, strict=True)])
    resize(session, after)
    return len(after)


def _unframed(session: Session, found: Sequence[tuple[int, Trace]]) -> dict[int, Trace]:
    if not found:
        return {}
    times = [trace.started_at for _, trace in found]
    window = Window(start=min(times), end=from_micros(micros(max(times)) + 1))
    frames = [frame for _, frame in session.tx.queue.list_frames(window)]
    return {ref: trace for ref, trace in found if not any(frame.holds(trace.started_at, ref) for frame in frames)}
