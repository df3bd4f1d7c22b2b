"""Images: pictures (channels, height, width), from 4 x 5 to 224 x 224 pixels, through convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from mmcrl.kinds.channels import ChannelCodec, strides

__all__ = ["ImageCodec"]

Step = tuple[int, int]  # down and along

_SMALLEST = 7  # pixels a side of the last stage
_CHANNELS = 16, 32, 64  # of the first, second and all further stages


class ImageCodec(ChannelCodec):
    """Convolutions that step over the picture until its sides are 7 pixels or fewer, and the way back.

    The last stage is flattened, not averaged, so that it matters where something is.  Steps are of 2 pixels, the
    first of 4 where a side has 112 or more.  The decoder's transposed convolutions have kernels of twice their step,
    which leave no chequered pattern.
    """

    decoder: nn.ModuleList

    def __init__(self, shape: Sequence[int], n_latents: int, width: int) -> None:
        super().__init__(shape, n_latents, width)
        n_channels, height, across = self.shape
        sizes, steps = [(height, across)], list[Step]()
        while not steps or max(sizes[-1]) > _SMALLEST:
            (height, across), (down, along) = sizes[-1], (strides(side, _SMALLEST, 4) for side in sizes[-1])
            steps.append((down, along))
            sizes.append((-(-height // down), -(-across // along)))
        self.sizes = sizes
        channels = [n_channels + 1, *[_CHANNELS[min(s, len(_CHANNELS) - 1)] for s in range(len(steps))]]
        flat = channels[-1] * sizes[-1][0] * sizes[-1][1]
        stages = [
            layer
            for (before, after), step in zip(pairwise(channels), steps, strict=True)
            for layer in (
                _convolution(before, after, step),
                nn.LeakyReLU(0.2),
            )
        ]
        self.encoder = nn.Sequential(
            *stages, nn.Flatten(), nn.Linear(flat, width), nn.LeakyReLU(0.2), nn.Linear(width, n_latents)
        )
        self.small = channels[-1], *sizes[-1]
        first = [nn.Linear(n_latents, width), nn.LeakyReLU(0.2), nn.Linear(width, flat), nn.LeakyReLU(0.2)]
        channels[0] = n_channels
        back = [
            _Larger(after, before, step, size)
            for (before, after), step, size in zip(pairwise(channels), steps, sizes, strict=False)
        ]
        self.decoder = nn.ModuleList([nn.Sequential(*first), *reversed(back)])

    def encode(self, features: Tensor) -> Tensor:
        return self.encoder(torch.cat(self.seen(features), 1).contiguous(memory_format=torch.channels_last))

    def departure(self, codes: Tensor) -> Tensor:
        first, *stages = self.decoder
        grown = first(codes).unflatten(1, self.small).contiguous(memory_format=torch.channels_last)
        for s, stage in enumerate(stages):
            grown = stage(grown if s == 0 else nn.functional.leaky_relu(grown, 0.2))
        return grown


def _convolution(before: int, after: int, step: Step) -> nn.Conv2d:
    """With kernels of odd sides, which leave no pixel out."""
    down, along = (3 if s < 4 else 2 * s - 1 for s in step)
    return nn.Conv2d(before, after, (down, along), step, (down // 2, along // 2))


class _Larger(nn.Module):
    """A transposed convolution to a picture of this size."""

    def __init__(self, before: int, after: int, step: Step, size: Step) -> None:
        super().__init__()
        (down, above), (along, beside) = ((2 * s, s // 2) if s > 1 else (3, 1) for s in step)
        self.convolution = nn.ConvTranspose2d(before, after, (down, along), step, (above, beside))
        self.height, self.width = size

    def forward(self, x: Tensor) -> Tensor:
        return self.convolution(x)[:, :, : self.height, : self.width]
