"""`thumbwheel quarantine` and `thumbwheel spot-check`: the owner's desk, in the terminal."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from thumbwheel.cli.wheel import JsonOption, ProjectOption, open_wheel, print_json
from thumbwheel.web.words import counted, duration, estimate, one_line

LabelsArgument = Annotated[list[str], typer.Argument(metavar="LABEL...", help="Ids of labels.")]
ByOption = Annotated[str, typer.Option("--by", help="Who decides.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    quarantine = typer.Typer(help="Labels that a revision of the codebook set aside.")
    quarantine.callback(invoke_without_command=True)(show)
    quarantine.command("affirm")(affirm)
    quarantine.command("requeue")(requeue)
    app.add_typer(quarantine, name="quarantine")
    app.command("spot-check")(spot_check)


def show(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, help="Most labels to print.")] = 20,
    project: str = ProjectOption,
    as_json: bool = JsonOption,
) -> None:
    """Print the labels whose meaning a revision of the codebook changed: they are in no rate and no export.

    Example: `thumbwheel quarantine --limit 50`
    """
    if context.invoked_subcommand is not None:
        return
    with open_wheel() as wheel:
        project_id = wheel.known_project(project)
        found, n = wheel.quarantine.labels(project_id, limit), wheel.quarantine.count(project_id)
        now = wheel.now()
    if as_json:
        items = [{"label": each.label, "set_aside_by_version": each.version, "at": each.at} for each in found]
        print_json({"quarantined": n, "items": items})
        return
    typer.echo(f"{counted(n, 'label')} set aside" if n else "No label is set aside.")
    for each in found:
        label, age = each.label, duration((now - each.at).total_seconds())
        said = ", ".join((label.verdict.value, *label.categories))
        typer.echo(f"{label.id}  {age:>7}  by version {each.version}  {one_line(said, 40)}  {label.trace_id}")


def affirm(
    labels: LabelsArgument, by: ByOption = "command line", project: str = ProjectOption, as_json: bool = JsonOption
) -> None:
    """Say that labels hold under the current version of the codebook as well: they stand again.

    Example: `thumbwheel quarantine affirm 019a… --by olga`
    """
    with open_wheel() as wheel:
        done = wheel.quarantine.affirm(wheel.known_project(project), labels, by)
    _report({"label_ids": [label.id for label in done]}, f"{counted(len(done), 'label')} affirmed", as_json)


def requeue(
    labels: LabelsArgument, by: ByOption = "command line", project: str = ProjectOption, as_json: bool = JsonOption
) -> None:
    """Let the entries of labels be judged again under the current version of the codebook.

    Example: `thumbwheel quarantine requeue 019a… --by olga`
    """
    with open_wheel() as wheel:
        done = wheel.quarantine.requeue(wheel.known_project(project), labels, by)
    _report({"entry_ids": done}, f"{counted(len(done), 'entry', 'entries')} back in the queue", as_json)


def spot_check(project: str = ProjectOption, as_json: bool = JsonOption) -> None:
    """Print how often the owners agreed with each reviewer when they looked again, with 95 % limits.

    Example: `thumbwheel spot-check`
    """
    with open_wheel() as wheel:
        found = wheel.spot_check.agreement(wheel.known_project(project))
    if as_json:
        rows = [
            {"annotator": each.annotator, "disagreed": each.n_disagreed, "agreement": each.agreement.as_dict()}
            for each in found
        ]
        print_json({"items": rows})
        return
    if not found:
        typer.echo("Nothing was looked at in ninety days; the page /spot-check has today's list.")
    for each in found:
        n = counted(each.agreement.n, "label")
        typer.echo(f"{each.annotator:20}  {estimate(each.agreement)}, {n}, {each.n_disagreed} disagreed")


def _report(told: dict[str, Any], text: str, as_json: bool) -> None:
    if as_json:
        print_json(told)
    else:
        typer.echo(text)
