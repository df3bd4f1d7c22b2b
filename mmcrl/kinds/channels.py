"""Channels: what codecs of images and series have in common, values (n, channels, ...) with gaps.

Features are the values, standardised per channel over all people and places, held in half precision; a gap (NaN)
stays a gap.  Encoders see the features with 0 in the gaps, beside a channel that says where there is none.  Decoders
tell how a person departs from the mean of the training people, place by place.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from mmcrl.kinds.codec import FARTHEST, FEWEST, Codec

__all__ = ["ChannelCodec", "strides"]

_NOISE = 0.5  # standard deviations of a channel; without it MCC falls from .98 to .90 with 1,000 small pictures
_POWER_STEPS = 20
_LEAST_SHARE = 0.05  # of a principal component, below which a score would be noise
_PIECE = 4 * 10**6  # values of which sums are taken at a time
_PLACES = 256  # whose means are taken at a time
_FAR = 2**12  # standard deviations from 0, beyond which single precision rounds a value more than half its feature


class ChannelCodec(Codec):
    """A codec of values (n, channels, ...), to be given `encode` and `departure` by its kind."""

    mean: Tensor
    scale: Tensor
    usual: Tensor
    direction: Tensor

    def __init__(self, shape: Sequence[int], n_latents: int, width: int) -> None:
        super().__init__(shape, n_latents, width)
        self.hold(self.shape)

    def hold(self, shape: tuple[int, ...]) -> None:
        """Make room for what is learned of values of this shape."""
        self.shape = shape
        per_channel = (self.shape[0], *[1] * (len(self.shape) - 1))
        self.register_buffer("mean", torch.zeros(per_channel, dtype=torch.float64))
        self.register_buffer("scale", torch.ones(per_channel, dtype=torch.float64))
        self.register_buffer("usual", torch.zeros(self.shape))
        self.register_buffer("direction", torch.zeros(self.shape))

    def fit_scale(self, values: np.ndarray) -> None:
        like = self.mean.shape
        mean, deviation = self.moments(values)
        self.mean.copy_(torch.from_numpy(mean).reshape(like))
        self.scale.copy_(torch.from_numpy(np.where(deviation > 0, deviation, 1.0)).reshape(like))
        features = torch.empty(values.shape, dtype=torch.float16, device=self.usual.device)
        for rows in _pieces(values):
            features[rows] = self.prepare(values[rows])
        places = features.flatten(1).split(_PLACES, 1)
        people = torch.cat([(~part.isnan()).sum(0) for part in places]).reshape(self.shape)  # who have a place
        usual = torch.cat([part.to(self.usual.dtype).nanmean(0) for part in places]).reshape(self.shape)
        self.usual.copy_(torch.where(people >= min(FEWEST, len(features)), usual, 0.0))
        share = people.clamp_min(1) / len(features)
        for c in range(self.shape[0]):
            even = self._departures(features[:, c], c).div_(share[c].flatten().sqrt())
            self.direction[c] = _first_component(even).reshape(self.shape[1:])

    def moments(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation (channels,) by which values (n, channels, ...) are standardised."""
        return _moments(values)

    def prepare(self, values: np.ndarray) -> Tensor:
        mean, scale = (buffer.to(self._exact).cpu().numpy() for buffer in (self.mean, self.scale))
        standard = values - mean
        standard /= scale
        return torch.from_numpy(np.clip(standard, -FARTHEST, FARTHEST, out=standard)).half()

    def restore(self, features: Tensor) -> np.ndarray:
        """In single precision, or in double (see `_exact`)."""
        mean, scale = (buffer.to(self._exact).cpu() for buffer in (self.mean, self.scale))
        return (features.detach().to(self._exact).cpu() * scale + mean).numpy()

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
        return noise.to(features.device).mul_(self.deviation()).add_(features)

    def deviation(self) -> float | Tensor:
        """Of the noise that is added in training, the same for all people."""
        return _NOISE

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

    @property
    def _exact(self) -> torch.dtype:
        """Single precision; double where single would blur a channel so far from 0, as seconds since 1970 are."""
        far = bool((self.mean.abs() > _FAR * self.scale).any())
        return torch.float64 if far else torch.float32

    def _departures(self, features: Tensor, channel: int) -> Tensor:
        """One channel's features less their mean, flat (n, f), 0 in the gaps."""
        copied = features.to(self.usual.dtype, copy=True)
        return copied.sub_(self.usual[channel]).nan_to_num_().flatten(1)


def strides(length: int, most: int, first: int) -> int:
    """How far a stage steps along an axis of this length, which is to become ``most`` or shorter.

    >>> [strides(n, 7, 4) for n in (224, 28, 7)]
    [4, 2, 1]
    """
    return first if length >= 4 * first * most else 2 if length > most else 1


def _pieces(values: np.ndarray) -> Iterator[slice]:
    """All people (n, ...) in order, so many at a time that their values are few enough to be copied."""
    each = max(1, _PIECE // math.prod(values.shape[1:]))
    return (slice(start, start + each) for start in range(0, len(values), each))


def _moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation (channels,) over the people and the places that have a value, summed in float64.

    In two passes, the second over ``(x - mean)^2``, which loses no digit where the mean is large.

    >>> mean, deviation = _moments(np.array([[[1.0, 3.0]], [[np.nan, 5.0]]]))
    >>> mean.tolist(), (deviation**2).round(6).tolist()
    ([3.0], [2.666667])
    """
    axes = (0, *range(2, values.ndim))
    total, squares, count = (np.zeros(values.shape[1]) for _ in range(3))
    for rows in _pieces(values):
        total += np.nansum(values[rows], axes, dtype=np.float64)
        count += (~np.isnan(values[rows])).sum(axes)
    mean = total / count
    exact = np.float32 if values.dtype == np.float32 else np.float64
    centre = mean.reshape(-1, *[1] * (values.ndim - 2))
    for rows in _pieces(values):
        away = (values[rows] - centre).astype(exact, copy=False)
        squares += np.nansum(np.square(away, out=away), axes, dtype=np.float64)
    return mean, np.sqrt(squares / count)


def _first_component(rows: Tensor) -> Tensor:
    """The direction (f,) along which rows (n, f) vary most, pointing to more rather than less, by power iteration."""
    direction = rows.std(0) + 1e-6
    for _ in range(_POWER_STEPS):
        direction = rows.T @ (rows @ direction)
        direction = direction / direction.norm().clamp_min(1e-12)
    return direction if direction.sum() >= 0 else -direction
