"""The merge gate: golden rows against the application's new answers, and whether they block."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from thumbwheel.close.check import AnswerJudge, CheckFunction, CheckResult, Outcome, run_check
from thumbwheel.domain.artifact import GoldenRow, GoldenStatus
from thumbwheel.domain.trace import Json, text_of


class Standing(StrEnum):
    """How a row stands after a run."""

    #: Guarding, and it passes.
    held = "held"
    #: Guarding, and it fails: what was fixed is back.
    broken = "broken"
    #: A known failure that still fails.
    still_open = "still open"
    #: A known failure that passes now: ship a fix for it, and it will be guarded.
    cured = "cured"
    #: The check could not run, or there was no answer.
    undecided = "undecided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the application answered to one row, or why it did not."""

    output: Json = None
    #: Set when the application raised instead of answering.
    error: str | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRow:
    """One row of a gate's report."""

    row: GoldenRow
    answer: Answer
    result: CheckResult
    standing: Standing
    blocks: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GateReport:
    """What a run of the gate says, guarding rows first."""

    rows: tuple[GateRow, ...]

    @property
    def blocked(self) -> bool:
        """Whether the merge is blocked: exit code 1."""
        return any(row.blocks for row in self.rows)

    def count(self) -> dict[Standing, int]:
        """How many rows stand how; every standing is named."""
        found = Counter(row.standing for row in self.rows)
        return {standing: found[standing] for standing in Standing}

    def sentence(self) -> str:
        """The report in one line."""
        if not self.rows:
            return "No golden rows, so nothing was checked."
        counts = ", ".join(f"{n} {standing}" for standing, n in self.count().items() if n)
        blocking = sum(row.blocks for row in self.rows)
        head = f"Blocked by {blocking} of {len(self.rows)}" if blocking else f"Nothing blocks in {len(self.rows)}"
        return f"{head} golden {'row' if len(self.rows) == 1 else 'rows'}: {counts}."


def gate(
    rows: Iterable[GoldenRow],
    answers: Mapping[str, Answer],
    *,
    callables: Mapping[str, CheckFunction] | None = None,
    judge: AnswerJudge | None = None,
    allow_open: bool = False,
) -> GateReport:
    """Judge the answers (by row id) and say whether they block.

    A row blocks when it does not pass: because its answer fails, because its
    check could not run, or because it was not answered at all. A row that could
    not be decided has not been held, and an open row that is not asked about is
    how failures are forgotten.

    `allow_open` lets a team merge while known failures wait for their fix: open
    rows that do not pass are then reported in every rendering, and do not block.
    Guarding rows always do.
    """
    judged = []
    for row in rows:
        answer = answers.get(row.id) or Answer(error="the row was not asked")
        result = _result(row, answer, callables, judge)
        excused = allow_open and row.status is GoldenStatus.open
        judged.append(
            GateRow(
                row=row,
                answer=answer,
                result=result,
                standing=_standing(row.status, result.outcome),
                blocks=result.outcome is not Outcome.passed and not excused,
            )
        )
    return GateReport(rows=tuple(sorted(judged, key=lambda one: one.row.status is GoldenStatus.open)))


def _result(
    row: GoldenRow, answer: Answer, callables: Mapping[str, CheckFunction] | None, judge: AnswerJudge | None
) -> CheckResult:
    if answer.error is not None:
        return CheckResult(outcome=Outcome.undecided, detail=f"no answer: {answer.error}")
    return run_check(row, answer.output, callables=callables, judge=judge)


def _standing(status: GoldenStatus, outcome: Outcome) -> Standing:
    if outcome is Outcome.undecided:
        return Standing.undecided
    if status is GoldenStatus.guarding:
        return Standing.held if outcome is Outcome.passed else Standing.broken
    return Standing.cured if outcome is Outcome.passed else Standing.still_open


def answer_text(row: GateRow) -> str:
    """What was answered, as text; empty when there was no answer."""
    return text_of(row.answer.output) if row.answer.error is None else ""
