"""Commands of annotating: codebook and queue."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from thumbwheel.cli import coding, desk, queue
from thumbwheel.cli.wheel import JsonOption, ProjectOption, open_wheel, print_json
from thumbwheel.web.words import counted, date

if TYPE_CHECKING:
    from thumbwheel.services.rubric import Revision

FileArgument = Annotated[str, typer.Argument(help="The codebook's YAML file, or - for standard input.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    codebook = typer.Typer(help="The rubric people judge by, and its published versions.", no_args_is_help=True)
    codebook.command("init")(init)
    codebook.command("check")(check)
    codebook.command("diff")(diff)
    codebook.command("publish")(publish)
    codebook.command("show")(show)
    codebook.command("suggest")(coding.suggest)
    app.add_typer(codebook, name="codebook")
    queue.register(app)
    desk.register(app)


def init(
    file: Annotated[str, typer.Argument(help="File to write, or - for standard output.")] = "codebook.yaml",
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
) -> None:
    """Write a commented codebook to start from.

    Example: `thumbwheel codebook init codebook.yaml`
    """
    from pathlib import Path

    from thumbwheel.errors import Invalid
    from thumbwheel.services.rubric import Rubric

    if file == "-":
        typer.echo(Rubric.example(), nl=False)
        return
    try:
        with Path(file).open("w" if force else "x", encoding="utf-8") as written:
            written.write(Rubric.example())
    except FileExistsError as fault:
        raise Invalid(f"{file} is there already; --force writes over it.", field="file") from fault
    except OSError as fault:
        raise Invalid(f"{file} cannot be written: {fault.strerror}.", field="file") from fault
    typer.echo(f"{file} written: edit it, then `thumbwheel codebook publish {file}`")


def check(file: FileArgument, as_json: bool = JsonOption) -> None:
    """Say whether a codebook holds together, and every place where it does not. Exit code 1 when it does not.

    Example: `thumbwheel codebook check codebook.yaml`
    """
    from thumbwheel.errors import CodebookInvalid
    from thumbwheel.services.rubric import Rubric

    try:
        codebook = Rubric.check(_read(file))
    except CodebookInvalid as fault:
        faults = fault.detail.splitlines()
        if as_json:
            print_json({"valid": False, "faults": faults})
        else:
            typer.echo("\n".join(f"{file}: {line}" for line in faults), err=True)
        raise typer.Exit(1) from fault
    if as_json:
        print_json({"valid": True, "faults": []})
        return
    typer.echo(f"{file} holds together: {counted(len(codebook.categories), 'category', 'categories')}")
    for category in codebook.categories:
        typer.echo(f"  {category.key}  {category.name} ({category.id})")


def diff(file: FileArgument, project: str = ProjectOption, as_json: bool = JsonOption) -> None:
    """Say what publishing a codebook would change, and which labels it would quarantine. Nothing is stored.

    Example: `thumbwheel codebook diff codebook.yaml`
    """
    data = _read(file)
    with open_wheel() as wheel:
        revision = wheel.rubric.revise(wheel.known_project(project), data)
    if as_json:
        print_json(_revision(revision))
        return
    if revision.current is None:
        typer.echo("Nothing is published yet: this would be version 1.")
        return
    current = revision.current
    typer.echo(f"against version {current.version} ({date(current.published_at)}, {current.published_by}):")
    typer.echo("\n".join(_changed(revision)) or "  nothing changes that anybody reads")
    if revision.quarantined:
        touched = ", ".join(sorted(revision.quarantined))
        typer.echo(f"would quarantine {counted(revision.n_quarantined, 'label')} ({touched})")


def publish(
    file: FileArgument,
    note: Annotated[str, typer.Option(help="What changed, in a sentence.")] = "",
    by: Annotated[str, typer.Option(help="Who publishes it.")] = "command line",
    project: str = ProjectOption,
    as_json: bool = JsonOption,
) -> None:
    """Publish a codebook as the next version. Versions are never changed; every judgement remembers its own.

    A file that says what the current version says is no new version, and no fault: a build may publish at every merge.

    Example: `thumbwheel codebook publish codebook.yaml --note "Split wrong-fact"`
    """
    data = _read(file)
    with open_wheel() as wheel:
        project_id = wheel.project(project)
        revision = wheel.rubric.revise(project_id, data)
        stands = revision.current if revision.current and revision.current.codebook == revision.new else None
        version = stands or wheel.rubric.publish(project_id, data, by, note)
    if as_json:
        print_json(version)
        return
    if stands:
        typer.echo(f"version {stands.version} of {stands.codebook.name} says this already; nothing to publish")
        return
    n = counted(len(version.codebook.categories), "category", "categories")
    typer.echo(f"published version {version.version} of {version.codebook.name}: {n}")


def show(
    version: Annotated[int | None, typer.Option(help="Number of the version; the current one when left out.")] = None,
    project: str = ProjectOption,
    as_json: bool = JsonOption,
) -> None:
    """Print a published version as the YAML file it was.

    Example: `thumbwheel codebook show --version 2`
    """
    from thumbwheel.connectors.codebook_file import write
    from thumbwheel.errors import CodebookMissing

    with open_wheel() as wheel:
        found = wheel.rubric.codebook(wheel.known_project(project), version)
    if found is None:
        raise CodebookMissing
    if as_json:
        print_json(found)
    else:
        typer.echo(write(found), nl=False)


def _read(file: str) -> object:
    from pathlib import Path

    from thumbwheel.connectors.codebook_file import parse
    from thumbwheel.errors import CodebookInvalid, Invalid

    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except UnicodeDecodeError as fault:
        raise CodebookInvalid("this is not UTF-8 text") from fault
    except OSError as fault:
        raise Invalid(f"{file} cannot be read: {fault.strerror}.", field="file") from fault
    return parse(text)


def _revision(revision: Revision) -> dict[str, Any]:
    changes = revision.changes
    return {
        "current": revision.current.version if revision.current else None,
        "added": list(changes.added) if changes else [category.id for category in revision.new.categories],
        "removed": list(changes.removed) if changes else [],
        "changed": {id: list(fields) for id, fields in changes.changed.items()} if changes else {},
        "question": changes.question if changes else True,
        "name": changes.name if changes else True,
        "quarantined": sorted(revision.quarantined),
        "n_quarantined": revision.n_quarantined,
    }


def _changed(revision: Revision) -> list[str]:
    changes = revision.changes
    assert changes is not None
    return [
        *(["  the question changes: nothing that was answered before stands"] if changes.question else []),
        *(["  the name changes"] if changes.name else []),
        *(f"  + {id}" for id in changes.added),
        *(f"  - {id}" for id in changes.removed),
        *(f"  ~ {id}: {', '.join(fields)}" for id, fields in changes.changed.items()),
    ]
