"""Bench: seconds and memory of one fit, by number of people and of modalities."""

from __future__ import annotations

from typing import Any

from mmcrl.baselines import named, pc_graph
from mmcrl.cohort import Cohort
from mmcrl.model import MultimodalCRL
from mmcrl.proof.usage import watched
from mmcrl.simulate import World, numeric

__all__ = ["cost"]


def cost(
    method: str, n_people: int, n_modalities: int, seed: int = 0, n_columns: int = 30, **training: Any
) -> dict[str, float]:
    """Seconds and memory (MB) of fitting one method to a sparse world of two latents per modality.

    ``added_mb`` is what the fit needs at most beyond the data and the libraries.  ``PC`` is the graph of causal-learn
    on FastICA's latents, FastICA included.
    """
    world = numeric(n_modalities, 2, n_people, seed, n_columns=n_columns)
    with watched() as used:
        _fit(method, world, seed, training)
    return {
        "seconds": round(used.seconds, 2),
        "peak_mb": round(used.peak_mb),
        "added_mb": round(used.added_mb),
        "n_rows": len(world.cohort),
        "n_columns": n_columns * n_modalities,
    }


def _fit(method: str, world: World, seed: int, training: dict[str, Any]) -> None:
    cohort: Cohort = world.cohort
    if method == "mmcrl":
        MultimodalCRL(world.n_latents, seed, **training).fit(cohort, progress=False)
    elif method == "PC":
        pc_graph(named("FastICA", world.n_latents, seed, world.latents).fit(cohort).transform(cohort))
    else:
        named(method, world.n_latents, seed, world.latents, **training).fit(cohort)
