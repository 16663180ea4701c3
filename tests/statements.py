"""What a piece of work asks of the store: its statements, and the rows it fetches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine.cursor import FullyBufferedCursorFetchStrategy


@dataclass
class Asked:
    """Statements in order, and rows of all of them together."""

    statements: list[str] = field(default_factory=list)
    n_rows: int = 0


@contextmanager
def counted(engine: Engine) -> Iterator[Asked]:
    """Counts while it is open."""
    asked = Asked()

    def after(_connection: Any, cursor: Any, statement: str, _parameters: Any, context: Any, _many: bool) -> None:
        asked.statements.append(statement)
        if cursor.description is not None:
            rows = cursor.fetchall()
            asked.n_rows += len(rows)
            context.cursor_fetch_strategy = FullyBufferedCursorFetchStrategy(cursor, initial_buffer=rows)

    event.listen(engine, "after_cursor_execute", after)
    try:
        yield asked
    finally:
        event.remove(engine, "after_cursor_execute", after)
