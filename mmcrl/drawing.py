"""Drawing: which level a column takes, from the probability of each and a rank that is the person's own.

A person with rank u in (0, 1) takes the first level l_k with ``P(x <= l_k) >= u``.  A *counterfactual* keeps the
rank: of someone seen at level l_k it is drawn within ``(P(x < l_k), P(x <= l_k)]``, so that whoever's probabilities
do not change stays at that level.  Data do not decide this: other ways to couple the two worlds have the same
probabilities in each.  In this one nobody moves down where the likelihood moves up; for categories, which have no
order, it is arbitrary.
"""

from __future__ import annotations

import numpy as np

__all__ = ["at_levels", "drawn_levels", "redrawn_levels"]

_SAME = 1e-6  # of a level: single and double precision of one number differ by less


def at_levels(values: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Bool (n, K): at which level values (n,) are; at none those that are missing or lie between levels.

    The nearest one, if it is the same number but for the precision that either was kept in.

    >>> at_levels(np.array([0.1, np.float32(0.2), 0.15]), np.array([np.float32(0.1), 0.2])).tolist()
    [[True, False], [False, True], [False, False]]
    """
    away = np.abs(values.astype(np.float64)[:, None] - levels)
    nearest = away.argmin(1)[:, None] == np.arange(len(levels))
    return nearest & (away <= _SAME * np.abs(levels))


def drawn_levels(probabilities: np.ndarray, levels: np.ndarray, rank: np.ndarray) -> np.ndarray:
    """Levels (n,) of people with probabilities (n, K) and ranks (n,); NaN where a probability is.

    >>> drawn_levels(np.array([[0.2, 0.8], [0.2, 0.8]]), np.array([0.0, 1.0]), np.array([0.1, 0.9])).tolist()
    [0.0, 1.0]
    """
    below = np.cumsum(probabilities, axis=1)[:, :-1]
    values = levels[(rank[:, None] > below).sum(1)]
    return np.where(np.isnan(probabilities).any(1), np.nan, values)


def redrawn_levels(
    before: np.ndarray, after: np.ndarray, levels: np.ndarray, values: np.ndarray, luck: np.ndarray
) -> np.ndarray:
    """Levels (n,) that people seen at ``values`` (n,) take when probabilities ``before`` (n, K) become ``after``.

    ``luck`` (n,) in (0, 1) says where in their level they are.  NaN where a probability or the value is missing, and
    where a value that is no level would have to move.
    """
    known = at_levels(values, levels)
    edges = np.column_stack([np.zeros(len(before)), np.cumsum(before, axis=1)])
    at, rows = known.argmax(1), np.arange(len(before))
    low, high = edges[rows, at], edges[rows, at + 1]
    moved = drawn_levels(after, levels, low + luck * (high - low))
    moved = np.where(known.any(1) & ~np.isnan(low), moved, np.nan)
    return np.where((before == after).all(1), values, moved)
