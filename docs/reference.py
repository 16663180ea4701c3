"""Writes docs/reference.md: every setting, command and error, from the code itself.

make reference
"""

from __future__ import annotations

import inspect
from pathlib import Path

import typer
from typer.core import TyperCommand, TyperGroup

from thumbwheel import errors
from thumbwheel.cli.main import app
from thumbwheel.config import Settings

PAGE = Path(__file__).parent / "reference.md"


def settings() -> list[str]:
    """A row a setting."""
    rows = ["| setting | default | means |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = field.default if field.default is not None else ""
        rows.append(
            f"| `THUMBWHEEL_{name.upper()}` | {f'`{default}`' if default != '' else ''} | {field.description} |"
        )
    return rows


def commands(command: TyperCommand | TyperGroup, path: str = "thumbwheel") -> list[str]:
    """A row a command, those below a group after it."""
    if isinstance(command, TyperGroup):
        below = [row for name, child in sorted(command.commands.items()) for row in commands(child, f"{path} {name}")]
        return [_row(command, path), *below] if command.invoke_without_command else below
    return [_row(command, path)]


def _row(command: TyperCommand | TyperGroup, path: str) -> str:
    first = inspect.cleandoc(command.help or "").split("\n\n", 1)[0].replace("\n", " ")
    return f"| `{path}` | {first.replace('|', chr(92) + '|')} |"


def refusals() -> list[str]:
    """A row an error."""
    rows = ["| error | says |", "|---|---|"]
    kinds = [
        kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.ThumbwheelError)
    ]
    rows += [f"| `{kind.__name__}` | {' '.join((kind.__doc__ or '').split())} |" for kind in kinds]
    return rows


def page() -> str:
    """The whole page."""
    command_rows = ["| command | does |", "|---|---|", *commands(typer.main.get_command(app))]
    parts = [
        "# Reference",
        "Written by `make reference` from the code; a test holds the two together.",
        "## Settings",
        "In the environment, or lower-case without the prefix in `thumbwheel.toml`; the environment wins.",
        "\n".join(settings()),
        "## Commands",
        "`--help` on each shows its options and an example. Exit codes: 0 done, 1 the answer is no, 2 wrong use, 3 could not.",
        "\n".join(command_rows),
        "## Errors",
        "Over HTTP as RFC 9457 problem+json with the name as `type`; on the command line as one sentence.",
        "\n".join(refusals()),
    ]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
