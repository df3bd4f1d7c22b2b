"""Imputation: the latents to be expected of a modality that was not measured, given those that were.

With phi(z) the Hermite features of degree 1 to 3 of every latent (see `mmcrl.evidence.features`), o the features of
a person's measured latents, and m and C their mean and covariance among the training people,

    E[z_i | z_o]  ~  m_i + C_io (C_oo + lambda I)^-1 (phi_o - m_o),        lambda = p / n,

a ridge regression on cubic features, the same matrix for every pattern of what is missing.  Each entry of C is taken
over the people who have both latents, n of them for the median pair, and C is then freed of negative eigenvalues; p
counts the features.  What is expected varies less than what would have been measured, so links and
spreads of imputed latents are not those of people.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from mmcrl.densities import DEGREE, features

__all__ = ["Imputation"]

_LEAST_RIDGE = 1e-3


class Imputation:
    """Regression of every latent on the features of any others.

    Parameters
    ----------
    mean, covariance : (3 d,) and (3 d, 3 d), of the features.
    ridge : lambda.
    """

    def __init__(self, mean: np.ndarray, covariance: np.ndarray, ridge: float) -> None:
        self.mean, self.covariance, self.ridge = mean, covariance, ridge

    @classmethod
    def fit(cls, z: np.ndarray) -> Imputation:
        """From latents (n, d), NaN where not measured.

        >>> z = np.random.default_rng(0).normal(size=(1000, 1)) * [1.0, -2.0]
        >>> Imputation.fit(z).fill(np.array([[1.0, np.nan]])).round(1).tolist()
        [[1.0, -2.0]]
        """
        told = _told(z)
        present = (~np.isnan(told)).astype(float)
        together = np.maximum(present.T @ present, 1)
        mean = np.nan_to_num(told).sum(0) / np.maximum(present.sum(0), 1)
        centred = np.nan_to_num(told - mean)
        values, vectors = np.linalg.eigh(centred.T @ centred / together)
        covariance = (vectors * np.clip(values, 0, None)) @ vectors.T
        return cls(mean, covariance, max(_LEAST_RIDGE, told.shape[1] / float(np.median(together))))

    def fill(self, z: np.ndarray) -> np.ndarray:
        """Latents (n, d) with what is missing (NaN) replaced, but for people of whom no latent was measured."""
        filled, told = z.copy(), _told(z) - self.mean
        first = np.arange(z.shape[1]) * DEGREE
        patterns, group = np.unique(np.isnan(z), axis=0, return_inverse=True)
        for number, missing in enumerate(patterns):
            if missing.all() or not missing.any():
                continue
            rows, known = np.flatnonzero(group.ravel() == number), np.repeat(~missing, DEGREE)
            among = self.covariance[np.ix_(known, known)] + self.ridge * np.eye(known.sum())
            weights = np.linalg.pinv(among) @ self.covariance[np.ix_(known, first[missing])]
            filled[np.ix_(rows, missing)] = self.mean[first[missing]] + told[np.ix_(rows, known)] @ weights
        return filled

    def tensors(self) -> dict[str, Tensor]:
        """What `mmcrl.saving` keeps."""
        return {
            "mean": torch.from_numpy(self.mean),
            "covariance": torch.from_numpy(self.covariance),
            "ridge": torch.tensor(self.ridge, dtype=torch.float64),
        }

    @classmethod
    def restored(cls, tensors: Mapping[str, Tensor]) -> Imputation:
        """The regression that had these `tensors`."""
        return cls(tensors["mean"].numpy(), tensors["covariance"].numpy(), float(tensors["ridge"]))


def _told(z: np.ndarray) -> np.ndarray:
    """Features (n, 3 d), those of each latent side by side, its own value first."""
    told = features(z)
    return told.reshape(len(z), told.shape[1] * told.shape[2])
