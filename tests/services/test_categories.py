"""Strata that exist: categories from clusters, given when a trace comes or to those that wait, and counted once."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

import pytest

from tests.conftest import Clock
from tests.connectors.test_clusters import TOPICS, requests
from tests.factories import a_signal, a_trace
from thumbwheel.app import weigh
from thumbwheel.connectors.clusters import fit_clusters
from thumbwheel.domain.queue import Policy
from thumbwheel.domain.signal import Rating, SignalKind
from thumbwheel.domain.trace import Trace
from thumbwheel.errors import Conflict, Invalid
from thumbwheel.keep.category import recategorise
from thumbwheel.keep.session import Session
from thumbwheel.services.capture import Capture, Work
from thumbwheel.services.categories import Categories
from thumbwheel.services.project import Projects
from thumbwheel.services.sample import Drawing, DrawRequest, Sample
from thumbwheel.store.ledger import Ledger

PROJECT = 1
WEEK = timedelta(days=7)


class Product:
    """Traces that come without a category, but for those of one client."""

    def __init__(self, ledger: Ledger, clock: Clock, mint: Callable[[], str]) -> None:
        self.ledger, self.clock = ledger, clock
        with ledger.begin(PROJECT) as tx:
            tx.people.add_project("default", clock())
        self.capture = Capture(ledger, clock, b"shuffle", weigh)
        self.sample = Sample(ledger, clock, mint, b"double", lambda _project: 0)
        self.categories = Categories(ledger, clock, mint, fit_clusters, weigh)
        self.about: dict[str, str] = {}

    def serve(self, day: int, n: int = 240, category: str | None = None, signals: bool = False) -> list[str]:
        traces, said = [], []
        for number, (topic, text) in enumerate(requests(day, n=n)):
            trace_id = f"{day}-{number}"
            self.about[trace_id] = topic
            started_at = self.clock() - timedelta(hours=30 + number / n)
            traces.append((a_trace(id=trace_id, input=text, category=category, started_at=started_at), number))
            if signals and number % 5 == 0:
                down = a_signal(id="s", trace_id=trace_id, kind=SignalKind.user_rating, rating=Rating.down)
                said.append((down, number))
        self.capture.keep_now(Work(PROJECT, traces=traces, signals=said))
        return [trace.id for trace, _ in traces]

    def category_of(self, ids: list[str]) -> dict[str, str | None]:
        with self.ledger.read(PROJECT) as tx:
            return {trace_id: row.category for trace_id, row in tx.traces.find_many(ids).items()}

    def learn(self, n: int = 4) -> None:
        self.categories.apply(PROJECT, self.categories.fit(PROJECT, n), "maria")

    def draw(self, **given: object) -> Drawing:
        asked = {"budget": 40, "window": WEEK, "seed": 1} | given
        return self.sample.draw(PROJECT, DrawRequest(**asked))  # type: ignore[arg-type]


@pytest.fixture
def product(ledger: Ledger, clock: Clock, mint: Callable[[], str]) -> Iterator[Product]:
    product = Product(ledger, clock, mint)
    yield product
    product.capture.close()


def test_a_trace_gets_the_category_of_its_cluster_when_it_comes(product: Product) -> None:
    assert set(product.category_of(product.serve(1)).values()) == {None}
    product.learn()
    (version,) = product.categories.versions(PROJECT)
    assert (version.by, version.at, version.clustering.version) == ("maria", product.clock(), 1)
    found = product.category_of(product.serve(2))
    names = {topic: Counter(found[each] for each in found if product.about[each] == topic) for topic in TOPICS}
    assert {counted.most_common(1)[0][0] for counted in names.values()} == set(version.clustering.names)
    assert all(counted.most_common(1)[0][1] >= 54 for counted in names.values())
    assert set(product.category_of(product.serve(3, category="own")).values()) == {"own"}


def test_a_rule_comes_before_a_cluster(product: Product) -> None:
    product.serve(1)
    product.learn()
    Projects(product.ledger, lambda _: None).choose(
        PROJECT, {"categories": [{"category": "money", "input": ["invoice", "refund"]}]}
    )
    found = product.category_of(product.serve(2))
    assert {"money", *product.categories.versions(PROJECT)[0].clustering.names} >= set(found.values()) - {None}
    assert all(category == "money" for trace_id, category in found.items() if "invoice" in product_text(2, trace_id))


def product_text(day: int, trace_id: str) -> str:
    return requests(day)[int(trace_id.partition("-")[2])][1]


def test_traces_that_wait_are_given_a_category_and_every_count_moves_with_them(product: Product) -> None:
    ids = product.serve(1, signals=True)
    product.learn()
    before = product.draw(dry_run=True).draw
    assert before.population_by_category == {"": 240}
    assert product.categories.assign(PROJECT) >= 216
    assert product.categories.assign(PROJECT) == 0
    found = product.category_of(ids)
    after = product.draw(dry_run=True).draw
    assert after.population_by_category == Counter(category or "" for category in found.values())
    cells = Counter[int]()
    for _, cell, n in after.cells:
        cells[cell] += n
    was = Counter[int]()
    for _, cell, n in before.cells:
        was[cell] += n
    assert cells == was
    assert {category for category, _, _ in after.cells} == set(after.population_by_category)
    drawn = product.draw()
    assert drawn.draw.population == 240
    assert {entry.category or "" for entry in drawn.entries if entry.policy is Policy.stratified} == set(
        after.population_by_category
    )
    assert all(entry.category == (found[entry.trace_id] or "") for entry in drawn.entries)
    with product.ledger.read(PROJECT) as tx:
        row = tx.traces.find_many([ids[0]])[ids[0]]
        (signal,) = tx.signals.list_for({ids[0]: row.day})[ids[0]]
    assert signal.signal.context is not None
    assert signal.signal.context.category == found[ids[0]]


def test_only_traces_of_the_window_are_looked_at(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    old = product.serve(1)
    product.clock.advance(days=20)
    product.serve(2)
    product.learn()
    monkeypatch.setattr("thumbwheel.services.categories._AT_ONCE", 50)
    looked = 0

    def count(session: Session, found: Sequence[tuple[int, Trace]]) -> int:
        nonlocal looked
        looked += 1
        return recategorise(session, found)

    monkeypatch.setattr("thumbwheel.services.categories.recategorise", count)
    assert product.categories.assign(PROJECT, timedelta(days=3)) >= 216
    assert looked <= 6
    assert set(product.category_of(old).values()) == {None}
    assert product.categories.assign(PROJECT, timedelta(days=30)) >= 216
    assert looked <= 6 + 10


def test_what_a_draw_has_counted_keeps_its_count(product: Product) -> None:
    ids = product.serve(1)
    product.learn()
    drawn = product.draw()
    assert product.categories.assign(PROJECT) == 0
    assert set(product.category_of(ids).values()) == {None}
    assert product.draw(seed=2, again=True).draw.population_by_category == drawn.draw.population_by_category


def test_a_cluster_keeps_its_name_when_clusters_are_learnt_on_another_day(product: Product) -> None:
    product.serve(1)
    product.learn()
    first = product.categories.versions(PROJECT)[0].clustering
    product.categories.rename(PROJECT, first.names[0], "renamed", "jo")
    product.clock.advance(days=1)
    product.serve(2)
    product.learn()
    versions = product.categories.versions(PROJECT)
    assert [each.clustering.version for each in versions] == [3, 2, 1]
    assert set(versions[0].clustering.names) == {"renamed", *first.names[1:]}
    assert versions[2].clustering == first
    with pytest.raises(Invalid):
        product.categories.rename(PROJECT, first.names[0], "again", "jo")
    product.categories.clear(PROJECT, "jo")
    assert set(product.category_of(product.serve(3)).values()) == {None}


def test_of_two_who_change_clusters_at_once_one_is_told(product: Product) -> None:
    product.serve(1)
    fitted = product.categories.fit(PROJECT, 4)
    product.categories.apply(PROJECT, fitted, "maria")
    with pytest.raises(Conflict, match="changed the clusters meanwhile"):
        product.categories.apply(PROJECT, fitted, "jo")


def test_too_few_requests_are_refused_in_words(product: Product) -> None:
    product.serve(1, n=40)
    with pytest.raises(Conflict, match="Clusters need 100 requests; there are 40"):
        product.categories.fit(PROJECT)


def test_the_long_tail_of_twenty_categories_is_reached_by_every_draw(product: Product) -> None:
    rng = random.Random(5)
    names = [f"category {number:02}" for number in range(20)]
    weights = [0.7**number for number in range(20)]
    traces = [
        (a_trace(id=f"t{number}", category=name, started_at=product.clock() - timedelta(hours=30)), number)
        for number, name in enumerate([*names, *names, *rng.choices(names, weights, k=1500)])
    ]
    product.capture.keep_now(Work(PROJECT, traces=traces))
    made = product.draw(budget=80, mix={"stratified": 50, "random": 50})
    population = made.draw.population_by_category
    assert population["category 19"] < 10
    assert population["category 00"] > 300
    assert Counter(entry.category for entry in made.entries if entry.policy is Policy.stratified) == dict.fromkeys(
        names, 2
    )
    assert all(
        entry.inclusion_probability > 0.1 for entry in made.entries if entry.category in {"category 18", "category 19"}
    )
