"""Commands of capture: import."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from thumbwheel.cli.wheel import JsonOption, ProjectOption, open_wheel, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from thumbwheel.app import Wheel
    from thumbwheel.connectors.files import RejectedFile, Row
    from thumbwheel.domain.signal import Signal
    from thumbwheel.domain.trace import Trace
    from thumbwheel.errors import ThumbwheelError
    from thumbwheel.services.capture import Outcome

#: Rows kept together: one commit each.
_BATCH = 500

FileArgument = Annotated[Path, typer.Argument(help="JSONL, CSV or Parquet, also .gz.", exists=True, dir_okay=False)]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    imports = typer.Typer(help="Bring in traces or signals from JSONL, CSV or Parquet.", no_args_is_help=True)
    imports.command("traces")(import_traces)
    imports.command("signals")(import_signals)
    app.add_typer(imports, name="import")


def import_traces(file: FileArgument, project: str = ProjectOption, as_json: bool = JsonOption) -> None:
    """Bring in traces, one a row, with the fields of the native JSON.

    Refused rows are kept in FILE.rejected.jsonl, each with its reason.

    Example: `thumbwheel import traces week.jsonl`
    """
    _import(file, project, "traces", as_json=as_json)


def import_signals(file: FileArgument, project: str = ProjectOption, as_json: bool = JsonOption) -> None:
    """Bring in signals, one a row: trace_id, kind and the kind's own field.

    Refused rows are kept in FILE.rejected.jsonl, each with its reason.

    Example: `thumbwheel import signals thumbs.csv`
    """
    _import(file, project, "signals", as_json=as_json)


def _import(file: Path, project: str, what: str, *, as_json: bool) -> None:
    from thumbwheel.cli.progress import progress_over
    from thumbwheel.connectors.columns import What
    from thumbwheel.connectors.files import RejectedFile, RowFile

    rows = RowFile(file, What(what))
    with open_wheel() as wheel, RejectedFile(file) as rejected:
        make = _Traces if what == "traces" else _Signals
        coming = make(wheel, wheel.project(project), rejected)
        for row in progress_over(rows, file):
            coming.take(row)
        coming.flush()
    _tell(file, what, coming, as_json=as_json)


class _Coming(ABC):
    """Rows on their way in, a batch at a time."""

    def __init__(self, wheel: Wheel, project_id: int, rejected: RejectedFile) -> None:
        self.accepted = self.duplicates = self.refused = 0
        self._wheel = wheel
        self._now = wheel.now()
        self._project_id = project_id
        self._rejected = rejected
        self._rows: list[Row] = []

    def take(self, row: Row) -> None:
        """Decode a row, and keep it with the next batch."""
        from thumbwheel.errors import ThumbwheelError

        if row.error is not None:
            self._refuse(row, row.error)
            return
        try:
            self._decode(row.item)
        except ThumbwheelError as fault:
            self._refuse(row, fault)
            return
        self._rows.append(row)
        if len(self._rows) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        """Keep what has been read so far."""
        from thumbwheel.errors import ThumbwheelError

        for row, outcome in zip(self._rows, self._keep(), strict=True):
            if isinstance(outcome, ThumbwheelError):
                self._refuse(row, outcome)
            elif outcome:
                self.accepted += 1
            else:
                self.duplicates += 1
        self._rows.clear()

    def _refuse(self, row: Row, fault: ThumbwheelError) -> None:
        self.refused += 1
        self._rejected.add(row, fault)
        typer.echo(f"line {row.line}: {fault.detail}" + (f" (field {fault.field})" if fault.field else ""), err=True)

    @abstractmethod
    def _decode(self, item: object) -> None:
        """Add a row to the batch, or raise why not."""

    @abstractmethod
    def _keep(self) -> Sequence[Outcome]:
        """Keep the batch; what became of each row."""


class _Traces(_Coming):
    """Traces on their way in."""

    def __init__(self, wheel: Wheel, project_id: int, rejected: RejectedFile) -> None:
        super().__init__(wheel, project_id, rejected)
        self._values: list[tuple[Trace, int]] = []

    def _decode(self, item: object) -> None:
        from thumbwheel.connectors import native

        arrived = native.trace(item, self._now)
        self._values.append((arrived.value, arrived.content_hash))

    def _keep(self) -> Sequence[Outcome]:
        from thumbwheel.services.capture import Work

        values, self._values = self._values, []
        return self._wheel.capture.keep_now(Work(self._project_id, traces=values, channel="import")).traces


class _Signals(_Coming):
    """Signals on their way in."""

    def __init__(self, wheel: Wheel, project_id: int, rejected: RejectedFile) -> None:
        super().__init__(wheel, project_id, rejected)
        self._reasons = wheel.capture.reasons(project_id)
        self._values: list[tuple[Signal, int]] = []

    def _decode(self, item: object) -> None:
        from thumbwheel.connectors import native
        from thumbwheel.services.capture import check_reason

        arrived = native.signal(item, self._now, native.id_of(item))
        check_reason(arrived.value, self._reasons)
        self._values.append((arrived.value, arrived.content_hash))

    def _keep(self) -> Sequence[Outcome]:
        from thumbwheel.services.capture import Work

        values, self._values = self._values, []
        return self._wheel.capture.keep_now(Work(self._project_id, signals=values, channel="import")).signals


def _tell(file: Path, what: str, coming: _Coming, *, as_json: bool) -> None:
    refused_to = f"{file}.rejected.jsonl" if coming.refused else None
    counted = {"accepted": coming.accepted, "duplicates": coming.duplicates, "rejected": coming.refused}
    if as_json:
        print_json(counted | {"rejected_file": refused_to})
    else:
        typer.echo(f"{coming.accepted:,} {what} kept, {coming.duplicates:,} here already, {coming.refused:,} refused")
        if refused_to:
            typer.echo(f"The refused rows are in {refused_to}")
    if coming.refused and not coming.accepted and not coming.duplicates:
        raise typer.Exit(1)
