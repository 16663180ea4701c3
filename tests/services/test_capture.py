"""Keeping traces and signals: once, joined whatever their order, with what they were about."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.conftest import NOW, Clock
from tests.factories import a_signal, a_trace
from thumbwheel.app import weigh
from thumbwheel.domain.cell import Cell
from thumbwheel.domain.signal import Edit, EditKind, Rating, Signal, SignalKind
from thumbwheel.domain.trace import Trace
from thumbwheel.errors import IdReused
from thumbwheel.services.capture import Capture, Work
from thumbwheel.store.ledger import Ledger

PROJECT = 1


@pytest.fixture
def capture(ledger: Ledger, clock: Clock) -> Iterator[Capture]:
    capture = Capture(ledger, clock, b"shuffle", weigh)
    yield capture
    capture.close()


def keep_traces(capture: Capture, *traces: Trace, content: int = 1, project: int = PROJECT) -> list[object]:
    return list(capture.keep_now(Work(project, traces=[(trace, content) for trace in traces])).traces)


def keep_signals(capture: Capture, *signals: Signal, content: int = 1, project: int = PROJECT) -> list[object]:
    return list(capture.keep_now(Work(project, signals=[(signal, content) for signal in signals])).signals)


def signals_of(capture: Capture, trace_id: str) -> list[Signal]:
    return list(capture.get(PROJECT, trace_id).signals)


def known(ledger: Ledger, capture: Capture, trace_id: str) -> Cell:
    with ledger.read(PROJECT) as tx:
        row = tx.traces.find(trace_id)
        assert row is not None
        return Cell.of(tx.evidence.list_cells([row.ref])[row.ref])


def thumb(rating: Rating, **given: object) -> Signal:
    return a_signal(kind=SignalKind.user_rating, rating=rating, **given)


def test_the_same_trace_twice_is_kept_once(capture: Capture) -> None:
    trace = a_trace(started_at=NOW)
    assert keep_traces(capture, trace) == [True]
    assert keep_traces(capture, trace) == [False]
    assert keep_traces(capture, trace, trace) == [False, False]


def test_an_id_that_comes_back_with_other_content_is_refused_and_the_rest_is_kept(capture: Capture) -> None:
    keep_traces(capture, a_trace(id="a", started_at=NOW))
    kept = capture.keep_now(
        Work(PROJECT, traces=[(a_trace(id="a", started_at=NOW), 2), (a_trace(id="b", started_at=NOW), 3)])
    )
    assert isinstance(kept.traces[0], IdReused)
    assert kept.traces[0].field == "id"
    assert kept.traces[1] is True


def test_a_retry_that_moved_to_another_day_is_still_the_same_trace(capture: Capture) -> None:
    keep_traces(capture, a_trace(id="a", started_at=NOW))
    moved = keep_traces(capture, a_trace(id="a", started_at=NOW - timedelta(days=2)))
    assert moved == [False]
    assert capture.get(PROJECT, "a").trace.started_at == NOW


def test_a_signal_before_its_trace_waits_and_joins(capture: Capture) -> None:
    trace = a_trace(id="late", started_at=NOW, model="m1", prompt_version="p2", category="billing", release="r3")
    assert keep_signals(capture, thumb(Rating.down, id="s", trace_id="late")) == [True]
    assert capture.count_pending(PROJECT) == 1
    keep_traces(capture, trace)
    assert capture.count_pending(PROJECT) == 0
    (signal,) = signals_of(capture, "late")
    assert signal.context is not None
    assert (signal.context.model, signal.context.prompt_version) == ("m1", "p2")
    assert (signal.context.category, signal.context.release) == ("billing", "r3")


def test_a_waiting_signal_sent_again_is_kept_once(capture: Capture) -> None:
    signal = thumb(Rating.down, id="s", trace_id="late")
    assert keep_signals(capture, signal) == [True]
    assert keep_signals(capture, signal) == [False]
    keep_traces(capture, a_trace(id="late", started_at=NOW))
    assert keep_signals(capture, signal) == [False]
    assert len(signals_of(capture, "late")) == 1


def test_one_group_may_hold_a_trace_and_its_signal(capture: Capture) -> None:
    trace = a_trace(id="t", started_at=NOW)
    signal = thumb(Rating.down, id="s", trace_id="t")
    kept = capture.keep_now(Work(PROJECT, traces=[(trace, 1)], signals=[(signal, 1), (signal, 1)]))
    assert list(kept.traces) == [True]
    assert list(kept.signals) == [True, False]


@pytest.mark.parametrize("trace_first", [True, False])
def test_an_edit_is_diffed_against_the_output_of_its_trace(capture: Capture, trace_first: bool) -> None:
    trace = a_trace(id="t", started_at=NOW, output="The fee is 4 euros.")
    edit = Edit(original=None, edited="The fee is 5 euros.", hunks=(), kind=EditKind.none)
    signal = a_signal(id="s", trace_id="t", kind=SignalKind.user_edit, edit=edit)
    steps = [lambda: keep_traces(capture, trace), lambda: keep_signals(capture, signal)]
    for step in steps if trace_first else reversed(steps):
        step()
    (kept,) = signals_of(capture, "t")
    assert kept.edit is not None
    assert kept.edit.original == "The fee is 4 euros."
    assert kept.edit.kind is EditKind.correction
    assert [(hunk.before, hunk.after) for hunk in kept.edit.hunks] == [("4", "5")]


def test_a_thumbs_down_makes_the_negative_policy_want_the_trace(ledger: Ledger, capture: Capture) -> None:
    keep_traces(capture, a_trace(id="t", started_at=NOW, judge=None))
    assert not known(ledger, capture, "t").is_negative
    keep_signals(capture, thumb(Rating.down, id="1", trace_id="t", user_id="u", at=NOW))
    assert known(ledger, capture, "t").is_negative
    keep_signals(capture, thumb(Rating.up, id="2", trace_id="t", user_id="u", at=NOW + timedelta(minutes=1)))
    assert not known(ledger, capture, "t").is_negative


def test_what_one_project_keeps_another_does_not_see(capture: Capture) -> None:
    keep_traces(capture, a_trace(id="same", started_at=NOW, output="mine"), project=1)
    assert keep_traces(capture, a_trace(id="same", started_at=NOW, output="theirs"), content=2, project=2) == [True]
    keep_signals(capture, thumb(Rating.down, id="s", trace_id="same"), project=2)
    assert capture.get(1, "same").trace.output == "mine"
    assert capture.get(1, "same").signals == []
    assert capture.get(2, "same").trace.output == "theirs"


def test_a_trace_comes_back_as_it_went_in(capture: Capture) -> None:
    trace = a_trace(
        id="t",
        started_at=NOW,
        input=[{"role": "user", "content": "héllo 😀 \u202e rtl\u0000nul"}],
        output={"answer": "x" * 5000},
        metadata={"nested": {"a": [1, 2.5, None, True]}},
        tags=("a", "b"),
    )
    keep_traces(capture, trace)
    assert capture.get(PROJECT, "t").trace == trace


def test_a_fault_of_one_caller_is_not_anothers(capture: Capture) -> None:
    bad = a_trace(id="bad", started_at=NOW, name="nul \0 here", metadata={"x": object()})
    answers = [
        capture._writer.submit(Work(PROJECT, traces=[(trace, 1)]), 1)
        for trace in (a_trace(id="x", started_at=NOW), bad, a_trace(id="y", started_at=NOW))
    ]
    assert answers[0].result().traces == [True]
    with pytest.raises(TypeError):
        answers[1].result()
    assert answers[2].result().traces == [True]
    assert capture.get(PROJECT, "y").trace.id == "y"
