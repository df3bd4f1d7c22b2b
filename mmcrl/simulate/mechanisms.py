"""Mechanisms: structural equations with curved locations and parent-dependent noise.

    z_i = s_i loc_i(z_Pa(i)) + sqrt(1 - s_i^2) scale_i(z_Pa(i)) eps_i,        eps_i independent,

    loc_i = sum_j w_ij (z_j + b_ij (sqrt(1 + z_j^2) - 1)),        scale_i = exp(tanh(sum_j v_ij z_j)),

location and scale standardised on a pilot sample.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

__all__ = ["Mechanisms", "Noise"]

Noise = Literal["laplace", "gaussian", "uniform", "bimodal"]

_PILOT = 20_000  # people whose moments standardise each mechanism

_NOISES: Mapping[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "laplace": lambda rng, n: rng.laplace(size=n) / np.sqrt(2),
    "gaussian": lambda rng, n: rng.normal(size=n),
    "uniform": lambda rng, n: rng.uniform(-np.sqrt(3), np.sqrt(3), size=n),
    "bimodal": lambda rng, n: 0.85 * rng.choice([-1, 1], size=n) + np.sqrt(1 - 0.85**2) * rng.normal(size=n),
}


@dataclass
class Mechanisms:
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
    ) -> Mechanisms:
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
