"""The shelf, on each engine: things are kept once, in order, in their own project."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.conftest import Clock
from thumbwheel.errors import Conflict, NotHere
from thumbwheel.services.shelves import Shelves
from thumbwheel.store.ledger import Ledger


@pytest.fixture
def shelves(ledger: Ledger, clock: Clock, mint: Callable[[], str]) -> Shelves:
    return Shelves(ledger, clock, mint)


def test_a_thing_put_again_changes_only_in_what_is_said(shelves: Shelves, clock: Clock) -> None:
    first = shelves.put(1, "dataset", {"description": "old", "metadata": {"a": "\0"}}, id="capitals")
    clock.advance(hours=1)
    again = shelves.put(1, "dataset", {"description": "new"}, id="capitals")
    assert shelves.get(1, "dataset", "capitals") == again
    assert again.body == {"description": "new", "metadata": {"a": "\0"}}
    assert (again.created_at, again.updated_at > again.created_at) == (first.created_at, True)


def test_parts_are_listed_in_the_order_they_came(shelves: Shelves, clock: Clock) -> None:
    for name in ("b", "a", "c"):
        shelves.put(1, "item", {}, id=name, within="capitals")
        clock.advance(seconds=1)
    shelves.put(1, "item", {}, id="d", within="rivers")
    assert [each.id for each in shelves.list_within(1, "item", "capitals", limit=2, offset=1)] == ["a", "c"]
    assert shelves.count(1, "item", "capitals") == 3


def test_a_part_stays_where_it_is(shelves: Shelves) -> None:
    shelves.put(1, "item", {}, id="a", within="capitals")
    with pytest.raises(Conflict):
        shelves.put(1, "item", {}, id="a", within="rivers")


def test_what_expired_long_ago_is_taken_off_and_all_else_stays(shelves: Shelves, clock: Clock) -> None:
    for name, hours in (("short", 1), ("long", 24 * 60)):
        shelves.put(0, "address", {}, id=name, expires_at=clock() + timedelta(hours=hours))
    shelves.put(1, "dataset", {}, id="capitals")
    clock.advance(days=2)
    # Whoever uses it can still be told that it has expired.
    assert shelves.tidy() == 0
    clock.advance(days=30)
    assert shelves.tidy() == 1
    assert shelves.find(0, "address", "short") is None
    assert shelves.find(0, "address", "long") is not None
    assert shelves.find(1, "dataset", "capitals") is not None


def test_projects_do_not_see_each_others_things(shelves: Shelves) -> None:
    shelves.put(1, "item", {"of": 1}, id="a")
    shelves.put(2, "item", {"of": 2}, id="a")
    shelves.remove(2, "item", "a")
    assert shelves.get(1, "item", "a").body == {"of": 1}
    with pytest.raises(NotHere):
        shelves.get(2, "item", "a")
    with pytest.raises(NotHere):
        shelves.remove(2, "item", "a")
