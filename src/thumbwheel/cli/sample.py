"""Commands of sampling: sample, alert."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from thumbwheel.cli.tune import read_mix, replay, tune
from thumbwheel.cli.wheel import JsonOption, ProjectOption, open_wheel, print_json
from thumbwheel.web.words import counted

if TYPE_CHECKING:
    from thumbwheel.services.sample import Drawing


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer()
    group.callback(invoke_without_command=True)(sample)
    group.command("tune")(tune)
    group.command("replay")(replay)
    app.add_typer(group, name="sample")
    app.command("alert")(alert)
    app.command("alerts")(alerts)


def sample(
    context: typer.Context,
    budget: Annotated[int, typer.Option(min=1, max=100_000, help="Entries to pick.")] = 80,
    window: Annotated[str, typer.Option(help="How far back: 7d, 24h, 90m.")] = "7d",
    mix: Annotated[
        str, typer.Option(help="Shares, as random=40,negative=40,stratified=20; the mix in force when left out.")
    ] = "",
    seed: Annotated[
        int | None, typer.Option(min=0, max=2**63 - 1, help="Repeats a draw: same seed, same traces, same picks.")
    ] = None,
    maturity: Annotated[str, typer.Option(help="How old a trace must be, so that feedback can have come.")] = "24h",
    again: Annotated[bool, typer.Option("--again", help="Draw a second time from the last frame.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be picked; queue nothing.")] = False,
    project: str = ProjectOption,
    as_json: bool = JsonOption,
) -> None:
    """Pick the traces worth a human's minute, and queue them.

    Example: `thumbwheel sample --budget 80 --window 7d --dry-run`
    """
    if context.invoked_subcommand is not None:
        return
    from thumbwheel.services.sample import DrawRequest

    request = DrawRequest(
        budget=budget,
        window=_span(window, "window"),
        mix=read_mix(mix),
        seed=seed,
        maturity=_span(maturity, "maturity"),
        again=again,
        dry_run=dry_run,
    )
    with open_wheel() as wheel:
        made = wheel.sample.draw(wheel.known_project(project), request)
    if as_json:
        from thumbwheel.api.drawing import drawing_out

        print_json(drawing_out(made))
    else:
        _show(made, dry_run=dry_run)


def alert(
    name: Annotated[str, typer.Argument(help="What happened, in a few words.")],
    slice_: Annotated[
        list[str] | None,
        typer.Option("--slice", help="Trace field and its value, as category=billing; repeat to narrow."),
    ] = None,
    filter_: Annotated[
        str | None, typer.Option("--filter", help='As in: category = billing and model != "x" and tags has beta')
    ] = None,
    pull: Annotated[int, typer.Option(min=1, help="Traces to pull a draw.")] = 8,
    lasts: Annotated[str, typer.Option(help="How long it stays open.")] = "1d",
    project: str = ProjectOption,
    as_json: bool = JsonOption,
) -> None:
    """Have draws look at a slice of the traffic.

    Example: `thumbwheel alert "refunds look odd" --slice category=billing --pull 10`
    """
    from thumbwheel.errors import Invalid
    from thumbwheel.services.alerts import AlertRequest

    pairs = [part.partition("=") for part in slice_ or []]
    if not all(sign for _, sign, _ in pairs):
        raise Invalid("A slice is written field=value.", field="slice")
    fields = {field.strip(): value for field, _, value in pairs}
    asked = AlertRequest(name=name, slice=fields, filter=filter_, pull=pull, lasts=_span(lasts, "lasts"))
    with open_wheel() as wheel:
        (raised,) = wheel.alerts.raise_all(wheel.known_project(project), [asked])
    if as_json:
        print_json(raised)
    else:
        about = " and ".join([*(slice_ or []), *([filter_] if filter_ else [])])
        typer.echo(f"alert {raised.id}: draws pull {pull} of {about} until {raised.expires_at:%F %R} UTC")


def alerts(
    closed: Annotated[bool, typer.Option("--closed", help="Also those that were closed or have expired.")] = False,
    close: Annotated[str | None, typer.Option(metavar="ALERT", help="Close this one first.")] = None,
    project: str = ProjectOption,
    as_json: bool = JsonOption,
) -> None:
    """List the drift alerts, and what their pulls found.

    Example: `thumbwheel alerts --closed`
    """
    from thumbwheel.api.sample import alert_out

    with open_wheel() as wheel:
        number = wheel.known_project(project)
        if close is not None:
            wheel.alerts.close(number, close)
        found = wheel.alerts.list_alerts(number, closed=closed or close is not None)
    if as_json:
        print_json({"items": [alert_out(each) for each in found]})
        return
    for each in found:
        over = f"expired {each.alert.expires_at:%F %R}" if each.alert.closed_at is None else "closed"
        state = f"open until {each.alert.expires_at:%F %R}" if each.is_open else over
        about = ", ".join(f"{name} {value}" for name, value in each.alert.slice.items())
        typer.echo(
            f"{each.alert.id}  {state}  {each.n_failed} failures in {each.n_labelled} labels "
            f"of {each.n_pulled} pulled  {each.alert.name} ({about})"
        )
    if not found:
        typer.echo("No alert is open.")


def _span(text: str, field: str) -> timedelta:
    from thumbwheel.connectors.span import parse_span
    from thumbwheel.errors import Invalid

    try:
        span = parse_span(text)
    except ValueError as fault:
        raise Invalid(f"{fault}.", field=field) from fault
    assert isinstance(span, timedelta)
    return span


def _show(made: Drawing, *, dry_run: bool) -> None:
    from collections import Counter

    from rich.console import Console
    from rich.table import Table

    console = Console()
    draw = made.draw
    verb = "would pick" if dry_run else "picked"
    console.print(
        f"{verb} [bold]{len(made.entries)}[/] of {counted(draw.population, 'trace')} "
        f"from {draw.window.start:%F %R} to {draw.window.end:%F %R} UTC, seed {draw.seed}"
    )
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("policy", "picked", "chance", "for example"):
        table.add_column(heading, justify="right" if heading in {"picked", "chance"} else "left")
    picks = Counter(entry.policy for entry in made.entries)
    for policy, n in picks.items():
        own = [entry for entry in made.entries if entry.policy is policy]
        chances = [entry.inclusion_probability for entry in own]
        spread = f"{min(chances):.3f}-{max(chances):.3f}"
        table.add_row(policy.value, str(n), spread, own[0].reason)
    if picks:
        console.print(table)
    for policy_name, why in draw.shortfalls.items():
        console.print(f"[yellow]{policy_name}[/] {why}")
