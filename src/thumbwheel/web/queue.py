"""What waits and why, and everything known about one trace."""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field, field_validator

from thumbwheel.errors import NotHere
from thumbwheel.services.capture import TraceFile
from thumbwheel.services.queue import MOST, SORTS, Changed, WaitingFilter
from thumbwheel.services.sample import DrawRequest
from thumbwheel.web import words
from thumbwheel.web.history import happenings
from thumbwheel.web.render import Page, page
from thumbwheel.web.session import Annotator, Owner, Services, Visitor, same_origin
from thumbwheel.web.trace_view import view
from thumbwheel.wheel import Wheel

router = APIRouter(route_class=Page, include_in_schema=False, dependencies=[Depends(same_origin)])

#: Rows on a page.
_SHOWN = 100

_Ids = Annotated[list[str], Form(default_factory=list, max_length=MOST)]
_Said = Annotated[str, Query(max_length=300)]


class Asked(BaseModel):
    """What the page shows: every field is in its address, so that a view can be sent to somebody."""

    policy: str = Field("", max_length=20)
    category: str = Field("", max_length=512)
    purpose: str = Field("", max_length=20)
    kept_for: str = Field("", max_length=100)
    #: In the trace id or the reason.
    text: str = Field("", max_length=200)
    #: Days it has waited, at least.
    days: int | None = Field(None, ge=0, le=3650)
    sort: str = Field("oldest", max_length=20)
    page: int = Field(1, ge=1, le=100_000)

    @field_validator("days", mode="before")
    @classmethod
    def _nothing(cls, value: object) -> object:
        """An empty field of a form asks for nothing."""
        return value or None

    def only(self, now: datetime) -> WaitingFilter:
        """As the service filters."""
        given = self.model_dump(include={"policy", "category", "purpose", "kept_for", "text"})
        return WaitingFilter(**given, added_by=now - timedelta(days=self.days) if self.days else None)

    def address(self, **changed: object) -> str:
        """The page that shows this, with some of it changed; what says nothing is left out."""
        plain = Asked().model_dump()
        asked = {name: value for name, value in self.model_dump().items() if value != plain[name]} | changed
        return f"/queue?{urlencode(asked)}" if asked else "/queue"

    @property
    def narrows(self) -> bool:
        """Whether anything is filtered."""
        return any((self.policy, self.category, self.purpose, self.kept_for, self.text, self.days))


_Asked = Annotated[Asked, Query()]


