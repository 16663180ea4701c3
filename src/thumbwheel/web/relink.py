"""The page where a complaint from elsewhere meets the trace it is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from thumbwheel.domain.instant import utc
from thumbwheel.errors import Invalid, ThumbwheelError
from thumbwheel.services.capture import Work
from thumbwheel.services.relink import MOST_DAYS, MOST_TEXT, Message
from thumbwheel.web.render import Page, page
from thumbwheel.web.session import Owner, Services, Visitor, same_origin
from thumbwheel.wheel import Wheel

router = APIRouter(include_in_schema=False, dependencies=[Depends(same_origin)])
pages = APIRouter(route_class=Page)

#: Candidates shown: whoever finds none among these has a better word to add.
_SHOWN = 8

_Text = Annotated[str, Form(max_length=MOST_TEXT)]
_Name = Annotated[str, Form(max_length=512)]


def _message(
    text: _Text = "",
    at: Annotated[str, Form(max_length=40)] = "",
    user: _Name = "",
    channel: Annotated[str, Form(max_length=100)] = "",
    reference: _Name = "",
    agreed: Annotated[bool, Form()] = False,
) -> Message:
    """The message in the form; without a zone its time is UTC."""
    return Message(
        text=text.replace("\r\n", "\n"),
        at=_time(at.strip()) if at.strip() else None,
        user_id=user.strip() or None,
        channel=channel.strip() or "ticket",
        reference=reference.strip() or None,
        agreed=agreed,
    )


def _time(text: str) -> datetime:
    try:
        return utc(datetime.fromisoformat(text))
    except ValueError as fault:
        raise Invalid(f"{text!r} is not a time.", field="at") from fault


_Message = Annotated[Message, Depends(_message)]


@pages.get("/relink")
def relink(request: Request, owner: Owner, attached: str | None = None) -> Response:
    """The form a message is pasted into."""
    return page(request, "relink.html", owner, message=None, found=None, days=7, attached=attached, fault=None)


@pages.post("/relink")
def candidates(
    request: Request,
    owner: Owner,
    wheel: Services,
    message: _Message,
    days: Annotated[int, Form(ge=1, le=MOST_DAYS)] = 7,
) -> Response:
    """The likeliest traces, each with why."""
    # Attached later, it keeps the time it was looked up with.
    message = replace(message, at=message.at or wheel.now())
    values: dict[str, Any] = {"message": message, "days": days, "attached": None}
    try:
        found = wheel.relink.candidates(owner.project_id, message, days=days, limit=_SHOWN)
    except Invalid as fault:
        return page(request, "relink.html", owner, status=422, found=None, fault=fault.detail, **values)
    for each in found.items:
        wheel.access.note_read(owner.project_id, owner.name, each.exchange.trace_id, "relink")
    return page(request, "relink.html", owner, found=found, fault=None, **values)


@pages.post("/relink/attach")
def attach(
    owner: Owner, wheel: Services, message: _Message, trace_id: Annotated[str, Form(min_length=1, max_length=512)]
) -> Response:
    """Attach the message to the trace somebody chose."""
    attached_to = _attached(wheel, owner, message, trace_id)
    return RedirectResponse(f"/relink?attached={quote(attached_to, safe='')}", HTTPStatus.SEE_OTHER)


def _attached(wheel: Wheel, owner: Visitor, message: Message, trace_id: str) -> str:
    signal, content = wheel.relink.signal(owner.project_id, message, trace_id, owner.name)
    (outcome,) = wheel.capture.keep_now(Work(owner.project_id, signals=[(signal, content)])).signals
    if isinstance(outcome, ThumbwheelError):
        raise outcome
    return signal.trace_id


router.include_router(pages)
