"""Commands of capture: import."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from thumbwheel.cli.wheel import JsonOption, ProjectOption, open_wheel, print_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from thumbwheel.app import Wheel
    from thumbwheel.connectors.files import Row

#: Rows kept together: one commit each.
_BATCH = 500


def register(app: typer.Typer) -> None:
    """Add the commands."""
    imports = typer.Typer(help="Bring in traces or signals from JSONL, CSV or Parquet.", no_args_is_help=True)
    imports.command("traces")(import_traces)
    imports.command("signals")(import_signals)
    app.add_typer(imports, name="import")


FileArgument = Annotated[Path, typer.Argument(help="JSONL, CSV or Parquet, also .gz.", exists=True, dir_okay=False)]


def import_traces(file: FileArgument, project: str = ProjectOption, as_json: bool = JsonOption) -> None:
    """Bring in traces, one a row, with the fields of the native JSON.

    Refused rows are kept in FILE.rejected.jsonl, each with its reason.

    Example: `thumbwheel import traces week.jsonl`
    """
    _import(file, project, "traces", as_json)


def import_signals(file: FileArgument, project: str = ProjectOption, as_json: bool = JsonOption) -> None:
    """Bring in signals, one a row: trace_id, kind and the kind's own field.

    Refused rows are kept in FILE.rejected.jsonl, each with its reason.

    Example: `thumbwheel import signals thumbs.csv`
    """
    _import(file, project, "signals", as_json)
