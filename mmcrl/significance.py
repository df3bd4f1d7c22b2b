"""Significance: how many of the links that are claimed may be false.

The evidence Delta of a pair (`mmcrl.evidence`) is a gain on people whom the densities were not fitted on: for a pair
that is independent given the other latents its mean is at most 0, below 0 by what needless regressors cost.  With
Z standard normal, the p-value of H0: Delta <= 0 is

    p = P(Z >= Delta_hat / se).

It is too large rather than too small under independence (the page on trust measures it), and stays so where little
dependence is left because latents are known with noise: a gain must pay for what predicts it.  The q-value of a pair
is the least false-discovery rate at which it would be claimed (Benjamini and Hochberg, Controlling the false
discovery rate, 1995): with p_(1) <= ... <= p_(m),

    q_(k) = min over l >= k of  p_(l) m / l.

Links between modalities and links within them are two families, each with its own rate: what is true of most pairs of
the one says little of the other (Efron, Simultaneous inference: when should hypothesis testing problems be combined?,
2008).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import false_discovery_control, norm

from mmcrl.adjacency import unlinked

__all__ = ["p_values", "q_values"]


def p_values(evidence: ArrayLike, error: ArrayLike) -> np.ndarray:
    """One-sided p-values (m,) of evidence (m,) with standard errors (m,), both in nats; NaN where one is NaN.

    >>> p_values([0.0, 0.0164, -0.01], [0.01, 0.01, 0.0]).round(2)
    array([0.5 , 0.05, 1.  ])
    """
    return np.asarray(norm.sf(np.asarray(evidence, float) / np.maximum(np.asarray(error, float), 1e-12)))


def q_values(links: pd.DataFrame) -> np.ndarray:
    """The q-value of every link, by scope: of the pairs with ``q <= 0.05`` about one in twenty or fewer are false.

    ``links`` has evidence, evidence_se, scope, direction and rests_on.  A pair that is forbidden both ways is not
    tested: NaN.  A required link is tested like any other, and keeps its confidence of 1 whatever comes out.

    >>> columns = ["evidence", "evidence_se", "scope", "direction", "rests_on"]
    >>> rows = [(0.0233, 0.01, "cross", "undirected", "none"), (0.0, 0.01, "cross", "undirected", "none")]
    >>> q_values(pd.DataFrame(rows, columns=columns)).round(2)
    array([0.02, 0.5 ])
    """
    p = p_values(links["evidence"], links["evidence_se"])
    tested = ~(unlinked(links).to_numpy(bool) | np.isnan(p))
    q, scope = np.full(len(p), np.nan), links["scope"].to_numpy()
    for name in pd.unique(scope):
        family = tested & (scope == name)
        if family.any():
            q[family] = false_discovery_control(p[family], method="bh")
    return q
