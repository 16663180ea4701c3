"""Which pages may call from a browser: cross-origin answers, and the check of a publishable key's origin."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from thumbwheel.errors import NotAllowed
from thumbwheel.services.access import origin_allowed

#: The doors a page of another origin may call: signals and the feedback of browser SDKs, and feedback links.
_DOORS = (
    "/v1/signals",
    "/v1/feedback/",
    "/api/public/ingestion",
    "/api/public/scores",
    "/langsmith/feedback/tokens/",
    "/langsmith/api/v1/feedback/tokens/",
)


def check_origin(request: Request, allowed: Sequence[str]) -> None:
    """Refuse a publishable key used by a page of an origin that its project does not allow.

    Pages of this server may use it, and so may what sends no origin: a browser always names one, and a program could
    name any.

    Raises:
        NotAllowed: the origin is not allowed.
    """
    origin = request.headers.get("origin")
    if origin is None or urlsplit(origin).netloc == request.headers.get("host"):
        return
    if not origin_allowed(origin.lower(), allowed):
        raise NotAllowed(
            f"Pages of {origin[:200]} may not use this key; `thumbwheel key origins --add {origin[:200]}` lets them."
        )


class CrossOrigin:
    """Lets pages of the origins some project allows read what the browser's doors answer, and never with cookies.

    A preflight names no key, so it is answered for every origin that any project allows; the request itself is held
    to the origins of its own key.
    """

    def __init__(self, app: ASGIApp, known: Callable[[str], bool]) -> None:
        self._app = app
        self._known = known

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer preflights; let the rest through, with the headers its page needs."""
        headers: Mapping[str, str] = (
            Headers(scope=scope) if scope["type"] == "http" and scope["path"].startswith(_DOORS) else {}
        )
        origin = headers.get("origin")
        if origin is None:
            await self._app(scope, receive, send)
            return
        known = self._known(origin.lower())
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            answer = _preflight(headers) if known else Response(status_code=403, headers={"Vary": "Origin"})
            await answer(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered = MutableHeaders(scope=message)
                answered.add_vary_header("Origin")
                if known:
                    answered["Access-Control-Allow-Origin"] = origin
                    answered["Access-Control-Expose-Headers"] = "Retry-After"
            await send(message)

        await self._app(scope, receive, with_headers)


def _preflight(headers: Mapping[str, str]) -> Response:
    return Response(
        status_code=204,
        headers={
            "Access-Control-Allow-Origin": headers["origin"],
            "Access-Control-Allow-Methods": "GET, POST",
            "Access-Control-Allow-Headers": headers.get(
                "access-control-request-headers", "authorization, content-type"
            ),
            "Access-Control-Max-Age": "7200",
            "Vary": "Origin, Access-Control-Request-Headers",
        },
    )
