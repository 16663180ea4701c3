"""The failure rate from labels: expiry divided out, frames pooled, too few said so, a file read."""

from __future__ import annotations

from typing import Any

import pytest

from thumbwheel.domain.queue import Policy
from thumbwheel.errors import Invalid
from thumbwheel.measure.failure import DrawnFrame, Served, change, failures
from thumbwheel.measure.rows import FileRow, failures_of_rows, file_row

Y = [1, 1, 0, 0, 1, 0, 0, 0, 0, 0]
PI = [1, 0.5, 0.5, 0.25, 0.2, 0.1, 0.05, 0.05, 0.04, 0.04]
M = [0.6, 0.5, 0.3, 0.2, 0.2, 0.1, 0.05, 0.04, 0.03, 0.02]
TEN = [FileRow(failed=bool(y), inclusion_probability=pi, judge=m) for y, pi, m in zip(Y, PI, M, strict=True)]


def served(failed: bool | None, policy: Policy = Policy.random, **given: object) -> Served:
    values = {"category": "a", "core": policy is Policy.random, "inclusion_probability": 0.1, "risk": 0.1} | given
    return Served(policy=policy, failed=failed, **values)  # type: ignore[arg-type]


def frame(*entries: Served, n: int = 1000, risk: float = 100.0) -> DrawnFrame:
    return DrawnFrame(population={"a": n}, sums={"a": (risk, 0.0)}, entries=entries)


def test_the_difference_estimator_adds_the_weighted_error_to_the_baseline() -> None:
    found = failures([frame(*(served(at < 2) for at in range(20)))]).overall
    assert found.rate is not None
    assert found.rate.rate == pytest.approx(0.1 + (0.1 - 0.1))
    assert found.method == "difference"
    higher = failures([frame(*(served(at < 4) for at in range(20)))]).overall
    assert higher.rate is not None
    assert higher.rate.rate == pytest.approx(0.2)


def test_entries_without_a_label_are_divided_out_of_their_own_policy() -> None:
    entries = [
        *(served(True, Policy.negative) for _ in range(5)),
        *(served(None, Policy.negative) for _ in range(5)),
        *(served(False) for _ in range(10)),
    ]
    found = failures([frame(*entries)]).overall
    assert found.rate is not None
    # Ten traces stand behind each negative label and ten behind each random one: half of the negatives left.
    assert found.rate.rate == pytest.approx(0.5)


def test_a_policy_nobody_labelled_is_stood_for_by_the_others() -> None:
    entries = [served(None, Policy.drift, inclusion_probability=1.0), *(served(at < 3) for at in range(12))]
    found = failures([frame(*entries)]).overall
    assert found.rate is not None
    assert found.rate.rate == pytest.approx(0.25)


def test_a_draw_nobody_has_labelled_weighs_nothing() -> None:
    first = [served(at < 4, inclusion_probability=0.1) for at in range(20)]
    restated = [served(at < 4, inclusion_probability=0.3, by_draw=(0.1, 0.2)) for at in range(20)]
    waiting = [served(None, inclusion_probability=0.3, by_draw=(0.1, 0.2), draw=1) for _ in range(20)]
    assert failures([frame(*restated, *waiting)]).overall.found == failures([frame(*first)]).overall.found


def test_labels_of_two_draws_stand_together_for_every_trace_once() -> None:
    # A tenth of 1,000 traces in the first draw, all labelled, and a fifth in the second, a quarter of them labelled.
    chances: dict[str, Any] = {"inclusion_probability": 0.3, "by_draw": (0.1, 0.2), "risk": None}
    entries = [served(at < 50, **chances) for at in range(100)]
    entries += [served(at < 10 if at < 50 else None, **chances, draw=1) for at in range(200)]
    found = failures([DrawnFrame(population={"a": 1000}, sums={}, entries=entries)]).overall
    assert found.rate is not None
    # Each of the 150 labels stands for 1 / (.1 + .2 / 4) traces: together for the thousand.
    assert found.rate.rate == pytest.approx(60 / 150)


def test_a_frame_nobody_labelled_is_not_in_the_population() -> None:
    some = frame(*(served(at < 3) for at in range(12)))
    none = frame(served(None), n=5000)
    found = failures([some, none])
    assert (found.overall.n_population, found.n_frames, found.n_frames_unlabelled) == (1000, 1, 1)


