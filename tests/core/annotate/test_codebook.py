"""A codebook is checked whole, and a revision quarantines exactly what it redefines."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import a_category, a_codebook, a_codebook_file, a_label
from tests.strategies import hostile_text, json_values
from thumbwheel.annotate.codebook import (
    EXAMPLE,
    FREE_KEYS,
    MEANING,
    RESERVED_KEYS,
    check,
    diff,
    quarantined,
    quarantines,
)
from thumbwheel.domain.annotation import Verdict
from thumbwheel.domain.codebook import Codebook
from thumbwheel.errors import CodebookInvalid


def faults(data: object) -> list[str]:
    with pytest.raises(CodebookInvalid) as refused:
        check(data)
    return refused.value.detail.splitlines()


def a_file(**category: Any) -> dict[str, Any]:
    """A codebook file whose first category has other fields; None takes one out."""
    data = copy.deepcopy(a_codebook_file())
    changed = data["categories"][0] | category
    data["categories"][0] = {name: value for name, value in changed.items() if value is not None}
    return data


def test_the_example_is_a_codebook_of_five_categories() -> None:
    codebook = check(yaml.safe_load(EXAMPLE))
    assert len(codebook.categories) == 5
    assert [category.key for category in codebook.categories] == ["w", "m", "d", "n", "h"]


def test_what_was_written_is_what_is_read() -> None:
    assert check(a_codebook_file()) == a_codebook()


def test_every_fault_is_found_at_once_and_names_its_place() -> None:
    data = a_file(id="Wrong Fact", positive="  ", edge_case=None, key="p", colour="red")
    data["categories"][1] = "missed the point"
    data["question"] = None
    assert faults(data) == [
        "question: is missing",
        "categories.0.'colour': is not a field here; known: id, name, definition, positive, negative, edge_case, key",
        "categories.0.positive: is empty",
        "categories.0.edge_case: is missing",
        "categories.0.id: must be a slug: small letters, digits and single hyphens or underscores between them",
        f"categories.0.key: 'p' is used by the page itself; free: {' '.join(FREE_KEYS)}",
        "categories.1: must be a mapping with id, name, definition, positive, negative, edge_case, key, not text",
    ]


def test_the_first_place_is_the_field_of_the_error() -> None:
    with pytest.raises(CodebookInvalid) as refused:
        check(a_file(definition=""))
    assert refused.value.field == "categories.0.definition"


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ("id: no", "categories.0.id: must be text, not yes or no; quote it"),
        ("name: 12", "categories.0.name: must be text, not a number; quote it"),
        ("definition: [a]", "categories.0.definition: must be text, not a list; quote it"),
        ("key: 1", "categories.0.key: '1' is used by the page itself"),
        ("key: ä", "categories.0.key: '\\xe4' is not one letter of a to z"),
        ("key: true", "categories.0.key: 'True' is not one letter of a to z"),
        ('name: "a\\0b"', "categories.0.name: holds a control character"),
        ("id: missed-point", "categories.1.id: 'missed-point' is already that of categories.0"),
        ("name: missed THE point", "categories.1.name: 'missed the point' is already that of categories.0"),
        ("key: M", "categories.1.key: 'm' is already that of categories.0"),
        ("negative: 60 days,  where the policy says 30.", "categories.0.negative: is the same text as the positive"),
    ],
)
def test_what_yaml_makes_of_a_slip_is_named(written: str, fault: str) -> None:
    [found] = faults(a_file(**yaml.safe_load(written)))
    assert found.startswith(fault)


@pytest.mark.parametrize("data", [None, "name: x", [], 3])
def test_what_is_no_mapping_is_refused_in_one_sentence(data: object) -> None:
    assert len(faults(data)) == 1


def test_a_codebook_without_categories_is_open_coding_but_a_missing_list_is_a_slip() -> None:
    assert check(a_codebook_file(categories=[])).categories == ()
    data = a_codebook_file()
    del data["categories"]
    assert faults(data) == ["categories: must be a list of categories; an empty list [] means open coding"]


def test_a_category_without_a_key_gets_the_first_free_letter_of_its_name() -> None:
    data = a_file(key=None, name="Pleasant but wrong")
    assert check(data).categories[0].key == "l"
    data["categories"][1]["key"] = "l"
    assert check(data).categories[0].key == "a"


def test_there_are_as_many_categories_as_free_letters() -> None:
    def many(n: int) -> dict[str, Any]:
        categories = [a_file(id=f"c{i}", name=f"C {i}", key=None)["categories"][0] for i in range(n)]
        return a_codebook_file(categories=categories)

    keys = [category.key for category in check(many(len(FREE_KEYS))).categories]
    assert sorted(keys) == sorted(FREE_KEYS)
    assert "letters are free" in faults(many(len(FREE_KEYS) + 1))[0]


texts = st.one_of(hostile_text(), json_values())
categories = st.fixed_dictionaries({}, optional=dict.fromkeys(("id", "name", *MEANING, "key", "note"), texts))
files = st.fixed_dictionaries(
    {},
    optional={
        "name": texts,
        "version": texts,
        "question": texts,
        "categories": st.lists(categories | texts, max_size=3),
    },
)


@given(files | json_values())
def test_anything_is_a_codebook_or_refused(data: object) -> None:
    refused = ""
    try:
        assert isinstance(check(data), Codebook)
    except CodebookInvalid as fault:
        refused = fault.detail
    assert all(": " in line or "mapping" in line for line in refused.splitlines())


@given(st.lists(st.tuples(st.sampled_from("abcdef "), st.sampled_from((None, *FREE_KEYS))), max_size=8))
def test_keys_are_distinct_and_free_and_the_asked_ones_are_kept(rows: list[tuple[str, str | None]]) -> None:
    asked = [key for _, key in rows if key]
    written = [
        a_file(id=f"c-{i}", name=f"{letter} {i}", key=key)["categories"][0] for i, (letter, key) in enumerate(rows)
    ]
    data = a_codebook_file(categories=written)
    if len(set(asked)) < len(asked):
        assert any("already" in fault for fault in faults(data))
        return
    keys = [category.key for category in check(data).categories]
    assert len(set(keys)) == len(keys)
    assert RESERVED_KEYS.isdisjoint(keys)
    assert all(key in (None, got) for (_, key), got in zip(rows, keys, strict=True))


def revised(**changes: Any) -> Codebook:
    first, *rest = a_codebook().categories
    return a_codebook(categories=(replace(first, **changes), *rest))


def test_nothing_changes_between_a_codebook_and_itself() -> None:
    assert not diff(a_codebook(), a_codebook())
    assert not diff(a_codebook(), revised(definition="States something\n   that is not so.", key="z"))


def test_a_revision_says_what_it_adds_removes_and_changes() -> None:
    old = a_codebook()
    new = a_codebook(
        question="Would you send it?",
        categories=(a_category(definition="Says what is not so.", name="Untrue"), a_category(id="rude", key="r")),
    )
    changes = diff(old, new)
    assert changes
    assert (changes.added, changes.removed, changes.question, changes.name) == (
        ("rude",),
        ("missed-point",),
        True,
        False,
    )
    assert changes.changed == {"wrong-fact": ("name", "definition")}
    back = diff(new, old)
    assert (back.added, back.removed) == (changes.removed, changes.added)


@pytest.mark.parametrize("field", MEANING)
def test_a_category_that_means_something_else_is_quarantined(field: str) -> None:
    assert quarantined(a_codebook(), revised(**{field: "something else"})) == {"wrong-fact"}


def test_a_new_name_or_key_quarantines_nothing() -> None:
    assert quarantined(a_codebook(), revised(name="Untrue", key="z")) == frozenset()


def test_a_removed_category_is_quarantined_and_an_added_one_is_not() -> None:
    old = a_codebook()
    new = a_codebook(categories=(*old.categories[1:], a_category(id="rude", key="r")))
    assert quarantined(old, new) == {"wrong-fact"}


def test_another_question_quarantines_every_label_also_passes() -> None:
    new = a_codebook(question="Would you send it?")
    assert quarantined(a_codebook(), new) == {"wrong-fact", "missed-point"}
    assert quarantines(a_codebook(), new, a_label(verdict=Verdict.passed))


def test_a_label_is_quarantined_with_any_of_its_categories() -> None:
    new = revised(definition="something else")
    assert quarantines(a_codebook(), new, a_label(categories=("missed-point", "wrong-fact")))
    assert not quarantines(a_codebook(), new, a_label(categories=("missed-point",)))
    assert not quarantines(a_codebook(), new, a_label(verdict=Verdict.passed))
