"""Draws accounted for, and made again as they were: on both engines."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.conftest import Clock
from tests.services.test_estimate import PROJECT, Product
from tests.services.test_estimate import product as product
from thumbwheel.domain.queue import Policy
from thumbwheel.errors import NotHere
from thumbwheel.services.draws import Draws
from thumbwheel.services.tune import Tune
from thumbwheel.store.ledger import Ledger


def test_an_account_adds_up_whichever_way_it_is_read(product: Product, ledger: Ledger, clock: Clock) -> None:
    product.serve(400, "a", seed=3)
    made = product.draw()
    product.label(made.entries[:25])
    with ledger.begin(PROJECT) as tx:
        tx.queue.drop([entry.id for entry in made.entries[25:30]], "overflow", clock())
        tx.queue.drop([made.entries[30].id], "seen by hand", clock())
    draws = Draws(ledger)
    (found,) = draws.recent(PROJECT)
    assert found == draws.get(PROJECT, made.draw.id)
    assert (found.whole.got, found.whole.n_labelled, found.whole.n_open) == (60, 25, 29)
    assert found.whole.dropped == {"overflow": 5, "by hand": 1}
    for parts in (found.policies, found.categories):
        assert sum(part.got for part in parts) == 60
        assert sum(part.n_labelled for part in parts) == 25
        assert sum(part.n_dropped for part in parts) == 6
        assert sum(part.n_failed for part in parts) == found.whole.n_failed
    assert {part.name: part.population for part in found.categories} == made.draw.population_by_category
    strata = sum(asked for policy, _, asked, _ in made.draw.lists if policy == Policy.stratified)
    assert sum(part.asked or 0 for part in found.categories) == strata
    with pytest.raises(NotHere):
        draws.get(PROJECT, "nothing")


def test_a_draw_that_was_only_tried_is_described_and_kept_nowhere(product: Product, ledger: Ledger) -> None:
    product.serve(400, "a", seed=4)
    tried = product.draw(dry_run=True, mix={"random": 1, "drift": 1})
    found = Draws(ledger).describe(PROJECT, tried)
    assert [(part.name, part.asked, part.got) for part in found.policies if part.asked] == [
        ("drift", 30, 0),
        ("random", 30, 60),
    ]
    assert found.policies[-1].why == "30 more, left over by the other policies"
    assert (found.draw.mix_version, found.whole.n_labelled) == (None, 0)
    assert Draws(ledger).recent(PROJECT) == []


def test_a_replay_of_the_same_mix_is_the_draw_itself_also_where_strata_have_a_remainder(
    product: Product, ledger: Ledger, clock: Clock
) -> None:
    tune = Tune(ledger, clock, product.mint)
    mix = dict.fromkeys((policy.value for policy in Policy), 1.0)
    for day in range(3):
        product.serve(300, f"d{day}-", seed=20 + day)
        product.label(product.draw(budget=31, seed=day, mix=mix).entries)
        clock.advance(days=1)
    replayed = tune.replay(PROJECT, mix)
    assert len(replayed) == 3
    for each in replayed:
        assert (each.replayed, each.n_known, each.n_caught) == (each.picked, 31, each.failures)
        assert each.expected == pytest.approx(each.failures)
        assert each.error == pytest.approx(0)


def test_a_second_draw_of_the_frame_changes_nothing_a_replay_says(
    product: Product, ledger: Ledger, clock: Clock
) -> None:
    tune = Tune(ledger, clock, product.mint)
    product.serve(400, "a", seed=30)
    product.label(product.draw().entries)
    before = tune.replay(PROJECT, {"negative": 1, "random": 1})
    clock.advance(hours=1)
    assert product.draw(seed=2, again=True, window=timedelta(days=8)).draw.again_of
    assert tune.replay(PROJECT, {"negative": 1, "random": 1}) == before
    assert before[0].n_caught <= before[0].n_known < 60


def test_a_draw_for_which_the_queue_had_little_room_says_so_and_is_replayed_as_large_as_it_was(
    product: Product, ledger: Ledger, clock: Clock
) -> None:
    product.serve(400, "a", seed=40)
    entries = product.draw().entries
    for day in range(4):
        product.label(entries[5 * day : 5 * day + 5])
        clock.advance(days=1)
    product.serve(400, "b", seed=41)
    product.draw(seed=2)
    found, before = Draws(ledger).recent(PROJECT)
    assert (before.lowered, before.n_asked) == (None, 60)
    assert found.lowered is not None
    assert found.lowered.startswith(f"{found.n_asked} of 60: 40 entries wait and 35 can be worked off")
    assert 9 == found.n_asked == found.whole.got < found.draw.budget
    replayed = Tune(ledger, clock, product.mint).replay(PROJECT, {"negative": 1, "random": 1})
    assert replayed[0].replayed == {"random": 9}
    assert sum(replayed[1].replayed.values()) == 60
