"""The owner's desk beside disputes: labels that a revision set aside, and a second look at reviewers' labels."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from thumbwheel.errors import NotHere
from thumbwheel.services.quarantine import Quarantined
from thumbwheel.services.spot_check import EACH
from thumbwheel.web import words
from thumbwheel.web.render import Page, page
from thumbwheel.web.session import Owner, Services, Visitor, same_origin
from thumbwheel.web.trace_view import View, view
from thumbwheel.wheel import Wheel

router = APIRouter(route_class=Page, include_in_schema=False, dependencies=[Depends(same_origin)])

#: Labels set aside that are listed; the others come when these are done.
_LISTED = 200

_Id = Annotated[str, Query(max_length=200)]
_Said = Annotated[str, Query(max_length=200)]
_Each = Annotated[int, Query(ge=1, le=50)]
_Labels = Annotated[list[str], Form(default_factory=list, max_length=_LISTED)]
_Name = Annotated[str, Form(min_length=1, max_length=100)]


def tabs(wheel: Wheel, visitor: Visitor) -> dict[str, int]:
    """How much waits on the owner's desk, for its tabs."""
    return {
        "disputes": wheel.rubric.count_disputes(visitor.project_id),
        "quarantined": wheel.quarantine.count(visitor.project_id),
    }


def view_of(wheel: Wheel, owner: Visitor, trace_id: str, why: str) -> View | None:
    """A trace laid out, if it is still here; that it was read, and why, is written down."""
    try:
        whole = wheel.capture.get(owner.project_id, trace_id)
    except NotHere:
        return None
    wheel.access.note_read(owner.project_id, owner.name, trace_id, why)
    return view(whole.trace, whole.signals)


# --- quarantine


@router.get("/quarantine")
def quarantine(request: Request, owner: Owner, wheel: Services, at: _Id = "", said: _Said = "") -> Response:
    """One label that was set aside, beside both readings of the codebook, and the list of all."""
    aside = wheel.quarantine.labels(owner.project_id, _LISTED)
    shown = _place(aside, at)
    values: dict[str, Any] = {"aside": aside, "shown": shown, "said": said, "n_aside": 0, "held": None, "view": None}
    if shown is not None:
        held = wheel.quarantine.get(owner.project_id, aside[shown].label.id)
        changed = _changed(held.then.codebook.categories if held.then else (), held.current.codebook.categories)
        values |= {
            "held": held,
            "view": view_of(wheel, owner, aside[shown].label.trace_id, "quarantined label"),
            "changed": {id: both for id, both in changed.items() if id in aside[shown].label.categories},
            "n_aside": wheel.quarantine.count(owner.project_id),
        }
    return page(request, "quarantine.html", owner, **values, **_names(wheel, owner), now=wheel.now())


@router.post("/quarantine/affirm")
def affirm(owner: Owner, wheel: Services, label: _Labels, then: Annotated[str, Form()] = "") -> Response:
    """Say that labels hold under the current version as well."""
    done = wheel.quarantine.affirm(owner.project_id, label, owner.name)
    return _back("/quarantine", said=f"{words.counted(len(done), 'label')} affirmed.", at=then)


@router.post("/quarantine/requeue")
def requeue(owner: Owner, wheel: Services, label: _Labels, then: Annotated[str, Form()] = "") -> Response:
    """Let labels' entries be judged again."""
    done = wheel.quarantine.requeue(owner.project_id, label, owner.name)
    return _back("/quarantine", said=f"{words.counted(len(done), 'entry', 'entries')} back in the queue.", at=then)


def _place(aside: Sequence[Quarantined], label_id: str) -> int | None:
    """Where the label is in the list; the first when it is in it no more."""
    ids = [each.label.id for each in aside]
    return ids.index(label_id) if label_id in ids else 0 if ids else None


def _changed(then: Sequence[Any], now: Sequence[Any]) -> dict[str, tuple[Any, Any]]:
    """The categories there were, each as it was and, if it is still here, as it is."""
    current = {category.id: category for category in now}
    return {category.id: (category, current.get(category.id)) for category in then}


# --- spot check


@router.get("/spot-check")
def spot_check(
    request: Request, owner: Owner, wheel: Services, each: _Each = EACH, at: _Id = "", said: _Said = ""
) -> Response:
    """The first of today's labels that was not looked at, the list of all, and how often the owners agreed."""
    looks = wheel.spot_check.today(owner.project_id, owner.name, each)
    shown = next((look for look in looks if f"{look.label.id}.{look.annotator}" == at), None)
    shown = shown or next((look for look in looks if look.check is None), None)
    return page(
        request,
        "spot_check.html",
        owner,
        looks=looks,
        shown=shown,
        view=view_of(wheel, owner, shown.label.trace_id, "spot check") if shown else None,
        reviewers=wheel.spot_check.agreement(owner.project_id),
        n_done=sum(look.check is not None for look in looks),
        each=each,
        said=said,
        disagreed=[look for look in looks if look.check and not look.check.agrees],
        **_names(wheel, owner),
        now=wheel.now(),
    )


@router.post("/spot-check/undo")
def undo(owner: Owner, wheel: Services, each: Annotated[int, Form()] = EACH) -> Response:
    """Take the last word back."""
    last = wheel.spot_check.undo(owner.project_id, owner.name)
    return _back("/spot-check", said="Taken back.", at=f"{last.label_id}.{last.annotator}", each=each)


@router.post("/spot-check/again")
def again(owner: Owner, wheel: Services, label: _Name, each: Annotated[int, Form()] = EACH) -> Response:
    """Let the entry of a label be judged again."""
    wheel.spot_check.send_back(owner.project_id, label, owner.name)
    return _back("/spot-check", said="Back in the queue, for somebody else first.", each=each)


@router.post("/spot-check")
def judge(
    owner: Owner,
    wheel: Services,
    label: _Name,
    annotator: _Name,
    agrees: Annotated[bool, Form()],
    each: Annotated[int, Form()] = EACH,
) -> Response:
    """Say whether a label is what the owner would have said, and go on to the next."""
    wheel.spot_check.judge(owner.project_id, label, annotator, owner.name, agrees=agrees)
    return _back("/spot-check", said=f"You {'agree' if agrees else 'disagree'} with {annotator}.", each=each)


# --- both


def _names(wheel: Wheel, owner: Visitor) -> dict[str, Any]:
    version = wheel.rubric.codebook(owner.project_id)
    categories = version.codebook.categories if version else ()
    return {"names": {category.id: category.name for category in categories}, "tabs": tabs(wheel, owner)}


def _back(path: str, **values: object) -> Response:
    asked = {name: value for name, value in values.items() if value and value != EACH}
    return RedirectResponse(f"{path}?{urlencode(asked)}", HTTPStatus.SEE_OTHER)
