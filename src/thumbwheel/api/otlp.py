"""The OTLP/HTTP door: traces and logs from any OpenTelemetry exporter; metrics are taken and not kept."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import msgspec
from fastapi import APIRouter, Request, Response
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from thumbwheel.api.deps import allowed, body_of, wheel
from thumbwheel.api.errors import status_of
from thumbwheel.api.straight import Door
from thumbwheel.connectors.attributes import Client
from thumbwheel.connectors.otlp import check_metrics, decode_logs, decode_traces
from thumbwheel.connectors.semantics import Understood, understand_logs, understand_spans
from thumbwheel.domain.person import Scope
from thumbwheel.errors import Invalid, ThumbwheelError
from thumbwheel.services.capture import Kept, Work
from thumbwheel.telemetry import INGESTED

router = APIRouter(tags=["otlp"])

#: Where exporters send, beside the standard's own: Langfuse's and LangSmith's clients have a prefix.
_PREFIXES = ("/v1", "/api/public/otel/v1", "/langsmith/otel/v1")
_MEDIA = {"application/x-protobuf": False, "application/json": True}
#: A body larger than this is read beside the event loop, so that others are answered meanwhile.
_LARGE = 200_000

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class _Reply:
    """How one kind of export is answered: the message, and what its partial success calls what was refused."""

    message: Any
    refused: str


_TRACES = _Reply(ExportTraceServiceResponse, "rejected_spans")
_LOGS = _Reply(ExportLogsServiceResponse, "rejected_log_records")
_METRICS = _Reply(ExportMetricsServiceResponse, "rejected_data_points")


async def _traces(request: Request, project_id: int, body: bytes, *, as_json: bool) -> Response:
    client = Client(request.headers.get("x-langfuse-sdk-name"), request.headers.get("x-langfuse-sdk-version"))

    def read() -> Understood:
        decoded = decode_traces(body, as_json=as_json)
        understood = understand_spans(decoded.records, client)
        understood.unusable += decoded.unusable
        return understood

    return await _keep(request, project_id, await _beside(read, body), _TRACES, as_json=as_json)


async def _logs(request: Request, project_id: int, body: bytes, *, as_json: bool) -> Response:
    def read() -> Understood:
        return understand_logs(decode_logs(body, as_json=as_json).records)

    return await _keep(request, project_id, await _beside(read, body), _LOGS, as_json=as_json)


async def _metrics(_request: Request, _project_id: int, body: bytes, *, as_json: bool) -> Response:
    check_metrics(body, as_json=as_json)
    return _success(_METRICS, 0, "", as_json=as_json)


async def _beside(read: Callable[[], _Value], body: bytes) -> _Value:
    return await asyncio.to_thread(read) if len(body) > _LARGE else read()


async def _keep(request: Request, project_id: int, understood: Understood, reply: _Reply, *, as_json: bool) -> Response:
    """Answer once everything usable is durable."""
    kept = Kept((), (), (), ())
    if understood.spans or understood.scores:
        kept = await wheel(request).capture.keep(Work(project_id, spans=understood.spans, scores=understood.scores))
    refused = [outcome for outcome in (*kept.spans, *kept.scores) if isinstance(outcome, ThumbwheelError)]
    for outcome, n in (
        ("accepted", sum(each is True for each in kept.spans)),
        ("duplicate", sum(each is False for each in kept.spans)),
        ("rejected", understood.unusable + len(refused)),
    ):
        INGESTED.labels("spans", outcome).inc(n)
    why = refused[0].detail if refused else "No usable trace and span id." if understood.unusable else ""
    return _success(reply, understood.unusable + len(refused), why, as_json=as_json)


def _success(reply: _Reply, n_refused: int, why: str, *, as_json: bool) -> Response:
    """200, in the type of the request, saying how many items were refused and why the first was."""
    if as_json:
        first, *rest = reply.refused.split("_")
        name = first + "".join(word.title() for word in rest)
        # A 64-bit number is text in the JSON form.
        partial = {"partialSuccess": {name: str(n_refused), "errorMessage": why}} if n_refused else {}
        return Response(msgspec.json.encode(partial), media_type="application/json")
    message = reply.message()
    if n_refused:
        setattr(message.partial_success, reply.refused, n_refused)
        message.partial_success.error_message = why
    return Response(message.SerializeToString(), media_type="application/x-protobuf")


def _failure(status: int, detail: str, headers: dict[str, str], *, as_json: bool) -> Response:
    """A google.rpc.Status that says why, in the type of the request."""
    if as_json:
        return Response(msgspec.json.encode({"message": detail}), status, headers, "application/json")
    said = detail.encode()
    return Response(b"\x12" + _varint(len(said)) + said, status, headers, "application/x-protobuf")


def _varint(n: int) -> bytes:
    """A length as protobuf writes it: seven bits a byte, the lowest first."""
    encoded = bytearray()
    while n > 0x7F:
        encoded.append(n & 0x7F | 0x80)
        n >>= 7
    encoded.append(n)
    return bytes(encoded)


def _door(handle: Callable[..., Awaitable[Response]]) -> Door:
    """A route that answers as exporters expect: they send again after 429 and 503, and drop what any other code refuses."""

    async def answer(request: Request) -> Response:
        media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        as_json = _MEDIA.get(media, False)
        try:
            who = allowed(request, Scope.ingest)
            if media not in _MEDIA:
                return _failure(415, "Send application/x-protobuf or application/json.", {}, as_json=as_json)
            if request.headers.get("content-encoding", "identity").lower() not in {"identity", "gzip", ""}:
                return _failure(415, "Send gzip or no Content-Encoding.", {}, as_json=as_json)
            return await handle(request, who.project_id, await body_of(request), as_json=as_json)
        except ThumbwheelError as fault:
            status = 400 if isinstance(fault, Invalid) else status_of(fault)
            return _failure(status, fault.detail, _headers(status, fault), as_json=as_json)

    return answer


def _headers(status: int, fault: ThumbwheelError) -> dict[str, str]:
    if status == 401:
        return {"WWW-Authenticate": 'Bearer realm="thumbwheel"'}
    if status in {429, 503}:
        return {"Retry-After": str(getattr(fault, "retry_after", None) or 1)}
    return {}


#: Every address of this door, with what answers there.
DOORS: Final[Mapping[str, Door]] = {
    f"{prefix}/{what}": _door(handle)
    for what, handle in (("traces", _traces), ("logs", _logs), ("metrics", _metrics))
    for prefix in _PREFIXES
}

for _path, _answer in DOORS.items():
    _what = _path.rpartition("/")[2]
    router.add_api_route(
        _path,
        _answer,
        methods=["POST"],
        name=f"otlp_{_what}",
        summary=f"Take {_what} as OTLP/HTTP.",
        include_in_schema=_path == f"/v1/{_what}",
        response_model=None,
    )
