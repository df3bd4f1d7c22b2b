"""Feedback: cyclic links, under which the latents are the fixed point of their equations.

    z = f(z, eps),        f_i = location_i(z) + scale_i(z) eps_i + sum_j g_ij curve_ij(z_j),

g the feedback.  With ``L_ij`` a bound on the slope of ``f_i`` in ``z_j``, ``|f(z) - f(z')| <= L |z - z'|`` entry by
entry, so a spectral radius of L below 1 makes f a contraction (in a weighted maximum norm) for every eps: there is
one fixed point and iteration finds it.  The feedback is drawn such that the radius is at most .8, and no link on a
cycle moves the scale of the noise, whose slope would have no bound.  Every ring dampens (the product of its signs is
negative): rings that amplify would make their latents copies of each other, which flatters every score.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import brentq
from scipy.sparse.csgraph import connected_components

from mmcrl.simulate.mechanisms import PILOT, Equations, Mechanisms, curve
from mmcrl.simulate.noise import Noise, draw_noise

__all__ = ["Feedback", "close_rings", "components", "spectral_radius"]

_RADIUS = 0.8
_DAMPING = 0.8  # share of the new value in every step
_TOLERANCE = 1e-10


def close_rings(adjacency: np.ndarray, rings: list[list[int]]) -> np.ndarray:
    """Links (d, d) that the rings have and the graph lacks."""
    links = np.zeros_like(adjacency)
    for ring in rings:
        links[np.roll(ring, -1), ring] = 1
    return links & ~adjacency


def components(adjacency: np.ndarray) -> np.ndarray:
    """Strongly connected component (d,) of every latent: a link lies on a cycle iff both ends share one."""
    return np.asarray(connected_components(adjacency, connection="strong")[1])


def spectral_radius(matrix: np.ndarray) -> float:
    """The largest absolute eigenvalue."""
    return float(np.abs(np.linalg.eigvals(matrix)).max())


@dataclass
class Feedback(Equations):
    """Acyclic mechanisms with feedback on top; latents are standardised on a pilot sample."""

    forward: Mechanisms
    gain: np.ndarray  # (d, d) weight g of each feedback link
    centre: np.ndarray = field(init=False)
    size: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.centre, self.size = np.zeros(len(self.gain)), np.ones(len(self.gain))

    @classmethod
    def draw(
        cls, rng: np.random.Generator, forward: Mechanisms, rings: list[list[int]], noise: Noise, feedback: float
    ) -> Feedback:
        """Feedback of weight ``feedback`` that closes the rings, weakened as far as contraction asks."""
        links = close_rings(forward.adjacency, rings)
        gain = feedback * rng.uniform(0.8, 1.2, links.shape) * rng.choice([-1.0, 1.0], size=links.shape) * links
        for ring in rings:
            if np.prod(np.sign(gain + forward.weight)[np.roll(ring, -1), ring]) > 0:
                gain[ring[0], ring[-1]] *= -1
        drawn = cls(forward, gain)
        drawn._weaken(components(forward.adjacency + links))
        z = drawn.solve(draw_noise(np.random.default_rng(12345), noise, PILOT, len(links)))
        drawn.centre, drawn.size = z.mean(0), z.std(0)
        return drawn

    def slopes(self) -> np.ndarray:
        """Bounds L (d, d) on the slopes of the equations (for latents that are not standardised)."""
        return self.forward.slopes() + np.abs(self.gain) * (1 + np.abs(self.forward.bend))

    def _weaken(self, component: np.ndarray) -> None:
        """Scale the feedback of every component to a spectral radius of at most `_RADIUS`."""
        for c in np.unique(component):
            inside = np.ix_(component == c, component == c)
            fixed, added = self.forward.slopes()[inside], (self.slopes() - self.forward.slopes())[inside]
            if spectral_radius(fixed + added) > _RADIUS:
                self.gain[inside] *= _largest_share(fixed, added)

    def terms(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        raw = self.centre + self.size * z
        location, scale = self.forward.terms(raw)
        for i, j in np.argwhere(self.gain):
            location[:, i] += self.gain[i, j] * curve(raw[:, j], self.forward.bend[i, j])
        return (location - self.centre) / self.size, scale / self.size

    def solve(self, eps: np.ndarray) -> np.ndarray:
        """The fixed point (n, d), by damped iteration from zero."""
        z = np.zeros_like(eps)
        while np.abs(step := self.apply(z, eps) - z).max() > _TOLERANCE:
            z = z + _DAMPING * step
        return z


def _largest_share(fixed: np.ndarray, added: np.ndarray) -> float:
    """The t in (0, 1) at which ``fixed + t added`` has the radius `_RADIUS`; ``fixed`` alone is nilpotent."""
    return float(brentq(lambda t: spectral_radius(fixed + t * added) - _RADIUS, 0, 1))
