"""What a table's columns and values are: guessed, shown, asked for where it is doubtful, and saved with the project."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from thumbwheel.app import Wheel
    from thumbwheel.connectors.columns import Columns
    from thumbwheel.connectors.fields import What
    from thumbwheel.connectors.guess import TableGuess

MapOption = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="COLUMN=FIELD", help="What a column is; COLUMN=- for nothing. Repeat it."),
]
ValueOption = Annotated[
    list[str] | None,
    typer.Option(
        "--value", metavar="VALUE=up|down|skip", help="What a value stands for, or a range: 4..5=up. Repeat it."
    ),
]
ReasonOption = Annotated[
    list[str] | None,
    typer.Option("--reason", metavar="VALUE=REASON", help="Which of the project's reasons a value stands for."),
]
YesOption = Annotated[bool, typer.Option("--yes", help="Take every guess, also the doubtful ones.")]


@dataclass
class Said:
    """What somebody said of one table, now or before."""

    #: Column -> field, empty for none.
    fields: dict[str, str] = field(default_factory=dict)
    #: Field -> what its values stand for.
    values: dict[str, dict[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, maps: list[str] | None, values: list[str] | None, reasons: list[str] | None) -> Said:
        """From the options of a command.

        Raises:
            Invalid: one of them is not of its form.
        """
        from thumbwheel.connectors.votes import read_meaning, word
        from thumbwheel.errors import Invalid

        said = cls()
        for each in maps or ():
            column, separator, name = each.rpartition("=")
            if not separator:
                raise Invalid(f"{each!r} is not COLUMN=FIELD, as in message_id=trace_id.", field="map")
            said.fields[column] = "" if name.strip() == "-" else name.strip()
        if values:
            said.values["value"] = read_meaning(values)
        if reasons:
            pairs = [each.rpartition("=") for each in reasons]
            said.values["reason"] = {word(value): reason.strip() for value, _, reason in pairs}
        return said

    def before(self, later: Said) -> Said:
        """Both; where they differ, what was said later. A field has one column."""
        taken = set(later.fields.values())
        fields = {column: "" if each in taken else each for column, each in self.fields.items()}
        names = self.values | later.values
        values = {name: {**self.values.get(name, {}), **later.values.get(name, {})} for name in names}
        return Said({**fields, **later.fields}, values)


def settle_columns(
    wheel: Wheel,
    project_id: int,
    name: str,
    table: tuple[Sequence[str], Sequence[Mapping[str, Any]]],
    what: What,
    said: Said,
    *,
    yes: bool,
    source: str | None,
) -> Columns:
    """What the columns of a table (its header and first rows) are, as it was guessed, said, asked or saved before.

    Raises:
        Invalid: something is doubtful or missing, and there is nobody to ask.
    """
    from thumbwheel.connectors.guess import guess_table
    from thumbwheel.errors import Invalid

    header, rows = table
    saved = _saved(wheel, project_id, name, header, what)
    known = Said(saved.get("fields", {}), saved.get("values", {}))
    known.fields = {column: each for column, each in known.fields.items() if column in header}
    told = known.before(said)
    reasons = wheel.capture.reasons(project_id)

    def guessed() -> TableGuess:
        return guess_table(header, rows, what, given=told.fields, values=told.values, reasons=reasons)

    guess = guessed()
    open_questions = bool(guess.missing or guess.doubts)
    plain = all(each.why in {"its name", "not known", "kept beside"} for each in guess.columns)
    if open_questions or not (plain or saved):
        show(guess)
    if guess.missing and not _is_watched():
        raise Invalid(_lacks(guess), field=guess.missing)
    if guess.doubts and not yes and not _is_watched():
        raise Invalid(f"Not sure of {'; '.join(guess.doubts)}. Say it with --map and --value, or --yes to take it so.")
    while guess.missing or (guess.doubts and not yes):
        told = told.before(_asked(guess, reasons))
        guess = guessed()
    if said.fields or said.values or not plain or source is not None:
        _save(wheel, project_id, name, guess)
    return guess.to_columns(source)


def show(guess: TableGuess) -> None:
    """The whole guess, on standard error."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("your column", "our field", "why", "values"):
        table.add_column(title, overflow="fold")
    for each in guess.columns:
        doubt = "" if each.sure else " ?"
        table.add_row(each.column, (each.field or "–") + doubt, each.why, " | ".join(each.samples))
    console = Console(stderr=True, highlight=False, markup=False)
    console.print(table)
    for name, votes in guess.values.items():
        meaning = ", ".join(f"{value} = {stands_for}" for value, stands_for in votes.meaning.items())
        console.print(f"{guess.column_of(name)}: {meaning} ({votes.why}){'' if votes.sure else ' ?'}")


