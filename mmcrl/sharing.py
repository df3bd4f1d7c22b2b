"""Sharing: latents that several modalities show, found by contrast as codes that are one and the same.

Encoders trained by contrast find a latent that the modalities a and b both show in each of them: two codes that agree
with each other far better than a cause does with its effect.  Copies are codes of different modalities with
``|rank correlation| >= 0.95``; those that hang together are one latent, of a modality of its own named ``shared``.
The modalities that have a copy are its *viewers*.  Once they are known, encoders are trained with their copies tied
to each other (see `mmcrl.contrast`), and the latent's value is the mean of its copies.
Source: Sun et al. (2025), arXiv:2411.06518, where shared latents are found first, by contrast; the rule is ours.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd

from mmcrl.cohort import Cohort
from mmcrl.descent import Run
from mmcrl.plan import Block, modality_numbers
from mmcrl.tensors import People
from mmcrl.training import codes_of, tensors_of

__all__ = ["Copies", "best_of", "copies_of", "train_views"]

_AGREEMENT = 0.95  # between the copies of a latent; causes and effects stay below .9 in all worlds of the suite
_PEOPLE = 20_000


@dataclass(frozen=True)
class Copies:
    """One shared latent: the numbers of its codes, and how well the two that differ most agree (0 to 1)."""

    codes: list[int]
    agreement: float

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def copies_of(codes: np.ndarray, modality: Sequence[int], n_shared: int) -> list[Copies]:
    """At most ``n_shared`` latents that several modalities show, the best agreed first.

    Parameters
    ----------
    codes : (n, D), NaN where a person was not measured.
    modality : number of the modality of each code.

    >>> z = np.random.default_rng(0).normal(size=(100, 3))
    >>> copies_of(np.column_stack([z, -z[:, 0]]), [0, 0, 1, 1], 1)[0].codes
    [0, 3]
    """
    agreement, block = _agreement(codes), np.asarray(modality)
    agreement[block[:, None] == block[None]] = 0.0
    graph = nx.Graph(zip(*np.nonzero(agreement >= _AGREEMENT), strict=True))
    found = []
    for component in nx.connected_components(graph):
        members = sorted(int(i) for i in component)
        best = {block[i]: i for i in sorted(members, key=lambda i: agreement[i, members].sum())}
        kept = sorted(best.values())  # one a modality, the one that the others agree with most
        between = agreement[np.ix_(kept, kept)][np.triu_indices(len(kept), 1)]
        found.append(Copies(kept, float(between.min())))
    return sorted(found, key=lambda copies: -copies.agreement)[:n_shared]


def train_views(
    blocks: Sequence[Block],
    n_shared: int,
    counted: bool,
    train: Cohort,
    train_on: Callable[..., list[Run]],
    checkpoint: str | os.PathLike[str] | None = None,
) -> tuple[list[Block], list[Run], list[Copies]]:
    """What every modality shows: the blocks with the copies of shared latents counted in, the starts, the copies.

    First every modality is given ``n_shared`` latents more than its own (where they are not ``counted`` in).  Codes
    that agree tell which modalities show which of the shared latents; then the starts are trained with copies of
    those alone, tied to each other and held to the value found.  ``train_on(views, checkpoint=, tied=, taught=)``
    trains the starts on ``train``: see `mmcrl.training.train_starts`.

    Warns
    -----
    UserWarning : where fewer shared latents are found than were asked for.
    """
    if not n_shared:
        return list(blocks), train_on(blocks, checkpoint=checkpoint), []
    folders = [None if checkpoint is None else Path(checkpoint) / name for name in ("search", "tied")]
    wide = [block.wider(0 if counted else n_shared) for block in blocks]
    runs = train_on(wide, checkpoint=folders[0])
    people = tensors_of(runs[0].network, train)  # the same features for all starts, and for those to come
    modality = modality_numbers(wide)
    found, taught = _found(runs, people, modality.tolist(), n_shared)
    if len(found) < n_shared:
        warnings.warn(
            f"n_shared: {n_shared} asked for, {len(found)} found that several modalities show", stacklevel=3
        )
    viewers = [sorted({int(modality[code]) for code in latent.codes}) for latent in found]
    views = [
        wide[m] if counted else block.wider(sum(m in seen for seen in viewers)) for m, block in enumerate(blocks)
    ]
    tied = _tied(views, viewers)
    runs = train_on(views, checkpoint=folders[1], tied=tied, taught=taught)
    agreement = _agreement(codes_of(runs[best_of(runs)].network, people.some(_PEOPLE)))
    return views, runs, [Copies(codes, float(agreement[np.ix_(codes, codes)].min())) for codes in tied]


def best_of(runs: Sequence[Run]) -> int:
    """The start with the lowest held-out loss."""
    return int(np.argmin([run.held_out_loss for run in runs]))


def _found(
    runs: Sequence[Run], people: People, modality: Sequence[int], n_shared: int
) -> tuple[list[Copies], np.ndarray | None]:
    """Copies of the start that finds the most shared latents and agrees on them best, and their values (n, s)."""
    some = people.some(_PEOPLE)
    found = [copies_of(codes_of(run.network, some), modality, n_shared) for run in runs]
    best = max(range(len(runs)), key=lambda r: (len(found[r]), sum(latent.agreement for latent in found[r])))
    if not found[best]:
        return [], None
    codes = codes_of(runs[best].network, people)
    values = []
    for latent in found[best]:
        copies = pd.DataFrame(codes[:, latent.codes])
        mean = (copies * np.sign(copies.corr("spearman").iloc[0])).mean(axis=1)
        values.append((mean - mean.mean()) / mean.std())
    return found[best], np.column_stack(values)


def _agreement(codes: np.ndarray) -> np.ndarray:
    """Absolute rank correlations (D, D) of codes (n, D), over the people who have both."""
    return np.nan_to_num(pd.DataFrame(codes).corr("spearman").abs().to_numpy())


def _tied(views: Sequence[Block], viewers: Sequence[Sequence[int]]) -> list[list[int]]:
    """The copies of each shared latent: the first codes of the modalities that show it."""
    first = np.cumsum([0, *[view.n_latents for view in views]])[:-1]
    return [
        [int(first[m]) + sum(m in earlier for earlier in viewers[:j]) for m in seen] for j, seen in enumerate(viewers)
    ]
