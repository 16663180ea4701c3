"""Priors re-estimated from labels, without mistaking the queue for the traffic.

Logistic regression of failure on the signals in force, with the weights a project starts with as prior mean
(beta_j ~ N(3 seed_j, 1), intercept ~ N(-3, 25)); a row weighs 1/pi, scaled to Kish's n. The queue looks for complaints,
so the plain share of failures among traces with a signal would say more about the queue than about the signal. The
mean is the seed and not the version in force: labels that made that version would count twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, NamedTuple

import numpy as np

from thumbwheel.capture.prior import LOG_ODDS_OF_ONE, SEED, Prior, PriorTable, SignalFact, in_force
from thumbwheel.stats.logistic import map_logistic

_INTERCEPT: Final = -3.0
_Z: Final = 1.959964
#: Labelled traces with a signal, and how narrow the interval of its weight must be, before 0 inside it means anything.
_ENOUGH, _NARROW = 20, 1.0
#: Below so many, a weight in line with the one before is that one, and not word of the labels.
_ANY = 5


class LabelledFacts(NamedTuple):
    """A label, and the signals its trace had."""

    facts: Sequence[SignalFact]
    failed: bool
    inclusion_probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorChange:
    """One prior before and after, with the 95 % interval of the new weight."""

    prior: Prior
    after: float
    #: Limits of the weight, in [-1, 1] like itself.
    low: float
    high: float
    #: Posterior standard deviation of the weight; None for one that no label speaks of.
    sd: float | None = None
    #: Labelled traces that had the signal.
    n: int

    @property
    def says(self) -> str:
        """What the labels say of it, in words."""
        if not self.n:
            return "no labelled trace had it; unchanged"
        if self.low <= 0.0 <= self.high:
            if self.n >= _ENOUGH and self.high - self.low <= _NARROW:
                return "does not correlate with failure, as far as these labels can tell"
            return f"too few labels to tell whether it correlates: {self.n}"
        if not self.low <= self.prior.weight <= self.high:
            return "differs from what was taken for granted"
        if self.n < _ANY:
            return f"too few labels to say more than was taken for granted: {self.n}"
        return "in line with what was taken for granted"


def refit_priors(
    labels: Sequence[LabelledFacts], table: PriorTable, made_on: date
) -> tuple[PriorTable, list[PriorChange]]:
    """The next version of the priors, and how each changed; without labels every weight stays as it is."""
    if not labels:
        return table, [PriorChange(prior=prior, after=prior.weight, low=-1.0, high=1.0, n=0) for prior in table.priors]
    rows = np.array([_row(label.facts, table) for label in labels])
    weights = np.array([1.0 / label.inclusion_probability for label in labels])
    fit = map_logistic(
        rows,
        np.array([label.failed for label in labels], dtype=np.float64),
        prior_mean=[_INTERCEPT, *(LOG_ODDS_OF_ONE * SEED.weight_of(prior.kind, prior.value) for prior in table.priors)],
        prior_precision=[0.04, *(1.0 for _ in table.priors)],
        weights=weights / weights.sum() * (weights.sum() ** 2 / (weights @ weights)),
    )
    changes = [
        _change(prior, float(beta) / LOG_ODDS_OF_ONE, float(sd) / LOG_ODDS_OF_ONE, int(n))
        for prior, beta, sd, n in zip(table.priors, fit.beta[1:], fit.sd[1:], rows[:, 1:].sum(axis=0), strict=True)
    ]
    priors = tuple(
        replace(
            change.prior,
            weight=change.after,
            basis=f"{change.n} of {len(labels)} labels had it: {change.after:.2f} ({change.low:.2f} to {change.high:.2f})",
        )
        if change.n
        else change.prior
        for change in changes
    )
    note = f"Re-estimated from {len(labels)} labels, weighted by the chance they were drawn with."
    return replace(table, version=table.version + 1, made_on=made_on, note=note, priors=priors), changes


def _row(facts: Sequence[SignalFact], table: PriorTable) -> list[float]:
    had = {id(table.find(fact)) for fact in in_force(facts)}
    return [1.0, *(float(id(prior) in had) for prior in table.priors)]


def _change(prior: Prior, weight: float, sd: float, n: int) -> PriorChange:
    if not n:
        return PriorChange(prior=prior, after=prior.weight, low=-1.0, high=1.0, n=0)
    after, low, high = (min(max(value, -1.0), 1.0) for value in (weight, weight - _Z * sd, weight + _Z * sd))
    return PriorChange(prior=prior, after=after, low=low, high=high, sd=sd, n=n)
