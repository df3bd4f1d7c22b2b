"""Graphs: families of sparse links between modalities.

``A[i, j] = 1`` iff latent j causes latent i; latents are numbered modality by modality, k in each.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from mmcrl.errors import InputError

__all__ = ["Cycles", "GraphFamily", "draw_graph", "draw_rings", "draw_shared"]

GraphFamily = Literal["sparse", "dense", "chain", "paper", "random"]
Cycles = Literal["within", "across"]

_EDGES_OF_CASE_3 = [((0, 0), (1, 0)), ((0, 1), (1, 1)), ((1, 0), (2, 0)), ((1, 1), (2, 1)), ((2, 0), (3, 0))]
_TRIES = 1000
_MOVES = 20_000


def draw_graph(
    rng: np.random.Generator,
    family: GraphFamily,
    n_modalities: int,
    k: int,
    siblings: bool,
    density: float | None = None,
    nested: bool = False,
) -> np.ndarray:
    """Adjacency (d, d), ``A[i, j] = 1`` iff j causes i; no latent nested in its sibling unless ``nested``."""
    block = np.repeat(np.arange(n_modalities), k)
    free = nested or n_modalities == 1
    if family == "random":
        adjacency = _draw_random(rng, block, 2 / (k * n_modalities) if density is None else density, free)
        return _with_siblings(adjacency, k) if siblings else adjacency
    for _ in range(_TRIES):
        adjacency = np.zeros((len(block), len(block)), dtype=int)
        for (source_m, source), (target_m, target) in _draw_cross_edges(rng, family, n_modalities, k):
            adjacency[target_m * k + target, source_m * k + source] = 1
        if free or not _count_nested(adjacency, block):
            return _with_siblings(adjacency, k) if siblings else adjacency
    raise InputError("graph", "a family that can separate siblings at this size", family)


def draw_rings(rng: np.random.Generator, adjacency: np.ndarray, k: int, cycles: Cycles) -> list[list[int]]:
    """Rings of latents, each the cause of the next, the last the cause of the first.

    ``within``: the latents of every modality; ``across``: in every second modality, one latent and one of its causes
    in another.
    """
    block = np.arange(len(adjacency)) // k
    if cycles == "within":
        return [np.flatnonzero(block == m).tolist() for m in np.unique(block)]
    rings = []
    for m in range(1, len(adjacency) // k, 2):
        into = [[int(j), int(i)] for i, j in np.argwhere(adjacency) if block[i] == m != block[j]]
        if into:
            rings.append(into[rng.integers(len(into))])
    if not rings:
        raise InputError("cycles", "a graph with cross-modal links that can be closed to cycles", "none")
    return rings


def draw_shared(rng: np.random.Generator, adjacency: np.ndarray, n_shared: int, outside: np.ndarray) -> np.ndarray:
    """The graph with ``n_shared`` more latents in front, each causing one latent ``outside``, no two the same.

    A latent is outside (bool of shape (d,)) when its modality does not show the shared ones: a link to one that is
    shown together with its cause lies within a modality, where mixing hides it.  Where none is left there is no link.
    """
    targets = rng.permutation(np.flatnonzero(outside))[:n_shared]
    wider = np.pad(adjacency, ((n_shared, 0), (n_shared, 0)))
    wider[n_shared + targets, np.arange(len(targets))] = 1
    return wider


_Edge = tuple[tuple[int, int], tuple[int, int]]


def _draw_cross_edges(rng: np.random.Generator, family: GraphFamily, n_modalities: int, k: int) -> list[_Edge]:
    if family == "paper" and (n_modalities, k) == (4, 2):
        return [*_EDGES_OF_CASE_3, ((0, 1), (3, 1))]
    edges: list[_Edge] = []
    for m in range(1, n_modalities):
        order = rng.permutation(k)
        for i in range(k):
            if family in ("chain", "paper"):
                edges.append(((m - 1, i), (m, i)))
                continue
            edges.append(((int(rng.integers(m)), int(order[i])), (m, i)))
            if family == "dense" and rng.random() < 0.5:
                edges.append(((int(rng.integers(m)), int(rng.integers(k))), (m, i)))
    return edges


def _draw_random(rng: np.random.Generator, block: np.ndarray, density: float, free: bool) -> np.ndarray:
    """This share of all possible links; single links move at random until no latent is nested."""
    possible = np.argwhere(block[:, None] > block[None])
    present = np.zeros(len(possible), dtype=bool)
    present[rng.permutation(len(possible))[: round(density * len(possible))]] = True
    adjacency = np.zeros((len(block), len(block)), dtype=int)
    adjacency[tuple(possible.T)] = present
    if free:
        return adjacency
    count = _count_nested(adjacency, block)
    for _ in range(_MOVES):
        if count == 0:
            return adjacency
        if present.all() or not present.any():
            break
        old, new = rng.choice(np.flatnonzero(present)), rng.choice(np.flatnonzero(~present))
        moved = adjacency.copy()
        moved[tuple(possible[old])], moved[tuple(possible[new])] = 0, 1
        moved_count = _count_nested(moved, block)
        if moved_count <= count:
            adjacency, count = moved, moved_count
            present[[old, new]] = False, True
    raise InputError("density", "one at which siblings can be told apart, or nested=True", f"{density:.3g}")


def _with_siblings(adjacency: np.ndarray, k: int) -> np.ndarray:
    """Links from each latent to the next in every second modality."""
    for start in range(0, len(adjacency), 2 * k):
        for i in range(start, start + k - 1):
            adjacency[i + 1, i] = 1
    return adjacency


def _count_nested(adjacency: np.ndarray, block: np.ndarray) -> int:
    """Latents whose cross-modal neighbourhood is contained in a sibling's (counted by sibling): not to be freed."""
    sibling = block[:, None] == block[None]
    neighbours = (((adjacency + adjacency.T) > 0) & ~sibling).astype(float)
    own = neighbours @ (1 - neighbours).T  # [i, j]: neighbours of i that j lacks
    return int(((own == 0) & sibling & ~np.eye(len(block), dtype=bool)).sum())
