"""Another tool's refusals, each as one sentence; patience where the tool asks for it, and no more than that."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import httpx2
import pytest

from thumbwheel.connectors.source_http import Http
from thumbwheel.errors import Invalid, NotHere, SourceBroken, SourceRefused, SourceUnavailable, ThumbwheelError

Answer = httpx2.Response | Exception


def http(answers: Sequence[Answer], slept: list[float] | None = None, url: str = "http://tool.test") -> Http:
    """A tool that answers these in turn."""
    left: Iterator[Answer] = iter(answers)

    def answer(_request: httpx2.Request) -> httpx2.Response:
        found = next(left)
        if isinstance(found, Exception):
            raise found
        return found

    sleep: Callable[[float], None] = (slept if slept is not None else []).append
    return Http("Langfuse", url, transport=httpx2.MockTransport(answer), sleep=sleep)


def said(status: int, body: Any = None, **headers: str) -> httpx2.Response:
    return httpx2.Response(status, json=body, headers={name.replace("_", "-"): each for name, each in headers.items()})


@pytest.mark.parametrize(
    ("answers", "kind", "words"),
    [
        (
            [said(401, {"message": "Invalid credentials."})],
            SourceRefused,
            r"does not take this key.*Invalid credentials",
        ),
        ([said(403, {"error": "no"})], SourceRefused, "may not do this"),
        ([said(404, {"detail": "no such thing"})], NotHere, "no such thing"),
        ([said(400, {"message": "limit"})], SourceBroken, r"refuses GET /x \(400: limit\)"),
        ([said(500)], SourceBroken, "refuses GET /x"),
        ([httpx2.Response(200, text="<html>")], SourceBroken, "is this the address of Langfuse"),
        ([httpx2.ConnectError("refused")] * 3, SourceUnavailable, "does not answer: refused"),
        ([httpx2.ReadTimeout("")] * 3, SourceUnavailable, "does not answer: ReadTimeout"),
        ([said(503)] * 6, SourceUnavailable, r"is busy \(503\)"),
        (
            [said(429, None, retry_after="3600")],
            SourceUnavailable,
            "wants fewer requests; run the command again in 3600",
        ),
    ],
)
def test_a_refusal_is_one_sentence(answers: list[Answer], kind: type[ThumbwheelError], words: str) -> None:
    with pytest.raises(kind, match=words) as raised:
        http(answers).get("/x")
    assert "\n" not in raised.value.detail


def test_an_address_that_is_none_is_named() -> None:
    with pytest.raises(Invalid, match="'localhost:6006' is no address"):
        http([], url="localhost:6006").get("/x")


def test_it_waits_as_long_as_it_is_asked_to() -> None:
    slept: list[float] = []
    answers = [said(429, None, retry_after="7"), said(429, None, retry_after="0"), said(503), said(200, {"a": 1})]
    assert http(answers, slept).get("/x") == {"a": 1}
    assert slept == [7.0, 0.0, 8.0]


def test_a_date_to_wait_for_is_understood() -> None:
    slept: list[float] = []
    answers = [said(429, None, retry_after="Wed, 21 Oct 2015 07:28:00 GMT"), said(200, {})]
    assert http(answers, slept).get("/x") == {}
    assert slept == [0.0]


def test_a_server_that_is_down_for_a_moment_is_asked_again() -> None:
    slept: list[float] = []
    assert http([httpx2.ConnectError("x"), httpx2.ConnectError("x"), said(200, {})], slept).get("/x") == {}
    assert slept == [1.0, 2.0]


def test_a_cursor_that_leads_nowhere_is_noticed() -> None:
    cursors = iter(["a", "b", "a"])
    with pytest.raises(SourceBroken, match="same page again and again"):
        list(http([]).follow(lambda _cursor: ([1], next(cursors))))


def test_page_numbers_that_are_not_looked_at_are_noticed() -> None:
    with pytest.raises(SourceBroken, match="same page again and again"):
        list(http([]).count_up(lambda _page: ([{"id": 1}], False)))


def test_an_answer_without_its_list_is_named() -> None:
    tool = http([])
    assert tool.objects({}, "data") == []
    wrong: list[Any] = [[], {"data": "x"}, {"data": [1]}, None]
    for answer in wrong:
        with pytest.raises(SourceBroken, match="without a list of 'data'"):
            tool.objects(answer, "data")


def test_a_key_is_in_no_message() -> None:
    tool = Http("Langfuse", "http://tool.test", {"authorization": "Bearer very-secret"})
    assert "very-secret" not in repr(tool)
