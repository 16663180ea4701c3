"""Priors re-estimated: labels move them, selection does not."""

import random

import pytest

from tests.factories import MONDAY
from thumbwheel.capture.prior import SEED, SignalFact, prior_json, prior_table
from thumbwheel.capture.refit import LabelledFacts, refit_priors
from thumbwheel.domain.signal import Rating, SignalKind
from thumbwheel.stats.logistic import map_logistic

DOWN = SignalFact(kind=SignalKind.user_rating, rating=Rating.down, at=MONDAY)
AGAIN = SignalFact(kind=SignalKind.implicit_regenerate, at=MONDAY)


def labels(n: int = 4000) -> list[LabelledFacts]:
    """Down: 70 % fail; regenerate says nothing; else 5 %. Complaints are twenty times as likely to be labelled."""
    rng = random.Random(4)
    made = []
    for _ in range(n):
        down, again = rng.random() < 0.1, rng.random() < 0.3
        facts = [fact for fact, had in ((DOWN, down), (AGAIN, again)) if had]
        pi = 1.0 if down else 0.05
        if rng.random() < pi:
            made.append(LabelledFacts(facts, rng.random() < (0.7 if down else 0.05), pi))
    return made


def test_without_labels_nothing_changes() -> None:
    table, changes = refit_priors([], SEED, MONDAY.date())
    assert table is SEED
    assert {change.says for change in changes} == {"no labelled trace had it; unchanged"}


def test_labels_move_the_priors_and_a_signal_without_meaning_is_said_to_have_none() -> None:
    table, changes = refit_priors(labels(), SEED, MONDAY.date())
    by = {(change.prior.kind, change.prior.value): change for change in changes}
    down, again = by[SignalKind.user_rating, Rating.down], by[SignalKind.implicit_regenerate, None]
    assert down.low < down.after <= down.high <= 1.0
    assert 0.6 < down.after <= 1.0
    assert again.after < 0.4
    assert again.low < 0 < again.high
    assert "does not correlate" in again.says
    assert (table.version, SEED.version) == (2, 1)
    untouched = by[SignalKind.implicit_copy, None]
    assert (untouched.n, untouched.after) == (0, untouched.prior.weight)


def test_the_same_labels_twice_say_no_more_than_once() -> None:
    once, _ = refit_priors(labels(), SEED, MONDAY.date())
    twice, changes = refit_priors(labels(), once, MONDAY.date())
    assert [prior.weight for prior in twice.priors] == [prior.weight for prior in once.priors]
    down = next(change for change in changes if change.prior.value is Rating.down)
    assert down.says == "in line with what was taken for granted"


def test_a_handful_of_labels_is_not_said_to_confirm_a_prior() -> None:
    few = [LabelledFacts([DOWN], failed, 0.5) for failed in (True, True)]
    _, changes = refit_priors([*few, *(LabelledFacts([], False, 0.5) for _ in range(20))], SEED, MONDAY.date())
    down = next(change for change in changes if change.prior.value is Rating.down)
    assert down.low > 0
    assert down.says == "too few labels to say more than was taken for granted: 2"


def test_reference_coefficients() -> None:
    rows = [([DOWN], 1), ([DOWN], 0), ([AGAIN], 1), ([AGAIN], 0), ([], 0), ([], 0), ([], 0)]
    _, changes = refit_priors([LabelledFacts(facts, bool(y), 0.5) for facts, y in rows], SEED, MONDAY.date())
    down = next(change for change in changes if change.prior.value is Rating.down)
    fit = map_logistic(
        [[1, 1, 0]] * 2 + [[1, 0, 1]] * 2 + [[1, 0, 0]] * 3,
        [y for _, y in rows],
        prior_mean=[-3, 2.7, 3 * SEED.weight_of(SignalKind.implicit_regenerate, None)],
        prior_precision=[0.04, 1, 1],
    )
    assert down.after == pytest.approx(fit.beta[1] / 3)
    assert down.sd == pytest.approx(fit.sd[1] / 3)
    assert (down.low, down.high) == pytest.approx((down.after - 1.96 * fit.sd[1] / 3, 1.0), abs=1e-3)


def test_few_labels_are_not_taken_for_a_lack_of_correlation() -> None:
    few = [LabelledFacts([AGAIN], False, 0.5)] * 4 + [LabelledFacts([], n % 2 == 0, 0.5) for n in range(30)]
    _, changes = refit_priors(few, SEED, MONDAY.date())
    again = next(change for change in changes if change.prior.kind is SignalKind.implicit_regenerate)
    assert again.low < 0 < again.high
    assert again.says == "too few labels to tell whether it correlates: 4"
    assert -1 <= again.low <= again.after <= again.high <= 1


def test_a_version_comes_back_from_its_json() -> None:
    table, _ = refit_priors(labels(500), SEED, MONDAY.date())
    assert prior_table(prior_json(table)) == table
    assert prior_table(None) is SEED
    assert [prior.weight for prior in table.priors] == pytest.approx(
        [prior.weight for prior in prior_table(prior_json(table)).priors]
    )