@router.get("/queue")
def queue(
    request: Request, owner: Owner, wheel: Services, asked: _Asked, said: _Said = "", change: _Said = ""
) -> Response:
    """What waits and why, filtered and sorted as the address says."""
    now = wheel.now()
    found = wheel.queue.find(owner.project_id, asked.only(now), asked.sort, _SHOWN, (asked.page - 1) * _SHOWN)
    return page(
        request,
        "queue.html",
        owner,
        found=found,
        asked=asked,
        sorts=SORTS,
        n_pages=-(-found.n // _SHOWN),
        skipped=[each for each in wheel.rubric.skipped(owner.project_id) if each.nobody_left],
        stalled=wheel.queue.stalled(owner.project_id),
        reviewers=wheel.queue.reviewers(owner.project_id),
        people=[person for person in wheel.access.list_people() if person.role != "viewer"],
        said=said,
        change=change,
        now=now,
    )


class BulkIn(Asked):
    """Entries that were chosen, one by one or every one that matches."""

    entry: list[str] = Field(default_factory=list, max_length=MOST)
    every: bool = False


def _chosen(wheel: Wheel, owner: Visitor, body: BulkIn) -> list[str]:
    return wheel.queue.matching(owner.project_id, body.only(wheel.now())) if body.every else body.entry


class DropIn(BulkIn):
    """Entries to drop, and why."""

    why: str = Field("", max_length=500)


class KeepIn(BulkIn):
    """Entries to keep for somebody."""

    person: str = Field("", max_length=100)


@router.post("/queue/drop")
def drop(owner: Owner, wheel: Services, body: Annotated[DropIn, Form()]) -> Response:
    """Take entries out of the queue."""
    dropped = wheel.queue.drop(owner.project_id, _chosen(wheel, owner, body), body.why, owner.name)
    return _changed(body, dropped, "dropped")


@router.post("/queue/assign")
def assign(owner: Owner, wheel: Services, body: Annotated[KeepIn, Form()]) -> Response:
    """Keep entries for one person, or for anybody."""
    kept = wheel.queue.assign(owner.project_id, _chosen(wheel, owner, body), body.person or None, owner.name)
    return _changed(body, kept, f"kept for {body.person or 'anybody'}")


@router.post("/queue/undo")
def undo(owner: Owner, wheel: Services, change: Annotated[str, Form(max_length=200)]) -> Response:
    """Undo a bulk change."""
    done = wheel.queue.undo(owner.project_id, change, owner.name)
    return _back(f"Undone: {words.counted(len(done.entry_ids), 'entry', 'entries')} as before.")


@router.post("/queue/add")
def add(
    owner: Owner,
    wheel: Services,
    traces: Annotated[str, Form(max_length=200_000)],
    why: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Put traces into the queue by hand."""
    added = wheel.queue.add(
        owner.project_id, [line.strip() for line in traces.splitlines() if line.strip()], owner.name, why
    )
    told = [f"{words.counted(len(added.entry_ids), 'trace')} added"]
    told += [f"{len(added.known)} had been picked before"] if added.known else []
    told += [f"{words.counted(len(added.missing), 'id')} of no trace"] if added.missing else []
    return _back(", ".join(told) + ".")


@router.post("/queue/release")
def release(owner: Owner, wheel: Services, entry: _Ids) -> Response:
    """Settle entries on the judgements they have."""
    settled = wheel.queue.release(owner.project_id, entry, owner.name)
    return _back(f"{words.counted(len(settled), 'entry', 'entries')} settled on one judgement each.")


@router.post("/queue/quota")
def quota(
    owner: Owner,
    wheel: Services,
    person: Annotated[str, Form(min_length=1, max_length=100)],
    per_day: Annotated[int | None, Form()] = None,
) -> Response:
    """Ask somebody for so many judgements a day."""
    wheel.queue.set_quota(owner.project_id, person, per_day, owner.name)
    asked = words.counted(per_day, "judgement") if per_day else "no number of judgements"
    return _back(f"{person} is asked for {asked} a day.")


@router.post("/queue/draw")
def draw(
    owner: Owner,
    wheel: Services,
    budget: Annotated[int, Form(ge=1, le=5_000)] = 80,
    days: Annotated[int, Form(ge=1, le=365)] = 7,
    hours: Annotated[int, Form(ge=0, le=720)] = 24,
) -> Response:
    """Draw traces of the last days into the queue."""
    request = DrawRequest(budget=budget, window=timedelta(days=days), maturity=timedelta(hours=hours))
    drawn = wheel.sample.draw(owner.project_id, request)
    return _back(f"{words.counted(len(drawn.entries), 'entry', 'entries')} drawn.")


@router.get("/traces/{trace_id:path}")
def trace(request: Request, visitor: Annotator, wheel: Services, trace_id: str) -> Response:
    """Everything known about a trace: to an annotator, only of those they judged, and only what they said."""
    whole = _permitted(wheel.capture.get(visitor.project_id, trace_id), visitor)
    wheel.access.note_read(visitor.project_id, visitor.name, trace_id, "trace page")
    history = wheel.history.of_trace(visitor.project_id, whole.trace.id) if visitor.may("owner") else None
    version = wheel.rubric.codebook(visitor.project_id)
    categories = version.codebook.categories if version else ()
    return page(
        request,
        "trace.html",
        visitor,
        file=whole,
        view=view(whole.trace, whole.signals),
        names={category.id: category.name for category in categories},
        history=history,
        happenings=happenings(history) if history else (),
        now=wheel.now(),
    )


def _permitted(whole: TraceFile, visitor: Visitor) -> TraceFile:
    """What this visitor may see of it; to somebody who may see nothing it is not here."""
    if visitor.may("owner"):
        return whole
    own = [one for one in whole.annotations if one.annotator == visitor.name]
    if not own:
        raise NotHere(f"There is no trace {whole.trace.id!r} among those you judged.")
    return TraceFile(
        trace=whole.trace, signals=whole.signals, annotations=own, label=None, suggestions=(), artifacts=()
    )


def _changed(body: BulkIn, changed: Changed, how: str) -> Response:
    told = f"{words.counted(len(changed.entry_ids), 'entry', 'entries')} {how}."
    undo = {"change": changed.change_id} if changed.change_id else {}
    view = Asked(**{name: getattr(body, name) for name in Asked.model_fields})
    return RedirectResponse(view.address(said=told, **undo), HTTPStatus.SEE_OTHER)


def _back(said: str) -> Response:
    return RedirectResponse(f"/queue?{urlencode({'said': said})}", HTTPStatus.SEE_OTHER)
