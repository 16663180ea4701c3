"""Commands of sources: `pull` brings in what another tool already has, `push` takes settled labels back to it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from thumbwheel.cli.progress import progress_share
from thumbwheel.cli.wheel import JsonOption, ProjectOption, open_wheel

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from thumbwheel.config import Settings
    from thumbwheel.ports import Source
    from thumbwheel.services.sources import Pulled

#: `thumbwheel pull`; other modules add sources of their own to it.
pull = typer.Typer(help="Bring in traces and judgements that another tool already has.", no_args_is_help=True)
#: `thumbwheel push`.
push = typer.Typer(help="Take settled labels back to the tool their traces came from.", no_args_is_help=True)

_Url = Annotated[str | None, typer.Option(help="Address of the tool; else the setting, else its usual one.")]
_Key = Annotated[
    str | None,
    typer.Option(help="Its key (Langfuse: public:secret; MLflow: token or user:password); else the setting."),
]
_From = Annotated[
    str | None, typer.Option("--from", help="Name of the project or experiment there, where it is not --project's.")
]
_Since = Annotated[
    str | None,
    typer.Option(help="How far back to read what was not read yet: 7d, 24h, or a time like 2026-11-01. 7d at first."),
]
_Late = Annotated[
    str | None, typer.Option(help="How long after its trace a judgement may come: so far back they are read again. 7d.")
]
_Again = Annotated[bool, typer.Option("--again", help="Read everything since then again, not only what is new.")]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Keep and write nothing; say how many there would be.")]


#: Tool -> what a pull brings in and an example of one, what a push writes and an example of one.
_TOOLS = {
    "langfuse": (
        "Bring in traces and scores from Langfuse: its cloud, or a server of version 3 or later.",
        "--since 7d",
        "Take settled labels back to Langfuse, as scores of the traces that came from there.",
        "--dry-run",
    ),
    "langsmith": (
        "Bring in runs and feedback from LangSmith.",
        "--from support-prod --since 24h",
        "Take settled labels back to LangSmith, as feedback on the runs that came from there.",
        "--from support-prod",
    ),
    "phoenix": (
        "Bring in spans and annotations from Phoenix.",
        "--url http://localhost:6006 --since 30d",
        "Take settled labels back to Phoenix, as annotations of the spans that came from there.",
        "--url http://localhost:6006",
    ),
    "mlflow": (
        "Bring in traces and assessments from MLflow.",
        "--url http://localhost:5000 --from support",
        "Take settled labels back to MLflow, as assessments of the traces that came from there.",
        "--from support",
    ),
}
_GOES_ON = "Go on where the last pull ended, or broke off; what was read before is never kept twice."


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for tool, (in_, pulled, out, pushed) in _TOOLS.items():
        pull.command(tool, help=f"{in_}\n\n{_GOES_ON}\n\nExample: `thumbwheel pull {tool} {pulled}`")(_puller(tool))
        push.command(tool, help=f"{out}\n\nExample: `thumbwheel push {tool} {pushed}`")(_pusher(tool))
    app.add_typer(pull, name="pull")
    app.add_typer(push, name="push")


def _puller(tool: str) -> Callable[..., None]:
    def run(
        url: _Url = None,
        key: _Key = None,
        from_: _From = None,
        since: _Since = None,
        late: _Late = None,
        again: _Again = False,
        dry_run: _DryRun = False,
        project: str = ProjectOption,
        as_json: bool = JsonOption,
    ) -> None:
        _pull(tool, url, key, from_, since, late, project, again=again, dry_run=dry_run, as_json=as_json)

    return run


def _pusher(tool: str) -> Callable[..., None]:
    def run(
        url: _Url = None,
        key: _Key = None,
        from_: _From = None,
        dry_run: _DryRun = False,
        project: str = ProjectOption,
        as_json: bool = JsonOption,
    ) -> None:
        _push(tool, url, key, from_, project, dry_run=dry_run, as_json=as_json)

    return run


# --- both


def _pull(
    tool: str,
    url: str | None,
    key: str | None,
    from_: str | None,
    since: str | None,
    late: str | None,
    project: str,
    *,
    again: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    with open_wheel() as wheel, progress_share(f"Reading {tool}") as tell:
        pulled = wheel.sources.pull(
            wheel.project(project),
            _source(tool, wheel.settings, url, key, from_, project),
            since=None if since is None else _begin(since, wheel.now()),
            late=None if late is None else _span(late, "late"),
            afresh=again,
            dry_run=dry_run,
            watch=lambda share, found: tell(share, _counts(found)),
        )
    if as_json:
        said: dict[str, Any] = {"source": tool}
        said |= {name: getattr(pulled, name) for name in ("traces", "observations", "scores")}
        said |= {"refused": pulled.refused, "why": pulled.why} if pulled.refused else {}
        _print_line(said | ({"dry_run": True} if dry_run else {}))
        return
    typer.echo(f"{'Would bring' if dry_run else 'Brought'} {_counts(pulled)} that are new from {tool} into {project}.")
    if pulled.refused:
        typer.echo(f"{pulled.refused} could not be kept; the first: {pulled.why}", err=True)


def _push(
    tool: str, url: str | None, key: str | None, from_: str | None, project: str, *, dry_run: bool, as_json: bool
) -> None:
    with open_wheel() as wheel, progress_share(f"Writing to {tool}") as tell:
        pushed = wheel.sources.push(
            wheel.known_project(project),
            _source(tool, wheel.settings, url, key, from_, project),
            dry_run=dry_run,
            watch=lambda share, done: tell(share, f"{done.pushed} labels"),
        )
    if as_json:
        said: dict[str, Any] = {"source": tool, "pushed": pushed.pushed}
        said |= {"gone": pushed.gone} if pushed.gone else {}
        _print_line(said | ({"dry_run": True} if dry_run else {}))
        return
    typer.echo(f"{'Would take' if dry_run else 'Took'} {pushed.pushed} labels back to {tool}.")
    if pushed.gone:
        typer.echo(f"{pushed.gone} are of traces that are no longer there.", err=True)


def _print_line(said: dict[str, Any]) -> None:
    """One line, which is the last."""
    typer.echo(json.dumps(said, ensure_ascii=False))


def _counts(found: Pulled) -> str:
    return f"{found.traces} traces, {found.observations} observations and {found.scores} scores"


def _source(tool: str, settings: Settings, url: str | None, key: str | None, from_: str | None, project: str) -> Source:
    """The tool at an address, by the options or else by the settings."""
    from thumbwheel.connectors import sources

    if tool == "langfuse":
        return sources.langfuse(url or settings.langfuse_url, key or _langfuse_key(settings), from_)
    open_ = {"langsmith": sources.langsmith, "phoenix": sources.phoenix, "mlflow": sources.mlflow}[tool]
    secret = getattr(settings, f"{tool}_key")
    given = key or (None if secret is None else secret.get_secret_value())
    return open_(url or getattr(settings, f"{tool}_url"), given, from_ or project)


def _langfuse_key(settings: Settings) -> str | None:
    secret = settings.langfuse_secret_key
    return None if secret is None else f"{settings.langfuse_public_key or ''}:{secret.get_secret_value()}"


def _begin(text: str, now: datetime) -> datetime:
    """The time a text means: a span before now, or a time."""
    from datetime import datetime

    from thumbwheel.domain.instant import utc
    from thumbwheel.errors import Invalid

    try:
        return now - _span(text, "since")
    except Invalid:
        pass
    try:
        return utc(datetime.fromisoformat(text))
    except ValueError as fault:
        raise Invalid(f"{text!r} is neither a span like 7d nor a time like 2026-11-01.", field="since") from fault


def _span(text: str, option: str) -> timedelta:
    from datetime import timedelta

    from thumbwheel.connectors.span import parse_span
    from thumbwheel.errors import Invalid

    try:
        span = parse_span(text)
    except ValueError as fault:
        raise Invalid(f"{fault}.", field=option) from fault
    assert isinstance(span, timedelta)
    return span
