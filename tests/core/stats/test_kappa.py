import gzip
import json
import math
from collections import Counter
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies
from hypothesis.extra import numpy as arrays
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa

from thumbwheel.stats.given import LengthsDiffer, OrderRequired, OutOfRange
from thumbwheel.stats.kappa import (
    AgreementState,
    Weights,
    cohen_kappa,
    cohen_kappa_of,
    crosstab,
    gwet_ac1_table,
)

tables = strategies.integers(2, 5).flatmap(
    lambda size: arrays.arrays(np.int64, (size, size), elements=strategies.integers(0, 60))
)


@pytest.mark.parametrize(
    ("table", "kappa", "error", "low", "high", "ac1"),
    [
        ([[20, 5], [10, 15]], 0.4, 0.126996, 0.1269, 0.6138, 0.405941),
        ([[44, 5, 1], [7, 20, 3], [9, 5, 6]], 0.491525, 0.072127, 0.3416, 0.6223, 0.575972),
    ],
)
def test_kappa_reference_values(
    table: list[list[int]], kappa: float, error: float, low: float, high: float, ac1: float
) -> None:
    found = cohen_kappa(table)
    assert found.interval is not None
    assert (found.kappa, found.standard_error, found.ac1) == pytest.approx((kappa, error, ac1), abs=1e-6)
    assert (found.interval.low, found.interval.high) == pytest.approx((low, high), abs=5e-5)


def test_a_rare_label_pulls_kappa_down_but_not_ac1_and_the_result_says_so() -> None:
    found = cohen_kappa([[118, 5], [2, 0]])
    assert found.kappa == pytest.approx(-0.023392, abs=1e-6)
    assert found.ac1 == pytest.approx(0.940776, abs=1e-6)
    assert found.prevalence == pytest.approx(7 / 250)
    assert found.rarity
    assert found.state is AgreementState.TOO_FEW


def test_ten_perfect_agreements_leave_a_wide_interval() -> None:
    found = cohen_kappa([[6, 0], [0, 4]])
    assert found.interval is not None
    assert found.kappa == 1
    assert (found.interval.low, found.interval.high) == pytest.approx((0.3345, 1), abs=5e-5)
    assert found.state is AgreementState.TOO_FEW


def test_one_label_used_by_both_is_undefined_and_neither_one_nor_zero() -> None:
    found = cohen_kappa([[10, 0], [0, 0]])
    assert found.state is AgreementState.UNDEFINED
    assert (found.kappa, found.interval, found.observed, found.n) == (None, None, 1.0, 10)
    assert found.reason


@pytest.mark.parametrize("table", [[], [[0, 0], [0, 0]], [[0]]])
def test_no_shared_unit_is_undefined(table: list[list[int]]) -> None:
    found = cohen_kappa(table)
    assert found.state is AgreementState.UNDEFINED
    assert (found.kappa, found.observed, found.ac1, found.n) == (None, None, None, 0)
    assert found.reason == "no unit was judged by both raters"


def test_raters_who_each_used_another_single_label_agree_as_by_chance() -> None:
    found = cohen_kappa([[0, 12], [0, 0]])
    assert found.kappa == 0
    assert found.interval is not None
    assert 0 in found.interval


@pytest.mark.parametrize(
    ("table", "state"),
    [
        ([[14, 0], [0, 15]], AgreementState.TOO_FEW),
        ([[40, 0], [0, 4]], AgreementState.TOO_FEW),
        ([[40, 2], [0, 5]], AgreementState.OK),
        ([[20, 5], [10, 15]], AgreementState.UNSTABLE),
        ([[20, 5], [5, 15]], AgreementState.WATCH),
        ([[20, 2], [3, 15]], AgreementState.OK),
    ],
)
def test_states(table: list[list[int]], state: AgreementState) -> None:
    assert cohen_kappa(table).state is state


@pytest.mark.filterwarnings("ignore::RuntimeWarning:statsmodels.stats.inter_rater")
@given(table=tables)
def test_kappa_and_its_error_agree_with_statsmodels(table: np.ndarray[Any, Any]) -> None:
    found = cohen_kappa(table)
    if found.kappa is None:
        return
    wanted = cohens_kappa(table)
    assert found.kappa == pytest.approx(wanted.kappa, abs=1e-9)
    assert found.standard_error == pytest.approx(math.sqrt(max(wanted.var_kappa, 0)), abs=1e-6)


