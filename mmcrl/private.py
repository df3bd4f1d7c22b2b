"""Private variation: what a modality shows beyond its latents, as a Gaussian.

    x^(m) - decode_m(z^(m))  ~  N(0, C_m),        C_m = R_m^T R_m.

For a table R_m is the symmetric root; for images and series it has 64 rows, along principal directions, and what lies
beyond these is left out.  A fitted covariance rather than a store of residuals: no row of a person is kept.  It has
no mean and does not depend on z, so skewed columns come out as a Gaussian around what is expected.  Its diagonal
holds the maximum-likelihood spread of every numeric column, over the people who have it; columns with levels have a
likelihood of their own (see `mmcrl.kinds.levels`) and take from it only how they vary together with others.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from mmcrl.cohort import Cohort
from mmcrl.contrast import Contrast
from mmcrl.kinds.codec import FEWEST
from mmcrl.tensors import People, as_tensor

__all__ = ["covariance_root", "principal_root", "private_roots"]

_DIRECTIONS = 64
_RESIDUALS = 1_000, 5 * 10**7  # people, and values, whose residuals give the directions of a large modality


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


def principal_root(residuals: Tensor, directions: int = _DIRECTIONS) -> Tensor:
    """R (r, f) with ``R^T R`` close to the covariance of residuals (n, f), by their r principal directions.

    >>> principal_root(torch.tensor([[3.0, 4.0], [-3.0, -4.0], [0.0, 0.0]]), 1).abs() * 3**0.5 / 2**0.5
    tensor([[3., 4.]])
    """
    values, vectors = torch.linalg.eigh((residuals @ residuals.T).double())  # (n, n): people are fewer than features
    kept = torch.argsort(values, descending=True)[:directions]
    return (vectors[:, kept].T.to(residuals.dtype) @ residuals) / len(residuals) ** 0.5


@torch.no_grad()
def private_roots(network: Contrast, cohort: Cohort, people: People) -> list[Tensor]:
    """One root R (r, f) per modality, of its features' residuals in this cohort; f features, flattened."""
    latents = network.latents(people.features, people.measured)
    roots = []
    for m, (codec, modality) in enumerate(zip(network.codecs, cohort.modalities.values(), strict=True)):
        if codec.large:
            roots.append(principal_root(_some_residuals(codec, people, latents, m, network.members[m])))
            continue
        expected = codec.decode(latents[:, network.members[m]])  # type: ignore[operator]
        rows = people.measured[:, m].cpu().numpy()
        residuals = (as_tensor(people.features[m]) - expected).flatten(1).double().cpu().numpy()[rows]
        present = ~np.isnan(modality.values[rows]).reshape(len(residuals), -1)
        if present.shape != residuals.shape:  # features that are no cells
            present = np.ones_like(residuals, dtype=bool)
        roots.append(torch.from_numpy(covariance_root(residuals, present)))
    return roots


def _some_residuals(codec: nn.Module, people: People, latents: Tensor, m: int, members: Tensor) -> Tensor:
    """Residuals (n, f) of some of the people who were measured: 0 in the gaps, the larger for it where others are.

    A place that a share s of the people have counts 1 / sqrt(s), so that its variance is that of those who have it;
    one that fewer than 10 have counts nothing.
    """
    rows = torch.nonzero(people.measured[:, m])[:, 0]
    shape: tuple[int, ...] = codec.shape  # type: ignore[assignment]
    rows = rows[: max(1, min(_RESIDUALS[0], _RESIDUALS[1] // int(np.prod(shape))))]
    parts = [
        (as_tensor(people.features[m][some]) - codec.decode(latents[some][:, members])).flatten(1).cpu()  # type: ignore[operator]
        for some in rows.split(256)
    ]
    residuals = torch.cat(parts)
    counts = (~residuals.isnan()).sum(0)
    enough = counts >= min(FEWEST, len(residuals))
    return residuals.nan_to_num_().mul_(enough).div_((counts.clamp_min(1) / len(residuals)).sqrt())
