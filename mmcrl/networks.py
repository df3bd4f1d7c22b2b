"""Small networks that encoders, decoders and the contrast are made of."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

__all__ = ["ScalarFeatures", "mlp"]


def mlp(n_in: int, width: int, n_out: int) -> nn.Sequential:
    """Two hidden layers with leaky rectifiers: (*, n_in) -> (*, n_out)."""
    return nn.Sequential(
        nn.Linear(n_in, width),
        nn.LeakyReLU(0.2),
        nn.Linear(width, width),
        nn.LeakyReLU(0.2),
        nn.Linear(width, n_out),
    )


class ScalarFeatures(nn.Module):
    """A network of its own for every scalar: (n, d) -> (n, d, features).

    ``phi_i(z_i) = W3_i tanh(W2_i tanh(W1_i z_i + b1_i) + b2_i) + b3_i``; feature (i, r) depends on z_i alone, so
    its Jacobian is block-diagonal.

    >>> ScalarFeatures(3, features=4)(torch.zeros(5, 3)).shape
    torch.Size([5, 3, 4])
    """

    def __init__(self, d: int, features: int = 8, width: int = 32) -> None:
        super().__init__()
        self.w1 = nn.Parameter(1.5 * torch.randn(d, 1, width))
        self.b1 = nn.Parameter(torch.randn(d, 1, width))
        self.w2 = nn.Parameter(torch.randn(d, width, width) / math.sqrt(width))
        self.b2 = nn.Parameter(torch.zeros(d, 1, width))
        self.w3 = nn.Parameter(torch.randn(d, width, features) / math.sqrt(width))
        self.b3 = nn.Parameter(torch.zeros(d, 1, features))

    def forward(self, z: Tensor) -> Tensor:
        hidden = torch.tanh(z.T.unsqueeze(-1) * self.w1 + self.b1)
        hidden = torch.tanh(torch.baddbmm(self.b2, hidden, self.w2))
        return torch.baddbmm(self.b3, hidden, self.w3).transpose(0, 1)
