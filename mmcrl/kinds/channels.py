"""Channels: what codecs of images and series have in common, values (n, channels, ...) with gaps.

Features are the values, standardised per channel over all people and places, held in half precision; a gap (NaN)
stays a gap.  Encoders see the features with 0 in the gaps, beside a channel that says where there is none.  Decoders
tell how a person departs from the mean of the training people, place by place.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from mmcrl.kinds.codec import FARTHEST, FEWEST, Codec

__all__ = ["ChannelCodec", "strides"]

_NOISE = 0.5  # standard deviations of a channel; without it MCC falls from .98 to .90 with 1,000 small pictures
_POWER_STEPS = 20
_LEAST_SHARE = 0.05  # of a principal component, below which a score would be noise


class ChannelCodec(Codec):
    """A codec of values (n, channels, ...), to be given `encode` and `departure` by its kind."""

    mean: Tensor
    scale: Tensor
    usual: Tensor
    direction: Tensor

    def __init__(self, shape: Sequence[int], n_latents: int, width: int) -> None:
        super().__init__(shape, n_latents, width)
        per_channel = (self.shape[0], *[1] * (len(self.shape) - 1))
        self.register_buffer("mean", torch.zeros(per_channel, dtype=torch.float64))
        self.register_buffer("scale", torch.ones(per_channel, dtype=torch.float64))
        self.register_buffer("usual", torch.zeros(self.shape))
        self.register_buffer("direction", torch.zeros(self.shape))

    def fit_scale(self, values: np.ndarray) -> None:
        axes = (0, *range(2, values.ndim))
        like = self.mean.shape
        self.mean.copy_(torch.from_numpy(np.nanmean(values, axes, dtype=np.float64)).reshape(like))
        deviation = np.nanstd(values, axes, dtype=np.float64)
        self.scale.copy_(torch.from_numpy(np.where(deviation > 0, deviation, 1.0)).reshape(like))
        features = self.prepare(values).to(self.usual.device)
        people = (~features.isnan()).sum(0)  # who have a place
        usual = features.to(self.usual.dtype).nanmean(0)
        self.usual.copy_(torch.where(people >= min(FEWEST, len(features)), usual, 0.0))
        share = people.clamp_min(1) / len(features)
        for c in range(self.shape[0]):
            even = self._departures(features[:, c], c) / share[c].flatten().sqrt()
            self.direction[c] = _first_component(even).reshape(self.shape[1:])

    def prepare(self, values: np.ndarray) -> Tensor:
        mean, scale = (buffer.float().cpu().numpy() for buffer in (self.mean, self.scale))
        standard = (values - mean) / scale
        return torch.from_numpy(np.clip(standard, -FARTHEST, FARTHEST, out=standard)).half()

    def restore(self, features: Tensor) -> np.ndarray:
        """In single precision."""
        return (features.detach().float().cpu() * self.scale.float().cpu() + self.mean.float().cpu()).numpy()

    def decode(self, codes: Tensor) -> Tensor:
        return self.usual + self.departure(codes)

    @abstractmethod
    def departure(self, codes: Tensor) -> Tensor:
        """How people with these codes differ from the mean (n, channels, ...)."""

    def misfit(self, features: Tensor, expected: Tensor) -> Tensor:
        """Mean squared error over what is no gap."""
        there = ~features.isnan()
        error = (expected - features.nan_to_num().to(expected.dtype)) ** 2
        return (error * there).sum() / there.sum().clamp_min(1)

    def augment(self, features: Tensor, generator: torch.Generator) -> Tensor:
        """With white noise, so that the encoder cannot learn by heart the details that tell people apart."""
        noise = torch.randn(features.shape, generator=generator, dtype=self.usual.dtype)
        return features + _NOISE * noise.to(features.device)

    def summary(self, features: Tensor) -> Tensor:
        """Scores (n, channels) on each channel's first principal component v, of the training people,

            sum of v_t x_t / sum of v_t^2,   over the places t that a person has

        of the departure x from the mean; NaN for a channel without any value.  Less than a twentieth of v^2 counts
        as that much.
        """
        there, scores = ~features.flatten(2).isnan(), []
        for c, v in enumerate(self.direction.flatten(1)):
            share = there[:, c].to(v.dtype) @ v**2
            scores.append(self._departures(features[:, c], c) @ v / share.clamp_min(_LEAST_SHARE))
        return torch.stack(scores, 1).masked_fill(~there.any(2), torch.nan)

    def seen(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Features with 0 in the gaps (n, channels, ...), and the share of channels that is there (n, 1, ...)."""
        values = features.to(self.usual.dtype)
        if not values.sum().isnan():
            return values, values.new_ones(len(values), 1, *self.shape[1:])
        there = values == values
        return torch.where(there, values, 0.0), there.to(values.dtype).mean(1, keepdim=True)

    def _departures(self, features: Tensor, channel: int) -> Tensor:
        """One channel's features less their mean, flat (n, f), 0 in the gaps."""
        return (features.to(self.usual.dtype) - self.usual[channel]).nan_to_num().flatten(1)


def strides(length: int, most: int, first: int) -> int:
    """How far a stage steps along an axis of this length, which is to become ``most`` or shorter.

    >>> [strides(n, 7, 4) for n in (224, 28, 7)]
    [4, 2, 1]
    """
    return first if length >= 4 * first * most else 2 if length > most else 1


def _first_component(rows: Tensor) -> Tensor:
    """The direction (f,) along which rows (n, f) vary most, pointing to more rather than less, by power iteration."""
    direction = rows.std(0) + 1e-6
    for _ in range(_POWER_STEPS):
        direction = rows.T @ (rows @ direction)
        direction = direction / direction.norm().clamp_min(1e-12)
    return direction if direction.sum() >= 0 else -direction
