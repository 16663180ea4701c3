"""Command of measuring: report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from thumbwheel.cli.wheel import JsonOption, ProjectOption, open_wheel, print_json

if TYPE_CHECKING:
    from datetime import timedelta

    from thumbwheel.services.measure import Report


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("report")(report)


def report(
    window: Annotated[str, typer.Option(help="How far back: 7d, 24h. Widened to whole UTC days.")] = "7d",
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", dir_okay=False, help="Write one self-contained HTML file.")
    ] = None,
    project: str = ProjectOption,
    as_json: bool = JsonOption,
) -> None:
    """Show the loop's state: the funnel, what each policy caught, the times, agreement and fixes.

    Example: `thumbwheel report --window 7d --html report.html`
    """
    span = read_span(window)
    with open_wheel() as wheel:
        found = wheel.measure.report(wheel.known_project(project), span)
    if html is not None:
        _write(found, html, project)
    if as_json:
        print_json(found.as_dict())
    elif html is None:
        from thumbwheel.cli.report import show

        show(found, project)


def _write(found: Report, file: Path, project: str) -> None:
    from thumbwheel.errors import ThumbwheelError
    from thumbwheel.web.report import report_file

    try:
        file.write_text(report_file(found, project), encoding="utf-8")
    except OSError as fault:
        raise ThumbwheelError(f"Cannot write {file}: {fault.strerror}.") from fault
    typer.echo(f"wrote {file}", err=True)


def read_span(text: str) -> timedelta:
    """A span of time as people write it: 7d, 24h.

    Raises Invalid for anything else.
    """
    from datetime import timedelta

    from thumbwheel.connectors.span import parse_span
    from thumbwheel.errors import Invalid

    try:
        span = parse_span(text)
    except ValueError as fault:
        raise Invalid(f"{fault}.", field="window") from fault
    assert isinstance(span, timedelta)
    return span
