"""Siblings: what sparse links between modalities can show of latents that act on their siblings.

Where siblings act on each other, ``z_i = f(siblings) + g(parents elsewhere) + noise``, the links between modalities
are sparser for ``u_i = z_i - f(siblings)`` than for z_i: once its sibling is known, other modalities tell of z_i only
through u_i.  A latent that other modalities act on is then found as u_i; one that only acts on them as z_i.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from mmcrl.knowledge import modality_of

__all__ = ["less_siblings"]


def less_siblings(latents: pd.DataFrame, adjacency: pd.DataFrame) -> pd.DataFrame:
    """Latents (n, d) less what their siblings cause, for those with parents in another modality.

    f and g are additive, a cubic and a tanh of every parent, by least squares.

    >>> z = np.random.default_rng(0).normal(size=(500, 3))
    >>> columns = pd.MultiIndex.from_tuples([("a", 0), ("b", 0), ("b", 1)])
    >>> adjacency = pd.DataFrame(0, *[["a.0", "b.0", "b.1"]] * 2)
    >>> adjacency.loc["b.0", ["a.0", "b.1"]] = 1
    >>> latents = pd.DataFrame(z @ [[1, 1, 0], [0, 1, 0], [0, 2, 1]], columns=columns)
    >>> round(float(abs(less_siblings(latents, adjacency)["b", 0].corr(latents["b", 1]))), 1)
    0.0
    """
    found = latents.copy()
    names = ["{}.{}".format(*column) for column in latents.columns]
    values = dict(zip(names, latents.to_numpy().T, strict=True))
    for column, name in zip(latents.columns, names, strict=True):
        parents = [parent for parent in adjacency.columns if adjacency.at[name, parent]]
        siblings = [p for p in parents if modality_of(p) == modality_of(name)]
        if siblings and len(siblings) < len(parents):
            own = np.column_stack([_bends(values[p]) for p in siblings])
            others = np.column_stack([_bends(values[p]) for p in parents if p not in siblings])
            design = np.column_stack([own, others, np.ones(len(latents))])
            weights = np.linalg.lstsq(design, values[name], rcond=None)[0]
            found[column] = values[name] - own @ weights[: own.shape[1]]
    return found


def _bends(x: np.ndarray) -> np.ndarray:
    return np.column_stack([x, x**2, x**3, np.tanh(x)])
