"""Keys found by the beginning of their secret's hash, on both engines."""

from __future__ import annotations

from tests.conftest import NOW
from thumbwheel.domain.person import ApiKey, Scope
from thumbwheel.store.ledger import Ledger


def test_a_signer_is_found_by_the_beginning_of_its_hash(ledger: Ledger) -> None:
    keys = [
        ApiKey(id=f"k{n}", project="p", public_key=f"tw_pk_{n}", scopes=frozenset({Scope.ingest}), created_at=NOW)
        for n in range(3)
    ]
    with ledger.begin(0) as tx:
        project = tx.people.add_project("p", NOW)
        for key, secret_hash in zip(keys, ("abc1", "abc2", "ab_3"), strict=True):
            tx.people.add_key(key, project.id, secret_hash)
        tx.people.revoke_key("k1", NOW)
    with ledger.read(0) as tx:
        assert tx.people.list_signers("abc") == [(project.id, keys[0], "abc1")]
        assert tx.people.list_signers("ab_") == [(project.id, keys[2], "ab_3")]
        assert tx.people.list_signers("abd") == []
