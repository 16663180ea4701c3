"""`thumbwheel queue add`, `undo`, `release` and `quota`: what changes the queue besides draws and judgements."""

from __future__ import annotations

from typing import Annotated

import typer

from thumbwheel.cli.wheel import JsonOption, ProjectOption, open_wheel, print_json
from thumbwheel.web.words import counted, duration

_BY = "command line"


def register(queue: typer.Typer) -> None:
    """Add the commands."""
    queue.command("add")(add)
    queue.command("undo")(undo)
    queue.command("release")(release)
    queue.command("quota")(quota)


def add(
    traces: Annotated[list[str], typer.Argument(metavar="TRACE...", help="Ids of traces.")],
    why: Annotated[str, typer.Option(help="Why, for the reviewer.")] = "",
    project: str = ProjectOption,
    as_json: bool = JsonOption,
) -> None:
    """Put traces into the queue by hand. No rate counts what their labels say: nobody drew them by chance.

    Example: `thumbwheel queue add chat-8812 --why "a complaint"`
    """
    with open_wheel() as wheel:
        added = wheel.queue.add(wheel.known_project(project), traces, _BY, why)
    if as_json:
        print_json(added)
        return
    typer.echo(f"{counted(len(added.entry_ids), 'trace')} added")
    for trace_id in added.known:
        typer.echo(f"  {trace_id} had been picked before")
    for trace_id in added.missing:
        typer.echo(f"  there is no trace {trace_id}")


def undo(
    change: Annotated[str | None, typer.Argument(help="Id of the change; the last one when left out.")] = None,
    project: str = ProjectOption,
    as_json: bool = JsonOption,
) -> None:
    """Undo the last `drop` or `assign`, by hand or on the page: entries wait again as they did.

    Example: `thumbwheel queue undo`
    """
    with open_wheel() as wheel:
        done = wheel.queue.undo(wheel.known_project(project), change, _BY)
    if as_json:
        print_json({"entry_ids": done.entry_ids})
    else:
        typer.echo(f"{counted(len(done.entry_ids), 'entry', 'entries')} as before")


def release(
    entries: Annotated[
        list[str] | None, typer.Argument(metavar="ENTRY...", help="Ids of entries; all that nobody is left for.")
    ] = None,
    project: str = ProjectOption,
    as_json: bool = JsonOption,
) -> None:
    """Settle entries on the judgements they have, where they wait for a second reviewer and there is none.

    Example: `thumbwheel queue release`
    """
    with open_wheel() as wheel:
        project_id = wheel.known_project(project)
        chosen = entries or wheel.queue.stalled(project_id).entry_ids
        settled = wheel.queue.release(project_id, chosen, _BY)
    if as_json:
        print_json({"entry_ids": [each.entry_id for each in settled]})
    else:
        typer.echo(f"{counted(len(settled), 'entry', 'entries')} settled on what was said")


def quota(
    person: Annotated[str | None, typer.Argument(help="Reviewer; everybody is shown when left out.")] = None,
    per_day: Annotated[int | None, typer.Argument(help="Judgements a day; 0 for no number.", min=0)] = None,
    project: str = ProjectOption,
    as_json: bool = JsonOption,
) -> None:
    """Ask a reviewer for so many judgements a day; or print how far everybody is today.

    Example: `thumbwheel queue quota ada 80`
    """
    from thumbwheel.errors import Invalid

    if (person is None) != (per_day is None):
        raise Invalid("Name the reviewer and the number of judgements a day, or neither.", field="per_day")
    with open_wheel() as wheel:
        project_id = wheel.known_project(project)
        if person is not None:
            wheel.queue.set_quota(project_id, person, per_day, _BY)
        found = wheel.queue.reviewers(project_id)
    if as_json:
        print_json({"items": found})
        return
    for each in found:
        share = f"{each.done} of {each.quota}" if each.quota else f"{each.done}"
        left = f", {duration(60 * each.minutes_left)} left" if each.minutes_left else ""
        kept = f", {each.n_kept} kept for them" if each.n_kept else ""
        typer.echo(f"{each.name:20}  {share} today{left}{kept}")
