"""Noise: distributions of the exogenous noise, each with mean 0 and variance 1."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np

__all__ = ["Noise", "draw_noise"]

Noise = Literal["laplace", "gaussian", "uniform", "bimodal", "logistic", "sech"]

_NOISES: Mapping[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "laplace": lambda rng, n: rng.laplace(size=n) / np.sqrt(2),
    "gaussian": lambda rng, n: rng.normal(size=n),
    "uniform": lambda rng, n: rng.uniform(-np.sqrt(3), np.sqrt(3), size=n),
    "bimodal": lambda rng, n: 0.85 * rng.choice([-1, 1], size=n) + np.sqrt(1 - 0.85**2) * rng.normal(size=n),
    "logistic": lambda rng, n: rng.logistic(scale=np.sqrt(3) / np.pi, size=n),
    "sech": lambda rng, n: 2 / np.pi * np.arcsinh(np.tan(np.pi * (rng.uniform(size=n) - 0.5))),
}


def draw_noise(rng: np.random.Generator, noise: Noise, n: int, d: int) -> np.ndarray:
    """Independent noise (n, d), one latent after the other."""
    return np.column_stack([_NOISES[noise](rng, n) for _ in range(d)])
