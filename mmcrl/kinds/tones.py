"""Tones: pictures whose latents are partly matters of layout, where things are, and partly of tone, how light of what
colour they are.

    codes = (layout(x), tone(m, C)),    m_c = mean over places of x_c,    C_cd = mean of x_c x_d - m_c m_d

The first view is the encoder of `mmcrl.kinds.images`.  The second (see `mmcrl.views`) is a network of the means and
the signed roots of the covariances of the channels, which are the same wherever in the picture each pixel lies:
whatever it tells, it does not tell it from a place.
Source: covariances over places as a picture's style, without its content: Gatys et al. (2016),
10.1109/CVPR.2016.265.  To contrast them on their own is ours.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mmcrl.kinds.images import ImageCodec
from mmcrl.networks import mlp

__all__ = ["TonedCodec"]

_SMALLEST = 1e-4  # covariance, for the slope of its root


class TonedCodec(ImageCodec):
    """`ImageCodec` whose last codes, half of them rounded down, see nothing but tone."""

    n_views = 2
    blur = 1.0  # without it the layout of digits of three colours is three clusters: rank correlation .3, not .99

    upper: Tensor

    def __init__(self, shape: Sequence[int], n_latents: int, width: int) -> None:
        super().__init__(shape, n_latents, width)
        n_channels, (n_layouts, n_tones) = self.shape[0], self.views
        self.n_channels = n_channels
        self.encoder[-1] = nn.Linear(width, n_layouts)
        self.register_buffer("upper", torch.triu_indices(n_channels, n_channels), persistent=False)
        self.tone = mlp(n_channels * (n_channels + 3) // 2, width, n_tones)

    def augment(self, features: Tensor, generator: torch.Generator) -> Tensor:
        """With the noisy features beside them (n, 2 channels, ...): the tone is read from those without."""
        return torch.cat([features, super().augment(features, generator)], 1)

    def encode(self, features: Tensor) -> Tensor:
        layout = super().encode(features[:, -self.n_channels :])
        plain = features[:, : self.n_channels].split(self.at_once or 1)  # sums of few people at a time
        return torch.cat([layout, self.tone(torch.cat([self._moments(some) for some in plain]))], 1)

    def _moments(self, features: Tensor) -> Tensor:
        """Means and signed roots of covariances of the channels (n, c (c + 3) / 2), over the places they have."""
        values = features.flatten(2).to(self.usual.dtype)
        known = (~values.isnan()).to(values.dtype)
        mean = values.nan_to_num().sum(2) / known.sum(2).clamp_min(1)
        x = (values - mean[:, :, None]).nan_to_num()
        covariance = x @ x.transpose(1, 2) / (known @ known.transpose(1, 2)).clamp_min(1)
        i, j = self.upper
        moments = covariance[:, i, j]
        return torch.cat([mean, moments.sign() * (moments.abs() + _SMALLEST).sqrt()], 1)
