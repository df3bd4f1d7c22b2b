"""Sketches: a small world of a picture, a night and a blood table, drawn so plainly that each latent can be seen.

    blood.0 sugar -> eye.0 width of the vessels        eye.1 yellowing of the lens -> night.0 fall of the heart rate
    blood.1 inflammation -> night.1 restlessness

Each two modalities have one link, so that mixing two latents of one would link it to both of the others' latents.
Latents follow `mmcrl.simulate.mechanisms`, Laplace noise in each.  All else is private to its modality: where the
nerve leaves the eye, the course of its vessels and how bright the flash was; how fast a heart beats at all, when it
is slowest and when the wrist moves; how thin the blood is.  Nothing here is a claim about medicine: forms, units and
links are ours.  `mmcrl.simulate.phenotype` is the world that follows the literature.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from mmcrl.cohort import Cohort, Modality
from mmcrl.errors import check_whole
from mmcrl.modality import ColumnKind
from mmcrl.simulate.mechanisms import PILOT, Mechanisms
from mmcrl.simulate.phenotyping.chance import bounded
from mmcrl.simulate.world import World, latent_columns

__all__ = ["CHANNELS", "HOURS", "LATENTS", "Sketch", "depicted", "sketches"]

LATENTS = {
    "blood.0": "sugar",
    "blood.1": "inflammation",
    "eye.0": "width of the vessels",
    "eye.1": "yellowing of the lens",
    "night.0": "fall of the heart rate",
    "night.1": "restlessness",
}
CHANNELS = {"heart rate": "1/min", "movement": "counts"}
HOURS = 8.0
_LINKS = {  # share of the effect's deviation that the cause carries, bend of the location, effect on the log scale
    ("blood.0", "eye.0"): (0.9, 0.6, 0.4),
    ("eye.1", "night.0"): (0.9, 0.6, 0.4),
    ("blood.1", "night.1"): (0.9, 0.6, 0.4),
}
_SIZE, _SAMPLES = 28, 240  # pixels a side; samples of a night, one in two minutes
_COLUMNS = (  # name, unit, middle, spread (of the logarithm), weights of sugar, inflammation, dilution
    ("glucose", "mmol/L", 5.6, 0.22, 1.0, 0.0, 0.1),
    ("hba1c", "%", 5.7, 0.12, 0.9, 0.0, 0.0),
    ("triglycerides", "mmol/L", 1.4, 0.45, 0.8, 0.2, 0.2),
    ("hdl", "mmol/L", 1.4, 0.25, -0.7, -0.2, 0.3),
    ("crp", "mg/L", 1.5, 0.80, 0.2, 1.0, 0.0),
    ("white_cells", "10^9/L", 6.6, 0.25, 0.1, 0.8, 0.3),
    ("ferritin", "ug/L", 110.0, 0.60, 0.0, 0.8, 0.3),
    ("albumin", "g/L", 43.0, 0.07, 0.0, -0.6, 0.8),
    ("haemoglobin", "g/L", 140.0, 0.08, 0.0, -0.2, 0.9),
)
_NOISE, _LOST = 0.35, 0.03  # of each column, in standard deviations; share of its cells that are missing


class Sketch(NamedTuple):
    """Eyes (n, 3, 28, 28) in [0, 1], nights (n, 2, 240) and blood (n, 10), float32; NaN in gaps."""

    eye: np.ndarray
    night: np.ndarray
    blood: np.ndarray


def sketches(n: int = 2_000, seed: int = 0) -> World:
    """``n`` simulated people with a sketch of the back of an eye, a night and a table of blood values.

    ======== ======== ==================== ==================================================
    modality kind     shape                latents
    ======== ======== ==================== ==================================================
    blood    table    (n, 10)              sugar; inflammation
    eye      image    (n, 3, 28, 28)       width of the vessels; yellowing of the lens
    night    series   (n, 2, 240)          fall of the heart rate; restlessness
    ======== ======== ==================== ==================================================

    Everybody has all three; nights have gaps and some end early, blood values are missing here and there.  A
    person's data depend on the seed and on its number, not on ``n``.

    Raises
    ------
    InputError : for fewer than 100 people, or a seed below 0.

    >>> world = sketches(100)
    >>> world.cohort["eye"].values.shape, world.cohort["night"].values.shape
    ((100, 3, 28, 28), (100, 2, 240))
    >>> int(world.adjacency.loc["eye.0", "blood.0"]), int(world.adjacency.loc["blood.0", "eye.0"])
    (1, 0)
    """
    check_whole("n", n, 100, 1_000_000)
    check_whole("seed", seed, 0, 2**63)
    names, mechanisms = list(LATENTS), _mechanisms()
    z = mechanisms.solve(_draw_eps(np.random.default_rng([seed, 0]), n))
    drawn = depicted(z, seed)
    ids = pd.RangeIndex(n, name="person")
    columns = [*(name for name, *_ in _COLUMNS), "statin"]
    units = [*(unit for _, unit, *_ in _COLUMNS), ""]
    kinds: list[ColumnKind] = [*["numeric"] * len(_COLUMNS), "binary"]  # type: ignore[list-item]
    modalities = {
        "blood": Modality(drawn.blood, "table", columns, units, column_kinds=kinds),
        "eye": Modality(drawn.eye, "image-toned", ["red", "green", "blue"], column_kinds=["numeric"] * 3),
        "night": Modality(
            drawn.night, "series", list(CHANNELS), list(CHANNELS.values()), column_kinds=["numeric"] * 2
        ),
    }
    n_latents = dict.fromkeys(modalities, 2)
    return World(
        cohort=Cohort(modalities, ids=ids, name=f"sketches, seed {seed}", n_latents=n_latents),
        latents=pd.DataFrame(z, index=ids, columns=latent_columns(names)),
        adjacency=pd.DataFrame(mechanisms.adjacency, index=names, columns=names),
        n_latents=n_latents,
        settings={"seed": seed},
        mechanisms=mechanisms,
        viewers=[],
    )


def depicted(z: np.ndarray, seed: int = 0) -> Sketch:
    """What people with these latents (n, 6) show; the seed draws all that is private, one person after the other.

    >>> same = [depicted(np.zeros((3, 6)), seed).eye for seed in (0, 0, 1)]
    >>> bool((same[0] == same[1]).all()), bool((same[0] == same[2]).all())
    (True, False)
    """
    u = bounded(z)
    rng = [np.random.default_rng([seed, stream]) for stream in range(1, 7)]
    eye, night = _eyes(rng[0], rng[1], u[:, 2:4]), _nights(rng[2], rng[3], u[:, 4:6])
    return Sketch(eye, night, _blood(rng[4], rng[5], u[:, :2]))


def _eyes(rng: np.random.Generator, grain: np.random.Generator, u: np.ndarray) -> np.ndarray:
    private, tall = rng.random((len(u), 7)).astype(np.float32) - 0.5, u.astype(np.float32)[:, :, None, None]
    at = ((np.arange(_SIZE) + 0.5) / _SIZE * 2 - 1).astype(np.float32)
    x, y, of = at[None, None, :], at[None, :, None], private[:, :, None, None]
    right, down, width = 0.5 + 0.16 * of[:, 0], 0.3 * of[:, 1], 0.06 * np.exp(0.3 * tall[:, 0])
    blood = np.zeros((len(u), _SIZE, _SIZE), dtype=np.float32)
    along = np.maximum(right - x, 0) + np.float32(1e-3)
    for k, (side, base) in enumerate([(-1, 0.45), (-1, 0.85), (1, 0.45), (1, 0.85)]):
        bend = base + 0.3 * of[:, 2 + k]
        away = np.abs(y - down - side * bend * np.sqrt(along)) / np.sqrt(1 + bend**2 / (4 * along))
        blood = np.maximum(blood, np.exp(-((away / width) ** 2)) * np.clip((right - x) / 0.1, 0, 1))
    disc = np.exp(-((((x - right) ** 2 + (y - down) ** 2) / 0.03) ** 2))
    light, yellow = 1 + 0.3 * of[:, 6], tall[:, 1]
    inside = (x**2 + y**2 < 0.95).astype(np.float32)
    ground = (0.74, 0.0, -0.14, 0.2), (0.42, 0.03, -0.26, 0.35), (0.24, -0.04, -0.12, 0.3)
    shown = [
        (base + tint * yellow + vein * blood + nerve * disc) * light * inside for base, tint, vein, nerve in ground
    ]
    noise = 0.02 * grain.standard_normal((len(u), 3, _SIZE, _SIZE), dtype=np.float32)
    return np.clip(np.stack(shown, 1) + noise * inside[:, None], 0, 1)


def _nights(rng: np.random.Generator, chance: np.random.Generator, u: np.ndarray) -> np.ndarray:
    private, draws = rng.random((len(u), 6)), chance.random((len(u), 3, _SAMPLES))
    time = np.arange(_SAMPLES) / _SAMPLES
    base, middle = 62 + 16 * (private[:, :1] - 0.5), 0.5 + 0.3 * (private[:, 1:2] - 0.5)
    fall = (10 + 4 * u[:, :1]) * np.exp(-(((time - middle) / 0.22) ** 2))
    moves = draws[:, 0] < 0.14 * np.exp(0.6 * u[:, 1:2])
    movement = moves * (10 + 25 * draws[:, 1]) + 2 * draws[:, 2]
    stirred = sum(np.pad(moves, ((0, 0), (lag, 0)))[:, :_SAMPLES] * 6 * 0.6**lag for lag in range(5))
    heart = base - fall + stirred + 2.5 * (draws[:, 2] - 0.5) + 1.5 * np.sin(2 * np.pi * (5 * time + private[:, 2:3]))
    night = np.stack([heart, movement], 1).astype(np.float32)
    end = np.where(private[:, 3:4] < 0.3, 0.7 + private[:, 3:4], 1.0)
    gap = (time >= private[:, 4:5]) & (time < private[:, 4:5] + 0.1 * private[:, 5:])
    night[np.repeat((gap | (time >= end))[:, None], 2, axis=1)] = np.nan
    return night


def _blood(rng: np.random.Generator, lots: np.random.Generator, u: np.ndarray) -> np.ndarray:
    draws = rng.normal(size=(len(u), 2 + len(_COLUMNS)))
    rows = []
    for c, (_, _, middle, spread, sugar, inflammation, thin) in enumerate(_COLUMNS):
        told = sugar * u[:, 0] + inflammation * u[:, 1] + thin * draws[:, 0] + _NOISE * draws[:, 2 + c]
        rows.append(middle * np.exp(spread * told))
    values = np.column_stack([*rows, u[:, 0] + 0.8 * draws[:, 1] > 1]).astype(np.float32)
    values[lots.random(values.shape) < _LOST] = np.nan
    return values


def _weights() -> np.ndarray:
    """What `_LINKS` says of each cause (column) of each latent (row): (3, d, d)."""
    names, told = list(LATENTS), np.zeros((3, len(LATENTS), len(LATENTS)))
    for (source, target), numbers in _LINKS.items():
        told[:, names.index(target), names.index(source)] = numbers
    return told


def _mechanisms() -> Mechanisms:
    share, bend, spread = _weights()
    links = (share != 0).astype(int)
    moments = np.tile([0.0, 1.0, 1.0], (len(links), 1))
    mechanisms = Mechanisms(links, share.sum(1), 1.0 * links, bend, spread, moments)
    mechanisms.standardise(_draw_eps(np.random.default_rng(12345), PILOT))
    return mechanisms


def _draw_eps(rng: np.random.Generator, n: int) -> np.ndarray:
    """Independent Laplace noise (n, 6) of mean 0 and variance 1, one person after the other."""
    u = rng.random((n, len(LATENTS)))
    return -np.sign(u - 0.5) * np.log1p(-np.abs(2 * u - 1)) / np.sqrt(2)
