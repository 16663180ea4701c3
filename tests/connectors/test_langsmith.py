"""LangSmith's dialect: runs in any order are one trace, and its filters say which runs are meant."""

from __future__ import annotations

import gzip
import json
from contextlib import suppress
from random import Random
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import NOW
from thumbwheel.capture.assemble import fold, gather
from thumbwheel.connectors.inflate import inflated
from thumbwheel.connectors.langsmith import Order, Report, read_batch, span_of, time_of, trace_of
from thumbwheel.connectors.langsmith_filter import read_filter
from thumbwheel.connectors.langsmith_out import Told, ids_meant, uuid_of
from thumbwheel.connectors.multipart import MOST_PARTS, Part, read_parts
from thumbwheel.domain.span import Span
from thumbwheel.errors import Invalid, TooLarge

ROOT = "01a20a47-97bf-7cd0-bde8-ca7ba4180001"
CHILD = "01a20a47-97bf-7cd0-bde8-ca7ba4180002"
ORDER = f"20261123T115958000000Z{ROOT}"
REPORTS = [
    Report({"id": ROOT, "dotted_order": ORDER, "name": "ask", "run_type": "chain", "inputs": {"q": 1}, "tags": ["a"]}),
    Report(
        {"id": ROOT, "trace_id": ROOT, "end_time": 1_795_435_200_000, "outputs": {"output": "!"}, "tags": ["b"]}, True
    ),
    Report({"id": CHILD, "dotted_order": f"{ORDER}.20261123T115959000000Z{CHILD}", "name": "llm", "run_type": "llm"}),
    Report({"id": CHILD, "trace_id": ROOT, "parent_run_id": ROOT, "end_time": "2026-11-23T12:00:00"}, True),
]


def spans_of(reports: list[Report]) -> dict[str, Span]:
    return gather([span_of(each, trace_of(each.run) or "") for each in reports])


@given(st.permutations(REPORTS), st.randoms(use_true_random=False))
def test_runs_in_any_order_and_twice_are_one_trace(shuffled: list[Report], chance: Random) -> None:
    found = spans_of([*shuffled, *chance.choices(shuffled, k=2)])
    assert found == spans_of(REPORTS)
    trace = fold(ROOT, found.values(), otherwise=NOW)
    assert (trace.name, trace.input, trace.output, trace.tags) == ("ask", {"q": 1}, "!", ("a", "b"))
    told = Told(1, trace, list(found.values()))
    assert sorted(told.run(span)["dotted_order"] for span in told.steps) == [
        ORDER,
        f"{ORDER}.20261123T115959000000Z{CHILD}",
    ]


def test_a_dotted_order_tells_trace_parent_and_beginning() -> None:
    order = Order.of(f"20261123T142313007710Z{ROOT}.20261123T142313Z{CHILD.upper()}")
    assert order.ids == (ROOT, CHILD)
    assert str(order.began_at) == "2026-11-23 14:23:13+00:00"
    for none in (None, 7, "", "x", f"20261123T142313Z{ROOT}.", f"20261399T142313Z{ROOT}"):
        assert Order.of(none).began_at is None


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("2026-11-23T14:23:13.05+00:00", "2026-11-23 14:23:13.050000+00:00"),
        ("2026-11-23T16:23:13+02:00", "2026-11-23 14:23:13+00:00"),
        ("2026-11-23T14:23:13", "2026-11-23 14:23:13+00:00"),
        (1_795_443_793_050, "2026-11-23 14:23:13.050000+00:00"),
        ("never", "None"), (-5, "None"), (1e300, "None"), (float("nan"), "None"), ([], "None"),
        ("0001-01-01T00:00:00+14:00", "None"),
    ],
)  # fmt: skip
def test_times_are_read_as_clients_write_them(value: Any, told: str) -> None:
    assert str(time_of(value)) == told


def test_ids_of_every_tool_are_uuids_and_lead_back() -> None:
    assert uuid_of("0AF7651916CD43DD8448EB211C80319C") == "0af76519-16cd-43dd-8448-eb211c80319c"
    assert ids_meant(uuid_of("00f067aa0ba902b7"))[1] == "00f067aa0ba902b7"
    assert uuid_of("order-7") == uuid_of("order-7") != uuid_of("order-8")


@given(
    st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda inner: st.dictionaries(st.text(), inner))
)
def test_whatever_a_part_holds_costs_at_most_its_run(value: Any) -> None:
    data = json.dumps(value).encode()
    names = [f"{event}.{ROOT}{field}" for event in ("post", "patch") for field in ("", ".inputs", ".extra", ".error")]
    batch = read_batch([Part(name, "application/json", data) for name in (*names, f"feedback.{ROOT}", "x", "post")])
    for report in batch.reports:
        with suppress(Invalid):
            assert span_of(report, trace_of(report.run) or ROOT).id == ROOT


