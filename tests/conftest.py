"""Fixtures every test may use: a clock, a ledger on each engine, a wheel with its server."""

from __future__ import annotations

import itertools
import os
import random
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hypothesis import settings
from sqlalchemy import Engine

from tests.postgres import postgres_server as postgres_server
from thumbwheel.app import Wheel
from thumbwheel.config import Settings
from thumbwheel.domain.person import Scope
from thumbwheel.serving import create_app
from thumbwheel.store.engine import open_engine
from thumbwheel.store.ledger import Ledger
from thumbwheel.store.migrate import migrate
from thumbwheel.store.tables import metadata

# A deadline would measure how busy the machine is; a fixed seed makes a red run red again.
settings.register_profile("house", deadline=None, derandomize=True)
settings.load_profile("house")

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Clock:
    """A time that moves only when told to."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def advance(self, **units: float) -> datetime:
        """Move on by days=, hours=, minutes= or seconds=."""
        self.at += timedelta(**units)
        return self.at


@pytest.fixture
def clock() -> Clock:
    """Noon of a Monday."""
    return Clock()


@pytest.fixture
def mint() -> Callable[[], str]:
    """Ids that count up, in the order they were made."""
    numbers = itertools.count(1)
    return lambda: f"{next(numbers):032x}"


@pytest.fixture
def dice(request: pytest.FixtureRequest) -> random.Random:
    """The luck of one test, the same in every run; `LUCK=2 make test` shows what another luck would do."""
    return random.Random(f"{request.node.nodeid} {os.environ.get('LUCK', '')}")


@pytest.fixture(scope="session")
def postgres_engine(postgres_server: str) -> Iterator[Engine]:
    """A PostgreSQL of this test process's own, with every table."""
    engine = open_engine(postgres_server)
    metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty store with every table, on each engine in turn."""
    if request.param == "sqlite":
        engine = open_engine(f"sqlite:///{tmp_path}/store.db")
        metadata.create_all(engine)
        yield engine
        engine.dispose()
        return
    engine = request.getfixturevalue("postgres_engine")
    yield engine
    with engine.begin() as connection:
        tables = ", ".join(table.name for table in metadata.sorted_tables)
        connection.exec_driver_sql(f"TRUNCATE {tables} RESTART IDENTITY")


@pytest.fixture
def ledger(engine: Engine) -> Ledger:
    """A ledger over an empty store, on each engine in turn."""
    return Ledger(engine)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite store as a fresh server makes it; copied, it saves each test the migrations."""
    path = tmp_path_factory.mktemp("migrated") / "store.db"
    engine = open_engine(f"sqlite:///{path}")
    migrate(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return path


@pytest.fixture
def wheel(
    tmp_path: Path, clock: Clock, migrated: Path, dice: random.Random, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Wheel]:
    """Every service, over SQLite, at a time that moves only when told to, with the same luck every time."""
    shutil.copy(migrated, tmp_path / "wheel.db")
    # Users keep their names, so that what comes back can be held against what was sent; tests/api/test_privacy.py has the defaults.
    settings = Settings(database_url=f"sqlite:///{tmp_path}/wheel.db", pseudonymise=False, scrub="patterns")
    numbers = itertools.count(int(NOW.timestamp() * 1000))
    wheel = Wheel(settings, now=clock, mint=lambda: f"{next(numbers):012x}{dice.getrandbits(80):020x}")
    with wheel.ledger.begin(0) as tx:
        for name in ("shuffle", "double", "pseudonym"):
            tx.people.secret(name, dice.randbytes(32))
    monkeypatch.setattr("thumbwheel.services.sample.randbits", dice.getrandbits)
    yield wheel
    wheel.stop()


@pytest.fixture
def client(wheel: Wheel) -> Iterator[TestClient]:
    """The real app, called with a key that may do everything in the project `default`."""
    made = wheel.access.add_key("default", Scope)
    with TestClient(create_app(wheel), raise_server_exceptions=False) as client:
        client.headers["Authorization"] = f"Bearer {made.secret_key}"
        yield client
