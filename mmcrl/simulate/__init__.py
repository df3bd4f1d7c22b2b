"""Synthetic worlds: people whose latents, links and mixing are known, to check an estimator against.

Latents follow `mmcrl.simulate.mechanisms` along a graph of `mmcrl.simulate.graphs`, with feedback
(`mmcrl.simulate.feedback`) where cycles are asked for; each modality shows
``x = mixing(z_modality, z_shared, private noise)`` through a wide, injective network.  Within-modality links are
absent by default: correlated siblings flatter every score.
`phenotype` has images, nights and tables instead: `mmcrl.simulate.phenotyping`; `variant_mnist` two pictures:
`mmcrl.simulate.variant`; `sketches` a picture, a night and a table, drawn plainly: `mmcrl.simulate.sketches`.
Source of the three cases: Sun et al. (2025), arXiv:2411.06518, section 6.1; the generators are rebuilt.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from mmcrl.cohort import Cohort, Modality
from mmcrl.errors import InputError, check_whole
from mmcrl.simulate.checks import check_settings
from mmcrl.simulate.feedback import Feedback, close_rings, components
from mmcrl.simulate.graphs import Cycles, GraphFamily, draw_graph, draw_rings, draw_shared
from mmcrl.simulate.mechanisms import Equations, Mechanisms
from mmcrl.simulate.missing import draw_missing
from mmcrl.simulate.mixing import Mixing, mix
from mmcrl.simulate.noise import Noise, draw_noise
from mmcrl.simulate.phenotyping import phenotype
from mmcrl.simulate.sketches import sketches
from mmcrl.simulate.variant import variant_mnist
from mmcrl.simulate.world import SHARED, World, latent_columns

__all__ = [
    "Cycles",
    "GraphFamily",
    "Noise",
    "World",
    "case",
    "numeric",
    "phenotype",
    "sketches",
    "undecidable",
    "variant_mnist",
]


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


def undecidable(
    n_modalities: int = 2,
    n_latents: int = 2,
    n: int = 10_000,
    seed: int = 0,
    *,
    n_columns: int = 15,
    n_private: int = 1,
    strength: float = 0.85,
) -> World:
    """A world whose components nobody can find: linear, Gaussian, one-to-one links of one strength in a chain.

    The latents' covariance between successive modalities is ``strength * diag(+-1)``, and every block is standard
    normal.  A rotation of one block, carried on to the others, leaves the distribution as it is, so the blocks are
    all there is to find, and MCC is a matter of chance: `World.floor`.

    Raises
    ------
    InputError : as `numeric`, and for fewer than 2 modalities or latents, which leave nothing undecided.

    >>> undecidable(n=100, seed=1).settings["noise"]
    'gaussian'
    """
    for name, value in (("n_modalities", n_modalities), ("n_latents", n_latents)):
        check_whole(name, value, 2)
    return numeric(
        n_modalities,
        n_latents,
        n,
        seed,
        graph="chain",
        n_columns=n_columns,
        n_private=n_private,
        noise="gaussian",
        strength=strength,
        curvature=0.0,
        heteroscedasticity=0.0,
    )


def numeric(
    n_modalities: int = 2,
    n_latents: int = 2,
    n: int = 10_000,
    seed: int = 0,
    *,
    graph: GraphFamily = "sparse",
    n_columns: int = 15,
    n_private: int = 1,
    mixing: Mixing = "curved",
    noise: Noise = "laplace",
    strength: float = 0.85,
    curvature: float = 0.6,
    heteroscedasticity: float = 0.4,
    within: float = 0.0,
    density: float | None = None,
    nested: bool = False,
    cycles: Cycles | None = None,
    feedback: float = 0.5,
    shared: int = 0,
    shared_by: int = 2,
    missing: float = 0.0,
    steps: bool = False,
) -> World:
    """Simulate ``n`` people seen through ``n_modalities`` tables of ``n_columns`` columns.

    Parameters
    ----------
    graph : ``sparse`` (every latent has one parent in an earlier modality), ``dense`` (half of them a second one),
        ``chain`` (the parent is the same-numbered latent of the modality before), ``paper`` (chain, and case 3's
        extra link when there are four modalities of two), ``random`` (links between random pairs).
    mixing : ``curved`` (an injective network, without noise) or ``straight`` (a matrix, and noise in every column).
    noise : distribution of the exogenous noise, unit variance.
    strength : correlation of a latent with its location, in [0, 1).
    curvature : curvature of each monotone location, in [0, 1]; 0 is linear.
    heteroscedasticity : how far the parents move the noise's scale, at least 0; 0 is constant noise.
    within : strength of links between siblings of every second modality, relative to the cross-modal ones, in [0, 1).
    density : of ``random`` graphs, the share of the possible cross-modal links that are present; left out, there
        are as many links as in a ``sparse`` graph.
    nested : allow latents whose cross-modal neighbours are all a sibling's too (or that have none): cross-modal
        sparsity cannot free them.
    cycles : ``within`` (a ring through each modality's latents) or ``across`` (in every second modality one latent
        acts back on a cause in another); the loops dampen, the latents are the fixed point of their equations.
    feedback : weight of the links that ``cycles`` adds, in (0, 1]; weakened where the equations would not contract.
    shared, shared_by : number of further latents that ``shared_by`` modalities, drawn at random, see together; each
        is the cause of one latent of a modality that does not, as long as there is one.
    missing : share of modalities that are missing, completely at random; every person keeps one.
    steps : a latent's location is one of two values, by a threshold of all its parents at once, instead of curved.

    Raises
    ------
    InputError : for a count below 1, a seed below 0, an unknown family or noise, a number outside its range, a
        setting that contradicts another, a graph that cannot be drawn.

    >>> world = numeric(n=200, seed=1)
    >>> world.latents.shape, int(world.adjacency.to_numpy().sum())
    ((200, 4), 2)
    >>> numeric(3, n=200, cycles="across", shared=1, missing=0.2).latents.columns[0][0]
    'shared'
    """
    settings = {k: v for k, v in locals().items() if k != "n"}
    check_settings(n, settings)
    rng, extra = np.random.default_rng(seed), np.random.default_rng([seed, 2])
    adjacency = draw_graph(rng, graph, n_modalities, n_latents, within > 0, density, nested)
    block = np.repeat(np.arange(n_modalities), n_latents)
    rings = draw_rings(extra, adjacency, n_latents, cycles) if cycles else []
    viewers: list[int] = []
    if shared:
        viewers = sorted(extra.choice(n_modalities, size=shared_by, replace=False).tolist())
        adjacency = draw_shared(extra, adjacency, shared, ~np.isin(block, viewers))
        rings = [[i + shared for i in ring] for ring in rings]
        block = np.concatenate([np.full(shared, -1), block])
    links = adjacency + close_rings(adjacency, rings)
    forward = Mechanisms.draw(
        rng, adjacency, block, noise, strength, curvature, heteroscedasticity, within, components(links), steps
    )
    mechanisms: Equations = Feedback.draw(extra, forward, rings, noise, feedback) if cycles else forward
    z = mechanisms.solve(draw_noise(np.random.default_rng([seed, 1]), noise, n, len(block)))
    names = [chr(ord("a") + m) if n_modalities <= 26 else f"m{m}" for m in range(n_modalities)]
    ids = pd.RangeIndex(n, name="person")
    hidden = draw_missing(np.random.default_rng([seed, 3]), n, n_modalities, missing)
    modalities = {}
    for m, name in enumerate(names):
        seen = (block == m) | ((block == -1) & (m in viewers))
        values = mix(rng, np.column_stack([z[:, seen], rng.normal(size=(n, n_private))]), n_columns, mixing)
        values[hidden[:, m]] = np.nan
        modalities[name] = Modality(values, names=[f"{name}{i}" for i in range(n_columns)])
    labels = [f"{SHARED}.{i}" for i in range(shared)] + [f"{name}.{i}" for name in names for i in range(n_latents)]
    return World(
        cohort=Cohort(modalities, ids=ids, name=f"{graph} world, seed {seed}"),
        latents=pd.DataFrame(z, index=ids, columns=latent_columns(labels)),
        adjacency=pd.DataFrame(links, index=labels, columns=labels),
        n_latents=dict.fromkeys(names, n_latents),
        settings=settings,
        mechanisms=mechanisms,
        viewers=[names[m] for m in viewers],
    )
