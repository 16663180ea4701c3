import csv
import gzip
import io
import json
import math
from collections import defaultdict
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies
from statsmodels.stats import inter_rater

from thumbwheel.stats.alpha import (
    Bootstrap,
    Coefficient,
    Scale,
    fleiss_kappa,
    gwet_ac1,
    krippendorff_alpha,
    percent_agreement,
)
from thumbwheel.stats.given import NumbersRequired, OrderRequired, OutOfRange
from thumbwheel.stats.kappa import gwet_ac1_table
from thumbwheel.stats.ratings import Ratings, rate_rows, rate_units

Units = Sequence[Sequence[int | None]]
SCALES: list[Scale] = ["nominal", "ordinal", "interval"]

KRIPPENDORFF: list[list[int | None]] = [
    [1, 1, None, 1],
    [2, 2, 3, 2],
    [3, 3, 3, 3],
    [3, 3, 3, 3],
    [2, 2, 2, 2],
    [1, 2, 3, 4],
    [4, 4, 4, 4],
    [1, 1, 2, 1],
    [2, 2, 2, 2],
    [None, 5, 5, 5],
    [None, None, 1, 1],
    [None, None, 3, None],
]

units_of_ratings = strategies.lists(
    strategies.lists(strategies.none() | strategies.integers(0, 4), min_size=1, max_size=4), min_size=1, max_size=25
)


def listed(array: np.ndarray[Any, Any]) -> list[list[int]]:
    rows: list[list[int]] = array.tolist()
    return rows


def value_of(coefficient: Coefficient) -> float:
    assert coefficient.value is not None
    return coefficient.value


def alpha_by_definition(units: Units, scale: Scale) -> float | None:
    """Krippendorff's alpha from his coincidence matrix, cell by cell, in the words of his 2011 paper."""
    paired = [[value for value in unit if value is not None] for unit in units]
    paired = [unit for unit in paired if len(unit) > 1]
    values = sorted({value for unit in paired for value in unit})
    if len(values) < 2:
        return None
    o: dict[tuple[int, int], float] = defaultdict(float)
    for unit in paired:
        for i, c in enumerate(unit):
            for j, k in enumerate(unit):
                if i != j:
                    o[c, k] += 1 / (len(unit) - 1)
    n_of = {c: sum(o[c, k] for k in values) for c in values}
    n = sum(n_of.values())

    def apart(c: int, k: int) -> float:
        if scale == "nominal":
            return float(c != k)
        if scale == "interval":
            return float((c - k) ** 2)
        low, high = min(c, k), max(c, k)
        return (sum(n_of[g] for g in values if low <= g <= high) - (n_of[c] + n_of[k]) / 2) ** 2

    observed = sum(o[c, k] * apart(c, k) for c in values for k in values)
    expected = sum(n_of[c] * n_of[k] * apart(c, k) for c in values for k in values)
    return 1 - (n - 1) * observed / expected


@pytest.mark.parametrize(("scale", "alpha"), [("nominal", 0.743421), ("ordinal", 0.815388), ("interval", 0.849107)])
def test_krippendorffs_example(scale: Scale, alpha: float) -> None:
    assert value_of(krippendorff_alpha(rate_units(KRIPPENDORFF), scale)) == pytest.approx(alpha, abs=1e-6)


@pytest.mark.parametrize(
    ("table", "alpha", "ac1"),
    [([[20, 5], [10, 15]], 0.4, 0.405941), ([[44, 5, 1], [7, 20, 3], [9, 5, 6]], 0.489744, 0.575972)],
)
def test_two_rater_tables_reference_values(table: list[list[int]], alpha: float, ac1: float) -> None:
    ratings = rate_units([[i, j] for i, row in enumerate(table) for j, n in enumerate(row) for _ in range(n)])
    assert value_of(krippendorff_alpha(ratings)) == pytest.approx(alpha, abs=1e-6)
    assert value_of(gwet_ac1(ratings)) == pytest.approx(ac1, abs=1e-6)
    assert value_of(gwet_ac1(ratings)) == pytest.approx(gwet_ac1_table(table))


@given(units=units_of_ratings, scale=strategies.sampled_from(SCALES))
def test_alpha_is_what_its_definition_says(units: Units, scale: Scale) -> None:
    found, wanted = krippendorff_alpha(rate_units(units), scale), alpha_by_definition(units, scale)
    if wanted is None:
        assert found.value is None
        assert found.undefined
    else:
        assert value_of(found) == pytest.approx(wanted, abs=1e-9)


