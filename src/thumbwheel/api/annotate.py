"""Doors of annotating: the next entry, judgements, labels.

What a reviewer must not know (an entry's purpose, how many judge it, what others said, what a judge expects) is in no
answer here.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, BeforeValidator, Field, StringConstraints

from thumbwheel.api.capture import signal_out
from thumbwheel.api.close import Cursor, Limit, PageOut
from thumbwheel.api.deps import CanAnnotate, CanRead, wheel
from thumbwheel.api.page import answer, cursor_of, page, place
from thumbwheel.domain.annotation import Annotation, Better, Comparison, Judgement, Label, Verdict
from thumbwheel.domain.queue import Policy, QueueEntry
from thumbwheel.services.annotate import Outcome, Progress, Served

router = APIRouter(tags=["annotate"])

#: One line no store minds.
Id = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
Words = Annotated[str, StringConstraints(max_length=2_000, pattern=r"^[^\x00]*$")]
#: As long as an answer may be.
Text = Annotated[str, StringConstraints(max_length=1_000_000)]


# --- what comes in


def _OrNull(empty: Callable[[], object]) -> BeforeValidator:  # noqa: N802 - stands where a type stands
    """A client that writes null for what it has not got means nothing by it."""
    return BeforeValidator(lambda value: empty() if value is None else value)


class NextIn(BaseModel):
    """Who asks for an entry, and the entries they have on screen or fetched ahead already."""

    annotator: str
    holding: list[Id] = Field(default_factory=list, max_length=20)


class HeldIn(BaseModel):
    """An entry in somebody's hands."""

    entry_id: Id
    lease_token: Id


class SkipIn(HeldIn):
    """An entry passed on, by whom, and why."""

    annotator: str
    why: Words | None = None


class ComparisonIn(BaseModel):
    """Which answer is better: this trace's, or another one's to the same question."""

    other_trace_id: str = Field(min_length=1, max_length=512)
    better: Better

    def to_domain(self) -> Comparison:
        """The comparison."""
        return Comparison(other_trace_id=self.other_trace_id, better=self.better)


class JudgementIn(BaseModel):
    """What somebody says about one trace."""

    verdict: Verdict
    #: Ids of codebook categories; none for a pass.
    categories: Annotated[list[str], _OrNull(list)] = Field(default_factory=list, max_length=100)
    critique: Text | None = None
    corrected_output: Text | None = None
    #: Document id -> was it relevant.
    documents: Annotated[dict[str, bool], _OrNull(dict)] = Field(default_factory=dict, max_length=10_000)
    missing_knowledge: Text | None = None
    #: Where the same question was answered twice.
    comparison: ComparisonIn | None = None
    seconds: float | None = Field(None, ge=0, allow_inf_nan=False)
    #: The version it was made with; the current one when left out.
    codebook_version: int | None = Field(None, ge=1, lt=2**31)

    def to_domain(self) -> Judgement:
        """The judgement; a text that says nothing is none."""
        return Judgement(
            verdict=self.verdict,
            categories=tuple(self.categories),
            critique=said(self.critique),
            corrected_output=said(self.corrected_output),
            documents=self.documents,
            missing_knowledge=said(self.missing_knowledge),
            comparison=self.comparison.to_domain() if self.comparison else None,
            seconds=self.seconds,
            codebook_version=self.codebook_version,
        )


class AnnotationIn(HeldIn, JudgementIn):
    """A judgement of an entry that is leased to its annotator."""

    annotator: str


class CorrectionIn(JudgementIn):
    """A judgement that replaces one of the annotator's last ten."""

    annotator: str


class UndoIn(BaseModel):
    """Who takes an annotation back."""

    annotator: str


# --- what goes out


class EntryOut(BaseModel):
    """Why a trace is in the queue; nothing of what is done with the answer."""

    id: str
    trace_id: str
    draw_id: str
    policy: Policy
    picked_by: list[Policy]
    rank: int
    reason: str
    category: str | None
    added_at: datetime

    @classmethod
    def of(cls, entry: QueueEntry) -> EntryOut:
        """From the entry."""
        return cls.model_validate(entry, from_attributes=True)


class LeaseOut(BaseModel):
    """The right to judge an entry."""

    token: str
    expires_at: datetime


class OtherOut(BaseModel):
    """Another answer to the same question."""

    trace_id: str
    output: Any


class ServedOut(BaseModel):
    """An entry to judge. The trace is as it came in, with what its user said and did, without automatic verdicts."""

    entry: EntryOut
    trace: dict[str, Any]
    #: Where the application answered the same question again: that answer, to compare.
    other: OtherOut | None
    lease: LeaseOut
    #: What the annotator said before they took it back.
    earlier: Annotation | None


class OutcomeOut(BaseModel):
    """What came of a judgement."""

    #: `label`, `dispute`, or `waiting`. For the program: a tool that shows it to its reviewer tells them which entries
    #: two people judge, and the page of ours does not.
    outcome: str
    annotation_id: str
    entry_id: str
    trace_id: str
    codebook_version: int
    label_id: str | None
    dispute_id: str | None

    @classmethod
    def of(cls, outcome: Outcome) -> OutcomeOut:
        """From the service's."""
        annotation = outcome.annotation
        return cls(
            outcome=outcome.outcome,
            annotation_id=annotation.id,
            entry_id=annotation.entry_id,
            trace_id=annotation.trace_id,
            codebook_version=annotation.codebook_version,
            label_id=outcome.outcome_id if outcome.outcome == "label" else None,
            dispute_id=outcome.outcome_id if outcome.outcome == "dispute" else None,
        )


