"""JSON as clients write it, made such that every store can hold it."""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final

import msgspec

from thumbwheel.connectors.attributes import depth_of
from thumbwheel.errors import Invalid

MAX_DEPTH: Final = 64
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def read_json(body: bytes) -> Any:
    """The value in `body`. Halves of surrogate pairs, which JavaScript makes by cutting text, become U+FFFD; NaN is null.

    Raises:
        Invalid: this is not JSON, or it is nested deeper than 64 levels.
    """
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = _leniently(body)
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH and depth_of(found) > MAX_DEPTH:
        raise Invalid(f"Nested deeper than {MAX_DEPTH} levels.")
    return found


def _leniently(body: bytes) -> Any:
    try:
        return _mended(json.loads(body))
    except RecursionError as fault:
        raise Invalid(f"Nested deeper than {MAX_DEPTH} levels.") from fault
    except ValueError as fault:
        raise Invalid(f"This is not JSON: {fault}.") from fault


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return value if value.isascii() else _SURROGATE.sub("�", value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {_mended(key): _mended(each) for key, each in value.items()}
    return [_mended(each) for each in value] if isinstance(value, list) else value
