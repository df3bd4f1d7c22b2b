"""A tiny rendered world: pictures of a spot, recordings of a wave and a table, whose latents are known."""

import numpy as np
import pandas as pd

from mmcrl import Cohort

SIZE, LENGTH = 12, 96


def spots(rng, z):
    """Pictures (n, 1, 12, 12): z0 moves a spot across, z1 makes it brighter; where it stands upright is private."""
    n = len(z)
    along = np.arange(SIZE, dtype=np.float32)
    x = (SIZE - 1) / 2 + 2.6 * np.tanh(z[:, 0] / 1.5)[:, None]
    y = (SIZE - 1) / 2 + rng.uniform(-1.5, 1.5, size=(n, 1))
    light = 1 + 0.6 * np.tanh(z[:, 1] / 1.5)
    spot = np.exp(-((along - y) ** 2) / 4)[:, :, None] * np.exp(-((along - x) ** 2) / 4)[:, None, :]
    return (light[:, None, None] * spot + 0.05 * rng.normal(size=spot.shape))[:, None].astype(np.float32)


def waves(rng, z, gaps=0.1):
    """Recordings (n, 2, 96) with gaps: z0 is how fast a wave of any phase beats, z1 where the other begins."""
    n, time = len(z), np.arange(LENGTH) / LENGTH
    beats = 6 + 3 * np.tanh(z[:, :1] / 1.5)
    wave = np.sin(2 * np.pi * (beats * time + rng.random((n, 1))))
    level = z[:, 1:2] * (1 - time) + 0.3 * np.sin(2 * np.pi * (3 * time + rng.random((n, 1))))
    values = np.stack([wave, level], 1) + 0.1 * rng.normal(size=(n, 2, LENGTH))
    values[rng.random(values.shape) < gaps] = np.nan
    values[np.broadcast_to(np.arange(LENGTH) >= rng.integers(70, LENGTH + 1, (n, 1, 1)), values.shape)] = np.nan
    return values.astype(np.float32)


def columns(rng, z):
    """A table (n, 8) of curved mixtures of the two latents and two private ones."""
    sources = np.column_stack([z, rng.normal(size=(len(z), 2))])
    weights = np.random.default_rng(5).normal(size=(2, 4, 8))
    return sources @ weights[0] + np.tanh(sources @ weights[1]) + 0.05 * rng.normal(size=(len(z), 8))


def world(n=1_500, seed=0, kinds=("image", "table")):
    """Cohort and latents: latent i of a modality causes latent i of the next, and nothing else."""
    rng = np.random.default_rng(seed)
    draw = {"image": spots, "series": waves, "table": columns}
    z, arrays, latents = rng.normal(size=(n, 2)), {}, {}
    for kind in kinds:
        arrays[kind] = draw[kind](rng, z)
        latents |= {(kind, i): z[:, i] for i in range(2)}
        z = 0.85 * z + np.sqrt(1 - 0.85**2) * rng.normal(size=(n, 2))
    frame = pd.DataFrame(latents)
    frame.columns = pd.MultiIndex.from_tuples(frame.columns, names=["modality", "latent"])
    return Cohort(arrays), frame
