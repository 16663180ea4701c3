"""A complaint from elsewhere finds its trace, and is kept as a signal about it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.conftest import NOW, Clock
from tests.factories import a_trace
from thumbwheel.app import weigh
from thumbwheel.domain.signal import Signal, SignalKind
from thumbwheel.domain.trace import Trace
from thumbwheel.errors import Invalid, NotHere
from thumbwheel.services import relink as service
from thumbwheel.services.capture import Capture, Work
from thumbwheel.services.relink import Message, Relink
from thumbwheel.store.ledger import Ledger

PROJECT = 1
SAID = "your assistant claimed that a kettle can be returned within 60 days"


@pytest.fixture
def capture(ledger: Ledger, clock: Clock) -> Iterator[Capture]:
    capture = Capture(ledger, clock, b"shuffle", weigh)
    yield capture
    capture.close()


@pytest.fixture
def relink(ledger: Ledger, clock: Clock) -> Relink:
    return Relink(ledger, clock, lambda project_id, user: f"{project_id}-alias-of-{user}")


def keep(capture: Capture, *traces: Trace, project: int = PROJECT) -> None:
    capture.keep_now(Work(project, traces=[(trace, 1) for trace in traces]))


def a_talk(trace_id: str, *, days: float = 1, user: str | None = None, asked: str = "", answered: str = "") -> Trace:
    return a_trace(
        id=trace_id, started_at=NOW - timedelta(days=days), ended_at=None, user_id=user, input=asked, output=answered
    )


def found(relink: Relink, *, days: int = 7, limit: int = 10, **message: Any) -> list[str]:
    given: dict[str, Any] = {"text": SAID, "at": NOW} | message
    asked = Message(**given)
    return [each.exchange.trace_id for each in relink.candidates(PROJECT, asked, days=days, limit=limit).items]


def attach(capture: Capture, relink: Relink, trace_id: str, **message: Any) -> tuple[Signal, object]:
    given: dict[str, Any] = {"text": SAID, "at": NOW} | message
    signal, content = relink.signal(PROJECT, Message(**given), trace_id, "olga")
    (outcome,) = capture.keep_now(Work(PROJECT, signals=[(signal, content)])).signals
    return signal, outcome


def test_the_trace_with_its_words_is_found_first(capture: Capture, relink: Relink) -> None:
    keep(
        capture,
        a_talk("rain", asked="will it rain", answered="no"),
        a_talk("kettle", asked="return a kettle?", answered="A kettle can be returned within 60 days."),
    )
    assert found(relink) == ["kettle", "rain"]


@pytest.mark.parametrize("stored", ["u-7", "1-alias-of-u-7"])
def test_its_user_is_known_by_id_and_by_pseudonym(capture: Capture, relink: Relink, stored: str) -> None:
    keep(capture, a_talk("own", user=stored, days=3), a_talk("other", user="u-8"))
    assert found(relink, user_id="u-7") == ["own", "other"]


def test_only_the_days_asked_for_and_this_project_are_looked_at(capture: Capture, relink: Relink) -> None:
    keep(capture, a_talk("old", days=8), a_talk("recent", days=6.9), a_talk("later", days=-0.5))
    keep(capture, a_talk("foreign"), project=2)
    assert found(relink) == ["recent"]
    assert found(relink, days=9) == ["recent", "old"]


def test_a_user_is_found_behind_any_number_of_newer_traces(
    capture: Capture, relink: Relink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_NEWEST", 3)
    keep(capture, a_talk("own", user="u-7", days=5), *(a_talk(f"t{n}", days=1, user="x") for n in range(9)))
    looked = relink.candidates(PROJECT, Message(text=SAID, at=NOW, user_id="u-7"))
    assert looked.items[0].exchange.trace_id == "own"
    assert looked.n_compared == 4
    assert not looked.complete
    assert relink.candidates(PROJECT, Message(text=SAID, at=NOW - timedelta(days=4)), days=3).complete


def test_what_is_attached_is_a_signal_that_says_who_linked_it(capture: Capture, relink: Relink, ledger: Ledger) -> None:
    trace = a_talk("kettle")
    keep(capture, trace)
    sent, outcome = attach(capture, relink, "kettle", channel="zendesk", at=NOW - timedelta(hours=3))
    (stored,) = capture.get(PROJECT, "kettle").signals
    assert outcome is True
    assert stored.id == sent.id
    assert (stored.kind, stored.channel, stored.relinked_by) == (SignalKind.public_channel, "zendesk", "olga")
    assert stored.comment == SAID
    assert stored.at == NOW - timedelta(hours=3)
    assert stored.context is not None
    assert stored.context.model == trace.model
    assert weigh([stored], None).is_negative


def test_the_same_ticket_is_attached_to_a_trace_once(capture: Capture, relink: Relink) -> None:
    keep(capture, a_talk("kettle"), a_talk("other"))
    assert attach(capture, relink, "kettle", reference="#17")[1] is True
    assert attach(capture, relink, "kettle", reference="#17", text="edited since", at=None)[1] is False
    assert attach(capture, relink, "other", reference="#17")[1] is True
    assert attach(capture, relink, "kettle", reference="#18")[1] is True


def test_a_complaint_waits_for_no_trace(relink: Relink) -> None:
    with pytest.raises(NotHere, match="no trace 'ghost'"):
        relink.signal(PROJECT, Message(text=SAID), "ghost", "olga")


@pytest.mark.parametrize(("text", "days", "field"), [(" \n", 7, "text"), ("x" * 20_001, 7, "text"), ("x", 91, "days")])
def test_what_cannot_be_compared_is_refused(relink: Relink, text: str, days: int, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        relink.candidates(PROJECT, Message(text=text), days=days)
    assert refused.value.field == field
