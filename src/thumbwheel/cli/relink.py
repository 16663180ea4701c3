"""Command of relink: a pasted ticket or chat message, and the trace it is about."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from thumbwheel.cli.wheel import JsonOption, ProjectOption, open_wheel, print_json

if TYPE_CHECKING:
    from datetime import datetime

    from thumbwheel.app import Wheel
    from thumbwheel.services.relink import Candidates, Message

#: Characters of each side of a trace that are shown.
_SHOWN = 160


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("relink")(relink)


def relink(
    file: Annotated[Path | None, typer.Argument(help="The message; - reads standard input.", allow_dash=True)] = None,
    text: Annotated[str, typer.Option(help="The message itself.")] = "",
    user: Annotated[str, typer.Option(help="Who wrote it, by the id the application knows them by.")] = "",
    at: Annotated[str, typer.Option(help="When it was written, as 2026-11-23T09:30Z; now when left out.")] = "",
    channel: Annotated[str, typer.Option(help="Where it was written.")] = "ticket",
    reference: Annotated[str, typer.Option(help="Number or address of the ticket; it is attached once.")] = "",
    days: Annotated[int, typer.Option(help="How many days back to look.")] = 7,
    limit: Annotated[int, typer.Option(min=1, max=50, help="Candidates to show.")] = 5,
    pick: Annotated[int | None, typer.Option(min=1, help="Attach it to this candidate.")] = None,
    trace: Annotated[str, typer.Option(help="Attach it to the trace with this id.")] = "",
    agreed: Annotated[
        bool, typer.Option("--agreed", help="The writer agreed that it is kept, where the project asks for that.")
    ] = False,
    by: Annotated[str, typer.Option(help="Who says so.")] = "command line",
    project: str = ProjectOption,
    as_json: bool = JsonOption,
) -> None:
    """Find the trace a ticket or chat message is about, and attach it.

    Shows the likeliest traces and why; nothing is kept before --pick or --trace says which.

    Example: `thumbwheel relink ticket.txt --user u-17 --at 2026-11-23T09:30Z --pick 1`
    """
    from thumbwheel.services.relink import Message

    message = Message(
        text=text or _read(file),
        at=_time(at) if at else None,
        user_id=user or None,
        channel=channel,
        reference=reference or None,
        agreed=agreed,
    )
    with open_wheel() as wheel:
        project_id = wheel.known_project(project)
        if trace:
            _attach(wheel, project_id, message, trace, by, as_json=as_json)
            return
        found = wheel.relink.candidates(project_id, message, days=days, limit=max(limit, pick or 0))
        if pick is None:
            _show(found, as_json=as_json)
        else:
            _attach(wheel, project_id, message, _picked(found, pick), by, as_json=as_json)


def _read(file: Path | None) -> str:
    from thumbwheel.errors import Invalid

    if file is None:
        raise Invalid("Give the message: --text, a file, or - for standard input.", field="text")
    if str(file) == "-":
        return sys.stdin.read()
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError as fault:
        raise Invalid(f"Cannot read {file}: {fault.strerror}.", field="file") from fault


def _time(text: str) -> datetime:
    from datetime import datetime

    from thumbwheel.domain.instant import utc
    from thumbwheel.errors import Invalid

    try:
        return utc(datetime.fromisoformat(text))
    except ValueError as fault:
        raise Invalid(f"{text!r} is not an ISO 8601 time.", field="at") from fault


def _picked(found: Candidates, pick: int) -> str:
    from thumbwheel.errors import Invalid

    if pick > len(found.items):
        raise Invalid(f"There are {len(found.items)} candidates.", field="pick")
    return found.items[pick - 1].exchange.trace_id


def _attach(wheel: Wheel, project_id: int, message: Message, trace_id: str, by: str, *, as_json: bool) -> None:
    from thumbwheel.errors import ThumbwheelError
    from thumbwheel.services.capture import Work

    signal, content = wheel.relink.signal(project_id, message, trace_id, by)
    (outcome,) = wheel.capture.keep_now(Work(project_id, signals=[(signal, content)])).signals
    if isinstance(outcome, ThumbwheelError):
        raise outcome
    if as_json:
        print_json({"id": signal.id, "trace_id": signal.trace_id, "kind": signal.kind.value, "new": outcome})
    else:
        typer.echo(f"{'Attached' if outcome else 'It is attached already'} to {signal.trace_id}.")


def _show(found: Candidates, *, as_json: bool) -> None:
    if as_json:
        print_json({"items": [_as_json(each) for each in found.items], "complete": found.complete})
        return
    for place, each in enumerate(found.items, 1):
        exchange = each.exchange
        typer.echo(f"{place}. {exchange.trace_id}  {exchange.started_at:%Y-%m-%d %H:%M}  {each.score:.2f}")
        typer.echo(f"   {'; '.join(each.why)}")
        typer.echo(f"   asked: {_short(exchange.input)}")
        typer.echo(f"   answered: {_short(exchange.output)}")
    if found.items:
        typer.echo("Attach it with --pick N or --trace ID.")
    else:
        typer.echo("No trace started in that time.")
    if not found.complete:
        typer.echo(f"Compared with the {found.n_compared} nearest; --user, --at and --days look more closely.")


def _as_json(each: Any) -> dict[str, Any]:
    exchange = each.exchange
    return {
        "trace_id": exchange.trace_id,
        "started_at": exchange.started_at,
        "score": round(each.score, 4),
        "likeness": round(each.likeness, 4),
        "why": each.why,
        "input": exchange.input,
        "output": exchange.output,
    }


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"
