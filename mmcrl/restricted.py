"""Restricted likelihood: the factors that are likeliest, of a covariance that tells nothing along some directions.

The model and what is maximised are those of `mmcrl.factors`.  Given Psi the maximum in L has a closed form: with
theta_1 > theta_2 > ... the eigenvalues of Psi^-1/2 S Psi^-1/2 less its part along Psi^-1/2 W^T, and v their vectors,

    L_j = sqrt(theta_j - 1) v_j Psi^1/2   where theta_j > 1,  else 0,
    loss(Psi) = log|Psi| + log|W Psi^-1 W^T| + sum_(j <= k) (1 + log theta_j) + sum_(j > k) theta_j,

and what remains is a descent in Psi.  (scikit-learn's `FactorAnalysis` takes 30 times as long to the same place
without W, and has no W.)
Source: Joreskog, Some contributions to maximum likelihood factor analysis (1967), doi:10.1007/BF02289658; what lies
along W is ours to leave out.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy.optimize import minimize
from torch import Tensor

from mmcrl.factors import LEAST_NOISE, Factors

__all__ = ["likeliest", "most_factors"]

_NEAR, _FLAT = 1e-7, 1e-4  # share of the loss, and slope, at which a descent ends: people differ by far more
_MOST_NOISE = 10.0  # of a column's variance, which is less than its noise where latents take much of that up


def most_factors(f: int) -> int:
    """As many factors as make the model of f columns as rich as any covariance: Ledermann's bound, rounded up.

    >>> [most_factors(f) for f in (1, 2, 3, 15, 30)]
    [0, 1, 1, 10, 23]
    """
    return max(0, math.ceil(f + (1 - math.sqrt(8 * f + 1)) / 2))


def likeliest(covariance: np.ndarray, along: np.ndarray, read: np.ndarray, k: int) -> Factors:
    """The k factors of maximum likelihood for residuals of this covariance (f, f), given W and B (d, f), in float64.

    The noise of a column is at least .005 of its variance.

    >>> loading = np.array([2.0, 1.0, -1.0, 3.0])
    >>> found = likeliest(np.outer(loading, loading) + np.eye(4), np.empty((0, 4)), np.empty((0, 4)), 1)
    >>> (found.loadings.abs().round(decimals=2).tolist(), found.noise.round(decimals=2).tolist())
    ([[2.0, 1.0, 1.0, 3.0]], [1.0, 1.0, 1.0, 1.0])
    """
    spread = np.sqrt(np.diag(covariance))
    vary, scale = spread > 0, torch.from_numpy(spread)
    loadings, noise = torch.zeros(k, len(spread), dtype=torch.float64), torch.zeros_like(scale)
    if vary.any():
        standard = torch.from_numpy(covariance[np.ix_(vary, vary)] / np.outer(spread[vary], spread[vary]))
        found = _Restricted(standard, torch.from_numpy(along[:, vary] / spread[vary]), k).solution()
        loadings[:, vary], noise[vary] = found
    shown, known = (torch.from_numpy(np.where(vary, of, 0.0)) for of in (along, read))
    fitted = Factors(loadings * scale, noise * scale, shown, known)
    ratio = torch.where(scale > 0, scale / fitted.spread.clamp_min(1e-30), 1.0)  # which makes the spread exact
    return Factors(fitted.loadings * ratio, fitted.noise * ratio, shown * ratio, known / ratio)


class _Restricted:
    """The restricted likelihood of a correlation matrix (f, f), concentrated on the noise of every column."""

    def __init__(self, correlation: Tensor, along: Tensor, k: int) -> None:
        self.correlation, self.along, self.k = correlation, along, k

    def solution(self) -> tuple[Tensor, Tensor]:
        """Loadings (k, f) and noise (f,), as standard deviations."""
        f = len(self.correlation)
        unexplained = torch.linalg.inv(self.correlation + 1e-3 * torch.eye(f, dtype=torch.float64)).diagonal() ** -1
        start = unexplained.clamp(LEAST_NOISE, 1.0).log().numpy()
        bounds = [(math.log(LEAST_NOISE), math.log(_MOST_NOISE))] * f
        logs = minimize(
            self._loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": _NEAR, "gtol": _FLAT}
        ).x
        root = torch.from_numpy(np.exp(logs / 2))
        theta, vectors = torch.linalg.eigh(self._rest(root)[0])
        theta, vectors = theta.flip(0)[: self.k], vectors.flip(1)[:, : self.k]
        return ((theta - 1).clamp_min(0).sqrt() * vectors).T * root, root

    def _loss(self, logs: np.ndarray) -> tuple[float, np.ndarray]:
        at = torch.from_numpy(logs).requires_grad_()
        with torch.enable_grad():
            rest, size = self._rest((at / 2).exp())
            theta = torch.linalg.eigvalsh(rest).flip(0)[: len(at) - len(self.along)]
            common, left = theta[: self.k], theta[self.k :]
            found = torch.where(common > 1, common.clamp_min(1).log() + 1, common).sum() + left.sum()
            loss = at.sum() + size + found
            (slope,) = torch.autograd.grad(loss, at)
        return float(loss.detach()), slope.numpy()

    def _rest(self, root: Tensor) -> tuple[Tensor, Tensor]:
        """The correlations in units of the noise less what lies along W (f, f), and ``log|W Psi^-1 W^T|``."""
        whole = self.correlation / (root[:, None] * root)
        if not len(self.along):
            return whole, root.new_zeros(())
        q, triangle = torch.linalg.qr((self.along / root).T)
        without = whole - q @ (q.T @ whole)
        return without - (without @ q) @ q.T, 2 * triangle.diagonal().abs().log().sum()
