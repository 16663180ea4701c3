"""The front page and the report."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from thumbwheel.web.render import Page, page
from thumbwheel.web.session import Services, Viewer, same_origin

router = APIRouter(route_class=Page, include_in_schema=False, dependencies=[Depends(same_origin)])

_WEEK = timedelta(days=7)


@router.get("/")
def front(request: Request, visitor: Viewer, wheel: Services) -> Response:
    """How the wheel stands, and the next step for whoever looks."""
    return page(
        request,
        "front.html",
        visitor,
        report=wheel.measure.report(visitor.project_id, _WEEK),
        progress=wheel.annotate.progress(visitor.project_id, visitor.name) if visitor.may("annotator") else None,
        codebook=wheel.rubric.codebook(visitor.project_id),
    )


@router.get("/report")
def report(
    request: Request, visitor: Viewer, wheel: Services, days: Annotated[int, Query(ge=1, le=365)] = 7
) -> Response:
    """Whether the wheel turns."""
    made = wheel.measure.report(visitor.project_id, timedelta(days=days))
    return page(request, "report.html", visitor, report=made, project=visitor.project, days=days)
