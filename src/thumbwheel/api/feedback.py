"""Doors without a key: a feedback link speaks about its one trace, from a program or from a page in a browser."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta
from html import escape
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from thumbwheel.api.capture import keep_signals
from thumbwheel.api.deps import CanIngest, body_of, wheel
from thumbwheel.api.errors import status_of
from thumbwheel.api.rate import rates
from thumbwheel.connectors import native
from thumbwheel.domain.signal import Rating
from thumbwheel.errors import Invalid, ThumbwheelError
from thumbwheel.services.feedback import Grant

router = APIRouter(tags=["feedback"])

_BODY_BYTES = 1_000_000
#: What a link may say: the field that says it, and the kind of signal that makes.
_SAYS = {"value": "user_rating", "reason": "user_reason", "edited": "user_edit"}
_BESIDE = ("comment", "consent", "at")


class LinkIn(BaseModel):
    """The trace a link is wanted for."""

    trace_id: Annotated[str, Field(min_length=1, max_length=512)]
    expires_in: Annotated[int, Field(gt=0, description="Seconds; at most 366 days.")] = 30 * 86_400
    user_id: Annotated[str, Field(max_length=512)] | None = None


class LinkOut(BaseModel):
    """A feedback link and its token."""

    token: str
    url: str
    expires_at: str


@router.post("/v1/feedback-tokens", status_code=201)
def make_link(body: LinkIn, request: Request, who: CanIngest) -> LinkOut:
    """Make a feedback link for one trace, for programs that do not sign their own."""
    lasts = timedelta(seconds=min(body.expires_in, 1 << 32))
    token, grant = wheel(request).feedback.sign(who.name, body.trace_id, lasts, body.user_id)
    url = str(request.url_for("ask", token=token))
    return LinkOut(token=token, url=url, expires_at=grant.expires_at.isoformat(timespec="seconds"))


@router.post("/v1/feedback/{token}", status_code=201)
async def answer(token: str, request: Request) -> Response:
    """Keep what the holder of a link says: `{"value"?, "reason"?, "edited"?, "comment"?}`, as JSON or as a form."""
    rates(request).spend_link(request)
    form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    try:
        grant = wheel(request).feedback.read(token)
        body = await body_of(request, _BODY_BYTES)
        kept = await keep_signals(
            request, grant.project_id, _signals(grant, _fields(body, form), wheel(request).mint()), "link"
        )
    except ThumbwheelError as fault:
        if not form:
            raise
        return _page("That did not work", f"<p>{escape(fault.detail)}</p>", status_of(fault))
    if not form:
        return kept
    if kept.status_code != 201:
        return _page("That did not work", "<p>Nothing was stored. Go back and try again.</p>", kept.status_code)
    return _page("Thank you", "<p>Your feedback has arrived. You can close this page.</p>", 201)


@router.get("/v1/feedback/{token}", name="ask")
def ask(token: str, request: Request, value: str | None = None) -> Response:
    """A page that asks, with `?value=up|down` already chosen; nothing is kept before its button is pressed.

    Mail programs and their scanners open every link in a message, so opening one says nothing.
    """
    rates(request).spend_link(request)
    try:
        grant = wheel(request).feedback.read(token)
        reasons = wheel(request).capture.reasons(grant.project_id)
    except ThumbwheelError as fault:
        return _page("This link does not work", f"<p>{escape(fault.detail)}</p>", status_of(fault))
    return _page("Was this answer helpful?", _form(reasons, value, wheel(request).mint()), 200)


def _fields(body: bytes, form: bool) -> dict[str, Any]:
    if not form:
        data = native.parse(body)
        if not isinstance(data, dict):
            raise Invalid("Expected an object.")
        return data
    try:
        said = {name: text for name, text in parse_qsl(body.decode(), max_num_fields=20) if text}
    except ValueError as fault:
        raise Invalid("This is not a form in UTF-8.") from fault
    if said.get("value") == Rating.up:
        said.pop("reason", None)
    return said


def _signals(grant: Grant, said: dict[str, Any], fresh_id: str) -> list[object]:
    """A signal for each thing said, about the link's own trace whatever the body names."""
    fields = [name for name in _SAYS if said.get(name) is not None]
    if not fields:
        raise Invalid("Say something: value, reason or edited.", field="value")
    beside = {name: said[name] for name in _BESIDE if name in said}
    items: list[object] = []
    for name in fields:
        item = {"id": f"{said.get('id') or fresh_id}.{name}", "trace_id": grant.trace_id, "kind": _SAYS[name]}
        item |= {name: said[name]} | {each: said[each] for each in ("original", "rights") if each in said}
        if grant.user_id is not None:
            item["user_id"] = grant.user_id
        items.append(item | beside)
        beside.pop("comment", None)
    return items


_STYLE = (
    "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:3rem auto;padding:0 1rem;color-scheme:light dark}"
    "fieldset{border:0;padding:0;margin:0 0 1.5rem}legend{font-weight:600;padding:0}label{display:block;padding:.4rem 0}"
    "textarea,button{font:inherit;box-sizing:border-box;padding:.6rem}textarea{width:100%}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
#: Nothing runs, nothing is loaded, and the address, which holds the token, goes nowhere.
_HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
    "X-Content-Type-Options": "nosniff",
}


def _page(title: str, body: str, status: int) -> Response:
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width"><title>{title}</title><style>{_STYLE}</style></head>'
        f"<body><main><h1>{title}</h1>{body}</main></body></html>"
    )
    return Response(html, status, _HEADERS, "text/html; charset=utf-8")


def _form(reasons: tuple[str, ...], value: str | None, fresh_id: str) -> str:
    def choice(name: str, option: str, words: str, *, chosen: bool = False) -> str:
        more = " required" if name == "value" else ""
        more += " checked" if chosen else ""
        return f'<label><input type="radio" name="{name}" value="{escape(option)}"{more}> {escape(words)}</label>'

    thumbs = "".join(
        choice("value", thumb, words, chosen=value == thumb)
        for thumb, words in ((Rating.up, "Yes"), (Rating.down, "No"))
    )
    why = "".join(choice("reason", each, each.replace("_", " ").capitalize()) for each in reasons)
    return (
        f'<form method="post"><input type="hidden" name="id" value="{escape(fresh_id)}">'
        f"<fieldset><legend>Your verdict</legend>{thumbs}</fieldset>"
        f"<fieldset><legend>If not: what was wrong? (optional)</legend>{why}</fieldset>"
        '<fieldset><legend id="c">Anything else? (optional)</legend>'
        '<textarea name="comment" rows="3" maxlength="5000" aria-labelledby="c"></textarea></fieldset>'
        "<button>Send feedback</button></form>"
    )
