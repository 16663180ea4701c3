"""The gate asks the application again; whatever the application does is one row's trouble."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.factories import QUESTION, RIGHT, WRONG, a_check, a_golden_row
from thumbwheel.domain.artifact import CheckKind, GoldenRow, GoldenStatus
from thumbwheel.errors import Invalid, TargetUnusable
from thumbwheel.services.gate import (
    ask_all,
    find_function,
    find_judge,
    importing_from,
    junit,
    markdown,
    read_golden,
    run_gate,
)


def rows(n: int, **given: Any) -> list[GoldenRow]:
    return [a_golden_row(id=f"row-{number}", **given) for number in range(n)]


def ask_one(target: Any, timeout: float = 5.0, **given: Any) -> Any:
    return ask_all(rows(1, **given), target, workers=1, timeout=timeout)["row-0"]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder modules are imported from, forgotten afterwards."""
    before = set(sys.modules)
    with importing_from(str(tmp_path)):
        yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_a_right_answer_passes_and_a_wrong_one_blocks() -> None:
    assert not run_gate(rows(2), lambda _: RIGHT, workers=2, timeout=5).blocked
    assert run_gate(rows(2), lambda _: WRONG, workers=2, timeout=5).blocked


def test_a_text_is_asked_as_input_and_as_messages() -> None:
    asked: list[dict[str, Any]] = []

    def answer(given: dict[str, Any]) -> str:
        asked.append(given)
        return "ok"

    ask_one(answer)
    assert asked == [{"input": QUESTION, "messages": [{"role": "user", "content": QUESTION}]}]


def test_an_object_is_asked_as_it_was_and_the_application_may_change_it() -> None:
    row = a_golden_row(id="row-0", input={"question": ["when?"]})

    def careless(given: dict[str, Any]) -> str:
        given["question"].append("changed")
        return str(given.pop("question"))

    answer = ask_all([row], careless, workers=1, timeout=5)["row-0"]
    assert answer.output == "['when?', 'changed']"
    assert row.input == {"question": ["when?"]}


def test_answers_may_be_objects_and_functions_may_be_async() -> None:
    async def answer(given: dict[str, Any]) -> dict[str, Any]:
        await asyncio.sleep(0)
        return {"content": RIGHT, "tags": ("a", "b")}

    assert ask_one(answer).output == {"content": RIGHT, "tags": ["a", "b"]}


@pytest.mark.parametrize(("answer", "named"), [(None, "NoneType"), (3, "int"), (["a"], "list"), (b"a", "bytes")])
def test_anything_else_is_no_answer(answer: Any, named: str) -> None:
    assert ask_one(lambda _: answer).error == f"TypeError: answered {named}; answer str or dict"


def test_an_answer_that_is_no_json_is_no_answer() -> None:
    assert "TypeError" in (ask_one(lambda _: {"content": object()}).error or "")


@pytest.mark.parametrize("fault", [ValueError("no luck"), KeyboardInterrupt(), SystemExit(0), RecursionError("deep")])
def test_a_function_that_raises_is_one_rows_trouble(fault: BaseException) -> None:
    def raising(given: dict[str, Any]) -> str:
        if given["input"] == "bad":
            raise fault
        return RIGHT

    asked = [a_golden_row(id="bad", input="bad"), a_golden_row(id="good")]
    report = run_gate(asked, raising, workers=2, timeout=5)
    stands = {row.row.id: (row.standing.value, row.blocks) for row in report.rows}
    assert stands == {"bad": ("undecided", True), "good": ("cured", False)}
    named = next(row.answer.error for row in report.rows if row.row.id == "bad") or ""
    assert named.startswith(type(fault).__name__)


def test_a_function_that_hangs_is_left_behind_and_holds_nobody_up() -> None:
    release = threading.Event()

    def hanging(given: dict[str, Any]) -> str:
        if given["input"] == "hang":
            release.wait(30)
        return RIGHT

    asked = [a_golden_row(id=f"hang-{number}", input="hang") for number in range(3)] + rows(3)
    begun = time.monotonic()
    report = run_gate(asked, hanging, workers=2, timeout=0.2)
    assert time.monotonic() - begun < 5
    assert {row.row.id for row in report.rows if row.blocks} == {"hang-0", "hang-1", "hang-2"}
    assert report.rows[0].answer.error == "nothing within 0.2 s"
    release.set()


def test_a_timeout_of_the_applications_own_is_named_as_such() -> None:
    def late(_: dict[str, Any]) -> str:
        raise TimeoutError("upstream")

    assert ask_one(late).error == "TimeoutError: upstream"


