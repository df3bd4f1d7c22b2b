"""Private variation: what a modality shows beyond its latents, as a Gaussian.

    x^(m) - decode_m(z^(m))  ~  N(0, C_m),        C_m = L_m L_m^T.

A fitted covariance rather than a store of residuals: no row of a person is kept.  It has no mean and does not depend
on z, so skewed columns and 0/1 columns come out as numbers around what is expected, not as their own distribution.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from mmcrl.cohort import Cohort
from mmcrl.contrast import Contrast
from mmcrl.tensors import People

__all__ = ["covariance_root", "private_roots"]


def covariance_root(residuals: np.ndarray, present: np.ndarray) -> np.ndarray:
    """L (f, f) with ``L L^T`` the covariance of residuals (n, f), each pair of columns over the people who have both.

    Negative eigenvalues, which pairwise covariances can have, are set to 0.

    >>> covariance_root(np.array([[2.0], [-2.0]]), np.ones((2, 1), dtype=bool)).round(6)
    array([[2.]])
    """
    filled, seen = np.where(present, residuals, 0.0), present.astype(float)
    covariance = filled.T @ filled / np.maximum(seen.T @ seen, 1)
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T


@torch.no_grad()
def private_roots(network: Contrast, cohort: Cohort, people: People) -> list[Tensor]:
    """One root L (f, f) per modality, of its features' residuals in this cohort; f features, flattened."""
    latents = network.latents(people.features, people.measured)
    roots = []
    for m, (codec, modality) in enumerate(zip(network.codecs, cohort.modalities.values(), strict=True)):
        expected = codec.decode(latents[:, network.members[m]])  # type: ignore[operator]
        rows = people.measured[:, m].cpu().numpy()
        residuals = (people.features[m] - expected).flatten(1).double().cpu().numpy()[rows]
        present = ~np.isnan(modality.values[rows]).reshape(len(residuals), -1)
        if present.shape != residuals.shape:  # features that are no cells
            present = np.ones_like(residuals, dtype=bool)
        roots.append(torch.from_numpy(covariance_root(residuals, present)))
    return roots
