"""The wide half of a trace, as one compressed body: what was said, and the spans it came as."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import MISSING, Field, fields
from typing import Any

import msgspec
import zstandard

from thumbwheel.domain.span import Span, TraceFacts
from thumbwheel.domain.trace import Trace

_compressor = zstandard.ZstdCompressor(level=3)


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
    said = {name: value for name, unsaid in _SPAN if (value := getattr(span, name)) != unsaid}
    if "facts" in said:
        facts = span.facts
        said["facts"] = {name: value for name, unsaid in _FACTS if (value := getattr(facts, name)) != unsaid}
    return said


def _unsaid(field: Field[Any]) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


#: Each field with what stands in it when nothing is said.
_SPAN = tuple((each.name, _unsaid(each)) for each in fields(Span))
_FACTS = tuple((each.name, _unsaid(each)) for each in fields(TraceFacts))
