"""Densities: how a latent is distributed given others, in the scale of normal scores.

    z_i | x ~ mu(x) + sigma(x) t_4,        mu and log sigma^2 linear in the regressors of x by ridge regression.

The regressors are polynomials of degree 3 in every latent and the products of pairs.  What they cannot hold, such as
steps and thresholds of several latents at once, `boosted` can: what gradient-boosted regression trees make of the
same latents is one regressor more (Friedman, Greedy function approximation: a gradient boosting machine, 2001).
"""

from __future__ import annotations

import itertools

import numpy as np
from scipy.special import ndtri
from scipy.stats import rankdata
from scipy.stats import t as student_t
from sklearn.ensemble import HistGradientBoostingRegressor

__all__ = [
    "DEGREE",
    "average",
    "boosted",
    "design",
    "features",
    "log_density",
    "n_regressors",
    "normal_scores",
    "spread_scores",
]

DEGREE = 3  # polynomials of each latent; the fourth only added noise
_BOUND = 2.5
_FREEDOM = 4
_TREES = {"max_iter": 30, "max_leaf_nodes": 8, "early_stopping": False}  # twice as many tell no more


def normal_scores(z: np.ndarray) -> np.ndarray:
    """Columns of (n, d) through their ranks to standard normals: ``Phi^-1((rank - 1/2) / n)``, NaN kept.

    >>> normal_scores(np.array([[1.0], [5.0], [2.0]])).round(2).ravel()
    array([-0.97,  0.97,  0.  ])
    """
    scores = np.full(z.shape, np.nan)
    for j, column in enumerate(z.T):
        seen = ~np.isnan(column)
        scores[seen, j] = ndtri((rankdata(column[seen]) - 0.5) / max(seen.sum(), 1))
    return scores


def spread_scores(z: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Normal scores (n, d) of complete columns, those of people who share a value in random order."""
    scores = np.empty(z.shape)
    for j, column in enumerate(z.T):
        scores[np.lexsort((rng.random(len(z)), column)), j] = ndtri((np.arange(len(z)) + 0.5) / len(z))
    return scores


def features(z: np.ndarray) -> np.ndarray:
    """Hermite polynomials of degree 1 to 3, bounded beyond 2.5 deviations: (n, d) -> (n, d, 3), NaN kept.

    Bounded, because a cubic lets a few people in the tails rule a regression.
    """
    u = np.clip(z, -_BOUND, _BOUND)
    return np.stack([z, (u**2 - 1) / np.sqrt(2), (u**3 - 3 * u) / np.sqrt(6)], axis=-1)


def design(z: np.ndarray) -> np.ndarray:
    """Regressors of a conditional density: intercept, features, products of pairs: (n, p) -> (n, q)."""
    n, p = z.shape
    u = np.clip(z, -_BOUND, _BOUND)
    products = [u[:, a] * u[:, b] for a, b in itertools.combinations(range(p), 2)]
    return np.column_stack([np.ones(n), features(z).reshape(n, -1), *products])


def n_regressors(p: int) -> int:
    """Regressors of a conditional density given p latents: intercept, three features each, products of pairs.

    >>> n_regressors(2) == design(np.zeros((1, 2))).shape[1]
    True
    """
    return 1 + DEGREE * p + p * (p - 1) // 2


def log_density(
    x: np.ndarray, y: np.ndarray, fit: np.ndarray, score: np.ndarray, weights: np.ndarray | None = None
) -> np.ndarray:
    """log density (nats) of the ``score`` people's y (n,) given regressors x (n, q), fitted on the ``fit`` people.

    Student's t with 4 degrees of freedom, so that a few outlying people do not rule the mean; its overall size is the
    maximum-likelihood one.
    """
    count, among = (None, x[fit]) if weights is None else (weights[fit], x[fit] * weights[fit, None])
    gram = among.T @ x[fit] + np.eye(x.shape[1])
    residual = y - x @ np.linalg.solve(gram, among.T @ y[fit])
    size = np.log(residual**2 + 1e-3)
    gamma = np.linalg.solve(gram, among.T @ (size[fit] - average(size[fit], count)))
    log_variance = np.clip(x @ gamma, -2, 2)
    squared = residual**2 * np.exp(-log_variance)
    overall = average(squared[fit], count)
    for _ in range(15):  # the fixed point of the maximum-likelihood scale of a t distribution
        overall = average((_FREEDOM + 1) / (_FREEDOM + squared[fit] / overall) * squared[fit], count)
    z = np.sqrt(squared[score] / overall)
    return student_t.logpdf(z, _FREEDOM) - 0.5 * (np.log(overall) + log_variance[score])


def boosted(z: np.ndarray, y: np.ndarray, fold: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """What boosted trees make of y (n,) given latents z (n, p), of everybody by trees grown on the other folds (n,).

    >>> z = np.random.default_rng(0).normal(size=(3_000, 2))
    >>> y = 2.0 * ((z > 0).all(1))  # by a threshold of both at once
    >>> bool(np.mean((y - boosted(z, y, np.arange(3_000) % 5)) ** 2) < 0.01 * y.var())
    True
    """
    told = np.empty(len(y))
    for f in np.unique(fold):
        fit, score = fold != f, fold == f
        trees = HistGradientBoostingRegressor(random_state=0, **_TREES)
        told[score] = trees.fit(z[fit], y[fit], None if weights is None else weights[fit]).predict(z[score])
    return told


def average(values: np.ndarray, weights: np.ndarray | None) -> float:
    """The mean, weighted where there are weights."""
    return float(np.mean(values) if weights is None else np.average(values, weights=weights))
