"""Spot checks: a fair pick of each reviewer's labels, which stays while it is worked through."""

from __future__ import annotations

from collections import Counter

from tests.factories import a_label
from thumbwheel.annotate.spot import spot_check
from thumbwheel.domain.annotation import Label, Settled


def labels(n: int, *annotators: str) -> list[Label]:
    return [a_label(id=f"label-{number}", annotators=annotators) for number in range(n)]


def picked(found: dict[str, list[Label]], name: str) -> list[str]:
    return [label.id for label in found[name]]


def test_each_reviewer_is_looked_at_as_often() -> None:
    found = spot_check([*labels(100, "ann"), *labels(9, "ben")], 5, seed="2026-11-23", owner="olga")
    assert {name: len(each) for name, each in found.items()} == {"ann": 5, "ben": 5}


def test_the_pick_stays_while_it_is_worked_through_and_changes_with_the_day() -> None:
    everything = labels(50, "ann")
    today = picked(spot_check(everything, 5, seed="day-1", owner="olga"), "ann")
    without_one = [label for label in everything if label.id != today[0]]
    assert picked(spot_check(without_one[::-1], 5, seed="day-1", owner="olga"), "ann")[:4] == today[1:]
    assert picked(spot_check(everything, 5, seed="day-2", owner="olga"), "ann") != today


def test_every_label_is_as_likely_as_every_other() -> None:
    times = Counter(
        id
        for day in range(2_000)
        for id in picked(spot_check(labels(10, "ann"), 2, seed=f"day-{day}", owner="olga"), "ann")
    )
    assert len(times) == 10
    assert all(330 < n < 470 for n in times.values()), "400 of 2,000 days, more or less four standard errors"


def test_what_an_owner_decided_or_judged_is_nobodys_to_check() -> None:
    own = labels(3, "olga")
    decided = [a_label(settled=Settled.adjudicated, annotators=("ann", "ben"))]
    assert spot_check([*own, *decided], 5, seed="day-1", owner="olga") == {}


def test_a_label_two_agreed_on_may_be_looked_at_for_each() -> None:
    found = spot_check([a_label(settled=Settled.agreed, annotators=("ben", "ann"))], 5, seed="day-1", owner="olga")
    assert list(found) == ["ann", "ben"]
