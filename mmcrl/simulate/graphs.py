"""Graphs: families of sparse links between modalities.

``A[i, j] = 1`` iff latent j causes latent i; latents are numbered modality by modality, k in each.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from mmcrl.errors import InputError

__all__ = ["GraphFamily", "draw_graph"]

GraphFamily = Literal["sparse", "dense", "chain", "paper"]

_EDGES_OF_CASE_3 = [((0, 0), (1, 0)), ((0, 1), (1, 1)), ((1, 0), (2, 0)), ((1, 1), (2, 1)), ((2, 0), (3, 0))]


def draw_graph(
    rng: np.random.Generator, family: GraphFamily, n_modalities: int, k: int, siblings: bool
) -> np.ndarray:
    """Adjacency (d, d), ``A[i, j] = 1`` iff j causes i, without a latent that is nested in its sibling."""
    for _ in range(1000):
        edges = _draw_cross_edges(rng, family, n_modalities, k)
        if siblings:
            edges += [((m, i), (m, i + 1)) for m in range(0, n_modalities, 2) for i in range(k - 1)]
        adjacency = np.zeros((n_modalities * k, n_modalities * k), dtype=int)
        for (source_m, source), (target_m, target) in edges:
            adjacency[target_m * k + target, source_m * k + source] = 1
        if n_modalities == 1 or not _nested(adjacency, k):
            return adjacency
    raise InputError("graph", "a family that can separate siblings at this size", family)


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


def _nested(adjacency: np.ndarray, k: int) -> bool:
    """Whether some latent's cross-modal neighbourhood is contained in a sibling's: it could not be freed."""
    block = np.arange(len(adjacency)) // k
    neighbours = ((adjacency + adjacency.T) > 0) & (block[:, None] != block[None])
    return any(
        i != j and block[i] == block[j] and not (neighbours[i] & ~neighbours[j]).any()
        for i in range(len(block))
        for j in range(len(block))
    )
