"""Mixing: how latents and private variation become the columns that are seen."""

from __future__ import annotations

import numpy as np

__all__ = ["mix"]


def mix(rng: np.random.Generator, sources: np.ndarray, n_columns: int) -> np.ndarray:
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
