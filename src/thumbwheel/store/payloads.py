"""The wide half of a trace, as one compressed body: what was said, and the spans it came as."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import MISSING, Field, fields
from operator import attrgetter
from typing import Any, NamedTuple

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
    said = _said(span, _SPAN)
    if "facts" in said:
        said["facts"] = _said(span.facts, _FACTS)
    return said


def _said(value: Span | TraceFacts, shape: _Shape) -> dict[str, Any]:
    found = zip(shape.names, shape.read(value), shape.unsaid, strict=True)
    return {name: each for name, each, unsaid in found if each is not unsaid and each != unsaid}


class _Shape(NamedTuple):
    """The fields of a noun, how to read them all at once, and what stands in each when nothing is said."""

    names: tuple[str, ...]
    read: Callable[[Any], tuple[Any, ...]]
    unsaid: tuple[Any, ...]

    @classmethod
    def of(cls, noun: type) -> _Shape:
        names = tuple(each.name for each in fields(noun))
        return cls(names, attrgetter(*names), tuple(map(_unsaid, fields(noun))))


def _unsaid(field: Field[Any]) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


_SPAN = _Shape.of(Span)
_FACTS = _Shape.of(TraceFacts)
