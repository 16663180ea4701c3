"""Doubled entries are a fixed, secret, random tenth."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import hostile_text
from thumbwheel.annotate.assign import needs_two

SECRET = b"a project's secret"
TRACES = [f"trace-{number}" for number in range(20_000)]


def doubled(secret: bytes = SECRET, share: float = 0.1, draw_id: str = "draw-1") -> set[str]:
    return {trace for trace in TRACES if needs_two(trace, draw_id=draw_id, secret=secret, share=share)}


def test_about_a_tenth_is_doubled() -> None:
    # 20,000 at .1: five standard deviations are 212
    assert abs(len(doubled()) - 2_000) < 212


def test_another_secret_or_draw_doubles_others() -> None:
    # two independent tenths share a hundredth: 200, and five standard deviations are 70
    assert abs(len(doubled() & doubled(secret=b"another")) - 200) < 70
    assert abs(len(doubled() & doubled(draw_id="draw-2")) - 200) < 70


@given(
    trace_id=hostile_text(),
    draw_id=hostile_text(),
    secret=st.binary(max_size=200),
    shares=st.tuples(*[st.floats(0, 1)] * 2),
)
def test_a_larger_share_only_adds(trace_id: str, draw_id: str, secret: bytes, shares: tuple[float, float]) -> None:
    less, more = (needs_two(trace_id, draw_id=draw_id, secret=secret, share=share) for share in sorted(shares))
    assert more or not less


@given(trace_id=hostile_text())
def test_a_share_of_none_doubles_none_and_of_all_all(trace_id: str) -> None:
    assert not needs_two(trace_id, draw_id="d", secret=SECRET, share=0)
    assert needs_two(trace_id, draw_id="d", secret=SECRET, share=1)
