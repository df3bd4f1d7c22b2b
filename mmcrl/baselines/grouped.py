"""Grouped contrast: the published structured contrastive estimator for grouped variables (G-CaRL)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmcrl.baselines.neural import Network, NeuralBaseline
from mmcrl.kinds import Codec
from mmcrl.networks import ScalarFeatures, mlp
from mmcrl.tensors import People

__all__ = ["GroupedContrast"]


class GroupedContrast(NeuralBaseline):
    """Tell people from people put together of several people's modalities, by a sum over pairs of components.

    Logistic regression with the regression function

        r(x) = sum over m != n, i in m, j in n of w_ij abs(l_ij h_j - abs(l_ij) psi_i(h_i)) + sum_m psi^m(h^m) + c,

    m and n modalities, ``h^m`` the encoder of m, ``w_ij <= 0``, ``l_ij = l_ji``: the authors' pair function for
    Laplace noise.  A negative example keeps one random modality of a person and takes each other modality from
    another person.  No penalty makes ``w`` sparse: unlike `mmcrl.contrast`, as published.

    Deviations from the authors' code: other people come from the same batch; ``w`` is kept negative by a softplus
    instead of by clipping; every latent has a psi_i of its own instead of one in common; psi^m is a plain network of
    h^m instead of a weighted sum of squares of one; leaky rectifiers instead of maxout; Adam for the common budget
    of steps instead of momentum for a million, and the state of lowest held-out loss instead of a moving average.
    No whitening by principal components comes first: columns here outnumber latents.

    Source: Morioka and Hyvarinen, Causal Representation Learning Made Identifiable by Grouping of Observational
    Variables (ICML 2024), arXiv:2310.15709, and its code, github.com/hmorioka/GCaRL (read for facts).
    """

    def _network(self, codecs: list[Codec], widths: list[int]) -> Network:
        return GroupedNetwork(codecs)


class GroupedNetwork(Network):
    """Encoders with batch normalisation, and the regression function on their codes."""

    cross: Tensor

    def __init__(self, codecs: list[Codec], hidden: int = 32) -> None:
        super().__init__(codecs)
        d = sum(self.sizes)
        block = torch.repeat_interleave(torch.arange(len(self.sizes)), torch.tensor(self.sizes))
        self.register_buffer("cross", (block[:, None] != block[None]).to(torch.get_default_dtype()))
        self.norms = nn.ModuleList([nn.BatchNorm1d(k) for k in self.sizes])
        self.weight = nn.Parameter(torch.full((d, d), -2.0))
        self.slope = nn.Parameter(0.5 * torch.randn(d, d))
        self.curve = ScalarFeatures(d, features=1, width=hidden)
        self.single = nn.ModuleList([mlp(k, hidden, 1) for k in self.sizes])
        self.bias = nn.Parameter(torch.zeros(()))

    def codes(self, people: People) -> list[Tensor]:
        """h^m (n, k), normalised over those who have modality m, 0 for the others."""
        found = []
        for m, (codec, x) in enumerate(zip(self.codecs, self.augmented(people), strict=True)):
            rows = torch.nonzero(people.measured[:, m])[:, 0]
            code = torch.zeros(len(x), self.sizes[m])
            if len(rows) > 1 or not self.training:
                code = code.index_copy(0, rows, self.norms[m](codec.encode(x[rows])))  # type: ignore[operator]
            found.append(code)
        return found

    def pair_terms(self, h: Tensor) -> Tensor:
        """``w_ij abs(l_ij h_j - abs(l_ij) psi_i(h_i))`` of codes (n, d) for pairs across modalities: (n, d, d)."""
        slope = 0.5 * (self.slope + self.slope.T)
        distance = slope * h[:, None, :] - slope.abs() * self.curve(h)
        return -F.softplus(self.weight) * self.cross * distance.abs()

    def regression(self, codes: list[Tensor], measured: Tensor) -> Tensor:
        """r(x) (n,): terms of modalities that were not measured are left out."""
        seen = self.per_latent(measured)
        pairs = (self.pair_terms(torch.cat(codes, 1)) * seen[:, :, None] * seen[:, None, :]).sum((1, 2))
        singles = torch.cat([net(h) for net, h in zip(self.single, codes, strict=True)], 1) * measured
        return pairs + singles.sum(1) + self.bias

    def loss(self, people: People) -> Tensor:
        codes, n = self.codes(people), len(people.measured)
        orders = [torch.randperm(n) for _ in codes]
        orders[int(torch.randint(len(codes), ()))] = torch.arange(n)
        shuffled = [h[order] for h, order in zip(codes, orders, strict=True)]
        seen = torch.stack([people.measured[order, m] for m, order in enumerate(orders)], 1)
        true, false = self.regression(codes, people.measured), self.regression(shuffled, seen)
        return F.softplus(-true).mean() + F.softplus(false).mean()

    def latents(self, people: People) -> list[Tensor]:
        return self.codes(people)
