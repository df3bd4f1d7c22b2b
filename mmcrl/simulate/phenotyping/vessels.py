"""Vessels: the branching arteries and veins of a retina, as maps of how much blood the light passes.

Four trunks of each kind leave the disc: two arch over and under the macula (the temporal arcades), two run to the
nasal side.  Trunks give off branches, branches give off twigs.  A vessel of heading h and calibre c is a path

    h(t) = h_0 + turn (1 - exp(-3 t)) / (1 - exp(-3)) + winding sum_k a_k sin(2 pi f_k s(t) + phase_k),

drawn by laying Gaussian drops along it, which adds up to a line of Gaussian profile whatever the resolution.
Lengths are in radii of the field of view (about 22.5 degrees, or 6.6 mm), the y axis points up, a right eye is meant.
Sources: the arcades as parabolas, Fleming et al. (2007), 10.1088/0031-9155/52/2/012; calibres and angles of
branching, Murray (1926), 10.1085/jgp.9.6.835.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Vasculature", "blood"]

_TRUNKS = 8  # artery and vein: upper temporal, lower temporal, upper nasal, lower nasal
_SIDE = np.tile([1.0, -1.0, 1.0, -1.0], 2)  # up or down
_TEMPORAL = np.tile([True, True, False, False], 2)
_VEIN = np.arange(_TRUNKS) >= 4
_BRANCHES, _TWIGS = 5, 3
_WIDEST = 0.0155  # Gaussian half-width of a trunk vein at the disc
_WAVES = (0.5, 2.2), (0.6, 3.9), (0.4, 6.5)  # weight and frequency (per radius) of how vessels wind
_REFLEX = 0.4  # width of the light reflex along the middle, of the vessel's


@dataclass(frozen=True)
class Vasculature:
    """What shapes the trees of m eyes, each (m,).

    Factors of the calibres and of winding, the share of twigs that are there, a factor of the arteries' reflex.
    """

    arteries: np.ndarray
    veins: np.ndarray
    winding: np.ndarray
    density: np.ndarray
    wiring: np.ndarray
    disc: np.ndarray  # (m, 2) where the vessels enter
    fovea: np.ndarray  # (m, 2) which they spare
    rotation: np.ndarray  # radians


@dataclass(frozen=True)
class _Paths:
    """Paths of m eyes with v vessels each, in k points."""

    at: np.ndarray  # (m, v, k, 2)
    heading: np.ndarray  # (m, v, k)
    width: np.ndarray  # (m, v, k)
    weight: np.ndarray  # (m, v), 0 where the vessel is not there
    step: np.ndarray  # (m, v) distance of the points
    vein: np.ndarray  # (v,)


def blood(rng: np.random.Generator, eyes: Vasculature, size: int) -> np.ndarray:
    """Maps (m, 3, size, size): optical density of arteries, of veins, and the light reflex along their middle."""
    generations = _grow(rng, eyes, size)
    maps = np.zeros((len(eyes.disc), 3, size, size), dtype=np.float32)
    for paths in generations:
        spared = 1 - np.exp(-(((paths.at - eyes.fovea[:, None, None]) ** 2).sum(-1)) / 0.12**2)
        for layer, kind in enumerate((~paths.vein, paths.vein)):
            depth = (paths.weight[..., None] * spared * np.ones_like(paths.width))[:, kind]
            at, width, step = paths.at[:, kind], paths.width[:, kind], paths.step[:, kind]
            maps[:, layer] += _drops(at, width, depth, step, size)
            shine = np.full(len(maps), 0.4) if layer else eyes.wiring
            maps[:, 2] += _drops(at, _REFLEX * width, depth * shine[:, None, None], step, size)
    return maps


def _grow(rng: np.random.Generator, eyes: Vasculature, size: int) -> list[_Paths]:
    """Trunks, branches and twigs; the random numbers do not depend on the size of the picture."""
    m = len(eyes.disc)
    u, phase = rng.uniform(-1, 1, (m, _TRUNKS, 4)), rng.random((m, _TRUNKS, 3))
    first = np.where(_TEMPORAL, 1.75, 1.0) + np.where(_VEIN, -0.16, 0.12) * np.where(_TEMPORAL, 1, -1)
    heading = _SIDE * (first + 0.13 * u[..., 0]) + eyes.rotation[:, None]
    turn = _SIDE * (np.where(_TEMPORAL, 1.42, -0.35) + np.where(_VEIN, 0.10, -0.08) + 0.12 * u[..., 1])
    length = np.where(_TEMPORAL, 1.75, 0.85) * (1 + 0.08 * u[..., 2])
    start = eyes.disc[:, None] + 0.035 * np.stack([u[..., 3], _SIDE * (0.6 + 0.3 * u[..., 2])], -1)
    calibre = _WIDEST * np.where(_VEIN, 1.0, 0.76) * np.where(_TEMPORAL, 1.0, 0.75)
    calibre = calibre * np.where(_VEIN, eyes.veins[:, None], eyes.arteries[:, None])
    steps = max(24, round(0.62 * size))
    trunks = _paths(start, heading, turn, length, calibre, np.ones((m, _TRUNKS)), phase, eyes.winding, steps, _VEIN)
    branches = _offspring(rng, trunks, _BRANCHES, (0.16, 0.72), 0.62, eyes, max(12, round(0.3 * size)), 0.5)
    twigs = _offspring(rng, branches, _TWIGS, (0.25, 0.85), 0.36, eyes, max(8, round(0.14 * size)), 0.0)
    return [trunks, branches, twigs]


def _offspring(
    rng: np.random.Generator,
    parents: _Paths,
    each: int,
    along: tuple[float, float],
    length: float,
    eyes: Vasculature,
    steps: int,
    surely: float,
) -> _Paths:
    """Vessels that leave each parent by turns to either side; ``surely`` is the least weight."""
    m, v, k = parents.heading.shape
    u, phase = rng.random((m, v, each, 5)), rng.random((m, v * each, 3))
    place = along[0] + (along[1] - along[0]) * (np.arange(each) + u[..., 0]) / each
    index = np.round(place * (k - 1)).astype(int)
    eye, parent = np.arange(m)[:, None, None], np.arange(v)[None, :, None]
    side = np.where((np.arange(each) + (u[:, :, :1, 4] > 0.5)) % 2, 1.0, -1.0)
    heading = parents.heading[eye, parent, index] + side * (0.55 + 0.5 * u[..., 1])
    turn = -side * (0.1 + 0.6 * u[..., 2])
    there = 1 / (1 + np.exp(-(eyes.density[:, None, None] - u[..., 3]) / 0.06))
    weight = np.maximum(surely, there) * parents.weight[:, :, None]
    size = length * (0.6 + 0.6 * u[..., 4])
    flat = (m, v * each)
    return _paths(
        parents.at[eye, parent, index].reshape(*flat, 2),
        heading.reshape(flat),
        turn.reshape(flat),
        size.reshape(flat),
        0.66 * parents.width[eye, parent, index].reshape(flat),
        weight.reshape(flat),
        phase,
        eyes.winding,
        steps,
        np.repeat(parents.vein, each),
    )


def _paths(
    start: np.ndarray,
    heading: np.ndarray,
    turn: np.ndarray,
    length: np.ndarray,
    calibre: np.ndarray,
    weight: np.ndarray,
    phase: np.ndarray,
    winding: np.ndarray,
    steps: int,
    vein: np.ndarray,
) -> _Paths:
    t = (np.arange(steps) + 0.5) / steps
    s = length[..., None] * t
    waves = sum(a * np.sin(2 * np.pi * (f * s + phase[..., [k]])) for k, (a, f) in enumerate(_WAVES))
    eased = np.minimum(s / 0.12, 1)  # vessels leave their origin straight
    way = heading[..., None] + turn[..., None] * (1 - np.exp(-3 * t)) / (1 - np.exp(-3))
    way = way + winding[:, None, None] * waves * eased
    step = length / steps
    moves = np.stack([np.cos(way), np.sin(way)], -1) * step[..., None, None]
    at = start[..., None, :] + np.cumsum(moves, axis=2)
    return _Paths(at, way, calibre[..., None] * (1 - 0.45 * t), weight, step, vein)


def _drops(at: np.ndarray, width: np.ndarray, depth: np.ndarray, step: np.ndarray, size: int) -> np.ndarray:
    """Line integrals (m, size, size) of Gaussian drops: ``depth`` in the middle of a line, at any resolution."""
    m = len(at)
    pixel = size / 2
    sigma = np.sqrt((width * pixel) ** 2 + 0.4**2)
    peak = depth * (width * pixel / sigma) * (step[..., None] * pixel) / (np.sqrt(2 * np.pi) * sigma)
    x, y = (at[..., 0] + 1) * pixel - 0.5, (1 - at[..., 1]) * pixel - 0.5
    reach = int(np.ceil(2.4 * np.quantile(sigma, 0.99)))
    near = np.arange(-reach, reach + 1)
    column, row = np.round(x).astype(np.int32)[..., None] + near, np.round(y).astype(np.int32)[..., None] + near
    across = np.exp(-((column - x[..., None]) ** 2) / (2 * sigma[..., None] ** 2)).astype(np.float32)
    down = np.exp(-((row - y[..., None]) ** 2) / (2 * sigma[..., None] ** 2)).astype(np.float32)
    across *= (column >= 0) & (column < size)
    down *= ((row >= 0) & (row < size)) * peak[..., None].astype(np.float32)
    eye = np.arange(m, dtype=np.int32).reshape(-1, 1, 1, 1) * size
    rows = (eye + np.clip(row, 0, size - 1)) * size
    index = rows[..., :, None] + np.clip(column, 0, size - 1)[..., None, :]
    laid = np.bincount(index.ravel(), (down[..., :, None] * across[..., None, :]).ravel(), minlength=m * size * size)
    return laid.reshape(m, size, size).astype(np.float32)
