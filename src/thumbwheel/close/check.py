"""Checks: how a new answer to a golden row is judged, and what keeps a check from hanging the gate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import regex

from thumbwheel.close.text import plain
from thumbwheel.domain.artifact import Check, CheckKind, GoldenRow
from thumbwheel.domain.trace import Json, text_of
from thumbwheel.errors import Invalid

#: Longest pattern, in characters.
MAX_PATTERN = 1_000
#: Longest answer a pattern is searched in, in characters.
MAX_SEARCHED = 200_000
#: Seconds one search may take.
SEARCH_SECONDS = 1.0

#: A function of the application's own: is this answer to this row right?
CheckFunction: TypeAlias = Callable[[GoldenRow, Json], bool]
#: A judge: is this text, as an answer to this row, right? `row.check.value` is what right looks like.
AnswerJudge: TypeAlias = Callable[[GoldenRow, str], bool]


class Outcome(StrEnum):
    """What a check says of an answer. `undecided`: it could not run, which is not a pass."""

    passed = "passed"
    failed = "failed"
    undecided = "undecided"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """The outcome of one check, and the reason when it is not a pass."""

    outcome: Outcome
    detail: str = ""


class _UndecidableError(Exception):
    """A check could not run; the message says why."""


def accept(check: Check) -> Check:
    """The check, if it can run. Raises `Invalid` naming the field.

    `contains` needs a text that is not blank (any answer contains a blank one),
    `regex` a pattern that compiles and has at most 1,000 characters, `callable`
    a name of the form `module:function`.
    """
    if check.kind is CheckKind.contains and not plain(check.value):
        raise Invalid("every answer contains a blank text", field="check.value")
    if check.kind is CheckKind.regex:
        try:
            _compiled(check.value)
        except _UndecidableError as why:
            raise Invalid(str(why), field="check.value") from why
    if check.kind is CheckKind.callable and not regex.fullmatch(r"[\w.]+:[\w.]+", check.value[:MAX_PATTERN]):
        raise Invalid("a callable is named module:function", field="check.value")
    return check


def run_check(
    row: GoldenRow,
    output: Json,
    *,
    callables: Mapping[str, CheckFunction] | None = None,
    judge: AnswerJudge | None = None,
) -> CheckResult:
    """Judge one answer by the row's check.

    * contains, equals: texts are compared as `text.plain` leaves them (white
      space does not matter, case does).
    * regex: searched in the answer's text as it is. The pattern is stopped
      after one second, so that none can hang a build.
    * callable: `callables[check.value](row, output)`.
    * judge: `judge(row, text)`.

    `negate` turns a decided outcome round; what could not be decided stays so.
    """
    try:
        holds = _holds(row, output, callables or {}, judge)
    except _UndecidableError as why:
        return CheckResult(outcome=Outcome.undecided, detail=str(why))
    if holds is not row.check.negate:
        return CheckResult(outcome=Outcome.passed)
    return CheckResult(outcome=Outcome.failed, detail=_complaint(row.check))


def _holds(row: GoldenRow, output: Json, callables: Mapping[str, CheckFunction], judge: AnswerJudge | None) -> bool:
    check, text = row.check, text_of(output)
    match check.kind:
        case CheckKind.contains:
            return plain(check.value) in plain(text)
        case CheckKind.equals:
            return plain(check.value) == plain(text)
        case CheckKind.regex:
            return _found(check.value, text)
        case CheckKind.callable:
            if check.value not in callables:
                raise _UndecidableError(f"the function {check.value} was not found")
            return _asked(check.value, lambda: callables[check.value](row, output))
        case CheckKind.judge:
            if judge is None:
                raise _UndecidableError("no judge is configured")
            return _asked("the judge", lambda: judge(row, text))


def _compiled(pattern: str) -> regex.Pattern[str]:
    if len(pattern) > MAX_PATTERN:
        raise _UndecidableError(f"the pattern has {len(pattern)} characters, {MAX_PATTERN} at most")
    try:
        return regex.compile(pattern)
    except (regex.error, RecursionError, OverflowError) as fault:
        raise _UndecidableError(f"the pattern cannot be read: {fault}") from fault


def _found(pattern: str, text: str) -> bool:
    if len(text) > MAX_SEARCHED:
        raise _UndecidableError(
            f"the answer has {len(text)} characters; a pattern is searched in {MAX_SEARCHED} at most"
        )
    try:
        return _compiled(pattern).search(text, timeout=SEARCH_SECONDS) is not None
    except TimeoutError as late:
        raise _UndecidableError(f"the pattern took more than {SEARCH_SECONDS:g} s on this answer") from late


def _asked(name: str, ask: Callable[[], object]) -> bool:
    """What somebody else's function says; whatever goes wrong in it is a reason, not a crash of the gate."""
    try:
        answer = ask()
    except Exception as fault:
        raise _UndecidableError(f"{name} raised {type(fault).__name__}: {fault}") from fault
    if not isinstance(answer, bool):
        raise _UndecidableError(f"{name} answered {type(answer).__name__} instead of True or False")
    return answer


def _complaint(check: Check) -> str:
    """Why an answer failed, in one line."""
    value = plain(check.value)
    shown = value if len(value) <= 200 else value[:199] + "…"
    match check.kind, check.negate:
        case CheckKind.contains, negate:
            return f"the answer {'contains' if negate else 'does not contain'} “{shown}”"
        case CheckKind.regex, negate:
            return f"the answer {'matches' if negate else 'does not match'} the pattern {shown}"
        case CheckKind.equals, True:
            return f"the answer that failed came back: “{shown}”"
        case CheckKind.equals, False:
            return f"the answer is not “{shown}”"
        case CheckKind.callable, negate:
            return f"{shown} says {'yes' if negate else 'no'}"
        case _:
            return f"the judge says the answer is {'' if check.negate else 'not '}what it should be: “{shown}”"
