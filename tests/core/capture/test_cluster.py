"""Clusters of requests: told by words alone, never by a name that meant something else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import a_trace
from thumbwheel.capture.cluster import NONE, READ, Cluster, Clustering, asked_of, learnt, words_of
from thumbwheel.errors import Conflict, Invalid
from thumbwheel.ports import Clustered

CLUSTERING = Clustering(
    version=3,
    note="",
    n=200,
    least=0.3,
    rarity={"invoice": 3.0, "refund": 3.0, "flight": 3.0, "the": 0.0},
    clusters=(
        Cluster(name="billing", share=0.7, words={"invoice": 0.8, "refund": 0.6}),
        Cluster(name="travel", share=0.3, words={"flight": 1.0}),
    ),
    spent=("old",),
)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("The INVOICE of the month", "billing"),
        ("a flight, and the flight back", "travel"),
        ("the the the", None),
        ("", None),
        ("quite another matter, with nothing of a flight but one word in many others", None),
    ],
)
def test_a_request_belongs_to_the_cluster_it_is_most_like_or_to_none(text: str, name: str | None) -> None:
    assert CLUSTERING.nearest(text)[0] == name
    assert NONE.nearest(text) == (None, 0.0)


@given(st.text())
def test_any_request_has_a_likeness_between_0_and_1(text: str) -> None:
    name, alike = CLUSTERING.nearest(text)
    assert 0.0 <= alike <= 1.0 + 1e-9
    assert (name is None) == (alike < CLUSTERING.least)


def test_what_is_read_is_bounded_and_holds_no_placeholder() -> None:
    assert words_of("a <EMAIL_1> b-c naïve 42 don't") == ["naïve", "don"]
    assert len(words_of("word " * READ)) == READ // 5
    conversation = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "My invoice?"}]
    assert asked_of(a_trace(input=conversation)) == "My invoice?"
    assert CLUSTERING.nearest(asked_of(a_trace(input=conversation)))[0] == "billing"


def test_a_version_comes_back_from_its_json() -> None:
    assert Clustering.of_json(CLUSTERING.to_json()) == CLUSTERING


def test_a_cluster_is_renamed_once_and_its_old_name_is_spent() -> None:
    renamed = CLUSTERING.renamed("travel", "trips")
    assert (renamed.version, renamed.names, renamed.spent) == (4, ["billing", "trips"], ("old", "travel"))
    assert renamed.nearest("flight")[0] == "trips"
    for taken in ("billing", "travel", "old"):
        with pytest.raises(Conflict, match="another cluster, now or before"):
            renamed.renamed("trips", taken)
    with pytest.raises(Invalid, match="There is no cluster 'nowhere'; the clusters are billing, travel"):
        CLUSTERING.renamed("nowhere", "somewhere")
    with pytest.raises(Invalid, match="between 1 and 100"):
        CLUSTERING.renamed("travel", " ")


def test_clusters_that_are_given_up_leave_their_names_spent() -> None:
    cleared = CLUSTERING.cleared()
    assert (cleared.version, cleared.clusters, cleared.spent) == (4, (), ("old", "billing", "travel"))
    assert cleared.nearest("flight")[0] is None


def test_a_learnt_version_says_what_was_there_before_and_spends_what_is_gone() -> None:
    found = Clustered(
        rarity=CLUSTERING.rarity, clusters=[("billing", 0.5, {"invoice": 1.0}), ("flight-late", 0.5, {"flight": 1.0})]
    )
    after = learnt(found, ["invoice"] * 50 + ["flight"] * 50, CLUSTERING)
    assert after.note == "Learnt from 100 requests; 1 of 2 clusters were there before."
    assert (after.version, after.spent) == (4, ("old", "travel"))
    assert after.least == pytest.approx(0.5)
