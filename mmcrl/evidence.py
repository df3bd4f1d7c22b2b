"""Evidence: what each pair of latents knows of each other, beyond what other latents explain.

For a pair (i, j) and the set S of latents that explains most of their dependence, the evidence is the gain in
held-out log-density per person (nats),

    Delta = mean over people of [log p(z_i | z_S, z_j) - log p(z_i | z_S)],

cross-fitted (densities are fitted on other people than those they are scored on) and averaged over both ends.  It
estimates, from below, the conditional mutual information.  S comes from a PC search (Spirtes, Glymour and Scheines,
Causation, Prediction, and Search, 2000, order-independent as in Colombo and Maathuis 2014) whose dependence measure
is the canonical correlation of nonlinear features.  Evidence tests *estimated* latents: it is not a proof of cause.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtri
from scipy.stats import norm, rankdata

__all__ = ["LINK_COLUMNS", "link_table", "normal_scores", "pair_evidence", "separating_sets"]

LINK_COLUMNS = ["source", "target", "strength", "confidence", "direction", "sign", "evidence", "evidence_se", "scope"]

_DEGREE = 3  # Hermite polynomials of each latent; the fourth only added noise
_BOUND = 2.5
_FOLDS = 5
_MAX_CONDITIONING = 3
_NEGLIGIBLE = 0.003  # nats below which the search calls a pair separated


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


def _features(z: np.ndarray) -> np.ndarray:
    """Hermite polynomials of degree 1 to 3, bounded beyond 2.5 deviations: (n, d) -> (n, d, 3), NaN kept.

    Bounded, because a cubic lets a few people in the tails rule a regression.
    """
    u = np.clip(z, -_BOUND, _BOUND)
    return np.stack([z, (u**2 - 1) / np.sqrt(2), (u**3 - 3 * u) / np.sqrt(6)], axis=-1)


class _Dependence:
    """Conditional mutual information (nats) of pairs from canonical correlations of Hermite features.

    ``I(i; j | S) ~ -1/2 sum_k log(1 - rho_k^2)``, less its bias ``degree^2 / (2n)`` under independence.
    """

    def __init__(self, z: np.ndarray) -> None:
        n, d = z.shape
        features = np.nan_to_num(_features(z)).reshape(n, d * _DEGREE)
        features = features - features.mean(0)
        self.n = n
        self.gram = features.T @ features / n + 1e-6 * np.eye(d * _DEGREE)

    def __call__(self, i: int, j: int, given: Sequence[int]) -> float:
        ends = self._columns([i, j])
        block = self.gram[np.ix_(ends, ends)]
        if given:
            others = self._columns(given)
            across = self.gram[np.ix_(others, ends)]
            block = block - across.T @ np.linalg.solve(self.gram[np.ix_(others, others)], across)
        first, second = block[:_DEGREE, :_DEGREE], block[_DEGREE:, _DEGREE:]
        cross = block[:_DEGREE, _DEGREE:]
        squared = np.linalg.solve(first, cross) @ np.linalg.solve(second, cross.T)
        independent = np.linalg.det(np.eye(_DEGREE) - squared)
        return -0.5 * float(np.log(max(independent, 1e-12))) - _DEGREE**2 / (2 * self.n)

    @staticmethod
    def _columns(latents: Sequence[int]) -> np.ndarray:
        return (np.asarray(latents)[:, None] * _DEGREE + np.arange(_DEGREE)).ravel()


def separating_sets(z: np.ndarray, tier: Sequence[int] | None = None) -> dict[tuple[int, int], tuple[int, ...]]:
    """For every pair i < j of latents (n, d) the set that leaves least dependence between them.

    PC search: sets grow from the neighbours that are still adjacent, up to three; a latent of a later tier than both
    ends is never conditioned on, since it can only be an effect.
    """
    measure = _Dependence(normal_scores(z))
    d = z.shape[1]
    tiers = [0] * d if tier is None else list(tier)
    adjacent = {i: set(range(d)) - {i} for i in range(d)}
    least: dict[tuple[int, int], tuple[float, tuple[int, ...]]] = {}
    for size in range(_MAX_CONDITIONING + 1):
        frozen = {i: sorted(neighbours) for i, neighbours in adjacent.items()}
        for i, j in itertools.combinations(range(d), 2):
            if j not in frozen[i]:
                continue
            for given in _candidates(i, j, frozen, tiers, size):
                value = measure(i, j, given)
                if (i, j) not in least or value < least[i, j][0]:
                    least[i, j] = value, given
                if value < _NEGLIGIBLE:
                    adjacent[i].discard(j)
                    adjacent[j].discard(i)
                    break
    return {pair: given for pair, (_, given) in least.items()}


def _candidates(
    i: int, j: int, adjacent: dict[int, list[int]], tiers: list[int], size: int
) -> Iterator[tuple[int, ...]]:
    latest = max(tiers[i], tiers[j])
    tried = set()
    for end, other in ((i, j), (j, i)):
        allowed = [k for k in adjacent[end] if k != other and tiers[k] <= latest]
        for given in itertools.combinations(allowed, size):
            if given not in tried:
                tried.add(given)
                yield given


def _design(z: np.ndarray) -> np.ndarray:
    """Regressors of a conditional density: intercept, features, products of pairs: (n, p) -> (n, q)."""
    n, p = z.shape
    u = np.clip(z, -_BOUND, _BOUND)
    products = [u[:, a] * u[:, b] for a, b in itertools.combinations(range(p), 2)]
    return np.column_stack([np.ones(n), _features(z).reshape(n, -1), *products])


def _log_density(x: np.ndarray, y: np.ndarray, fit: np.ndarray, score: np.ndarray) -> np.ndarray:
    """log N(y | x beta, exp(x gamma)) of the ``score`` people, fitted on the ``fit`` people by ridge regressions."""
    gram = x[fit].T @ x[fit] + np.eye(x.shape[1])
    beta = np.linalg.solve(gram, x[fit].T @ y[fit])
    residual = y - x @ beta
    size = np.log(residual**2 + 1e-3)
    gamma = np.linalg.solve(gram, x[fit].T @ (size[fit] - size[fit].mean()))
    log_variance = np.clip(x @ gamma, -2, 2)
    log_variance += np.log(np.mean(residual[fit] ** 2 * np.exp(-log_variance[fit])))
    return -0.5 * (np.log(2 * np.pi) + log_variance[score] + residual[score] ** 2 * np.exp(-log_variance[score]))


def pair_evidence(z: np.ndarray, i: int, j: int, given: Sequence[int], seed: int = 0) -> tuple[float, float, float]:
    """Evidence (nats per person), its standard error, and the sign of the partial association of i and j given S.

    ``z`` (n, d); people for whom one of the latents is missing are left out.  The densities are Gaussian after
    normal scores, with location and log-scale that are polynomial in the conditioning latents.
    """
    used = [i, j, *given]
    scores = normal_scores(z[~np.isnan(z[:, used]).any(1)][:, used])
    n = len(scores)
    fold = np.random.default_rng(seed).permutation(n) % _FOLDS
    without = scores[:, 2:]
    gain = np.zeros(n)
    for end, other in ((0, 1), (1, 0)):
        small, large = _design(without), _design(np.column_stack([without, scores[:, other]]))
        for f in range(_FOLDS):
            fit, score = np.flatnonzero(fold != f), np.flatnonzero(fold == f)
            y = scores[:, end]
            gain[score] += _log_density(large, y, fit, score) - _log_density(small, y, fit, score)
    gain /= 2
    precision = np.linalg.pinv(np.corrcoef(scores.T))
    return float(gain.mean()), float(gain.std() / np.sqrt(n)), float(-np.sign(precision[0, 1]))


@dataclass(frozen=True)
class _Pair:
    source: int
    target: int
    directed: bool


def _arranged(i: int, j: int, tiers: Sequence[int | None]) -> _Pair:
    """A tier that comes earlier is the source; without that knowledge the pair stays undirected."""
    a, b = tiers[i], tiers[j]
    if a is not None and b is not None and a != b:
        return _Pair(i, j, True) if a < b else _Pair(j, i, True)
    return _Pair(i, j, False)


def link_table(
    z: np.ndarray, names: Sequence[str], tiers: Sequence[int | None], smallest: float, seed: int = 0
) -> pd.DataFrame:
    """Every pair of latents with its evidence, strongest first.

    strength = sqrt(1 - exp(-2 Delta)), the correlation that a linear-Gaussian pair of this evidence would have;
    confidence = P(Delta > smallest) under a normal approximation; direction is ``directed`` only where the tiers
    decide it.
    """
    latest = max([t for t in tiers if t is not None], default=0)
    sets = separating_sets(z, [latest if t is None else t for t in tiers])
    rows = []
    for (i, j), given in sets.items():
        delta, error, sign = pair_evidence(z, i, j, given, seed)
        pair = _arranged(i, j, tiers)
        source, target = names[pair.source], names[pair.target]
        rows.append(
            {
                "source": source,
                "target": target,
                "strength": float(np.sqrt(1 - np.exp(-2 * max(delta, 0.0)))),
                "confidence": float(norm.cdf((delta - smallest) / max(error, 1e-12))),
                "direction": "directed" if pair.directed else "undirected",
                "sign": int(sign),
                "evidence": delta,
                "evidence_se": error,
                "scope": "within" if source.split(".")[0] == target.split(".")[0] else "cross",
            }
        )
    table = pd.DataFrame(rows, columns=LINK_COLUMNS)
    return table.sort_values(["strength", "confidence"], ascending=False, ignore_index=True, kind="stable")
