"""Gaussian pieces of variational autoencoders."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmcrl.networks import mlp

__all__ = ["GaussianEncoder", "draw", "kl_standard", "misfit"]


class GaussianEncoder(nn.Module):
    """``q(z | x) = N(mean(x), diag(exp(2 log_sd(x))))``: (n, f) -> mean and log_sd, both (n, k)."""

    def __init__(self, n_in: int, width: int, n_out: int) -> None:
        super().__init__()
        self.net = mlp(n_in, width, 2 * n_out)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_sd = self.net(x).chunk(2, dim=1)
        return mean, log_sd.clamp(-6, 2)


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
    """``-log N(x; fitted, 1)`` without its constant, summed over columns: (n,)."""
    return 0.5 * ((x - fitted) ** 2).sum(1)
