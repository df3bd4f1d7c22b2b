"""Tables: columns of numbers as a modality."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from mmcrl.kinds.codec import FARTHEST, Codec
from mmcrl.modality import Modality
from mmcrl.networks import mlp

__all__ = ["ObservedCodec", "TableCodec"]


class TableCodec(Codec):
    """Columns of numbers through a multilayer perceptron.

    Columns are standardised; a missing cell takes its conditional mean given the person's other columns,
    ``C_mo C_oo^-1 x_o`` with C the (shrunk) correlation of the columns among the training people.
    """

    mean: Tensor
    scale: Tensor
    correlation: Tensor

    def __init__(self, shape: Sequence[int], n_latents: int, width: int) -> None:
        super().__init__(shape, n_latents, width)
        (n_columns,) = self.shape
        self.register_buffer("mean", torch.zeros(n_columns, dtype=torch.float64))
        self.register_buffer("scale", torch.ones(n_columns, dtype=torch.float64))
        self.register_buffer("correlation", torch.eye(n_columns, dtype=torch.float64))
        self.encoder = mlp(n_columns, width, n_latents)
        self.decoder = mlp(n_latents, width, n_columns)

    def fit_scale(self, values: np.ndarray) -> None:
        seen = np.asarray(values, dtype=np.float64)
        self.mean.copy_(torch.from_numpy(np.nanmean(seen, axis=0)))
        deviation = np.nanstd(seen, axis=0)
        self.scale.copy_(torch.from_numpy(np.where(deviation > 0, deviation, 1.0)))
        standard = self._standardise(seen)
        present = (~np.isnan(standard)).astype(float)
        filled = np.nan_to_num(standard)
        together = (filled.T @ filled) / np.maximum(present.T @ present, 1)
        shrunk = 0.95 * together + 0.05 * np.eye(len(together))
        self.correlation.copy_(torch.from_numpy(shrunk))

    def prepare(self, values: np.ndarray) -> Tensor:
        standard = self._standardise(np.asarray(values, dtype=np.float64))
        absent = np.isnan(standard)
        correlation = self.correlation.cpu().numpy()
        patterns, group = np.unique(absent, axis=0, return_inverse=True)
        for number, pattern in enumerate(patterns):
            if not pattern.any():
                continue
            rows = np.flatnonzero(group.ravel() == number)
            seen = ~pattern
            weights = np.linalg.pinv(correlation[np.ix_(seen, seen)]) @ correlation[np.ix_(seen, pattern)]
            standard[np.ix_(rows, pattern)] = standard[np.ix_(rows, seen)] @ weights
        return torch.from_numpy(standard).to(torch.get_default_dtype())

    def restore(self, features: Tensor) -> np.ndarray:
        return (features.detach().double().cpu() * self.scale.cpu() + self.mean.cpu()).numpy()

    def encode(self, features: Tensor) -> Tensor:
        return self.encoder(features)

    def decode(self, codes: Tensor) -> Tensor:
        return self.decoder(codes)

    def _standardise(self, values: np.ndarray) -> np.ndarray:
        standard = (values - self.mean.cpu().numpy()) / self.scale.cpu().numpy()
        return np.clip(standard, -FARTHEST, FARTHEST)


class ObservedCodec(TableCodec):
    """Columns that are latents themselves, such as age: standardised, never mixed."""

    def __init__(self, shape: Sequence[int], n_latents: int, width: int) -> None:
        super().__init__(shape, n_latents, width)
        self.encoder, self.decoder = nn.Sequential(), nn.Sequential()

    @classmethod
    def size(cls, modality: Modality, n_latents: int) -> int:
        return len(modality.names)
