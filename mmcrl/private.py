"""Private variation: what a modality shows beyond its latents, as a Gaussian of few private dimensions.

    x^(m) - decode_m(z^(m))  =  L_m^T eta^(m) + e  ~  N(0, L_m^T L_m + Psi_m),

eta the private dimensions, Psi_m diagonal: see `mmcrl.factors`.  Their number is chosen on the held-out people (on
the training people where fewer than 10 of the others were measured): of a table any number, by maximum likelihood; of
images, series and tables of more than 100 columns 0, 1, 2, 3, 4, 6, 8, 12, ... to 64 principal directions.

It is the number of dimensions of a *linear* model of what is left.  Where private variation and latents are mixed
along curves, as in the paper's cases, one private variable leaves residuals in several directions, and what the
decoder failed to learn counts too: then the number is larger than that of private variables.

Fitted loadings rather than a store of residuals: no row of a person is kept.  The Gaussian has no mean and does not
depend on z, so skewed columns come out as a Gaussian around what is expected.  Whatever the number, every numeric
column has its maximum-likelihood spread over the people who have it; columns with levels have a likelihood of their
own (see `mmcrl.kinds.levels`) and take from this only how they vary together with others.  What no factor tells is
noise of each column, or place, by itself: drawn pictures vary in every place as much as real ones, but their finest
grain is not correlated from place to place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from mmcrl.cohort import Cohort
from mmcrl.contrast import Contrast
from mmcrl.factors import Factors, choose, likeliest, most_factors, principal
from mmcrl.kinds.codec import FEWEST
from mmcrl.modality import Modality
from mmcrl.tensors import People, as_tensor

__all__ = ["Private", "pairwise_covariance", "principal_root", "private_factors"]

_DIRECTIONS = [0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64]  # of a large modality, that are tried
_WIDEST = 100  # columns of a table whose factors are those of maximum likelihood
_RESIDUALS = 1_000, 5 * 10**7  # people, and values, whose residuals give the directions of a large modality
_HELD_OUT = 3  # for so many of them, one who is held out


class Private(NamedTuple):
    """The private variation of one modality: its `mmcrl.factors.Factors`, and what every number of them came to.

    ``tried`` lists pairs of number and held-out loss, the mean of ``-log p`` of the residuals (nats a person, of
    standardised columns).
    """

    factors: Factors
    tried: list[list[float]]


def pairwise_covariance(residuals: np.ndarray) -> np.ndarray:
    """Second moments (f, f) of residuals (n, f) around 0, each pair of columns over the people who have both.

    >>> pairwise_covariance(np.array([[2.0, np.nan], [-2.0, 1.0]]))
    array([[ 4., -2.],
           [-2.,  1.]])
    """
    filled, seen = np.nan_to_num(residuals), (~np.isnan(residuals)).astype(float)
    return filled.T @ filled / np.maximum(seen.T @ seen, 1)


def principal_root(residuals: Tensor, directions: int = _DIRECTIONS[-1]) -> Tensor:
    """R (r, f) with ``R^T R`` close to the covariance of residuals (n, f), by their r principal directions.

    >>> principal_root(torch.tensor([[3.0, 4.0], [-3.0, -4.0], [0.0, 0.0]]), 1).abs() * 3**0.5 / 2**0.5
    tensor([[3., 4.]])
    """
    values, vectors = torch.linalg.eigh((residuals @ residuals.T).double())  # (n, n): people are fewer than features
    kept = torch.argsort(values, descending=True)[:directions]
    return (vectors[:, kept].T.to(residuals.dtype) @ residuals) / len(residuals) ** 0.5


@torch.no_grad()
def private_factors(
    network: Contrast, train: Cohort, people: People, held_out: Cohort, others: People
) -> list[Private]:
    """Of every modality, of its features' residuals; f features, flattened.

    ``people`` are those of ``train``, ``others`` those of ``held_out``.
    """
    latents, unseen = (network.latents(who.features, who.measured) for who in (people, others))
    found = []
    for m, (codec, name) in enumerate(zip(network.codecs, train.names, strict=True)):
        own = network.members[m]
        mine = _residuals(codec, train[name], people, latents[:, own], m, 1)
        theirs = _residuals(codec, held_out[name], others, unseen[:, own], m, _HELD_OUT)
        judges = theirs if len(theirs) >= FEWEST else mine
        found.append(Private(*choose(_candidates(mine, bool(codec.large)), judges)))
    return found


def _candidates(residuals: Tensor, large: bool) -> Iterator[Callable[[], Factors]]:
    """Models of residuals (n, f), NaN where missing, of more and more factors."""
    f = residuals.shape[1]
    if not large and f <= _WIDEST:
        covariance = pairwise_covariance(residuals.numpy())
        return (partial(likeliest, covariance, k) for k in range(most_factors(f) + 1))
    even = _even(residuals)
    root, variance = principal_root(even), even.square().mean(0)
    return (partial(principal, root, variance, k) for k in _DIRECTIONS if k <= min(len(root), f - 1))


def _even(residuals: Tensor) -> Tensor:
    """Residuals (n, f) with 0 in the gaps, the larger for it where others are.

    A place that a share s of the people have counts 1 / sqrt(s), so that its variance is that of those who have it;
    one that fewer than 10 have counts nothing.
    """
    counts = (~residuals.isnan()).sum(0)
    enough = counts >= min(FEWEST, len(residuals))
    return residuals.nan_to_num().mul_(enough).div_((counts.clamp_min(1) / len(residuals)).sqrt())


def _residuals(codec: nn.Module, modality: Modality, people: People, codes: Tensor, m: int, share: int) -> Tensor:
    """Residuals (n, f) of those who were measured, of some of them where the modality is large; NaN where missing."""
    rows = torch.nonzero(people.measured[:, m])[:, 0]
    if codec.large:
        most = min(_RESIDUALS[0], _RESIDUALS[1] // int(np.prod(codec.shape)))  # type: ignore[arg-type]
        rows = rows[: max(1, most // share)]
    if not len(rows):
        return torch.empty(0, 0)
    parts = [
        (as_tensor(people.features[m][some]) - codec.decode(codes[some])).flatten(1).cpu()  # type: ignore[operator]
        for some in (rows.split(256) if codec.large else [rows])
    ]
    if codec.large:
        return torch.cat(parts)
    residuals, values = parts[0].double(), modality.values[rows.cpu().numpy()]
    absent = torch.from_numpy(np.isnan(values)).flatten(1)
    return residuals.masked_fill(absent, torch.nan) if absent.shape == residuals.shape else residuals
