"""No body is larger than is taken: what the framework reads whole is counted while it comes, before anybody is known."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from thumbwheel.api.errors import answer_to
from thumbwheel.errors import TooLarge

#: These read their bodies themselves, inflate them, and refuse them in the words of other tools.
_THEIR_OWN = ("/api/public/", "/langsmith/")


class Bounded:
    """Answers 413 to a body that says, or turns out, to be too large."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let requests through while their bodies stay small."""
        if scope["type"] != "http" or scope["path"].startswith(_THEIR_OWN):
            await self._app(scope, receive, send)
            return
        fault = TooLarge(f"The body is larger than {self._limit} bytes.")
        if _announced(scope) > self._limit:
            await answer_to(fault)(scope, receive, send)
            return
        n, started = 0, False

        async def counted() -> Message:
            nonlocal n
            message = await receive()
            n += len(message.get("body", b""))
            if n > self._limit:
                raise fault
            return message

        async def unless_too_large(message: Message) -> None:
            nonlocal started
            # The framework calls whatever it cannot read malformed.
            if n <= self._limit or started:
                started = True
                await send(message)

        try:
            await self._app(scope, counted, unless_too_large)
        except TooLarge:
            if n <= self._limit:
                raise
        if n > self._limit and not started:
            await answer_to(fault)(scope, receive, send)


def _announced(scope: Scope) -> int:
    said = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    return int(said) if said.isdigit() else 0
