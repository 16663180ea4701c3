"""Command of scrubbing: texts in, texts without personal data out."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from thumbwheel.services.scrub import ScrubbedText


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("scrub")(scrub)


def scrub(
    source: Annotated[
        Path, typer.Option("--from", help='JSONL of {"id", "text"}; - reads standard input.', allow_dash=True)
    ],
    regions: Annotated[
        str, typer.Option(help="Comma-separated countries whose telephone numbers are known as they are written there.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list instead of a line a text.")] = False,
) -> None:
    """Take personal data and secrets out of texts.

    Prints {"id", "text", "found": [{"type", "start", "end"}]} for each, with Presidio's type names; SECRET is ours.
    The offsets count characters of the text as it was given.

    Example: `thumbwheel scrub --from texts.jsonl > clean.jsonl`
    """
    from thumbwheel.config import read_settings
    from thumbwheel.connectors.scrubber import scrubber
    from thumbwheel.services.scrub import scrub_texts

    settings = read_settings()
    chosen = tuple(each.strip().upper() for each in regions.split(",") if each.strip()) or None
    finder = scrubber("auto" if settings.scrub == "off" else settings.scrub, chosen, settings.scrub_model)
    with _opened(source) as lines:
        scrubbed = map(_as_json, scrub_texts(_rows(lines), finder))
        if as_json:
            typer.echo(json.dumps(list(scrubbed), ensure_ascii=False, indent=2))
            return
        for each in scrubbed:
            typer.echo(json.dumps(each, ensure_ascii=False))


@contextmanager
def _opened(source: Path) -> Iterator[IO[str]]:
    from thumbwheel.errors import Invalid

    if str(source) == "-":
        yield sys.stdin
        return
    try:
        file = source.open(encoding="utf-8")
    except OSError as fault:
        raise Invalid(f"Cannot read {source}: {fault.strerror}.", field="from") from fault
    with file:
        yield file


def _rows(lines: IO[str]) -> Iterator[dict[str, Any]]:
    from thumbwheel.connectors.native import check_clean
    from thumbwheel.errors import Invalid

    try:
        for number, line in enumerate(lines, 1):
            if line.strip():
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise Invalid(f"Line {number} is not a JSON object.", field="from")
                check_clean(row)
                yield row
    except ValueError as fault:
        raise Invalid(f"This is not JSON, one object a line, in UTF-8: {fault}.", field="from") from fault


def _as_json(each: ScrubbedText) -> dict[str, Any]:
    found = [{"type": one.type, "start": one.start, "end": one.end} for one in each.found]
    return {"id": each.id, "text": each.text, "found": found}
