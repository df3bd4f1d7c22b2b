"""Levels: how likely every level of a column is, given the codes of its modality.

One small network f per modality gives every column with levels l_1 < ... < l_K its scores; with t and b learned,

    binary       P(x = l_2 | z) = sigmoid(f(z) - t),
    ordinal      P(x <= l_k | z) = sigmoid(t_k - f(z)),                         t_1 < ... < t_(K-1),
    categorical  P(x = l_k | z) = exp(f_k(z) + b_k) / sum_l exp(f_l(z) + b_l).

The first is the second with two levels.  Given z the columns are independent, so that a missing cell is marginalised
by leaving out its term.
Source of the second: McCullagh, Regression Models for Ordinal Data (1980), doi:10.1111/j.2517-6161.1980.tb01109.x.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmcrl.drawing import at_levels
from mmcrl.networks import mlp

__all__ = ["Levels"]

_WIDTH = 32
_LEAST_GAP = 1e-3  # between thresholds at first


class Levels(nn.Module):
    """Log-likelihood of the columns that have levels.

    Parameters
    ----------
    column_kinds, levels : per column its kind, and its levels, smallest first; none for a numeric column.
    n_codes : of the modality.

    >>> Levels(["numeric", "binary"], [[], [0.0, 1.0]], 2).columns
    [1]
    """

    def __init__(self, column_kinds: Sequence[str], levels: Sequence[Sequence[float]], n_codes: int) -> None:
        super().__init__()
        self.columns = [c for c, known in enumerate(levels) if known]
        self.levels = [np.asarray(levels[c], dtype=np.float64) for c in self.columns]
        self.ordered = [column_kinds[c] != "categorical" for c in self.columns]
        pairs = list(zip(self.levels, self.ordered, strict=True))
        self.sizes = [1 if ordered else len(known) for known, ordered in pairs]
        with torch.random.fork_rng(devices=[]):  # whatever else is drawn stays as it is without levels
            torch.manual_seed(0)
            self.network = mlp(n_codes, _WIDTH, sum(self.sizes))
        self.base = nn.ParameterList(torch.zeros(len(known) - ordered) for known, ordered in pairs)

    def indices(self, values: np.ndarray) -> Tensor:
        """Number (n, c) of each cell's level among values (n, columns), -1 where it is missing or has none."""
        found = np.full((len(values), len(self.columns)), -1)
        for place, (c, known) in enumerate(zip(self.columns, self.levels, strict=True)):
            at = at_levels(values[:, c], known)
            found[:, place] = np.where(at.any(1), at.argmax(1), -1)
        return torch.from_numpy(found)

    def log_probabilities(self, codes: Tensor) -> list[Tensor]:
        """Of every column (n, K), nats."""
        scores = self.network(codes).split(self.sizes, 1)
        parts = zip(scores, self.base, self.ordered, strict=True)
        return [_cumulative(s, b) if ordered else torch.log_softmax(s + b, 1) for s, b, ordered in parts]

    def log_likelihood(self, codes: Tensor, indices: Tensor) -> Tensor:
        """Of every cell (n, c), nats, 0 where there is none."""
        pairs = zip(self.log_probabilities(codes), indices.T, strict=True)
        terms = [log.gather(1, at.clamp_min(0)[:, None])[:, 0] * (at >= 0) for log, at in pairs]
        return torch.stack(terms, 1)

    @torch.no_grad()
    def start(self, indices: Tensor) -> None:
        """Begin with each level's share of the people, whatever their codes."""
        for at, known, ordered, base in zip(indices.T, self.levels, self.ordered, self.base, strict=True):
            count = torch.bincount(at[at >= 0].cpu(), minlength=len(known)).double() + 0.5
            share = count / count.sum()
            if ordered:
                threshold = torch.logit(share.cumsum(0)[:-1])
                gaps = threshold.diff().clamp_min(_LEAST_GAP)
                share = torch.cat([threshold[:1], gaps.expm1().log()])  # softplus of the second gives the gaps
            base.copy_(share if ordered else share.log())
        last = self.network[-1]
        last.weight.zero_()  # type: ignore[operator]
        last.bias.zero_()  # type: ignore[operator]


def _cumulative(score: Tensor, base: Tensor) -> Tensor:
    """log P (n, K) of ordered levels, by ``s(u) - s(v) = s(u) s(-v) (1 - exp(v - u))`` for the logistic s."""
    gaps = F.softplus(base[1:])
    threshold = torch.cat([base[:1], base[:1] + gaps.cumsum(0)])
    below, above = F.logsigmoid(threshold - score), F.logsigmoid(score - threshold)
    between = below[:, 1:] + above[:, :-1] + torch.log(-torch.expm1(-gaps))
    return torch.cat([below[:, :1], between, above[:, -1:]], 1)