@given(
    values=strategies.lists(strategies.integers(-1000, 1000), min_size=2, max_size=30).filter(
        lambda v: len(set(v)) > 1
    ),
    raters=strategies.integers(2, 5),
    scale=strategies.sampled_from(SCALES),
)
def test_every_coefficient_is_one_on_identical_raters(values: list[int], raters: int, scale: Scale) -> None:
    ratings = rate_units([[value] * raters for value in values])
    for found in (krippendorff_alpha(ratings, scale), fleiss_kappa(ratings), gwet_ac1(ratings)):
        assert value_of(found) == 1


@given(units=units_of_ratings, scale=strategies.sampled_from(SCALES), seed=strategies.integers(0, 9))
def test_order_of_units_and_raters_does_not_matter(units: Units, scale: Scale, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shuffled = [
        [unit[i] for i in rng.permutation(len(unit))] for unit in (units[i] for i in rng.permutation(len(units)))
    ]
    one, other = krippendorff_alpha(rate_units(units), scale), krippendorff_alpha(rate_units(shuffled), scale)
    assert (one.value is None) == (other.value is None)
    if one.value is not None:
        assert other.value == pytest.approx(one.value, abs=1e-9)


@given(units=units_of_ratings, seed=strategies.integers(0, 5), scale=strategies.sampled_from(SCALES))
def test_intervals_hold_the_value_and_are_never_nan(units: Units, seed: int, scale: Scale) -> None:
    ratings = rate_units(units)
    how = Bootstrap(rng=np.random.default_rng(seed), draws=50)
    for found in (
        krippendorff_alpha(ratings, scale, bootstrap=how),
        fleiss_kappa(ratings, bootstrap=how),
        gwet_ac1(ratings, bootstrap=how),
        percent_agreement(ratings, bootstrap=how),
    ):
        assert (found.value is None) == (found.undefined is not None)
        if found.value is not None:
            assert math.isfinite(found.value)
            assert found.value <= 1
        if found.interval is not None:
            assert found.value is not None
            assert found.value in found.interval


def test_a_unit_judged_once_changes_nothing() -> None:
    lone = [*KRIPPENDORFF, [7, None, None, None]]
    for scale in SCALES:
        assert krippendorff_alpha(rate_units(lone), scale) == krippendorff_alpha(rate_units(KRIPPENDORFF), scale)


def test_large_close_numbers_do_not_cancel() -> None:
    near, far = [[1, 2], [2, 2], [3, 1]], [[1e9 + x for x in unit] for unit in ([1, 2], [2, 2], [3, 1])]
    near_value, far_value = (value_of(krippendorff_alpha(rate_units(each), "interval")) for each in (near, far))
    assert far_value == pytest.approx(near_value, abs=1e-6)


@pytest.mark.parametrize("coefficient", [krippendorff_alpha, fleiss_kappa, gwet_ac1, percent_agreement])
@pytest.mark.parametrize("units", [[], [[]], [[None]], [[1]], [[1], [2]]])
def test_without_a_unit_judged_twice_nothing_is_defined(coefficient: Any, units: Units) -> None:
    found = coefficient(rate_units(units), bootstrap=Bootstrap(rng=np.random.default_rng(1)))
    assert (found.value, found.interval, found.n_units) == (None, None, 0)
    assert found.undefined == "no unit was judged by two raters"


@pytest.mark.parametrize("scale", SCALES)
def test_one_value_throughout_leaves_alpha_undefined(scale: Scale) -> None:
    found = krippendorff_alpha(rate_units([[2, 2], [2, 2, 2]]), scale)
    assert (found.value, found.n_units, found.n_ratings) == (None, 2, 5)
    assert found.undefined is not None
    assert "same value" in found.undefined


def test_one_value_throughout_is_full_agreement_before_correction() -> None:
    assert value_of(percent_agreement(rate_units([[2, 2], [2, 2, 2]]))) == 1
    assert gwet_ac1(rate_units([[2, 2], [2, 2, 2]])).value is None
    assert value_of(gwet_ac1(rate_units([[2, 2], [2, 2, 2]], order=[1, 2]))) == 1


def test_fleiss_kappa_needs_equally_many_ratings() -> None:
    found = fleiss_kappa(rate_units([[1, 2], [1, 1, 1]]))
    assert found.value is None
    assert found.undefined == "units have 2 to 3 ratings; Fleiss' kappa needs equally many"


def test_perfect_agreement_of_few_units_is_not_certainty() -> None:
    how = Bootstrap(rng=np.random.default_rng(1))
    few = krippendorff_alpha(rate_units([[1, 1], [2, 2]] * 5), bootstrap=how).interval
    many = krippendorff_alpha(rate_units([[1, 1], [2, 2]] * 150), bootstrap=how).interval
    assert few is not None
    assert many is not None
    assert few.high == many.high == 1
    assert few.low == pytest.approx(0.05 ** (1 / 10))
    assert many.low == pytest.approx(0.05 ** (1 / 300))


def test_one_pattern_of_disagreement_has_nothing_to_resample() -> None:
    found = krippendorff_alpha(rate_units([[1, 2]] * 8), bootstrap=Bootstrap(rng=np.random.default_rng(1)))
    assert found.value is not None
    assert found.interval is None


def test_words_have_no_order_of_their_own() -> None:
    words = [["bad", "good"], ["fine", "good"], ["bad", "bad"]]
    with pytest.raises(OrderRequired):
        krippendorff_alpha(rate_units(words), "ordinal")
    with pytest.raises(NumbersRequired):
        krippendorff_alpha(rate_units(words), "interval")
    numbers = rate_units([[0, 2], [1, 2], [0, 0]])
    ordered = rate_units(words, order=["bad", "fine", "good"])
    assert krippendorff_alpha(ordered, "ordinal") == krippendorff_alpha(numbers, "ordinal")
    with pytest.raises(OutOfRange):
        rate_units(words, order=["bad", "good"])


def test_bootstrap_settings_are_checked() -> None:
    for wrong in ({"draws": 0}, {"level": 1.0}):
        with pytest.raises(OutOfRange):
            Bootstrap(rng=np.random.default_rng(1), **wrong)


@pytest.mark.parametrize("scale", SCALES)
def test_the_bootstrap_is_the_one_that_resamples_whole_units(scale: Scale) -> None:
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 4, 80)
    units = listed(np.where(rng.random((80, 3)) < 0.6, truth[:, np.newaxis], rng.integers(0, 4, (80, 3))))
    found = krippendorff_alpha(rate_units(units), scale, bootstrap=Bootstrap(rng=rng, draws=4000)).interval
    naive = [
        value_of(krippendorff_alpha(rate_units([units[i] for i in rng.integers(0, 80, 80)]), scale)) for _ in range(800)
    ]
    assert found is not None
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(naive, [0.025, 0.975])), abs=0.03)