# --- filters


RUN: dict[str, Any] = {
    "id": ROOT,
    "name": "ask",
    "run_type": "chain",
    "status": "success",
    "error": None,
    "start_time": "2026-11-23T12:00:00+00:00",
    "end_time": "2026-11-23T12:00:05+00:00",
    "tags": ["beta", "eu"],
    "inputs": {"question": "How long?"},
    "outputs": {"output": "60 days."},
    "trace_id": ROOT,
    "parent_run_id": None,
    "session_id": CHILD,
    "total_tokens": 16,
    "extra": {"metadata": {"thread_id": "chat-1", "tenant": "acme", "plan": "pro"}},
}


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ('eq(name, "ask")', True),
        ("eq(name, 'ask')", True),
        ('neq(name, "ask")', False),
        ('and(eq(run_type, "chain"), gt(latency, 4.5), lte(total_tokens, 16))', True),
        ("lt(latency, 5)", False),
        ('and(gte(start_time, "2026-11-23T12:00:00Z"), lt(start_time, "2026-11-24"))', True),
        ('or(has(tags, "alpha"), has(tags, "beta"))', True),
        ('not(has(tags, "beta"))', False),
        ("eq(error, null)", True),
        ("neq(error, null)", False),
        ("eq(is_root, true)", True),
        ('eq(thread_id, "chat-1")', True),
        ('and(eq(metadata_key, "tenant"), eq(metadata_value, "acme"))', True),
        ('and(eq(metadata_key, "tenant"), eq(metadata_value, "pro"))', False),
        ('eq(metadata_key, "plan")', True),
        ('search("HOW long")', True),
        ("gt(name, 4)", False),
        ("gt(error, 4)", False),
    ],
)
def test_filters_say_which_runs_are_meant(text: str, meant: bool) -> None:
    assert read_filter(text)(RUN) is meant


@pytest.mark.parametrize(
    "text",
    [
        "", "eq", "eq(", "eq(name", 'eq(name, "a"', 'eq(name, "a"))', 'eq("a", name)', "eq(name)", "eq(secret, 1)",
        "near(name, 1)", "and(1)", "and(name, name)", 'eq(start_time, "soon")', 'eq(name, "\\x")', "(((((", "x" * 3000,
        "not(" * 40 + "eq(name, 1)" + ")" * 40, 'eq(metadata_value, "a")', "eq(name, tags)", "é(name, 1)",
        'and(eq(metadata_key, "a"), eq(metadata_value, "b"), 7)',
    ],
)  # fmt: skip
def test_what_is_no_filter_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        read_filter(text)


# --- bodies


@given(st.binary(max_size=200_000), st.sampled_from(["gzip", "zstd", "identity", ""]))
def test_what_was_compressed_is_inflated_up_to_the_limit(body: bytes, encoding: str) -> None:
    squeeze: Any = {"gzip": gzip.compress, "zstd": zstandard.compress}.get(encoding, bytes)
    assert b"".join(inflated(squeeze(body), encoding, len(body))) == body
    if body:
        with pytest.raises(TooLarge):
            list(inflated(squeeze(body), encoding, len(body) - 1))


def test_a_bomb_is_inflated_no_further_than_the_limit() -> None:
    for bomb, encoding in ((zstandard.compress(bytes(1 << 27)), "zstd"), (gzip.compress(bytes(1 << 27), 1), "gzip")):
        read: list[bytes] = []
        with pytest.raises(TooLarge):
            read.extend(inflated(bomb, encoding, 1_000_000))
        assert sum(map(len, read)) <= 1_000_000


@given(st.binary(max_size=300), st.integers(1, 50))
def test_parts_are_the_same_however_a_body_is_cut(data: bytes, step: int) -> None:
    if b"--b" in data:
        return
    body = b'--b\r\nContent-Disposition: form-data; name="post.x"\r\n\r\n' + data + b"\r\n--b--\r\n"
    pieces = [body[at : at + step] for at in range(0, len(body), step)]
    (part,) = read_parts(pieces, 'multipart/form-data; boundary="b"', lambda _name: True)
    assert (part.name, part.data, part.size) == ("post.x", data, len(data))


def test_a_body_of_countless_parts_is_refused() -> None:
    one = b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n\r\n'
    with pytest.raises(Invalid, match="at most"):
        read_parts([one * (MOST_PARTS + 1), b"--b--\r\n"], "multipart/form-data; boundary=b", lambda _name: False)
