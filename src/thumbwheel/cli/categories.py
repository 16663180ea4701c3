"""Commands of categories: what strata traces get that come without one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from thumbwheel.cli.wheel import JsonOption, ProjectOption, open_wheel, print_json

if TYPE_CHECKING:
    from thumbwheel.services.categories import Cluster, Clustering

ByOption = Annotated[str, typer.Option(help="Who puts it in force, for the record.")]


def register(app: typer.Typer) -> None:
    """Add `categories`."""
    group = typer.Typer()
    group.callback(invoke_without_command=True)(categories)
    for name, command in (("fit", fit), ("assign", assign), ("rename", rename), ("clear", clear)):
        group.command(name)(command)
    app.add_typer(group, name="categories")


def categories(context: typer.Context, project: str = ProjectOption, as_json: bool = JsonOption) -> None:
    """Show the clusters that give a category to traces that come without one.

    Example: `thumbwheel categories --json`
    """
    if context.invoked_subcommand is not None:
        return
    with open_wheel() as wheel:
        versions = wheel.categories.versions(wheel.known_project(project))
    if as_json:
        told = _told(versions[0].clustering) if versions else None
        kept = [
            {"version": each.clustering.version, "at": each.at, "by": each.by, "note": each.clustering.note}
            for each in versions
        ]
        print_json({"in_force": told, "versions": kept})
        return
    if not versions:
        typer.echo("No clusters yet; thumbwheel categories fit proposes some.")
        return
    _show(versions[0].clustering)
    for each in versions:
        typer.echo(f"version {each.clustering.version}, {each.at:%F %R} by {each.by}: {each.clustering.note}")


def fit(
    clusters: Annotated[int, typer.Option(min=2, max=100, help="At most so many.")] = 12,
    last: Annotated[int, typer.Option(min=100, max=50_000, help="From the requests of so many newest traces.")] = 5_000,
    seed: Annotated[int, typer.Option(help="The same seed and requests give the same clusters.")] = 0,
    apply: Annotated[bool, typer.Option("--apply", help="Put them in force for traces that come from now on.")] = False,
    by: ByOption = "command line",
    project: str = ProjectOption,
    as_json: bool = JsonOption,
) -> None:
    """Learn clusters from what users ask. One that was there before keeps its name; nothing changes without --apply.

    Example: `thumbwheel categories fit --clusters 15 --apply --by maria`
    """
    with open_wheel() as wheel:
        number = wheel.known_project(project)
        found = wheel.categories.fit(number, clusters, last, seed)
        if apply:
            wheel.categories.apply(number, found, by)
    if as_json:
        print_json(_told(found) | {"applied": apply})
        return
    _show(found)
    typer.echo(found.note)
    typer.echo(
        f"version {found.version} is in force, by {by}; thumbwheel categories assign gives it to traces already here"
        if apply
        else "nothing changed; --apply puts it in force"
    )


def assign(
    window: Annotated[str, typer.Option(help="How far back: 30d, 24h.")] = "30d",
    project: str = ProjectOption,
    as_json: bool = JsonOption,
) -> None:
    """Give a category, by rules and clusters, to traces already here that have none and that no draw has counted.

    Example: `thumbwheel categories assign --window 7d`
    """
    from thumbwheel.cli.measure import read_span

    span = read_span(window)
    with open_wheel() as wheel:
        n = wheel.categories.assign(wheel.known_project(project), span)
    if as_json:
        print_json({"assigned": n})
    else:
        typer.echo(f"{n} {'trace has' if n == 1 else 'traces have'} a category now")


def rename(
    old: Annotated[str, typer.Argument(help="The name it has.")],
    new: Annotated[str, typer.Argument(help="The name its traces get from now on.")],
    by: ByOption = "command line",
    project: str = ProjectOption,
    as_json: bool = JsonOption,
) -> None:
    """Call a cluster something else; it keeps that name when clusters are learnt anew.

    Example: `thumbwheel categories rename invoice-refund billing`
    """
    with open_wheel() as wheel:
        found = wheel.categories.rename(wheel.known_project(project), old, new, by)
    _say(found, as_json=as_json)


def clear(by: ByOption = "command line", project: str = ProjectOption, as_json: bool = JsonOption) -> None:
    """Give clusters up: traces without a category stay without one from now on.

    Example: `thumbwheel categories clear --by maria`
    """
    with open_wheel() as wheel:
        found = wheel.categories.clear(wheel.known_project(project), by)
    _say(found, as_json=as_json)


def _say(found: Clustering, *, as_json: bool) -> None:
    if as_json:
        print_json(_told(found))
    else:
        typer.echo(f"version {found.version}: {found.note}")


def _show(found: Clustering) -> None:
    for cluster in found.clusters:
        typer.echo(f"{cluster.share:6.1%}  {cluster.name:28}  {_words(cluster)}")


def _told(found: Clustering) -> dict[str, Any]:
    return {
        "version": found.version,
        "note": found.note,
        "n_requests": found.n,
        "clusters": [
            {"name": cluster.name, "share": cluster.share, "words": list(cluster.words)[:10]}
            for cluster in found.clusters
        ],
    }


def _words(cluster: Cluster) -> str:
    return ", ".join(list(cluster.words)[:6])
