"""The filter language of alerts: what it means, and that nothing else is let in."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

import pytest
from hypothesis import given, strategies

from thumbwheel.errors import Invalid
from thumbwheel.sample.slice import MOST_TERMS, Term, read_filter, read_slice


@dataclass
class Row:
    category: str | None = None
    model: str | None = None
    prompt_version: str | None = None
    release: str | None = None
    user_id: str | None = None


@pytest.mark.parametrize(
    ("text", "row", "tags", "inside"),
    [
        ("category = billing", Row("billing"), (), True),
        ("category = billing", Row("travel"), (), False),
        ("category=billing and model != x", Row("billing", "y"), (), True),
        ("category=billing and model != x", Row("billing", "x"), (), False),
        ('model = "big 2"', Row(model="big 2"), (), True),
        (r'model = "a \"b\" \\c"', Row(model=r'a "b" \c'), (), True),
        ("tags has beta", Row(), ("alpha", "beta"), True),
        ("tags has beta and category = a", Row("a"), ("alpha",), False),
        ("release != 7", Row(), (), True),
        ("release = 7", Row(), (), False),
        (
            "user_id = u-1@x.org and prompt_version = v1.2+3",
            Row(user_id="u-1@x.org", prompt_version="v1.2+3"),
            (),
            True,
        ),
        ('category = "and"', Row("and"), (), True),
    ],
)
def test_what_a_filter_means(text: str, row: Row, tags: tuple[str, ...], inside: bool) -> None:
    assert read_filter(text).holds(row, tags) is inside


@pytest.mark.parametrize(
    "text",
    [
        "",
        "category",
        "category =",
        "category = billing or model = x",
        "category = billing; drop table traces",
        "category = 'billing'",
        'category = "billing',
        "project_id = 1",
        "__class__ = x",
        "sample_key = 1",
        "tags = beta",
        "tags has",
        "category == billing",
        "category = billing and",
        "category like %",
        "category = billing model = x",
        "category = (select 1)",
        "x" * 5000,
        " and ".join(["category = a"] * (MOST_TERMS + 1)),
    ],
)
def test_what_is_no_filter_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_filter(text)
    assert refused.value.field == "filter"


@given(strategies.text(max_size=60))
def test_any_text_is_read_or_refused_and_any_value_may_be_quoted(text: str) -> None:
    with contextlib.suppress(Invalid):
        assert read_filter(text).terms
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    assert read_filter(f'category = "{quoted}"').terms == (Term("category", "=", text),)


def test_a_fault_is_pointed_at() -> None:
    with pytest.raises(Invalid, match="character 11: '= big' stands where"):
        read_filter("category = = big")
    with pytest.raises(Invalid, match="it ends where"):
        read_filter("category =")


def test_a_stored_slice_joins_fields_and_a_filter() -> None:
    slice_ = read_slice({"category": "a", "where": "tags has beta"})
    assert (slice_.category, slice_.needs_tags) == ("a", True)
    for wrong in ({}, {"colour": "red"}):
        with pytest.raises(Invalid) as refused:
            read_slice(wrong)
        assert refused.value.field == "slice"
