"""Commands of projects: what each chooses for itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from thumbwheel.cli.wheel import JsonOption, ProjectOption, open_wheel, print_json
from thumbwheel.web.words import counted

if TYPE_CHECKING:
    from thumbwheel.app import Wheel


def register(app: typer.Typer) -> None:
    """Add the commands."""
    project = typer.Typer(help="What a project chooses for itself.", no_args_is_help=True)
    project.command("list")(project_list)
    project.command("show")(project_show)
    project.command("set")(project_set)
    app.add_typer(project, name="project")


def project_list(as_json: bool = JsonOption) -> None:
    """List the projects.

    Example: `thumbwheel project list`
    """
    with open_wheel() as wheel:
        names = [each.name for each in wheel.access.list_projects()]
    if as_json:
        print_json({"items": names})
    else:
        typer.echo("\n".join(names))


def project_show(project: str = ProjectOption, as_json: bool = JsonOption) -> None:
    """Show what holds for a project, chosen by it or by the installation.

    Example: `thumbwheel project show --json`
    """
    with open_wheel() as wheel:
        _show(wheel, project, as_json=as_json)


def project_set(
    reason: Annotated[list[str] | None, typer.Option(help="A reason users may give; name all of them.")] = None,
    origin: Annotated[list[str] | None, typer.Option(help="An origin whose pages may send; name all of them.")] = None,
    consent: Annotated[
        list[str] | None,
        typer.Option(
            help="CHANNEL=none_needed, opt_in, opt_out or default. Channels: browser, server, import, link, *, or the name of a public one."
        ),
    ] = None,
    scrub: Annotated[bool | None, typer.Option(help="Take personal data out of everything that comes.")] = None,
    phone_regions: Annotated[
        str | None, typer.Option(help="Comma-separated countries whose telephone numbers are known as written there.")
    ] = None,
    keep: Annotated[str | None, typer.Option(help="Comma-separated types that are left in place, like URL.")] = None,
    pseudonymise: Annotated[bool | None, typer.Option(help="Keep a keyed hash in the place of each user id.")] = None,
    clarifications: Annotated[
        bool | None, typer.Option(help="Find user turns that correct the answer before them.")
    ] = None,
    categories: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="JSON list of rules that give a category to traces that come without one."),
    ] = None,
    reset: Annotated[list[str] | None, typer.Option(help="Take back a choice, by the name `show --json` has.")] = None,
    project: str = ProjectOption,
    as_json: bool = JsonOption,
) -> None:
    """Choose for a project. It holds within five seconds, for what comes then; what is kept stays as it is.

    Example: `thumbwheel project set --consent browser=opt_in --phone-regions GB,IE`
    """
    changes: dict[str, Any] = dict.fromkeys(reset or ())
    given: dict[str, Any] = {
        "reasons": reason,
        "scrub": scrub,
        "pseudonymise": pseudonymise,
        "clarifications": clarifications,
        "consent": _modes(consent),
    }
    given |= {"categories": None if categories is None else _rules(categories)}
    given |= {"phone_regions": _listed(phone_regions), "keep": _listed(keep)}
    changes |= {name: value for name, value in given.items() if value is not None}
    with open_wheel() as wheel:
        project_id = _id(wheel, project)
        wheel.projects.choose(project_id, changes)
        if origin is not None:
            wheel.access.allow_origins(project, origin)
        _show(wheel, project, as_json=as_json)


def _id(wheel: Wheel, name: str) -> int:
    """A misspelt project is not made; the default one always is."""
    return wheel.known_project(name)


def _modes(given: list[str] | None) -> dict[str, str | None] | None:
    from thumbwheel.errors import Invalid

    if given is None:
        return None
    modes: dict[str, str | None] = {}
    for each in given:
        channel, separator, mode = each.partition("=")
        if not separator:
            raise Invalid(f"{each!r} is not CHANNEL=MODE, as in browser=opt_in.", field="consent")
        modes[channel.strip()] = None if mode.strip() == "default" else mode.strip()
    return modes


def _rules(file: str) -> object:
    import json
    from pathlib import Path

    from thumbwheel.errors import Invalid

    try:
        return json.loads(Path(file).read_text(encoding="utf-8"))
    except OSError as fault:
        raise Invalid(f"Cannot read {file}: {fault.strerror}.", field="categories") from fault
    except ValueError as fault:
        raise Invalid(f"{file} is not JSON: {fault}.", field="categories") from fault


def _listed(given: str | None) -> list[str] | None:
    return None if given is None else [each.strip().upper() for each in given.split(",") if each.strip()]


def _show(wheel: Wheel, name: str, *, as_json: bool) -> None:
    project_id = _id(wheel, name)
    chosen = wheel.projects.chosen(project_id)
    holding = wheel.choices(project_id)
    if as_json:
        print_json({"project": name, "chosen": chosen, "holding": holding})
        return
    for key, value in holding.items():
        typer.echo(f"{key:<14} {_written(value)}{'' if key in chosen else '   (default)'}")
    for key, what in (("categories", "rule"), ("scores", "rule"), ("tables", "table")):
        if chosen.get(key):
            typer.echo(f"{key:<14} {counted(len(chosen[key]), what)} (--json shows them)")


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{channel}={mode}" for channel, mode in value.items()) or "none"
    return ", ".join(value) or "none"
