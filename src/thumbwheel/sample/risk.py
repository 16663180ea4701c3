"""The risk model: how likely a trace is to have failed, from its category and its cell.

It bends the draw (sizes) and sharpens the estimate (baseline); an estimate stays unbiased however wrong it is, as long
as it was made from labels of earlier frames. So it is refitted before a frame is drawn from for the first time, kept
with that draw, and never touched for that frame again.

    log-odds(m) = intercept + category + sum of signs + slope * judge's log-odds + shift if judged

Without labels the signal priors give the coefficients. With labels they are the prior mean of a ridge logistic
regression (`stats.logistic.map_logistic`): rows weigh 1/pi, scaled to Kish's n, so that a heavy queue of complaints
does not pass for the traffic.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np

from thumbwheel.domain.cell import AGAINST, Cell, Sign
from thumbwheel.sample.policies import negative_size, uncertain_size
from thumbwheel.stats.given import Floats
from thumbwheel.stats.logistic import map_logistic

#: A judge is right often, not always: its log-odds count half before labels say otherwise. The trained one is fitted
#: to this very question.
_TRUST: Final = {False: 0.5, True: 1.0}
#: Precisions of the prior: the intercept is nearly free, a sign moves by about 1, a judge's slope by about 1/2.
_FREE, _SIGN, _SLOPE, _CATEGORY = 0.04, 1.0, 4.0, 1.0
_AGAINST: Final = int(AGAINST)
#: No trace is a sure failure, none is safe.
LEAST_RISK: Final = 0.001


class LabelledCell(NamedTuple):
    """A label as the model learns from it."""

    category: str
    cell: int
    failed: bool
    inclusion_probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskModel:
    """Coefficients of one version. Log-odds throughout."""

    #: "priors-1" or "labels-560-3f2a9c01": labels it was fitted to, and a digest of its coefficients.
    version: str
    n_labels: int = 0
    intercept: float
    signs: Mapping[Sign, float]
    #: By whether the judge is the trained one.
    slopes: Mapping[bool, float]
    shifts: Mapping[bool, float]
    #: What a category adds; 0 for one that had no labels.
    categories: Mapping[str, float]
    #: A draw asks for the same few hundred cells again and again.
    _said: dict[tuple[str | None, int], float] = field(default_factory=dict, repr=False, compare=False)

    def risk(self, category: str | None, cell: int) -> float:
        """Probability m that a trace of this category and cell failed, within [0.001, 0.999]."""
        said = self._said.get((category, cell))
        if said is None:
            said = self._said[category, cell] = self._risk(category, cell)
        return said

    def _risk(self, category: str | None, cell: int) -> float:
        known = Cell.of(cell)
        odds = self.intercept + self.categories.get(category or "", 0.0)
        odds += math.fsum(weight for sign, weight in self.signs.items() if sign.value & cell)
        if known.judge is not None:
            odds += self.slopes[known.suggested] * known.judge + self.shifts[known.suggested]
        chance = 1.0 / (1.0 + math.exp(-max(-50.0, min(50.0, odds))))
        return min(max(chance, LEAST_RISK), 1.0 - LEAST_RISK)

    def negative_size(self, category: str | None, cell: int) -> float:
        """Size in the negative list: the odds of failure; 0 where nothing speaks against the answer."""
        return negative_size([1.0], self.risk(category, cell)) if cell & _AGAINST else 0.0

    def uncertain_size(self, category: str | None, cell: int) -> float:
        """Size in the uncertain list: sqrt(m (1 - m)); 0 where no judge has looked."""
        return 0.0 if Cell.of(cell).judge is None else uncertain_size(self.risk(category, cell))

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "version": self.version,
            "n_labels": self.n_labels,
            "intercept": self.intercept,
            "signs": {str(sign.name): weight for sign, weight in self.signs.items()},
            "judge": [self.slopes[False], self.shifts[False]],
            "suggestion": [self.slopes[True], self.shifts[True]],
            "categories": dict(self.categories),
        }

    @classmethod
    def of_json(cls, stored: Mapping[str, Any]) -> RiskModel:
        """Back from `to_json`."""
        judge, suggestion = stored["judge"], stored["suggestion"]
        return cls(
            version=stored["version"],
            n_labels=stored["n_labels"],
            intercept=stored["intercept"],
            signs={Sign[name]: weight for name, weight in stored["signs"].items()},
            slopes={False: judge[0], True: suggestion[0]},
            shifts={False: judge[1], True: suggestion[1]},
            categories=stored["categories"],
        )


def from_priors(base_rate: float, sign_log_odds: Mapping[Sign, float], version: int) -> RiskModel:
    """The model before there are labels. What the trained judge says holds the base rate already, so that is taken off."""
    intercept = math.log(base_rate / (1.0 - base_rate))
    return RiskModel(
        version=f"priors-{version}",
        intercept=intercept,
        signs=dict(sign_log_odds),
        slopes=dict(_TRUST),
        shifts={False: 0.0, True: -intercept},
        categories={},
    )


def refit(labels: Sequence[LabelledCell], prior: RiskModel) -> RiskModel:
    """The model after these labels, with `prior` for what they do not say. Without labels that is `prior` itself."""
    if not labels:
        return prior
    columns = _Columns(tuple(prior.signs), tuple(sorted({label.category for label in labels})))
    weights = np.array([1.0 / label.inclusion_probability for label in labels])
    kish_n = weights.sum() ** 2 / (weights @ weights)
    fit = map_logistic(
        np.array([columns.row(label.category, label.cell) for label in labels]),
        np.array([label.failed for label in labels], dtype=np.float64),
        prior_mean=columns.means(prior),
        prior_precision=columns.precisions(),
        weights=weights / weights.sum() * kish_n,
    )
    return columns.model(fit.beta, len(labels))


class _Columns(NamedTuple):
    """Which coefficient stands where: intercept, signs, slopes, shifts, categories."""

    signs: tuple[Sign, ...]
    categories: tuple[str, ...]

    def row(self, category: str, cell: int) -> list[float]:
        known = Cell.of(cell)
        judged = [known.judge is not None and known.suggested is each for each in (False, True)]
        return [
            1.0,
            *(float(bool(sign & known.signs)) for sign in self.signs),
            *(float(known.judge or 0) if each else 0.0 for each in judged),
            *map(float, judged),
            *(float(category == name) for name in self.categories),
        ]

    def means(self, prior: RiskModel) -> list[float]:
        given = [prior.signs[sign] for sign in self.signs]
        judges = [*(prior.slopes[each] for each in (False, True)), *(prior.shifts[each] for each in (False, True))]
        return [prior.intercept, *given, *judges, *(0.0 for _ in self.categories)]

    def precisions(self) -> list[float]:
        judges = [_SLOPE, _SLOPE, _SIGN, _SIGN]
        return [_FREE, *(_SIGN for _ in self.signs), *judges, *(_CATEGORY for _ in self.categories)]

    def model(self, beta: Floats, n_labels: int) -> RiskModel:
        found = [float(value) for value in beta]
        after = 1 + len(self.signs)
        digest = hashlib.blake2b(json.dumps(found).encode(), digest_size=4).hexdigest()
        return RiskModel(
            version=f"labels-{n_labels}-{digest}",
            n_labels=n_labels,
            intercept=found[0],
            signs=dict(zip(self.signs, found[1:after], strict=True)),
            slopes={False: found[after], True: found[after + 1]},
            shifts={False: found[after + 2], True: found[after + 3]},
            categories=dict(zip(self.categories, found[after + 4 :], strict=True)),
        )
