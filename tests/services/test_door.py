"""What everything passes on its way in: consent, scrubbing, pseudonyms; what is kept has never seen the original."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
import zstandard
from sqlalchemy import Engine

from tests.conftest import NOW, Clock
from tests.factories import a_signal, a_trace
from thumbwheel.app import weigh
from thumbwheel.capture.privacy import pseudonym
from thumbwheel.domain.score import Score
from thumbwheel.domain.signal import Edit, EditKind, Rating, Signal, SignalKind
from thumbwheel.domain.span import Span, SpanEvent, TraceFacts
from thumbwheel.domain.trace import Document, Json, ToolCall, Trace
from thumbwheel.errors import ConsentMissing, IdReused, ScrubberFailed
from thumbwheel.keep.door import Door
from thumbwheel.ports import Found
from thumbwheel.services.capture import Capture, Kept, Work
from thumbwheel.store.ledger import Ledger
from thumbwheel.store.tables import metadata

PROJECT = 1
KEY = b"of this project"


class Mails:
    """Finds words with an @, and fails on a text that says so."""

    def find(self, text: str) -> Sequence[Found]:
        if "break the scrubber" in text:
            raise RuntimeError("no recogniser")
        return [Found("EMAIL_ADDRESS", *match.span()) for match in re.finditer(r"\w+@\w+", text)]


@pytest.fixture
def chosen() -> dict[str, Any]:
    """What the project chose."""
    return {}


@pytest.fixture
def capture(ledger: Ledger, clock: Clock, chosen: dict[str, Any]) -> Iterator[Capture]:
    def open_door(_project_id: int, _settings: Mapping[str, Any]) -> Door:
        return Door.of(chosen, scrubber=Mails(), key=KEY, pseudonymise=True)

    capture = Capture(ledger, clock, b"shuffle", weigh, open_door)
    yield capture
    capture.close()


def keep(
    capture: Capture,
    *items: Trace | Signal | Span | Score,
    content: int = 1,
    channel: str = "server",
) -> Kept:
    return capture.keep_now(
        Work(
            PROJECT,
            traces=[(item, content) for item in items if isinstance(item, Trace)],
            signals=[(item, content) for item in items if isinstance(item, Signal)],
            spans=[item for item in items if isinstance(item, Span)],
            scores=[item for item in items if isinstance(item, Score)],
            channel=channel,
        )
    )


def the_trace(**given: Any) -> Trace:
    return a_trace(**{"id": "t", "started_at": NOW, "ended_at": None, "input": "hi", "output": "hello"} | given)


def a_comment(comment: str | None, *, id: str = "s", **given: Any) -> Signal:
    return a_signal(
        **{"id": id, "trace_id": "t", "kind": SignalKind.user_rating, "rating": Rating.down, "comment": comment}
        | {"at": NOW, "context": None}
        | given
    )


def an_edit(original: str | None, edited: str) -> Signal:
    edit = Edit(original=original, edited=edited, hunks=(), kind=EditKind.none)
    return a_comment(None, id="edit", kind=SignalKind.user_edit, rating=None, edit=edit)


def comments(capture: Capture) -> dict[str, str | None]:
    return {signal.id: signal.comment for signal in capture.get(PROJECT, "t").signals}


def everything_stored(engine: Engine) -> str:
    """All that is in the store, payloads unpacked."""
    said = []
    with engine.connect() as connection:
        for table in metadata.sorted_tables:
            for row in connection.exec_driver_sql(f"SELECT * FROM {table.name}"):
                for value in row:
                    if isinstance(value, bytes | memoryview):
                        raw = bytes(value)
                        packed = raw.startswith(b"\x28\xb5\x2f\xfd")
                        said.append((zstandard.decompress(raw) if packed else raw).decode(errors="replace"))
                    else:
                        said.append(str(value))
    return "\n".join(said)


def test_nothing_of_the_original_is_anywhere_in_the_store(capture: Capture, engine: Engine) -> None:
    secret: dict[str, Json] = {"v": "ann@x"}
    trace = the_trace(
        user_id="user-ann",
        session_id="ann@x",
        name="for ann@x",
        category="ann@x",
        tags=("ann@x",),
        input=[{"role": "user", "content": "ann@x", "ann@x": 1}],
        output=secret,
        documents=(Document(id="ann@x", content="ann@x"),),
        tool_calls=(ToolCall(name="mail", arguments=secret, result=secret),),
        metadata={"deep": [secret], "user.id": "user-ann"},
    )
    span = Span(
        trace_id="u",
        id="1",
        started_at=NOW,
        name="ann@x",
        input="ann@x",
        output=secret,
        system_prompt="ann@x",
        events=(SpanEvent(at=0, name="gen_ai.choice", body=secret),),
        documents=(Document(id="ann@x"),),
        tool_arguments=secret,
        tool_result=secret,
        status_message="ann@x",
        metadata=secret,
        extra={"userId": "user-ann", "raw": secret},
        facts=TraceFacts(user_id="user-ann", session_id="ann@x", input="ann@x", tags=("ann@x",), metadata=secret),
    )
    score = Score(
        id="c", name="stars", trace_id="t", value="ann@x", label="ann@x", correction=secret, comment="ann@x", at=NOW,
        family="langfuse", author="ann@x", metadata=secret, extra=secret,
    )  # fmt: skip
    consent = {"given": True, "by": "ann@x"}
    signals = [
        a_comment("ann@x", user_id="user-ann", consent=consent),
        an_edit("to ann@x", "to bo@x"),
        replace(a_comment("ann@x", id="waits"), trace_id="later"),
    ]
    kept = keep(capture, trace, span, score, *signals)
    assert (kept.traces, kept.spans, kept.scores, kept.signals) == ([True], [True], [True], [True] * 3)
    stored = everything_stored(engine)
    assert "ann@x" not in stored
    assert "bo@x" not in stored
    assert "user-ann" not in stored
    assert stored.count(pseudonym("user-ann", KEY)) >= 4


def test_a_value_keeps_its_placeholder_whatever_came_when(capture: Capture) -> None:
    keep(capture, the_trace(input="ann@x and bo@x"))
    keep(capture, a_comment("bo@x", id="1"))
    keep(capture, a_comment("cy@x, ann@x", id="2"), a_comment("dan@x, cy@x", id="3"))
    assert comments(capture) == {"1": "<EMAIL_2>", "2": "<EMAIL_3>, <EMAIL_1>", "3": "<EMAIL_4>, <EMAIL_3>"}


def test_a_trace_takes_over_the_placeholders_of_what_waited_for_it(capture: Capture) -> None:
    keep(capture, a_comment("ann@x", id="1"))
    keep(capture, the_trace(input="bo@x wrote to ann@x"))
    keep(capture, a_comment("bo@x", id="2"))
    assert capture.get(PROJECT, "t").trace.input == "<EMAIL_2> wrote to <EMAIL_1>"
    assert comments(capture) == {"1": "<EMAIL_1>", "2": "<EMAIL_2>"}


def test_one_group_shares_placeholders(capture: Capture) -> None:
    keep(capture, the_trace(input="ann@x"), a_comment("bo@x", id="1"), a_comment("bo@x and ann@x", id="2"))
    assert comments(capture) == {"1": "<EMAIL_2>", "2": "<EMAIL_2> and <EMAIL_1>"}


def test_spans_of_a_trace_share_placeholders_however_they_come(capture: Capture) -> None:
    def a_span(id: str, said: str) -> Span:
        return Span(trace_id="t", id=id, started_at=NOW, name=said)

    keep(capture, a_span("1", "ann@x"))
    keep(capture, a_span("2", "bo@x, ann@x"))
    assert keep(capture, a_span("2", "bo@x, ann@x")).spans == [False]
    spans = {span.id: span.name for span in capture.get(PROJECT, "t").spans}
    assert spans == {"1": "<EMAIL_1>", "2": "<EMAIL_2>, <EMAIL_1>"}


def test_an_edit_of_what_was_scrubbed_shows_only_what_the_user_changed(capture: Capture) -> None:
    keep(capture, the_trace(output="Write to ann@x today."))
    keep(capture, an_edit(None, "Write to ann@x tomorrow."))
    (signal,) = capture.get(PROJECT, "t").signals
    assert signal.edit is not None
    assert signal.edit.edited == "Write to <EMAIL_1> tomorrow."
    assert [(hunk.before, hunk.after) for hunk in signal.edit.hunks] == [("today", "tomorrow")]


def test_what_was_taken_out_is_counted_by_type_and_once(capture: Capture) -> None:
    trace = the_trace(input="ann@x, bo@x, ann@x")
    keep(capture, trace, a_comment("ann@x"))
    keep(capture, trace, a_comment("ann@x"))
    kept = keep(capture, a_comment("ann@x bo@x cy@x"), content=2)
    assert isinstance(kept.signals[0], IdReused)
    assert capture.get(PROJECT, "t").scrubbed == {"EMAIL_ADDRESS": 4}
    keep(capture, a_comment("nothing here", id="2"))
    assert capture.get(PROJECT, "t").scrubbed == {"EMAIL_ADDRESS": 4}


def test_a_retry_is_the_same_trace_with_anything_in_it(capture: Capture) -> None:
    trace = the_trace(input="ann@x", user_id="ann")
    assert keep(capture, trace).traces == [True]
    assert keep(capture, trace).traces == [False]
    assert isinstance(keep(capture, trace, content=2).traces[0], IdReused)


def test_what_the_client_sent_cannot_be_tried_out_from_what_is_kept(capture: Capture, ledger: Ledger) -> None:
    keep(capture, the_trace(), content=123456789)
    with ledger.read(PROJECT) as tx:
        row = tx.traces.find("t")
    assert row is not None
    assert row.content_hash not in {0, 123456789}


def test_a_failing_scrubber_refuses_its_own_caller_and_keeps_nothing_of_it(capture: Capture, engine: Engine) -> None:
    good, bad = the_trace(id="good"), the_trace(id="bad", input="break the scrubber")
    with pytest.raises(ScrubberFailed):
        keep(capture, good, bad)
    with pytest.raises(ScrubberFailed):
        keep(capture, a_comment("break the scrubber"))
    assert "break the scrubber" not in everything_stored(engine)
    assert keep(capture, good).traces == [True]


@pytest.mark.parametrize(
    ("modes", "channel", "consent", "kept"),
    [
        ({}, "browser", None, True),
        ({}, "browser", {"given": False}, False),
        ({"*": "opt_in"}, "server", None, False),
        ({"*": "opt_in"}, "server", {"given": True}, True),
        ({"*": "opt_out"}, "server", None, True),
        ({"*": "opt_out"}, "server", {"given": False}, False),
        ({"browser": "opt_in"}, "browser", None, False),
        ({"browser": "opt_in"}, "server", None, True),
        ({"*": "opt_in", "server": "none_needed"}, "server", None, True),
    ],
)
def test_consent_is_asked_by_channel(
    capture: Capture, chosen: dict[str, Any], modes: dict[str, str], channel: str, consent: dict[str, Any], kept: bool
) -> None:
    chosen["consent"] = modes
    keep(capture, the_trace())
    (outcome,) = keep(capture, a_comment("so bad", consent=consent), channel=channel).signals
    assert (outcome is True) is kept
    assert isinstance(outcome, ConsentMissing) is not kept
    assert len(comments(capture)) == kept


def test_the_rest_of_a_batch_keeps_its_places(capture: Capture, chosen: dict[str, Any]) -> None:
    chosen["consent"] = {"*": "opt_in"}
    yes, no = {"given": True}, {"given": False}
    keep(capture, the_trace())
    signals = [a_comment(None, id=str(n), consent=said) for n, said in enumerate([no, yes, None, yes, yes, no])]
    outcomes = keep(capture, *signals, signals[3]).signals
    refused = [isinstance(outcome, ConsentMissing) for outcome in outcomes]
    assert refused == [True, False, True, False, False, True, False]
    assert [outcome for outcome in outcomes if not isinstance(outcome, ConsentMissing)] == [True, True, True, False]


def test_a_signal_says_what_was_asked_of_its_user_and_by_which_way_it_came(
    capture: Capture, chosen: dict[str, Any]
) -> None:
    chosen["consent"] = {"browser": "opt_in"}
    keep(capture, the_trace())
    keep(capture, a_comment(None, id="asked", consent={"given": True, "version": 3}), channel="browser")
    keep(capture, a_comment(None, id="not", consent={"given": True}))
    stored = {signal.id: (signal.channel, signal.consent) for signal in capture.get(PROJECT, "t").signals}
    assert stored == {
        "asked": ("browser", {"given": True, "version": 3, "mode": "opt_in"}),
        "not": ("server", {"given": True}),
    }


def test_a_user_who_said_no_in_another_tool_is_heard(capture: Capture) -> None:
    keep(capture, the_trace())
    score = Score(
        id="c", name="stars", trace_id="t", value=1.0, at=NOW, family="langfuse",
        metadata={"consent": {"given": False}},
    )  # fmt: skip
    assert isinstance(keep(capture, score).scores[0], ConsentMissing)


def test_the_same_user_has_one_name_everywhere(capture: Capture) -> None:
    keep(capture, the_trace(user_id="ann"), a_comment(None, user_id="ann"))
    found = capture.get(PROJECT, "t")
    assert found.trace.user_id == found.signals[0].user_id == pseudonym("ann", KEY)


@pytest.mark.parametrize(
    ("choice", "user", "said"),
    [
        ({"pseudonymise": False}, "ann", "<EMAIL_1>"),
        ({"keep": ["EMAIL_ADDRESS"]}, pseudonym("ann", KEY), "ann@x"),
    ],
)
def test_a_project_chooses(
    capture: Capture, chosen: dict[str, Any], choice: dict[str, Any], user: str, said: str
) -> None:
    chosen |= choice
    keep(capture, the_trace(user_id="ann", input="ann@x"))
    found = capture.get(PROJECT, "t").trace
    assert (found.user_id, found.input) == (user, said)
