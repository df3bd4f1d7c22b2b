"""Significance: how many of the links that are claimed may be false.

The evidence Delta of a pair (`mmcrl.evidence`) is 0 on average, or a little below, for a pair that is independent
given the latents in S, whose densities are of the form that is fitted.  But latents are estimates.  Where S is
known with errors it explains only a part of what i and j have in common, and a gain is left that is no link: for
linear-Gaussian latents, R the correlations that are seen and lambda the share of their variance that is error, a
partial correlation of

    rho = R_iS [(R_SS - lambda I)^-1 - R_SS^-1] R_Sj / sqrt((1 - R_iS R_SS^-1 R_Si) (1 - R_jS R_SS^-1 R_Sj)),

or ``delta = -1/2 log(1 - rho^2)`` nats.  It is allowed for with lambda = 0.1 (latents of an R2 of .9): with Z
standard normal, the p-value of H0: Delta <= delta is

    p = P(Z >= (Delta_hat - delta) / se).

It is too large rather than too small for latents that are known better, as far as dependence is linear: what an error
of S leaves of an even one, such as by s^2, is not allowed for (the page on trust measures the rates).

Two siblings are told apart by their links alone, and how far they are turned is known up to an error of its own: one
carries a little of the other, which looks like a link between them.  Where each has a share kappa of the other's
variance, independent latents correlate by

    rho = 2 sqrt(kappa (1 - kappa)),

which is allowed for with kappa = 0.01, a turn of six degrees each: .02 nats.

The q-value of a pair is the least false-discovery rate at which it would be claimed (Benjamini and Hochberg,
Controlling the false discovery rate, 1995): with p_(1) <= ... <= p_(m),

    q_(k) = min over l >= k of  p_(l) m / l.

Links between modalities and links within them are two families, each with its own rate: what is true of most pairs of
the one says little of the other (Efron, Simultaneous inference: when should hypothesis testing problems be combined?,
2008).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control, norm

from mmcrl.evidence import pair_scores, tellable

__all__ = ["BLEND", "SHARE", "allowance", "p_value", "q_values"]

_ERROR = 0.1  # share of a latent's variance that may be error
SHARE = 0.01  # of a sibling's variance that a latent may carry; whole fits of sound worlds left up to .02 nats
BLEND = -0.5 * math.log(1 - 4 * SHARE * (1 - SHARE))  # nats between independent siblings that carry such a share
_LEAST = 0.005  # eigenvalue of R_SS - lambda I: what siblings that are nearly one latent differ by may be all error
_RIDGE = 1e-6  # of correlations: two latents may be one and the same


def allowance(z: np.ndarray, i: int, j: int, given: Sequence[int], error: float = _ERROR) -> float:
    """The gain (nats) that is left between i and j when the latents S that separate them are known with errors.

    ``z`` (n, d), of whom those count that have all of them; 0 where S is empty, or these are too few to tell.

    >>> k = np.random.default_rng(0).normal(size=(4000, 1))
    >>> z = np.hstack([k, k, k]) + 0.5 * np.random.default_rng(1).normal(size=(4000, 3))
    >>> allowance(z, 0, 1, []), round(allowance(z, 0, 1, [2]), 2)
    (0.0, 0.02)
    """
    if not given:
        return 0.0
    scores, _ = pair_scores(z, i, j, given)
    if not tellable(scores) or scores.shape[1] == 2:
        return 0.0
    seen = np.corrcoef(scores.T)
    ends, between = seen[:2, 2:], seen[2:, 2:]
    values, vectors = np.linalg.eigh(between)
    values, parts = np.maximum(values, _RIDGE), ends @ vectors
    partial = seen[:2, :2] - (parts / values) @ parts.T
    left = (parts[0] * error / (values * np.maximum(values - error, _LEAST))) @ parts[1]
    rho_squared = left**2 / max(partial[0, 0] * partial[1, 1], _RIDGE)
    return float(-0.5 * np.log(1 - min(rho_squared, 0.9)))


def p_value(evidence: float, error: float, allowed: float = 0.0) -> float:
    """One-sided p-value of evidence with this standard error, where so much is allowed for (all in nats).

    >>> round(p_value(0.0164, 0.01), 3), round(p_value(0.0164, 0.01, 0.0164), 3), p_value(-0.1, 0.0)
    (0.051, 0.5, 1.0)
    """
    return float(norm.sf((evidence - allowed) / max(error, 1e-12)))


def q_values(links: pd.DataFrame) -> np.ndarray:
    """The q-value of every link by its p_value, among those of its scope; NaN where a pair was not tested.

    >>> links = pd.DataFrame({"p_value": [0.01, 0.5, np.nan], "scope": "cross"})
    >>> q_values(links)
    array([0.02, 0.5 ,  nan])
    """
    p, scope = links["p_value"].to_numpy(float), links["scope"].to_numpy()
    q = np.full(len(p), np.nan)
    for name in pd.unique(scope):
        family = ~np.isnan(p) & (scope == name)
        if family.any():
            q[family] = false_discovery_control(p[family], method="bh")
    return q
