"""The short way to the doors that clients knock at all day: by path alone, past the router and its dependencies."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from fastapi import Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from thumbwheel.api.errors import answer_to
from thumbwheel.errors import ThumbwheelError

#: Answers one POST.
Door: TypeAlias = Callable[[Request], Awaitable[Response]]


class Straight:
    """Calls the door of a POST's path; everything else goes the way the framework takes it.

    The doors are routes as well: that is where they are described, and nothing is answered otherwise there.
    """

    def __init__(self, app: ASGIApp, doors: Mapping[str, Door]) -> None:
        self._app = app
        self._doors = doors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        door = self._doors.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if door is None:
            await self._app(scope, receive, send)
            return
        try:
            response = await door(Request(scope, receive))
        except ThumbwheelError as fault:
            response = answer_to(fault)
        await response(scope, receive, send)
