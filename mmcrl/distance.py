"""Distance: in how many pairs of latents two graphs differ.

An adjacency is square with ``A[i, j] = 1`` iff latent j causes latent i; an undirected link fills both entries.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

import numpy as np
import pandas as pd

from mmcrl.errors import InputError

__all__ = ["Scope", "align", "shd"]

Scope = Literal["all", "cross", "within"]


def shd(
    true_adjacency: pd.DataFrame | np.ndarray,
    estimated_adjacency: pd.DataFrame | np.ndarray,
    *,
    skeleton: bool = False,
    scope: Scope = "all",
) -> int:
    """Structural Hamming distance: pairs i < j whose state ``(A_ij, A_ji)`` differs; a reversal counts once.

    With ``skeleton`` directions are ignored: the state is ``A_ij or A_ji``.  ``scope`` keeps the pairs across or
    within modalities, by labels ``modality.number``.  An undirected link differs from a directed one, unless
    ``skeleton``.  Tables may hold their labels in any order; arrays are compared entry by entry.  The diagonal is
    not looked at.

    Labels say which latent is which, and the numbers that an estimator gives its latents are arbitrary: give an
    estimate the true names first, ``align(model.adjacency(), match(true, estimated))`` of `mmcrl.metrics`.  A true
    latent that a table of the estimate lacks has no link in it, so that its links count as missed.

    Raises
    ------
    InputError : for other shapes, labels that the truth lacks, a table beside an array, entries that are not 0 or 1,
        an unknown scope, a scope of arrays.

    Source: Tsamardinos, Brown and Aliferis, The max-min hill-climbing Bayesian network structure learning algorithm
    (2006), doi:10.1007/s10994-006-6889-7.

    >>> shd(np.array([[0, 0], [1, 0]]), np.array([[0, 1], [0, 0]]))
    1
    >>> shd(np.array([[0, 0], [1, 0]]), np.array([[0, 1], [0, 0]]), skeleton=True)
    0
    """
    if scope not in get_args(Scope):
        raise InputError("scope", "all, cross or within", repr(scope))
    first, second = _square("true_adjacency", true_adjacency), _square("estimated_adjacency", estimated_adjacency)
    labelled = isinstance(true_adjacency, pd.DataFrame)
    if labelled != isinstance(estimated_adjacency, pd.DataFrame):
        expected = "a table whose labels are names of the truth" if labelled else "an array, without labels"
        raise InputError(
            "estimated_adjacency", f"{expected}, as true_adjacency is", type(estimated_adjacency).__name__
        )
    if not labelled and len(first) != len(second):
        raise InputError("estimated_adjacency", f"shape {first.shape}", f"{second.shape}")
    if unknown := [label for label in second.index if label not in first.index]:
        expected = f"labels among {list(first.index)}, as `align` gives them"
        raise InputError("estimated_adjacency", expected, repr(unknown[0]))
    a = first.to_numpy(dtype=bool)
    b = second.reindex(index=first.index, columns=first.index, fill_value=0).to_numpy(dtype=bool)
    if skeleton:
        a, b = a | a.T, b | b.T
    differs = np.triu((a != b) | (a != b).T, 1)
    if scope != "all":
        modality = np.array([_modality(label) for label in first.index])
        same = modality[:, None] == modality[None]
        differs &= same if scope == "within" else ~same
    return int(differs.sum())


def align(adjacency: pd.DataFrame, matching: Mapping[str, str]) -> pd.DataFrame:
    """An estimated adjacency in the order and names of the true latents; unmatched ones of either are left out.

    ``matching`` goes from true to estimated names, as `mmcrl.metrics.match` gives it.

    Raises
    ------
    InputError : when a matched latent is not in the adjacency.

    >>> seen = pd.DataFrame([[0, 0], [1, 0]], index=["a.1", "a.0"], columns=["a.1", "a.0"])
    >>> align(seen, {"a.0": "a.1", "a.1": "a.0"}).loc["a.1", "a.0"].item()
    1
    """
    missing = [name for name in matching.values() if name not in adjacency.index]
    if missing:
        raise InputError("matching", f"names among {list(adjacency.index)}", repr(missing[0]))
    estimated = list(matching.values())
    names = list(matching)
    return adjacency.loc[estimated, estimated].set_axis(names, axis=0).set_axis(names, axis=1)


def _modality(label: object) -> str:
    modality, dot, _ = str(label).rpartition(".")
    if not dot:
        raise InputError("scope", "tables with labels modality.number", f"the label {label!r}")
    return modality


def _square(argument: str, given: pd.DataFrame | np.ndarray) -> pd.DataFrame:
    if np.ndim(given) != 2:
        raise InputError(argument, "a square matrix", f"shape {np.shape(given)}")
    frame = pd.DataFrame(given)
    same = list(frame.index) == list(frame.columns)
    if not (same and frame.index.is_unique):
        labels = f"shape {frame.shape}" if frame.shape[0] != frame.shape[1] else "others"
        raise InputError(argument, "a square matrix whose rows and columns have the same, unique labels", labels)
    if not frame.isin([0, 1]).to_numpy().all():
        raise InputError(argument, "entries 0 or 1", "other values")
    return frame