@pytest.mark.filterwarnings("ignore::RuntimeWarning:statsmodels.stats.inter_rater")
@given(table=tables, linear=strategies.booleans())
def test_weighted_kappa_and_its_error_agree_with_statsmodels(table: np.ndarray[Any, Any], linear: bool) -> None:
    weights: Weights = "linear" if linear else "quadratic"
    found = cohen_kappa(table, weights=weights)
    if found.kappa is None:
        return
    wanted = cohens_kappa(table, wt=weights)
    assert found.kappa == pytest.approx(wanted.kappa, abs=1e-9)
    assert found.standard_error == pytest.approx(math.sqrt(max(wanted.var_kappa, 0)), abs=1e-6)


@given(
    pairs=strategies.lists(strategies.tuples(strategies.integers(0, 3), strategies.integers(0, 3)), min_size=2),
    weights=strategies.sampled_from(["nominal", "linear", "quadratic"]),
)
def test_kappa_of_sequences_agrees_with_scikit_learn(pairs: list[tuple[int, int]], weights: Weights) -> None:
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    found = cohen_kappa_of(first, second, weights=weights)
    if len(set(first) | set(second)) < 2:
        assert found.state is AgreementState.UNDEFINED
        return
    wanted = cohen_kappa_score(first, second, weights=None if weights == "nominal" else weights)
    assert found.kappa == pytest.approx(wanted, abs=1e-9)


@given(table=tables, weights=strategies.sampled_from(["nominal", "linear", "quadratic"]))
def test_kappa_does_not_know_which_rater_came_first(table: np.ndarray[Any, Any], weights: Weights) -> None:
    one, other = cohen_kappa(table, weights=weights), cohen_kappa(table.T, weights=weights)
    assert one.state is other.state
    if one.kappa is not None:
        assert (one.kappa, one.standard_error, one.upper) == pytest.approx(
            (other.kappa, other.standard_error, other.upper), abs=1e-7
        )


@given(table=tables, level=strategies.floats(0.5, 0.999))
def test_the_interval_holds_the_point_and_stays_in_range(table: np.ndarray[Any, Any], level: float) -> None:
    found = cohen_kappa(table, level=level)
    if found.kappa is not None:
        assert found.interval is not None
        assert found.kappa in found.interval
        assert -1 <= found.interval.low <= found.interval.high <= 1


@given(uses=strategies.lists(strategies.integers(1, 50), min_size=2, max_size=6))
def test_kappa_is_one_when_the_raters_never_differ(uses: list[int]) -> None:
    assert cohen_kappa(np.diag(uses)).kappa == pytest.approx(1)


@pytest.mark.parametrize(
    ("failing", "kappa"), [(2, 0.212), (5, 0.388), (10, 0.534), (20, 0.651), (30, 0.693), (50, 0.7)]
)
def test_the_same_judge_has_another_kappa_at_every_share_of_failures(failing: int, kappa: float) -> None:
    n = 100_000
    bad = failing * n // 100
    hit, clear = round(0.8 * bad), round(0.9 * (n - bad))
    assert cohen_kappa([[hit, bad - hit], [n - bad - clear, clear]]).kappa == pytest.approx(kappa, abs=1e-3)


@pytest.mark.parametrize(("share", "units"), [(0.05, 337), (0.1, 177), (0.2, 98), (0.3, 74), (0.5, 62)])
def test_units_needed_for_a_half_width_of_a_fifth(share: float, units: int) -> None:
    both = share**2 + 0.6 * share * (1 - share)
    n = 10**9
    table = np.round(n * np.array([[both, share - both], [share - both, 1 - 2 * share + both]]))
    found = cohen_kappa(table).standard_error
    assert found is not None
    assert ceil((1.959964 * found * math.sqrt(n) / 0.2) ** 2) == pytest.approx(units, abs=1)


def test_the_interval_covers_at_sixty_units() -> None:
    rng = np.random.default_rng(7)
    share, kappa = 0.2, 0.6
    both = share**2 + kappa * share * (1 - share)
    cells = [both, share - both, share - both, 1 - 2 * share + both]
    found = [cohen_kappa(draw.reshape(2, 2)).interval for draw in rng.multinomial(60, cells, size=600)]
    covered = np.mean([interval is not None and kappa in interval for interval in found])
    assert 0.92 <= covered <= 0.99


