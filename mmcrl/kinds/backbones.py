"""Backbones: published image networks in the place of our small encoder, for pictures with fine detail."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mmcrl.kinds.images import ImageCodec

__all__ = ["ResNetCodec"]

_GROUPS = 16  # of channels that are normalised together
_STAGES = (64, 1), (128, 2), (256, 2), (512, 2)  # channels and step of each; two blocks a stage


class ResNetCodec(ImageCodec):
    """ResNet-18 as encoder, from random weights; the decoder is that of `ImageCodec`.

    Its first convolution takes the picture's channels and the one that says where there is none, its last layer gives
    the codes.  Channels are normalised in groups within a picture, not over a batch, so that a person's code depends
    on nobody else.  11 million weights.

    Sources: He et al., Deep residual learning for image recognition (2016), arXiv:1512.03385; Wu and He, Group
    normalization (2018), arXiv:1803.08494.
    """

    def __init__(self, shape: Sequence[int], n_latents: int, width: int) -> None:
        super().__init__(shape, n_latents, width)
        before = _STAGES[0][0]
        first = [nn.Conv2d(self.shape[0] + 1, before, 7, 2, 3, bias=False), _normalised(before), nn.ReLU()]
        blocks: list[nn.Module] = [nn.MaxPool2d(3, 2, 1)]
        for channels, step in _STAGES:
            blocks += [_Residual(before, channels, step), _Residual(channels, channels, 1)]
            before = channels
        last = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, n_latents)]
        self.encoder = nn.Sequential(*first, *blocks, *last)

    def encode(self, features: Tensor) -> Tensor:
        return self.encoder(torch.cat(self.seen(features), 1))


class _Residual(nn.Module):
    """``relu(x' + F(x))``: F two convolutions, x' the picture itself, or brought to another size by a third."""

    def __init__(self, before: int, after: int, step: int) -> None:
        super().__init__()
        self.change = nn.Sequential(
            nn.Conv2d(before, after, 3, step, 1, bias=False),
            _normalised(after),
            nn.ReLU(),
            nn.Conv2d(after, after, 3, 1, 1, bias=False),
            _normalised(after),
        )
        same = before == after and step == 1
        across = [nn.Conv2d(before, after, 1, step, bias=False), _normalised(after)]
        self.across = nn.Sequential(*([] if same else across))

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.across(x) + self.change(x))


def _normalised(channels: int) -> nn.Module:
    return nn.GroupNorm(_GROUPS, channels)
