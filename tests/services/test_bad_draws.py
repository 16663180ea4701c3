"""Draws nobody should have asked for: each gives a clear sentence, and a draw that makes sense."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.conftest import NOW, Clock
from tests.factories import a_signal, a_trace
from thumbwheel.app import weigh
from thumbwheel.domain.queue import Policy, Window
from thumbwheel.domain.signal import Rating, SignalKind
from thumbwheel.domain.trace import JudgeScore
from thumbwheel.errors import Invalid
from thumbwheel.services.alerts import AlertRequest, Alerts
from thumbwheel.services.capture import Capture, Work
from thumbwheel.services.sample import Drawing, DrawRequest, Sample
from thumbwheel.store.engine import open_engine
from thumbwheel.store.ledger import Ledger
from thumbwheel.store.tables import metadata

PROJECT = 1
WEEK = timedelta(days=7)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """Sentences are the same on every engine."""
    engine = open_engine(f"sqlite:///{tmp_path}/store.db")
    metadata.create_all(engine)
    return Ledger(engine)


@pytest.fixture
def capture(ledger: Ledger, clock: Clock) -> Iterator[Capture]:
    capture = Capture(ledger, clock, b"shuffle", weigh)
    yield capture
    capture.close()


@pytest.fixture
def sample(ledger: Ledger, clock: Clock, mint: Callable[[], str]) -> Sample:
    return Sample(ledger, clock, mint, b"double", lambda _project: 0)


def keep(
    capture: Capture, n: int, *, first: int = 0, hours: float = 30, score: float | None = None, down: bool = False
) -> None:
    """`n` traces of three categories and ten users, within two hours."""
    judge = None if score is None else JudgeScore(score=score)
    traces = [
        a_trace(
            id=f"t{at}",
            started_at=NOW - timedelta(hours=hours) - timedelta(minutes=at % 120),
            category=("billing", "travel", "rare")[at % 3],
            user_id="loud" if down else f"u{at % 10}",
            session_id=None,
            judge=judge,
        )
        for at in range(first, first + n)
    ]
    said = [a_signal(id="s", trace_id=each.id, kind=SignalKind.user_rating, rating=Rating.down) for each in traces]
    work = Work(PROJECT, traces=[(each, 0) for each in traces], signals=[(each, 0) for each in said] if down else [])
    capture.keep_now(work)


def drawn(sample: Sample, **given: object) -> Drawing:
    return sample.draw(PROJECT, DrawRequest(**({"budget": 20, "window": WEEK, "seed": 1} | given)))  # type: ignore[arg-type]


def by_policy(made: Drawing) -> dict[Policy, int]:
    return dict(Counter(entry.policy for entry in made.entries))


@pytest.mark.parametrize(
    ("mix", "sentence"),
    [
        ({"random": 60, "stratified": 50}, "its shares add up to 110, not to 100; taken in proportion they are "),
        ({"random": 0.2, "stratified": 0.2}, "its shares add up to 0.4, not to 100"),
        ({"random": 3, "negative": 1}, "taken in proportion they are negative 25%, random 75%"),
        ({"negative": 100}, "random keeps its floor of 15%, 3 of 20, whatever a mix says"),
    ],
)
def test_a_mix_that_cannot_be_taken_to_the_letter_says_what_became_of_it(
    capture: Capture, sample: Sample, mix: dict[str, float], sentence: str
) -> None:
    keep(capture, 60)
    made = drawn(sample, mix=mix)
    assert sentence in made.draw.shortfalls["mix"]
    assert sum(made.draw.mix.values()) == pytest.approx(1)
    assert len(made.entries) == 20


@pytest.mark.parametrize("mix", [{"random": 40, "stratified": 60}, {"random": 0.4, "stratified": 0.6}, None])
def test_a_mix_that_adds_up_says_nothing(capture: Capture, sample: Sample, mix: dict[str, float] | None) -> None:
    keep(capture, 60)
    assert "mix" not in drawn(sample, mix=mix).draw.shortfalls


@pytest.mark.parametrize("mix", [{}, {"random": 0}, {"random": float("nan")}, {"rnadom": 25}, {"negative": -1}])
def test_a_mix_that_means_nothing_is_refused(sample: Sample, mix: dict[str, float]) -> None:
    with pytest.raises(Invalid) as refused:
        drawn(sample, mix=mix)
    assert (refused.value.field or "").startswith("mix")


def test_an_alert_about_a_category_nobody_has_names_those_there_are(
    ledger: Ledger, capture: Capture, sample: Sample, clock: Clock, mint: Callable[[], str]
) -> None:
    keep(capture, 60)
    Alerts(ledger, clock, mint).raise_all(PROJECT, [AlertRequest(name="refunds", slice={"category": "refund"}, pull=4)])
    made = drawn(sample)
    assert made.draw.shortfalls["drift"] == (
        "0 of 2: alert 'refunds' is about category refund; the frame has billing, rare, travel"
    )
    assert len(made.entries) == 20


def test_what_an_alert_cannot_have_goes_to_the_others(
    ledger: Ledger, capture: Capture, sample: Sample, clock: Clock, mint: Callable[[], str]
) -> None:
    keep(capture, 60)
    requests = [AlertRequest(name=name, slice={"category": name}, pull=9) for name in ("billing", "refund")]
    Alerts(ledger, clock, mint).raise_all(PROJECT, requests)
    made = drawn(sample, budget=40, mix={"drift": 20, "random": 80})
    pulled = [entry for entry in made.entries if entry.policy is Policy.drift]
    assert {entry.category for entry in pulled} == {"billing"}
    assert len(pulled) == 8
    assert "drift" not in made.draw.shortfalls


def test_fresh_traces_are_too_young_and_the_draw_says_what_to_do(capture: Capture, sample: Sample) -> None:
    keep(capture, 50, hours=1)
    made = drawn(sample)
    assert made.entries == []
    assert made.draw.shortfalls["frame"] == (
        "0 of 20: there is no new trace; 50 are younger than 24 h: take them in with --maturity 0h"
    )
    assert len(drawn(sample, maturity=timedelta(0)).entries) == 20


def test_a_second_draw_of_the_same_window_says_where_the_traces_went(capture: Capture, sample: Sample) -> None:
    keep(capture, 50)
    keep(capture, 1, first=50, hours=2)
    drawn(sample)
    again = drawn(sample, seed=2)
    assert again.draw.shortfalls["frame"] == (
        "0 of 20: there is no new trace; 1 is younger than 24 h: take them in with --maturity 0h; "
        "50 are in the frame of an earlier draw: take more of them with --again"
    )
    assert len(drawn(sample, seed=3, again=True).entries) == 20


def test_more_than_there_is_takes_everything_with_certainty(capture: Capture, sample: Sample) -> None:
    keep(capture, 7)
    made = drawn(sample)
    assert {entry.inclusion_probability for entry in made.entries} == {1.0}
    assert made.draw.shortfalls["frame"] == "7 of 20: the frame has 7 traces"


@pytest.mark.parametrize("window", [timedelta(days=2), Window(start=NOW - 9 * WEEK, end=NOW - 8 * WEEK)])
def test_an_empty_window_says_where_the_traces_are(
    capture: Capture, sample: Sample, window: Window | timedelta
) -> None:
    assert "none has been sent to this project yet" in drawn(sample, window=window).draw.shortfalls["frame"]
    keep(capture, 5, hours=24 * 20)
    made = drawn(sample, window=window)
    assert made.entries == []
    assert made.draw.shortfalls["frame"] == (
        "0 of 20: there is no new trace; this project's are from 2026-11-03 to 2026-11-03: "
        "choose a --window that reaches them"
    )


def test_one_user_who_owns_all_negatives_gets_the_cap_and_random_the_rest(capture: Capture, sample: Sample) -> None:
    keep(capture, 60, down=True)
    keep(capture, 60, first=60)
    made = drawn(sample, mix={"negative": 70, "random": 30})
    assert by_policy(made) == {Policy.negative: 3, Policy.random: 17}
    assert "the cap of 3 per user held back" in made.draw.shortfalls["negative"]


def test_equal_scores_make_equal_chances(capture: Capture, sample: Sample) -> None:
    keep(capture, 90, score=0.5)
    made = drawn(sample, mix={"uncertain": 50, "random": 50})
    assert by_policy(made) == {Policy.uncertain: 10, Policy.random: 10}
    assert len({round(entry.inclusion_probability, 9) for entry in made.entries}) <= 3


def test_without_a_judge_or_a_signal_the_budget_is_spent_on_what_there_is(capture: Capture, sample: Sample) -> None:
    keep(capture, 60)
    made = drawn(sample)
    assert by_policy(made) == {Policy.stratified: 5, Policy.random: 15}
    assert made.draw.shortfalls == {
        "drift": "0 of 2: no open drift alert has a trace in the frame",
        "negative": "0 of 6: no trace in the frame has a negative signal",
        "uncertain": "0 of 2: no judge has looked at a trace of the frame",
    }