def test_a_unit_that_one_rater_left_out_is_not_shared() -> None:
    table = crosstab(["a", None, "b", float("nan")], ["a", "a", None, "b"])
    assert table.categories == ("a",)
    assert table.counts.tolist() == [[1]]


def test_stated_categories_fix_rows_and_their_order() -> None:
    table = crosstab(["hi", "lo"], ["mid", "lo"], categories=["lo", "mid", "hi"])
    assert table.counts.tolist() == [[1, 0, 0], [0, 0, 0], [0, 1, 0]]
    assert cohen_kappa(table, weights="linear").kappa is not None


def test_weights_over_words_need_their_order() -> None:
    with pytest.raises(OrderRequired):
        cohen_kappa_of(["good", "bad"], ["bad", "bad"], weights="linear")


def test_labels_that_cannot_be_read_are_refused() -> None:
    with pytest.raises(LengthsDiffer):
        crosstab(["a"], ["a", "b"])
    with pytest.raises(OutOfRange):
        crosstab(["a"], ["b"], categories=["a"])
    wrong: list[Any] = [[[1, 2]], [[1, -1], [0, 2]], [[0.5, 1], [1, 2]], [[float("nan"), 1], [1, 2]], [1, 2]]
    for table in wrong:
        with pytest.raises(OutOfRange):
            cohen_kappa(table)


def test_ac1_needs_two_categories_and_a_unit() -> None:
    assert gwet_ac1_table([[5]]) is None
    assert gwet_ac1_table([[0, 0], [0, 0]]) is None
    assert gwet_ac1_table([[10, 0], [0, 0]]) == 1


def test_published_pair_of_coders(published: dict[str, Any]) -> None:
    table = published["artstein_poesio_100x2"]
    labels = {(coder, item): label for coder, item, label in table["coder_item_label"]}
    items = sorted({item for _, item in labels})
    found = cohen_kappa_of([labels["a", item] for item in items], [labels["b", item] for item in items])
    assert found.observed == pytest.approx(table["published"]["avg_Ao"])
    assert found.kappa == pytest.approx(table["computed"]["cohen_kappa"], abs=1e-6)


def test_three_real_annotators_pair_by_pair(shared_data: Path, reference: dict[str, Any]) -> None:
    path = shared_data / "judgments" / "pandalm_testset_humans.shared.json.gz"
    rows = json.loads(gzip.decompress(path.read_bytes()))
    wanted = reference["pandalm.shared"]["pairwise_cohen"]
    assert len(wanted) == 3
    for pair, figures in wanted.items():
        first, second = pair.split("|")
        found = cohen_kappa_of([row[first] for row in rows], [row[second] for row in rows])
        assert found.n == figures["n"]
        assert found.observed == pytest.approx(figures["agreement"], abs=1e-6)
        assert found.kappa == pytest.approx(figures["kappa"], abs=1e-6)
        assert found.standard_error == pytest.approx(figures["ase"], abs=1e-6)


def test_real_judges_against_the_majority(reference: dict[str, Any]) -> None:
    for judge in reference["pandalm.shared"]["judge_vs_majority"].values():
        found = cohen_kappa(judge["confusion_rows_human_cols_judge"])
        assert found.n == judge["n"]
        assert found.kappa == pytest.approx(judge["kappa"], abs=1e-6)
        assert found.observed == pytest.approx(judge["accuracy"], abs=1e-6)


def test_both_orders_of_a_comparison_by_one_judge(shared_data: Path, reference: dict[str, Any]) -> None:
    lines = gzip.decompress((shared_data / "judgments" / "llmbar_natural.jsonl.gz").read_bytes()).splitlines()
    rows = [json.loads(line)["verdicts"] for line in lines]
    checked: Counter[bool] = Counter()
    for name, figures in reference["llmbar_natural"]["evaluators"].items():
        orders = [(row[name]["swap = False"], row[name]["swap = True"]) for row in rows if name in row]
        found = cohen_kappa_of([a for a, _ in orders], [b for _, b in orders])
        checked[found.kappa == pytest.approx(figures["kappa_between_orders"], abs=1e-6)] += 1
    assert checked[True] >= 40
