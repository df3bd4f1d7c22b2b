"""Tensors: a cohort's people as their codecs' features, prepared once and drawn from in batches."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from mmcrl.cohort import Cohort

__all__ = ["People", "people_of"]


@dataclass(frozen=True)
class People:
    """Features (n, f) per modality, measured (n, M), and labels (n, d) for a method that is taught some latents."""

    features: list[Tensor]
    measured: Tensor
    labels: Tensor | None = None

    def __len__(self) -> int:
        return len(self.measured)

    def take(self, rows: Tensor | slice) -> People:
        """These people, by position."""
        labels = None if self.labels is None else self.labels[rows]
        return People([x[rows] for x in self.features], self.measured[rows], labels)

    def batches(self, size: int) -> list[People]:
        """All people in order, the last batch the smaller."""
        return [self.take(rows) for rows in torch.arange(len(self)).split(size)]


def people_of(
    codecs: Iterable[nn.Module], cohort: Cohort, device: torch.device | None = None, labels: Tensor | None = None
) -> People:
    """The cohort through codecs whose scale is fitted, on this device."""
    modalities = list(cohort.modalities.values())
    features = [c.prepare(m.values).to(device) for c, m in zip(codecs, modalities, strict=True)]  # type: ignore[operator]
    measured = torch.from_numpy(np.column_stack([m.measured for m in modalities])).to(device)
    return People(features, measured, labels)
