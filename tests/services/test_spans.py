"""Spans in pieces: whatever order they come in, the same trace is kept, with what was said about it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import NOW, Clock
from tests.factories import MONDAY, a_draw, a_signal, a_trace, an_entry
from tests.strategies import span_pieces
from thumbwheel.app import weigh
from thumbwheel.capture.assemble import fold, gather
from thumbwheel.domain.cell import Cell, Sign
from thumbwheel.domain.queue import Window
from thumbwheel.domain.score import Score, ScoreSource, ScoreType
from thumbwheel.domain.signal import Edit, EditKind, Rating, Signal, SignalKind
from thumbwheel.domain.span import WHOLE, Span, SpanKind, TraceFacts, stamp_of
from thumbwheel.domain.trace import Trace
from thumbwheel.errors import Conflict, IdReused, Invalid, NotHere
from thumbwheel.services.capture import Capture, ScoreFilter, TraceFilter, Work
from thumbwheel.store.frames import open_frame
from thumbwheel.store.ledger import Ledger
from thumbwheel.store.traces import day_of

PROJECT = 1
TRACE = "0af7651916cd43dd8448eb211c80319c"
SECOND = timedelta(seconds=1)


@pytest.fixture
def capture(ledger: Ledger, clock: Clock) -> Iterator[Capture]:
    capture = Capture(ledger, clock, b"shuffle", weigh)
    yield capture
    capture.close()


def root(**given: object) -> Span:
    said = Span(
        trace_id=TRACE,
        id="00f067aa0ba902b7",
        started_at=NOW - SECOND,
        ended_at=NOW,
        name="ask",
        input="60?",
        output="60 days.",
        facts=TraceFacts(category="returns", user_id="ann"),
    )
    return replace(said, **given)  # type: ignore[arg-type]


def generation(**given: object) -> Span:
    said = Span(
        trace_id=TRACE,
        id="b9c7c989f97918e1",
        parent_id="00f067aa0ba902b7",
        kind=SpanKind.generation,
        started_at=NOW,
        model="small-1",
    )
    return replace(said, **given)  # type: ignore[arg-type]


def keep(capture: Capture, *spans: Span, project: int = PROJECT) -> list[object]:
    return list(capture.keep_now(Work(project, spans=spans)).spans)


def keep_scores(capture: Capture, *scores: Score) -> list[object]:
    return list(capture.keep_now(Work(PROJECT, scores=scores)).scores)


def a_score(**given: object) -> Score:
    said = Score(
        id="score-1",
        name="user_rating",
        trace_id=TRACE,
        value=0.0,
        type=ScoreType.boolean,
        at=NOW,
        family="langfuse",
    )
    return replace(said, **given)  # type: ignore[arg-type]


def trace_of(capture: Capture) -> Trace:
    return capture.get(PROJECT, TRACE).trace


def signals_of(capture: Capture, trace_id: str = TRACE) -> Sequence[Signal]:
    return capture.get(PROJECT, trace_id).signals


def counts(ledger: Ledger) -> dict[str, int]:
    with ledger.read(PROJECT) as tx:
        window = Window(start=NOW - timedelta(hours=24), end=NOW + timedelta(hours=1))
        return open_frame(tx.traces, tx.evidence, tx.queue, window).population


def test_a_child_before_its_root_ends_in_the_same_trace(capture: Capture, ledger: Ledger) -> None:
    assert keep(capture, generation()) == [True]
    assert trace_of(capture).category is None
    assert counts(ledger) == {"": 1}
    assert keep(capture, root()) == [True]
    trace = trace_of(capture)
    assert (trace.name, trace.category, trace.user_id, trace.model) == ("ask", "returns", "ann", "small-1")
    assert trace.started_at == NOW - SECOND
    assert counts(ledger) == {"returns": 1}
    assert [span.id for span in capture.get(PROJECT, TRACE).spans] == ["00f067aa0ba902b7", "b9c7c989f97918e1"]


def test_pieces_one_by_one_and_all_at_once_make_the_same_trace(capture: Capture) -> None:
    pieces = [generation(output="x"), root(), Span(trace_id=TRACE, id=WHOLE, facts=TraceFacts(tags=("a",)))]
    for piece in pieces:
        keep(capture, piece)
    apart = trace_of(capture)
    keep(capture, *reversed(pieces), project=2)
    assert capture.get(2, TRACE).trace == apart


def test_a_piece_that_comes_again_changes_nothing(capture: Capture) -> None:
    assert keep(capture, root(), root()) == [True, False]
    assert keep(capture, root()) == [False]


def test_an_update_wins_over_what_it_updates_whichever_comes_first(capture: Capture) -> None:
    update = root(output="30 days.", stamp=stamp_of(NOW, update=True))
    assert keep(capture, update) == [True]
    keep(capture, root(stamp=stamp_of(NOW)))
    assert trace_of(capture).output == "30 days."


def test_a_day_late_piece_keeps_the_trace_on_its_day(capture: Capture, clock: Clock, ledger: Ledger) -> None:
    keep(capture, generation())
    clock.advance(days=1)
    keep(capture, root(started_at=NOW - timedelta(hours=13), name="late"))
    trace = trace_of(capture)
    assert trace.name == "late"
    assert day_of(trace.started_at) == day_of(NOW)
    assert counts(ledger) == {"returns": 1}


@pytest.mark.parametrize("given", ["0AF76519-16CD-43DD-8448-EB211C80319C", TRACE.upper(), TRACE])
def test_a_dashed_and_a_plain_uuid_are_one_id(capture: Capture, given: str) -> None:
    keep(capture, root(trace_id=given))
    keep(capture, generation())
    capture.keep_now(Work(PROJECT, signals=[(a_signal(trace_id=TRACE), 1)]))
    found = capture.get(PROJECT, "0af76519-16cd-43dd-8448-eb211c80319c")
    assert found.trace.id == given
    assert found.trace.model == "small-1"
    assert [signal.trace_id for signal in found.signals] == [given]


def test_a_signal_that_waits_under_another_spelling_is_joined(capture: Capture) -> None:
    capture.keep_now(Work(PROJECT, signals=[(a_signal(trace_id="0AF76519-16cd-43dd-8448-eb211c80319c"), 1)]))
    assert capture.count_pending(PROJECT) == 1
    keep(capture, root())
    assert capture.count_pending(PROJECT) == 0
    assert [signal.trace_id for signal in signals_of(capture)] == [TRACE]


def test_a_native_trace_under_another_spelling_is_the_same_trace(capture: Capture) -> None:
    dashed = "0af76519-16cd-43dd-8448-eb211c80319c"
    first, again = a_trace(id=dashed, started_at=NOW), a_trace(id=TRACE, started_at=NOW)
    assert capture.keep_now(Work(PROJECT, traces=[(first, 1), (again, 1)])).traces == [True, False]


def test_spans_join_a_trace_that_came_whole_and_its_own_words_stand(capture: Capture) -> None:
    whole = a_trace(id=TRACE, started_at=NOW, model=None)
    capture.keep_now(Work(PROJECT, traces=[(whole, 7)]))
    keep(capture, root(), generation())
    trace = trace_of(capture)
    assert (trace.input, trace.category, trace.model) == (whole.input, whole.category, "small-1")
    assert trace.documents == whole.documents
    assert capture.keep_now(Work(PROJECT, traces=[(whole, 7)])).traces == [False]


def test_a_whole_trace_after_its_spans_is_new_once_and_refused_with_other_content(capture: Capture) -> None:
    keep(capture, root(), generation())
    whole = a_trace(id=TRACE, started_at=NOW)
    assert capture.keep_now(Work(PROJECT, traces=[(whole, 7)])).traces == [True]
    assert capture.keep_now(Work(PROJECT, traces=[(whole, 7)])).traces == [False]
    assert isinstance(capture.keep_now(Work(PROJECT, traces=[(whole, 8)])).traces[0], IdReused)
    assert trace_of(capture).output == whole.output


def test_a_signal_that_met_half_a_trace_learns_the_rest(capture: Capture, ledger: Ledger) -> None:
    keep(capture, generation(model=None))
    edit = Edit(original=None, edited="30 days.", hunks=(), kind=EditKind.none)
    signal = a_signal(trace_id=TRACE, kind=SignalKind.user_edit, edit=edit)
    capture.keep_now(Work(PROJECT, signals=[(signal, 1)]))
    keep(capture, root(), generation())
    (stored,) = signals_of(capture)
    assert stored.context is not None
    assert (stored.context.model, stored.context.category) == ("small-1", "returns")
    assert stored.edit is not None
    assert [(hunk.before, hunk.after) for hunk in stored.edit.hunks] == [("60", "30")]
    assert stored.edit.kind is EditKind.correction
    with ledger.read(PROJECT) as tx:
        assert Cell.of(tx.evidence.list_cells([1])[1]).signs == Sign.edit


def test_a_project_sees_only_its_own_spans_though_ids_collide(capture: Capture) -> None:
    keep(capture, root(), project=1)
    keep(capture, root(output="other"), project=2)
    assert trace_of(capture).output == "60 days."
    assert capture.find_span(2, "00f067aa0ba902b7")[1].output == "other"
    with pytest.raises(NotHere):
        capture.find_span(3, "00f067aa0ba902b7")


def test_a_clock_that_is_wrong_does_not_move_a_trace_out_of_its_time(capture: Capture) -> None:
    keep(capture, root(started_at=NOW + timedelta(days=400), ended_at=None))
    assert trace_of(capture).started_at == NOW


def test_a_trace_in_a_frame_stays_in_it_when_its_root_comes_late(capture: Capture, ledger: Ledger) -> None:
    keep(capture, generation())
    with ledger.archive(PROJECT) as tx:
        draw = a_draw(
            window=type(a_draw().window)(start=NOW.replace(hour=12), end=NOW.replace(hour=13)),
            framed_to=1,
            population=1,
        )
        tx.queue.add_draw(draw, [])
    keep(capture, root(started_at=NOW - timedelta(hours=1)))
    assert trace_of(capture).started_at == NOW
    assert trace_of(capture).category == "returns"
    assert counts(ledger) == {}


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(span_pieces(), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_any_order_and_any_batches_are_stored_as_the_pieces_fold(
    capture: Capture, clock: Clock, found: list[Span], chance: Random
) -> None:
    clock.at = MONDAY
    project = next(_projects)
    again = [*found, *chance.choices(found, k=2)]
    chance.shuffle(again)
    while again:
        size = chance.randint(1, len(again))
        keep(capture, *again[:size], project=project)
        again = again[size:]
    file = capture.get(project, "t")
    assert file.trace == fold("t", gather(found).values(), otherwise=MONDAY)
    assert {span.id: span for span in file.spans} == gather(found)
    assert keep(capture, *found, project=project) == [False] * len(found)


_projects = itertools.count(100)


# --- scores


@pytest.mark.parametrize("first", ["score", "spans"])
def test_a_score_finds_its_trace_whichever_comes_first(capture: Capture, first: str) -> None:
    def send_score() -> None:
        assert keep_scores(capture, a_score(comment="wrong")) == [True]

    if first == "score":
        send_score()
        assert capture.count_pending(PROJECT) == 1
    keep(capture, root(), generation())
    if first == "spans":
        send_score()
    (signal,) = signals_of(capture)
    assert (signal.kind, signal.rating, signal.comment) == (SignalKind.user_rating, Rating.down, "wrong")
    assert (signal.id, signal.name, signal.score) == ("score-1", "user_rating", 0.0)
    assert signal.context is not None
    assert signal.context.model == "small-1"
    assert capture.count_pending(PROJECT) == 0


def test_a_score_by_the_run_alone_finds_the_trace_of_the_run(capture: Capture) -> None:
    keep_scores(capture, a_score(trace_id=None, span_id="B9C7C989F97918E1".lower()))
    keep(capture, root(), generation())
    assert len(signals_of(capture)) == 1
    assert keep_scores(capture, a_score(id="s2", trace_id=None, span_id="00f067aa0ba902b7")) == [True]
    assert len(signals_of(capture)) == 2


def test_an_evaluation_by_response_finds_the_answer_before_and_after_it_came(capture: Capture) -> None:
    judged = {
        "name": "Relevance",
        "trace_id": None,
        "response_id": "chatcmpl-1",
        "source": ScoreSource.eval,
        "value": 0.25,
    }
    keep_scores(capture, a_score(**judged, type=ScoreType.numeric))
    keep(capture, root(), generation(response_id="chatcmpl-1"))
    keep_scores(capture, a_score(**judged, id="s2", author="gpt", type=ScoreType.numeric))
    found = capture.get(PROJECT, TRACE)
    assert sorted((each.judge, each.failure_probability) for each in found.suggestions) == [
        ("langfuse:Relevance", 0.75),
        ("langfuse:Relevance:gpt", 0.75),
    ]
    assert found.signals == []


def test_the_same_score_again_is_an_update_and_deleting_it_takes_back_what_it_became(capture: Capture) -> None:
    keep(capture, root())
    keep_scores(capture, a_score())
    assert keep_scores(capture, a_score()) == [False]
    assert keep_scores(capture, a_score(value=1.0)) == [True]
    assert [signal.rating for signal in signals_of(capture)] == [Rating.up]
    assert capture.delete_score(PROJECT, "score-1")
    assert not capture.delete_score(PROJECT, "score-1")
    assert signals_of(capture) == []


def test_a_score_with_a_correction_is_a_rating_and_an_edit_of_the_output(capture: Capture) -> None:
    keep(capture, root())
    keep_scores(capture, a_score(correction="30 days."))
    rating, edit = sorted(signals_of(capture), key=lambda signal: signal.kind, reverse=True)
    assert (rating.kind, edit.kind) == (SignalKind.user_rating, SignalKind.user_edit)
    assert edit.edit is not None
    assert (edit.edit.original, edit.edit.edited) == ("60 days.", "30 days.")


def test_a_reviewers_score_is_a_review_and_no_signal(capture: Capture) -> None:
    keep(capture, root())
    keep_scores(capture, a_score(source=ScoreSource.annotation, author="eve", comment="no"))
    found = capture.get(PROJECT, TRACE)
    assert found.signals == []
    assert [(each.annotator, each.verdict, each.critique) for each in found.reviews] == [("eve", "fail", "no")]


def test_scores_of_a_session_are_kept_and_listed(capture: Capture) -> None:
    keep_scores(capture, a_score(trace_id=None, session_id="s"), a_score(id="other"))
    listed = capture.list_scores(PROJECT, ScoreFilter(session_id="s"), 10)
    assert [each.score.id for each in listed] == ["score-1"]
    assert capture.count_scores(PROJECT, ScoreFilter(), trace_id=TRACE) == 1
    assert capture.count_pending(PROJECT) == 1


def test_listing_and_deleting_traces(capture: Capture) -> None:
    keep(capture, root(facts=TraceFacts(tags=("beta", "x"), session_id="s")))
    keep_scores(capture, a_score())
    only = TraceFilter(tags=["beta"], session_id="s", start=NOW - SECOND, end=NOW)
    assert [each.trace.id for each in capture.list_traces(PROJECT, only, 10)] == [TRACE]
    assert capture.count_traces(PROJECT, TraceFilter(tags=["Beta"])) == 0
    assert capture.list_sessions(PROJECT, 10) == [("s", NOW - SECOND)]
    capture.delete_trace(PROJECT, TRACE)
    with pytest.raises(NotHere):
        capture.get(PROJECT, TRACE)
    assert capture.count_scores(PROJECT, ScoreFilter()) == 0
    assert keep(capture, root()) == [True]
    assert signals_of(capture) == []


def test_a_trace_that_was_drawn_is_not_deleted(capture: Capture, ledger: Ledger) -> None:
    keep(capture, root())
    with ledger.archive(PROJECT) as tx:
        tx.queue.add_draw(a_draw(), [(1, an_entry(trace_id=TRACE))])
    with pytest.raises(Conflict):
        capture.delete_trace(PROJECT, TRACE)


def test_a_project_that_says_otherwise_what_a_name_means_has_its_scores_read_again(
    capture: Capture, ledger: Ledger
) -> None:
    keep(capture, root())
    keep_scores(capture, a_score(name="grounded", value=0.0))
    assert len(signals_of(capture)) == 1
    for rule, n_signals, n_suggestions in (({"as": "judge"}, 0, 1), ({"as": "nothing"}, 0, 0), (None, 1, 0)):
        with ledger.begin(PROJECT) as tx:
            project = tx.people.add_project("p", NOW)
            tx.people.set_project(project.id, {} if rule is None else {"scores": {"grounded": rule}})
        assert capture.read_scores_again(PROJECT, ["grounded"]) == 1
        found = capture.get(PROJECT, TRACE)
        assert (len(found.signals), len(found.suggestions)) == (n_signals, n_suggestions)


def test_of_two_scores_by_one_judge_the_one_that_stays_still_suggests(capture: Capture) -> None:
    keep(capture, root())
    judged = a_score(source=ScoreSource.eval, type=ScoreType.numeric)
    keep_scores(capture, judged, replace(judged, id="score-2", value=1.0))
    capture.delete_score(PROJECT, "score-2")
    assert [each.failure_probability for each in capture.get(PROJECT, TRACE).suggestions] == [1.0]


@pytest.mark.parametrize("bad", ["", "a\0b", "x" * 513, "\ud800"])
def test_what_has_an_impossible_id_is_refused_and_costs_nothing_else(capture: Capture, bad: str) -> None:
    outcomes = keep(capture, root(trace_id=bad), root(), generation(id=bad or "a\0"))
    assert [isinstance(outcome, Invalid) for outcome in outcomes] == [True, False, True]
    outcomes = keep_scores(capture, a_score(id=bad), a_score(), a_score(id="s2", trace_id=bad))
    assert [isinstance(outcome, Invalid) for outcome in outcomes] == [True, False, True]
    assert len(signals_of(capture)) == 1


def test_names_with_a_nul_are_kept_without_it(capture: Capture) -> None:
    keep(capture, root(name="a\0b", facts=TraceFacts(user_id="u\0", category="c\0")))
    keep_scores(capture, a_score(name="n\0m", author="a\0"), a_score(id="s2", name="j\0", source=ScoreSource.eval))
    found = capture.get(PROJECT, TRACE)
    assert (found.trace.name, found.trace.user_id, found.trace.category) == ("ab", "u", "c")
    assert [each.judge for each in found.suggestions] == ["langfuse:j"]


def test_a_trace_has_a_bounded_number_of_spans(capture: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("thumbwheel.keep.spans.MOST_SPANS", 2)
    outcomes = keep(capture, root(), generation(), generation(id="c" * 16), root(output="x", stamp=9))
    assert [isinstance(outcome, Invalid) for outcome in outcomes] == [False, False, True, False]
    assert len(capture.get(PROJECT, TRACE).spans) == 2
