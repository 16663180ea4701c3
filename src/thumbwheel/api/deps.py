"""What routes are handed: the caller, once checked, and the bytes of the body, once bounded."""

from __future__ import annotations

import base64
import binascii
import zlib
from typing import Annotated, cast

from fastapi import Depends, Request

from thumbwheel.domain.person import Scope
from thumbwheel.errors import Invalid, NotAllowed, NotKnown, TooLarge
from thumbwheel.services.access import Caller
from thumbwheel.wheel import Wheel


def wheel(request: Request) -> Wheel:
    """Everything the server is made of."""
    return cast(Wheel, request.app.state.wheel)


def caller(request: Request) -> Caller:
    """Who is asking: `Authorization: Bearer secret`, Basic `public:secret`, or `x-api-key: secret`.

    Raises:
        NotKnown: no credentials, or none that are valid.
    """
    access = wheel(request).access
    header = request.headers.get("authorization", "")
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer" and value:
        return access.identify(value.strip())
    if scheme.lower() == "basic" and value:
        public, secret = _basic(value)
        return access.identify(secret, public)
    key = request.headers.get("x-api-key")
    if key:
        return access.identify(key)
    raise NotKnown("Send an API key: Authorization: Bearer tw_sk_…, Basic public:secret, or x-api-key.")


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


def _can_ingest(request: Request) -> Caller:
    return allowed(request, Scope.ingest)


def _can_read(request: Request) -> Caller:
    return allowed(request, Scope.read)


def _can_annotate(request: Request) -> Caller:
    return allowed(request, Scope.annotate)


def _can_administer(request: Request) -> Caller:
    return allowed(request, Scope.admin)


CanIngest = Annotated[Caller, Depends(_can_ingest)]
CanRead = Annotated[Caller, Depends(_can_read)]
CanAnnotate = Annotated[Caller, Depends(_can_annotate)]
CanAdmin = Annotated[Caller, Depends(_can_administer)]


async def body_of(request: Request) -> bytes:
    """The body, inflated when it is gzip, and never more than the setting allows.

    Raises:
        TooLarge: it is more.
        Invalid: it says it is compressed and is not, or in a way this server does not know.
    """
    limit = wheel(request).settings.max_body_bytes
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding not in {"identity", "gzip"}:
        raise Invalid(f"Content-Encoding {encoding!r} is not known here; send gzip or none.", field="content-encoding")
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
