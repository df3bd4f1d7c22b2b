"""Private variation: what a modality shows beyond its latents, as a Gaussian of few private dimensions.

    x^(m) - decode_m(z^(m))  =  (I - W_m^T B_m) (L_m^T eta^(m) + e),    e ~ N(0, Psi_m),

eta the private dimensions, Psi_m diagonal; what of both is read as latents, by B_m, is missing in the residual (see
`mmcrl.factors`).  For a table, W_m are the slopes of the columns that the decoder expects and B_m those of the codes
that the encoder reads, by least squares; of large modalities, where it matters little, and of tables with hardly more
columns than latents there are none.  The number of dimensions is chosen on the held-out people (on the training
people where fewer than 10 of the others were measured): of a table any number, by maximum likelihood; of images,
series and tables of more than 100 columns 0, 1, 2, 3, 4, 6, 8, 12, ... to 64 principal directions.

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
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from mmcrl.checkpoint import NOWHERE, Kept
from mmcrl.cohort import Cohort
from mmcrl.contrast import Contrast
from mmcrl.factors import Factors, choose, principal
from mmcrl.kinds.codec import FEWEST
from mmcrl.modality import Modality
from mmcrl.restricted import likeliest, most_factors
from mmcrl.tensors import People, as_tensor, some_of

__all__ = ["Private", "pairwise_covariance", "principal_root", "private_factors"]

_DIRECTIONS = [0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64]  # of a large modality, that are tried
_WIDEST = 100  # columns of a table whose factors are those of maximum likelihood
_RESIDUALS = 1_000, 5 * 10**7  # people, and values, whose residuals give the directions of a large modality
_LEAST_KNOWN = 0.2  # of a code in the columns that its decoder expects
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
    network: Contrast, train: Cohort, people: People, held_out: Cohort, others: People, kept: Kept = NOWHERE
) -> list[Private]:
    """Of every modality, of its features' residuals; f features, flattened.

    ``people`` are those of ``train``, ``others`` those of ``held_out``.  What was chosen of a modality is kept.
    """
    latents = [network.latents(who.features, who.seen) for who in (people, others)]

    def chosen(m: int, codec: Any, name: str) -> dict[str, Tensor]:
        codes, unseen = (of[:, network.members[m]] for of in latents)
        mine = _residuals(codec, train[name], people, codes, m, 1)
        theirs = _residuals(codec, held_out[name], others, unseen, m, _HELD_OUT)
        if codec.large or mine.shape[1] > _WIDEST:
            candidates = _of_large(mine)
        else:
            candidates = _of_table(mine, *_slopes(codec, people.features[m], codes, people.measured[:, m]))
        factors, tried = choose(candidates, theirs if len(theirs) >= FEWEST else mine)
        return {**factors.tensors(), "tried": torch.tensor(tried, dtype=torch.float64)}

    found = []
    for m, (codec, name) in enumerate(zip(network.codecs, train.names, strict=True)):
        known = dict(kept.result(f"private-{m}", partial(chosen, m, codec, name)))
        tried = [[int(k), loss] for k, loss in known.pop("tried").tolist()]
        found.append(Private(Factors.restored(known), tried))
    return found


def _of_table(residuals: Tensor, along: np.ndarray, read: np.ndarray) -> Iterator[Callable[[], Factors]]:
    """Models of residuals (n, f), NaN where missing, of more and more factors, given W and B (d, f)."""
    covariance, most = pairwise_covariance(residuals.numpy()), most_factors(residuals.shape[1])
    if len(along) > most:
        along, read = along[:0], read[:0]
    return (partial(likeliest, covariance, along, read, k) for k in range(most - len(along) + 1))


def _of_large(residuals: Tensor) -> Iterator[Callable[[], Factors]]:
    """Models of residuals (n, f), NaN where missing, of more and more principal directions."""
    even = _even(residuals)
    root, variance = principal_root(even), even.square().mean(0)
    return (partial(principal, root, variance, k) for k in _DIRECTIONS if k <= min(len(root), residuals.shape[1] - 1))


def _slopes(codec: nn.Module, features: Tensor, codes: Tensor, measured: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """W and B (d, f) with ``B W^T = I``, by least squares, d the directions of codes that both know."""
    x, z, told = (of[measured].double().cpu() for of in (features, codes, codec.decode(codes)))  # type: ignore[operator]
    x, z, told = (of - of.mean(0) for of in (x, z, told))
    along, read = torch.linalg.lstsq(z, told).solution, torch.linalg.lstsq(x, z, driver="gelsd").solution.T
    left, size, right = torch.linalg.svd(read @ along.T)
    known = size > _LEAST_KNOWN
    return (right[known] @ along).numpy(), ((left.T @ read)[known] / size[known, None]).numpy()


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
        rows = some_of(rows, max(1, most // share))
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
