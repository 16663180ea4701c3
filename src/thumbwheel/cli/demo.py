"""`thumbwheel demo`: a fresh store with a realistic week, a queue ready to label, and the server over it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from thumbwheel.app import Wheel

#: Everything the demo leaves behind is in here, below the working directory.
FOLDER = Path(".demo")
BUDGET = 80
_SEED = 7
_PASSWORD = "thumbwheel"  # noqa: S105 - printed on the screen; the demo listens on this machine only
_NAMES = ("demo", "second")
#: Who replayed verdicts are by: not the visitor, whose own day starts empty.
_RECORDED = "recorded"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def demo(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
    auto_label: Annotated[
        bool, typer.Option("--auto-label", help="Replay the recorded human verdicts as a reviewer, to see it turned.")
    ] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Throw the demo's store away and fill a new one.")] = False,
    serve: Annotated[bool, typer.Option(help="Serve it once it is filled.")] = True,
) -> None:
    """Fill a store with a realistic week, queue 80 traces to label, and serve it.

    The store is a file of its own under `.demo`; yours, and its setting, are left alone.

    Example: `thumbwheel demo --auto-label`
    """
    from thumbwheel.cli.server import listen, run

    if serve:
        listen(host, port).close()  # better told now than after half a minute's work
    if fresh:
        shutil.rmtree(FOLDER, ignore_errors=True)
    os.environ["THUMBWHEEL_DATABASE_URL"] = f"sqlite:///{FOLDER.resolve()}/thumbwheel.db"
    os.environ["THUMBWHEEL_TRACES_URL"] = os.environ["THUMBWHEEL_DATABASE_URL"]
    os.environ["THUMBWHEEL_NOTICE"] = _notice()
    done = _done()
    if not done.get("filled"):
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir(mode=0o700)
        done = _fill()
    if auto_label and not done.get("labelled"):
        done = _label(done)
    _say(host, port, done)
    if serve:
        run(host, port, 1)


def _notice() -> str:
    from thumbwheel.demo.corpus import NOTICE

    return NOTICE


def _done() -> dict[str, str]:
    try:
        read: dict[str, str] = json.loads((FOLDER / "done.json").read_text())
    except (OSError, ValueError):
        return {}
    return read


def _keep(done: dict[str, str]) -> dict[str, str]:
    (FOLDER / "done.json").write_text(json.dumps(done))
    return done


class _Clock:
    """A time that a scripted reviewer moves on."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


def _open(clock: _Clock) -> Wheel:
    from thumbwheel.app import Wheel
    from thumbwheel.config import read_settings

    return Wheel(read_settings(), now=clock)


def _now() -> datetime:
    from thumbwheel.app import utc_now

    return utc_now()


def _fill() -> dict[str, str]:
    from thumbwheel.domain.person import Role, Scope
    from thumbwheel.services.sample import DrawRequest

    # The week ends an hour ago, so that a replayed reviewer has had the time to label.
    clock = _Clock(_now() - timedelta(minutes=75))
    wheel = _open(clock)
    project_id = wheel.project("default")
    for name, role in zip(_NAMES, (Role.admin, Role.annotator), strict=True):
        wheel.access.add_person(name, role, _PASSWORD)
    key = wheel.access.add_key("default", Scope)
    _publish(wheel, project_id)
    n_traces, n_signals = _capture(wheel, project_id, clock.at)
    _alert(wheel, project_id)
    _tell("picking 80 of them")
    request = DrawRequest(budget=BUDGET, window=timedelta(days=8), maturity=timedelta(0), seed=_SEED)
    made = wheel.sample.draw(project_id, request)
    wheel.stop()
    return _keep(
        {
            "filled": clock.at.isoformat(),
            "traces": f"{n_traces:,}",
            "signals": f"{n_signals:,}",
            "queued": str(len(made.entries)),
            "secret_key": key.secret_key,
        }
    )


def _publish(wheel: Wheel, project_id: int) -> None:
    from importlib.resources import files

    import yaml

    data = yaml.safe_load((files("thumbwheel.demo") / "codebook.yaml").read_text(encoding="utf-8"))
    wheel.rubric.publish(project_id, data, _NAMES[0], "The demo's first codebook.")


