"""Draws over a store: what a frame holds, what is picked, and what is kept of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from tests.conftest import NOW, Clock
from tests.factories import a_signal, a_trace
from thumbwheel.app import weigh
from thumbwheel.connectors.embedded_judge import EmbeddedJudge
from thumbwheel.domain.queue import Policy, Window
from thumbwheel.domain.signal import Rating, SignalKind
from thumbwheel.domain.trace import JudgeScore
from thumbwheel.errors import Invalid
from thumbwheel.services.alerts import AlertRequest, Alerts
from thumbwheel.services.capture import Capture, Work
from thumbwheel.services.sample import PER_USER_CAP, Drawing, DrawRequest, Sample
from thumbwheel.services.suggest import Suggest
from thumbwheel.store.ledger import Ledger

PROJECT = 1
WEEK = timedelta(days=7)


@pytest.fixture
def capture(ledger: Ledger, clock: Clock) -> Iterator[Capture]:
    capture = Capture(ledger, clock, b"shuffle", weigh)
    yield capture
    capture.close()


@pytest.fixture
def sample(ledger: Ledger, clock: Clock, mint: Callable[[], str]) -> Sample:
    return Sample(ledger, clock, mint, b"double", Suggest(ledger, clock, EmbeddedJudge.fit).run)


@pytest.fixture
def alerts(ledger: Ledger, clock: Clock, mint: Callable[[], str]) -> Alerts:
    return Alerts(ledger, clock, mint)


def fill(capture: Capture, n: int, *, prefix: str = "t", hours_ago: float = 30, spread: float = 100) -> None:
    """`n` traces of three categories over some hours; every third has a judge score, every fifth a thumbs-down."""
    traces = []
    signals = []
    for number in range(n):
        trace_id = f"{prefix}{number}"
        started_at = NOW - timedelta(hours=hours_ago + spread * number / n)
        judge = JudgeScore(score=(number % 10) / 10) if number % 3 == 0 else JudgeScore(score=0.99)
        category = ("billing", "travel", "rare")[0 if number % 10 else 1 if number % 20 else 2]
        user = f"u{number // 5 % 17}"
        trace = a_trace(id=trace_id, started_at=started_at, judge=judge, category=category, user_id=user)
        traces.append((trace, number))
        if number % 5 == 0:
            signal = a_signal(id="s", trace_id=trace_id, kind=SignalKind.user_rating, rating=Rating.down, user_id=user)
            signals.append((signal, number))
    capture.keep_now(Work(PROJECT, traces=traces, signals=signals))


def request(**given: object) -> DrawRequest:
    return DrawRequest(**({"budget": 40, "window": WEEK, "seed": 1} | given))  # type: ignore[arg-type]


def ids(made: Drawing) -> list[str]:
    return [entry.trace_id for entry in made.entries]


def test_a_draw_fills_its_budget_from_every_policy_that_has_something(capture: Capture, sample: Sample) -> None:
    fill(capture, 400)
    made = sample.draw(PROJECT, request())
    assert len(made.entries) == 40
    assert len(set(ids(made))) == 40
    counted = Counter(entry.policy for entry in made.entries)
    assert counted[Policy.negative] == 12
    assert counted[Policy.uncertain] == 4
    assert counted[Policy.stratified] == 10
    assert counted[Policy.random] == 14
    assert set(made.draw.shortfalls) == {"drift"}
    assert made.draw.population == 400
    assert [entry.serve_rank for entry in made.entries] == list(range(1, 41))


def test_inclusion_probabilities_weigh_back_to_the_population(capture: Capture, sample: Sample) -> None:
    fill(capture, 600)
    totals = []
    for seed in range(60):
        made = sample.draw(PROJECT, request(seed=seed, dry_run=True))
        assert all(0 < entry.inclusion_probability <= 1 for entry in made.entries)
        totals.append(sum(1 / entry.inclusion_probability for entry in made.entries))
    mean = sum(totals) / len(totals)
    error = (sum((total - mean) ** 2 for total in totals) / len(totals) / (len(totals) - 1)) ** 0.5
    assert abs(mean - 600) < 4 * error


def test_the_same_seed_repeats_a_dry_run_and_another_does_not(capture: Capture, sample: Sample) -> None:
    fill(capture, 200)
    first, again, other = (sample.draw(PROJECT, request(seed=seed, dry_run=True)) for seed in (5, 5, 6))
    assert ids(first) == ids(again)
    assert [entry.inclusion_probability for entry in first.entries] == [
        entry.inclusion_probability for entry in again.entries
    ]
    assert ids(first) != ids(other)


def test_a_dry_run_queues_nothing_and_uses_up_no_trace(ledger: Ledger, capture: Capture, sample: Sample) -> None:
    fill(capture, 100)
    sample.draw(PROJECT, request(dry_run=True))
    with ledger.read(PROJECT) as tx:
        assert tx.queue.count_waiting() == 0
    assert sample.draw(PROJECT, request()).draw.population == 100


def test_a_trace_is_in_one_frame_only_and_late_ones_fall_into_the_next(
    capture: Capture, sample: Sample, clock: Clock
) -> None:
    fill(capture, 100)
    assert sample.draw(PROJECT, request()).draw.population == 100
    second = sample.draw(PROJECT, request(seed=2))
    assert second.draw.population == 0
    assert second.entries == []
    fill(capture, 30, prefix="late", hours_ago=40, spread=50)
    clock.advance(hours=5)
    third = sample.draw(PROJECT, request(seed=3, budget=100))
    assert third.draw.population == 30
    assert {trace_id[:4] for trace_id in ids(third)} == {"late"}


def test_frames_that_cut_hours_count_each_trace_once(capture: Capture, sample: Sample) -> None:
    fill(capture, 200, hours_ago=25, spread=10)
    start = NOW - timedelta(hours=40)
    cut = NOW - timedelta(hours=29, minutes=17)
    first = sample.draw(PROJECT, request(window=Window(start=start, end=cut)))
    rest = sample.draw(PROJECT, request(window=Window(start=start, end=NOW), seed=2))
    assert first.draw.population + rest.draw.population == 200
    assert 0 < first.draw.population < 200
    assert not set(ids(first)) & set(ids(rest))
    assert sample.draw(PROJECT, request(window=Window(start=start, end=NOW), seed=3)).draw.population == 0


def test_a_trace_younger_than_the_maturity_waits_for_a_later_draw(
    capture: Capture, sample: Sample, clock: Clock
) -> None:
    fill(capture, 50, hours_ago=1, spread=2)
    assert sample.draw(PROJECT, request()).draw.population == 0
    assert sample.draw(PROJECT, request(maturity=timedelta(0), dry_run=True)).draw.population == 50
    clock.advance(hours=30)
    assert sample.draw(PROJECT, request()).draw.population == 50


def test_one_user_fills_no_more_than_the_cap_of_negative_entries(capture: Capture, sample: Sample) -> None:
    fill(capture, 400)
    made = sample.draw(PROJECT, request(budget=100, mix={"negative": 85, "random": 15}))
    by_user = Counter(int(entry.trace_id[1:]) // 5 % 17 for entry in made.entries if entry.policy is Policy.negative)
    assert len(by_user) == 17
    assert set(by_user.values()) == {PER_USER_CAP}
    assert "per user" in made.draw.shortfalls["negative"]


def test_an_alert_pulls_its_slice(capture: Capture, sample: Sample, alerts: Alerts) -> None:
    fill(capture, 300)
    alerts.raise_all(PROJECT, [AlertRequest(name="refunds look odd", slice={"category": "rare"}, pull=3)])
    made = sample.draw(PROJECT, request())
    pulled = [entry for entry in made.entries if entry.policy is Policy.drift]
    assert len(pulled) == 3
    assert {entry.category for entry in pulled} == {"rare"}
    assert "refunds look odd" in pulled[0].reason


def test_an_alert_that_expired_pulls_nothing(capture: Capture, sample: Sample, alerts: Alerts, clock: Clock) -> None:
    fill(capture, 100)
    alerts.raise_all(PROJECT, [AlertRequest(name="x", slice={"category": "rare"}, lasts=timedelta(hours=1))])
    clock.advance(hours=2)
    assert Policy.drift not in {entry.policy for entry in sample.draw(PROJECT, request()).entries}


def test_drawing_again_takes_others_from_the_same_frame_and_raises_the_chance_of_the_first(
    ledger: Ledger, capture: Capture, sample: Sample
) -> None:
    fill(capture, 300)
    first = sample.draw(PROJECT, request())
    second = sample.draw(PROJECT, request(seed=2, again=True))
    assert second.draw.again_of == first.draw.id
    assert second.draw.population == 300
    assert len(second.entries) == 40
    assert not set(ids(first)) & set(ids(second))
    with ledger.read(PROJECT) as tx:
        stated = {entry.trace_id: entry.inclusion_probability for entry in tx.queue.list_entries(first.draw.id)}
    for entry in first.entries:
        assert stated[entry.trace_id] >= entry.inclusion_probability


def test_entries_wait_in_serving_order(ledger: Ledger, capture: Capture, sample: Sample) -> None:
    fill(capture, 200)
    made = sample.draw(PROJECT, request())
    with ledger.read(PROJECT) as tx:
        waiting = [row.entry.id for row in tx.queue.list_waiting(100)]
    assert waiting == [entry.id for entry in made.entries]


def test_without_judge_scores_the_embedded_judge_makes_uncertainty_work(capture: Capture, sample: Sample) -> None:
    texts = [("good answer about fares", Rating.up), ("sorry I cannot help, error", Rating.down)]
    traces = [
        (a_trace(id=f"t{n}", started_at=NOW - timedelta(hours=30), judge=None, output=f"{texts[n % 2][0]} {n}"), n)
        for n in range(60)
    ]
    signals = [
        (a_signal(id="s", trace_id=f"t{n}", kind=SignalKind.user_rating, rating=texts[n % 2][1]), n)
        for n in range(0, 60, 3)
    ]
    capture.keep_now(Work(PROJECT, traces=traces, signals=signals))
    made = sample.draw(PROJECT, request(budget=30))
    picked = [entry for entry in made.entries if entry.policy is Policy.uncertain]
    assert len(picked) == 3
    assert picked[0].reason == f"one of {len(picked)} picked by how unsure it is"
    assert sample.suggest(PROJECT) == 0


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"budget": 0}, "budget"),
        ({"mix": {"sideways": 1}}, "mix.sideways"),
        ({"mix": {"random": -1}}, "mix.random"),
        ({"window": Window(start=NOW, end=NOW)}, "window"),
        ({"again": True}, "again"),
    ],
)
def test_a_draw_that_cannot_be_is_refused_naming_the_field(
    sample: Sample, given: dict[str, object], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        sample.draw(PROJECT, request(**given))
    assert refused.value.field == field


def test_traces_without_a_category_get_one_by_rule_and_are_drawn_by_it(
    ledger: Ledger, capture: Capture, sample: Sample, clock: Clock
) -> None:
    rules = [{"category": "money", "input": "fare"}, {"category": "other", "model": "*"}]
    with ledger.begin(PROJECT) as tx:
        tx.people.add_project("default", clock())
        tx.people.set_project(PROJECT, {"categories": rules})
    traces = [
        (a_trace(id=f"t{n}", started_at=NOW - timedelta(hours=30), category=None, input="a fare" if n % 10 else "x"), n)
        for n in range(100)
    ]
    capture.keep_now(Work(PROJECT, traces=traces))
    made = sample.draw(PROJECT, request())
    assert made.draw.population_by_category == {"money": 90, "other": 10}


def test_every_one_of_twenty_skewed_categories_gets_its_share(capture: Capture, sample: Sample) -> None:
    sizes = [400, 200, 100, 50, 25, *(8 for _ in range(15))]
    names = [f"c{at:02}" for at, n in enumerate(sizes) for _ in range(n)]
    traces = [
        (a_trace(id=f"t{n}", started_at=NOW - timedelta(hours=30, seconds=n), category=name), n)
        for n, name in enumerate(names)
    ]
    capture.keep_now(Work(PROJECT, traces=traces))
    made = sample.draw(PROJECT, request(budget=160))
    counted = Counter(entry.category for entry in made.entries if Policy.stratified in entry.picked_by)
    assert len(counted) == 20
    assert min(counted.values()) >= 2
