"""The annotation page, and the doors its own scripts knock on with the session cookie.

What a reviewer must not know (an entry's purpose, whether somebody else judged it, what came of a judgement) is in none
of the answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from thumbwheel.domain.annotation import Annotation, Better, Comparison, Judgement, Verdict
from thumbwheel.errors import Conflict, LeaseExpired, NotHere
from thumbwheel.services.annotate import Progress, Served
from thumbwheel.web.render import Page, fragment, page
from thumbwheel.web.session import Annotator, Services, Visitor, same_origin
from thumbwheel.web.trace_view import view
from thumbwheel.wheel import Wheel

router = APIRouter(include_in_schema=False, dependencies=[Depends(same_origin)])
pages = APIRouter(route_class=Page)

_Id = Annotated[str, Field(min_length=1, max_length=200)]
_Text = Annotated[str, Field(max_length=1_000_000)]
#: Codebook version of judgements made before there is one.
_OPEN_CODING = 0


class ComparisonIn(BaseModel):
    """Which of two answers is better."""

    other_trace_id: Annotated[str, Field(min_length=1, max_length=512)]
    better: Better

    def to_domain(self) -> Comparison:
        """The comparison."""
        return Comparison(other_trace_id=self.other_trace_id, better=self.better)


class JudgementIn(BaseModel):
    """What the reviewer said."""

    verdict: Verdict
    categories: list[_Id] = Field(default_factory=list, max_length=50)
    critique: _Text | None = None
    corrected_output: _Text | None = None
    documents: dict[str, bool] = Field(default_factory=dict)
    missing_knowledge: _Text | None = None
    comparison: ComparisonIn | None = None
    seconds: float | None = Field(None, ge=0, allow_inf_nan=False)
    codebook_version: int | None = None

    def to_domain(self) -> Judgement:
        """The judgement."""
        return Judgement(
            verdict=self.verdict,
            categories=tuple(self.categories),
            critique=_said(self.critique),
            corrected_output=_said(self.corrected_output),
            documents=self.documents,
            missing_knowledge=_said(self.missing_knowledge),
            comparison=self.comparison.to_domain() if self.comparison else None,
            seconds=self.seconds,
            codebook_version=self.codebook_version or None,
        )


class HoldingIn(BaseModel):
    """The entries this page has already."""

    holding: list[_Id] = Field(default_factory=list, max_length=20)


class HeldIn(BaseModel):
    """An entry in the reviewer's hands."""

    entry_id: _Id
    lease_token: _Id


class SubmitIn(HeldIn, HoldingIn):
    """A judgement, and what the page holds beside it."""

    judgement: JudgementIn


class SkipIn(HeldIn, HoldingIn):
    """An entry passed on, and why."""

    why: Annotated[str, Field(max_length=500)] | None = None


class UndoIn(BaseModel):
    """An annotation to take back; the last one when it has no id."""

    annotation_id: _Id | None = None


class ShownIn(HeldIn):
    """An entry the page holds, and whose trace it shows."""

    trace_id: Annotated[str, Field(min_length=1, max_length=512)]


class RenewIn(BaseModel):
    """Every entry the page holds."""

    held: list[ShownIn] = Field(max_length=20)


class EarlierOut(BaseModel):
    """What the reviewer said before they took it back."""

    verdict: Verdict
    categories: list[str]
    critique: str | None
    corrected_output: str | None
    documents: dict[str, bool]
    missing_knowledge: str | None
    better: Better | None

    @classmethod
    def of(cls, annotation: Annotation) -> EarlierOut:
        """From the annotation."""
        return cls(
            verdict=annotation.verdict,
            categories=list(annotation.categories),
            critique=annotation.critique,
            corrected_output=annotation.corrected_output,
            documents=annotation.documents,
            missing_knowledge=annotation.missing_knowledge,
            better=annotation.comparison.better if annotation.comparison else None,
        )


class EntryOut(BaseModel):
    """An entry ready to be painted."""

    entry_id: str
    trace_id: str
    lease_token: str
    expires_at: datetime
    html: str
    output: str
    #: What the user made of the answer.
    edited: str | None
    #: The trace that answers the same question again, if there is one.
    other_trace_id: str | None
    codebook_version: int
    earlier: EarlierOut | None

    @classmethod
    def of(cls, served: Served, now: datetime, codebook_version: int) -> EntryOut:
        """From what the service hands out, without what the reviewer must not know."""
        shown = view(served.trace, served.signals)
        other = view(served.other, ()) if served.other else None
        return cls(
            entry_id=served.entry.id,
            trace_id=served.trace.id,
            lease_token=served.lease.token,
            expires_at=served.lease.expires_at,
            html=fragment("_entry.html", view=shown, other=other, entry=served.entry, now=now),
            output=shown.output,
            edited=shown.edited,
            other_trace_id=served.other.id if served.other else None,
            codebook_version=codebook_version,
            earlier=EarlierOut.of(served.earlier) if served.earlier else None,
        )


