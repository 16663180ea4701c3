"""`thumbwheel queue`: what waits, why, how old; and taking it out."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from thumbwheel.cli import queue_changes
from thumbwheel.cli.wheel import JsonOption, ProjectOption, open_wheel, print_json
from thumbwheel.web.words import counted, duration, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from thumbwheel.domain.queue import Waiting
    from thumbwheel.services.rubric import Skipped
    from thumbwheel.wheel import Wheel

EntriesArgument = Annotated[list[str] | None, typer.Argument(metavar="ENTRY...", help="Ids of entries.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    queue = typer.Typer(help="What waits for a judgement.")
    queue.callback(invoke_without_command=True)(show)
    queue.command("skipped")(skipped)
    queue.command("assign")(assign)
    queue.command("drop")(drop)
    queue.command("export")(export)
    queue.command("trim")(trim)
    queue_changes.register(queue)
    app.add_typer(queue, name="queue")


def show(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, help="Most entries to print.")] = 20,
    project: str = ProjectOption,
    as_json: bool = JsonOption,
) -> None:
    """Print what waits, why, and how long it has.

    Example: `thumbwheel queue --limit 50`
    """
    if context.invoked_subcommand is not None:
        return
    with open_wheel() as wheel:
        project_id = wheel.known_project(project)
        found = wheel.rubric.waiting(project_id, limit)
        n = wheel.rubric.count_waiting(project_id)
        now = wheel.now()
    if as_json:
        print_json({"waiting": n, "items": [_waiting(each) for each in found]})
        return
    if not found:
        typer.echo("Nothing waits. `thumbwheel sample` draws the next traces.")
        return
    oldest = duration((now - found[0].entry.added_at).total_seconds())
    typer.echo(f"{counted(n, 'entry', 'entries')} waiting, the oldest for {oldest}")
    for each in found:
        typer.echo(_line(each, now))
    if n > len(found):
        typer.echo(f"… and {n - len(found):,} more; --limit shows them")


def skipped(project: str = ProjectOption, as_json: bool = JsonOption) -> None:
    """Print what reviewers skipped and why; `nobody left` is the owner's to assign or drop.

    Example: `thumbwheel queue skipped`
    """
    with open_wheel() as wheel:
        found = wheel.rubric.skipped(wheel.known_project(project))
        now = wheel.now()
    if as_json:
        print_json({"items": [_skipped(each) for each in found]})
        return
    if not found:
        typer.echo("Nothing that waits was skipped.")
    for each in found:
        typer.echo(_line(each.waiting, now) + ("  (nobody left)" if each.nobody_left else ""))
        for skip in each.skips:
            typer.echo(f"    {skip.annotator}: {one_line(skip.why or 'no reason given', 90)}")


def assign(
    entries: EntriesArgument = None,
    to: Annotated[str | None, typer.Option(help="Annotator to keep them for; anybody when left out.")] = None,
    project: str = ProjectOption,
    as_json: bool = JsonOption,
) -> None:
    """Keep entries for one annotator, also if they skipped them; or for anybody again.

    Example: `thumbwheel queue assign 019a… --to ada`
    """
    with open_wheel() as wheel:
        done = wheel.queue.assign(wheel.known_project(project), _named(entries), to, "command line").entry_ids
    _report(done, f"kept for {to or 'anybody'}", as_json)


def drop(
    entries: EntriesArgument = None,
    older_than: Annotated[str, typer.Option(help="Every entry that has waited longer: 7d, 24h.")] = "",
    why: Annotated[str, typer.Option(help="Why, for the record.")] = "dropped by hand",
    project: str = ProjectOption,
    as_json: bool = JsonOption,
) -> None:
    """Take entries out of the queue without a judgement; the report counts them as dropped.

    Example: `thumbwheel queue drop --older-than 7d --why "from before the new prompt"`
    """
    from thumbwheel.errors import Invalid

    if bool(entries) == bool(older_than):
        raise Invalid("Name entries, or give --older-than; not both.", field="entries")
    with open_wheel() as wheel:
        project_id = wheel.known_project(project)
        chosen = entries or _older(wheel, project_id, older_than)
        done = wheel.queue.drop(project_id, chosen, why, "command line").entry_ids
    _report(done, "dropped", as_json)


def export(
    file: Annotated[str, typer.Argument(help="File to write, or - for standard output.")] = "-",
    project: str = ProjectOption,
) -> None:
    """Write what waits as JSON lines, each entry with its trace.

    Example: `thumbwheel queue export waiting.jsonl`
    """
    import contextlib
    from pathlib import Path

    import msgspec

    from thumbwheel.errors import Invalid

    n = 0
    with open_wheel() as wheel, contextlib.ExitStack() as opened:
        project_id = wheel.known_project(project)
        try:
            out = sys.stdout if file == "-" else opened.enter_context(Path(file).open("w", encoding="utf-8"))
        except OSError as fault:
            raise Invalid(f"{file} cannot be written: {fault.strerror}.", field="file") from fault
        for waiting, trace in wheel.rubric.export(project_id, "command line"):
            row = _waiting(waiting) | {"trace": trace}
            out.write(msgspec.json.encode(row).decode() + "\n")
            n += 1
    typer.echo(f"{counted(n, 'entry', 'entries')} written", err=True)


def _named(entries: list[str] | None) -> list[str]:
    from thumbwheel.errors import Invalid

    if not entries:
        raise Invalid("Name at least one entry.", field="entries")
    return entries


def _older(wheel: Wheel, project_id: int, span: str) -> list[str]:
    from datetime import timedelta

    from thumbwheel.connectors.span import parse_span
    from thumbwheel.errors import Invalid

    try:
        age = parse_span(span)
    except ValueError as fault:
        raise Invalid(f"{fault}.", field="older-than") from fault
    assert isinstance(age, timedelta)
    waiting = wheel.rubric.waiting(project_id, wheel.rubric.count_waiting(project_id))
    return [each.entry.id for each in waiting if wheel.now() - each.entry.added_at > age]


def _report(done: Sequence[str], how: str, as_json: bool) -> None:
    if as_json:
        print_json({"entry_ids": done})
    else:
        typer.echo(f"{counted(len(done), 'entry', 'entries')} {how}")


def _line(waiting: Waiting, now: datetime) -> str:
    entry, lease = waiting.entry, waiting.lease
    age = duration((now - entry.added_at).total_seconds())
    held = lease is not None and lease.expires_at > now
    holder = (
        f"  [{lease.annotator}]" if lease and held else f"  [for {waiting.assigned_to}]" if waiting.assigned_to else ""
    )
    return f"{entry.id}  {age:>8}  {entry.policy.value:10}  {one_line(entry.reason, 60)}{holder}"


def _waiting(waiting: Waiting) -> dict[str, Any]:
    entry, lease = waiting.entry, waiting.lease
    return {
        "id": entry.id,
        "trace_id": entry.trace_id,
        "draw_id": entry.draw_id,
        "policy": entry.policy,
        "picked_by": entry.picked_by,
        "rank": entry.rank,
        "reason": entry.reason,
        "inclusion_probability": entry.inclusion_probability,
        "category": entry.category,
        "added_at": entry.added_at,
        "leased_by": lease.annotator if lease else None,
        "leased_until": lease.expires_at if lease else None,
        "assigned_to": waiting.assigned_to,
    }


def _skipped(skipped: Skipped) -> dict[str, Any]:
    return {
        "entry": _waiting(skipped.waiting),
        "skips": [{"annotator": skip.annotator, "at": skip.at, "why": skip.why} for skip in skipped.skips],
        "nobody_left": skipped.nobody_left,
    }


def trim(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be dropped; drop nothing.")] = False,
    project: str = ProjectOption,
    as_json: bool = JsonOption,
) -> None:
    """Drop what waited longer than seven days and what cannot be worked off in seven, lowest-ranked first.

    The server does this every hour. Random's floor stays; the weights of what was labelled account for the rest.

    Example: `thumbwheel queue trim --dry-run`
    """
    with open_wheel() as wheel:
        number = wheel.known_project(project)
        can = wheel.sample.capacity(number)
        dropped = wheel.sample.trim(number, dry_run=dry_run)
    if as_json:
        print_json({"limit": can.limit, "labels_per_day": can.labels_per_day, "dropped": dropped})
        return
    pace = "not measured yet" if can.limit is None else f"{can.limit:,} at {can.labels_per_day:.1f} labels a day"
    verb = "would be dropped" if dry_run else "dropped"
    typer.echo(f"the queue can hold: {pace}")
    typer.echo(f"{verb}: {dropped['expired']} expired, {dropped['overflow']} over what it can hold")
