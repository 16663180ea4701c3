"""Logistic regression with a normal prior on every coefficient: never separable, never undefined."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from thumbwheel.stats import given
from thumbwheel.stats.given import Floats

#: Newton steps; the penalised likelihood is strictly concave, so real data takes about ten.
MOST_STEPS = 200
#: Stop when one more step could raise the log posterior by no more than this.
CLOSE_ENOUGH = 1e-12


class NotConverged(given.Refused):
    """The numbers are too large or too unlike for Newton's method: rescale the columns."""


@dataclass(frozen=True, slots=True, eq=False)
class LogisticFit:
    """The most probable coefficients, with the posterior's normal approximation around them."""

    beta: Floats
    covariance: Floats

    @property
    def sd(self) -> Floats:
        """Posterior standard deviation of each coefficient."""
        return np.sqrt(np.diag(self.covariance))

    def probability(self, x: npt.ArrayLike) -> Floats:
        """Probability of y = 1 for each row of `x` at the most probable coefficients.

        Raises `LengthsDiffer` for rows of another width.
        """
        return np.asarray(_expit(_rows(x, len(self.beta)) @ self.beta), dtype=np.float64)


def map_logistic(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    prior_mean: npt.ArrayLike,
    prior_precision: npt.ArrayLike,
    weights: npt.ArrayLike | None = None,
) -> LogisticFit:
    """Maximum a posteriori logistic regression: y ~ x beta, beta_j ~ N(mean_j, 1 / precision_j), by Newton's method.

    `x` is rows x coefficients, with its own column of ones if an intercept is
    wanted; `weights` (1 each by default) count a row that many times. The
    covariance is the inverse of X'WX + diag(precision) at the maximum. Without
    rows the answer is the prior. Raises `LengthsDiffer`, `OutOfRange` (a
    precision must be above 0, y is 0 or 1) and `NotConverged`.

    >>> fit = map_logistic([[1, 0], [1, 1], [1, 1]], [0, 1, 1], prior_mean=[-3, 2], prior_precision=[0.04, 1])
    >>> fit.beta.round(3), fit.sd.round(3)
    (array([-0.9  ,  2.373]), array([1.446, 0.938]))
    """
    mean = given.floats(prior_mean, "a prior mean")
    precision = given.floats(prior_precision, "a prior precision")
    given.same_length("prior means and precisions", mean, precision)
    if (precision <= 0).any():
        raise given.OutOfRange("a prior precision must be above 0")
    rows = _rows(x, len(mean))
    seen = given.verdicts(y, "y") if len(rows) else np.zeros(0)
    weight = np.ones(len(rows)) if weights is None else given.floats(weights, "a weight", low=0.0)
    given.same_length("rows, y and weights", rows, seen, weight)
    return _newton(rows, seen, weight, mean, precision)


def _newton(x: Floats, y: Floats, weight: Floats, mean: Floats, precision: Floats) -> LogisticFit:
    beta = mean.copy()
    for _ in range(MOST_STEPS):
        p = _expit(x @ beta)
        slope = x.T @ (weight * (y - p)) - precision * (beta - mean)
        curve = (x.T * (weight * p * (1 - p))) @ x + np.diag(precision)
        # One over a triangular factor, not the matrix itself: it also says when that is not positive definite.
        try:
            inverse = np.linalg.inv(np.linalg.cholesky(curve))
        except np.linalg.LinAlgError as error:
            raise NotConverged("the curvature could not be computed") from error
        step = inverse.T @ (inverse @ slope)
        if not np.isfinite(step).all():
            raise NotConverged("the curvature could not be computed")
        if slope @ step <= CLOSE_ENOUGH:
            return LogisticFit(beta + step, inverse.T @ inverse)
        beta = _uphill(x, y, weight, mean, precision, beta, step)
    raise NotConverged(f"no maximum after {MOST_STEPS} steps")


def _uphill(
    x: Floats, y: Floats, weight: Floats, mean: Floats, precision: Floats, beta: Floats, step: Floats
) -> Floats:
    """The longest of step, step/2, step/4, ... that does not lower the log posterior."""

    def log_posterior(at: Floats) -> float:
        line = x @ at
        fit = weight @ (y * line - np.logaddexp(0, line))
        return float(fit - precision @ np.square(at - mean) / 2)

    start, share = log_posterior(beta), 1.0
    rounding = 1e-13 * abs(start)
    while log_posterior(beta + share * step) < start - rounding and share > 1e-10:
        share /= 2
    return np.asarray(beta + share * step, dtype=np.float64)


def _expit(x: Floats) -> Floats:
    """1 / (1 + exp(-x)), which neither overflows nor needs scipy: taking that in takes longer than a draw."""
    return np.asarray(np.exp(-np.logaddexp(0.0, -x)), dtype=np.float64)


def _rows(x: npt.ArrayLike, width: int) -> Floats:
    rows = np.asarray(x, dtype=np.float64)
    if rows.size == 0:
        return np.zeros((0, width))
    if rows.ndim != 2 or rows.shape[1] != width:
        raise given.LengthsDiffer(f"rows must have {width} columns, not the shape {rows.shape}")
    if not np.isfinite(rows).all():
        raise given.OutOfRange("x must be finite")
    return rows