def test_the_same_seed_gives_the_same_interval() -> None:
    ratings = rate_units(KRIPPENDORFF)
    one, other = (krippendorff_alpha(ratings, bootstrap=Bootstrap(rng=np.random.default_rng(5))) for _ in range(2))
    assert one == other


@given(
    counts=strategies.integers(2, 6).flatmap(
        lambda raters: strategies.lists(
            strategies.lists(strategies.integers(0, 3), min_size=raters, max_size=raters), min_size=2, max_size=30
        )
    )
)
def test_fleiss_kappa_agrees_with_statsmodels(counts: list[list[int]]) -> None:
    found = fleiss_kappa(rate_units(counts))
    if found.value is None:
        assert len({value for unit in counts for value in unit}) == 1
        return
    table, _ = inter_rater.aggregate_raters(counts)
    assert found.value == pytest.approx(inter_rater.fleiss_kappa(table), abs=1e-9)


def test_one_vs_rest_recodes_every_rating() -> None:
    found = krippendorff_alpha(rate_units(KRIPPENDORFF).one_vs_rest(3))
    recoded = [[None if value is None else value == 3 for value in unit] for unit in KRIPPENDORFF]
    assert value_of(found) == pytest.approx(value_of(krippendorff_alpha(rate_units(recoded))))


def test_published_tables(published: dict[str, Any]) -> None:
    example = published["krippendorff_C_12x4_missing"]
    ratings = rate_units(example["rows_units_cols_raters"])
    for scale in SCALES:
        found = value_of(krippendorff_alpha(ratings, scale))
        assert found == pytest.approx(example["computed"][f"alpha_{scale}"], abs=1e-6)
        assert found == pytest.approx(example["published"][f"alpha_{scale}"], abs=5e-4)

    fleiss = published["fleiss_wikipedia_10x14"]
    rows = fleiss["counts_rows_units_cols_categories"]
    ratings = rate_units([[c for c, n in enumerate(row) for _ in range(n)] for row in rows])
    assert value_of(fleiss_kappa(ratings)) == pytest.approx(fleiss["computed"]["fleiss_kappa"], abs=1e-6)
    assert value_of(krippendorff_alpha(ratings)) == pytest.approx(fleiss["computed"]["alpha_nominal"], abs=1e-6)

    for name, wanted in (
        ("nltk_dress_3x3", published["nltk_dress_3x3"]["published"]["alpha_nominal"]),
        ("artstein_poesio_100x2", published["artstein_poesio_100x2"]["computed"]["alpha_nominal"]),
    ):
        rows = published[name]["coder_item_label"]
        ratings = rate_rows([item for _, item, _ in rows], [label for _, _, label in rows])
        assert value_of(krippendorff_alpha(ratings)) == pytest.approx(wanted, abs=1e-6)


