"""The failure rate from a file of labels: any items, drawn with known chances by whatever tool."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from thumbwheel.errors import Invalid
from thumbwheel.measure.failure import LEVEL
from thumbwheel.stats.estimate import (
    ENOUGH,
    Enough,
    Frame,
    LabelSums,
    RateEstimate,
    Sample,
    TooFewLabels,
    difference,
    hajek,
    horvitz_thompson,
    sum_labels,
)

_VERDICTS: Final = {
    **dict.fromkeys(("1", "1.0", "true", "yes", "fail", "failed"), True),
    **dict.fromkeys(("0", "0.0", "false", "no", "pass", "passed"), False),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRow:
    """A row of a file of labels: any item drawn with a known chance, from whatever tool."""

    failed: bool
    inclusion_probability: float
    stratum: str = ""
    #: A judge's or model's probability of failure, fixed before the draw.
    judge: float | None = None


def file_row(row: Mapping[str, str | None], number: int) -> FileRow | None:
    """A row as read from a file, its values still text; None for one without a label.

    Raises Invalid, naming row and column, for what is no verdict or no number.
    """
    failed = (row.get("failed") or "").strip().lower()
    if not failed:
        return None
    if failed not in _VERDICTS:
        raise Invalid(f"Row {number}: {failed!r} is not 1 or 0.", field="failed")
    return FileRow(
        failed=_VERDICTS[failed],
        inclusion_probability=_number(row, "inclusion_probability", number),
        stratum=(row.get("stratum") or "").strip(),
        judge=_number(row, "judge", number) if (row.get("judge") or "").strip() else None,
    )


def judge_sum_of(rows: Sequence[Mapping[str, str | None]]) -> float | None:
    """Sum of the judge's probabilities over all rows; None where a row has none.

    Raises Invalid, naming row and column, for what is no probability.
    """
    if not rows or not all((row.get("judge") or "").strip() for row in rows):
        return None
    return math.fsum(_number(row, "judge", number) for number, row in enumerate(rows, start=1))


def _number(row: Mapping[str, str | None], column: str, number: int) -> float:
    text = (row.get(column) or "").strip()
    try:
        value = float(text)
    except ValueError as fault:
        raise Invalid(f"Row {number}: {text!r} is not a number.", field=column) from fault
    if not 0.0 <= value <= 1.0 or (value == 0.0 and column == "inclusion_probability"):
        raise Invalid(f"Row {number}: {text} is not a probability.", field=column)
    return value


def failures_of_rows(rows: Sequence[FileRow], n_population: int, *, judge_sum: float | None = None) -> dict[str, Any]:
    """The failure rate of a population from labels in a file, with the other estimators beside it.

    With `judge_sum`, the sum of the judge's probabilities over the whole population, it is the difference estimator;
    without, the weighted share (Hajek), which needs no such sum. Raises `OutOfRange` for more rows than population.
    """
    y = [float(row.failed) for row in rows]
    pi = [row.inclusion_probability for row in rows]
    frame = Frame(n=n_population, risk=judge_sum or 0.0)
    labels = sum_labels(y, pi) if rows else LabelSums()
    method = "hajek"
    few = Enough(labels=ENOUGH.labels, kish_n=0.0)
    plain = difference(Sample(frame=frame, labels=labels), enough=few)
    found: RateEstimate | TooFewLabels = hajek(labels, enough=few) if isinstance(plain, RateEstimate) else plain
    if judge_sum is not None:
        method = "difference"
        m = [row.judge or 0.0 for row in rows]
        found = difference(Sample(frame=frame, labels=sum_labels(y, pi, m)), level=LEVEL, enough=few)
    told = _row_dict(found, method, labels, n_population)
    told["horvitz_thompson"] = _horvitz_thompson(y, pi, n_population, few)
    told["hajek"] = _short(hajek(labels, enough=few) if rows else found)
    strata = sorted({row.stratum for row in rows} - {""})
    if strata:
        told["by"] = [{"category": name, **_stratum(rows, name)} for name in strata]
    return told


def _stratum(rows: Sequence[FileRow], name: str) -> dict[str, Any]:
    mine = [row for row in rows if row.stratum == name]
    labels = sum_labels([float(row.failed) for row in mine], [row.inclusion_probability for row in mine])
    return _row_dict(hajek(labels), "hajek", labels, None)


def _row_dict(
    found: RateEstimate | TooFewLabels, method: str, labels: LabelSums, n_population: int | None
) -> dict[str, Any]:
    return {
        **_short(found),
        "level": LEVEL,
        "method": method,
        "n_labels": labels.n,
        "kish_n": labels.kish_n,
        "n_population": n_population,
        "naive_rate": labels.n_failed / labels.n if labels.n else None,
    }


def _short(found: RateEstimate | TooFewLabels) -> dict[str, Any]:
    if isinstance(found, TooFewLabels):
        return {"failure_rate": None, "interval": None, "needs": {"labels": found.needs}}
    return {
        "failure_rate": found.rate,
        "interval": [found.interval.low, found.interval.high],
        "variance": found.variance,
        "n_effective": found.n_effective,
    }


def _horvitz_thompson(y: list[float], pi: list[float], n_population: int, few: Enough) -> dict[str, Any]:
    return _short(horvitz_thompson(y, pi, n_population, level=LEVEL, enough=few))
