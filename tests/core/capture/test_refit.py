"""Priors re-estimated: labels move them, selection does not."""

import random

import pytest

from tests.factories import MONDAY
from thumbwheel.capture.prior import SEED, SignalFact, prior_json, prior_table
from thumbwheel.capture.refit import LabelledFacts, refit_priors
from thumbwheel.domain.signal import Rating, SignalKind

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
    assert down.low < down.after < down.high
    assert 0.6 < down.after <= 1.0
    assert again.after < 0.4
    assert again.low < 0 < again.high
    assert "does not correlate" in again.says
    assert (table.version, SEED.version) == (2, 1)
    untouched = by[SignalKind.implicit_copy, None]
    assert (untouched.n, untouched.after) == (0, untouched.prior.weight)


def test_a_version_comes_back_from_its_json() -> None:
    table, _ = refit_priors(labels(500), SEED, MONDAY.date())
    assert prior_table(prior_json(table)) == table
    assert prior_table(None) is SEED
    assert [prior.weight for prior in table.priors] == pytest.approx(
        [prior.weight for prior in prior_table(prior_json(table)).priors]
    )
