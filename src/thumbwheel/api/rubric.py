"""Doors of the rubric's owner: the queue as a whole, disputes, and the codebook."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request, Response
from pydantic import BaseModel, Field

from thumbwheel.api.annotate import EntryOut, Id, JudgementIn, Words
from thumbwheel.api.close import Cursor, Limit, PageOut
from thumbwheel.api.deps import CanAdmin, CanRead, wheel
from thumbwheel.api.page import answer, cursor_of, parts, place, rank_of, time_of
from thumbwheel.domain.annotation import Annotation, Label
from thumbwheel.domain.codebook import Category, CodebookVersion
from thumbwheel.errors import Invalid, NotHere

router = APIRouter(tags=["rubric"])


class DecisionIn(JudgementIn):
    """The owner's decision, and who the owner is."""

    decided_by: str


class DropIn(BaseModel):
    """Entries to take out of the queue, and why."""

    entry_ids: list[Id] = Field(min_length=1, max_length=10_000)
    why: Annotated[Words, Field(min_length=1)]


class AssignIn(BaseModel):
    """Entries to keep for one annotator, or for anybody."""

    entry_ids: list[Id] = Field(min_length=1, max_length=10_000)
    annotator: str | None = None


class WaitingOut(BaseModel):
    """An entry that waits, and who has to do with it."""

    entry: EntryOut
    leased_by: str | None
    leased_until: datetime | None
    assigned_to: str | None


class SkipOut(BaseModel):
    """Somebody passed an entry on."""

    annotator: str
    at: datetime
    why: str | None


class SkippedOut(WaitingOut):
    """An entry that somebody skipped and that still waits."""

    skips: list[SkipOut]
    #: Whether everybody who could take it has judged or skipped it.
    nobody_left: bool


class DisputeOut(BaseModel):
    """Annotations of one entry that differ."""

    id: str
    opened_at: datetime
    entry: EntryOut
    annotations: list[Annotation]


class CodebookOut(BaseModel):
    """A published version."""

    version: int
    published_at: datetime
    published_by: str
    note: str
    name: str
    question: str
    categories: list[Category]

    @classmethod
    def of(cls, version: CodebookVersion) -> CodebookOut:
        """From the version."""
        return cls(
            version=version.version,
            published_at=version.published_at,
            published_by=version.published_by,
            note=version.note,
            name=version.codebook.name,
            question=version.codebook.question,
            categories=list(version.codebook.categories),
        )


class ChangedOut(BaseModel):
    """The entries that were changed: those that waited."""

    entry_ids: list[str]


# --- the queue


@router.get("/v1/queue")
def list_queue(request: Request, who: CanRead, limit: Limit = 100, cursor: Cursor = None) -> PageOut[WaitingOut]:
    """What waits, first added first."""
    at = parts(cursor, 3)
    after = None if at is None else (time_of(at[0]), rank_of(at[1]), at[2])
    found = wheel(request).rubric.waiting(who.project_id, limit + 1, after)
    last = found[limit - 1].entry if len(found) > limit else None
    return PageOut(
        items=[WaitingOut(**_waiting(each)) for each in found[:limit]],
        next=cursor_of(last.added_at, str(last.serve_rank), last.id) if last else None,
    )


@router.get("/v1/queue/skipped")
def list_skipped(request: Request, who: CanRead, limit: Limit = 100) -> PageOut[SkippedOut]:
    """Waiting entries that somebody skipped, longest waiting first."""
    return PageOut(
        items=[
            SkippedOut(
                **_waiting(each.waiting),
                skips=[SkipOut.model_validate(skip, from_attributes=True) for skip in each.skips],
                nobody_left=each.nobody_left,
            )
            for each in wheel(request).rubric.skipped(who.project_id, limit)
        ],
        next=None,
    )


@router.post("/v1/queue/drop")
def drop(body: DropIn, request: Request, who: CanAdmin) -> ChangedOut:
    """Take entries out of the queue without a judgement."""
    return ChangedOut(entry_ids=wheel(request).rubric.drop(who.project_id, body.entry_ids, body.why))


@router.post("/v1/queue/assign")
def assign(body: AssignIn, request: Request, who: CanAdmin) -> ChangedOut:
    """Keep entries for one annotator, or for anybody again."""
    return ChangedOut(entry_ids=wheel(request).rubric.assign(who.project_id, body.entry_ids, body.annotator))


# --- disputes


@router.get("/v1/disputes")
def list_disputes(request: Request, who: CanAdmin, limit: Limit = 100, cursor: Cursor = None) -> PageOut[DisputeOut]:
    """Disputes nobody has decided, first opened first."""
    found = wheel(request).rubric.disputes(who.project_id, limit + 1, place(cursor))
    last = found[limit - 1].dispute if len(found) > limit else None
    return PageOut(
        items=[
            DisputeOut(
                id=each.dispute.id,
                opened_at=each.dispute.opened_at,
                entry=EntryOut.of(each.entry),
                annotations=list(each.annotations),
            )
            for each in found[:limit]
        ],
        next=cursor_of(last.opened_at, last.id) if last else None,
    )


@router.post("/v1/disputes/{dispute_id}/decision", status_code=201, response_model=Label)
def decide(dispute_id: Id, body: DecisionIn, request: Request, who: CanAdmin) -> Response:
    """Decide a dispute: the decision is the label, and the annotations stay. Twice is once."""
    rubric = wheel(request).rubric
    return answer(rubric.adjudicate(who.project_id, dispute_id, body.decided_by, body.to_domain()), 201)


# --- the codebook


@router.get("/v1/codebooks")
def list_codebooks(request: Request, who: CanRead) -> PageOut[CodebookOut]:
    """Every published version, newest first."""
    found = wheel(request).rubric.codebooks(who.project_id)
    return PageOut(items=[CodebookOut.of(version) for version in found], next=None)


@router.get("/v1/codebooks/{version}")
def get_codebook(
    version: Annotated[str, Field(pattern="^(current|[1-9][0-9]{0,8})$")], request: Request, who: CanRead
) -> CodebookOut:
    """One version, by its number or as `current`."""
    found = wheel(request).rubric.codebook(who.project_id, None if version == "current" else int(version))
    if found is None:
        raise NotHere("No codebook is published in this project yet.")
    return CodebookOut.of(found)


@router.post("/v1/codebooks", status_code=201)
def publish(
    codebook: Annotated[dict[str, Any], Body(description="`name`, `question`, `categories`; and a `note`, if any.")],
    request: Request,
    who: CanAdmin,
) -> CodebookOut:
    """Publish a codebook as the next version. The version that is current already is refused."""
    note = codebook.pop("note", "")
    if not isinstance(note, str) or len(note) > 2_000 or "\x00" in note:
        raise Invalid("A note is text of at most 2000 characters.", field="note")
    return CodebookOut.of(wheel(request).rubric.publish(who.project_id, codebook, who.name, note))


def _waiting(waiting: Any) -> dict[str, Any]:
    lease = waiting.lease
    return {
        "entry": EntryOut.of(waiting.entry),
        "leased_by": lease.annotator if lease else None,
        "leased_until": lease.expires_at if lease else None,
        "assigned_to": waiting.assigned_to,
    }
