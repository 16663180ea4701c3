"""Command `thumbwheel agreement`: how far the raters in a file agree."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from thumbwheel.cli.wheel import JsonOption, print_json

_COLUMNS = ("item", "rater", "value")
_NAMES = {
    "percent_agreement": "agreement",
    "krippendorff_alpha": "Krippendorff's alpha",
    "fleiss_kappa": "Fleiss' kappa",
    "gwet_ac1": "Gwet's AC1",
}


class Level(StrEnum):
    """What the values are: names, an order, or numbers whose differences mean something."""

    nominal = "nominal"
    ordinal = "ordinal"
    interval = "interval"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("agreement")(agreement)


def agreement(
    file: Annotated[
        str,
        typer.Option("--from", metavar="F.csv", help="Ratings: item,rater,value; - is standard input."),
    ],
    level: Annotated[Level, typer.Option(help="What the values are.")] = Level.nominal,
    order: Annotated[
        str | None, typer.Option(help="Words of an ordinal scale from low to high, with commas between.")
    ] = None,
    as_json: bool = JsonOption,
) -> None:
    """Measure how far raters agree, with every coefficient in use; no server and no store.

    Example: `thumbwheel agreement --from ratings.csv --level ordinal --order bad,fair,good`
    """
    from thumbwheel.cli.table_file import read_table
    from thumbwheel.services.agreement import agreement_of_rows

    words = [word.strip() for word in order.split(",")] if order else []
    told = agreement_of_rows(read_table(file, _COLUMNS), level.value, words)
    if as_json:
        print_json(told)
    else:
        _show(told)


def _show(told: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    console.print(f"{told['n_ratings']} ratings of {told['n_items']} items by {told['n_raters']} raters")
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("", "value", "95 %"):
        table.add_column(heading)
    limits = told["intervals"]
    for name, words in _NAMES.items():
        table.add_row(words, *_cells(told[name], limits[name]))
    for pair, kappa in told["cohen_kappa"].items():
        table.add_row(f"Cohen's kappa {pair}", *_cells(kappa, limits["cohen_kappa"][pair]))
    for value, one in told["per_category"].items():
        table.add_row(f"alpha of “{value}” against the rest", *_cells(one["krippendorff_alpha"], one["interval"]))
    console.print(table)


def _cells(value: Any, limits: list[float] | None) -> tuple[str, str]:
    if isinstance(value, dict):
        return "–", f"[dim]{value['undefined']}[/]"
    return f"{value:.3f}", f"{limits[0]:.3f} to {limits[1]:.3f}" if limits else ""
