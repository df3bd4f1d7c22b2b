"""Factors: a Gaussian of few common factors, their number chosen on people whom it was not fitted on.

    r ~ N(0, C),    C = L^T L + Psi,    L (k, f) loadings of k independent standard normal factors, Psi diagonal.

*Maximum likelihood* (`likeliest`) gives every column its own Psi, so that only what columns have in common counts as
a factor.  Where f is too large for that, `principal` takes the k directions along which r varies most, and as Psi what
is left of each place.  In both ``diag(C)`` is the variance of the people fitted, whatever k is.

The number of factors is the least k whose log-likelihood on other people falls short of the best by no more than
one standard error of the difference, person by person.
Sources: Joreskog, Some contributions to maximum likelihood factor analysis (1967), doi:10.1007/BF02289658; Tipping
and Bishop, Probabilistic principal component analysis (1999), doi:10.1111/1467-9868.00196; Hastie, Tibshirani and
Friedman, The Elements of Statistical Learning (2009), section 7.10, for the rule of one standard error.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import minimize
from torch import Tensor

__all__ = ["Factors", "choose", "likeliest", "most_factors", "principal"]

_LEAST_NOISE = 0.005  # of a column's variance: below, a factor that copies one column would have no likelihood
_FARTHEST = 8.0  # standard deviations: a residual beyond counts as that in the choice, which it would rule else
_PATIENCE = 3  # numbers of factors in a row, none better, that end the search
_TINY = 1e-12  # eigenvalue
_VALUES = 2**23  # of products of loadings, held at a time


@dataclass(frozen=True)
class Factors:
    """``N(0, L^T L + diag(noise^2))`` of f columns.

    Parameters
    ----------
    loadings : L (k, f), k from 0.
    noise : standard deviations (f,) of what the factors leave, 0 in a column that does not vary.

    >>> Factors(torch.tensor([[3.0, 0.0]]), torch.tensor([4.0, 1.0])).spread
    tensor([5., 1.])
    """

    loadings: Tensor
    noise: Tensor

    @property
    def dimensions(self) -> int:
        """k."""
        return len(self.loadings)

    @property
    def spread(self) -> Tensor:
        """Standard deviation (f,) of every column."""
        return (self.loadings.square().sum(0) + self.noise.square()).sqrt()

    def draw(self, rng: np.random.Generator, n: int) -> Tensor:
        """n draws (n, f)."""
        like, (k, f) = self.loadings.numpy().dtype, self.loadings.shape
        common, own = (torch.from_numpy(rng.standard_normal((n, size), dtype=like.type)) for size in (k, f))
        return own.mul_(self.noise).addmm_(common, self.loadings)

    def log_density(self, residuals: Tensor) -> Tensor:
        """``log N(r_o; 0, C_oo)`` (n,) in nats of residuals (n, f), o the columns that a person has: not NaN.

        Columns that do not vary are left out.  By the lemmas of Woodbury and Sylvester,
        with ``M = I + L_o Psi_o^-1 L_o^T``,

            r^T C^-1 r = r^T Psi^-1 r - b^T M^-1 b,   b = L Psi^-1 r,      log|C| = log|Psi| + log|M|.
        """
        there = ~residuals.isnan() & (self.noise > 0)
        precision = torch.where(self.noise > 0, self.noise, 1.0) ** -2
        r = torch.where(there, residuals, 0.0)
        scaled = self.loadings * precision
        of_noise = (r.square() * precision - precision.log() + math.log(2 * math.pi)).mul(there).sum(1)
        shared = bool((there == there[:1]).all())  # everybody has the same columns: one M for all
        middle = self._middle(there[:1] if shared else there, scaled)
        root = torch.linalg.cholesky(middle).expand(len(r), -1, -1)
        b = (r @ scaled.T).double()[:, :, None]
        explained = torch.linalg.solve_triangular(root, b, upper=False).square().sum((1, 2))
        size = 2 * root.diagonal(dim1=1, dim2=2).log().sum(1)
        return -0.5 * (of_noise.double() - explained + size)

    def _middle(self, there: Tensor, scaled: Tensor) -> Tensor:
        """M (n, k, k) for people who have these columns (n, f), in float64."""
        k = self.dimensions
        middle = torch.eye(k, dtype=torch.float64).repeat(len(there), 1, 1)
        for columns in torch.arange(len(self.noise)).split(max(1, _VALUES // max(1, k * k))):
            products = (scaled[:, None, columns] * self.loadings[None, :, columns]).flatten(0, 1)
            middle += (there[:, columns].to(products.dtype) @ products.T).double().unflatten(1, (k, k))
        return middle

    def tensors(self) -> dict[str, Tensor]:
        """From which `restored` makes it again."""
        return {"loadings": self.loadings, "noise": self.noise}

    @classmethod
    def restored(cls, kept: Mapping[str, Tensor]) -> Factors:
        """From `tensors`; models saved before there was a choice have a root of C alone, and no other noise."""
        if "root" in kept:
            return cls(kept["root"], torch.zeros_like(kept["root"][0]))
        return cls(kept["loadings"], kept["noise"])


def most_factors(f: int) -> int:
    """As many factors as make the model of f columns as rich as any covariance: Ledermann's bound, rounded up.

    >>> [most_factors(f) for f in (1, 2, 3, 15, 30)]
    [0, 1, 1, 10, 23]
    """
    return max(0, math.ceil(f + (1 - math.sqrt(8 * f + 1)) / 2))


def likeliest(covariance: np.ndarray, k: int) -> Factors:
    """The k factors of maximum likelihood for people of this covariance (f, f), in float64.

    Negative eigenvalues, which pairwise covariances can have, count as 0.  The noise of a column is at least .005 of
    its variance.

    >>> loading = np.array([2.0, 1.0, -1.0, 3.0])
    >>> found = likeliest(np.outer(loading, loading) + np.eye(4), 1)
    >>> (found.loadings.abs().round(decimals=2).tolist(), found.noise.round(decimals=2).tolist())
    ([[2.0, 1.0, 1.0, 3.0]], [1.0, 1.0, 1.0, 1.0])
    """
    spread = np.sqrt(np.diag(covariance))
    vary, loadings = spread > 0, np.zeros((k, len(spread)))
    if k and vary.any():
        values, vectors = _eigen(covariance[np.ix_(vary, vary)] / np.outer(spread[vary], spread[vary]))
        root = vectors * np.sqrt(np.clip(values, 0, None))
        root /= np.linalg.norm(root, axis=1)[:, None]
        loadings[:, vary] = _likeliest_loadings(root @ root.T, k)
    return _completed(torch.from_numpy(loadings * spread), torch.from_numpy(spread**2))


def _likeliest_loadings(correlation: np.ndarray, k: int) -> np.ndarray:
    """L (k, f) of a correlation matrix (f, f): given Psi the likelihood has a closed-form maximum in L, so that with

        theta_1 > ... > theta_f the eigenvalues of Psi^-1/2 R Psi^-1/2:    min  sum_(j > k) theta_j - log theta_j - 1

    over Psi is all that is left to find; scikit-learn's `FactorAnalysis` takes 30 times as long to get there.
    """
    f = len(correlation)

    def loadings(noise: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        root = np.sqrt(noise)
        theta, vectors = _eigen(correlation / np.outer(root, root))
        theta = np.maximum(theta, _TINY)
        return theta[k:], (root[:, None] * vectors[:, :k] * np.sqrt(np.maximum(theta[:k] - 1, 0))).T

    def loss(noise: np.ndarray) -> tuple[float, np.ndarray]:
        rest, found = loadings(noise)
        return float((rest - np.log(rest) - 1).sum()), ((found**2).sum(0) + noise - 1) / noise**2

    unexplained = 1 / np.diag(np.linalg.inv(correlation + 1e-6 * np.eye(f)))  # by all other columns
    start = np.clip((1 - 0.5 * k / f) * unexplained, _LEAST_NOISE, 1)
    bounds = [(_LEAST_NOISE, 1.0)] * f
    return loadings(minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x)[1]


def _eigen(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues (f,), largest first, and vectors (f, f), by torch, which keeps to its number of threads."""
    values, vectors = torch.linalg.eigh(torch.from_numpy(matrix))
    return values.flip(0).numpy(), vectors.flip(1).numpy()


