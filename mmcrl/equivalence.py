"""Equivalence: which directions of a true graph independence in data can decide at all.

Acyclic graphs with the same links and the same unshielded colliders cannot be told apart by (in)dependence among
their variables.  An edge that has one direction in all of them is *compelled*; the others are reversible.
Sources: Verma and Pearl, Equivalence and synthesis of causal models (1990); Meek, Causal inference and causal
explanation with background knowledge (1995), rules 1 to 3, which are complete without background knowledge.
"""

from __future__ import annotations

import itertools

import networkx as nx
import numpy as np
import pandas as pd

from mmcrl.errors import InputError

__all__ = ["compelled", "cpdag"]


def compelled(adjacency: pd.DataFrame) -> pd.DataFrame:
    """The compelled edges alone: ``C[i, j] = 1`` iff j causes i in every graph of the equivalence class.

    Raises
    ------
    InputError : for a graph with a directed cycle.

    >>> names = ["a.0", "b.0", "c.0"]
    >>> collider = pd.DataFrame([[0, 0, 0], [0, 0, 0], [1, 1, 0]], index=names, columns=names)
    >>> int(compelled(collider).to_numpy().sum()), int(compelled(collider.T).to_numpy().sum())
    (2, 0)
    """
    true = _acyclic(adjacency)
    linked = true | true.T
    found = _colliders(true, linked)
    while True:
        further = _forced(found, linked) & ~found
        if not further.any():
            return pd.DataFrame(found.astype(int), index=adjacency.index, columns=adjacency.columns)
        found |= further


def cpdag(adjacency: pd.DataFrame) -> pd.DataFrame:
    """The equivalence class in the package's convention: a reversible link fills both entries.

    >>> names = ["a.0", "b.0"]
    >>> cpdag(pd.DataFrame([[0, 0], [1, 0]], index=names, columns=names)).to_numpy().tolist()
    [[0, 1], [1, 0]]
    """
    true, fixed = _acyclic(adjacency), compelled(adjacency).to_numpy(dtype=bool)
    both = (true | true.T) & ~fixed.T
    return pd.DataFrame(both.astype(int), index=adjacency.index, columns=adjacency.columns)


def _acyclic(adjacency: pd.DataFrame) -> np.ndarray:
    true = adjacency.to_numpy(dtype=bool)
    if not nx.is_directed_acyclic_graph(nx.from_numpy_array(true.T.astype(int), create_using=nx.DiGraph)):
        raise InputError("adjacency", "an acyclic graph", "one with a cycle")
    return true


def _colliders(true: np.ndarray, linked: np.ndarray) -> np.ndarray:
    """Edges into the middle of every i -> k <- j whose ends are not linked."""
    found = np.zeros_like(true)
    for k, row in enumerate(true):
        for i, j in itertools.combinations(np.flatnonzero(row), 2):
            if not linked[i, j]:
                found[k, i] = found[k, j] = True
    return found


def _forced(found: np.ndarray, linked: np.ndarray) -> np.ndarray:
    """What Meek's rules direct next, given the directed edges found so far."""
    forced = np.zeros_like(found)
    for a, b in np.argwhere(linked & ~found & ~found.T):  # is a -> b the only way?
        into_a = found[a] & ~linked[b]
        into_a[b] = False
        between = found[:, a] & found[b]
        around = linked[a] & ~found[a] & ~found[:, a] & found[b]
        apart = any(not linked[c, d] for c, d in itertools.combinations(np.flatnonzero(around), 2))
        forced[b, a] = into_a.any() or between.any() or apart
    return forced
