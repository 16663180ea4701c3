"""Bring a store to the newest schema."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from thumbwheel.errors import Conflict, StoreUnavailable
from thumbwheel.store.engine import is_unreachable, lock_archive

#: The newest revision; a test holds it against the migrations.
HEAD = "0001"
_SCRIPTS = Path(__file__).parent / "migrations"


def migrate(engine: Engine) -> bool:
    """Run the migrations this store has not had; True when there were any. Safe from many processes at once.

    Raises:
        StoreUnavailable: the store does not answer.
        Conflict: the store is newer than this program.
    """
    try:
        with engine.connect() as connection:
            if _revision(connection) == HEAD:
                return False
        with engine.connect() as opened:
            connection = opened.execution_options(writes=True)
            with connection.begin():
                lock_archive(connection)
                return _upgrade(connection)
    except DBAPIError as fault:
        if is_unreachable(fault):
            store = engine.url.render_as_string(hide_password=True)
            raise StoreUnavailable(f"The store {store} does not answer: {fault.orig}.") from fault
        raise


def _upgrade(connection: Connection) -> bool:
    from alembic import command
    from alembic.config import Config
    from alembic.util.exc import CommandError

    before = _revision(connection)
    if before == HEAD:
        return False
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as fault:
        raise Conflict(f"The store is at revision {before}, which this version does not know.") from fault
    return True


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