def test_frames_pool_by_their_sums() -> None:
    one = frame(*(served(at < 3) for at in range(12)))
    both = failures([one, one]).overall
    alone = failures([one]).overall
    assert both.rate is not None
    assert alone.rate is not None
    assert both.rate.rate == pytest.approx(alone.rate.rate)
    assert both.rate.interval.width < alone.rate.interval.width
    assert both.n_population == 2000


def test_a_frame_without_a_model_gives_the_weighted_share() -> None:
    entries = [served(at < 3, risk=None) for at in range(12)]
    found = failures([DrawnFrame(population={"a": 100}, sums={}, entries=entries)]).overall
    assert found.method == "hajek"
    assert found.rate is not None
    assert found.rate.rate == pytest.approx(0.25)


def test_too_few_labels_are_an_answer_of_their_own_and_nothing_is_nan() -> None:
    found = failures([frame(*(served(False) for _ in range(4)))], by_category=True).as_dict()
    assert (found["failure_rate"], found["interval"], found["needs"]["labels"]) == (None, None, 10)
    assert found["naive_rate"] == 0.0
    assert found["by"][0]["failure_rate"] is None
    empty = failures([]).as_dict()
    assert (empty["failure_rate"], empty["n_population"], empty["naive_rate"]) == (None, 0, None)
    assert change(failures([]), failures([])) is None


def test_every_estimate_names_what_stands_beside_it() -> None:
    told = failures([frame(*(served(at < 2) for at in range(20)))], by_category=True).as_dict()
    assert {
        "failure_rate",
        "interval",
        "level",
        "method",
        "n_labels",
        "n_population",
        "naive_rate",
        "core",
        "by",
    } <= set(told)
    assert told["by"][0] | {"category": "a", "n_labels": 20} == told["by"][0]
    assert told["core"]["n_labels"] == 20


def test_reference_values_of_ten_labels_in_a_file() -> None:
    plain = failures_of_rows(TEN, 100)
    assert plain["method"] == "hajek"
    assert plain["failure_rate"] == pytest.approx(0.070175, abs=1e-6)
    assert plain["variance"] == pytest.approx(0.00224569, abs=1e-8)
    assert plain["kish_n"] == pytest.approx(5.907273, abs=1e-6)
    assert plain["horvitz_thompson"]["failure_rate"] == pytest.approx(0.08)
    assert plain["horvitz_thompson"]["variance"] == pytest.approx(0.0022)
    judged = failures_of_rows(TEN, 100, judge_sum=7.0)
    assert judged["method"] == "difference"
    assert judged["failure_rate"] == pytest.approx(0.069561, abs=1e-6)
    assert judged["variance"] == pytest.approx(0.00131937, abs=1e-8)
    assert judged["n_effective"] == pytest.approx(49.0559, abs=1e-4)
    assert judged["interval"] == pytest.approx([0.025472, 0.176168], abs=1e-6)


def test_a_file_of_few_or_no_rows_says_how_many_it_needs() -> None:
    assert failures_of_rows([], 100)["needs"]["labels"] >= 5
    few = failures_of_rows(TEN[:3], 100)
    assert (few["failure_rate"], few["n_labels"]) == (None, 3)


def test_strata_of_a_file_are_told_apart() -> None:
    rows = [FileRow(failed=at < 5, inclusion_probability=0.1, stratum="x" if at < 20 else "y") for at in range(22)]
    by = {row["category"]: row for row in failures_of_rows(rows, 300)["by"]}
    assert by["x"]["failure_rate"] == pytest.approx(0.25)
    assert by["y"]["failure_rate"] is None


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"failed": "maybe", "inclusion_probability": "1"}, "failed"),
        ({"failed": "1", "inclusion_probability": "0"}, "inclusion_probability"),
        ({"failed": "1", "inclusion_probability": "1.2"}, "inclusion_probability"),
        ({"failed": "1", "inclusion_probability": "nan"}, "inclusion_probability"),
        ({"failed": "1", "inclusion_probability": ""}, "inclusion_probability"),
        ({"failed": "1", "inclusion_probability": "1", "judge": "7"}, "judge"),
    ],
)
def test_a_row_that_cannot_be_read_is_refused_naming_its_number_and_column(row: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid, match="Row 7") as refused:
        file_row(row, 7)
    assert refused.value.field == field


def test_a_row_without_a_verdict_has_no_label() -> None:
    assert file_row({"failed": " ", "inclusion_probability": "0.5"}, 1) is None
    row = file_row({"failed": "Fail", "inclusion_probability": " 0.5 ", "stratum": " a "}, 1)
    assert row == FileRow(failed=True, inclusion_probability=0.5, stratum="a")
