"""Flows: an increasing map of one variable to standard-logistic noise, for any continuous density.

    eps = logit F(z),        F(z) = sum_k w_k sigmoid((z - mu_k) / s_k).

F is a mixture of logistic distributions, dense in all continuous ones, so the form of the noise is not assumed.
Both tails are computed in logarithms, so nothing saturates; the log-density is that of the mixture, exactly; and the
z of a given eps lies between the smallest and largest ``mu_k + s_k eps``, which brackets the inverse.  That is all a
flow of one variable needs, so no library of flows is brought along.
Source of such flows: Ho et al., Flow++ (2019), arXiv:1902.00275, section 3.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["LogisticMixture"]

_HALVINGS, _NEWTON_STEPS = 40, 2  # a bracket of 1e-11, from where Newton reaches rounding


class LogisticMixture(NamedTuple):
    """Mixtures with ``log_weight``, ``location`` and ``scale`` of shape (..., K), one per value of shape (...)."""

    log_weight: Tensor
    location: Tensor
    scale: Tensor

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """eps and ``log d eps / d z``, both shaped like z.

        >>> mixture = LogisticMixture(torch.zeros(1, 1), torch.ones(1, 1), torch.full((1, 1), 2.0))
        >>> [part.exp().item() for part in mixture.forward(torch.tensor([1.0]))]
        [1.0, 0.5]
        """
        below, above = self._tails(z)
        return below - above, self.log_density(z) - below - above

    def log_density(self, z: Tensor) -> Tensor:
        """log p(z), nats."""
        a = (z.unsqueeze(-1) - self.location) / self.scale
        each = F.logsigmoid(a) + F.logsigmoid(-a) - self.scale.log()
        return torch.logsumexp(self.log_weight + each, -1)

    def inverse(self, eps: Tensor) -> Tensor:
        """The z whose noise is eps, by bisection and Newton's method: exact to rounding."""
        ends = self.location + self.scale * eps.unsqueeze(-1)
        low, high = ends.amin(-1), ends.amax(-1)
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            below, above = self._tails(middle)
            too_low = below - above < eps
            low, high = torch.where(too_low, middle, low), torch.where(too_low, high, middle)
        z = (low + high) / 2
        for _ in range(_NEWTON_STEPS):
            reached, log_slope = self.forward(z)
            z = torch.clamp(z + (eps - reached) * torch.exp(-log_slope), low, high)
        return z

    def _tails(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """log F(z) and log(1 - F(z))."""
        a = (z.unsqueeze(-1) - self.location) / self.scale
        return (
            torch.logsumexp(self.log_weight + F.logsigmoid(a), -1),
            torch.logsumexp(self.log_weight + F.logsigmoid(-a), -1),
        )
