"""Gaussian pieces of variational autoencoders.

Tables go through small networks of their own; images and series through the encoder and the decoder of their kind.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmcrl.kinds import Codec
from mmcrl.networks import mlp
from mmcrl.tensors import take_scale

__all__ = ["GaussianEncoder", "bounded", "decoder_of", "draw", "kl_standard", "misfit"]


class GaussianEncoder(nn.Module):
    """``q(z | x) = N(mean(x), diag(exp(2 log_sd(x))))``: (n, f) -> mean and log_sd, both (n, k).

    Parameters
    ----------
    codec : of the modality; that of an image or a series lends its kind's encoder, with weights of its own, every
        view of it (see `mmcrl.views`) as many means as it would have latents.
    n_in, width, n_out : features (f), hidden units, k.
    """

    order: Tensor

    def __init__(self, codec: Codec, n_in: int, width: int, n_out: int) -> None:
        super().__init__()
        self.net: nn.Module
        order = list(range(2 * n_out))
        if codec.large:
            self.net = _Half(type(codec)(codec.shape, 2 * n_out, width), "encode")
            order = _means_first(codec, n_out)
        else:
            self.net = mlp(n_in, width, 2 * n_out)
        self.register_buffer("order", torch.tensor(order), persistent=False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return bounded(self.net(x)[:, self.order])


def _means_first(codec: Codec, k: int) -> list[int]:
    """Positions of the 2 k codes of a codec of this kind: first k means, so many of every view, then the others."""
    means, others, start = list[int](), list[int](), 0
    for size, part in zip(codec.shared_out(2 * k), codec.shared_out(k), strict=True):
        means += range(start, start + part)
        others += range(start + part, start + size)
        start += size
    return means + others


def bounded(told: Tensor) -> tuple[Tensor, Tensor]:
    """What a network tells (n, 2 k), as mean and log_sd, the latter from -6 to 2."""
    mean, log_sd = told.chunk(2, dim=1)
    return mean, log_sd.clamp(-6, 2)


class _Half(nn.Module):
    """One way through a codec: ``encode`` or ``decode``."""

    def __init__(self, codec: Codec, way: str) -> None:
        super().__init__()
        self.codec, self.way = codec, way

    def forward(self, x: Tensor) -> Tensor:
        return getattr(self.codec, self.way)(x)


def decoder_of(codec: Codec, n_in: int, width: int, n_out: int) -> nn.Module:
    """What takes latents (n, n_in) to the features of the codec's modality, of which a table has ``n_out``."""
    if not codec.large:
        return mlp(n_in, width, n_out)
    own = type(codec)(codec.shape, n_in, width)
    take_scale(own, codec)
    return _Half(own, "decode")


def draw(mean: Tensor, log_sd: Tensor) -> Tensor:
    """A reparametrised sample ``mean + exp(log_sd) * noise``."""
    return mean + log_sd.exp() * torch.randn_like(mean)


def kl_standard(mean: Tensor, log_sd: Tensor) -> Tensor:
    """``KL(N(mean, sd^2) || N(0, 1)) = (mean^2 + sd^2 - 1) / 2 - log sd`` of every entry, in nats.

    >>> kl_standard(torch.zeros(1), torch.zeros(1)).item()
    0.0
    """
    return 0.5 * (mean**2 + (2 * log_sd).exp() - 1) - log_sd


def misfit(x: Tensor, fitted: Tensor) -> Tensor:
    """``-log N(x; fitted, 1)`` without its constant, summed over columns, or pixels that are no gap: (n,)."""
    error = torch.where(x.isnan(), 0.0, x.to(fitted.dtype) - fitted)
    return 0.5 * (error**2).flatten(1).sum(1)