def _capture(wheel: Wheel, project_id: int, now: datetime) -> tuple[int, int]:
    from thumbwheel.connectors import native
    from thumbwheel.demo.week import week
    from thumbwheel.services.capture import Work

    _tell("a week of traffic: recorded questions and answers, simulated users")
    traces, signals = week(now, _SEED)
    arrived = [native.trace(item, now) for item in traces]
    said = [native.signal(item, now, native.id_of(item)) for item in signals]
    for at in range(0, len(arrived), 500):
        part = [(each.value, each.content_hash) for each in arrived[at : at + 500]]
        wheel.capture.keep_now(Work(project_id, traces=part))
    for at in range(0, len(said), 500):
        some = [(each.value, each.content_hash) for each in said[at : at + 500]]
        wheel.capture.keep_now(Work(project_id, signals=some))
    return len(arrived), len(said)


def _alert(wheel: Wheel, project_id: int) -> None:
    from thumbwheel.demo.week import RELEASES
    from thumbwheel.services.alerts import AlertRequest

    asked = AlertRequest(name=f"code answers since {RELEASES[-1]}", slice={"category": "code"}, lasts=timedelta(days=7))
    wheel.alerts.raise_all(project_id, [asked])


def _label(done: dict[str, str]) -> dict[str, str]:
    """Let the recorded verdicts answer the queue, then draw again so that there is something left to label."""
    from thumbwheel.domain.person import Role
    from thumbwheel.services.sample import DrawRequest

    _tell("replaying the recorded human verdicts as a reviewer")
    clock = _Clock(datetime.fromisoformat(done["filled"]) + timedelta(minutes=1))
    wheel = _open(clock)
    project_id = wheel.project("default")
    rng = Random(_SEED)
    if all(each.name != _RECORDED for each in wheel.access.list_people()):  # it may have been interrupted here
        wheel.access.add_person(_RECORDED, Role.annotator, _PASSWORD)
    first, second = (_replay(wheel, project_id, name, clock, rng) for name in (_RECORDED, _NAMES[1]))
    wheel.close.route(project_id)
    clock.at = _now()
    request = DrawRequest(budget=BUDGET, window=timedelta(days=8), maturity=timedelta(0), seed=_SEED + 1, again=True)
    wheel.sample.draw(project_id, request)
    wheel.stop()
    return _keep(
        done | {"labelled": f"{first} recorded verdicts replayed, and {second} by a simulated second reviewer."}
    )


def _replay(wheel: Wheel, project_id: int, name: str, clock: _Clock, rng: Random) -> int:
    from thumbwheel.demo.replay import recorded_annotation, second_annotation
    from thumbwheel.domain.annotation import Judgement, Verdict

    n = 0
    while served := wheel.annotate.next(project_id, name):
        first = name == _RECORDED
        said = recorded_annotation(served.trace.id) if first else second_annotation(served.trace.id, _SEED)
        seconds = round(rng.lognormvariate(3.4, 0.5), 1)
        clock.at += timedelta(seconds=seconds)
        judgement = Judgement(
            verdict=Verdict(said["verdict"]),
            categories=tuple(said["categories"]),
            critique=said["critique"],
            corrected_output=said.get("corrected_output"),
            documents=dict(said.get("documents") or {}),
            seconds=seconds,
        )
        wheel.annotate.submit(project_id, served.entry.id, served.lease.token, name, judgement)
        n += 1
    return n


def _tell(what: str) -> None:
    typer.echo(f"  {what} …", err=True)


def _say(host: str, port: int, done: dict[str, str]) -> None:
    from textwrap import fill

    say = typer.echo
    shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - only compared
    say(f"""
  thumbwheel demo: {done["traces"]} traces, {done["signals"]} signals, {done["queued"]} entries picked
{fill(_notice(), 110, initial_indent="  ", subsequent_indent="  ")}

  open      http://{shown}:{port}
  sign in   {_NAMES[0]} / {_PASSWORD}      ({_NAMES[1]} / {_PASSWORD} is a second reviewer)
  API key   {done["secret_key"]}
""")
    if "labelled" in done:
        say(f"  {done['labelled']}\n  Next: http://{shown}:{port}/report\n")
    else:
        say(f"  Next: http://{shown}:{port}/annotate, then press ? for the keys. Or run it with --auto-label.\n")
    sys.stdout.flush()
