"""What a person would read of an input or an output."""

from __future__ import annotations

import pytest

from thumbwheel.domain.trace import Json, text_of

IMAGE: Json = {"type": "image_url", "image_url": {"url": "data:"}}


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("as it is", "as it is"),
        (None, ""),
        ([{"role": "user", "content": "first"}, {"role": "user", "content": "last"}], "last"),
        ([{"role": "user", "content": [{"type": "text", "text": "one"}, IMAGE, {"text": "two"}]}], "one\n\ntwo"),
        ({"role": "assistant", "content": [{"type": "output_text", "text": "said"}]}, "said"),
        ({"role": "assistant", "parts": [{"type": "text", "text": "said"}]}, "said"),
        ({"messages": [{"role": "user", "content": "asked"}]}, "asked"),
        ({"answer": "Yes.", "tokens": 2}, "Yes."),
        ([1, 2], "[\n  1,\n  2\n]"),
        ([{"role": "user", "content": [IMAGE]}], None),
    ],
)
def test_what_is_read(value: Json, read: str | None) -> None:
    assert text_of(value) == read if read is not None else "image_url" in text_of(value)
