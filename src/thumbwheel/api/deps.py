"""What routes are handed: the caller, once checked, and the bytes of the body, once bounded."""

from __future__ import annotations

import base64
import binascii
import zlib
from typing import Annotated, Any, cast

from fastapi import Depends, Request

from thumbwheel.api.origin import check_origin
from thumbwheel.api.rate import rates
from thumbwheel.connectors import native
from thumbwheel.domain.person import Scope
from thumbwheel.errors import Invalid, NotAllowed, NotKnown, TooLarge, WrongContentType
from thumbwheel.services.access import Caller
from thumbwheel.wheel import Wheel


def wheel(request: Request) -> Wheel:
    """Everything the server is made of."""
    return cast(Wheel, request.app.state.wheel)


def caller(request: Request) -> Caller:
    """Who is asking: `Authorization: Bearer secret`, Basic `public:secret`, or `x-api-key: secret`.

    Raises:
        NotKnown: no credentials, or none that are valid.
        NotAllowed: a publishable key, used from a page of an origin its project does not allow.
        TooOften: the key has used up its rate.
    """
    given = credentials(request)
    if given is None:
        raise NotKnown("Send an API key: Authorization: Bearer tw_sk_…, Basic public:secret, or x-api-key.")
    return admitted(request, wheel(request).access.identify(*given))


def credentials(request: Request) -> tuple[str, str | None] | None:
    """The key in the headers, with its public half when that came too; None when there is none.

    Raises:
        NotKnown: the credentials cannot be read.
    """
    header = request.headers.get("authorization", "")
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer" and value:
        return value.strip(), None
    if scheme.lower() == "basic" and value:
        public, secret = _basic(value)
        return secret, public
    key = request.headers.get("x-api-key")
    return (key, None) if key else None


def admitted(request: Request, who: Caller) -> Caller:
    """The same caller, if the page it calls from may use its key and it does not call too often.

    Raises:
        NotAllowed: a publishable key is used from a page of an origin its project does not allow.
        TooOften: the key, or the address, has used up its rate.
    """
    if who.public:
        check_origin(request, who.origins)
    rates(request).spend(request, who)
    return who


def _basic(value: str) -> tuple[str, str]:
    try:
        public, separator, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as fault:
        raise NotKnown("The Basic credentials are not base64 of public:secret.") from fault
    if not separator:
        raise NotKnown("The Basic credentials are not public:secret.")
    return public, secret


def allowed(request: Request, scope: Scope) -> Caller:
    """The caller, if the key has this scope.

    Raises:
        NotKnown: no valid credentials.
        NotAllowed: the key lacks the scope.
    """
    found = caller(request)
    if scope not in found.scopes:
        raise NotAllowed(f"This key lacks the scope {scope.value!r}.")
    return found


def _having(scope: Scope) -> Any:
    def having(request: Request) -> Caller:
        return allowed(request, scope)

    return Depends(having)


CanIngest = Annotated[Caller, _having(Scope.ingest)]
CanRead = Annotated[Caller, _having(Scope.read)]
CanAnnotate = Annotated[Caller, _having(Scope.annotate)]
CanAdmin = Annotated[Caller, _having(Scope.admin)]


async def body_of(request: Request, limit: int | None = None) -> bytes:
    """The body, inflated when it is gzip, and never more than `limit` or what the setting allows.

    Raises:
        TooLarge: it is more.
        WrongContentType: it says it is compressed in a way this server does not know.
        Invalid: it says it is compressed and is not.
    """
    limit = limit or wheel(request).settings.max_body_bytes
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding not in {"identity", "gzip"}:
        said = f"Content-Encoding {encoding!r} is not known here; send gzip or none."
        raise WrongContentType(said, field="content-encoding")
    inflate = zlib.decompressobj(wbits=31) if encoding == "gzip" else None
    whole = bytearray()
    async for chunk in request.stream():
        try:
            whole += chunk if inflate is None else inflate.decompress(chunk, limit + 1 - len(whole))
        except zlib.error as fault:
            raise Invalid("The body is not gzip, though it says so.", field="content-encoding") from fault
        if len(whole) > limit:
            raise TooLarge(f"The body is larger than {limit} bytes.")
    return bytes(whole)


def json_of(request: Request, body: bytes) -> Any:
    """The JSON in a body. What it is called decides nothing: pages send JSON as plain text, and curl as a form.

    Raises:
        WrongContentType: it is no JSON, and does not say that it is.
        Invalid: it is no JSON though it says so, or nested too deeply.
    """
    try:
        return native.parse(body)
    except Invalid as fault:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if not kind or kind == "text/plain" or kind.endswith("json"):
            raise
        raise WrongContentType(
            f"Send application/json; {kind[:100]!r} is not taken here.", field="content-type"
        ) from fault
