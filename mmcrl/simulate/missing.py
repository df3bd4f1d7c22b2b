"""Missing modalities: who was not measured by what, completely at random."""

from __future__ import annotations

import numpy as np

__all__ = ["draw_missing"]


def draw_missing(rng: np.random.Generator, n: int, n_modalities: int, share: float) -> np.ndarray:
    """Bool (n, modalities) with exactly this share true (rounded), and nobody without any modality.

    One modality of each person, drawn at random, is kept; the missing ones are drawn among all the others.
    """
    kept = rng.integers(n_modalities, size=n)
    others = np.flatnonzero((np.arange(n_modalities) != kept[:, None]).ravel())
    missing = np.zeros(n * n_modalities, dtype=bool)
    missing[rng.choice(others, size=round(share * n * n_modalities), replace=False)] = True
    return missing.reshape(n, n_modalities)
