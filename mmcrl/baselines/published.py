"""Published loss: the loss of Sun et al. (2025), rebuilt with its faults, to show what they cost."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from mmcrl.baselines.base import Sizes
from mmcrl.baselines.gaussian import GaussianEncoder, decoder_of, draw, kl_standard, misfit
from mmcrl.baselines.neural import Network, NeuralBaseline, mean_over
from mmcrl.kinds import Codec
from mmcrl.networks import mlp
from mmcrl.tensors import People

__all__ = ["PublishedLoss"]


class PublishedLoss(NeuralBaseline):
    """Rebuilt from the paper and from reports of its code, not the authors' program, with three faults kept.

    Encoders give ``q(z, eta | x)`` per modality, decoders rebuild x, and exogenous noise is
    ``eps_i = exp(s_i) f_i(z_i, mean of z_j over parents j) + t_i``.  Minimises

        -E log p(x | z, eta) + beta (KL(q(eta | x) || N(0, I)) + E[log q(z | x) - log N(eps; 0, I) - sum_i s_i])
            + sparsity sum_ij abs(P_ij).

    The faults: parents are ``P_ij > threshold``, so that only the last term moves P; the middle term lacks the
    log-determinant of the non-invertible f in front of the flow; parents are averaged before the mechanism.  P
    starts at 1/2 as reported; the threshold, the affine flow with ``|s| <= 1`` (without a bound the missing
    determinant sends the loss to minus infinity) and the weights are choices of the rebuilding.

    Parameters
    ----------
    n_latents, seed, **training : as in `mmcrl.baselines.neural.NeuralBaseline`.
    beta, sparsity, threshold : as above.
    n_private : private latents eta per modality.

    Source: Sun et al., Causal Representation Learning from Multimodal Biomedical Observations (ICLR 2025),
    arXiv:2411.06518.
    """

    def __init__(
        self,
        n_latents: Sizes = None,
        seed: int = 0,
        *,
        beta: float = 0.1,
        sparsity: float = 0.01,
        threshold: float = 0.1,
        n_private: int = 1,
        **training: Any,
    ) -> None:
        super().__init__(n_latents, seed, **training)
        self.beta, self.sparsity, self.threshold, self.n_private = beta, sparsity, threshold, n_private

    @property
    def hyper_parameters(self) -> dict[str, Any]:
        own = {"beta": self.beta, "sparsity": self.sparsity, "threshold": self.threshold}
        return {**own, "n_private": self.n_private, **super().hyper_parameters}

    def _network(self, codecs: list[Codec], widths: list[int]) -> Network:
        weights = self.beta, self.sparsity, self.threshold
        return PublishedNetwork(codecs, widths, self.settings.width, self.n_private, *weights)


class PublishedNetwork(Network):
    """Autoencoders with private latents, and exogenous noise from thresholded, averaged parents."""

    def __init__(
        self,
        codecs: list[Codec],
        widths: list[int],
        width: int,
        n_private: int,
        beta: float,
        sparsity: float,
        threshold: float,
    ) -> None:
        super().__init__(codecs)
        self.beta, self.sparsity, self.threshold = beta, sparsity, threshold
        d, shapes = sum(self.sizes), list(zip(codecs, widths, self.sizes, strict=True))
        self.encoders = nn.ModuleList([GaussianEncoder(c, f, width, k + n_private) for c, f, k in shapes])
        self.decoders = nn.ModuleList([decoder_of(c, k + n_private, width, f) for c, f, k in shapes])
        self.links = nn.Parameter(torch.full((d, d), 0.5))
        self.mechanisms = nn.ModuleList([mlp(2, 32, 1) for _ in range(d)])
        self.scale, self.shift = nn.Parameter(torch.zeros(d)), nn.Parameter(torch.zeros(d))

    def parents(self) -> Tensor:
        """Hard parents (d, d), [i, j] for j -> i: a comparison, through which no gradient flows."""
        return (self.links > self.threshold).to(self.links.dtype) * (1 - torch.eye(len(self.links)))

    def penalty(self) -> Tensor:
        """``sparsity sum |P|``: the only term that moves P."""
        return self.sparsity * self.links.abs().sum()

    def noise_terms(self, z: Tensor) -> Tensor:
        """``-log N(eps; 0, I) - sum_i s_i`` of latents (n, d), one term per latent."""
        parents = self.parents()
        average = (z @ parents.T) / parents.sum(1).clamp_min(1)
        inputs = torch.stack([z, average], 2)
        found = torch.cat([f(inputs[:, i]) for i, f in enumerate(self.mechanisms)], 1)
        scale = torch.tanh(self.scale)
        eps = scale.exp() * found + self.shift
        return 0.5 * (eps**2 + math.log(2 * math.pi)) - scale

    def fit_terms(self, people: People) -> Tensor:
        """Everything but the penalty, per person."""
        total, latents, densities = torch.zeros(()), [], []
        for m, x in enumerate(people.features):
            measured, k = people.measured[:, m], self.sizes[m]
            mean, log_sd = self.encoders[m](x)
            code = draw(mean, log_sd)
            private = kl_standard(mean[:, k:], log_sd[:, k:]).sum(1)
            total = total + mean_over(misfit(x, self.decoders[m](code)) + self.beta * private, measured)
            latents.append(code[:, :k] * measured[:, None])
            noise = ((code - mean) / log_sd.exp())[:, :k]
            densities.append(-0.5 * (noise**2 + math.log(2 * math.pi)) - log_sd[:, :k])
        each = (torch.cat(densities, 1) + self.noise_terms(torch.cat(latents, 1))) * self.per_latent(people.measured)
        return total + self.beta * each.sum(1).mean()

    def loss(self, people: People) -> Tensor:
        return self.fit_terms(people) + self.penalty()

    def latents(self, people: People) -> list[Tensor]:
        return [self.encoders[m](x)[0][:, : self.sizes[m]] for m, x in enumerate(people.features)]
