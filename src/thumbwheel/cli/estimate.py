"""Command `thumbwheel estimate`: the failure rate, from the store or from a file of labels."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from thumbwheel.cli.measure import read_span
from thumbwheel.cli.wheel import JsonOption, ProjectOption, open_wheel, print_json

#: Columns a file of labels must have.
_COLUMNS = ("item", "failed", "inclusion_probability")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("estimate")(estimate)


def estimate(
    window: Annotated[str, typer.Option(help="How far back: 7d, 24h.")] = "7d",
    by_category: Annotated[bool, typer.Option("--by-category", help="Also one rate for each category.")] = False,
    against: Annotated[bool, typer.Option("--against-previous", help="Also the window before it.")] = False,
    file: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="F.csv",
            help="Labels in a file, with no store: item,failed,inclusion_probability[,stratum][,judge]; - is standard input.",
        ),
    ] = None,
    population: Annotated[
        int | None, typer.Option(min=1, help="With --from: how many items there were to draw from.")
    ] = None,
    judge_sum: Annotated[
        float | None,
        typer.Option(min=0, help="With --from: sum of the judge's probabilities of failure over the population."),
    ] = None,
    project: str = ProjectOption,
    as_json: bool = JsonOption,
) -> None:
    """Estimate how often the application fails, for all its traces.

    Example: `thumbwheel estimate --window 7d --by-category`, or `thumbwheel estimate --from labels.csv --population 12000`
    """
    if file is not None:
        told = _of_file(file, population, judge_sum)
    else:
        span = read_span(window)
        with open_wheel() as wheel:
            number = wheel.known_project(project)
            told = wheel.measure.estimate(number, span, by_category=by_category).as_dict()
            if against:
                told |= wheel.measure.change(number, span).as_dict()
    if as_json:
        print_json(told)
    else:
        _show(told)


def _of_file(file: str, population: int | None, judge_sum: float | None) -> dict[str, Any]:
    from thumbwheel.cli.table_file import read_table
    from thumbwheel.errors import Invalid
    from thumbwheel.services.measure import rate_of_rows

    if population is None:
        raise Invalid("How many items there were to draw from must be said: --population N.", field="population")
    return rate_of_rows(read_table(file, _COLUMNS), population, judge_sum)


def _show(told: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    from thumbwheel.web.words import counted

    console = Console()
    console.print(
        f"failure rate        [bold]{_rate(told)}[/]  ({told['method']}, {counted(told['n_labels'], 'label')}", end=""
    )
    console.print(f" for {counted(told['n_population'], 'trace')})" if told["n_population"] else ")")
    if told.get("core"):
        console.print(f"uniform picks only  {_rate(told['core'])}  ({counted(told['core']['n_labels'], 'label')})")
    if told["naive_rate"] is not None:
        console.print(f"[dim]share of labels that failed, which is not the failure rate: {told['naive_rate']:.1%}[/]")
    if told.get("n_frames") == 0:
        drawn = "none of what draws took from this window has a label yet"
        empty = "no draw has looked at traces of this window: choose a wider --window, or draw with thumbwheel sample"
        console.print(f"[yellow]{drawn if told['n_frames_unlabelled'] else empty}[/]")
    if told.get("n_undecided"):
        console.print(f"[yellow]{told['n_undecided']} entries are in dispute and count as not labelled[/]")
    if "change" in told:
        moved = told["change"]
        console.print(
            f"before {_rate(told['before'])}, change {moved['difference']:+.1%} "
            f"({moved['interval'][0]:+.1%} to {moved['interval'][1]:+.1%})"
            if moved
            else f"before {_rate(told['before'])}; too few labels to compare"
        )
    if told.get("by"):
        table = Table(box=None, pad_edge=False, header_style="dim")
        for heading in ("category", "failure rate", "labels"):
            table.add_column(heading)
        for row in told["by"]:
            table.add_row(row["category"] or "none", _rate(row), str(row["n_labels"]))
        console.print(table)


def _rate(told: dict[str, Any]) -> str:
    if told["failure_rate"] is None:
        return f"not enough labels: {told.get('n_labels', 0)} of {told['needs']['labels']}"
    low, high = told["interval"]
    return f"{told['failure_rate']:.1%} (95 % {low:.1%} to {high:.1%})"
