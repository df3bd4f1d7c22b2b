"""Synthetic worlds: people whose latents, links and mixing are known, to check an estimator against.

A latent follows a location-scale mechanism of its parents,

    z_i = s_i loc_i(z_Pa(i)) + sqrt(1 - s_i^2) scale_i(z_Pa(i)) eps_i,        eps_i independent,

with a curved location and a parent-dependent scale, both standardised, and each modality shows
``x = mixing(z_modality, private noise)`` through a wide, injective network.  Within-modality links are absent by
default: correlated siblings flatter every score.
Source of the three cases: Sun et al. (2025), arXiv:2411.06518, section 6.1; the generators are rebuilt.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd

from mmcrl.cohort import Cohort, Modality
from mmcrl.errors import InputError

__all__ = ["GraphFamily", "Noise", "World", "case", "numeric"]

GraphFamily = Literal["sparse", "dense", "chain", "paper"]
Noise = Literal["laplace", "gaussian", "uniform", "bimodal"]

_PILOT = 20_000  # people whose moments standardise each mechanism
_EDGES_OF_CASE_3 = [((0, 0), (1, 0)), ((0, 1), (1, 1)), ((1, 0), (2, 0)), ((1, 1), (2, 1)), ((2, 0), (3, 0))]


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
    adjacency = _draw_graph(rng, graph, n_modalities, n_latents, within > 0)
    mechanisms = _Mechanisms.draw(rng, adjacency, n_latents, noise, strength, curvature, heteroscedasticity, within)
    z = mechanisms.sample(np.random.default_rng([seed, 1]), n)
    names = [chr(ord("a") + m) if n_modalities <= 26 else f"m{m}" for m in range(n_modalities)]
    ids = pd.RangeIndex(n, name="person")
    modalities = {}
    for m, name in enumerate(names):
        sources = np.column_stack([z[:, m * n_latents : (m + 1) * n_latents], rng.normal(size=(n, n_private))])
        modalities[name] = Modality(_mix(rng, sources, n_columns), names=[f"{name}{i}" for i in range(n_columns)])
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


def _draw_graph(
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


_NOISES: Mapping[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "laplace": lambda rng, n: rng.laplace(size=n) / np.sqrt(2),
    "gaussian": lambda rng, n: rng.normal(size=n),
    "uniform": lambda rng, n: rng.uniform(-np.sqrt(3), np.sqrt(3), size=n),
    "bimodal": lambda rng, n: 0.85 * rng.choice([-1, 1], size=n) + np.sqrt(1 - 0.85**2) * rng.normal(size=n),
}


@dataclass
class _Mechanisms:
    """The structural equations of one world, standardised on a pilot sample."""

    adjacency: np.ndarray
    noise: Noise
    strength: np.ndarray  # (d,) share of a latent's standard deviation that its location carries
    weight: np.ndarray  # (d, d) of each parent in the location
    bend: np.ndarray  # (d, d) signed curvature
    spread: np.ndarray  # (d, d) effect of each parent on the log scale
    moments: np.ndarray  # (d, 3) mean and deviation of the raw location, root mean square of the scale

    @classmethod
    def draw(
        cls,
        rng: np.random.Generator,
        adjacency: np.ndarray,
        k: int,
        noise: Noise,
        strength: float,
        curvature: float,
        heteroscedasticity: float,
        within: float,
    ) -> _Mechanisms:
        d = len(adjacency)
        block = np.arange(d) // k
        sibling = block[:, None] == block[None]
        signs = [rng.choice([-1.0, 1.0], size=(d, d)) for _ in range(3)]
        weight = rng.uniform(0.8, 1.2, (d, d)) * signs[0] * np.where(sibling, within, 1.0) * adjacency
        only_siblings = ~(adjacency.astype(bool) & ~sibling).any(1)
        orphan = adjacency.sum(1) == 0
        share = np.where(orphan, 0.0, np.where(only_siblings, strength * within, strength))
        parents = np.maximum(adjacency.sum(1, keepdims=True), 1)
        spread = heteroscedasticity * signs[2] * adjacency / np.sqrt(parents)
        drawn = cls(adjacency, noise, share, weight, signs[1] * curvature, spread, np.tile([0.0, 1.0, 1.0], (d, 1)))
        drawn.sample(np.random.default_rng(12345), _PILOT, standardise=True)
        return drawn

    def sample(self, rng: np.random.Generator, n: int, standardise: bool = False) -> np.ndarray:
        """Latents (n, d), in causal order, which is the order of their columns."""
        z = np.zeros((n, len(self.adjacency)))
        for i in range(z.shape[1]):
            location = sum(
                (
                    self.weight[i, j] * (z[:, j] + self.bend[i, j] * (np.sqrt(1 + z[:, j] ** 2) - 1))
                    for j in np.flatnonzero(self.adjacency[i])
                ),
                np.zeros(n),
            )
            scale = np.exp(np.tanh(z @ self.spread[i]))
            if standardise and self.adjacency[i].any():
                self.moments[i] = location.mean(), location.std(), np.sqrt((scale**2).mean())
            mean, deviation, size = self.moments[i]
            share = self.strength[i]
            noise = np.sqrt(1 - share**2) * scale / size * _NOISES[self.noise](rng, n)
            z[:, i] = share * (location - mean) / deviation + noise
        return z


def _mix(rng: np.random.Generator, sources: np.ndarray, n_columns: int) -> np.ndarray:
    """Three injective layers (n, s) -> (n, n_columns), wide from the first on, columns standardised."""
    x = sources
    for layer in range(3):
        if layer:
            x = np.where(x > 0, x, 0.2 * x)
        x = x @ _well_conditioned(rng, x.shape[1], n_columns)
    return ((x - x.mean(0)) / x.std(0)).astype(np.float32)


def _well_conditioned(rng: np.random.Generator, n_in: int, n_out: int) -> np.ndarray:
    """The best-conditioned of 50 random matrices with unit columns: keeps the mixing invertible in practice."""
    draws = rng.normal(size=(50, n_in, n_out))
    draws /= np.linalg.norm(draws, axis=1, keepdims=True)
    return draws[np.argmin(np.linalg.cond(draws))]
