"""The judge that needs no endpoint: a small text classifier, trained on a project's own labels and signals.

What it is worth: little as a judge, something as a sampler. It reads surface
(words, openings, length, category) and knows nothing of the world, so it cannot
tell a true sentence from a false one; it learns which *kinds* of answers fail
here. Area under the ROC curve on HaluEval's recorded verdicts, for texts
without a label (.5 is a coin, 1 is perfect; `benchmarks/judge.py`, 10 seeds):

    labels                        0     80    560   1,200
    signals' priors alone       .645   .646   .646   .646
    this judge                  .723   .721   .748   .761
    this judge, no signals      .500   .617   .696   .715

The signals there are simulated, so only the last line is free of assumptions.
Do not read its probability as a verdict and do not report a failure rate from
it: it is good for choosing what people should look at first (docs/judge.md).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

import numpy as np

from thumbwheel.connectors.text_features import Floats, TextFeatures
from thumbwheel.errors import Invalid
from thumbwheel.ports import Case, Example

#: Part of every name: raised when the same examples would give other answers.
RECIPE: Final = 1
#: Labels train the text model from this many on, if at least `EACH` passed and `EACH` failed; before, signals alone do.
ENOUGH: Final = 40
EACH: Final = 5
#: What all unlabelled examples together count for, in labels: their targets are guesses from signals.
GUESSES: Final = 200.0
#: Unlabelled examples used at most: half those whose signals say most, half any, chosen by id.
MOST_GUESSES: Final = 4_000
#: Precision of the text model's coefficients around 0, per unit of feature.
RIDGE: Final = 1.0
#: Calibration, logit P = a + b text + c prior: where (a, b, c) start from and how firmly (precision).
CALIBRATION: Final = ((0.0, 0.5, 1.0), (0.1, 4.0, 4.0))
#: Parts the labels are split in, so that calibration sees only text scores that did not know the label.
FOLDS: Final = 3
#: Answers stay this far from 0 and 1.
EDGE: Final = 0.001
_BATCH: Final = 2_000


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedJudge:
    """A fitted classifier. Refitting takes a second or two, so it is never stored: its name says what it learned from.

    Two steps. A ridge logistic regression on the text, classes balanced, learns
    from labels (weighted 1/pi) and, for traces nobody labelled, from what their
    signals suggest (soft targets, together worth `GUESSES` labels). Then a
    three-parameter calibration puts text score and signal log-odds together on
    the labels' own base rate, starting from "trust the priors, half-trust the
    text" and moving as labels come.
    """

    name: str
    features: TextFeatures
    coefficients: Floats
    #: The text score's mean over the training texts; scores are taken from it.
    centre: float
    calibration: tuple[float, float, float]

    @classmethod
    def fit(cls, examples: Sequence[Example], codebook_version: int | None) -> EmbeddedJudge:
        """Learn from these examples; without any, the answer is what the signals' priors say.

        Deterministic: the same examples in any order give the same judge.
        Raises `Invalid` for a weight or a prior that is not finite, or a weight that is not above 0.
        """
        used = _used(examples)
        features, texts = TextFeatures.fit([example.case for example in used])
        task = _Task.of(used)
        coefficients = _text_model(texts, task, task.labelled)
        scores = np.asarray(texts @ coefficients, dtype=np.float64)
        centre = float(scores.mean()) if len(used) else 0.0
        return cls(
            f"embedded-{_digest(used)}@{'no-codebook' if codebook_version is None else f'codebook-{codebook_version}'}",
            features,
            coefficients,
            centre,
            _calibrated(_blind_scores(texts, task, coefficients, scores) - centre, task),
        )

    def score(self, cases: Sequence[Case]) -> list[float]:
        """Probability of failure for each case, in order; what it is worth is said at the head of this module."""
        answers: list[float] = []
        for start in range(0, len(cases), _BATCH):
            batch = cases[start : start + _BATCH]
            text = self.features.matrix(batch) @ self.coefficients - self.centre
            prior = np.asarray([case.prior_log_odds for case in batch], dtype=np.float64)
            answers.extend(_probability(_design(text, prior) @ np.asarray(self.calibration)).tolist())
        return answers


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    """Examples as arrays. `target` is 0 or 1 where labelled, else the prior's probability."""

    labelled: Any
    target: Floats
    prior: Floats
    #: Labels: 1/pi scaled to their effective number, (sum w)^2 / sum w^2. Others: 0.
    label_weight: Floats
    #: Unlabelled: an equal share of `GUESSES`. Labelled: the same, for when the label is held back.
    guess_weight: float
    fold: Any

    @classmethod
    def of(cls, used: Sequence[Example]) -> _Task:
        prior = np.asarray([example.case.prior_log_odds for example in used], dtype=np.float64)
        known = np.asarray([example.failed is not None for example in used], dtype=bool)
        failed = np.asarray([bool(example.failed) for example in used], dtype=np.float64)
        weight = np.where(known, [example.weight for example in used], 0.0)
        effective = weight.sum() ** 2 / max(np.square(weight).sum(), 1e-300)
        enough = known.sum() >= ENOUGH and min((failed * known).sum(), ((1 - failed) * known).sum()) >= EACH
        return cls(
            labelled=known if enough else np.zeros_like(known),
            target=np.where(known, failed, _sigmoid(prior)),
            prior=prior,
            label_weight=weight * effective / max(weight.sum(), 1e-300),
            guess_weight=GUESSES / max(len(used), 1),
            fold=np.asarray([_number(example.case.trace_id) % FOLDS for example in used]),
        )


