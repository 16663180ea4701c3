"""Simulated weeks of a product whose failures are known: the estimate is unbiased and its interval means what it says.

The traffic is that of `benchmarks.simulation`: skewed categories, failures nobody complains about, users who complain
about fine answers. Every trace, label, draw and risk model is drawn anew, so this is the whole road from keys to the
interval, without a store.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from benchmarks.simulation.product import MODES, Day, a_day, rng_of, truth
from benchmarks.simulation.queue import Made, draw_day, draw_twice
from benchmarks.simulation.queues import DEFAULT, prior_model
from thumbwheel.measure.failure import Failures, failures
from thumbwheel.sample.risk import RiskModel, refit

WEEKS = 200
#: Two frames of a week, so that pooling them is part of it.
FRAMES, BUDGET, TRACES = 2, 100, 1_200


class Weeks:
    """Estimates of many weeks, beside the truth."""

    def __init__(self) -> None:
        self.truths: list[float] = []
        self.found: list[Failures] = []

    def off(self, estimates: Sequence[float]) -> tuple[float, float]:
        """Mean error, and its standard error."""
        errors = [estimate - true for estimate, true in zip(estimates, self.truths, strict=True)]
        mean = math.fsum(errors) / len(errors)
        spread = math.sqrt(math.fsum((error - mean) ** 2 for error in errors) / (len(errors) - 1))
        return mean, spread / math.sqrt(len(errors))


def a_model(seed: int) -> RiskModel:
    """What the labels of the week before taught."""
    day = a_day(0, TRACES, rng_of(seed, 1))
    made = draw_day(day, prior_model(), DEFAULT, budget=BUDGET, seed=seed)
    return refit([entry.as_label for entry in made.entries], prior_model())


@pytest.fixture(scope="module")
def weeks() -> Weeks:
    weeks = Weeks()
    models = [a_model(seed) for seed in range(20)]
    for week in range(WEEKS):
        rng = rng_of(week, 2)
        days: list[Day] = [a_day(number, TRACES, rng) for number in range(FRAMES)]
        made: list[Made] = [
            draw_day(day, models[week % 20], DEFAULT, budget=BUDGET, seed=10 * week + day.number, rotation=day.number)
            for day in days
        ]
        weeks.truths.append(truth(days))
        weeks.found.append(failures([each.frame for each in made]))
    return weeks


def test_the_estimate_is_unbiased(weeks: Weeks) -> None:
    mean, error = weeks.off([found.overall.rate.unclipped for found in weeks.found if found.overall.rate])
    assert abs(mean) < 3 * error
    assert error < 0.002


def test_its_interval_holds_the_truth_as_often_as_it_says(weeks: Weeks) -> None:
    covered = sum(
        found.overall.rate is not None and true in found.overall.rate.interval
        for found, true in zip(weeks.found, weeks.truths, strict=True)
    )
    assert 0.91 * WEEKS <= covered <= 0.99 * WEEKS


def test_the_uniform_sample_agrees_and_the_share_of_labels_that_failed_is_something_else(weeks: Weeks) -> None:
    core = [found.overall.core for found in weeks.found]
    mean, error = weeks.off([each.n_failed / each.n_labels for each in core])
    assert abs(mean) < 3 * error
    naive, error = weeks.off([found.overall.n_failed / found.overall.n_labels for found in weeks.found])
    assert naive > 0.1 > 20 * error


def test_a_model_that_takes_everything_for_a_failure_biases_nothing() -> None:
    wrong = RiskModel.of_json(prior_model().to_json() | {"intercept": 2.0, "version": "wrong"})
    weeks = Weeks()
    for week in range(60):
        day = a_day(0, TRACES, rng_of(week, 3))
        weeks.truths.append(truth([day]))
        weeks.found.append(failures([draw_day(day, wrong, DEFAULT, budget=BUDGET, seed=week).frame]))
    mean, error = weeks.off([found.overall.rate.unclipped for found in weeks.found if found.overall.rate])
    assert abs(mean) < 3 * error


@pytest.mark.parametrize("labelled", [(1.0, 0.1), (0.5, 1.0), (0.8, 0.0)])
def test_two_draws_of_a_frame_may_be_labelled_to_different_degrees(labelled: tuple[float, float]) -> None:
    weeks = Weeks()
    for week in range(100):
        day = a_day(0, TRACES, rng_of(week, 4))
        weeks.truths.append(truth([day]))
        seeds = (2 * week, 2 * week + 1)
        frame = draw_twice(day, prior_model(), DEFAULT, budget=BUDGET, seeds=seeds, labelled=labelled)
        weeks.found.append(failures([frame]))
    mean, error = weeks.off([found.overall.rate.unclipped for found in weeks.found if found.overall.rate])
    assert abs(mean) < 3 * error


def test_the_product_has_failures_nobody_complains_about() -> None:
    assert sum(mode.silent for mode in MODES) >= 5
    assert any(mode.silent and not mode.seen for mode in MODES)
    assert any(mode.since for mode in MODES)
