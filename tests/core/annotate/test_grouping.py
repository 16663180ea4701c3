"""Notes into groups, groups into a codebook's data, and the curve of new modes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.metrics import silhouette_score

from tests.factories import MINUTE, MONDAY
from thumbwheel.annotate import grouping as grouped
from thumbwheel.annotate.axial import codebook_data, drafts, slug
from thumbwheel.annotate.codebook import FREE_KEYS, check
from thumbwheel.annotate.grouping import clusters, letters, modes, proposal, unsorted
from thumbwheel.annotate.naming import characteristic
from thumbwheel.annotate.saturation import saturation
from thumbwheel.domain.note import Group, Grouping, Note


def notes(*texts: str) -> list[Note]:
    """Notes n1, n2, … a minute apart."""
    return [
        Note(id=f"n{number}", trace_id=f"trace-{number}", annotator="ann", text=text, at=MONDAY + number * MINUTE)
        for number, text in enumerate(texts, 1)
    ]


def blocks(*sizes: int, within: float = 0.9, between: float = 0.1) -> grouped.Floats:
    """Similarities of notes in blocks."""
    where = np.repeat(np.arange(len(sizes)), sizes)
    alike = np.where(where[:, np.newaxis] == where, within, between)
    np.fill_diagonal(alike, 1.0)
    return np.asarray(alike, dtype=np.float64)


LINK = ["The link is dead", "Dead link again", "A link to nowhere"]
TONE = ["Rude tone", "Its tone is rude"]


# --- clusters


def test_blocks_are_found_and_a_note_like_no_other_is_left_alone() -> None:
    assert clusters(blocks(4, 3, 1, 3)) == [[0, 1, 2, 3], [4, 5, 6], [8, 9, 10], [7]]


def test_notes_that_say_the_same_are_one_group_and_few_notes_are_no_fault() -> None:
    assert clusters(np.ones((5, 5))) == [[0, 1, 2, 3, 4]]
    assert clusters(np.ones((1, 1))) == [[0]]
    assert clusters(np.zeros((0, 0))) == []
    assert clusters(blocks(2, within=0.3)) == [[0], [1]]


def test_notes_that_have_nothing_in_common_stand_alone() -> None:
    assert clusters(np.eye(6)) == [[0], [1], [2], [3], [4], [5]]


@given(st.integers(0, 10_000), st.integers(2, 24))
def test_every_note_is_in_one_cluster_whatever_the_order(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, 4))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    alike = rows @ rows.T
    found = clusters(alike)
    assert sorted(note for each in found for note in each) == list(range(n))
    assert found == clusters(alike)
    order = rng.permutation(n)
    again = clusters(alike[np.ix_(order, order)])
    assert {frozenset(int(order[note]) for note in each) for each in again} == {frozenset(each) for each in found}


def test_the_silhouette_is_scikit_learns() -> None:
    rng = np.random.default_rng(7)
    rows = rng.normal(size=(30, 3))
    away = np.sqrt(((rows[:, np.newaxis] - rows) ** 2).sum(axis=2))
    for k in (2, 5, 11):
        cut = fcluster(linkage(rows, "average"), k, "maxclust")
        ours, theirs = grouped._silhouette(away, cut), silhouette_score(away, cut, metric="precomputed")
        assert ours == pytest.approx(theirs)


# --- the proposal


def test_groups_are_named_by_the_words_that_tell_them_apart() -> None:
    made = proposal(notes(*LINK, *TONE, "Too long"), blocks(3, 2, 1))
    assert [(group.name, group.key, group.note_ids) for group in made.groups] == [
        ("Link, dead", "l", ("n1", "n2", "n3")),
        ("Rude, tone", "r", ("n4", "n5")),
    ]
    assert [note.id for note in unsorted(made, notes(*LINK, *TONE, "Too long"))] == ["n6"]


def test_letters_run_out_but_are_never_given_twice() -> None:
    given_letters = letters([f"mode {number}" for number in range(20)])
    assert sorted(letter for letter in given_letters if letter) == sorted(FREE_KEYS)
    assert given_letters[17:] == ["", "", ""]


def test_a_word_in_every_note_names_no_group() -> None:
    everything = ["order late", "order lost", "order late again", "order lost for good"]
    assert characteristic([everything[0], everything[2]], everything)[0] == "late"


# --- drafts


def drafted(texts: Sequence[str], alike: grouped.Floats, *groups: Group) -> dict[str, object]:
    made = Grouping(groups=groups) if groups else proposal(notes(*texts), alike)
    return codebook_data(made, drafts(made, notes(*texts), alike), name="shop")


def test_a_proposal_is_a_codebook_the_check_accepts() -> None:
    texts = [*LINK, *TONE, "Too long"]
    book = check(drafted(texts, blocks(3, 2, 1)))
    assert [(one.id, one.key) for one in book.categories] == [("link-dead", "l"), ("rude-tone", "r")]
    assert book.categories[0].positive in {f"“{text}”" for text in LINK}
    assert "Rude, tone" in book.categories[0].negative
    assert "“link”" in book.categories[0].definition
    assert book.question


def test_one_group_of_everything_is_one_too() -> None:
    assert len(check(drafted(["same", "same"], np.ones((2, 2)))).categories) == 1


@pytest.mark.parametrize("text", ["\x00\x1b[31m", "<script>alert(1)</script>", "é" * 5_000, "!!!", "\ud800x", "说错了"])
def test_whatever_a_note_says_its_draft_can_be_kept(text: str) -> None:
    texts = [text, f"{text} ", "Too long"]
    made = Grouping(groups=(Group(id="a", note_ids=("n1", "n2")), Group(id="b", note_ids=("n3",))))
    book = check(codebook_data(made, drafts(made, notes(*texts), blocks(2, 1)), name="shop"))
    assert len({one.id for one in book.categories}) == 2


def test_what_the_owner_wrote_stands_and_groups_without_notes_are_left_away() -> None:
    mine = Group(id="a", note_ids=("n1",), name="Dead link", definition="A link that leads nowhere.", key="z")
    book = check(drafted(LINK, blocks(3), mine, Group(id="b", note_ids=())))
    (one,) = book.categories
    assert (one.name, one.definition, one.key, one.id) == ("Dead link", "A link that leads nowhere.", "z", "dead-link")


def test_groups_without_a_name_never_get_the_same_one() -> None:
    groups = (Group(id="a", note_ids=("n1",)), Group(id="b", note_ids=("n2",)), Group(id="c", note_ids=("n3",)))
    book = check(drafted(["rude", "rude", "rude"], np.ones((3, 3)), *groups))
    assert [one.name for one in book.categories] == ["Rude", "Rude 2", "Rude 3"]
    assert [slug("Crème brûlée"), slug("--", ["mode"])] == ["creme-brulee", "mode-2"]


# --- saturation


def test_the_curve_counts_what_is_new_in_each_twenty_notes() -> None:
    said = [*"abcdefgh", *"abcd" * 3, *"abci" * 5, *"a" * 7]
    curve = saturation(said)
    assert [(step.n_notes, step.n_new) for step in curve.steps] == [(20, 8), (40, 1), (47, 0)]
    assert (curve.n_notes, curve.n_modes, curve.n_new_last) == (47, 9, 0)
    assert curve.unseen_probability == pytest.approx(4 / 47)
    assert saturation([]).unseen_probability is None


@given(st.lists(st.one_of(st.none(), st.integers(0, 30)), max_size=90))
def test_the_steps_of_a_curve_add_up(said: list[int | None]) -> None:
    curve = saturation(said)
    assert sum(step.n_new for step in curve.steps) == curve.n_modes == len({mode for mode in said if mode is not None})
    assert [step.n_notes for step in curve.steps][-1:] == ([len(said)] if said else [])
    assert curve.n_new_last <= min(20, curve.n_modes)


def test_a_note_nobody_sorted_counts_as_a_mode_and_one_left_out_does_not() -> None:
    sorted_so_far = Grouping(groups=(Group(id="a", note_ids=("n1", "n3")),), left_out=("n4",))
    assert modes(sorted_so_far, notes("1", "2", "3", "4", "5")) == ["a", "note n2", "a", None, "note n5"]
