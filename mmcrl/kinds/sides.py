"""Sides: pictures of both sides of a body, such as the left and the right eye, which show the same latents.

    codes = mean over the sides s that are there of f(x_s),    x_right mirrored

The first half of the channels is the left side, the second half the right one.  One network f, that of
`mmcrl.kinds.tones`, reads either, so that every person is two examples of what a latent looks like, and the codes of
both are averaged.  Where exactly the camera pointed is told by neither latent: in training the frame of each side is
moved by chance.  White noise is added too, but in proportion to how people depart from the mean picture: most of what
varies in a photograph of an eye is that between places, the same in all people, beside which noise that goes by it
would hide the vessels.
Source: moving pictures by a few pixels keeps what they show, Simard et al. (2003), 10.1109/ICDAR.2003.1227801.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from mmcrl.kinds.tones import TonedCodec

__all__ = ["SidesCodec"]

T = TypeVar("T", np.ndarray, Tensor)

_AIM = 1 / 32  # of a side of the picture, the farthest that a frame is moved
_NOISE = 0.25  # of the deviation of people from the mean; .5 hides some of what vessels tell


class SidesCodec(TonedCodec):
    """`TonedCodec` of one side, applied to both, whose values are standardised alike.

    The mean over sides weighs each by the share of its values that are there.
    """

    differing: Tensor

    def __init__(self, shape: Sequence[int], n_latents: int, width: int) -> None:
        super().__init__((shape[0] // 2, *shape[1:]), n_latents, width)
        self.hold(tuple(shape))
        self.register_buffer("differing", torch.ones(shape[0], 1, 1), persistent=False)  # for training alone

    def moments(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mean, deviation = super().moments(self._one_below_the_other(values))
        return np.tile(mean, 2), np.tile(deviation, 2)

    def fit_scale(self, values: np.ndarray) -> None:
        super().fit_scale(values)
        squares, count = torch.zeros(2, self.n_channels, 1, 1, dtype=torch.float64)
        for piece in np.array_split(values, -(-len(values) // (self.at_once or 1))):
            departures = self._one_below_the_other(self.prepare(piece).double() - self.usual.cpu())
            squares += departures.square().nansum((0, 2, 3))[:, None, None]
            count += (~departures.isnan()).sum((0, 2, 3))[:, None, None]
        self.differing.copy_((squares / count.clamp_min(1)).sqrt().repeat(2, 1, 1))

    def augment(self, features: Tensor, generator: torch.Generator) -> Tensor:
        """Features (n, 2 channels, ...): as they are, for the tone, then noisy, each side's frame moved."""
        plain, noisy = super().augment(features, generator).chunk(2, 1)
        return torch.cat([plain, *(_moved(side, generator) for side in noisy.chunk(2, 1))], 1)

    def deviation(self) -> Tensor:
        return _NOISE * self.differing

    def encode(self, features: Tensor) -> Tensor:
        copies = [copy.chunk(2, 1) for copy in features.split(self.shape[0], 1)]  # without noise, with it
        left, right = (torch.cat(side, 1) for side in zip(*copies, strict=True))
        both = torch.cat([left, right.flip(-1)])
        there = (~both.isnan()).flatten(1).to(self.usual.dtype).mean(1).unflatten(0, (2, -1))
        weights = there / there.sum(0).clamp_min(1e-6)
        return (super().encode(both).unflatten(0, (2, -1)) * weights[:, :, None]).sum(0)

    def departure(self, codes: Tensor) -> Tensor:
        side = super().departure(codes)
        return torch.cat([side, side.flip(-1)], 1)

    def _one_below_the_other(self, values: T) -> T:
        """Sides as people (2 n, channels of one, ...), as they lie in memory."""
        return values.reshape(-1, self.n_channels, *self.shape[1:])


def _moved(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """Pictures (n, channels, height, width) moved by a few pixels each, their edges repeated."""
    n, _, height, width = pictures.shape
    places = [
        (torch.arange(side) + torch.randint(-far, far + 1, (n, 1), generator=generator)).clamp(0, side - 1)
        for side in (height, width)
        for far in [round(_AIM * side)]
    ]
    down, along = (place.to(pictures.device) for place in places)
    person = torch.arange(n, device=pictures.device)[:, None, None]
    return pictures.permute(0, 2, 3, 1)[person, down[:, :, None], along[:, None]].permute(0, 3, 1, 2)
