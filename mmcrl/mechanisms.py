"""Mechanisms: the exogenous noise ``eps_i = flow_i(z_i | gated parents)`` of every latent, and its likelihood.

    log p(z) = sum_i log p(z_i | g_i1 z_p1, g_i2 z_p2, ...),        eps_i = logit F(z_i | ...) standard logistic.

The flow's mixture (see `mmcrl.flows`) comes from a network of latent i's own whose first layer has a weight vector
per parent, so parents are never averaged.  Each parent passes a gate g in [0, 1].  In training a gate is drawn anew
for every person from a stretched binary concrete distribution, so that the likelihood has a gradient with respect to
every adjacency logit; the expected number of open gates is penalised, which makes the adjacency sparse.
Source of the gates: Louizos, Welling and Kingma, Learning Sparse Neural Networks through L0 Regularization (2018),
arXiv:1712.01312.
"""

from __future__ import annotations

import math

import networkx as nx
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmcrl.errors import InputError
from mmcrl.flows import LogisticMixture

__all__ = ["Mechanisms"]

_TEMPERATURE, _LOW, _HIGH = 0.5, -0.1, 1.1  # of the concrete distribution and its stretch, as in the source
_FARTHEST_LOGIT = 4.0  # a gate beyond would hardly be drawn the other way again: its gradient would die
_SMALLEST_SCALE = 0.05  # standard deviations: keeps the density of a latent with ties, such as sex, finite


class Mechanisms(nn.Module):
    """Conditional flows of d latents along an acyclic graph.

    Parameters
    ----------
    allowed : bool (d, d), ``allowed[i, j]`` iff latent j may cause latent i.
    width, components : hidden units, and logistic distributions per mixture.

    In ``train()`` mode gates are drawn; in ``eval()`` mode a parent is in or out, as `adjacency` says.

    Raises
    ------
    InputError : for an ``allowed`` that is not square or has a cycle.

    >>> Mechanisms(np.array([[0, 0], [1, 0]], dtype=bool)).order
    [0, 1]
    """

    parents: Tensor
    real: Tensor

    def __init__(self, allowed: np.ndarray, width: int = 32, components: int = 8) -> None:
        super().__init__()
        self.order = _causal_order(allowed)
        d, p = len(allowed), max(1, int(allowed.sum(1).max()))
        parents = torch.zeros(d, p, dtype=torch.long)
        real = torch.zeros(d, p, dtype=torch.bool)
        for i, row in enumerate(allowed):
            found = np.flatnonzero(row)
            parents[i, : len(found)] = torch.from_numpy(found)
            real[i, : len(found)] = True
        self.register_buffer("parents", parents)
        self.register_buffer("real", real)
        self.logits = nn.Parameter(torch.ones(d, p))
        self.w1 = nn.Parameter(torch.randn(d, p, width))
        self.b1 = nn.Parameter(0.5 * torch.randn(d, 1, width))
        self.w2 = nn.Parameter(torch.randn(d, width, width) / math.sqrt(width))
        self.b2 = nn.Parameter(torch.zeros(d, 1, width))
        self.w3 = nn.Parameter(0.1 * torch.randn(d, width, 3 * components) / math.sqrt(width))
        start = torch.cat([torch.zeros(components), torch.linspace(-2, 2, components), torch.zeros(components)])
        self.b3 = nn.Parameter(start.repeat(d, 1, 1))

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Noise eps (n, d) and ``log d eps_i / d z_i`` (n, d); NaN where z_i or a parent in use is NaN."""
        return self.mixtures(z).forward(z)

    def log_density(self, z: Tensor) -> Tensor:
        """``log p(z_i | parents)`` (n, d), nats."""
        return self.mixtures(z).log_density(z)

    def mixtures(self, z: Tensor) -> LogisticMixture:
        """The distribution of every latent given its parents among z (n, d)."""
        gates = self._drawn_gates(len(z)) if self.training else self._fixed_gates()
        chosen = z[:, self.parents]
        return self._mixtures(torch.where(gates == 0, 0.0, chosen) * gates, slice(None))

    def inverse(self, eps: Tensor, z: Tensor, i: int) -> Tensor:
        """Latent i (n,) for noise eps (n,) and parents among z (n, d), in ``eval()`` mode."""
        gates = self._fixed_gates()[i]
        chosen = torch.where(gates == 0, 0.0, z[:, self.parents[i]])
        return self._row(chosen.unsqueeze(1), i).inverse(eps)

    def penalty(self) -> Tensor:
        """Expected number of open gates: ``sum P(g > 0)``."""
        shift = _TEMPERATURE * math.log(-_LOW / _HIGH)
        return (torch.sigmoid(self.logits - shift) * self.real).sum()

    @torch.no_grad()
    def keep_gates_alive(self) -> None:
        """Draw the logits in to where every gate still has a gradient."""
        self.logits.clamp_(-_FARTHEST_LOGIT, _FARTHEST_LOGIT)

    @torch.no_grad()
    def adjacency(self) -> np.ndarray:
        """Int (d, d): 1 where the gate of parent j of latent i is more often open than shut."""
        matrix = np.zeros((len(self.order), len(self.order)), dtype=int)
        for i, (row, used) in enumerate(zip(self.parents, self._fixed_gates() > 0, strict=True)):
            matrix[i, row[used].cpu().numpy()] = 1
        return matrix

    def _fixed_gates(self) -> Tensor:
        return ((self.logits > 0) & self.real).to(self.logits.dtype)

    def _drawn_gates(self, n: int) -> Tensor:
        u = torch.rand(n, *self.logits.shape, dtype=self.logits.dtype, device=self.logits.device)
        soft = torch.sigmoid((self.logits + torch.logit(u, eps=1e-6)) / _TEMPERATURE)
        return (soft * (_HIGH - _LOW) + _LOW).clamp(0, 1) * self.real

    def _row(self, chosen: Tensor, i: int) -> LogisticMixture:
        mixture = self._mixtures(chosen, slice(i, i + 1))
        return LogisticMixture(*(part[:, 0] for part in mixture))

    def _mixtures(self, chosen: Tensor, rows: slice) -> LogisticMixture:
        """Mixtures of these latents given their gated parents (n, latents, p)."""
        hidden = F.silu(torch.baddbmm(self.b1[rows], chosen.transpose(0, 1), self.w1[rows]))
        hidden = F.silu(torch.baddbmm(self.b2[rows], hidden, self.w2[rows]))
        out = torch.baddbmm(self.b3[rows], hidden, self.w3[rows]).transpose(0, 1)
        weight, location, scale = out.chunk(3, -1)
        return LogisticMixture(torch.log_softmax(weight, -1), location, _SMALLEST_SCALE + F.softplus(scale - 1))


def _causal_order(allowed: np.ndarray) -> list[int]:
    if allowed.ndim != 2 or allowed.shape[0] != allowed.shape[1]:
        raise InputError("allowed", "a square matrix", f"shape {allowed.shape}")
    graph = nx.from_numpy_array(allowed.T.astype(int), create_using=nx.DiGraph)
    try:
        return list(nx.lexicographical_topological_sort(graph))
    except nx.NetworkXUnfeasible:
        raise InputError("allowed", "an acyclic graph", "one with a cycle") from None
