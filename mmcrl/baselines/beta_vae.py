"""BetaVAE: a variational autoencoder of each modality by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mmcrl.baselines.base import Sizes
from mmcrl.baselines.gaussian import GaussianEncoder, decoder_of, draw, kl_standard, misfit
from mmcrl.baselines.neural import Network, NeuralBaseline, mean_over
from mmcrl.kinds import Codec
from mmcrl.tensors import People

__all__ = ["BetaVAE"]


class BetaVAE(NeuralBaseline):
    """``-E_q log p(x | z) + beta KL(q(z | x) || N(0, I))``, summed over modalities that know nothing of each other.

    Generous: it gets ``k + extra`` latents per modality, so that private variation has room, and returns the k with
    the largest KL among the training people.  Columns are standardised and ``p(x | z)`` is normal with variance 1.

    Parameters
    ----------
    n_latents, seed, **training : as in `mmcrl.baselines.neural.NeuralBaseline`.
    beta : weight of the KL; its own loss cannot choose it.
    extra : latents beyond k.

    Source: Higgins et al., beta-VAE: Learning Basic Visual Concepts with a Constrained Variational Framework
    (ICLR 2017), https://openreview.net/forum?id=Sy2fzU9gl.
    """

    def __init__(
        self, n_latents: Sizes = None, seed: int = 0, *, beta: float = 0.25, extra: int = 1, **training: Any
    ) -> None:
        super().__init__(n_latents, seed, **training)
        self.beta, self.extra = beta, extra

    @property
    def hyper_parameters(self) -> dict[str, Any]:
        return {"beta": self.beta, "extra": self.extra, **super().hyper_parameters}

    def _network(self, codecs: list[Codec], widths: list[int]) -> Network:
        return BetaNetwork(codecs, widths, self.settings.width, self.beta, self.extra)


class BetaNetwork(Network):
    """One autoencoder per modality."""

    def __init__(self, codecs: list[Codec], widths: list[int], width: int, beta: float, extra: int) -> None:
        super().__init__(codecs)
        self.beta = beta
        self.encoders = nn.ModuleList(
            [GaussianEncoder(c, f, width, k + extra) for c, f, k in zip(codecs, widths, self.sizes, strict=True)]
        )
        self.decoders = nn.ModuleList(
            [decoder_of(c, k + extra, width, f) for c, f, k in zip(codecs, widths, self.sizes, strict=True)]
        )
        self.chosen = [torch.arange(k) for k in self.sizes]

    def loss(self, people: People) -> Tensor:
        total = torch.zeros(())
        for m, x in enumerate(people.features):
            mean, log_sd = self.encoders[m](x)
            fitted = self.decoders[m](draw(mean, log_sd))
            values = misfit(x, fitted) + self.beta * kl_standard(mean, log_sd).sum(1)
            total = total + mean_over(values, people.measured[:, m])
        return total

    def latents(self, people: People) -> list[Tensor]:
        return [self.encoders[m](x)[0][:, self.chosen[m]] for m, x in enumerate(people.features)]

    @torch.no_grad()
    def finish(self, pieces: Sequence[People]) -> None:
        for m, encoder in enumerate(self.encoders):
            each = (kl_standard(*encoder(p.features[m])) * p.measured[:, m, None] for p in map(People.read, pieces))
            nats = torch.stack([values.sum(0) for values in each]).sum(0)
            self.chosen[m] = nats.topk(self.sizes[m]).indices.sort().values
