"""Commands of scores: which other tools' clients sent, and what their names mean here."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from thumbwheel.cli.wheel import JsonOption, ProjectOption, open_wheel, print_json


def register(app: typer.Typer) -> None:
    """Add the commands."""
    score = typer.Typer(help="Scores other tools' clients sent, and what they mean here.", no_args_is_help=True)
    score.command("list")(list_scores)
    score.command("rule")(set_rule)
    app.add_typer(score, name="score")


def list_scores(project: str = ProjectOption, as_json: bool = JsonOption) -> None:
    """List the names of the scores that came, how many, and the rule each has.

    Example: `thumbwheel score list`
    """
    with open_wheel() as wheel:
        project_id = wheel.known_project(project)
        rules = wheel.projects.chosen(project_id).get("scores", {})
        names = wheel.capture.list_score_names(project_id)
    found = [
        {"name": name, "family": family, "source": source, "n": n, "rule": rules.get(name)}
        for name, family, source, n in names
    ]
    if as_json:
        print_json({"items": found})
        return
    for each in found:
        rule = (each["rule"] or {}).get("as") or "by its kind"
        typer.echo(f"{each['n']:>8}  {each['name']}  ({each['family']}, {each['source']}): {rule}")
    if not found:
        typer.echo("No scores yet.")


def set_rule(
    name: Annotated[str, typer.Argument(help="The score's name, as the other tool has it.")],
    meant_as: Annotated[
        str | None, typer.Option("--as", help="rating, reason, edit, judge, review or nothing.")
    ] = None,
    low: Annotated[float | None, typer.Option(help="The number that says surely bad.")] = None,
    high: Annotated[float | None, typer.Option(help="The number that says surely good.")] = None,
    value: Annotated[
        list[str] | None, typer.Option(help="TEXT=REASON, TEXT=good or TEXT=bad; once for each text.")
    ] = None,
    forget: Annotated[bool, typer.Option("--forget", help="Take the rule back.")] = False,
    project: str = ProjectOption,
    as_json: bool = JsonOption,
) -> None:
    """Say what the scores of one name mean, and read those that came anew.

    Example: `thumbwheel score rule stars --as rating --low 1 --high 5`
    """
    given = {"as": meant_as, "low": low, "high": high, "values": _values(value)}
    rule = None if forget else {field: each for field, each in given.items() if each is not None}
    with open_wheel() as wheel:
        project_id = wheel.known_project(project)
        wheel.projects.choose(project_id, {"scores": {name: rule}})
        n = wheel.capture.read_scores_again(project_id, [name])
    if as_json:
        print_json({"name": name, "rule": rule, "read_again": n})
    else:
        typer.echo(f"{n:,} scores read again")


def _values(given: list[str] | None) -> dict[str, Any] | None:
    from thumbwheel.errors import Invalid

    if given is None:
        return None
    if any("=" not in each for each in given):
        raise Invalid("Write TEXT=REASON, as in rude=unsafe.", field="value")
    return dict(each.rsplit("=", 1) for each in given)
