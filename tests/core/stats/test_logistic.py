import numpy as np
import pytest
from hypothesis import given, strategies
from scipy import optimize, special
from sklearn.linear_model import LogisticRegression

from thumbwheel.stats.given import LengthsDiffer, OutOfRange
from thumbwheel.stats.logistic import map_logistic

X = [[1, 1, 0]] * 2 + [[1, 0, 1]] * 2 + [[1, 0, 0]] * 3 + [[1, 1, 1]]
Y = [1, 0, 1, 0, 0, 0, 0, 1]
W = [0.5, 0.5, 1, 1, 1.5, 1.5, 1.5, 0.5]


def test_reference_fit() -> None:
    fit = map_logistic(X, Y, prior_mean=[-3, 2.1, -1.8], prior_precision=[0.04, 1, 1], weights=W)
    assert fit.beta == pytest.approx([-1.485268, 2.186425, -0.740118], abs=1e-6)
    assert fit.sd == pytest.approx([0.955735, 0.895017, 0.902932], abs=1e-6)


@given(seed=strategies.integers(0, 10_000), scale=strategies.floats(0.1, 5))
def test_a_weighted_fit_agrees_with_a_general_optimiser(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    x = np.column_stack([np.ones(30), rng.normal(scale=scale, size=(30, 2))])
    y, w = (rng.random(30) < 0.3).astype(float), rng.uniform(0, 3, 30)
    mean, precision = rng.normal(size=3), rng.uniform(0.05, 2, 3)

    def cost(beta: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
        line = x @ beta
        return float(w @ (np.logaddexp(0, line) - y * line) + precision @ (beta - mean) ** 2 / 2)

    fit = map_logistic(x, y, prior_mean=mean, prior_precision=precision, weights=w)
    slope = x.T @ (w * (y - special.expit(x @ fit.beta))) - precision * (fit.beta - mean)
    assert slope == pytest.approx(np.zeros(3), abs=1e-5)
    assert cost(fit.beta) <= optimize.minimize(cost, mean).fun + 1e-9


def test_a_ridge_around_zero_agrees_with_scikit_learn() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(200, 4))
    y = (rng.random(200) < special.expit(x @ [1, -2, 0, 0.5])).astype(int)
    oracle = LogisticRegression(C=1 / 3, fit_intercept=False, tol=1e-10, max_iter=10_000).fit(x, y)
    fit = map_logistic(x, y, prior_mean=[0] * 4, prior_precision=[3] * 4)
    assert fit.beta == pytest.approx(oracle.coef_[0], abs=1e-5)
    assert fit.probability(x) == pytest.approx(oracle.predict_proba(x)[:, 1], abs=1e-5)


def test_a_weight_of_two_is_the_row_twice() -> None:
    once = map_logistic(X, Y, prior_mean=[0, 0, 0], prior_precision=[1, 1, 1], weights=[2] * 8)
    twice = map_logistic(X * 2, Y * 2, prior_mean=[0, 0, 0], prior_precision=[1, 1, 1])
    assert once.beta == pytest.approx(twice.beta)
    assert once.sd == pytest.approx(twice.sd)


def test_without_labels_the_answer_is_the_prior() -> None:
    fit = map_logistic([], [], prior_mean=[-3, 2], prior_precision=[0.04, 1])
    assert fit.beta == pytest.approx([-3, 2])
    assert fit.sd == pytest.approx([5, 1])
    assert fit.probability([]).tolist() == []


@pytest.mark.parametrize("size", [1, 1e3, 1e6])
def test_separable_labels_and_unscaled_columns_still_have_an_answer(size: float) -> None:
    x = [[1, -size], [1, -size / 2], [1, size / 2], [1, size]]
    fit = map_logistic(x, [0, 0, 1, 1], prior_mean=[-3, 0], prior_precision=[0.04, 1e-4])
    assert np.isfinite(fit.beta).all()
    assert np.isfinite(fit.sd).all()
    assert fit.beta[1] > 0


def test_a_hundred_thousand_rows_converge() -> None:
    rng = np.random.default_rng(4)
    x = np.column_stack([np.ones(100_000), rng.normal(size=(100_000, 5))])
    truth = np.array([-3, 1, 0.5, 0, -1, 2])
    y = (rng.random(100_000) < special.expit(x @ truth)).astype(int)
    fit = map_logistic(x, y, prior_mean=[0] * 6, prior_precision=[1] * 6)
    assert (np.abs(fit.beta - truth) < 5 * fit.sd).all()


def test_what_cannot_be_fitted_is_refused() -> None:
    flat, unit = [0, 0, 0], [1, 1, 1]
    with pytest.raises(LengthsDiffer):
        map_logistic(X, Y[:-1], prior_mean=flat, prior_precision=unit)
    with pytest.raises(LengthsDiffer):
        map_logistic(X, Y, prior_mean=flat, prior_precision=[1])
    with pytest.raises(LengthsDiffer):
        map_logistic(X, Y, prior_mean=[0], prior_precision=[1])
    for precision in ([0, 1, 1], [-1, 1, 1], [float("nan"), 1, 1]):
        with pytest.raises(OutOfRange):
            map_logistic(X, Y, prior_mean=flat, prior_precision=precision)
    with pytest.raises(OutOfRange):
        map_logistic(X, [2] * 8, prior_mean=flat, prior_precision=unit)
    with pytest.raises(OutOfRange):
        map_logistic([[1, float("nan"), 0]], [1], prior_mean=flat, prior_precision=unit)
    with pytest.raises(OutOfRange):
        map_logistic(X, Y, prior_mean=flat, prior_precision=unit, weights=[-1] * 8)
