"""Doors of measuring: the report, and the failure rate."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime

from thumbwheel.api.deps import CanRead, wheel
from thumbwheel.connectors.span import parse_span
from thumbwheel.domain.queue import Window
from thumbwheel.errors import Invalid

router = APIRouter(tags=["measure"])


@router.get("/v1/report")
def report(
    request: Request,
    who: CanRead,
    window: Annotated[str, Query(description="How far back: 7d, 24h. Widened to whole UTC days.")] = "7d",
    start: Annotated[AwareDatetime | None, Query(alias="from", description="With `to`, in place of `window`.")] = None,
    end: Annotated[AwareDatetime | None, Query(alias="to", description="With `from`, in place of `window`.")] = None,
) -> dict[str, Any]:
    """The loop's state: the funnel, what each policy converted, the times, agreement, signals and fixes.

    A figure is `{"estimate", "interval", "n", "m"}`; one that cannot be given has a null estimate and a `why`.
    """
    return wheel(request).measure.report(who.project_id, _window(window, start, end)).as_dict()


@router.get("/v1/estimate")
def estimate(
    request: Request,
    who: CanRead,
    window: Annotated[str, Query(description="How far back: 7d, 24h.")] = "7d",
    start: Annotated[AwareDatetime | None, Query(alias="from", description="With `to`, in place of `window`.")] = None,
    end: Annotated[AwareDatetime | None, Query(alias="to", description="With `from`, in place of `window`.")] = None,
    by: Annotated[Literal["category"] | None, Query(description="Also one rate for each category.")] = None,
    against: Annotated[
        Literal["previous"] | None, Query(description="Also the window before, and how the rate moved.")
    ] = None,
) -> dict[str, Any]:
    """The failure rate of all traces of the window, from its labels and the chances they were drawn with.

    With too few labels `failure_rate` is null and `needs` says how many would do. `naive_rate`, the share of labels
    that failed, is not the failure rate: the queue looks for failures.
    """
    span = _window(window, start, end)
    measure = wheel(request).measure
    told = measure.estimate(who.project_id, span, by_category=by is not None).as_dict()
    return told | measure.change(who.project_id, span).as_dict() if against else told


def _window(window: str, start: AwareDatetime | None, end: AwareDatetime | None) -> Window | timedelta:
    if start is not None and end is not None:
        return Window(start=start, end=end)
    if start is not None or end is not None:
        raise Invalid("A window has both ends: from and to.", field="from" if start is None else "to")
    try:
        span = parse_span(window)
    except ValueError as fault:
        raise Invalid(f"{fault}.", field="window") from fault
    assert isinstance(span, timedelta)
    return span
