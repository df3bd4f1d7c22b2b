"""Mechanisms: structural equations with curved locations and parent-dependent noise.

    z_i = s_i loc_i(z_Pa(i)) + sqrt(1 - s_i^2) scale_i(z_Pa(i)) eps_i,        eps_i independent,

    loc_i = sum_j w_ij curve_ij(z_j),    curve_ij(z) = z + b_ij (sqrt(1 + z^2) - 1),

    scale_i = exp(tanh(sum_j v_ij z_j)),

location and scale standardised on a pilot sample.  With ``steps`` the location is a threshold of all parents at once,

    loc_i = 1 if w_ij z_j > c_ij for every j, else 0.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from mmcrl.simulate.noise import Noise, draw_noise

__all__ = ["PILOT", "Equations", "Mechanisms", "curve"]

PILOT = 20_000  # people whose moments standardise each mechanism
_FARTHEST = 0.6  # deviations from the mean at which a step may lie
_FEWEST = 0.02  # share of the people beyond the thresholds of all parents


def curve(z: np.ndarray, bend: np.ndarray) -> np.ndarray:
    """``z + b (sqrt(1 + z^2) - 1)``, whose slope lies in [1 - |b|, 1 + |b|]."""
    return z + bend * (np.sqrt(1 + z**2) - 1)


class Equations(ABC):
    """Equations ``z = location(z) + scale(z) eps``, one a latent."""

    @abstractmethod
    def terms(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Location and scale (n, d) of every latent, given the latents (n, d)."""

    @abstractmethod
    def solve(self, eps: np.ndarray) -> np.ndarray:
        """The latents (n, d) that this noise (n, d) brings about."""

    def apply(self, z: np.ndarray, eps: np.ndarray) -> np.ndarray:
        """The right-hand side (n, d) of the equations, equal to ``z`` at the solution."""
        location, scale = self.terms(z)
        return location + scale * eps

    def noise_of(self, z: np.ndarray) -> np.ndarray:
        """The noise (n, d) that brought these latents about."""
        location, scale = self.terms(z)
        return (z - location) / scale


@dataclass
class Mechanisms(Equations):
    """The structural equations of one acyclic world, standardised on a pilot sample."""

    adjacency: np.ndarray
    strength: np.ndarray  # (d,) share of a latent's standard deviation that its location carries
    weight: np.ndarray  # (d, d) of each parent in the location
    bend: np.ndarray  # (d, d) signed curvature
    spread: np.ndarray  # (d, d) effect of each parent on the log scale
    moments: np.ndarray  # (d, 3) mean and deviation of the raw location, root mean square of the scale
    thresholds: np.ndarray | None = None  # (d, d) of each parent, where locations are steps

    @classmethod
    def draw(
        cls,
        rng: np.random.Generator,
        adjacency: np.ndarray,
        block: np.ndarray,
        noise: Noise,
        strength: float,
        curvature: float,
        heteroscedasticity: float,
        within: float,
        component: np.ndarray,
        steps: bool = False,
    ) -> Mechanisms:
        """Equations along ``adjacency`` (d, d), whose rows belong to the modalities ``block`` (d,).

        Links inside one strongly connected ``component`` (d,) leave the scale of the noise alone.
        """
        d = len(adjacency)
        sibling = block[:, None] == block[None]
        signs = [rng.choice([-1.0, 1.0], size=(d, d)) for _ in range(3)]
        weight = rng.uniform(0.8, 1.2, (d, d)) * signs[0] * np.where(sibling, within, 1.0) * adjacency
        only_siblings = ~(adjacency.astype(bool) & ~sibling).any(1)
        orphan = adjacency.sum(1) == 0
        share = np.where(orphan, 0.0, np.where(only_siblings, strength * within, strength))
        parents = np.maximum(adjacency.sum(1, keepdims=True), 1)
        spread = heteroscedasticity * signs[2] * adjacency / np.sqrt(parents)
        spread = np.where(component[:, None] == component[None], 0.0, spread)
        thresholds = rng.uniform(-_FARTHEST, _FARTHEST, (d, d)) if steps else None
        moments = np.tile([0.0, 1.0, 1.0], (d, 1))
        drawn = cls(adjacency, share, weight, signs[1] * curvature, spread, moments, thresholds)
        drawn.standardise(draw_noise(np.random.default_rng(12345), noise, PILOT, d))
        return drawn

    def terms(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        columns = [self._terms(i, z) for i in range(z.shape[1])]
        return np.column_stack([c[0] for c in columns]), np.column_stack([c[1] for c in columns])

    def solve(self, eps: np.ndarray) -> np.ndarray:
        """Latents (n, d), in causal order, which is the order of their columns."""
        z = np.zeros_like(eps)
        for i in range(z.shape[1]):
            location, scale = self._terms(i, z)
            z[:, i] = location + scale * eps[:, i]
        return z

    def slopes(self) -> np.ndarray:
        """Bounds (d, d) on how steeply each location rises or falls in each parent."""
        return np.abs(self.strength[:, None] * self.weight / self.moments[:, [1]]) * (1 + np.abs(self.bend))

    def standardise(self, eps: np.ndarray) -> None:
        """Set the moments from this pilot noise (m, d)."""
        z = np.zeros_like(eps)
        for i in range(z.shape[1]):
            if self.adjacency[i].any():
                if self.thresholds is not None:
                    self._turn(i, z)
                location, scale = self._raw(i, z)
                self.moments[i] = location.mean(), location.std(), np.sqrt((scale**2).mean())
            location, scale = self._terms(i, z)
            z[:, i] = location + scale * eps[:, i]

    def _turn(self, i: int, z: np.ndarray) -> None:
        """Turn parents that oppose each other, until people (n, d) are beyond the thresholds of all of them."""
        for j in np.flatnonzero(self.adjacency[i]):
            if self._raw(i, z)[0].mean() < _FEWEST:
                self.weight[i, j] *= -1

    def _raw(self, i: int, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        location, parents = np.zeros(len(z)), np.flatnonzero(self.adjacency[i])
        if self.thresholds is not None and len(parents):
            location = (self.weight[i, parents] * z[:, parents] > self.thresholds[i, parents]).all(1).astype(float)
        else:
            for j in parents:
                location = location + self.weight[i, j] * curve(z[:, j], self.bend[i, j])
        return location, np.exp(np.tanh(z @ self.spread[i]))

    def _terms(self, i: int, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        location, scale = self._raw(i, z)
        mean, deviation, size = self.moments[i]
        share = self.strength[i]
        return share * (location - mean) / deviation, np.sqrt(1 - share**2) * scale / size