class RenewedOut(BaseModel):
    """Until when an entry is held."""

    expires_at: datetime


class ProgressOut(BaseModel):
    """One reviewer's day."""

    done: int
    waiting: int
    #: Judgements asked of them a day, and how many of what waits are left for today.
    quota: int | None
    left: int
    per_hour: float | None
    #: How long `left` takes them.
    minutes_left: float | None

    @classmethod
    def of(cls, progress: Progress) -> ProgressOut:
        """From the service's."""
        return cls.model_validate(progress, from_attributes=True)


# --- the reviewer


@router.post("/v1/queue/next", response_model=ServedOut, responses={204: {"description": "Nothing waits for them."}})
def next_entry(body: NextIn, request: Request, who: CanAnnotate) -> Response:
    """The entry an annotator should see next, leased to them. One they hold already comes first, unless they name it."""
    served = wheel(request).annotate.next(who.project_id, body.annotator, body.holding)
    return Response(status_code=204) if served is None else answer(_served(served))


@router.post("/v1/queue/renew")
def renew(body: HeldIn, request: Request, who: CanAnnotate) -> RenewedOut:
    """Hold an entry longer."""
    return RenewedOut(expires_at=wheel(request).annotate.renew(who.project_id, body.entry_id, body.lease_token))


@router.post("/v1/queue/release", status_code=204)
def release(body: HeldIn, request: Request, who: CanAnnotate) -> None:
    """Let go of an entry."""
    wheel(request).annotate.release(who.project_id, body.entry_id, body.lease_token)


@router.post("/v1/queue/skip", status_code=204)
def skip(body: SkipIn, request: Request, who: CanAnnotate) -> None:
    """Pass an entry on to somebody else. Twice is once."""
    wheel(request).annotate.skip(who.project_id, body.entry_id, body.lease_token, body.annotator, said(body.why))


@router.post("/v1/annotations", status_code=201)
def submit(body: AnnotationIn, request: Request, who: CanAnnotate) -> OutcomeOut:
    """Keep one judgement, and settle its entry if it was the last one needed. The same lease twice is one judgement."""
    annotate = wheel(request).annotate
    return OutcomeOut.of(
        annotate.submit(who.project_id, body.entry_id, body.lease_token, body.annotator, body.to_domain())
    )


@router.get("/v1/annotations", response_model=PageOut[Annotation])
def recent(annotator: Annotated[Id, Query()], request: Request, who: CanAnnotate) -> Response:
    """An annotator's own last ten, newest first: they may still be corrected or taken back."""
    return page(wheel(request).annotate.recent(who.project_id, annotator), None)


@router.put("/v1/annotations/{annotation_id}")
def correct(annotation_id: Id, body: CorrectionIn, request: Request, who: CanAnnotate) -> OutcomeOut:
    """Replace one of the annotator's last ten; its entry is settled anew. Twice is once."""
    annotate = wheel(request).annotate
    return OutcomeOut.of(annotate.correct(who.project_id, annotation_id, body.annotator, body.to_domain()))


@router.post("/v1/annotations/{annotation_id}/undo", response_model=ServedOut)
def undo(annotation_id: Id, body: UndoIn, request: Request, who: CanAnnotate) -> Response:
    """Take one of the annotator's last ten back; its entry returns to them."""
    return answer(_served(wheel(request).annotate.undo(who.project_id, annotation_id, body.annotator)))


@router.get("/v1/progress")
def progress(annotator: Annotated[Id, Query()], request: Request, who: CanAnnotate) -> ProgressOut:
    """What an annotator has done today (UTC), and how long the rest takes them."""
    return ProgressOut.of(wheel(request).annotate.progress(who.project_id, annotator))


@router.get("/v1/labels", response_model=PageOut[Label])
def list_labels(request: Request, who: CanRead, limit: Limit = 100, cursor: Cursor = None) -> Response:
    """Labels that stand, first settled first."""
    found = wheel(request).annotate.labels(who.project_id, limit + 1, place(cursor))
    last = found[limit - 1] if len(found) > limit else None
    return page(found[:limit], cursor_of(last.settled_at, last.id) if last else None)


# --- pieces


def _served(served: Served) -> dict[str, Any]:
    trace: dict[str, Any] = msgspec.to_builtins(served.trace, str_keys=True)
    del trace["judge"]
    return {
        "entry": EntryOut.of(served.entry).model_dump(mode="json"),
        "trace": trace | {"signals": [signal_out(signal) for signal in served.signals]},
        "other": {"trace_id": served.other.id, "output": served.other.output} if served.other else None,
        "lease": {"token": served.lease.token, "expires_at": served.lease.expires_at},
        "earlier": served.earlier,
    }


def said(text: str | None) -> str | None:
    """A text, or None when it says nothing."""
    return text if text and text.strip() else None
