"""MCL: contrastive learning between pairs of modalities, without structure in the components."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from mmcrl.baselines.base import Sizes
from mmcrl.baselines.neural import Network, NeuralBaseline
from mmcrl.kinds import Codec
from mmcrl.tensors import People

__all__ = ["MCL", "info_nce"]


class MCL(NeuralBaseline):
    """Encoders whose codes agree between modalities: symmetric InfoNCE summed over pairs of modalities.

    ``L = sum over m < n of (l_mn + l_nm) / 2`` with
    ``l_mn = -mean_i log(exp(s(z_i^m, z_i^n)) / sum_j exp(s(z_i^m, z_j^n)))`` and ``s(a, b) = -||a - b||^2 / tau``.
    It identifies content that modalities share, as a block; latents that are merely linked are not shared content.
    With the published temperature 1 and squared Euclidean distance.  Deviations: negatives come from the other
    modality of the same batch alone (the authors' simulation code draws them from the same modality of a second
    batch); more than two modalities are a sum over pairs; modalities of unequal size are compared on their first
    ``min(k_m, k_n)`` latents.

    Parameters
    ----------
    n_latents, seed, **training : as in `mmcrl.baselines.neural.NeuralBaseline`.
    temperature : tau.

    Source: Daunhawer et al., Identifiability Results for Multimodal Contrastive Learning (ICLR 2023),
    arXiv:2303.09166.
    """

    def __init__(self, n_latents: Sizes = None, seed: int = 0, *, temperature: float = 1.0, **training: Any) -> None:
        super().__init__(n_latents, seed, **training)
        self.temperature = temperature

    @property
    def hyper_parameters(self) -> dict[str, Any]:
        return {"temperature": self.temperature, **super().hyper_parameters}

    def _network(self, codecs: list[Codec], widths: list[int]) -> Network:
        return MCLNetwork(codecs, self.temperature)


class MCLNetwork(Network):
    """One encoder per modality."""

    def __init__(self, codecs: list[Codec], temperature: float) -> None:
        super().__init__(codecs)
        self.temperature = temperature

    def loss(self, people: People) -> Tensor:
        codes, total = self.latents(people), torch.zeros(())
        for m, n in combinations(range(len(codes)), 2):
            both = people.measured[:, m] & people.measured[:, n]
            shared = min(self.sizes[m], self.sizes[n])
            if both.sum() > 1:
                total = total + info_nce(codes[m][both, :shared], codes[n][both, :shared], self.temperature)
        return total if total.requires_grad or not self.training else codes[0].sum() * 0

    def latents(self, people: People) -> list[Tensor]:
        pairs = zip(self.codecs, self.augmented(people), strict=True)
        return [codec.encode(x) for codec, x in pairs]  # type: ignore[operator]


def info_nce(a: Tensor, b: Tensor, temperature: float) -> Tensor:
    """Symmetric InfoNCE of paired codes (n, k) with ``-||a - b||^2 / temperature``, in nats."""
    scores = -((a[:, None] - b[None]) ** 2).sum(-1) / temperature
    target = torch.arange(len(a))
    return 0.5 * (F.cross_entropy(scores, target) + F.cross_entropy(scores.T, target))
