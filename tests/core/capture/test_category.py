"""Category rules: the first that holds, every condition of it, and none for a trace that has a category."""

from __future__ import annotations

import pytest

from tests.factories import a_trace
from thumbwheel.capture.category import categorise, read_category_rules
from thumbwheel.errors import Invalid

RULES = read_category_rules(
    [
        {"category": "billing", "name": "invoice*"},
        {"category": "travel", "input": ["FLIGHT", "hotel room"], "tags": "web"},
        {"category": "rest", "model": "*"},
    ]
)


@pytest.mark.parametrize(
    ("given", "category"),
    [
        ({"name": "invoice-v2"}, "billing"),
        ({"name": "Invoice"}, "rest"),
        ({"name": "x", "input": "A flight, please", "tags": ("beta", "web")}, "travel"),
        ({"name": "x", "input": "A flight, please", "tags": ()}, "rest"),
        ({"name": "x", "input": [{"role": "user", "content": "a HOTEL ROOM"}], "tags": ("web",)}, "travel"),
        ({"name": None, "model": None}, None),
    ],
)
def test_the_first_rule_that_holds_gives_the_category(given: dict[str, object], category: str | None) -> None:
    assert categorise(a_trace(category=None, **given), RULES) == category


def test_a_category_of_its_own_stays() -> None:
    assert categorise(a_trace(category="mine", name="invoice"), RULES) == "mine"
    assert categorise(a_trace(category=None), ()) is None


@pytest.mark.parametrize(
    ("stored", "field"),
    [
        ({}, "categories"),
        ([{}], "categories.0"),
        ([{"category": "a"}], "categories.0"),
        ([{"category": "a", "colour": "red"}], "categories.0"),
        ([{"category": "a", "name": "x"}, {"category": "b", "name": []}], "categories.1.name"),
        ([{"category": "a", "name": [1]}], "categories.0.name"),
        ([{"category": "a", "name": "x"}] * 101, "categories"),
    ],
)
def test_what_is_no_rule_is_refused_naming_it(stored: object, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_category_rules(stored)
    assert refused.value.field == field
