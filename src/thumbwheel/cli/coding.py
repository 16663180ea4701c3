"""Command of open coding: notes in, proposed categories out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from thumbwheel.cli.wheel import JsonOption, ProjectOption, open_wheel, print_json
from thumbwheel.web.words import counted, one_line

if TYPE_CHECKING:
    from thumbwheel.domain.codebook import Codebook
    from thumbwheel.domain.note import Note
    from thumbwheel.services.coding import Desk

#: Characters of a note that a table shows.
_SHOWN = 64


def suggest(
    out: Annotated[Path | None, typer.Option(help="Write the categories to this file, as a codebook to edit.")] = None,
    source: Annotated[
        str | None, typer.Option("--from", help='JSONL of {"note", "id"?} instead of the project\'s; - standard input.')
    ] = None,
    arranged: Annotated[
        bool, typer.Option("--arranged", help="As the notes are sorted on the page, instead of anew.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    project: str = ProjectOption,
    as_json: bool = JsonOption,
) -> None:
    """Propose categories from the notes of open coding: what reviewers wrote before there was a codebook.

    Notes that read alike become one group, named by its characteristic words. Nothing is published; exit code 1 when
    there are no notes.

    Example: `thumbwheel codebook suggest --out codebook.yaml`
    """
    desk = _from_file(source) if source is not None else _from_project(project, arranged)
    codebook, n_more = _codebook(desk, project)
    if as_json:
        print_json(_document(desk, codebook))
    else:
        _print(desk, codebook)
    if not desk.notes:
        raise typer.Exit(1)
    if out is not None:
        _write(out, codebook, desk, n_more, force)
        if not as_json:
            typer.echo(
                f"\n{out} written: its definitions are drafts; edit it, then `thumbwheel codebook publish {out}`"
            )


def _from_project(project: str, arranged: bool) -> Desk:
    with open_wheel() as wheel:
        return wheel.coding.desk(wheel.known_project(project), anew=not arranged)


def _from_file(source: str) -> Desk:
    from thumbwheel.connectors.note_features import alike
    from thumbwheel.connectors.notes_file import parse
    from thumbwheel.errors import Invalid
    from thumbwheel.services.coding import sort_notes

    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8")
    except UnicodeDecodeError as fault:
        raise Invalid(f"{source} is not UTF-8 text.", field="from") from fault
    except OSError as fault:
        raise Invalid(f"Cannot read {source}: {fault.strerror}.", field="from") from fault
    return sort_notes(parse(text), alike)


def _codebook(desk: Desk, project: str) -> tuple[Codebook, int]:
    """The largest groups as a codebook, as many as it has letters for; and how many more groups there are."""
    from thumbwheel.services.coding import MOST_CATEGORIES
    from thumbwheel.services.rubric import Rubric

    data = desk.codebook(project)
    size = [len(group.note_ids) for group in desk.grouping.groups if group.note_ids]
    largest = sorted(range(len(size)), key=lambda place: -size[place])[:MOST_CATEGORIES]
    kept = [data["categories"][place] for place in sorted(largest)]
    return Rubric.check(data | {"categories": kept}), len(size) - len(kept)


def _write(out: Path, codebook: Codebook, desk: Desk, n_more: int, force: bool) -> None:
    from thumbwheel.connectors.codebook_file import draft
    from thumbwheel.errors import Invalid

    more = f" {counted(n_more, 'smaller group')} had no letter left and {'is' if n_more == 1 else 'are'} not here."
    text = draft(codebook, f"Proposed from {counted(len(desk.notes), 'note')}.{more if n_more else ''}")
    try:
        with out.open("w" if force else "x", encoding="utf-8") as written:
            written.write(text)
    except FileExistsError as fault:
        raise Invalid(f"{out} is there already; --force writes over it.", field="out") from fault
    except OSError as fault:
        raise Invalid(f"{out} cannot be written: {fault.strerror}.", field="out") from fault


def _print(desk: Desk, codebook: Codebook) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from thumbwheel.web.curve import advice, in_steps, sentence

    if not desk.notes:
        typer.echo("No notes yet: without a codebook, reviewers write down the first thing that went wrong.")
        return
    n_people = len({note.annotator for note in desk.notes if note.annotator})
    people = f" by {counted(n_people, 'person', 'people')}" if n_people else ""
    typer.echo(f"{counted(len(desk.notes), 'note')}{people}, {counted(desk.curve.n_modes, 'mode')}\n")
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("key", "proposed category", "notes", "for example"):
        table.add_column(name, justify="right" if name == "notes" else "left", no_wrap=name in {"key", "notes"})
    letters = {category.name: category.key for category in codebook.categories}
    for group in desk.grouping.groups:
        if group.id in desk.drafts:
            draft = desk.drafts[group.id]
            name = one_line(group.name or draft.name, _SHOWN)
            example = one_line(draft.positive.strip("“”"), _SHOWN)
            table.add_row(
                letters.get(group.name or draft.name, ""), Text(name), str(len(group.note_ids)), Text(example)
            )
    Console(highlight=False).print(table)
    for note in desk.unsorted:
        typer.echo(f"  alone: {one_line(note.text, _SHOWN)}")
    if desk.grouping.left_out:
        typer.echo(f"  left out: {counted(len(desk.grouping.left_out), 'note')}")
    typer.echo(f"\nnew modes per 20 notes: {in_steps(desk.curve)}\n{sentence(desk.curve)} {advice(desk.curve)}")


def _document(desk: Desk, codebook: Codebook) -> dict[str, Any]:
    by_id = {note.id: note for note in desk.notes}
    letters = {category.name: category.key for category in codebook.categories}

    def said(notes: list[Note]) -> list[dict[str, Any]]:
        return [
            {"id": note.id, "trace_id": note.trace_id, "annotator": note.annotator, "note": note.text} for note in notes
        ]

    groups = []
    for group in desk.grouping.groups:
        if draft := desk.drafts.get(group.id):
            members = said([by_id[note_id] for note_id in group.note_ids])
            name = group.name or draft.name
            key = letters.get(name)
            groups.append({"name": name, "key": key, "words": draft.words, "n_notes": len(members), "notes": members})
    return {
        "n_notes": len(desk.notes),
        "n_older": desk.n_older,
        "groups": groups,
        "alone": said(list(desk.unsorted)),
        "left_out": list(desk.grouping.left_out),
        "saturation": {
            "n_modes": desk.curve.n_modes,
            "step": 20,
            "new": [step.n_new for step in desk.curve.steps],
            "new_in_last_20": desk.curve.n_new_last,
            "unseen_probability": desk.curve.unseen_probability,
        },
        "codebook": codebook,
    }
