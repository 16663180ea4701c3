"""Export requests as OpenTelemetry's exporters make them, in both forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList

from tests.conftest import NOW

TRACE = "0af7651916cd43dd8448eb211c80319c"
ROOT, CHILD, OTHER = "00f067aa0ba902b7", "b9c7c989f97918e1", "b9c7c989f97918e2"
#: Nanoseconds of `NOW`.
AT = int(NOW.timestamp()) * 1_000_000_000
SECOND = 1_000_000_000


def a_span(span_id: str = ROOT, /, attributes: Mapping[str, Any] | None = None, **given: Any) -> dict[str, Any]:
    """One span as plain values; fields are named as in the JSON form."""
    return {
        "traceId": TRACE,
        "spanId": span_id,
        "parentSpanId": "" if span_id == ROOT else ROOT,
        "name": "ask",
        "startTimeUnixNano": AT - 2 * SECOND,
        "endTimeUnixNano": AT,
        "attributes": attributes or {},
    } | given


def as_json(spans: Sequence[Mapping[str, Any]], resource: Mapping[str, Any] | None = None) -> bytes:
    """An export request of spans in the JSON form."""
    scope = {"spans": [_json_item(span) for span in spans]}
    return msgspec.json.encode(
        {"resourceSpans": [{"resource": {"attributes": _pairs(resource)}, "scopeSpans": [scope]}]}
    )


def as_protobuf(spans: Sequence[Mapping[str, Any]], resource: Mapping[str, Any] | None = None) -> bytes:
    """An export request of spans as protobuf."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.extend(_messages(resource))
    scope = group.scope_spans.add()
    for span in spans:
        made = scope.spans.add(
            trace_id=bytes.fromhex(span["traceId"]),
            span_id=bytes.fromhex(span["spanId"]),
            parent_span_id=bytes.fromhex(span["parentSpanId"]),
            name=span["name"],
            start_time_unix_nano=span["startTimeUnixNano"],
            end_time_unix_nano=span["endTimeUnixNano"],
            attributes=_messages(span["attributes"]),
        )
        for event in span.get("events", ()):
            made.events.add(
                name=event["name"], time_unix_nano=event["timeUnixNano"], attributes=_messages(event["attributes"])
            )
        for link in span.get("links", ()):
            made.links.add(trace_id=bytes.fromhex(link["traceId"]), span_id=bytes.fromhex(link["spanId"]))
        made.status.code = span.get("status", {}).get("code", 0)
        made.status.message = span.get("status", {}).get("message", "")
    return request.SerializeToString()


def a_log(name: str, /, attributes: Mapping[str, Any] | None = None, **given: Any) -> dict[str, Any]:
    """One log record as plain values."""
    return {
        "traceId": TRACE,
        "spanId": CHILD,
        "eventName": name,
        "timeUnixNano": AT,
        "attributes": attributes or {},
    } | given


def logs_as_json(logs: Sequence[Mapping[str, Any]]) -> bytes:
    """An export request of log records in the JSON form."""
    return msgspec.json.encode({"resourceLogs": [{"scopeLogs": [{"logRecords": [_json_item(log) for log in logs]}]}]})


def logs_as_protobuf(logs: Sequence[Mapping[str, Any]]) -> bytes:
    """An export request of log records as protobuf."""
    request = ExportLogsServiceRequest()
    scope = request.resource_logs.add().scope_logs.add()
    for log in logs:
        made = scope.log_records.add(
            trace_id=bytes.fromhex(log["traceId"]),
            span_id=bytes.fromhex(log["spanId"]),
            event_name=log["eventName"],
            time_unix_nano=log["timeUnixNano"],
            attributes=_messages(log["attributes"]),
        )
        if "body" in log:
            made.body.CopyFrom(_message(log["body"]))
    return request.SerializeToString()


def _json_item(item: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(item) | {"attributes": _pairs(item["attributes"])}
    # 64-bit numbers are text in the JSON form.
    made |= {name: str(made[name]) for name in made if name.endswith("UnixNano")}
    if "events" in item:
        made["events"] = [_json_item(event) for event in item["events"]]
    if "body" in item:
        made["body"] = _json_value(item["body"])
    return made


def _pairs(attributes: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    return [{"key": key, "value": _json_value(value)} for key, value in (attributes or {}).items()]


def _json_value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [_json_value(each) for each in value]}}
    if isinstance(value, dict):
        return {"kvlistValue": {"values": _pairs(value)}}
    return {"stringValue": value}


def _messages(attributes: Mapping[str, Any] | None) -> list[KeyValue]:
    return [KeyValue(key=key, value=_message(value)) for key, value in (attributes or {}).items()]


def _message(value: Any) -> AnyValue:
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    if isinstance(value, list):
        return AnyValue(array_value=ArrayValue(values=[_message(each) for each in value]))
    if isinstance(value, dict):
        return AnyValue(kvlist_value=KeyValueList(values=_messages(value)))
    return AnyValue(string_value=value)