def _text_model(texts: Any, task: _Task, labelled: Any, start: Floats | None = None) -> Floats:
    """Coefficients of the text, from labels where `labelled`, from priors elsewhere; both classes weigh the same."""
    target = np.where(labelled, task.target, _sigmoid(task.prior))
    weight = np.where(labelled, task.label_weight, task.guess_weight)
    failed, passed = weight * target, weight * (1 - target)
    if not (failed.sum() > 0 and passed.sum() > 0):
        return np.zeros(texts.shape[1])
    half = weight.sum() / 2
    failed, passed = failed * half / failed.sum(), passed * half / passed.sum()
    nothing = np.zeros(texts.shape[1])
    return _most_probable(texts, failed, passed, nothing, np.full_like(nothing, RIDGE), start, tolerance=1e-5)


def _blind_scores(texts: Any, task: _Task, coefficients: Floats, scores: Floats) -> Floats:
    """Each labelled text's score from a model that did not know its label, as a text to be judged meets it."""
    blind = scores.copy()
    for fold in range(FOLDS):
        held = task.labelled & (task.fold == fold)
        if held.any():
            blind[held] = texts[held] @ _text_model(texts, task, task.labelled & ~held, coefficients)
    return blind


def _calibrated(text: Floats, task: _Task) -> tuple[float, float, float]:
    """Intercept, weight of the text and weight of the priors; where they start if there are no labels."""
    mean, precision = (np.asarray(values) for values in CALIBRATION)
    failed, passed = task.label_weight * task.target, task.label_weight * (1 - task.target)
    found = _most_probable(_design(text, task.prior), failed, passed, mean, precision)
    return float(found[0]), max(0.0, float(found[1])), max(0.0, float(found[2]))


def _most_probable(
    rows: Any,
    failed: Floats,
    passed: Floats,
    mean: Floats,
    precision: Floats,
    start: Floats | None = None,
    *,
    tolerance: float = 1e-9,
) -> Floats:
    """Logistic regression with prior N(mean, 1 / precision): `failed` and `passed` say how often each row did which."""
    from scipy.optimize import minimize

    def loss(at: Floats) -> tuple[float, Floats]:
        line = rows @ at
        away = at - mean
        cost = failed @ np.logaddexp(0, -line) + passed @ np.logaddexp(0, line) + precision @ np.square(away) / 2
        chance = _sigmoid(line)
        return float(cost), np.asarray(rows.T @ (passed * chance - failed * (1 - chance)) + precision * away)

    first = mean if start is None else start
    found = minimize(loss, first, jac=True, method="L-BFGS-B", options={"maxiter": 60, "ftol": tolerance})
    return np.asarray(found.x, dtype=np.float64)


def _used(examples: Sequence[Example]) -> list[Example]:
    """All labelled examples and at most `MOST_GUESSES` others, in an order of their own."""
    for example in examples:
        if not (math.isfinite(example.weight) and example.weight > 0 and math.isfinite(example.case.prior_log_odds)):
            raise Invalid(f"{example.case.trace_id}: weights must be above 0, weights and priors finite")
    ordered = sorted(examples, key=lambda example: (_number(example.case.trace_id), example.case.trace_id))
    guesses = [example for example in ordered if example.failed is None]
    if len(guesses) <= MOST_GUESSES:
        return ordered
    usual = float(np.median([example.case.prior_log_odds for example in guesses]))
    telling = sorted(guesses, key=lambda example: -abs(example.case.prior_log_odds - usual))[: MOST_GUESSES // 2]
    chosen = {id(example) for example in telling}
    for example in guesses:
        if len(chosen) == MOST_GUESSES:
            break
        chosen.add(id(example))
    return [example for example in ordered if example.failed is not None or id(example) in chosen]


def _digest(used: Sequence[Example]) -> str:
    hashed = blake2b(b"embedded judge %d" % RECIPE, digest_size=4)
    for example in used:
        case = example.case
        hashed.update(
            repr((case.trace_id, case.input, case.output, case.category)).encode("utf-8", "surrogatepass")
            + f"{case.prior_log_odds:.9g}|{example.failed}|{example.weight:.9g}".encode()
        )
    return hashed.hexdigest()


def _number(trace_id: str) -> int:
    digest = blake2b(trace_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def _design(text: Floats, prior: Floats) -> Floats:
    return np.column_stack([np.ones_like(prior), text, prior])


def _sigmoid(log_odds: Floats) -> Floats:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * log_odds)), dtype=np.float64)


def _probability(log_odds: Floats) -> Floats:
    return np.clip(_sigmoid(log_odds), EDGE, 1 - EDGE)
