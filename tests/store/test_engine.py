"""Opening a store: addresses that cannot be, and which faults are the store's own."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from thumbwheel.errors import ConfigInvalid, StoreUnavailable
from thumbwheel.store.engine import is_unreachable, open_engine, ping
from thumbwheel.store.ledger import Ledger


@pytest.mark.parametrize("url", ["nonsense", "mysql://x", "sqlite://", "sqlite:///", "sqlite:///:memory:"])
def test_an_address_that_cannot_be_a_store_is_refused(url: str) -> None:
    with pytest.raises(ConfigInvalid):
        open_engine(url)


def test_a_store_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    for url in (f"sqlite:///{tmp_path}/no/such/folder/x.db", "postgresql://nobody@127.0.0.1:1/none"):
        with pytest.raises(StoreUnavailable):
            ping(open_engine(url))


def test_a_bad_statement_is_not_taken_for_a_store_that_is_gone(ledger: Ledger) -> None:
    with pytest.raises(DBAPIError) as fault, ledger.read(1) as tx:
        tx.connection.execute(text("SELECT * FROM no_such_table"))
    assert not is_unreachable(fault.value)


def test_a_locked_file_is_unavailable_not_a_fault() -> None:
    fault = OperationalError("INSERT", None, sqlite3.OperationalError("database is locked"))
    assert is_unreachable(fault)
    assert not is_unreachable(OperationalError("SELECT", None, sqlite3.OperationalError("no such table: x")))


def test_rows_that_a_fault_left_unread_lock_nobody_out(tmp_path: Path) -> None:
    """What a traceback keeps alive would go on reading an old snapshot, and SQLite lets nobody write on top of one."""
    one, other = (Ledger(open_engine(f"sqlite:///{tmp_path}/store.db")) for _ in range(2))
    with one.begin(0) as tx:
        tx.connection.exec_driver_sql("CREATE TABLE row (n)")
        tx.connection.exec_driver_sql("INSERT INTO row VALUES (1), (2), (3)")
    unread: list[object] = []

    def fail() -> None:
        with one.begin(0) as tx:
            unread.append(tx.connection.exec_driver_sql("SELECT n FROM row"))
            raise OverflowError

    with pytest.raises(OverflowError):
        fail()
    for ledger in (other, one):
        with ledger.begin(0) as tx:
            tx.connection.exec_driver_sql("INSERT INTO row VALUES (4)")
    assert unread, "what was read is still held"
