"""Clusters of requests: the topics that are there, the same for the same requests, and under the same names another day."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from thumbwheel.capture.cluster import NONE, Clustering, learnt, words_of
from thumbwheel.connectors.clusters import LEAST_REQUESTS, fit_clusters
from thumbwheel.errors import Conflict

TOPICS = {
    "billing": "invoice refund payment charge card receipt subscription amount overdue".split(),
    "travel": "flight hotel booking luggage departure airport passenger ticket delayed".split(),
    "coding": "python function compile error variable loop syntax debug exception".split(),
    "health": "doctor symptom medicine headache prescription fever dosage allergy pain".split(),
}
FILLER = "please can you help me today with this thing i would like to know about the".split()


def requests(day: int, topics: dict[str, list[str]] = TOPICS, n: int = 240) -> list[tuple[str, str]]:
    """Requests of one day, each with what it is about: four of its topic's words among filler."""
    rng = random.Random(day)
    made = []
    for number in range(n):
        topic = list(topics)[number % len(topics)]
        words = [*rng.sample(topics[topic], 4), *rng.sample(FILLER, 5), f"order{rng.randrange(10**6)}"]
        rng.shuffle(words)
        made.append((topic, " ".join(words)))
    return made


def learn(texts: list[str], before: Clustering = NONE, n: int = 4, seed: int = 1) -> Clustering:
    words = {cluster.name: cluster.words for cluster in before.clusters}
    found = fit_clusters(texts, n, seed=seed, words_of=words_of, before=words, spent=before.spent)
    return learnt(found, texts, before)


def named(clustering: Clustering, day: int, topics: dict[str, list[str]] = TOPICS) -> dict[str, str | None]:
    """For each topic the name that nearly all of another day's requests get."""
    found = {}
    for topic in topics:
        names = Counter(clustering.nearest(text)[0] for about, text in requests(day, topics) if about == topic)
        name, n = names.most_common(1)[0]
        assert n >= 0.9 * names.total(), (topic, names)
        found[topic] = name
    return found


@pytest.fixture(scope="module")
def monday() -> Clustering:
    return learn([text for _, text in requests(1)])


def test_topics_are_told_apart_and_named_by_their_words(monday: Clustering) -> None:
    names = named(monday, 2)
    assert len({*names.values()}) == len(TOPICS)
    for topic, name in names.items():
        assert name is not None
        assert set(name.split("-")) <= set(TOPICS[topic])
    assert sum(cluster.share for cluster in monday.clusters) == pytest.approx(1.0)


def test_the_same_requests_in_any_order_give_the_same_clusters(monday: Clustering) -> None:
    texts = [text for _, text in requests(1)]
    random.Random(3).shuffle(texts)
    assert learn(texts) == monday


def test_names_stay_when_clusters_are_learnt_on_another_day(monday: Clustering) -> None:
    tuesday = learn([text for _, text in requests(5)], monday, seed=7)
    assert set(tuesday.names) == set(monday.names)
    assert named(tuesday, 6) == named(monday, 6)
    assert tuesday.version == 2
    renamed = monday.renamed(str(named(monday, 2)["travel"]), "trips")
    assert named(learn([text for _, text in requests(5)], renamed), 6)["travel"] == "trips"


def test_a_topic_that_goes_takes_its_name_with_it_and_a_new_one_gets_a_new_name(monday: Clustering) -> None:
    changed = {topic: words for topic, words in TOPICS.items() if topic != "coding"}
    changed["cooking"] = "oven recipe flour butter dough bake sugar simmer whisk".split()
    after = learn([text for _, text in requests(8, changed)], monday)
    before, now = named(monday, 2), named(after, 9, changed)
    assert {topic: now[topic] for topic in TOPICS if topic in changed} == {
        topic: before[topic] for topic in TOPICS if topic in changed
    }
    assert now["cooking"] not in before.values()
    assert before["coding"] in after.spent
    again = learn([text for _, text in requests(10)], after)
    assert named(again, 11)["coding"] not in {before["coding"], now["cooking"]}


def test_what_only_one_person_wrote_is_in_no_name_and_in_no_word(monday: Clustering) -> None:
    texts = [text for _, text in requests(1)]
    found = learn([*texts, *["zanzibarella quotidienne"] * 4])
    assert "zanzibarella" not in str(found.to_json())


@pytest.mark.parametrize(
    "texts",
    [
        ["invoice refund"] * (LEAST_REQUESTS - 1),
        ["the same request"] * 200,
        [""] * 200,
        [f"word{n:c}{n:c}" for n in range(400, 600)],
    ],
)
def test_requests_without_clusters_are_refused_in_words(texts: list[str]) -> None:
    with pytest.raises(Conflict, match=r"Clusters need 100 requests|share no words"):
        learn(texts)


def test_fewer_kinds_of_request_than_clusters_give_fewer_clusters() -> None:
    found = learn(["invoice refund", "flight hotel", "python error", "doctor fever"] * 50, n=12)
    assert 2 <= len(found.clusters) <= 4
