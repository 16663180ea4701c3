"""OTLP, protobuf and JSON, to records: what was sent, without the envelope and not yet understood."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from thumbwheel.errors import Invalid

#: Values nested deeper than this are left out: nobody means them.
MAX_DEPTH: Final = 64
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
#: Nanoseconds of the year 2100; what says it is later says nothing.
_LAST_NANOS: Final = 4_102_444_800_000_000_000
_HEX: Final = {16: re.compile(r"(?!0{32})[0-9a-f]{32}"), 8: re.compile(r"(?!0{16})[0-9a-f]{16}")}
_ERROR: Final = frozenset({2, "2", "STATUS_CODE_ERROR"})


@dataclass(slots=True)
class EventRecord:
    """An event of a span."""

    name: str
    nanos: int
    attributes: dict[str, Any]


@dataclass(slots=True)
class Record:
    """One span as it was sent; ids in lower-case hex."""

    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    start_nanos: int
    end_nanos: int
    attributes: dict[str, Any]
    resource: Mapping[str, Any] = field(default_factory=dict)
    events: Sequence[EventRecord] = ()
    #: Trace and span of each link.
    links: Sequence[tuple[str, str]] = ()
    failed: bool = False
    message: str = ""


@dataclass(slots=True)
class LogRecord:
    """One log record as it was sent; ids None where it names none."""

    name: str
    nanos: int
    trace_id: str | None
    span_id: str | None
    attributes: dict[str, Any]
    body: Any
    resource: Mapping[str, Any]


@dataclass(slots=True)
class Decoded:
    """What a body held: usable span or log records, and how many were not."""

    records: list[Any] = field(default_factory=list)
    unusable: int = 0


def decode_traces(body: bytes, *, as_json: bool) -> Decoded:
    """The spans of an export request; those without ids are counted and left out.

    Raises:
        Invalid: the body is no export request.
    """
    if as_json:
        return _each_span(_json_groups(body, "resourceSpans", "scopeSpans", "spans"), _span_of_json)
    request = _parsed(ExportTraceServiceRequest(), body)
    groups = ((each.resource, (scope.spans for scope in each.scope_spans)) for each in request.resource_spans)
    return _each_span(((_attributes(resource.attributes), spans) for resource, spans in groups), _span_of_message)


def decode_logs(body: bytes, *, as_json: bool) -> Decoded:
    """The log records of an export request that are named events; others say nothing here and are left out.

    Raises:
        Invalid: the body is no export request.
    """
    found = Decoded()
    if as_json:
        for resource, scopes in _json_groups(body, "resourceLogs", "scopeLogs", "logRecords"):
            found.records += [_log_of_json(each, resource) for records in scopes for each in records]
    else:
        request = _parsed(ExportLogsServiceRequest(), body)
        for each in request.resource_logs:
            resource = _attributes(each.resource.attributes)
            found.records += [_log_of_message(log, resource) for scope in each.scope_logs for log in scope.log_records]
    found.records = [log for log in found.records if log.name]
    return found


def check_metrics(body: bytes, *, as_json: bool) -> None:
    """Nothing, if the body is an export request of metrics, of which none are kept.

    Raises:
        Invalid: it is not.
    """
    if as_json:
        list(_json_groups(body, "resourceMetrics", "scopeMetrics", "metrics"))
    else:
        _parsed(ExportMetricsServiceRequest(), body)


def time_of(nanos: int) -> datetime | None:
    """The time of these nanoseconds since 1970 UTC; None where they say nothing."""
    return _EPOCH + timedelta(microseconds=nanos // 1000) if 0 < nanos < _LAST_NANOS else None


def _each_span(groups: Iterable[tuple[dict[str, Any], Iterable[Iterable[Any]]]], read: Any) -> Decoded:
    found = Decoded()
    for resource, scopes in groups:
        for spans in scopes:
            for span in spans:
                record = read(span, resource)
                if record is None:
                    found.unusable += 1
                else:
                    found.records.append(record)
    return found


# --- protobuf


def _parsed(message: Any, body: bytes) -> Any:
    try:
        message.ParseFromString(body)
    except DecodeError as fault:
        raise Invalid("The body is not the protobuf message this address takes.") from fault
    return message


def _span_of_message(span: Any, resource: Mapping[str, Any]) -> Record | None:
    trace_id, span_id, parent_id = span.trace_id, span.span_id, span.parent_span_id
    if len(trace_id) != 16 or len(span_id) != 8 or not any(trace_id) or not any(span_id):
        return None
    return Record(
        trace_id=trace_id.hex(),
        span_id=span_id.hex(),
        parent_id=parent_id.hex() if len(parent_id) == 8 and any(parent_id) else None,
        name=span.name,
        start_nanos=span.start_time_unix_nano,
        end_nanos=span.end_time_unix_nano,
        attributes=_attributes(span.attributes),
        resource=resource,
        events=[EventRecord(each.name, each.time_unix_nano, _attributes(each.attributes)) for each in span.events],
        links=[(each.trace_id.hex(), each.span_id.hex()) for each in span.links],
        failed=span.status.code == 2,
        message=span.status.message,
    )


def _log_of_message(log: Any, resource: Mapping[str, Any]) -> LogRecord:
    attributes = _attributes(log.attributes)
    trace_id, span_id = log.trace_id, log.span_id
    return LogRecord(
        name=log.event_name or str(attributes.get("event.name", "")),
        nanos=log.time_unix_nano or log.observed_time_unix_nano,
        trace_id=trace_id.hex() if len(trace_id) == 16 and any(trace_id) else None,
        span_id=span_id.hex() if len(span_id) == 8 and any(span_id) else None,
        attributes=attributes,
        body=_value(log.body),
        resource=resource,
    )


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: Any) -> Any:
    which = value.WhichOneof("value")
    if which == "string_value":
        return value.string_value
    if which == "int_value":
        return value.int_value
    if which == "bool_value":
        return value.bool_value
    if which == "double_value":
        return value.double_value if math.isfinite(value.double_value) else None
    if which == "array_value":
        return [_value(each) for each in value.array_value.values]
    if which == "kvlist_value":
        return _attributes(value.kvlist_value.values)
    return base64.b64encode(value.bytes_value).decode() if which == "bytes_value" else None


# --- JSON


def _json_groups(
    body: bytes, resources: str, scopes: str, items: str
) -> Iterator[tuple[dict[str, Any], Iterable[Sequence[Any]]]]:
    """Each resource's attributes, with its scopes' lists."""
    if not body:
        return
    try:
        data = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise Invalid("The body is not JSON, or nested too deeply.") from fault
    if not isinstance(data, dict):
        raise Invalid(f'Expected {{"{resources}": [...]}}.')
    for each in _listed(data, resources):
        attributes = _json_attributes(_object(each.get("resource")).get("attributes"))
        yield attributes, [_listed(scope, items) for scope in _listed(each, scopes)]


def _listed(data: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    found = data.get(name)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise Invalid(f"{name!r} must be a list of objects.", field=name)
    return found


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _span_of_json(span: Mapping[str, Any], resource: Mapping[str, Any]) -> Record | None:
    trace_id, span_id = _hex(span.get("traceId"), 16), _hex(span.get("spanId"), 8)
    if trace_id is None or span_id is None:
        return None
    status = _object(span.get("status"))
    return Record(
        trace_id=trace_id,
        span_id=span_id,
        parent_id=_hex(span.get("parentSpanId"), 8),
        name=str(span.get("name") or ""),
        start_nanos=_integer(span.get("startTimeUnixNano")),
        end_nanos=_integer(span.get("endTimeUnixNano")),
        attributes=_json_attributes(span.get("attributes")),
        resource=resource,
        events=[
            EventRecord(
                str(each.get("name") or ""),
                _integer(each.get("timeUnixNano")),
                _json_attributes(each.get("attributes")),
            )
            for each in _listed(span, "events")
        ],
        links=[
            (_hex(each.get("traceId"), 16) or "", _hex(each.get("spanId"), 8) or "") for each in _listed(span, "links")
        ],
        failed=status.get("code") in _ERROR if isinstance(status.get("code"), int | str) else False,
        message=str(status.get("message") or ""),
    )


def _log_of_json(log: Mapping[str, Any], resource: Mapping[str, Any]) -> LogRecord:
    attributes = _json_attributes(log.get("attributes"))
    return LogRecord(
        name=str(log.get("eventName") or attributes.get("event.name") or ""),
        nanos=_integer(log.get("timeUnixNano")) or _integer(log.get("observedTimeUnixNano")),
        trace_id=_hex(log.get("traceId"), 16),
        span_id=_hex(log.get("spanId"), 8),
        attributes=attributes,
        body=_json_value(log.get("body"), 0),
        resource=resource,
    )


def _hex(value: Any, size: int) -> str | None:
    text = value.lower() if isinstance(value, str) else ""
    return text if _HEX[size].fullmatch(text) else None


def _integer(value: Any) -> int:
    """A number of nanoseconds, or 0 where there is none."""
    if isinstance(value, str) and value.isdecimal() and len(value) < 20:
        return int(value)
    return int(value) if isinstance(value, int | float) and 0 < value < _LAST_NANOS else 0


def _json_attributes(pairs: Any, depth: int = 0) -> dict[str, Any]:
    if not isinstance(pairs, list):
        return {}
    return {
        pair["key"]: _json_value(pair.get("value"), depth)
        for pair in pairs
        if isinstance(pair, dict) and isinstance(pair.get("key"), str)
    }


def _json_value(value: Any, depth: int) -> Any:
    """A value of the JSON form, `{"stringValue": …}`."""
    if not isinstance(value, dict) or depth > MAX_DEPTH:
        return None
    for name, read in _READ.items():
        if name in value:
            return read(value[name], depth)
    return None


def _read_integer(value: Any, _depth: int) -> Any:
    if isinstance(value, str):
        return int(value) if re.fullmatch(r"-?\d{1,19}", value) else None
    return value if isinstance(value, int) else None


def _read_double(value: Any, _depth: int) -> Any:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


_READ: Final[Mapping[str, Callable[[Any, int], Any]]] = {
    "stringValue": lambda value, _depth: value if isinstance(value, str) else None,
    "intValue": _read_integer,
    "boolValue": lambda value, _depth: value if isinstance(value, bool) else None,
    "doubleValue": _read_double,
    "arrayValue": lambda value, depth: [_json_value(each, depth + 1) for each in _object(value).get("values") or ()],
    "kvlistValue": lambda value, depth: _json_attributes(_object(value).get("values"), depth + 1),
    "bytesValue": lambda value, _depth: value if isinstance(value, str) else None,
}
