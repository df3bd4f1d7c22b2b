"""CausalVAE: a variational autoencoder with a linear causal layer, supervised by labels of its latents."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from mmcrl.baselines.base import sizes_of, truth_of
from mmcrl.baselines.gaussian import bounded, draw, kl_standard, misfit
from mmcrl.baselines.neural import Network, NeuralBaseline
from mmcrl.cohort import Cohort
from mmcrl.kinds import Codec
from mmcrl.networks import mlp
from mmcrl.tensors import People

__all__ = ["CausalVAE", "acyclicity", "kl_labels"]


class CausalVAE(NeuralBaseline):
    """Needs labels: it is shown the true latents u of the training people, as published.

    Exogenous ``eps ~ q(eps | x)``; latents ``z = A z + eps = (I - A)^-1 eps``; a mask layer
    ``z'_i = g_i(A_i * z) + eps_i`` feeds the decoder.  Minimises

        -E log p(x | z') + KL(q(eps | x) || N(0, I)) + KL(q(z | x) || N(u, I)) + h(A) + l_u + l_m,
        h(A) = tr(exp(A * A)) - d,   l_u = ||u - A u||^2,   l_m = sum_i (z_i - g_i(A_i * z))^2.

    x is all modalities side by side, images and series pixel by pixel; as many latents as labels, so private
    variation has no room of its own.  Deviations: h is the exponential form of the acyclicity function (zero for the
    same matrices as the published polynomial); labels are standardised and unbounded, so l_u has no sigmoid; the
    encoder does not take u, which nobody has for new people; all weights are 1 from the first step, without A being
    trained beforehand.

    Parameters
    ----------
    latents : the true latents, such as ``world.latents``; only the rows of people in `fit` are used.
    seed, **training : as in `mmcrl.baselines.neural.NeuralBaseline`.

    Raises
    ------
    InputError : when a modality or a person of the cohort is missing in the truth.

    Source: Yang et al., CausalVAE: Disentangled Representation Learning via Neural Structural Causal Models
    (CVPR 2021), arXiv:2004.08697.
    """

    needs = "labels: the training people's true latents"

    def __init__(self, latents: pd.DataFrame, seed: int = 0, **training: Any) -> None:
        super().__init__(sizes_of(latents), seed, **training)
        self.latents = latents

    def _network(self, codecs: list[Codec], widths: list[int]) -> Network:
        return CausalNetwork(codecs, widths, self.settings.width)

    def _labels(self, cohort: Cohort) -> Tensor:
        columns = []
        for name, modality in cohort.modalities.items():
            truth = truth_of(self.latents, name, cohort.ids[modality.measured])
            block = np.zeros((len(cohort), truth.shape[1]))
            block[modality.measured] = (truth - truth.mean(0)) / truth.std(0)
            columns.append(block)
        return torch.from_numpy(np.hstack(columns)).to(torch.get_default_dtype())


class CausalNetwork(Network):
    """Encoder, causal layer, mask layer and decoder of all modalities together."""

    def __init__(self, codecs: list[Codec], widths: list[int], width: int, hidden: int = 32) -> None:
        super().__init__(codecs)
        d, f = sum(self.sizes), sum(widths)
        self.widths = widths
        self.encoder, self.decoder = mlp(f, width, 2 * d), mlp(d, width, f)
        self.matrix = nn.Parameter(torch.zeros(d, d))
        self.masked = nn.ModuleList([mlp(d, hidden, 1) for _ in range(d)])

    def adjacency(self) -> Tensor:
        """A (d, d) without its diagonal: A[i, j] is the effect of latent j on latent i."""
        return self.matrix - torch.diag(torch.diag(self.matrix))

    def causal_layer(self, eps: Tensor) -> Tensor:
        """``(I - A)^-1 eps`` of every person (n, d)."""
        return torch.linalg.solve(torch.eye(len(self.matrix)) - self.adjacency(), eps.T).T

    def mask_layer(self, z: Tensor) -> Tensor:
        """``g_i(A_i * z)``: latents (n, d) as their parents would have them."""
        adjacency = self.adjacency()
        return torch.cat([g(row * z) for g, row in zip(self.masked, adjacency, strict=True)], 1)

    def loss(self, people: People) -> Tensor:
        if people.labels is None:
            raise TypeError("CausalVAE is trained on labels")
        x, u, seen = _side_by_side(people), people.labels, self.per_latent(people.measured)
        mean, log_sd = bounded(self.encoder(x))
        eps = draw(mean, log_sd)
        z, adjacency = self.causal_layer(eps), self.adjacency()
        parents = self.mask_layer(z)
        columns = torch.repeat_interleave(people.measured, torch.tensor(self.widths), dim=1)
        values = misfit(x * columns, self.decoder(parents + eps) * columns)
        values = values + kl_standard(mean, log_sd).sum(1) + kl_labels(mean, log_sd, adjacency, u, seen)
        values = values + ((u - u @ adjacency.T) ** 2 * seen).sum(1) + ((z - parents) ** 2 * seen).sum(1)
        return values.mean() + acyclicity(adjacency)

    def latents(self, people: People) -> list[Tensor]:
        mean, _ = bounded(self.encoder(_side_by_side(people)))
        return list(self.causal_layer(mean).split(self.sizes, dim=1))


def _side_by_side(people: People) -> Tensor:
    """All features of every person in one row (n, f), 0 in the gaps of images and series."""
    return torch.cat([x.flatten(1).nan_to_num().to(torch.get_default_dtype()) for x in people.features], 1)


def acyclicity(adjacency: Tensor) -> Tensor:
    """``h(A) = tr(exp(A * A)) - d``, with the elementwise product: zero iff A has no directed cycle.

    Source: Zheng et al., DAGs with NO TEARS (2018), arXiv:1803.01422.

    >>> round(acyclicity(torch.tensor([[0.0, 2.0], [0.0, 0.0]])).item(), 6)
    0.0
    """
    return torch.matrix_exp(adjacency * adjacency).trace() - len(adjacency)


def kl_labels(mean: Tensor, log_sd: Tensor, adjacency: Tensor, labels: Tensor, seen: Tensor) -> Tensor:
    """``KL(q(z | x) || N(u, I))`` (n,) for ``z = (I - A)^-1 eps`` with eps ~ N(mean, exp(2 log_sd)), in nats.

    ``seen`` (n, d) weighs the latents: 0 where there is no label.
    """
    mixing = torch.linalg.inv(torch.eye(len(adjacency)) - adjacency)
    variance = (2 * log_sd).exp() @ (mixing**2).T
    each = 0.5 * (variance + (mean @ mixing.T - labels) ** 2 - 1) - log_sd
    return (each * seen).sum(1) - torch.linalg.slogdet(mixing).logabsdet