def principal(root: Tensor, variance: Tensor, k: int) -> Factors:
    """The first k rows of a principal root (r, f) as factors, and the rest of the variance (f,) as noise."""
    return _completed(root[:k], variance)


def choose(candidates: Iterable[Callable[[], Factors]], held_out: Tensor) -> tuple[Factors, list[list[float]]]:
    """The first of these, fewest factors first, that is as likely as the best, and the loss of all that were tried.

    ``held_out`` are residuals (n, f), NaN where missing, of people whom no candidate was fitted on; one beyond 8
    standard deviations counts as that.  The loss is the mean of ``-log p`` (nats a person).  The search ends when
    three in a row brought none better.
    """
    tried: list[tuple[Factors, Tensor]] = []
    best, since = math.inf, 0
    for candidate in candidates:
        factors = candidate()
        limit = _FARTHEST * factors.spread
        losses = -factors.log_density(held_out.clamp(-limit, limit))
        tried.append((factors, losses))
        since, best = (0, float(losses.mean())) if losses.mean() < best else (since + 1, best)
        if since == _PATIENCE:
            break
    means = [float(losses.mean()) for _, losses in tried]
    least = tried[int(np.argmin(means))][1]
    excess = ((factors, losses - least) for factors, losses in tried)
    chosen = next(factors for factors, more in excess if float(more.mean()) <= _standard_error(more))
    return chosen, [[factors.dimensions, mean] for (factors, _), mean in zip(tried, means, strict=True)]


def _standard_error(differences: Tensor) -> float:
    n = len(differences)
    return float(differences.std()) / math.sqrt(n) if n > 1 else 0.0


def _completed(loadings: Tensor, variance: Tensor) -> Factors:
    """These loadings with the noise that gives every column its variance; loadings that leave too little shrink."""
    common = loadings.square().sum(0)
    most = (1 - _LEAST_NOISE) * variance
    shrunk = torch.where(common > most, (most / common.clamp_min(1e-30)).sqrt(), 1.0)
    loadings = loadings * shrunk
    return Factors(loadings, (variance - loadings.square().sum(0)).clamp_min(0).sqrt())
