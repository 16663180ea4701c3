"""The wide half of a trace, as one compressed body: what was said, and the spans it came as."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import msgspec
import zstandard

from thumbwheel.domain.span import NO_FACTS, Span, TraceFacts
from thumbwheel.domain.trace import Trace

_compressor = zstandard.ZstdCompressor(level=3)
_SPAN = tuple(each.name for each in fields(Span))
_FACTS = tuple(each.name for each in fields(TraceFacts))


class _Payload(msgspec.Struct, omit_defaults=True):
    input: Any = None
    output: Any = None
    documents: list[Any] = []
    tool_calls: list[Any] = []
    metadata: dict[str, Any] = {}
    spans: list[Any] = []


class _Spans(msgspec.Struct):
    spans: list[Span] = []


_spans = msgspec.json.Decoder(_Spans)


def pack(trace: Trace, spans: Sequence[Span]) -> bytes:
    """What is kept of a trace beside its columns."""
    payload = _Payload(
        input=trace.input,
        output=trace.output,
        documents=list(trace.documents),
        tool_calls=list(trace.tool_calls),
        metadata=trace.metadata,
        spans=[span_said(span) for span in spans],
    )
    return _compressor.compress(msgspec.json.encode(payload))


def unpack(body: bytes) -> dict[str, Any]:
    """What `pack` kept of the trace, by field."""
    found: dict[str, Any] = msgspec.json.decode(zstandard.decompress(body))
    return found


def unpack_spans(body: bytes) -> list[Span]:
    """The spans that `pack` kept."""
    return _spans.decode(zstandard.decompress(body)).spans


def span_said(span: Span) -> dict[str, Any]:
    """What a span says, by field; what it does not say is left out."""
    said = {name: value for name in _SPAN if (value := getattr(span, name)) is not None and value not in ((), {})}
    if span.facts is NO_FACTS or span.facts == NO_FACTS:
        del said["facts"]
    else:
        facts = span.facts
        said["facts"] = {
            name: value for name in _FACTS if (value := getattr(facts, name)) is not None and value not in ((), {})
        }
    return said
