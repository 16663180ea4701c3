"""What the doors for Langfuse's clients share: errors in their form, their query parameters, pages with numbers."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.routing import APIRoute

from thumbwheel.api.deps import caller
from thumbwheel.api.errors import status_of
from thumbwheel.api.page import answer
from thumbwheel.domain.instant import utc
from thumbwheel.domain.person import Scope
from thumbwheel.errors import Invalid, NotAllowed, ThumbwheelError
from thumbwheel.services.access import Caller

#: The most of anything one page holds.
MOST = 1000
_PAGE = 50


class LangfuseRoute(APIRoute):
    """A route whose refusals are `{"error", "message"}`: their clients read no other."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """As the framework's, with our errors answered here."""
        handle = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                return await handle(request)
            except ThumbwheelError as fault:
                return refused(fault)

        return answered


def refused(fault: ThumbwheelError) -> Response:
    """A refusal; 429 and 503 say when to come back."""
    status = status_in_events(fault)
    response = answer({"error": type(fault).__name__, "message": said(fault)}, status)
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="thumbwheel"'
    if status in {429, 503}:
        response.headers["Retry-After"] = str(getattr(fault, "retry_after", None) or 1)
    return response


def status_in_events(fault: ThumbwheelError) -> int:
    """The status their clients know a refusal by."""
    return 400 if isinstance(fault, Invalid) else status_of(fault)


def said(fault: ThumbwheelError) -> str:
    """Why, and of which field."""
    return fault.detail if fault.field is None else f"{fault.field}: {fault.detail}"


def _known(request: Request) -> Caller:
    who = caller(request)
    if who.public:
        raise NotAllowed("A publishable key may send scores and nothing else.")
    return who


#: Whoever holds a secret key, whatever it may do.
Known = Annotated[Caller, Depends(_known)]


def may_score(request: Request) -> Caller:
    """Who sends scores: a publishable key, or a secret one that may send anything.

    Raises:
        NotKnown: no valid credentials.
        NotAllowed: the key lacks the scope.
    """
    who = caller(request)
    if not who.public and Scope.ingest not in who.scopes:
        raise NotAllowed("This key lacks the scope 'ingest'.")
    return who


@dataclass(frozen=True, slots=True)
class Query:
    """The query parameters of one request."""

    request: Request

    def text(self, name: str) -> str | None:
        """A text; an empty one is none."""
        found = self.request.query_params.get(name)
        if found and "\0" in found:
            raise Invalid("A name holds no NUL character.", field=name)
        return found or None

    def many(self, name: str) -> list[str]:
        """Every value of a parameter that may be given more than once."""
        return [value for value in self.request.query_params.getlist(name) if value and "\0" not in value]

    def flag(self, name: str) -> bool | None:
        """True or false; None when it is not given."""
        found = self.text(name)
        return None if found is None else found.lower() in {"true", "1"}

    def time(self, name: str) -> datetime | None:
        """A time in ISO 8601, UTC where it names no offset.

        Raises:
            Invalid: it is none.
        """
        found = self.text(name)
        if found is None:
            return None
        try:
            return utc(datetime.fromisoformat(found))
        except ValueError as fault:
            raise Invalid(f"{found[:100]!r} is not an ISO 8601 time.", field=name) from fault

    def count(self, name: str, otherwise: int, most: int) -> int:
        """A whole number from 1 to `most`; a larger one is `most`.

        Raises:
            Invalid: it is none.
        """
        found = self.text(name)
        if found is None:
            return otherwise
        if not (found.isascii() and found.isdigit()) or not int(found[:12]):
            raise Invalid(f"{found[:100]!r} is not a number from 1 on.", field=name)
        return min(int(found[:12]), most)

    @property
    def limit(self) -> int:
        """How many a page holds."""
        return self.count("limit", _PAGE, MOST)

    @property
    def page(self) -> int:
        """Which page, 1 = first."""
        return self.count("page", 1, 10_000_000)

    @property
    def offset(self) -> int:
        """How many come before the page."""
        return (self.page - 1) * self.limit

    def refuse(self, *names: str) -> None:
        """Refuse what would have to restrict the answer and cannot here.

        Raises:
            Invalid: one of them is given.
        """
        for name in names:
            if self.text(name) is not None:
                raise Invalid(f"{name!r} cannot be used here.", field=name)


def _query(request: Request) -> Query:
    return Query(request)


Asked = Annotated[Query, Depends(_query)]


def numbered(data: Sequence[object], asked: Query, total: int) -> Response:
    """One page of `total` items."""
    pages = -(-total // asked.limit)
    meta = {"page": asked.page, "limit": asked.limit, "totalItems": total, "totalPages": pages}
    return answer({"data": data, "meta": meta})


def continued(data: Sequence[object], cursor: str | None, **meta: object) -> Response:
    """Some items, and the cursor of what follows unless they are the last."""
    return answer({"data": data, "meta": meta if cursor is None else meta | {"cursor": cursor}})


def object_of(data: object) -> Mapping[str, Any]:
    """A body that must be an object.

    Raises:
        Invalid: it is none.
    """
    if not isinstance(data, dict):
        raise Invalid("Expected an object.")
    return data
