"""Compressed bodies, inflated piece by piece and never further than a limit."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from typing import Final

import zstandard

from thumbwheel.errors import Invalid, TooLarge

_PIECE: Final = 1 << 16
#: The largest window any level of compression asks for. Of it only as much is ever touched as there is data.
_WINDOW: Final = 1 << 27


def inflated(body: bytes, encoding: str, limit: int) -> Iterator[bytes]:
    """The pieces of a body whose `Content-Encoding` this is: identity, gzip or zstd.

    Raises:
        TooLarge: it is more than `limit` bytes.
        Invalid: it is not what it says it is, or in a way this server does not know.
    """
    total = 0
    for piece in _pieces(body, encoding.strip().lower()):
        total += len(piece)
        if total > limit:
            raise TooLarge(f"The body is larger than {limit} bytes.")
        yield piece


def _pieces(body: bytes, encoding: str) -> Iterator[bytes]:
    if encoding in {"", "identity"}:
        return _sliced(body)
    if encoding == "gzip":
        return _gunzipped(body)
    if encoding == "zstd":
        return _decompressed(body)
    raise Invalid(f"Content-Encoding {encoding!r} is not known here; send gzip, zstd or none.", field=_FIELD)


def _gunzipped(body: bytes) -> Iterator[bytes]:
    inflate = zlib.decompressobj(wbits=31)
    try:
        for slice_ in _sliced(body):
            rest = slice_
            while rest and not inflate.eof:
                yield inflate.decompress(rest, _PIECE)
                rest = inflate.unconsumed_tail
        yield inflate.flush()
    except zlib.error as fault:
        raise Invalid("The body is not gzip, though it says so.", field=_FIELD) from fault
    if not inflate.eof:
        raise Invalid("The body ends before its gzip does.", field=_FIELD)


def _sliced(body: bytes) -> Iterator[bytes]:
    view = memoryview(body)
    return (bytes(view[at : at + _PIECE]) for at in range(0, len(body), _PIECE))


def _decompressed(body: bytes) -> Iterator[bytes]:
    zstd = zstandard.ZstdDecompressor(max_window_size=_WINDOW)
    try:
        with zstd.stream_reader(io.BytesIO(body), read_across_frames=True) as reader:
            while piece := reader.read(_PIECE):
                yield piece
    except zstandard.ZstdError as fault:
        raise Invalid("The body is not zstd, though it says so.", field=_FIELD) from fault


_FIELD: Final = "content-encoding"
