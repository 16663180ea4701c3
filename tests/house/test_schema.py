"""What migrations build is what tables.py declares, on each engine."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from tests.postgres import create_database, drop_database
from thumbwheel.errors import Conflict
from thumbwheel.store.engine import open_engine
from thumbwheel.store.migrate import HEAD, migrate
from thumbwheel.store.tables import metadata


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> object:
    """A store with nothing in it."""
    if request.param == "sqlite":
        yield open_engine(f"sqlite:///{tmp_path}/empty.db")
        return
    server = request.getfixturevalue("postgres_server")
    engine = open_engine(create_database(server, "migrated"))
    yield engine
    engine.dispose()
    drop_database(server, "migrated")


def test_the_migrated_schema_is_the_declared_one(empty: Engine) -> None:
    assert migrate(empty)
    with empty.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        differing = compare_metadata(context, metadata)
        found = set(inspect(connection).get_table_names())
    assert differing == []
    assert found == {*metadata.tables, "alembic_version"}


def test_tables_without_row_ids_are_so_in_a_migrated_sqlite_store(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/store.db")
    migrate(engine)
    declared = {name for name, table in metadata.tables.items() if table.kwargs.get("sqlite_with_rowid") is False}
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT name FROM sqlite_master WHERE sql LIKE '%WITHOUT ROWID%'"))
        assert {row.name for row in rows} == declared


def test_migrating_twice_does_nothing(empty: Engine) -> None:
    migrate(empty)
    assert not migrate(empty)


def test_a_store_from_the_future_is_refused(empty: Engine) -> None:
    migrate(empty)
    with empty.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Conflict, match="9999"):
        migrate(empty)


def test_head_is_the_last_migration() -> None:
    versions = Path(migrate.__code__.co_filename).parent / "migrations" / "versions"
    assert max(path.name.split("_")[0] for path in versions.glob("*.py")) == HEAD
