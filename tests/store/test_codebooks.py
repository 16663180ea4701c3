"""Codebook versions: numbered, written once, each project its own."""

from __future__ import annotations

import pytest

from tests.factories import DAY, MONDAY, a_category, a_codebook, a_codebook_version
from thumbwheel.errors import NotHere
from thumbwheel.store.ledger import Ledger


def test_a_version_comes_back_as_it_was_published(ledger: Ledger) -> None:
    version = a_codebook_version(note="first words — «ünïcode»\n")
    with ledger.begin(1) as tx:
        assert tx.codebooks.add(version)
        assert tx.codebooks.get(1) == version
        assert tx.codebooks.find_current() == version


def test_a_number_is_taken_once(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        tx.codebooks.add(a_codebook_version())
        assert not tx.codebooks.add(a_codebook_version(published_by="somebody else"))
        assert tx.codebooks.get(1).published_by == "owner"


def test_the_highest_number_is_current(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        for number in (1, 2, 10):
            tx.codebooks.add(a_codebook_version(version=number, published_at=MONDAY - number * DAY))
        assert [version.version for version in tx.codebooks.list_versions()] == [10, 2, 1]
        current = tx.codebooks.find_current()
        assert current is not None
        assert current.version == 10


def test_a_judgement_is_stamped_with_the_version_asked_for_or_the_current_one(ledger: Ledger) -> None:
    first, second = a_codebook(), a_codebook(categories=(a_category(),))
    with ledger.begin(1) as tx:
        assert tx.codebooks.stamp(None)[0] == 0
        assert tx.codebooks.stamp(None)[1].categories == ()
        tx.codebooks.add(a_codebook_version(codebook=first))
        tx.codebooks.add(a_codebook_version(version=2, codebook=second))
        assert tx.codebooks.stamp(None) == (2, second)
        assert tx.codebooks.stamp(1) == (1, first)
        with pytest.raises(NotHere):
            tx.codebooks.stamp(3)


def test_a_project_has_its_own_versions(ledger: Ledger) -> None:
    with ledger.begin(1) as tx:
        tx.codebooks.add(a_codebook_version())
    with ledger.begin(2) as tx:
        assert tx.codebooks.find_current() is None
        assert tx.codebooks.list_versions() == []
        with pytest.raises(NotHere):
            tx.codebooks.get(1)
        assert tx.codebooks.add(a_codebook_version())
