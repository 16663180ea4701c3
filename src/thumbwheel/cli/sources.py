"""Commands of sources: `pull` brings in what another tool already has, `push` takes settled labels back to it."""

from __future__ import annotations

import typer

#: `thumbwheel pull`; other modules add sources of their own to it.
pull = typer.Typer(help="Bring in traces and judgements that another tool already has.", no_args_is_help=True)
#: `thumbwheel push`.
push = typer.Typer(help="Take settled labels back to the tool their traces came from.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(pull, name="pull")
    app.add_typer(push, name="push")
