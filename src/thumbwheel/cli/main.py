"""`thumbwheel`: one command a verb. Exit codes: 0 done, 1 the answer is no, 2 wrong use, 3 could not."""

from __future__ import annotations

import gc
import io
import sys
import traceback

import typer

from thumbwheel import errors
from thumbwheel.cli import (
    admin,
    agreement,
    annotate,
    capture,
    categories,
    close,
    demo,
    estimate,
    measure,
    project,
    relink,
    sample,
    score,
    scrub,
    sources,
    table_source,
    tune,
)
from thumbwheel.cli.menu import Menu

app = typer.Typer(
    name="thumbwheel",
    cls=Menu,
    help="Thumbs in, flywheel out: closes the human feedback loop of an LLM application.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
for _verb in (
    demo,
    admin,
    project,
    capture,
    categories,
    score,
    sources,
    table_source,
    relink,
    scrub,
    sample,
    annotate,
    close,
    measure,
    estimate,
    agreement,
    tune,
):
    _verb.register(app)


def main() -> None:
    """Run a command; a refusal is one sentence on standard error."""
    # To look through what libraries leave in memory while they are taken in is a tenth of a short command.
    gc.set_threshold(100_000, 20, 20)
    _read_utf8()
    try:
        app()
    except errors.ThumbwheelError as fault:
        where = f" (field {fault.field})" if fault.field else ""
        typer.echo(f"thumbwheel: {fault.detail}{where}", err=True)
        sys.exit(2 if isinstance(fault, errors.Invalid) else 3)
    except UnicodeDecodeError as fault:
        typer.echo(f"thumbwheel: What was given to read is not UTF-8 text: {fault.reason}.", err=True)
        sys.exit(2)
    except BrokenPipeError:
        sys.exit(0)
    except Exception:  # noqa: BLE001 - Python's own exit code, 1, would say that the answer is no
        traceback.print_exc()
        sys.exit(3)


def _read_utf8() -> None:
    """Read standard input as UTF-8 whatever the locale, in which what is no text would pass as something else."""
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8", errors="strict")
