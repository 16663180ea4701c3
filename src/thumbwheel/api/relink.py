"""Doors of relink: a complaint from elsewhere, the traces it may be about, and the one it is about."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import AwareDatetime, BaseModel, Field

from thumbwheel.api.deps import CanAnnotate, wheel
from thumbwheel.errors import ThumbwheelError
from thumbwheel.services.capture import Work
from thumbwheel.services.relink import MOST_DAYS, MOST_TEXT, Candidates, Message

router = APIRouter(tags=["capture"])

#: Characters of each side of a trace that are shown.
_EXCERPT = 1000

_Name = Annotated[str, Field(min_length=1, max_length=512)]


class MessageIn(BaseModel):
    """A ticket or chat message, as it was pasted."""

    text: str = Field(min_length=1, max_length=MOST_TEXT)
    at: AwareDatetime | None = Field(None, description="When it was written; now when left out.")
    user_id: _Name | None = Field(None, description="Who wrote it, by the id the application knows them by.")
    channel: Annotated[str, Field(min_length=1, max_length=100)] = "ticket"
    reference: _Name | None = Field(None, description="Number or address of the ticket; it is attached once.")
    agreed: bool = Field(False, description="The writer agreed that it is kept, where the project asks for that.")

    def to_domain(self) -> Message:
        """As the service takes it."""
        return Message(
            text=self.text,
            at=self.at,
            user_id=self.user_id,
            channel=self.channel,
            reference=self.reference,
            agreed=self.agreed,
        )


class CandidatesIn(MessageIn):
    """A message, and how far to look for its trace."""

    days: int = Field(7, ge=1, le=MOST_DAYS)
    limit: int = Field(10, ge=1, le=50)


class AttachIn(MessageIn):
    """A message, and the trace a person says it is about."""

    trace_id: _Name


class CandidateOut(BaseModel):
    """A trace the message may be about, and why."""

    trace_id: str
    started_at: datetime
    user_id: str | None
    category: str | None
    input: str
    output: str
    #: In [0, 1]: order among these candidates, and no probability.
    score: float
    #: In [0, 1]: how much of the message's wording the trace has.
    likeness: float
    why: list[str]


class CandidatesOut(BaseModel):
    """The likeliest traces first, and among how many they were looked for."""

    items: list[CandidateOut]
    next: None = None
    n_compared: int
    complete: bool

    @classmethod
    def of(cls, found: Candidates) -> CandidatesOut:
        """From what the service found."""
        items = [
            CandidateOut(
                trace_id=each.exchange.trace_id,
                started_at=each.exchange.started_at,
                user_id=each.exchange.user_id,
                category=each.exchange.category,
                input=each.exchange.input[:_EXCERPT],
                output=each.exchange.output[:_EXCERPT],
                score=round(each.score, 4),
                likeness=round(each.likeness, 4),
                why=list(each.why),
            )
            for each in found.items
        ]
        return cls(items=items, n_compared=found.n_compared, complete=found.complete)


class AttachedOut(BaseModel):
    """The signal that was made of a message."""

    id: str
    trace_id: str
    kind: str
    #: False when the same message was attached to this trace before.
    new: bool


@router.post("/v1/relink/candidates")
def candidates(body: CandidatesIn, request: Request, who: CanAnnotate) -> CandidatesOut:
    """The traces a complaint may be about, the likeliest first, each with why. Nothing is kept."""
    found = wheel(request).relink.candidates(who.project_id, body.to_domain(), days=body.days, limit=body.limit)
    return CandidatesOut.of(found)


@router.post("/v1/relink", status_code=201)
def attach(body: AttachIn, request: Request, who: CanAnnotate) -> AttachedOut:
    """Attach a complaint to the trace it is about, as a `public_channel` signal that says who linked it."""
    services = wheel(request)
    signal, content = services.relink.signal(who.project_id, body.to_domain(), body.trace_id, who.name)
    (outcome,) = services.capture.keep_now(Work(who.project_id, signals=[(signal, content)])).signals
    if isinstance(outcome, ThumbwheelError):
        raise outcome
    return AttachedOut(id=signal.id, trace_id=signal.trace_id, kind=signal.kind.value, new=outcome)
