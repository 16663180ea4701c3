"""One engine over SQLite and PostgreSQL. The only module that asks which of them this is."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

import msgspec
from sqlalchemy import BigInteger, Connection, Engine, Table, Text, create_engine, event, make_url, text
from sqlalchemy.engine import URL, Dialect
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, OperationalError
from sqlalchemy.types import TypeDecorator

from thumbwheel.errors import ConfigInvalid, ExtraMissing, StoreUnavailable

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR_MICROS = 3_600_000_000
DAY_MICROS = 24 * HOUR_MICROS

#: The turn to write, of each SQLite store.
_turns: WeakKeyDictionary[Engine, threading.Lock] = WeakKeyDictionary()
#: Seconds a writer waits for its turn.
_PATIENCE = 30.0

#: Held by whoever writes traces and signals, and by a draw while it closes its frame.
_ARCHIVE_LOCK = 0x7468756D62
#: Held, for each project, by whoever settles a label, and alone by whoever publishes a codebook.
_CODEBOOK_LOCK = 0x77626F6B


def micros(at: datetime) -> int:
    """Microseconds since 1970 UTC: how both engines store a time."""
    return (at - EPOCH) // timedelta(microseconds=1)


def from_micros(value: int) -> datetime:
    """The time stored as `value` microseconds since 1970 UTC."""
    return EPOCH + timedelta(microseconds=value)


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC time as integer microseconds: sorts, indexes and travels alike on every engine."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """To microseconds."""
        return None if value is None else micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """From microseconds."""
        return None if value is None else from_micros(value)


class JsonText(TypeDecorator[Any]):
    """Any value msgspec can encode, as JSON text. NUL characters stay escaped, so PostgreSQL takes them."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: object, dialect: Dialect) -> str | None:
        """To JSON text."""
        return None if value is None else msgspec.json.encode(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """From JSON text, as plain dicts and lists."""
        return None if value is None else msgspec.json.decode(value)


def _url(raw: str) -> URL:
    try:
        url = make_url(raw)
    except ArgumentError as fault:
        raise ConfigInvalid(f"THUMBWHEEL_DATABASE_URL is not a database address: {raw!r}.") from fault
    if url.drivername in {"postgres", "postgresql"}:
        return url.set(drivername="postgresql+psycopg")
    if url.drivername not in {"sqlite", "postgresql+psycopg"}:
        raise ConfigInvalid(f"THUMBWHEEL_DATABASE_URL must be sqlite:// or postgresql://, not {url.drivername}://.")
    return url


def open_engine(database_url: str) -> Engine:
    """Open the store at `database_url` (`sqlite:///file.db` or `postgresql://…`).

    Raises:
        ConfigInvalid: the address is not one thumbwheel can use.
        ExtraMissing: the PostgreSQL driver is not installed.
    """
    url = _url(database_url)
    if url.get_backend_name() == "sqlite":
        if url.database in {None, "", ":memory:"}:
            raise ConfigInvalid("THUMBWHEEL_DATABASE_URL must name a file: sqlite:///thumbwheel.db.")
        return _open_sqlite(url)
    try:
        return create_engine(url, pool_size=10, max_overflow=30, pool_pre_ping=True)
    except ModuleNotFoundError as missing:
        raise ExtraMissing("PostgreSQL needs its driver: pip install 'thumbwheel[postgres]'.") from missing


def _open_sqlite(url: URL) -> Engine:
    engine = create_engine(url, pool_size=20, max_overflow=40)
    _turns[engine] = threading.Lock()

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        for pragma in (
            "page_size=8192",
            "journal_mode=WAL",
            "synchronous=FULL",
            "busy_timeout=20000",
            "foreign_keys=ON",
            "cache_size=-65536",
            "temp_store=MEMORY",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def lock_archive(connection: Connection) -> None:
    """Let one writer at a time into the archive until this transaction ends.

    It makes trace ids gapless in commit order, so that "every trace up to id n" means the same to a draw and to
    everybody after it. SQLite's write transaction is that lock already.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ARCHIVE_LOCK})")


def lock_codebook(connection: Connection, project_id: int, *, alone: bool) -> None:
    """Let nobody publish a codebook until this transaction ends; with `alone`, let nobody settle a label either.

    So a label is either settled before a version is published, and seen by its quarantine, or after it, and checked
    against it. SQLite's write transaction is that lock already.
    """
    if connection.dialect.name == "postgresql":
        way = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
        connection.exec_driver_sql(f"SELECT {way}({_CODEBOOK_LOCK}, {int(project_id)})")


def prefer_seeks(connection: Connection) -> None:
    """Let the rest of this transaction look up joined rows by index rather than read whole tables.

    A draw joins short lists of ranges to tables of any size. PostgreSQL does not know how short the ranges are, takes
    each for half a percent of the table, and would read all of it; SQLite keeps to the order of a CROSS JOIN.
    """
    if connection.dialect.name == "postgresql":
        ways = ("hashjoin", "mergejoin", "seqscan")
        connection.exec_driver_sql("; ".join(f"SET LOCAL enable_{way} = off" for way in ways))


@contextmanager
def one_writer(engine: Engine) -> Iterator[None]:
    """Let this process's writers queue for SQLite's one write transaction rather than race for it.

    SQLite wakes whoever asks at the right moment; with many writers somebody can ask at the wrong one for ever.

    Raises:
        StoreUnavailable: the turn did not come in time.
    """
    turn = _turns.get(engine)
    if turn is None:
        yield
        return
    if not turn.acquire(timeout=_PATIENCE):
        raise StoreUnavailable("The store is busy; nothing was stored, try again.")
    try:
        yield
    finally:
        turn.release()


def skip_locked(connection: Connection) -> bool:
    """Whether rows can be locked one by one; SQLite locks the file and needs no row locks."""
    return connection.dialect.name == "postgresql"


def insert_rows(connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert tuples already in stored form (see `micros`): a quarter of the cost of dictionaries."""
    if not rows:
        return
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    names = ", ".join(columns)
    marks = ", ".join([mark] * len(columns))
    statement = f"INSERT INTO {table.name} ({names}) VALUES ({marks})"  # noqa: S608 - names of our own tables
    connection.exec_driver_sql(statement, list(rows))


def update_rows(connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Set columns of rows by their `id`, from tuples already in stored form with the id last."""
    if not rows:
        return
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    changes = ", ".join(f"{name} = {mark}" for name in columns)
    statement = f"UPDATE {table.name} SET {changes} WHERE id = {mark}"  # noqa: S608 - names of our own tables
    connection.exec_driver_sql(statement, list(rows))


def insert_new(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert rows, leaving alone those whose key is already there; how many were new."""
    if not rows:
        return 0
    # Without the option the count of an insert is -1 where the driver could return rows.
    statement = (
        _insert(connection.dialect.name == "sqlite", table)
        .on_conflict_do_nothing()
        .execution_options(preserve_rowcount=True)
    )
    return sum(connection.execute(statement, row).rowcount for row in rows)


def upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], add: Sequence[str] = ()) -> None:
    """Insert rows or, where the key is there, set the other columns (`add` columns are added to instead)."""
    if rows:
        statement = _upsert(connection.dialect.name == "sqlite", table, tuple(rows[0]), tuple(add))
        connection.execute(statement, list(rows))


def _insert(is_sqlite: bool, table: Table) -> Any:
    """An insert that can say what to do on a conflict; only the dialect in use is loaded."""
    if is_sqlite:
        from sqlalchemy.dialects.sqlite import insert as sqlite_insert

        return sqlite_insert(table)
    from sqlalchemy.dialects.postgresql import insert

    return insert(table)


@cache
def _upsert(is_sqlite: bool, table: Table, names: tuple[str, ...], add: tuple[str, ...]) -> Any:
    """The statement, which takes longer to make than to run."""
    statement = _insert(is_sqlite, table)
    keys = {column.name for column in table.primary_key}
    changes = {
        name: (table.c[name] + statement.excluded[name]) if name in add else statement.excluded[name]
        for name in names
        if name not in keys
    }
    return statement.on_conflict_do_update(index_elements=sorted(keys), set_=changes)


#: What SQLite says when the file, not the statement, is at fault.
_FILE_FAULTS = ("locked", "unable to open", "disk", "readonly", "full", "malformed", "not a database")


def is_unreachable(fault: BaseException) -> bool:
    """Whether the store itself failed, rather than the statement."""
    if not isinstance(fault, DBAPIError):
        return False
    if fault.connection_invalidated:
        return True
    if not isinstance(fault, OperationalError) and type(fault) is not DatabaseError:
        return False
    said = str(fault.orig)
    if "sqlite3" in type(fault.orig).__module__:
        return any(word in said for word in _FILE_FAULTS)
    return isinstance(fault, OperationalError)


def ping(engine: Engine) -> None:
    """Ask the store for a sign of life.

    Raises:
        StoreUnavailable: it gives none.
    """
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except DBAPIError as fault:
        raise StoreUnavailable from fault
