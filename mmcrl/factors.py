"""Factors: a Gaussian of few common factors, their number chosen on people whom it was not fitted on.

    u ~ N(0, C),    C = L^T L + Psi,    L (k, f) loadings of k independent standard normal factors, Psi diagonal;
    r = u - W^T B u,    B W^T = I.

What is seen is r, for a person's d latents are estimated from the same values that u is part of: B (d, f) is how
they are read, W (d, f) how they show, and as much of u as is read as latents is missing in r.  So r says nothing of C
along W, and the likelihood is that of the f - d contrasts that W leaves out (*restricted* likelihood),

    -2 log p = log|C| + log|W C^-1 W^T| + r^T P r + (f - d) log 2 pi,    P = C^-1 - C^-1 W^T (W C^-1 W^T)^-1 W C^-1,

which B has no part in.  A diagonal C fitted to r as it is would need factors for what is missing along B.

`mmcrl.restricted` finds the L and Psi that are likeliest, so that only what columns have in common counts as a
factor.  Where f is too large for that, `principal` takes the k directions along which r varies most, W left aside,
and as Psi what is left of each place.  In both every column of r has the variance of the people fitted for any k.

The number of factors is the least k whose log-likelihood on other people falls short of the best by no more than one
standard error of the difference, person by person.
Sources: Patterson and Thompson, Recovery of inter-block information when block sizes are unequal (1971),
doi:10.1093/biomet/58.3.545, for restricted likelihood; Hastie, Tibshirani and Friedman, The Elements of Statistical
Learning (2009), section 7.10, for the rule of one standard error.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor

__all__ = ["LEAST_NOISE", "Factors", "choose", "principal"]

LEAST_NOISE = 0.005  # of a column's variance: below, a factor that copies one column would have no likelihood
_FARTHEST = 8.0  # standard deviations: a residual beyond counts as that in the choice, which it would rule else
_PATIENCE = 3  # numbers of factors in a row, none better, that end the search
_VALUES = 2**23  # of products of loadings, held at a time
_WIDE = 1e6  # variance along W, in place of an infinite one


@dataclass(frozen=True)
class Factors:
    """``N(0, L^T L + diag(noise^2))`` of f columns, less what is read as latents of it.

    Parameters
    ----------
    loadings : L (k, f), k from 0.
    noise : standard deviations (f,) of what the factors leave, 0 in a column that does not vary.
    along, read : W and B (d, f), d from 0.

    >>> Factors.plain(torch.tensor([[3.0, 0.0]]), torch.tensor([4.0, 1.0])).spread
    tensor([5., 1.])
    """

    loadings: Tensor
    noise: Tensor
    along: Tensor
    read: Tensor

    @classmethod
    def plain(cls, loadings: Tensor, noise: Tensor) -> Factors:
        """Of which nothing is read as latents."""
        return cls(loadings, noise, loadings[:0], loadings[:0])

    @property
    def dimensions(self) -> int:
        """k."""
        return len(self.loadings)

    @property
    def covariance(self) -> Tensor:
        """Of r (f, f): ``M C M^T`` with ``M = I - W^T B``."""
        left = torch.eye(len(self.noise), dtype=self.noise.dtype) - self.along.T @ self.read
        return left @ (self.loadings.T @ self.loadings + self.noise.square().diag()) @ left.T

    @property
    def spread(self) -> Tensor:
        """Standard deviation (f,) of every column of r."""
        if not len(self.along):
            return (self.loadings.square().sum(0) + self.noise.square()).sqrt()
        return self.covariance.diagonal().clamp_min(0).sqrt()

    def draw(self, rng: np.random.Generator, n: int) -> Tensor:
        """n draws of r (n, f)."""
        like, (k, f) = self.loadings.numpy().dtype, self.loadings.shape
        common, own = (torch.from_numpy(rng.standard_normal((n, size), dtype=like.type)) for size in (k, f))
        u = own.mul_(self.noise).addmm_(common, self.loadings)
        return u - (u @ self.read.T) @ self.along if len(self.along) else u

    def log_density(self, residuals: Tensor) -> Tensor:
        """``log p(r_o)`` (n,) in nats of residuals (n, f), o the columns that a person has: not NaN.

        Columns that do not vary are left out.  W are factors of a variance of 1e6 here.  By the lemmas of Woodbury
        and Sylvester, with V the rows of L and those, and ``M = I + V_o Psi_o^-1 V_o^T``,

            r^T C^-1 r = r^T Psi^-1 r - b^T M^-1 b,   b = V Psi^-1 r,      log|C| = log|Psi| + log|M|.
        """
        there = ~residuals.isnan() & (self.noise > 0)
        precision = torch.where(self.noise > 0, self.noise, 1.0) ** -2
        r = torch.where(there, residuals, 0.0)
        rows = torch.cat([self.loadings, math.sqrt(_WIDE) * self.along])
        scaled = rows * precision
        of_noise = (r.square() * precision - precision.log() + math.log(2 * math.pi)).mul(there).sum(1)
        shared = bool((there == there[:1]).all())  # everybody has the same columns: one M for all
        root = torch.linalg.cholesky(_middle(there[:1] if shared else there, rows, scaled)).expand(len(r), -1, -1)
        b = (r @ scaled.T).double()[:, :, None]
        explained = torch.linalg.solve_triangular(root, b, upper=False).square().sum((1, 2))
        size = 2 * root.diagonal(dim1=1, dim2=2).log().sum(1) - len(self.along) * math.log(2 * math.pi * _WIDE)
        return -0.5 * (of_noise.double() - explained + size)

    def tensors(self) -> dict[str, Tensor]:
        """From which `restored` makes it again."""
        return asdict(self)

    @classmethod
    def restored(cls, kept: Mapping[str, Tensor]) -> Factors:
        """From `tensors`, or from the root of a covariance alone, which models saved before factors were have."""
        if "root" in kept:
            return cls.plain(kept["root"], torch.zeros_like(kept["root"][0]))
        return cls(**kept)


def principal(root: Tensor, variance: Tensor, k: int) -> Factors:
    """The first k rows of a principal root (r, f) as factors, and the rest of the variance (f,) as noise.

    A column of which they leave less than .005 has its loadings shrunk to that.
    """
    common, most = root[:k].square().sum(0), (1 - LEAST_NOISE) * variance
    loadings = root[:k] * torch.where(common > most, (most / common.clamp_min(1e-30)).sqrt(), 1.0)
    return Factors.plain(loadings, (variance - loadings.square().sum(0)).clamp_min(0).sqrt())


def choose(candidates: Iterable[Callable[[], Factors]], held_out: Tensor) -> tuple[Factors, list[list[float]]]:
    """The first of these, fewest factors first, that is as likely as the best, and the loss of all that were tried.

    ``held_out`` are residuals (n, f), NaN where missing, of people whom no candidate was fitted on; one beyond 8
    standard deviations counts as that.  The loss is the mean of ``-log p`` (nats a person).  The search ends when
    three in a row brought none better.
    """
    tried: list[tuple[Factors, Tensor]] = []
    best, since = math.inf, 0
    for candidate in candidates:
        factors = candidate()
        limit = _FARTHEST * factors.spread
        losses = -factors.log_density(held_out.clamp(-limit, limit))
        tried.append((factors, losses))
        since, best = (0, float(losses.mean())) if losses.mean() < best else (since + 1, best)
        if since == _PATIENCE:
            break
    means = [float(losses.mean()) for _, losses in tried]
    least = tried[int(np.argmin(means))][1]
    excess = ((factors, losses - least) for factors, losses in tried)
    chosen = next(factors for factors, more in excess if float(more.mean()) <= _standard_error(more))
    return chosen, [[factors.dimensions, mean] for (factors, _), mean in zip(tried, means, strict=True)]


def _standard_error(differences: Tensor) -> float:
    n = len(differences)
    return float(differences.std()) / math.sqrt(n) if n > 1 else 0.0


def _middle(there: Tensor, rows: Tensor, scaled: Tensor) -> Tensor:
    """``I + V_o Psi_o^-1 V_o^T`` (n, v, v) for people who have these columns (n, f), in float64."""
    v = len(rows)
    middle = torch.eye(v, dtype=torch.float64).repeat(len(there), 1, 1)
    for columns in torch.arange(rows.shape[1]).split(max(1, _VALUES // max(1, v * v))):
        products = (scaled[:, None, columns] * rows[None, :, columns]).flatten(0, 1)
        middle += (there[:, columns].to(products.dtype) @ products.T).double().unflatten(1, (v, v))
    return middle
