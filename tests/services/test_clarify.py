"""A user turn that corrects is found when its trace comes, and stands once on the trace whose answer it corrects."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.conftest import NOW, Clock
from tests.factories import a_trace
from thumbwheel.app import weigh
from thumbwheel.domain.signal import Signal, SignalKind
from thumbwheel.domain.span import Span, TraceFacts
from thumbwheel.domain.trace import Trace
from thumbwheel.errors import NotHere
from thumbwheel.services.capture import Capture, Work
from thumbwheel.services.project import Projects
from thumbwheel.store.ledger import Ledger

PROJECT = 1
TURN = timedelta(minutes=1)


@pytest.fixture
def capture(ledger: Ledger, clock: Clock) -> Iterator[Capture]:
    with ledger.begin(0) as tx:
        tx.people.add_project("default", clock())
    capture = Capture(ledger, clock, b"shuffle", weigh)
    yield capture
    capture.close()


def turn(place: int, said: Any, **given: Any) -> Trace:
    started = NOW - timedelta(hours=1) + place * TURN
    trace = a_trace(
        id=f"t{place}", started_at=started, ended_at=started + TURN / 6, session_id="s", user_id=f"u{place}"
    )
    return replace(trace, input=said, output=f"Answer {place}.", **given)


TURNS = [
    turn(0, "Hello"),
    turn(1, "What does it cost to send a parcel back?"),
    turn(2, "No, I meant the return fee."),
    turn(3, "Thanks, and how long do I have?"),
]


def keep(capture: Capture, traces: Sequence[Trace]) -> None:
    capture.keep_now(Work(PROJECT, traces=[(trace, hash(trace.id) & 0xFFFF or 1) for trace in traces]))


def found(capture: Capture, traces: Sequence[Trace]) -> list[tuple[str, Signal]]:
    signals = [(trace.id, signal) for trace in traces for signal in capture.get(PROJECT, trace.id).signals]
    assert all(signal.kind is SignalKind.implicit_clarification for _, signal in signals)
    return signals


def test_a_correction_stands_on_the_trace_before_it(capture: Capture) -> None:
    keep(capture, TURNS)
    ((trace_id, signal),) = found(capture, TURNS)
    assert (trace_id, signal.id, signal.user_id, signal.channel) == ("t1", "clarified-by:t2", "u2", "detected")
    assert signal.at == TURNS[2].started_at
    assert signal.context is not None
    assert signal.context.model == TURNS[1].model


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::3])
def test_in_whatever_order_traces_come_it_stands_there_once(capture: Capture, order: tuple[int, ...]) -> None:
    for place in order:
        keep(capture, [TURNS[place]])
        keep(capture, [TURNS[place]])
    assert [(trace_id, signal.id) for trace_id, signal in found(capture, TURNS)] == [("t1", "clarified-by:t2")]


def test_it_moves_when_the_trace_it_is_about_comes_late(capture: Capture) -> None:
    keep(capture, [TURNS[0], TURNS[2]])
    assert [trace_id for trace_id, _ in found(capture, [TURNS[0], TURNS[2]])] == ["t0"]
    keep(capture, [TURNS[1]])
    assert [trace_id for trace_id, _ in found(capture, TURNS[:3])] == ["t1"]


def test_what_is_said_in_pieces_is_looked_at_again(capture: Capture) -> None:
    keep(capture, TURNS[:2])
    late = TURNS[2]
    piece = Span(trace_id=late.id, id="a1", started_at=late.started_at, ended_at=late.ended_at, output="Answer 2.")
    capture.keep_now(Work(PROJECT, spans=[piece]))
    assert found(capture, TURNS[:3]) == []
    facts = TraceFacts(session_id="s", input=late.input)
    capture.keep_now(Work(PROJECT, spans=[replace(piece, facts=facts)]))
    assert [trace_id for trace_id, _ in found(capture, TURNS[:3])] == ["t1"]
    # What had come was its end: it began before the trace it seemed to follow.
    earlier = Span(trace_id=late.id, id="a0", started_at=TURNS[0].started_at + TURN / 2)
    capture.keep_now(Work(PROJECT, spans=[earlier]))
    assert [trace_id for trace_id, _ in found(capture, TURNS[:3])] == ["t0"]


def test_a_conversation_in_one_input_is_read_to_its_last_turn(capture: Capture) -> None:
    history = [
        {"role": "user", "content": "Do you take section 8 housing vouchers?"},
        {"role": "assistant", "content": "We are open from 9 to 5."},
        {"role": "user", "content": "Do you take section 8 housing vouchers??"},
    ]
    first = turn(1, history[:1])
    keep(capture, [first, turn(2, history)])
    assert [trace_id for trace_id, _ in found(capture, [first])] == ["t1"]
    # The step after a tool's answer holds the same words, and nobody said them again.
    step = turn(3, [*history, {"role": "assistant", "content": ""}, {"role": "tool", "content": "{}"}])
    keep(capture, [step])
    assert len(found(capture, [first, turn(2, history), step])) == 1


@pytest.mark.parametrize(
    "second",
    [
        turn(2, "No, I meant the return fee.", session_id="other"),
        turn(2, "No, I meant the return fee.", session_id=None),
        turn(2, "What else do you sell, apart from parcels?"),
        # The first was still being answered: this is no reader's word.
        replace(turn(2, "No, I meant it."), started_at=TURNS[1].started_at + TURN / 12),
        # Asked again at once, by a program.
        replace(turn(2, TURNS[1].input), started_at=TURNS[1].started_at + TURN / 6 + timedelta(seconds=1)),
        turn(2, "Answer from these documents only. " * 20 + "B"),
    ],
)
def test_what_is_no_correction_leaves_nothing(capture: Capture, second: Trace) -> None:
    first = turn(1, "Answer from these documents only. " * 20 + "A") if "documents" in str(second.input) else TURNS[1]
    keep(capture, [first, second])
    assert found(capture, [first]) == []


def test_an_answer_that_was_not_there_is_not_corrected_until_it_is(capture: Capture) -> None:
    empty = turn(1, "What does it cost to send a parcel back?")
    span = Span(trace_id="t1", id="a", started_at=empty.started_at, facts=TraceFacts(session_id="s", input=empty.input))
    capture.keep_now(Work(PROJECT, spans=[span]))
    keep(capture, [TURNS[2]])
    assert found(capture, [empty]) == []
    capture.keep_now(Work(PROJECT, spans=[replace(span, output="4 euros.")]))
    assert [trace_id for trace_id, _ in found(capture, [empty])] == ["t1"]


@pytest.mark.parametrize(
    "choice", [{"clarifications": False}, {"consent": {"*": "opt_in"}}, {"consent": {"detected": "opt_in"}}]
)
def test_a_project_may_not_want_it(capture: Capture, ledger: Ledger, choice: dict[str, Any]) -> None:
    Projects(ledger, lambda _regions: None).choose(PROJECT, choice)
    keep(capture, TURNS)
    assert found(capture, TURNS) == []


def test_when_the_correcting_trace_is_forgotten_so_is_what_it_said(capture: Capture) -> None:
    keep(capture, TURNS)
    capture.delete_trace(PROJECT, "t2")
    assert found(capture, [TURNS[0], TURNS[1], TURNS[3]]) == []
    keep(capture, [TURNS[2]])
    capture.delete_trace(PROJECT, "t1")
    assert [trace_id for trace_id, _ in found(capture, [TURNS[0], TURNS[2]])] == ["t0"]
    with pytest.raises(NotHere):
        capture.get(PROJECT, "t1")
