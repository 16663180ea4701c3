"""The report as HTML: filters for its templates, and the report as one self-contained file."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from thumbwheel.services.measure import Figure, Report
from thumbwheel.web import words

#: What a step of the funnel is called.
STEPS = {
    "traces": "traces",
    "with_signals": "with signals",
    "drawn": "queued",
    "annotated": "judged",
    "labelled": "labelled",
    "failures": "failures",
    "artifacts": "made an artifact",
    "fixes": "credited to a fix",
    "shipped": "fix shipped",
}
#: Categories whose failure rates are shown, the most frequent ones.
SHOWN = 12
#: What each kappa state allows to say.
STATES = {
    "too_few": "too few to tell",
    "undefined": "undefined",
    "unstable": "unstable",
    "watch": "under 0.6",
    "ok": "good",
}


def add_filters(environment: Environment) -> None:
    """Give an environment what the report's templates need."""
    environment.filters |= {
        "counted": words.counted,
        "date": words.date,
        "duration": words.duration,
        "estimate": estimate,
        "moment": words.moment,
        "percent": words.percent,
        "span": span,
    }
    environment.globals |= {"STEPS": STEPS, "STATES": STATES, "SHOWN": SHOWN}


def estimate(figure: Figure, form: str = "percent") -> str:
    """A figure with its limits, its numbers as `percent`, `duration` or `number` say them."""
    forms: dict[str, Callable[[float], str]] = {
        "percent": words.percent,
        "duration": words.duration,
        "number": words.plain_number,
    }
    return words.estimate(figure, forms[form])


def span(figure: Figure, width: float, low: float = 0.0, high: float = 1.0) -> dict[str, float] | None:
    """Where a figure lies on an axis `width` units long from `low` to `high`; None when there is nothing to draw."""
    if figure.estimate is None or figure.low is None or figure.high is None:
        return None
    places = {"from": figure.low, "at": figure.estimate, "to": figure.high}
    return {name: round(width * (min(max(value, low), high) - low) / (high - low), 2) for name, value in places.items()}


def report_file(report: Report, project: str) -> str:
    """The report as one HTML file that needs no other, light or dark as its reader's system is."""
    return _environment().get_template("report_file.html").render(report=report, project=project)


@cache
def _environment() -> Environment:
    loader = PackageLoader("thumbwheel.web", "templates")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals["css"] = _css
    add_filters(environment)
    return environment


def _css() -> Any:
    from importlib.resources import files

    from markupsafe import Markup

    return Markup(files("thumbwheel.web").joinpath("static/report.css").read_text(encoding="utf-8"))  # noqa: S704
