"""Mixing: how latents and private variation become the columns that are seen."""

from __future__ import annotations

from typing import Literal

import numpy as np

__all__ = ["Mixing", "mix"]

Mixing = Literal["curved", "straight"]
_NOISE = 0.2  # variance of each column's own noise, in units of its mixture's


def mix(rng: np.random.Generator, sources: np.ndarray, n_columns: int, mixing: Mixing = "curved") -> np.ndarray:
    """Columns (n, n_columns) that show sources (n, s), standardised.

    ``curved``: three injective layers, wide from the first on, without noise.  ``straight``: one random matrix, and
    to each column Gaussian noise of its own, a fifth of the variance of what it mixes.
    """
    x = sources
    if mixing == "straight":
        x = x @ rng.normal(size=(x.shape[1], n_columns))
        x = x + np.sqrt(_NOISE) * x.std(0) * rng.normal(size=x.shape)
    for layer in range(3 if mixing == "curved" else 0):
        if layer:
            x = np.where(x > 0, x, 0.2 * x)
        x = x @ _well_conditioned(rng, x.shape[1], n_columns)
    return ((x - x.mean(0)) / x.std(0)).astype(np.float32)


def _well_conditioned(rng: np.random.Generator, n_in: int, n_out: int) -> np.ndarray:
    """The best-conditioned of 50 random matrices with unit columns: keeps the mixing invertible in practice."""
    draws = rng.normal(size=(50, n_in, n_out))
    draws /= np.linalg.norm(draws, axis=1, keepdims=True)
    return draws[np.argmin(np.linalg.cond(draws))]