def _asked(guess: TableGuess, reasons: Sequence[str]) -> Said:
    """The answers to what is open: first the columns, then, when those are plain, the values."""
    said = Said()
    for each in guess.columns:
        if not each.sure:
            shown = " | ".join(each.samples)
            said.fields[each.column] = _field(guess, f"{each.column} ({shown}) is", each.field)
    if guess.missing:
        column = typer.prompt(f"Which column is {guess.missing}", err=True)
        if column in guess.fields:
            said.fields[column] = guess.missing
        else:
            typer.echo(f"There is no column {column!r}.", err=True)
    if said.fields:
        return said
    for name, votes in guess.values.items():
        if not votes.sure:
            said.values[name] = {
                value: _choice(f"{guess.column_of(name)} {value} is", stands_for, _choices(name, reasons))
                for value, stands_for in votes.meaning.items()
            }
    return said


def _choices(name: str, reasons: Sequence[str]) -> Sequence[str]:
    return ("up", "down", "skip") if name == "value" else (*reasons, "skip")


def _field(guess: TableGuess, question: str, default: str) -> str:
    from thumbwheel.connectors.fields import FIELDS

    while True:
        answer = str(typer.prompt(question, default=default or "-", err=True)).strip()
        if answer == "-" or answer.split(".")[0] in FIELDS[guess.what]:
            return "" if answer == "-" else answer
        typer.echo(f"One of {', '.join(FIELDS[guess.what])}, or - for nothing.", err=True)


def _choice(question: str, default: str, choices: Sequence[str]) -> str:
    while True:
        answer = str(typer.prompt(question, default=default, err=True)).strip()
        if answer in choices:
            return answer
        typer.echo(f"One of {', '.join(choices)}.", err=True)


def _is_watched() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _lacks(guess: TableGuess) -> str:
    if guess.missing == "trace_id":
        return (
            "No column names the trace a row is about: --map COLUMN=trace_id for the id of the message or request, "
            "or --map for both input and output, and a trace is made of them."
        )
    if guess.missing == "value":
        return "No column has what was said: --map COLUMN=value for thumbs or stars, else reason, edited or kind."
    return f"No column is {guess.missing}: --map COLUMN={guess.missing}."


# --- saved


def read_table(wheel: Wheel, project_id: int, name: str) -> dict[str, Any]:
    """What is saved of a table; empty when nothing is."""
    found = wheel.projects.chosen(project_id).get("tables", {}).get(name, {})
    return dict(found)


def save_table(wheel: Wheel, project_id: int, name: str, more: Mapping[str, Any]) -> None:
    """Save more of what is known of a table."""
    wheel.projects.choose(project_id, {"tables": {name: {**read_table(wheel, project_id, name), **more}}})


def _save(wheel: Wheel, project_id: int, name: str, guess: TableGuess) -> None:
    values = {each: dict(votes.meaning) for each, votes in guess.values.items()}
    known = {"what": guess.what.value, "fields": guess.fields, "values": values}
    if not known.items() <= read_table(wheel, project_id, name).items():
        save_table(wheel, project_id, name, known)


def _saved(wheel: Wheel, project_id: int, name: str, header: Sequence[str], what: What) -> dict[str, Any]:
    """By this name, else of a table with the very same columns: next week's file has another name."""
    tables: dict[str, dict[str, Any]] = wheel.projects.chosen(project_id).get("tables", {})
    alike = (each for each in tables.values() if set(each["fields"]) == set(header))
    found = tables.get(name) or next(alike, {})
    return found if found.get("what") == what.value else {}
