"""PCs: several graphs on the same latents, and PC on the true ones as what it can reach."""

from __future__ import annotations

from typing import Any

import pandas as pd

from mmcrl import metrics
from mmcrl.baselines import pc_graph
from mmcrl.equivalence import compelled, cpdag
from mmcrl.model import MultimodalCRL
from mmcrl.proof.points import across, claims
from mmcrl.simulate.suite import parts, suite

__all__ = ["GRAPHS", "compare_graphs"]

GRAPHS = {
    "evidence": "our evidence",
    "learned": "our learned adjacency",
    "pc": "PC, stronger collider first",
    "pc_default": "PC, library default",
    "true_pc": "PC on the true latents",
    "true_pc_default": "PC on the true latents, library default",
}


def compare_graphs(
    world: str, seed: int = 0, n_people: int = 10_000, alpha: float = 0.01, **training: Any
) -> dict[str, float | int]:
    """Distances of every graph of `GRAPHS` to the truth; keys are ``GRAPH_MEASURE``.

    ``cross`` and ``within`` ignore directions; ``class`` compares links between modalities with the true equivalence
    class, in which reversible links are undirected; ``claimed`` and ``right`` count directed links, and ``decided``
    those among the ``n_identifiable`` that are directed in the class.  PC is given the latents of all people to learn
    from.
    """
    made = suite(world, n_people, seed)
    train, held_out = parts(made)
    model = MultimodalCRL(made.n_latents, seed, **training).fit(train, progress=False)
    held = made.latents.loc[held_out.ids], model.transform(held_out)
    matching = metrics.match(*held)
    codes, truth = model.transform(train), made.latents.loc[train.ids]
    graphs = {
        "evidence": metrics.align(model.adjacency(), matching),
        "learned": metrics.align(cpdag(model.structure.adjacency), matching),
        "pc": metrics.align(pc_graph(codes, alpha, 3), matching),
        "pc_default": metrics.align(pc_graph(codes, alpha, 2), matching),
        "true_pc": pc_graph(truth, alpha, 3),
        "true_pc_default": pc_graph(truth, alpha, 2),
    }
    numbers: dict[str, float | int] = {"mcc": metrics.mcc(*held), "angle_worst": float(metrics.angle(*held).max())}
    numbers["n_links"] = int(made.adjacency.to_numpy().sum())
    numbers["n_identifiable"] = int(across(compelled(made.adjacency)).to_numpy().sum())
    for name, graph in graphs.items():
        numbers |= {f"{name}_{key}": value for key, value in _distances(made.adjacency, graph).items()}
    return numbers


def _distances(true: pd.DataFrame, found: pd.DataFrame) -> dict[str, float | int]:
    counts = claims(true, found.loc[true.index, true.index])
    return {
        "cross": metrics.shd(true, found, skeleton=True, scope="cross"),
        "within": metrics.shd(true, found, skeleton=True, scope="within"),
        "class": metrics.shd(cpdag(true), found, scope="cross"),
        "claimed": counts["n_claimed"],
        "right": counts["n_claimed_right"],
        "decided": counts["n_identifiable_claimed"],
    }
