"""What waits and why, and everything known about one trace."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from thumbwheel.domain.queue import Policy
from thumbwheel.errors import Invalid, NotHere
from thumbwheel.services.capture import TraceFile
from thumbwheel.services.sample import DrawRequest
from thumbwheel.web import words
from thumbwheel.web.render import Page, page
from thumbwheel.web.session import Annotator, Owner, Services, Visitor, same_origin
from thumbwheel.web.trace_view import view

router = APIRouter(route_class=Page, include_in_schema=False, dependencies=[Depends(same_origin)])

#: Entries looked through for a filter, and rows on a page.
_LOOKED_AT = 2_000
_SHOWN = 200

_Ids = Annotated[list[str], Form(default_factory=list)]


@router.get("/queue")
def queue(
    request: Request,
    owner: Owner,
    wheel: Services,
    policy: Annotated[str, Query(max_length=20)] = "",
    category: Annotated[str, Query(max_length=512)] = "",
    said: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """What waits, first added first."""
    everything = wheel.rubric.waiting(owner.project_id, _LOOKED_AT)
    waiting = [
        each
        for each in everything
        if policy in {"", each.entry.policy.value} and category in {"", each.entry.category or "none"}
    ]
    return page(
        request,
        "queue.html",
        owner,
        waiting=waiting[:_SHOWN],
        n_found=len(waiting),
        n_waiting=wheel.rubric.count_waiting(owner.project_id),
        skipped=wheel.rubric.skipped(owner.project_id),
        by_policy=Counter(each.entry.policy.value for each in everything),
        by_category=sorted(Counter(each.entry.category or "none" for each in everything).items()),
        policies=[each.value for each in Policy],
        chosen={"policy": policy, "category": category},
        people=[person for person in wheel.access.list_people() if person.role != "viewer"],
        said=said,
        now=wheel.now(),
    )


@router.post("/queue/drop")
def drop(owner: Owner, wheel: Services, entry: _Ids, why: Annotated[str, Form(max_length=500)] = "") -> Response:
    """Take entries out of the queue."""
    if not why.strip():
        raise Invalid("Say why: a dropped entry is a known gap in the figures.", field="why")
    dropped = wheel.rubric.drop(owner.project_id, entry, why.strip())
    return _back(f"{words.counted(len(dropped), 'entry', 'entries')} dropped.")


@router.post("/queue/assign")
def assign(owner: Owner, wheel: Services, entry: _Ids, person: Annotated[str, Form(max_length=100)] = "") -> Response:
    """Keep entries for one person, or for anybody."""
    assigned = wheel.rubric.assign(owner.project_id, entry, person or None)
    return _back(f"{words.counted(len(assigned), 'entry', 'entries')} kept for {person or 'anybody'}.")


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
    version = wheel.rubric.codebook(visitor.project_id)
    categories = version.codebook.categories if version else ()
    return page(
        request,
        "trace.html",
        visitor,
        file=whole,
        view=view(whole.trace, whole.signals),
        names={category.id: category.name for category in categories},
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


def _back(said: str) -> Response:
    return RedirectResponse(f"/queue?{urlencode({'said': said})}", HTTPStatus.SEE_OTHER)