class ProgressOut(BaseModel):
    """The reviewer's day."""

    done: int
    waiting: int
    #: Judgements asked of them a day; None when no number is.
    quota: int | None
    minutes_left: float | None

    @classmethod
    def of(cls, progress: Progress) -> ProgressOut:
        """From the service's."""
        return cls.model_validate(progress, from_attributes=True)


class NextOut(BaseModel):
    """The next entry, if there is one, and the reviewer's day."""

    entry: EntryOut | None
    progress: ProgressOut
    #: Set after a judgement.
    annotation_id: str | None = None


class RecentOut(BaseModel):
    """One of the last ten, which may still be taken back."""

    id: str
    entry_id: str
    trace_id: str
    verdict: Verdict
    categories: list[str]
    critique: str | None
    at: datetime


class RenewedOut(BaseModel):
    """What the page still holds, and why it lost the rest: `deleted` or `taken`."""

    gone: dict[str, str]


@pages.get("/annotate")
def show(request: Request, visitor: Annotator, wheel: Services) -> HTMLResponse:
    """The page; what it shows comes from the doors below."""
    version = wheel.rubric.codebook(visitor.project_id)
    return page(
        request,
        "annotate.html",
        visitor,
        codebook=version.codebook if version else None,
        version=version.version if version else _OPEN_CODING,
        lease_seconds=wheel.annotate.lease.total_seconds(),
    )


@router.post("/annotate/next")
def next_entry(body: HoldingIn, visitor: Annotator, wheel: Services) -> NextOut:
    """The entry to see next, leased."""
    return _next(wheel, visitor, body.holding)


@router.post("/annotate/submit")
def submit(body: SubmitIn, visitor: Annotator, wheel: Services) -> NextOut:
    """Keep a judgement, and hand out the next entry with the same answer."""
    judgement = body.judgement.to_domain()
    made = wheel.annotate.submit(visitor.project_id, body.entry_id, body.lease_token, visitor.name, judgement)
    return _next(wheel, visitor, body.holding, made.annotation.id)


@router.post("/annotate/skip")
def skip(body: SkipIn, visitor: Annotator, wheel: Services) -> NextOut:
    """Pass an entry on."""
    wheel.annotate.skip(visitor.project_id, body.entry_id, body.lease_token, visitor.name, _said(body.why))
    return _next(wheel, visitor, body.holding)


@router.post("/annotate/undo")
def undo(body: UndoIn, visitor: Annotator, wheel: Services) -> NextOut:
    """Take an annotation back; its entry returns with what was said."""
    annotation_id = body.annotation_id or _last(wheel, visitor)
    served = wheel.annotate.undo(visitor.project_id, annotation_id, visitor.name)
    return _answer(wheel, visitor, served)


@router.get("/annotate/recent")
def recent(visitor: Annotator, wheel: Services) -> Sequence[RecentOut]:
    """The last ten, newest first."""
    return [
        RecentOut(
            id=one.id,
            entry_id=one.entry_id,
            trace_id=one.trace_id,
            verdict=one.verdict,
            categories=list(one.categories),
            critique=one.critique,
            at=one.at,
        )
        for one in wheel.annotate.recent(visitor.project_id, visitor.name)
    ]


@router.post("/annotate/renew")
def renew(body: RenewIn, visitor: Annotator, wheel: Services) -> RenewedOut:
    """Hold everything longer."""
    lost = {held.entry_id: _lost(wheel, visitor.project_id, held) for held in body.held}
    return RenewedOut(gone={entry_id: why for entry_id, why in lost.items() if why})


def _lost(wheel: Wheel, project_id: int, held: ShownIn) -> str | None:
    """Why an entry is no longer in the reviewer's hands; None when it still is."""
    try:
        wheel.capture.get(project_id, held.trace_id)
    except NotHere:
        return "deleted"
    try:
        wheel.annotate.renew(project_id, held.entry_id, held.lease_token)
    except LeaseExpired:
        return "taken"
    return None


def _next(wheel: Wheel, visitor: Visitor, holding: Sequence[str], annotation_id: str | None = None) -> NextOut:
    served = wheel.annotate.next(visitor.project_id, visitor.name, holding)
    return _answer(wheel, visitor, served, annotation_id)


def _answer(wheel: Wheel, visitor: Visitor, served: Served | None, annotation_id: str | None = None) -> NextOut:
    entry = EntryOut.of(served, wheel.now(), _version(wheel, visitor)) if served else None
    progress = wheel.annotate.progress(visitor.project_id, visitor.name)
    return NextOut(entry=entry, progress=ProgressOut.of(progress), annotation_id=annotation_id)


def _version(wheel: Wheel, visitor: Visitor) -> int:
    current = wheel.rubric.codebook(visitor.project_id)
    return current.version if current else _OPEN_CODING


def _last(wheel: Wheel, visitor: Visitor) -> str:
    made = wheel.annotate.recent(visitor.project_id, visitor.name)
    if not made:
        raise Conflict("There is nothing to take back.")
    return made[0].id


def _said(text: str | None) -> str | None:
    """A text, or None when it says nothing."""
    return text if text and text.strip() else None


router.include_router(pages)