def check(ratings: Ratings, figures: dict[str, Any]) -> None:
    assert ratings.n_units == figures["items"]
    assert ratings.n_ratings == figures["ratings"]
    for scale in SCALES:
        if f"alpha_{scale}" in figures:
            wanted = figures[f"alpha_{scale}"]
            assert value_of(krippendorff_alpha(ratings, scale)) == pytest.approx(wanted, abs=1e-6)
    if "fleiss_kappa" in figures:
        assert value_of(fleiss_kappa(ratings)) == pytest.approx(figures["fleiss_kappa"], abs=1e-6)
    assert value_of(percent_agreement(ratings)) == pytest.approx(figures["mean_pairwise_agreement"], abs=1e-6)


def load(path: Path) -> Any:
    return json.loads(gzip.decompress(path.read_bytes()))


def test_real_preferences_of_three_annotators(shared_data: Path, reference: dict[str, Any]) -> None:
    rows = load(shared_data / "judgments" / "pandalm_testset_humans.shared.json.gz")
    check(rate_units([[row[f"annotator{i}"] for i in (1, 2, 3)] for row in rows]), reference["pandalm.shared"])


def test_real_four_step_ratings(shared_data: Path, reference: dict[str, Any]) -> None:
    rows = load(shared_data / "agreement" / "feedbackqa_australia_test.json.gz")
    order = ["Bad", "Could be Improved", "Acceptable", "Excellent"]
    figures = dict(reference["feedbackqa_australia_test"])
    interval = figures.pop("alpha_interval")
    check(rate_units([row["rating"] for row in rows], order=order), figures)
    numbers = rate_units([[order.index(rating) for rating in row["rating"]] for row in rows])
    assert value_of(krippendorff_alpha(numbers, "interval")) == pytest.approx(interval, abs=1e-6)


def test_real_scores_from_0_to_100(shared_data: Path, reference: dict[str, Any]) -> None:
    text = gzip.decompress((shared_data / "agreement" / "mlqe_da_ro-en_dev.tsv.gz").read_bytes()).decode()
    rows = csv.DictReader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE)
    check(rate_units([json.loads(row["scores"]) for row in rows]), reference["mlqe_da_ro-en_dev"])


def test_real_crowd_of_uneven_size(shared_data: Path, reference: dict[str, Any]) -> None:
    rows = load(shared_data / "agreement" / "recipe_crowd_ratings.json.gz")["instances"]
    for metric, figures in reference["recipe_crowd_ratings"].items():
        check(rate_units([row["annotations"][metric]["individual_human_scores"] for row in rows]), figures)


def test_real_identical_raters(shared_data: Path, reference: dict[str, Any]) -> None:
    rows = load(shared_data / "agreement" / "inferential_strategies.json.gz")["instances"]
    scores = [row["annotations"]["Sound Reasoning"]["individual_human_scores"] for row in rows]
    check(rate_units(scores), reference["inferential_strategies"])


def test_real_pairwise_votes(shared_data: Path, reference: dict[str, Any]) -> None:
    batches = json.loads((shared_data / "judgments" / "lamp_preference_rankings.json").read_text())
    rows: list[tuple[Hashable, int]] = []
    for batch, raters in batches.items():
        for rankings in raters.values():
            for at, ranking in enumerate(rankings):
                for a, b in ((1, 2), (1, 3), (2, 3)):
                    rows.append(((batch, at, a, b), int(ranking.index(a) < ranking.index(b))))
    ratings = rate_rows([unit for unit, _ in rows], [value for _, value in rows])
    check(ratings, reference["lamp_preference_rankings"])


def test_real_error_categories_of_translations(shared_data: Path, reference: dict[str, Any]) -> None:
    name = "mqm_generalMT2023_zhen_3ratings.first40segments.tsv.gz"
    text = gzip.decompress((shared_data / "agreement" / name).read_bytes()).decode()
    marks: dict[tuple[Hashable, Hashable], list[tuple[str, str]]] = defaultdict(list)
    for row in csv.DictReader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE):
        if row["severity"] != "HOTW-test":
            unit = (row["system"], row["doc"], row["docSegId"])
            marks[unit, row["rater"]].append((row["category"], row["severity"]))
    figures = reference["mqm_zhen_first40"]
    units = [unit for unit, _ in marks]

    def counted(severities: set[str]) -> list[int]:
        return [int(any(s in severities and "ource issue" not in c for c, s in found)) for found in marks.values()]

    check(rate_rows(units, counted({"Major", "Minor"})), figures["any_error_binary"])
    check(rate_rows(units, counted({"Major"})), figures["major_error_binary"])
    weight = {"Major": 5, "Minor": 1}
    scores = [sum(weight.get(s, 0) for c, s in found if not c.startswith("Source issue")) for found in marks.values()]
    check(rate_rows(units, scores), figures["score_interval"])
