"""Agreement: what two people said of the same entries, and nothing else."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from tests.factories import HOUR, MINUTE, MONDAY, an_annotation
from tests.strategies import CATEGORY_IDS, judgements
from thumbwheel.annotate.agreement import agreement, doubled
from thumbwheel.annotate.settle import settle
from thumbwheel.domain.annotation import Annotation, Dispute, Verdict
from thumbwheel.stats.kappa import AgreementState


def judged(entry: int, annotator: str, categories: tuple[str, ...], minute: int = 0, **given: object) -> Annotation:
    """A failure for these categories, or a pass if there is none."""
    return an_annotation(
        **{
            "id": f"{entry}-{annotator}-{minute}",
            "entry_id": f"entry-{entry:03}",
            "trace_id": f"trace-{entry:03}",
            "annotator": annotator,
            "verdict": Verdict.failed if categories else Verdict.passed,
            "categories": categories,
            "at": MONDAY + minute * MINUTE,
        }
        | given
    )


def two_readers(n: int) -> list[Annotation]:
    """Ann and Bob on `n` entries; Bob sees about one in four otherwise."""
    rng = random.Random(7)
    answers: list[tuple[str, ...]] = [(), ("wrong-fact",), ("missed-point",), ("wrong-fact", "missed-point")]
    made = []
    for entry in range(n):
        ann = rng.choice(answers)
        bob = ann if rng.random() < 0.75 else rng.choice(answers)
        made += [judged(entry, "ann", ann, 1), judged(entry, "bob", bob, rng.choice([0, 2]))]
    return made


def test_with_two_people_it_is_cohens_kappa() -> None:
    made = two_readers(200)
    found = agreement(made, ("wrong-fact", "missed-point"))
    by_person = {name: [one for one in made if one.annotator == name] for name in ("ann", "bob")}
    expected = cohen_kappa_score(*([one.verdict for one in said] for said in by_person.values()))
    assert found.overall.kappa == pytest.approx(expected)
    for category in found.categories:
        seen = [[category.category in one.categories for one in said] for said in by_person.values()]
        assert category.kappa.kappa == pytest.approx(cohen_kappa_score(*seen))
        assert category.kappa.state is not AgreementState.TOO_FEW
    assert found.n_doubled == found.overall.n == 200


def test_under_thirty_doubled_entries_it_says_so() -> None:
    found = agreement(two_readers(29), ("wrong-fact",))
    assert found.overall.state is AgreementState.TOO_FEW
    assert found.categories[0].kappa.state is AgreementState.TOO_FEW
    assert (found.n_doubled, found.n_needed) == (29, 30)


def test_without_doubled_entries_nothing_is_claimed() -> None:
    found = agreement([judged(1, "ann", ("wrong-fact",))], ("wrong-fact",))
    assert found.n_doubled == 0
    assert found.overall.state is AgreementState.UNDEFINED
    assert found.overall.kappa is None


def test_of_three_people_the_first_two_count_and_the_later_words_of_each() -> None:
    made = [
        judged(1, "cai", ("wrong-fact",), 0),
        judged(1, "bob", (), 1),
        judged(1, "ann", (), 2),
        judged(1, "cai", (), 3, supersedes="1-cai-0"),
    ]
    [pair] = doubled(made)
    assert pair.annotators == ("bob", "cai")
    assert pair.second.id == "1-cai-3"
    assert not pair.differs


def test_a_category_names_the_pairs_that_read_it_otherwise() -> None:
    made = [
        *(judged(1, "ann", ("wrong-fact",)), judged(1, "bob", ("missed-point",))),
        *(judged(2, "ann", ("wrong-fact",)), judged(2, "bob", ("wrong-fact", "missed-point"))),
        *(judged(3, "cai", ()), judged(3, "bob", ("missed-point",))),
        *(judged(4, "ann", ("wrong-fact",)), judged(4, "bob", ("wrong-fact",))),
    ]
    found = agreement(made, ("wrong-fact", "missed-point"))
    assert [pair.entry_id for pair in found.disputed] == ["entry-001", "entry-002", "entry-003"]
    fact, point = found.categories
    assert fact.differing == {("ann", "bob"): 1}
    assert list(point.differing.items()) == [(("ann", "bob"), 2), (("bob", "cai"), 1)]
    assert [pair.entry_id for pair in point.disputed] == ["entry-001", "entry-002", "entry-003"]


@given(judgements(entries=3).flatmap(lambda made: st.tuples(st.just(made), st.permutations(made))))
def test_the_order_of_annotations_does_not_matter(made: tuple[list[Annotation], list[Annotation]]) -> None:
    first, second = (agreement(order, CATEGORY_IDS) for order in made)
    assert first == second


@given(judgements(entries=4))
def test_a_pair_differs_exactly_when_it_would_be_a_dispute(made: list[Annotation]) -> None:
    for pair in doubled(made):
        outcome = settle((pair.first, pair.second), needed=2, new_id="new", now=MONDAY + HOUR)
        assert pair.differs is isinstance(outcome, Dispute)
        assert pair.annotators[0] < pair.annotators[1]