def test_rows_are_asked_side_by_side_but_no_more_than_allowed() -> None:
    lock, running, most = threading.Lock(), 0, 0

    def counting(_: dict[str, Any]) -> str:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.02)
        with lock:
            running -= 1
        return RIGHT

    told: list[int] = []
    ask_all(rows(12), counting, workers=3, timeout=5, progress=told.append)
    assert most == 3
    assert told == list(range(1, 13))


def test_a_judge_check_without_a_judge_blocks() -> None:
    judged = rows(1, check=a_check(kind=CheckKind.judge, value=RIGHT), status=GoldenStatus.guarding)
    report = run_gate(judged, lambda _: RIGHT, workers=1, timeout=5)
    assert report.blocked
    assert report.rows[0].result.detail == "no judge is configured"


def test_open_rows_that_are_allowed_do_not_block_and_stay_in_every_rendering() -> None:
    report = run_gate(rows(1), lambda _: WRONG, workers=1, timeout=5, allow_open=True)
    assert not report.blocked
    assert 'skipped="1"' in junit(report)
    assert "still open" in markdown(report)


# --- finding functions


def test_functions_are_found_by_name(folder: Path) -> None:
    (folder / "gate_app.py").write_text("class Bot:\n    @staticmethod\n    def answer(given):\n        return 'hi'\n")
    assert find_function("gate_app:Bot.answer")({}) == "hi"


@pytest.mark.parametrize("name", ["", "gate_app", ":answer", "gate_app:", "gate app"])
def test_a_name_of_another_form_is_wrong_use(name: str) -> None:
    with pytest.raises(Invalid):
        find_function(name)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x = 1", "has no function answer"),
        ("answer = 1", "has no function answer"),
        ("1/0", "Cannot import gate_bad: ZeroDivisionError"),
        ("import sys; sys.exit(4)", "Cannot import gate_bad: SystemExit"),
        ("def answer(:", "Cannot import gate_bad: SyntaxError"),
        ("import no_such_module_here", "Cannot import gate_bad: ModuleNotFoundError"),
    ],
)
def test_a_module_that_cannot_be_used_says_why(folder: Path, text: str, why: str) -> None:
    (folder / "gate_bad.py").write_text(text)
    with pytest.raises(TargetUnusable, match=why):
        find_function("gate_bad:answer")


def test_a_judge_sees_input_answer_and_what_is_expected(folder: Path) -> None:
    (folder / "gate_judge.py").write_text("def judge(given, answer, expected):\n    return expected in answer\n")
    judge = find_judge("gate_judge:judge")
    judged = rows(1, check=a_check(kind=CheckKind.judge, value=""), expected="30 days")
    assert not run_gate(judged, lambda _: RIGHT, workers=1, timeout=5, judge=judge).blocked
    assert run_gate(judged, lambda _: WRONG, workers=1, timeout=5, judge=judge).blocked


def test_a_check_may_be_a_function_and_one_that_is_missing_blocks_its_row_alone(folder: Path) -> None:
    (folder / "gate_checks.py").write_text("def short(given, answer):\n    return len(answer) < 40\n")
    asked = [
        a_golden_row(id="found", check=a_check(kind=CheckKind.callable, value="gate_checks:short")),
        a_golden_row(id="missing", check=a_check(kind=CheckKind.callable, value="gate_checks:long")),
    ]
    report = run_gate(asked, lambda _: RIGHT, workers=1, timeout=5)
    assert {row.row.id: row.blocks for row in report.rows} == {"found": False, "missing": True}
    assert "has no function long" in report.rows[1].result.detail


# --- golden rows as a file


def test_rows_are_read_as_they_were_written() -> None:
    kept = [a_golden_row(), a_golden_row(id="golden-2", input=[{"role": "user", "content": "ja?"}], expected=None)]
    lines = [msgspec.json.encode(row) for row in kept]
    assert read_golden([*lines, b"", b"  \n"]) == kept


@pytest.mark.parametrize(
    "line",
    [b"{", b"[]", b"null", b"{}", b'{"id": 1}', b"\xff\xfe", json.dumps({"id": "a"}).encode()],
)
def test_a_line_that_is_no_row_is_named(line: bytes) -> None:
    with pytest.raises(Invalid, match="Line 2"):
        read_golden([msgspec.json.encode(a_golden_row()), line])


def test_a_check_that_cannot_run_is_refused_before_anything_is_asked() -> None:
    with pytest.raises(Invalid, match="Line 1"):
        read_golden([msgspec.json.encode(a_golden_row(check=a_check(kind=CheckKind.regex, value="(")))])


def test_an_id_comes_once() -> None:
    line = msgspec.json.encode(a_golden_row())
    with pytest.raises(Invalid, match="comes twice"):
        read_golden([line, line])
