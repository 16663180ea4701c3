"""Commands that write artifacts to files, in the formats other tools read."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from thumbwheel.cli.wheel import JsonOption, ProjectOption, open_wheel, print_json
from thumbwheel.web.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from thumbwheel.services.close import Labelled
    from thumbwheel.wheel import Wheel

FileArgument = Annotated[str, typer.Argument(help="File to write, or - for standard output.")]
#: How each format's file name ends.
_FORMATS = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv"}
_LABEL_COLUMNS = (
    "id trace_id entry_id verdict failed categories critique corrected_output missing_knowledge documents settled "
    "settled_at annotators decided_by codebook_version policy picked_by purpose draw_id category inclusion_probability core"
).split()


def register(app: typer.Typer) -> None:
    """Add the commands."""
    export = typer.Typer(help="Write what labels became, in the formats other tools read.", no_args_is_help=True)
    export.command("golden")(golden)
    export.command("preferences")(preferences)
    export.command("labels")(labels)
    app.add_typer(export, name="export")


def golden(file: FileArgument = "-", project: str = ProjectOption, as_json: bool = JsonOption) -> None:
    """Write the golden rows as JSON lines: what `thumbwheel gate --golden FILE` reads.

    Expected answers that may not be used for evaluation are left out, and counted.

    Example: `thumbwheel export golden golden.jsonl`
    """
    export = _Export(file, as_json, ("golden row", "expected answer", "evaluation"))
    with open_wheel() as wheel:
        project_id = _closed(wheel, project)
        n = export.write(wheel.close.stream_golden(project_id))
        export.report(n, wheel.close.count_withheld(project_id, "golden"), wheel.quarantine.count(project_id))


def preferences(file: FileArgument = "-", project: str = ProjectOption, as_json: bool = JsonOption) -> None:
    """Write the preference pairs as JSON lines in TRL's format: prompt, chosen, rejected.

    Answers that may not be used for training are left out, and counted.

    Example: `thumbwheel export preferences pairs.jsonl`
    """
    export = _Export(file, as_json, ("preference pair", "pair", "training"))
    with open_wheel() as wheel:
        project_id = _closed(wheel, project)
        n = export.write(wheel.close.stream_trl(project_id))
        export.report(n, wheel.close.count_withheld(project_id, "preference"), wheel.quarantine.count(project_id))


def labels(file: FileArgument = "-", project: str = ProjectOption, as_json: bool = JsonOption) -> None:
    """Write every label that stands, with the chance its trace had of being drawn: JSON lines, or CSV by the file's name.

    Corrected answers that may not be used for evaluation are left out, and counted.

    Example: `thumbwheel export labels labels.csv`
    """
    export = _Export(file, as_json, ("label", "corrected answer", "evaluation"), tabular=True)
    with open_wheel() as wheel:
        project_id = _closed(wheel, project)
        n = export.write(map(_label, wheel.close.stream_labelled(project_id)))
        export.report(n, wheel.close.count_withheld(project_id, "golden"), wheel.quarantine.count(project_id))


def _closed(wheel: Wheel, project: str) -> int:
    """The project's number, once its settled labels have been routed: an export is never behind its labels."""
    project_id = wheel.known_project(project)
    wheel.close.route(project_id)
    return project_id


def _label(found: Labelled) -> dict[str, Any]:
    label, entry = found.label, found.entry
    return {
        "id": label.id,
        "trace_id": label.trace_id,
        "entry_id": label.entry_id,
        "verdict": label.verdict.value,
        "failed": int(label.verdict == "fail"),
        "categories": label.categories,
        "critique": label.critique,
        "corrected_output": label.corrected_output,
        "missing_knowledge": label.missing_knowledge,
        "documents": label.documents,
        "settled": label.settled.value,
        "settled_at": label.settled_at.isoformat(),
        "annotators": label.annotators,
        "decided_by": label.decided_by,
        "codebook_version": label.codebook_version,
        "policy": entry.policy.value,
        "picked_by": [policy.value for policy in entry.picked_by],
        "purpose": entry.purpose.value,
        "draw_id": entry.draw_id,
        "category": entry.category,
        "inclusion_probability": entry.inclusion_probability,
        "core": entry.core,
    }


class _Export:
    """One file being written, whole or not at all."""

    def __init__(self, file: str, as_json: bool, nouns: tuple[str, str, str], *, tabular: bool = False) -> None:
        from thumbwheel.errors import Invalid

        if file == "-" and as_json:
            raise Invalid("--json tells about the file; name one, or leave --json out.", field="file")
        self._file = file
        self._as_json = as_json
        self._nouns = nouns
        self._format = "jsonl" if file == "-" else _FORMATS.get(Path(file).suffix.lower(), "")
        if not self._format or (self._format == "csv" and not tabular):
            endings = ".jsonl or .csv" if tabular else ".jsonl"
            raise Invalid(f"{file}: name a file that ends in {endings}, or -.", field="file")

    def write(self, rows: Iterable[Any]) -> int:
        """Write every row; how many there were.

        Raises:
            ThumbwheelError: the file cannot be written.
        """
        from thumbwheel.errors import ThumbwheelError

        if self._file == "-":
            return self._print(rows, sys.stdout)
        target = Path(self._file)
        part = target.with_name(f".{target.name}.part")
        try:
            with part.open("w", encoding="utf-8", newline="") as out:
                n = self._print(rows, out)
            part.replace(target)
        except OSError as fault:
            part.unlink(missing_ok=True)
            raise ThumbwheelError(f"Cannot write {target}: {fault.strerror}.") from fault
        return n

    def _print(self, rows: Iterable[Any], out: IO[str]) -> int:
        return _print_csv(rows, out) if self._format == "csv" else _print_json_lines(rows, out)

    def report(self, n: int, withheld: int, quarantined: int) -> None:
        """Say how much was written, and how much was left out for lack of rights or since the codebook changed."""
        if self._as_json:
            print_json({"file": self._file, "rows": n, "withheld": withheld, "quarantined": quarantined})
            return
        what, part, use = self._nouns
        where = "" if self._file == "-" else f" to {self._file}"
        left_out = f"; {counted(withheld, part)} left out: no right of {use}" if withheld else ""
        aside = f"; {counted(quarantined, 'label')} set aside by the codebook left out" if quarantined else ""
        typer.echo(f"{counted(n, what)}{where}{left_out}{aside}", err=True)


def _print_json_lines(rows: Iterable[Any], out: IO[str]) -> int:
    import msgspec

    n = 0
    for row in rows:
        out.write(msgspec.json.encode(row).decode() + "\n")
        n += 1
    return n


def _print_csv(rows: Iterable[dict[str, Any]], out: IO[str]) -> int:
    import csv

    writer, n = csv.writer(out), 0
    writer.writerow(_LABEL_COLUMNS)
    for row in rows:
        writer.writerow([_cell(row[name]) for name in _LABEL_COLUMNS])
        n += 1
    return n


def _cell(value: Any) -> Any:
    """A value as one cell: several ids joined by a semicolon, an object as JSON."""
    if isinstance(value, list | tuple):
        return ";".join(map(str, value))
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False) if value else ""
    return value
