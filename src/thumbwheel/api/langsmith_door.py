"""What the doors for LangSmith's clients share: bodies in every encoding, and refusals with the codes they know."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request, Response
from fastapi.routing import APIRoute

from thumbwheel.api.deps import wheel
from thumbwheel.api.errors import problem, status_of
from thumbwheel.connectors.inflate import inflated
from thumbwheel.connectors.sound import read_json
from thumbwheel.errors import Invalid, ThumbwheelError, TooLarge

#: The most of anything one page holds.
MOST = 1000
#: A body larger than this is read beside the event loop, so that others are answered meanwhile.
_LARGE = 100_000

_Value = TypeVar("_Value")


class LangSmithRoute(APIRoute):
    """A route that calls malformed what these clients would otherwise not understand."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """As the framework's, with what is invalid answered here."""
        handle = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                return await handle(request)
            except Invalid as fault:
                return refused([fault])

        return answered


def refused(faults: Sequence[ThumbwheelError]) -> Response:
    """Why some of what came was not kept: what is to be sent again before what never could be kept."""
    first = max(faults, key=lambda fault: (status_of(fault) >= 500, isinstance(fault, Invalid)))
    status = 400 if isinstance(first, Invalid) else status_of(first)
    more = f" ({len(faults) - 1} more)" if len(faults) > 1 else ""
    return problem(status, type(first).__name__, first.detail + more, field=first.field)


async def raw(request: Request, limit: int) -> bytes:
    """The body as it came, never more than `limit` bytes.

    Raises:
        TooLarge: it is more.
    """
    whole = bytearray()
    async for chunk in request.stream():
        whole += chunk
        if len(whole) > limit:
            raise TooLarge(f"The body is larger than {limit} bytes.")
    return bytes(whole)


async def beside(size: int, read: Callable[[], _Value]) -> _Value:
    """What `read` finds in a body of this many bytes."""
    return await asyncio.to_thread(read) if size > _LARGE else read()


async def sent(request: Request) -> Any:
    """The JSON a client sent, inflated where that is needed.

    Raises:
        TooLarge: it is more than the setting allows.
        Invalid: it is no JSON, or nested too deeply.
    """
    limit = wheel(request).settings.max_body_bytes
    body, encoding = await raw(request, limit), request.headers.get("content-encoding", "")
    return await beside(len(body), lambda: read_json(b"".join(inflated(body, encoding, limit))))


async def _object(request: Request) -> dict[str, Any]:
    data = await sent(request)
    if not isinstance(data, dict):
        raise Invalid("Expected an object.")
    return data


#: A body that must be a JSON object, and one that may be any JSON.
Sent = Annotated[dict[str, Any], Depends(_object)]
SentAny = Annotated[Any, Depends(sent)]


def offset_of(request: Request) -> int:
    """How many come before the page.

    Raises:
        Invalid: that is no number.
    """
    found = request.query_params.get("offset") or "0"
    if not (found.isascii() and found.isdigit() and len(found) < 10):
        raise Invalid(f"{found[:100]!r} is not a number from 0 on.", field="offset")
    return int(found)
