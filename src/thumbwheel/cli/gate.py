"""The gate: golden rows against the application's function; exit code 1 blocks the merge."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from thumbwheel.cli.wheel import JsonOption, ProjectOption, open_wheel, print_json
from thumbwheel.web.words import one_line

if TYPE_CHECKING:
    from thumbwheel.domain.artifact import GoldenRow
    from thumbwheel.services.gate import GateReport, GateRow, Progress

#: Rows the table shows when not asked for all of them.
_MOST_ROWS = 40


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("gate")(gate)


def gate(
    target: Annotated[
        str,
        typer.Option(metavar="MODULE:FUNCTION", help="The application's function, found from the current directory."),
    ],
    golden: Annotated[
        str,
        typer.Option(
            metavar="FILE|server", help="Golden rows: an exported JSONL file, - (standard input) or `server`."
        ),
    ] = "server",
    url: Annotated[
        str | None,
        typer.Option(envvar="THUMBWHEEL_URL", help="With server: its address; the configured store if unset."),
    ] = None,
    key: Annotated[
        str | None, typer.Option(envvar="THUMBWHEEL_KEY", help="With --url: an API key with the scope read.")
    ] = None,
    judge: Annotated[
        str | None,
        typer.Option(metavar="MODULE:FUNCTION", help="For judge checks: function(input, answer, expected) -> bool."),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Rows asked at the same time.")] = 4,
    timeout: Annotated[float, typer.Option(min=0.001, help="Seconds a row may take.")] = 60.0,
    allow_open: Annotated[
        bool, typer.Option("--allow-open", help="Known failures that are not fixed yet do not block.")
    ] = False,
    junit: Annotated[Path | None, typer.Option(dir_okay=False, help="Write JUnit XML here.")] = None,
    markdown: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write a summary for a pull request here.")
    ] = None,
    show_all: Annotated[bool, typer.Option("--all", help="Show the rows that pass, too.")] = False,
    project: str = ProjectOption,
    as_json: bool = JsonOption,
) -> None:
    """Ask the application every golden row again; exit 1 if that blocks the merge.

    The function is called as `function(input: dict) -> str | dict` and may be async. An input that is an object goes in
    as it was captured; a text as {"input": text, "messages": [...]}; a conversation as {"input": its last question,
    "messages": it}; anything else as {"input": value}.

    A row blocks unless its check passes: also when the function raises or takes too long, and when a judge check has no
    judge ("not judged"). With --allow-open that holds for guarding rows only: those whose fix has shipped.

    Exit codes: 0 nothing blocks, 1 blocked, 2 wrong use, 3 could not run.

    Example: `thumbwheel gate --target app:answer --golden golden.jsonl --junit gate.xml`
    """
    from thumbwheel.services.gate import find_function, find_judge, importing_from, run_gate

    rows = list(_rows(golden, url, key, project))
    with importing_from(str(Path.cwd())), _quiet(), _progress(len(rows), hidden=as_json) as progress:
        report = run_gate(
            rows,
            find_function(target),
            judge=find_judge(judge) if judge else None,
            workers=workers,
            timeout=timeout,
            allow_open=allow_open,
            progress=progress,
        )
    _write_files(report, junit, markdown)
    if as_json:
        print_json(_told(report))
    else:
        _show(report, show_all)
    if report.blocked:
        raise typer.Exit(1)


def _rows(golden: str, url: str | None, key: str | None, project: str) -> Iterator[GoldenRow]:
    from thumbwheel.services.gate import read_golden

    if golden == "server" and url:
        from thumbwheel.connectors.golden import fetch_golden

        yield from read_golden(fetch_golden(url, key))
    elif golden == "server":
        with open_wheel() as wheel:
            project_id = wheel.known_project(project)
            wheel.close.route(project_id)
            yield from wheel.close.stream_golden(project_id)
    elif golden == "-":
        yield from read_golden(sys.stdin.buffer)
    else:
        yield from _rows_of(Path(golden))


def _rows_of(file: Path) -> Iterator[GoldenRow]:
    from thumbwheel.errors import Invalid
    from thumbwheel.services.gate import read_golden

    try:
        with file.open("rb") as lines:
            yield from read_golden(lines)
    except OSError as fault:
        raise Invalid(f"Cannot read {file}: {fault.strerror}.", field="golden") from fault


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """What the application prints goes to standard error: standard output is for the report."""
    with contextlib.redirect_stdout(sys.stderr):
        yield


@contextlib.contextmanager
def _progress(total: int, *, hidden: bool) -> Iterator[Progress]:
    """A bar over the answers when somebody watches standard error."""
    if hidden or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("golden rows", total=total)
        yield lambda done: bar.update(task, completed=done)


def _write_files(report: GateReport, junit: Path | None, markdown: Path | None) -> None:
    from thumbwheel.errors import ThumbwheelError
    from thumbwheel.services import gate as service

    for file, render in ((junit, service.junit), (markdown, service.markdown)):
        if file is not None:
            try:
                file.write_text(render(report), encoding="utf-8")
            except OSError as fault:
                raise ThumbwheelError(f"Cannot write {file}: {fault.strerror}.") from fault


def _told(report: GateReport) -> dict[str, Any]:
    counts = {standing.value: n for standing, n in report.count().items()}
    return {
        "blocked": report.blocked,
        "sentence": report.sentence(),
        "counts": counts,
        "rows": [_row_told(row) for row in report.rows],
    }


def _row_told(row: GateRow) -> dict[str, Any]:
    return {
        "id": row.row.id,
        "status": row.row.status.value,
        "stands": row.standing.value,
        "blocks": row.blocks,
        "why": row.result.detail or None,
        "check": {"kind": row.row.check.kind.value, "value": row.row.check.value, "negate": row.row.check.negate},
        "categories": row.row.categories,
        "input": row.row.input,
        "answer": row.answer.output,
        "error": row.answer.error,
        "seconds": round(row.answer.seconds, 3),
        "expected": row.row.expected,
        "critique": row.row.critique,
        "trace_id": row.row.provenance.trace_id,
        "label_id": row.row.provenance.label_id,
    }


def _show(report: GateReport, show_all: bool) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from thumbwheel.domain.trace import text_of

    console = Console(highlight=False)
    shown = [row for row in report.rows if show_all or row.standing.value != "held"]
    if shown:
        table = Table(box=None, pad_edge=False, header_style="dim", expand=True)
        for heading, ratio in (("stands", None), ("asked", 2), ("why", 3)):
            table.add_column(heading, ratio=ratio, no_wrap=ratio is None)
        for row in shown if show_all else shown[:_MOST_ROWS]:
            words, style = _stands(row)
            why = one_line(row.result.detail, 200)
            table.add_row(Text(words, style), Text(one_line(text_of(row.row.input), 80)), Text(why))
        console.print(table)
    if not show_all and len(shown) > _MOST_ROWS:
        console.print(f"… and {len(shown) - _MOST_ROWS} more; --all shows them", style="dim")
    console.print(Text(report.sentence(), "bold red" if report.blocked else "bold green"))


def _stands(row: GateRow) -> tuple[str, str]:
    """How a row stands, in a word and a colour."""
    if row.standing.value == "undecided":
        words = "no answer" if row.answer.error is not None else "not judged"
    else:
        words = row.standing.value
    colours = {"held": "green", "cured": "green", "broken": "red"}
    return words, colours.get(words, "red" if row.blocks else "yellow")
