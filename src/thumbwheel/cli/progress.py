"""A bar over long work; none when nobody watches."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from thumbwheel.connectors.files import Row, RowFile

_Item = TypeVar("_Item")


def progress_counting(items: Iterator[_Item], name: str) -> Iterator[_Item]:
    """The items, with a count of them when standard error is a terminal: nobody knows how many will come."""
    if not sys.stderr.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(name, total=None)
        for item in items:
            progress.advance(task)
            yield item


def progress_over(rows: RowFile, file: Path) -> Iterator[Row]:
    """The rows of a file, with a bar of how much of it has been read when standard error is a terminal."""
    if not sys.stderr.isatty():
        yield from rows
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(file.name, total=rows.total)
        for row in rows:
            progress.update(task, completed=rows.done)
            yield row


@contextmanager
def progress_share(name: str) -> Iterator[Callable[[float, str], None]]:
    """Something to tell how much is done, from 0 to 1, and what came of it; a bar when standard error is a terminal."""
    if not sys.stderr.isatty():
        yield lambda _share, _said: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(name, total=1.0)
        yield lambda share, said: progress.update(task, completed=share, description=f"{name}: {said}")
