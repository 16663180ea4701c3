"""The merge gate: ask the application every golden row again, judge what it answers, say whether that blocks."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import importlib
import inspect
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeAlias, cast

import msgspec

from thumbwheel.close.check import AnswerJudge, CheckFunction, accept
from thumbwheel.close.gate import Answer, GateReport, GateRow, gate
from thumbwheel.close.golden import target_input
from thumbwheel.close.render import junit, markdown
from thumbwheel.domain.artifact import CheckKind, GoldenRow
from thumbwheel.domain.trace import Json
from thumbwheel.errors import Invalid, TargetUnusable

__all__ = ["Answer", "GateReport", "GateRow", "junit", "markdown"]

#: The application's own function: what a golden row asked, to what is answered now. It may be `async`.
Target: TypeAlias = Callable[[dict[str, Any]], Any]
#: Told after every answer how many there are.
Progress: TypeAlias = Callable[[int], None]


def run_gate(
    rows: Sequence[GoldenRow],
    target: Target,
    *,
    workers: int,
    timeout: float,
    judge: AnswerJudge | None = None,
    allow_open: bool = False,
    progress: Progress = lambda _: None,
) -> GateReport:
    """Ask the target every row, at most `workers` at a time and `timeout` seconds each, and judge the answers.

    A row whose function raises, takes too long or answers something that is
    neither text nor an object is undecided, with the reason; so is a row whose
    check is the judge's when there is no judge. Undecided rows block.
    """
    answers = ask_all(rows, target, workers=workers, timeout=timeout, progress=progress)
    return gate(rows, answers, callables=_callables(rows), judge=judge, allow_open=allow_open)


def ask_all(
    rows: Sequence[GoldenRow], target: Target, *, workers: int, timeout: float, progress: Progress = lambda _: None
) -> dict[str, Answer]:
    """What the target answers to each row, by row id.

    Every call runs in a thread of its own that is abandoned when it is late: Python cannot stop
    a thread, and one that hangs must neither hold the others up nor keep the process alive.
    """
    answers: dict[str, Answer] = {}
    with ThreadPoolExecutor(workers, thread_name_prefix="gate") as pool:
        for row, answer in zip(rows, pool.map(lambda row: _ask(row, target, timeout), rows), strict=True):
            answers[row.id] = answer
            progress(len(answers))
    return answers


def _ask(row: GoldenRow, target: Target, timeout: float) -> Answer:
    answered: Future[Answer] = Future()
    asked = copy.deepcopy(target_input(row))
    threading.Thread(target=_answer, args=(target, asked, answered), daemon=True).start()
    try:
        return answered.result(timeout)
    except TimeoutError:
        return Answer(error=f"nothing within {timeout:g} s", seconds=timeout)


def _answer(target: Target, asked: dict[str, Json], answered: Future[Answer]) -> None:
    begun = time.monotonic()
    try:
        answer = target(asked)
        if inspect.isawaitable(answer):
            answer = asyncio.run(_awaited(answer))
        answered.set_result(Answer(output=_accepted(answer), seconds=time.monotonic() - begun))
    except BaseException as fault:  # noqa: BLE001 - whatever the application does is one row's trouble
        answered.set_result(Answer(error=_named(fault), seconds=time.monotonic() - begun))


async def _awaited(answer: Any) -> Any:
    return await answer


def _accepted(answer: Any) -> Json:
    """The answer as JSON values.

    Raises:
        TypeError: it is neither text nor an object.
    """
    if not isinstance(answer, str | dict):
        raise TypeError(f"answered {type(answer).__name__}; answer str or dict")
    return cast(Json, msgspec.json.decode(msgspec.json.encode(answer)))


def _named(fault: BaseException) -> str:
    return f"{type(fault).__name__}: {fault}" if str(fault) else type(fault).__name__


# --- finding functions ------------------------------------------------------------------------------------------------


def find_function(name: str) -> Callable[..., Any]:
    """The function named `module:function` (or `module:object.method`), the module imported now.

    Raises:
        Invalid: the name has another form.
        TargetUnusable: the module cannot be imported, or has no such function.
    """
    module_name, separator, path = name.partition(":")
    if not separator or not module_name or not path:
        raise Invalid(f"{name!r} does not name a function; write module:function.", field="target")
    try:
        found: Any = importlib.import_module(module_name)
    except BaseException as fault:
        if isinstance(fault, KeyboardInterrupt):
            raise
        raise TargetUnusable(f"Cannot import {module_name}: {_named(fault)}.", field="target") from fault
    for part in path.split("."):
        found = getattr(found, part, None)
    if not callable(found):
        raise TargetUnusable(f"Module {module_name} has no function {path}.", field="target")
    return cast(Callable[..., Any], found)


def find_judge(name: str) -> AnswerJudge:
    """A judge of the application's own: `function(input, answer, expected) -> bool`, True when the answer will do.

    Raises:
        Invalid: the name has another form.
        TargetUnusable: there is no such function.
    """
    function = find_function(name)

    def judge(row: GoldenRow, text: str) -> bool:
        return cast(bool, function(copy.deepcopy(target_input(row)), text, row.check.value or row.expected))

    return judge


def _callables(rows: Iterable[GoldenRow]) -> dict[str, CheckFunction]:
    names = {row.check.value for row in rows if row.check.kind is CheckKind.callable}
    return {name: _check_function(name) for name in sorted(names)}


def _check_function(name: str) -> CheckFunction:
    """The check of this name. One that cannot be found says so when it is called, so that only its rows suffer."""
    try:
        function = find_function(name)
    except (Invalid, TargetUnusable) as missing:
        fault = missing

        def refuse(_row: GoldenRow, _answer: Json) -> bool:
            raise fault

        return refuse
    return lambda row, answer: cast(bool, function(copy.deepcopy(target_input(row)), answer))


@contextlib.contextmanager
def importing_from(folder: str) -> Iterator[None]:
    """Let modules be imported from this folder too."""
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):
            sys.path.remove(folder)


# --- golden rows as a file --------------------------------------------------------------------------------------------


def read_golden(lines: Iterable[str | bytes]) -> list[GoldenRow]:
    """Golden rows from JSON lines, as `thumbwheel export golden` writes them; blank lines are passed over.

    Raises:
        Invalid: a line is not a golden row, its check cannot run, or an id comes twice; it names the line.
    """
    rows: dict[str, GoldenRow] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        row = _golden_row(line, number)
        if row.id in rows:
            raise Invalid(f"Line {number}: the id {row.id!r} comes twice.", field="id")
        rows[row.id] = row
    return list(rows.values())


def _golden_row(line: str | bytes, number: int) -> GoldenRow:
    try:
        row = msgspec.json.decode(line, type=GoldenRow)
        accept(row.check)
    except (msgspec.MsgspecError, UnicodeError) as fault:
        raise Invalid(f"Line {number} is not a golden row: {fault}.") from fault
    except Invalid as fault:
        raise Invalid(f"Line {number}: {fault.detail}.", field=fault.field) from fault
    return row
