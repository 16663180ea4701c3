"""What every command shares: the wheel over the configured store, and the two ways to answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from thumbwheel.app import Wheel

#: The options every command spells alike.
ProjectOption = typer.Option("default", "--project", help="Project to work in.")
JsonOption = typer.Option(False, "--json", help="Print one JSON document.")


@contextmanager
def open_wheel() -> Iterator[Wheel]:
    """The wheel over the configured store; lets go of it afterwards."""
    from thumbwheel.app import Wheel
    from thumbwheel.config import read_settings

    wheel = Wheel(read_settings())
    try:
        yield wheel
    finally:
        wheel.stop()


def print_json(data: Any) -> None:
    """Print one JSON document on standard output."""
    import msgspec

    typer.echo(json.dumps(msgspec.to_builtins(data), ensure_ascii=False, indent=2))
