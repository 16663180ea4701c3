"""multipart/form-data read piece by piece, keeping the parts that are wanted and only measuring the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from thumbwheel.errors import Invalid

#: A part is at least its own headers; a body of more parts than this is made of nothing else.
MOST_PARTS: Final = 20_000


@dataclass(slots=True)
class Part:
    """One part of a body."""

    name: str
    content_type: str
    #: Empty where the part was not wanted.
    data: bytes = b""
    #: Bytes, wanted or not.
    size: int = 0


@dataclass(slots=True)
class _Reading:
    """What the parser tells, put together."""

    wanted: Callable[[str], bool]
    parts: list[Part] = field(default_factory=list)
    finished: bool = False
    _headers: dict[bytes, bytes] = field(default_factory=dict)
    _name: bytearray = field(default_factory=bytearray)
    _value: bytearray = field(default_factory=bytearray)
    #: None for a part that is not wanted.
    _data: bytearray | None = None

    def begin(self) -> None:
        if len(self.parts) >= MOST_PARTS:
            raise Invalid(f"A body has at most {MOST_PARTS} parts.")
        self._headers = {}

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def header_end(self) -> None:
        self._headers[bytes(self._name).lower()] = bytes(self._value)
        self._name, self._value = bytearray(), bytearray()

    def headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b"").decode("latin-1"))
        name = options.get(b"name")
        if name is None:
            raise Invalid("A part has no name.")
        part = Part(
            name.decode("utf-8", "replace"), self._headers.get(b"content-type", b"").decode("latin-1", "replace")
        )
        self.parts.append(part)
        self._data = bytearray() if self.wanted(part.name) else None

    def data(self, data: bytes, start: int, end: int) -> None:
        self.parts[-1].size += end - start
        if self._data is not None:
            self._data += data[start:end]

    def part_end(self) -> None:
        if self._data is not None:
            self.parts[-1].data = bytes(self._data)
            self._data = None

    def end(self) -> None:
        self.finished = True


def read_parts(pieces: Iterable[bytes], content_type: str, wanted: Callable[[str], bool]) -> list[Part]:
    """The parts of a body that comes in pieces, in order; only those whose name is wanted have their data.

    Raises:
        Invalid: the body is not multipart/form-data, or ends too early.
    """
    media, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if media != b"multipart/form-data" or not boundary:
        raise Invalid("Send multipart/form-data with a boundary.", field="content-type")
    reading = _Reading(wanted)
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": reading.begin,
                "on_header_field": reading.header_field,
                "on_header_value": reading.header_value,
                "on_header_end": reading.header_end,
                "on_headers_finished": reading.headers_finished,
                "on_part_data": reading.data,
                "on_part_end": reading.part_end,
                "on_end": reading.end,
            },
        )
        for piece in pieces:
            parser.write(piece)
    except FormParserError as fault:
        raise Invalid(f"The body is not multipart/form-data: {fault}.") from fault
    if not reading.finished:
        raise Invalid("The body ends before its last boundary.")
    return reading.parts
