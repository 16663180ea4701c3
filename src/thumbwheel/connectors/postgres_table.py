"""The rows of a query on somebody's PostgreSQL: read only, in order of a cursor column, a few at a time."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from thumbwheel.errors import ExtraMissing, Invalid, SourceUnavailable

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.sql import Composed

#: Rows fetched at once.
_AT_ONCE: Final = 500
#: Rows are committed in another order than their times say: what is this much older is read once more.
OVERLAP: Final = timedelta(minutes=10)

_TABLE: Final = re.compile(r"\bfrom\s+((?:\"[^\"]+\"|\w+)(?:\.(?:\"[^\"]+\"|\w+))*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PostgresTable:
    """One query, asked of one database."""

    #: libpq's connection string or address; empty for what libpq's own environment and files say.
    dsn: str
    query: str
    #: The column rows are read in the order of.
    cursor: str | None = None

    @property
    def digest(self) -> str:
        """Tells this query and cursor from others: a position in one says nothing about another."""
        return hashlib.blake2b(f"{self._bare}\0{self.cursor}".encode(), digest_size=8).hexdigest()

    @property
    def _bare(self) -> str:
        return self.query.strip().rstrip(";").strip()

    def look(self, limit: int = 1_000) -> tuple[list[str], list[dict[str, Any]]]:
        """The names of the columns, and the first rows, in the order in which they will be read.

        Raises:
            SourceUnavailable: the database does not answer, or does not let us in.
            Invalid: it refuses the query, or there is no such cursor column.
            ExtraMissing: psycopg is not installed.
        """
        with self._asked(None, limit) as (names, rows):
            return names, list(rows)

    def rows(self, after: str | None = None) -> Iterator[dict[str, Any]]:
        """The rows by column, from this position of the cursor on; those at it, just before it or without one again.

        Raises:
            SourceUnavailable: the database does not answer, or has gone away.
            Invalid: it refuses the query.
        """
        with self._asked(after, None) as (_, rows):
            yield from rows

    def position(self, row: dict[str, Any], now: datetime) -> str | None:
        """Where this row is, to go on from later; None where it has no place.

        A time to come is taken for `now`: one wrong clock would hide everything that comes before it.
        """
        cell = None if self.cursor is None else row[self.cursor]
        if isinstance(cell, datetime):
            at = cell if cell.tzinfo else cell.replace(tzinfo=UTC)
            return min(at, now).isoformat()
        if isinstance(cell, date):
            return min(cell, now.date()).isoformat()
        return None if cell is None else str(cell)

    @contextmanager
    def _asked(self, after: str | None, limit: int | None) -> Iterator[tuple[list[str], Iterator[dict[str, Any]]]]:
        psycopg = _psycopg()
        if not self._bare:
            raise Invalid("A query is needed: --query 'SELECT … FROM …'.", field="query")
        try:
            with _connected(self.dsn) as connection, connection.cursor(name="thumbwheel") as found:
                found.itersize = _AT_ONCE
                found.execute(self._statement(connection, after, limit))
                names = [column.name for column in found.description or ()]
                for name in names:
                    if names.count(name) > 1:
                        raise Invalid(f"The column {name!r} comes twice; give one of them another name.", field="query")
                yield names, (dict(zip(names, row, strict=True)) for row in found)
        except psycopg.OperationalError as fault:
            raise SourceUnavailable(f"PostgreSQL: {_first_line(fault)}") from fault
        except psycopg.Error as fault:
            raise Invalid(f"PostgreSQL refuses the query: {_first_line(fault)}", field="query") from fault

    def _statement(self, connection: Connection[Any], after: str | None, limit: int | None) -> Composed:
        from psycopg import sql

        # Their own words, to be run with their own rights in a transaction that cannot write.
        theirs = sql.SQL(self._bare)
        statement = sql.SQL("SELECT * FROM (\n{}\n) AS thumbwheel").format(theirs)
        if self.cursor is not None:
            column = sql.Identifier(self.cursor)
            if after is not None:
                statement += sql.SQL(" WHERE {0} >= {1} OR {0} IS NULL").format(column, sql.Literal(_before(after)))
            statement += sql.SQL(" ORDER BY {}").format(column)
        return statement if limit is None else statement + sql.SQL(" LIMIT {}").format(sql.Literal(limit))


def table_name(query: str) -> str:
    """What a query's rows are called when nobody gave them a name: the first table it reads.

    >>> table_name('SELECT * FROM public."Message Feedback" f')
    'Message Feedback'
    """
    found = _TABLE.search(query)
    return found[1].rsplit(".", 1)[-1].strip('"') if found else "postgres"


def _before(after: str) -> str:
    """A little before a position that is a time; another as it is."""
    try:
        at = datetime.fromisoformat(after)
    except ValueError:
        return after
    return after if len(after) < 19 else (at - OVERLAP).isoformat()


@contextmanager
def _connected(dsn: str) -> Iterator[Connection[Any]]:
    psycopg = _psycopg()
    address = re.sub(r"^postgresql\+\w+://", "postgresql://", dsn)
    with psycopg.connect(address, application_name="thumbwheel", connect_timeout=10) as connection:
        connection.read_only = True
        yield connection
        # Nothing was written; this only lets go of the snapshot.
        connection.rollback()


def _psycopg() -> Any:
    try:
        import psycopg
    except ImportError as missing:
        raise ExtraMissing("PostgreSQL needs psycopg: pip install 'thumbwheel[postgres]'.") from missing
    return psycopg


def _first_line(fault: Exception) -> str:
    return str(fault).strip().split("\n")[0] or type(fault).__name__
