"""Commands of capture: import."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from thumbwheel.cli.mapping import MapOption, ReasonOption, Said, ValueOption, YesOption
from thumbwheel.cli.wheel import JsonOption, ProjectOption, open_wheel, print_json

if TYPE_CHECKING:
    from thumbwheel.cli.incoming import Coming
    from thumbwheel.connectors.files import RowFile

FileArgument = Annotated[Path, typer.Argument(help="JSONL, CSV or Parquet, also .gz.", exists=True, dir_okay=False)]
NameOption = Annotated[
    str | None, typer.Option("--name", help="Name what its columns are is saved under; else the file's own.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    imports = typer.Typer(help="Bring in traces or signals from JSONL, CSV or Parquet.", no_args_is_help=True)
    imports.command("traces")(import_traces)
    imports.command("signals")(import_signals)
    app.add_typer(imports, name="import")


def import_traces(
    file: FileArgument,
    maps: MapOption = None,
    name: NameOption = None,
    yes: YesOption = False,
    project: str = ProjectOption,
    as_json: bool = JsonOption,
) -> None:
    """Bring in traces, one a row, with the fields of the native JSON or columns of your own.

    What columns are is guessed, shown and, where it is doubtful, asked; the
    answers are saved with the project. Refused rows are kept in
    FILE.rejected.jsonl, each with its reason.

    Example: `thumbwheel import traces week.jsonl`
    """
    _import(file, project, "traces", Said.of(maps, None, None), name, yes=yes, as_json=as_json)


def import_signals(
    file: FileArgument,
    maps: MapOption = None,
    values: ValueOption = None,
    reasons: ReasonOption = None,
    name: NameOption = None,
    yes: YesOption = False,
    project: str = ProjectOption,
    as_json: bool = JsonOption,
) -> None:
    """Bring in signals, one a row: trace_id, kind and the kind's own field, or columns of your own.

    A row with an input and an output makes its trace too, where that is not
    here. What columns and values are is guessed, shown and, where it is
    doubtful, asked; the answers are saved with the project. Refused rows are
    kept in FILE.rejected.jsonl, each with its reason.

    Example: `thumbwheel import signals thumbs.csv --map msg=trace_id --value 4..5=up --value 1..2=down`
    """
    _import(file, project, "signals", Said.of(maps, values, reasons), name, yes=yes, as_json=as_json)


def _import(file: Path, project: str, what: str, said: Said, name: str | None, *, yes: bool, as_json: bool) -> None:
    from thumbwheel.cli.incoming import ComingSignals, ComingTraces
    from thumbwheel.cli.mapping import settle_columns
    from thumbwheel.cli.progress import progress_over
    from thumbwheel.connectors.fields import What
    from thumbwheel.connectors.files import RejectedFile, RowFile

    rows = RowFile(file, What(what))
    with open_wheel() as wheel, RejectedFile(file) as rejected:
        project_id = wheel.project(project)
        table = rows.look()
        if table[0] and (said.fields or not _is_native(rows, table[1])):
            columns = settle_columns(
                wheel, project_id, name or file.name.split(".")[0], table, What(what), said, yes=yes, source=None
            )
            rows = RowFile(file, What(what), columns)
        make = ComingTraces if what == "traces" else ComingSignals
        coming = make(wheel, project_id, rejected)
        for row in progress_over(rows, file):
            coming.take(row)
        coming.flush()
    _tell(file, what, coming, as_json=as_json)


def _is_native(rows: RowFile, found: list[dict[str, object]]) -> bool:
    """Whether a file of objects has them in the native JSON: an object of anybody's own has not all of these."""
    from thumbwheel.connectors.fields import What
    from thumbwheel.connectors.files import Format

    needed = {"id", "started_at"} if rows.what is What.traces else {"trace_id", "kind"}
    return rows.format is Format.jsonl and any(needed <= each.keys() for each in found)


def _tell(file: Path, what: str, coming: Coming, *, as_json: bool) -> None:
    refused_to = f"{file}.rejected.jsonl" if coming.refused else None
    counted = {"accepted": coming.accepted, "duplicates": coming.duplicates, "rejected": coming.refused}
    made = coming.counted[0] if what == "signals" else 0
    counted |= {"traces": made} if made else {}
    counted |= {"skipped": coming.skipped} if coming.skipped else {}
    if as_json:
        print_json(counted | {"rejected_file": refused_to})
    else:
        skipped = f", {coming.skipped:,} say nothing" if coming.skipped else ""
        typer.echo(
            f"{coming.accepted:,} {what} kept, {coming.duplicates:,} here already, {coming.refused:,} refused{skipped}"
        )
        if made:
            typer.echo(f"{made:,} traces made of what was asked and answered")
        if refused_to:
            typer.echo(f"The refused rows are in {refused_to}")
    if coming.refused and not coming.accepted and not coming.duplicates:
        raise typer.Exit(1)
