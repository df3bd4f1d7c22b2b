"""Synthetic worlds: people whose latents, links and mixing are known, to check an estimator against.

Latents follow `mmcrl.simulate.mechanisms` along a graph of `mmcrl.simulate.graphs`; each modality shows
``x = mixing(z_modality, private noise)`` through a wide, injective network.  Within-modality links are absent by
default: correlated siblings flatter every score.
Source of the three cases: Sun et al. (2025), arXiv:2411.06518, section 6.1; the generators are rebuilt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd

from mmcrl.cohort import Cohort, Modality
from mmcrl.errors import InputError
from mmcrl.simulate.graphs import GraphFamily, draw_graph
from mmcrl.simulate.mechanisms import Mechanisms, Noise
from mmcrl.simulate.mixing import mix

__all__ = ["GraphFamily", "Noise", "World", "case", "numeric"]


@dataclass(frozen=True)
class World:
    """A cohort together with the truth behind it.

    ``latents`` has one column per (modality, latent) and the cohort's ids as index; ``adjacency`` is square with
    ``adjacency.loc["b.0", "a.1"] == 1`` iff latent 1 of modality a causes latent 0 of modality b.
    """

    cohort: Cohort
    latents: pd.DataFrame
    adjacency: pd.DataFrame
    n_latents: dict[str, int]
    settings: dict[str, object]


def case(number: int, n: int = 10_000, seed: int = 0, **settings: object) -> World:
    """One of the paper's three numerical cases (rebuilt): 2 x 2 latents, 2 x 3 latents, 4 x 2 latents.

    They show 15, 20 and 30 columns per modality and one private variable each.

    >>> case(3, n=100).adjacency.shape
    (8, 8)
    """
    shapes = {1: (2, 2, 15), 2: (2, 3, 20), 3: (4, 2, 30)}
    if number not in shapes:
        raise InputError("number", "1, 2 or 3", repr(number))
    n_modalities, n_latents, n_columns = shapes[number]
    defaults = {"graph": "paper", "n_columns": n_columns}
    return numeric(n_modalities, n_latents, n, seed, **{**defaults, **settings})  # type: ignore[arg-type]


def numeric(
    n_modalities: int = 2,
    n_latents: int = 2,
    n: int = 10_000,
    seed: int = 0,
    *,
    graph: GraphFamily = "sparse",
    n_columns: int = 15,
    n_private: int = 1,
    noise: Noise = "laplace",
    strength: float = 0.85,
    curvature: float = 0.6,
    heteroscedasticity: float = 0.4,
    within: float = 0.0,
) -> World:
    """Simulate ``n`` people seen through ``n_modalities`` tables of ``n_columns`` columns.

    Parameters
    ----------
    graph : ``sparse`` (every latent has one parent in an earlier modality), ``dense`` (half of them a second one),
        ``chain`` (the parent is the same-numbered latent of the modality before), ``paper`` (chain, and case 3's
        extra link when there are four modalities of two).
    noise : distribution of the exogenous noise, unit variance.
    strength : correlation of a latent with its location, in [0, 1).
    curvature : curvature of each monotone location; 0 is linear.
    heteroscedasticity : how far the parents move the noise's scale; 0 is constant noise.
    within : strength of links between siblings of every second modality, relative to the cross-modal ones.

    Raises
    ------
    InputError : for a count below 1, an unknown family or noise, a strength outside [0, 1).

    >>> world = numeric(n=200, seed=1)
    >>> world.latents.shape, int(world.adjacency.to_numpy().sum())
    ((200, 4), 2)
    """
    settings = {k: v for k, v in locals().items() if k != "n"}
    _check(n_modalities=n_modalities, n_latents=n_latents, n=n, n_columns=n_columns)
    if graph not in get_args(GraphFamily):
        raise InputError("graph", f"one of {get_args(GraphFamily)}", repr(graph))
    if noise not in get_args(Noise):
        raise InputError("noise", f"one of {get_args(Noise)}", repr(noise))
    if not (0 <= strength < 1 and 0 <= within < 1):
        raise InputError("strength, within", "numbers in [0, 1)", f"{strength}, {within}")
    if n_columns < n_latents + n_private:
        raise InputError("n_columns", f"at least {n_latents + n_private} columns", repr(n_columns))

    rng = np.random.default_rng(seed)
    adjacency = draw_graph(rng, graph, n_modalities, n_latents, within > 0)
    mechanisms = Mechanisms.draw(rng, adjacency, n_latents, noise, strength, curvature, heteroscedasticity, within)
    z = mechanisms.sample(np.random.default_rng([seed, 1]), n)
    names = [chr(ord("a") + m) if n_modalities <= 26 else f"m{m}" for m in range(n_modalities)]
    ids = pd.RangeIndex(n, name="person")
    modalities = {}
    for m, name in enumerate(names):
        sources = np.column_stack([z[:, m * n_latents : (m + 1) * n_latents], rng.normal(size=(n, n_private))])
        modalities[name] = Modality(mix(rng, sources, n_columns), names=[f"{name}{i}" for i in range(n_columns)])
    labels = [f"{name}.{i}" for name in names for i in range(n_latents)]
    columns = pd.MultiIndex.from_product([names, range(n_latents)], names=["modality", "latent"])
    return World(
        cohort=Cohort(modalities, ids=ids, name=f"{graph} world, seed {seed}"),
        latents=pd.DataFrame(z, index=ids, columns=columns),
        adjacency=pd.DataFrame(adjacency, index=labels, columns=labels),
        n_latents=dict.fromkeys(names, n_latents),
        settings=settings,
    )


def _check(**counts: int) -> None:
    for name, value in counts.items():
        if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1:
            raise InputError(name, "a whole number of at least 1", repr(value))
