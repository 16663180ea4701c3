"""Pages as HTML: the templates, the words in them, and what a refusal looks like."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from thumbwheel import errors
from thumbwheel.web import text, words
from thumbwheel.web.report import add_filters
from thumbwheel.web.session import COOKIE, Visitor, sessions
from thumbwheel.wheel import Wheel

_HERE = Path(__file__).parent
STATIC = _HERE / "static"

#: Statuses of a page that says no.
_STATUS: dict[type[errors.ThumbwheelError], HTTPStatus] = {
    errors.Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.NotHere: HTTPStatus.NOT_FOUND,
    errors.NotKnown: HTTPStatus.UNAUTHORIZED,
    errors.TooManyAttempts: HTTPStatus.TOO_MANY_REQUESTS,
    errors.NotAllowed: HTTPStatus.FORBIDDEN,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.StoreUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}
_TITLES = {
    HTTPStatus.NOT_FOUND: "Nothing here",
    HTTPStatus.FORBIDDEN: "Not yours to open",
    HTTPStatus.CONFLICT: "That has moved on",
    HTTPStatus.UNPROCESSABLE_ENTITY: "That will not do",
    HTTPStatus.SERVICE_UNAVAILABLE: "The store does not answer",
}

#: Nothing is loaded from anywhere but here, nothing inline runs, nobody frames a page. A form may only be sent here,
#: and a request of ours says to us, and to nobody else, which page it came from.
HEADERS = {
    "content-security-policy": (
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "font-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "x-dns-prefetch-control": "off",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
#: Doors for programs, which no browser shows as a page of ours.
_NO_PAGES = ("/v1/", "/api/", "/langsmith/", "/docs", "/openapi.json", "/metrics", "/healthz", "/readyz", "/widget")


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    add_filters(made)
    made.filters |= {"plain": text.plain, "markdown": text.markdown}
    made.globals |= {"ago": ago, "due": due, "counted": words.counted, "WHY": WHY}
    return made


def ago(then: datetime, now: datetime) -> str:
    """How long ago something was, in its largest fitting unit."""
    return words.duration(max((now - then).total_seconds(), 0.0))


def due(at: datetime, now: datetime) -> str:
    """How long until an entry is to be judged, or since it was."""
    left = (at - now).total_seconds()
    return f"due in {words.duration(left)}" if left > 0 else f"overdue for {words.duration(-left)}"


#: What each policy means, for people who never read the manual.
WHY = {
    "drift": "Something changed in this part of the traffic",
    "negative": "What the user did says that it went wrong",
    "uncertain": "The judge cannot tell whether it went wrong",
    "stratified": "Each kind of request gets its share of looks",
    "random": "Picked by chance, to keep the picture honest",
}

_templates = _environment()


def fragment(template: str, **values: Any) -> str:
    """A piece of a page."""
    return _templates.get_template(template).render(values)


def page(
    request: Request, template: str, visitor: Visitor | None = None, *, status: int = 200, **values: Any
) -> HTMLResponse:
    """A whole page, as this visitor may see it."""
    wheel = cast(Wheel, request.app.state.wheel)
    # A role holds in every project, so whoever is signed in may look at any of them.
    projects = [each.name for each in wheel.access.list_projects()] if visitor else []
    common = {"path": request.url.path, "notice": wheel.settings.notice, "projects": projects}
    body = fragment(template, visitor=visitor, **common, **values)
    return HTMLResponse(body, status, headers={"cache-control": "no-store"})


def refusal(request: Request, fault: errors.ThumbwheelError) -> Response:
    """The page that says no; who is not signed in is sent to do so and comes back."""
    if isinstance(fault, errors.SignInRequired):
        asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/sign-in?next={quote(asked, safe='')}", HTTPStatus.SEE_OTHER)
    status = next((_STATUS[kind] for kind in type(fault).__mro__ if kind in _STATUS), HTTPStatus.INTERNAL_SERVER_ERROR)
    visitor = sessions(request).visitor(request.cookies.get(COOKIE))
    title = _TITLES.get(status, "That did not work")
    return page(request, "refusal.html", visitor, status=status, title=title, detail=fault.detail)


class Page(APIRoute):
    """A route that answers with a page, also when it refuses."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with our errors shown as a page."""
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await inner(request)
            except errors.ThumbwheelError as fault:
                return await run_in_threadpool(refusal, request, fault)

        return handle


def is_page(path: str) -> bool:
    """Whether a browser may show what is at this path."""
    return not path.startswith(_NO_PAGES)


class SafeHeaders:
    """Adds the headers that keep a page to itself to everything a browser may show."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._headers = [(name.encode(), value.encode()) for name, value in HEADERS.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, with the headers added."""
        if scope["type"] != "http" or not is_page(scope["path"]):
            await self.app(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *self._headers]
            await send(message)

        await self.app(scope, receive, answer)
