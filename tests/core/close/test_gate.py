"""The gate blocks on every row that did not pass, unless it is open and open rows are allowed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.factories import RIGHT, WRONG, a_check, a_golden_row
from thumbwheel.close.check import Outcome
from thumbwheel.close.gate import Answer, GateReport, Standing, gate
from thumbwheel.domain.artifact import CheckKind, GoldenStatus

GUARDING, OPEN = GoldenStatus.guarding, GoldenStatus.open
GOOD, BAD, CRASH = Answer(output=RIGHT), Answer(output=WRONG), Answer(error="KeyError: 'x'")


def report(*cases: tuple[GoldenStatus, Answer | None], allow_open: bool = False) -> GateReport:
    rows = [a_golden_row(id=f"golden-{at}", status=status) for at, (status, _) in enumerate(cases)]
    answers = {row.id: answer for row, (_, answer) in zip(rows, cases, strict=True) if answer}
    return gate(rows, answers, allow_open=allow_open)


def standing(status: GoldenStatus, answer: Answer | None) -> Standing:
    return report((status, answer)).rows[0].standing


def test_how_a_row_stands() -> None:
    assert standing(GUARDING, GOOD) is Standing.held
    assert standing(GUARDING, BAD) is Standing.broken
    assert standing(OPEN, BAD) is Standing.still_open
    assert standing(OPEN, GOOD) is Standing.cured
    assert standing(GUARDING, CRASH) is standing(OPEN, None) is Standing.undecided


def test_a_failure_nobody_fixed_blocks_and_its_fix_opens_the_gate() -> None:
    assert report((OPEN, BAD)).blocked
    assert not report((OPEN, GOOD)).blocked


def test_open_rows_may_wait_when_allowed_and_guarding_ones_never() -> None:
    waiting = report((OPEN, BAD), (OPEN, CRASH), (GUARDING, GOOD), allow_open=True)
    assert not waiting.blocked
    assert waiting.count()[Standing.still_open] == 1
    assert report((OPEN, BAD), (GUARDING, BAD), allow_open=True).blocked
    assert report((GUARDING, None), allow_open=True).blocked


def test_a_row_that_was_not_asked_is_not_forgotten() -> None:
    [row] = report((OPEN, None)).rows
    assert row.blocks
    assert row.result.detail == "no answer: the row was not asked"


def test_a_check_without_its_judge_blocks() -> None:
    row = a_golden_row(check=a_check(kind=CheckKind.judge), status=GUARDING)
    assert gate([row], {row.id: GOOD}).blocked
    assert not gate([row], {row.id: GOOD}, judge=lambda _row, _text: True).blocked


def test_the_sentence_says_what_blocks() -> None:
    assert report().sentence() == "No golden rows, so nothing was checked."
    assert report((GUARDING, GOOD), (OPEN, GOOD)).sentence() == "Nothing blocks in 2 golden rows: 1 held, 1 cured."
    assert report((OPEN, BAD), (GUARDING, BAD)).sentence() == "Blocked by 2 of 2 golden rows: 1 broken, 1 still open."


cases = st.lists(st.tuples(st.sampled_from(GoldenStatus), st.sampled_from([GOOD, BAD, CRASH, None])), max_size=8)


@given(cases, st.booleans())
def test_nothing_is_lost_and_what_blocks_did_not_pass(
    given_cases: list[tuple[GoldenStatus, Answer | None]], allow_open: bool
) -> None:
    found = report(*given_cases, allow_open=allow_open)
    assert len(found.rows) == len(given_cases) == sum(found.count().values())
    assert found.blocked == any(row.blocks for row in found.rows)
    assert [row.row.status for row in found.rows] == sorted((s for s, _ in given_cases), key=lambda s: s is OPEN)
    for row in found.rows:
        excused = allow_open and row.row.status is OPEN
        assert row.blocks is (row.result.outcome is not Outcome.passed and not excused)


@given(cases)
def test_allowing_open_rows_never_blocks_more(given_cases: list[tuple[GoldenStatus, Answer | None]]) -> None:
    assert report(*given_cases).blocked or not report(*given_cases, allow_open=True).blocked
