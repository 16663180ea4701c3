"""Checks decide, or say why they could not; none can hang or crash the gate."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import RIGHT, WRONG, a_golden_row
from tests.strategies import hostile_text, json_values
from thumbwheel.close.check import MAX_PATTERN, MAX_SEARCHED, CheckResult, Outcome, accept, run_check
from thumbwheel.domain.artifact import Check, CheckKind, GoldenRow
from thumbwheel.domain.trace import Json
from thumbwheel.errors import Invalid


def a_row(kind: CheckKind, value: str = "", *, negate: bool = False) -> GoldenRow:
    return a_golden_row(check=Check(kind=kind, value=value, negate=negate))


def outcome(kind: CheckKind, value: str, output: Json, *, negate: bool = False) -> Outcome:
    return run_check(a_row(kind, value, negate=negate), output).outcome


@pytest.mark.parametrize(
    ("kind", "value", "output", "holds"),
    [
        (CheckKind.contains, "30 days", RIGHT, True),
        (CheckKind.contains, "30 days", WRONG, False),
        (CheckKind.contains, "30  days", "within 30\ndays.", True),
        (CheckKind.contains, "30 Days", RIGHT, False),
        (CheckKind.contains, "caf\u00e9", "cafe\u0301 noir", True),
        (CheckKind.equals, WRONG, f"  {WRONG}\n", True),
        (CheckKind.equals, WRONG, RIGHT, False),
        (CheckKind.equals, "30 days", {"role": "assistant", "content": "30 days"}, True),
        (CheckKind.equals, "", None, True),
        (CheckKind.regex, r"\b30 days\b", RIGHT, True),
        (CheckKind.regex, r"^\d+$", RIGHT, False),
        (CheckKind.regex, "(?i)YOU CAN", RIGHT, True),
    ],
)
def test_a_check_decides_and_its_negation_decides_the_opposite(
    kind: CheckKind, value: str, output: Json, holds: bool
) -> None:
    says = {True: Outcome.passed, False: Outcome.failed}
    assert outcome(kind, value, output) is says[holds]
    assert outcome(kind, value, output, negate=True) is says[not holds]


def test_a_failure_says_what_was_wrong() -> None:
    came_back = run_check(a_row(CheckKind.equals, WRONG, negate=True), WRONG)
    assert came_back == CheckResult(outcome=Outcome.failed, detail=f"the answer that failed came back: “{WRONG}”")
    missing = run_check(a_row(CheckKind.contains, "x" * 500), RIGHT)
    assert missing.detail == f"the answer does not contain “{'x' * 199}…”"


def test_the_applications_own_function_sees_row_and_answer() -> None:
    row = a_row(CheckKind.callable, "checks:number")
    seen: list[tuple[GoldenRow, Json]] = []

    def number(row: GoldenRow, output: Json) -> bool:
        seen.append((row, output))
        return False

    assert run_check(row, {"answer": 1}, callables={"checks:number": number}).outcome is Outcome.failed
    assert seen == [(row, {"answer": 1})]


def test_a_judge_sees_row_and_text() -> None:
    row = a_row(CheckKind.judge, RIGHT)
    result = run_check(
        row, {"content": "a month"}, judge=lambda row, text: (row.check.value, text) == (RIGHT, "a month")
    )
    assert result.outcome is Outcome.passed


@pytest.mark.parametrize("negate", [False, True])
def test_what_cannot_run_is_undecided_and_never_a_pass(negate: bool) -> None:
    def broken(row: GoldenRow, output: Json) -> bool:
        raise KeyError("answer")

    def vague(row: GoldenRow, output: Json) -> bool:
        return "yes"  # type: ignore[return-value]

    functions = {"m:broken": broken, "m:vague": vague}
    rows = {
        "the function m:gone was not found": a_row(CheckKind.callable, "m:gone", negate=negate),
        "m:broken raised KeyError: 'answer'": a_row(CheckKind.callable, "m:broken", negate=negate),
        "m:vague answered str instead of True or False": a_row(CheckKind.callable, "m:vague", negate=negate),
        "no judge is configured": a_row(CheckKind.judge, RIGHT, negate=negate),
        "the pattern cannot be read: ": a_row(CheckKind.regex, "(", negate=negate),
    }
    for detail, row in rows.items():
        result = run_check(row, RIGHT, callables=functions)
        assert result.outcome is Outcome.undecided
        assert result.detail.startswith(detail)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"^(a+)+$", "a" * 60 + "!"),
        (r"^(a|a)*$", "a" * 60 + "!"),
        (r"(.*)*(.*)*(.*)*b\1$", "a" * 5_000),
        (r"^(([a-z])+.)+[A-Z]([a-z])+$", "a" * 5_000),
        (r"(?:a?){50}a{50}$", "a" * 49 + "!"),
    ],
)
def test_a_pattern_that_explodes_is_stopped(pattern: str, text: str) -> None:
    begun = time.monotonic()
    result = run_check(a_row(CheckKind.regex, pattern), text)
    # one second for the search, the rest for a machine that is busy
    assert time.monotonic() - begun < 10
    assert result.outcome is not Outcome.passed


def test_answers_and_patterns_beyond_the_limits_are_not_searched() -> None:
    assert outcome(CheckKind.regex, "a", "a" * MAX_SEARCHED) is Outcome.passed
    assert outcome(CheckKind.regex, "a", "a" * (MAX_SEARCHED + 1)) is Outcome.undecided
    assert outcome(CheckKind.regex, "a" * (MAX_PATTERN + 1), "a") is Outcome.undecided


@pytest.mark.parametrize(
    "check",
    [
        Check(kind=CheckKind.contains, value=" \n"),
        Check(kind=CheckKind.regex, value="("),
        Check(kind=CheckKind.regex, value="a" * (MAX_PATTERN + 1)),
        Check(kind=CheckKind.regex, value="(" * 500 + ")" * 500 + "["),
        Check(kind=CheckKind.callable, value="checks.number"),
        Check(kind=CheckKind.callable, value="os:system('x')"),
        Check(kind=CheckKind.callable, value="a:b\n"),
    ],
)
def test_a_check_that_cannot_run_is_refused_when_it_is_made(check: Check) -> None:
    with pytest.raises(Invalid) as refused:
        accept(check)
    assert refused.value.field == "check.value"


@pytest.mark.parametrize("value", ["checks:number", "app.checks:Numbers.whole"])
def test_a_named_function_is_accepted(value: str) -> None:
    check = Check(kind=CheckKind.callable, value=value)
    assert accept(check) is check


@given(st.sampled_from(CheckKind), hostile_text(), json_values(), st.booleans())
def test_any_check_of_any_answer_has_an_outcome_and_negation_turns_only_decisions(
    kind: CheckKind, value: str, output: Json, said: bool
) -> None:
    row = a_row(kind, value)
    asked = {"callables": {value: lambda _row, _output: said}, "judge": lambda _row, _text: said}
    once = run_check(row, output, **asked).outcome  # type: ignore[arg-type]
    turned = run_check(replace(row, check=replace(row.check, negate=True)), output, **asked).outcome  # type: ignore[arg-type]
    assert {once, turned} in ({Outcome.passed, Outcome.failed}, {Outcome.undecided})
