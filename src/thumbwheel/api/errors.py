"""Errors over HTTP: RFC 9457 problem+json. The only module beside web/render.py that knows a status code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from thumbwheel import errors

_STATUS: dict[type[errors.ThumbwheelError], int] = {
    errors.WrongContentType: 415,
    errors.Invalid: 422,
    errors.NotHere: 404,
    errors.NotKnown: 401,
    errors.NotAllowed: 403,
    errors.Conflict: 409,
    errors.TooLarge: 413,
    errors.TooOften: 429,
    errors.ExtraMissing: 501,
    errors.StoreUnavailable: 503,
    errors.ConfigInvalid: 500,
}
_HEADERS = {401: {"WWW-Authenticate": 'Bearer realm="thumbwheel"'}, 503: {"Retry-After": "1"}}
#: What the framework says of a body it cannot decode.
_UNDECODABLE = "There was an error parsing the body"
_TITLES = {413: "TooLarge", 400: "Malformed", 405: "MethodNotAllowed", 404: "NotHere", 415: "WrongContentType"}


def status_of(fault: errors.ThumbwheelError) -> int:
    """The HTTP status that says what kind of refusal this is."""
    return next((_STATUS[kind] for kind in type(fault).__mro__ if kind in _STATUS), 500)


def problem(status: int, title: str, detail: str, *, retry_after: int | None = None, **more: Any) -> Response:
    """An RFC 9457 problem."""
    body = {"type": title, "title": title, "status": status, "detail": detail}
    headers = dict(_HEADERS.get(status, {}))
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    body |= {name: value for name, value in more.items() if value is not None}
    return Response(msgspec.json.encode(body), status, headers, "application/problem+json")


def answer_to(fault: errors.ThumbwheelError) -> Response:
    """The problem that one of our errors is."""
    wait = fault.retry_after if isinstance(fault, errors.TooOften) else None
    return problem(status_of(fault), type(fault).__name__, fault.detail, retry_after=wait, field=fault.field)


def refusal(fault: errors.ThumbwheelError) -> Mapping[str, Any]:
    """What a batch says about one item it refused."""
    said = {"type": type(fault).__name__, "detail": fault.detail}
    return said if fault.field is None else said | {"field": fault.field}


def _is_name(part: object) -> bool:
    """Whether part of a place is the client's word: not where the framework looked, nor which form it tried."""
    return part not in {"body", "query", "path"} and "[" not in str(part) and not str(part).endswith("In")


def install(app: FastAPI) -> None:
    """Answer every error of ours, and the framework's own, as a problem."""

    @app.exception_handler(errors.ThumbwheelError)
    def _ours(_request: Request, fault: errors.ThumbwheelError) -> Response:
        return answer_to(fault)

    @app.exception_handler(RequestValidationError)
    def _invalid(request: Request, fault: RequestValidationError) -> Response:
        found = fault.errors()
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if found[0]["loc"] == ("body",) and isinstance(found[0].get("input"), bytes) and not kind.endswith("json"):
            return answer_to(errors.WrongContentType("Send Content-Type: application/json.", field="content-type"))
        said = next((each for each in found if each["type"] == "value_error"), found[0])
        field = ".".join(str(part) for part in said["loc"] if _is_name(part))
        if said["type"] == "json_invalid":  # its place is a character of the body, not a field
            where = f"at character {said['loc'][-1]}: {said.get('ctx', {}).get('error', '')}"
            return problem(400, "Malformed", f"The body is not JSON, {where}.")
        if said["type"] == "missing" and said["loc"] == ("body",):
            return problem(422, "Invalid", "Send a JSON body.")
        return problem(422, "Invalid", f"{said['msg'].removeprefix('Value error, ')}.", field=field or None)

    @app.exception_handler(HTTPException)
    def _framework(request: Request, fault: HTTPException) -> Response:
        detail, packed = str(fault.detail), request.headers.get("content-encoding", "identity") != "identity"
        if detail == _UNDECODABLE and packed:
            said = "This door inflates nothing; send the body as it is, without Content-Encoding."
            return answer_to(errors.WrongContentType(said, field="content-encoding"))
        if detail == _UNDECODABLE:
            detail = "The body is not JSON in UTF-8, or nested too deeply."
        return problem(fault.status_code, _TITLES.get(fault.status_code, "Refused"), detail)

    @app.exception_handler(Exception)
    def _fault(_request: Request, _fault: Exception) -> Response:
        return problem(500, "Fault", "Something went wrong here; the log says what.")
