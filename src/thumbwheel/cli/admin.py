"""Commands for running it: serve, key, user, db."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated

import typer

from thumbwheel.cli.wheel import JsonOption, ProjectOption, open_wheel, print_json


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("serve")(serve)
    key = typer.Typer(help="API keys.", no_args_is_help=True)
    key.command("create")(key_create)
    key.command("list")(key_list)
    key.command("revoke")(key_revoke)
    key.command("origins")(key_origins)
    app.add_typer(key, name="key")
    user = typer.Typer(help="People and their roles.", no_args_is_help=True)
    user.command("add")(user_add)
    user.command("list")(user_list)
    app.add_typer(user, name="user")
    db = typer.Typer(help="The store.", no_args_is_help=True)
    db.command("upgrade")(db_upgrade)
    app.add_typer(db, name="db")


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="Processes that answer.")] = 1,
) -> None:
    """Serve the API and the pages. Migrates an empty store itself.

    Example: `thumbwheel serve --port 8000`
    """
    from thumbwheel.cli.server import run

    run(host, port, workers)


def key_create(
    project: str = ProjectOption,
    scopes: Annotated[
        str, typer.Option(help="What it may do, comma-separated; an application's own needs ingest alone.")
    ] = "ingest,read,annotate,admin",
    origins: Annotated[
        str, typer.Option(help="Comma-separated origins whose pages may use the project's publishable keys.")
    ] = "",
    as_json: bool = JsonOption,
) -> None:
    """Make a key pair. The secret is shown once.

    Example: `thumbwheel key create --scopes ingest --origins https://app.example.com --json`
    """
    wanted = _scopes(scopes)
    with open_wheel() as wheel:
        made = wheel.access.add_key(project, wanted)
        if origins:
            wheel.access.allow_origins(project, [*wheel.access.origins(project), *origins.split(",")])
    data = {
        "id": made.key.id,
        "public_key": made.key.public_key,
        "secret_key": made.secret_key,
        "project": made.key.project,
        "scopes": [scope for scope in wanted if scope in made.key.scopes],
    }
    if as_json:
        print_json(data)
        return
    typer.echo(f"public key  {data['public_key']}")
    typer.echo(f"secret key  {data['secret_key']}   (shown once: keep it)")
    typer.echo(f"project     {data['project']}, scopes {', '.join(data['scopes'])}")


def _scopes(text: str) -> list:  # type: ignore[type-arg]
    from thumbwheel.domain.person import Scope
    from thumbwheel.errors import Invalid

    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    unknown = [name for name in names if name not in set(Scope)]
    if unknown or not names:
        raise Invalid(f"Scopes are ingest, read, annotate, admin; not {', '.join(unknown) or 'none'}.", field="scopes")
    return [Scope(name) for name in names]


def key_list(as_json: bool = JsonOption) -> None:
    """List the keys in use, newest first.

    Example: `thumbwheel key list`
    """
    with open_wheel() as wheel:
        keys = wheel.access.list_keys()
    if as_json:
        print_json([asdict(key) | {"scopes": sorted(key.scopes)} for key in keys])
        return
    if not keys:
        typer.echo("No keys yet; thumbwheel key create makes one.")
    for key in keys:
        typer.echo(f"{key.id}  {key.public_key}  {key.project}  {','.join(sorted(key.scopes))}")


def key_revoke(key_id: Annotated[str, typer.Argument(help="Id of the key.")]) -> None:
    """Make a key useless.

    Example: `thumbwheel key revoke 019a…`
    """
    with open_wheel() as wheel:
        wheel.access.revoke_key(key_id)
    typer.echo(f"revoked {key_id}")


def key_origins(
    add: Annotated[list[str] | None, typer.Option(help="Let pages of this origin, too.")] = None,
    remove: Annotated[list[str] | None, typer.Option(help="No longer let pages of this origin.")] = None,
    project: str = ProjectOption,
    as_json: bool = JsonOption,
) -> None:
    """Which origins' pages may use a project's publishable keys: `https://app.example.com`, `https://*.example.com`, `*`.

    Example: `thumbwheel key origins --add https://app.example.com`
    """
    with open_wheel() as wheel:
        origins = wheel.access.origins(project)
        if add or remove:
            gone = {each.rstrip("/").lower() for each in remove or ()}
            origins = wheel.access.allow_origins(
                project, [*(each for each in origins if each not in gone), *(add or ())]
            )
    if as_json:
        print_json({"project": project, "origins": origins})
    else:
        typer.echo("\n".join(origins) or f"No page of another origin may use the publishable keys of {project}.")


def user_add(
    name: Annotated[str, typer.Argument(help="Name to sign in with.")],
    role: Annotated[str, typer.Option(help="viewer, annotator, owner (of the rubric) or admin.")] = "annotator",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    as_json: bool = JsonOption,
) -> None:
    """Add somebody who signs in.

    Example: `echo "$PASSWORD" | thumbwheel user add ada --role owner --password-stdin`
    """
    from thumbwheel.domain.person import Role
    from thumbwheel.errors import Invalid

    if role not in set(Role):
        raise Invalid(f"A role is one of {', '.join(Role)}; not {role!r}.", field="role")
    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    with open_wheel() as wheel:
        person = wheel.access.add_person(name, Role(role), password)
    if as_json:
        print_json(person)
    else:
        typer.echo(f"added {person.name}, {person.role}")


def user_list(as_json: bool = JsonOption) -> None:
    """List the people.

    Example: `thumbwheel user list`
    """
    with open_wheel() as wheel:
        people = wheel.access.list_people()
    if as_json:
        print_json(people)
        return
    if not people:
        typer.echo("Nobody can sign in yet; thumbwheel user add adds somebody.")
    for person in people:
        typer.echo(f"{person.name}  {person.role}")


def db_upgrade() -> None:
    """Bring the store to the newest schema.

    Example: `thumbwheel db upgrade`
    """
    with open_wheel() as wheel:
        wheel.ready()
    typer.echo("The store is at the newest schema.")
