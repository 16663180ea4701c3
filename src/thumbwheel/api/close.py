"""Doors of closing: what labels became, and fixes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field

from thumbwheel.api.deps import CanAdmin, CanAnnotate, CanRead, wheel
from thumbwheel.domain.artifact import Check, CheckKind, Fix, FixKind, GoldenRow, PreferencePair

router = APIRouter(tags=["close"])

_Item = TypeVar("_Item")
Limit = Annotated[int, Query(ge=1, le=1000, description="Most items on this page.")]
Cursor = Annotated[str | None, Query(description="`next` of the page before.")]


class PageOut(BaseModel, Generic[_Item]):
    """Some items, and the cursor of the page after them."""

    items: list[_Item]
    next: str | None


class RoutedOut(BaseModel):
    """What a run of routing did; each a number of labels or of what they became."""

    labels: int
    golden: int
    preferences: int
    withheld: int
    retired: int


class CheckIn(BaseModel):
    """How answers to a golden row are judged; `value` is the text, the pattern, `module:function`, or what is right."""

    kind: CheckKind
    value: str = Field("", max_length=100_000)
    negate: bool = False


class FixIn(BaseModel):
    """A change in the application. A category credits every live failure in it that no fix answers yet."""

    id: str | None = Field(None, min_length=1, max_length=200)
    kind: FixKind
    reference: str = Field(min_length=1, max_length=2_000)
    description: str = Field("", max_length=10_000)
    labels: list[str] = Field(default_factory=list, max_length=10_000)
    categories: list[str] = Field(default_factory=list, max_length=1_000)


class ShipIn(BaseModel):
    """When a fix reached users; now when not said."""

    at: AwareDatetime | None = None


@router.post("/v1/close")
def close(request: Request, who: CanAdmin) -> RoutedOut:
    """Route settled labels now; the schedule does it too. Any number of times is once."""
    return RoutedOut.model_validate(wheel(request).close.route(who.project_id), from_attributes=True)


@router.get("/v1/golden", response_model=PageOut[GoldenRow])
def list_golden(request: Request, who: CanRead, limit: Limit = 100, cursor: Cursor = None) -> Response:
    """Golden rows, oldest first: failures as tests. `guarding` once a fix of theirs has shipped."""
    page = wheel(request).close.list_golden(who.project_id, limit, cursor)
    return _page(page.items, page.next)


@router.put("/v1/golden/{row_id}/check", response_model=GoldenRow)
def choose_check(row_id: str, body: CheckIn, request: Request, who: CanAnnotate) -> Response:
    """Judge answers to a golden row by this check from now on."""
    check = Check(kind=body.kind, value=body.value, negate=body.negate)
    return _json(wheel(request).close.choose_check(who.project_id, row_id, check))


@router.get("/v1/preferences", response_model=PageOut[PreferencePair])
def list_preferences(request: Request, who: CanRead, limit: Limit = 100, cursor: Cursor = None) -> Response:
    """Preference pairs that may be used for training, oldest first."""
    page = wheel(request).close.list_pairs(who.project_id, limit, cursor)
    return _page(page.items, page.next)


@router.get("/v1/fixes", response_model=PageOut[Fix])
def list_fixes(request: Request, who: CanRead, limit: Limit = 100, cursor: Cursor = None) -> Response:
    """Fixes, last added first."""
    page = wheel(request).close.list_fixes(who.project_id, limit, cursor)
    return _page(page.items, page.next)


@router.post("/v1/fixes", status_code=201, response_model=Fix)
def add_fix(body: FixIn, request: Request, who: CanAnnotate) -> Response:
    """Credit a change in the application with the labels it answers. The same id twice is one fix."""
    fix = wheel(request).close.add_fix(
        who.project_id,
        body.kind,
        body.reference,
        description=body.description,
        labels=body.labels,
        categories=body.categories,
        id=body.id,
    )
    return _json(fix, 201)


@router.post("/v1/fixes/{fix_id}/ship", response_model=Fix)
def ship_fix(fix_id: str, request: Request, who: CanAnnotate, body: ShipIn | None = None) -> Response:
    """Say that a fix reached users. From then on the golden rows of its labels guard."""
    return _json(wheel(request).close.ship_fix(who.project_id, fix_id, body.at if body else None))


def _page(items: Sequence[Any], following: str | None) -> Response:
    return _json({"items": items, "next": following})


def _json(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")
