"""Looks: what the latents of a fit look like, under the names and signs of the true ones that they were matched with.

Only for simulated people: somebody has to know the truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from mmcrl import metrics
from mmcrl.knowledge import labels_of
from mmcrl.model import MultimodalCRL

__all__ = ["Looks", "lowest_and_highest", "rank_correlations", "share_explained", "share_in_common"]

_SHARE = 0.1  # of the people who count as lowest, or highest, in a latent


@dataclass(frozen=True)
class Looks:
    """A fitted model, and of every true latent the column of its match and the sign that turns it the same way."""

    model: MultimodalCRL
    column: dict[str, tuple[str, int]]
    sign: dict[str, float]

    @classmethod
    def of(cls, model: MultimodalCRL, truth: pd.DataFrame, estimate: pd.DataFrame) -> Looks:
        """Matched on these people, whose true and estimated latents have the same index."""
        true = dict(zip(labels_of(truth), truth.columns, strict=True))
        found = dict(zip(labels_of(estimate), estimate.columns, strict=True))
        column: dict[str, Any] = {name: found[match] for name, match in metrics.match(truth, estimate).items()}
        rho = {
            name: spearmanr(truth[true[name]], estimate[at], nan_policy="omit").statistic
            for name, at in column.items()
        }
        return cls(model, column, {name: -1.0 if value < 0 else 1.0 for name, value in rho.items()})

    def named(self, estimate: pd.DataFrame) -> pd.DataFrame:
        """Estimated latents (n, d) under the names of the true ones, turned their way."""
        return pd.DataFrame({name: self.sign[name] * estimate[at] for name, at in self.column.items()})

    def along(self, latent: str, values: Sequence[float], modality: str) -> np.ndarray:
        """A modality decoded (values, ...) with one latent at these values (SD) and all others at their mean."""
        pairs = [tuple(name.rsplit(".", 1)) for name in self.model.latent_names]
        columns = pd.MultiIndex.from_tuples([(owner, int(number)) for owner, number in pairs])
        moved = pd.DataFrame(0.0, index=range(len(values)), columns=columns)
        moved[self.column[latent]] = self.sign[latent] * np.asarray(values, dtype=float)
        return np.asarray(self.model.decode(moved)[modality])


def lowest_and_highest(values: Any, latent: pd.Series) -> np.ndarray:
    """Mean values (2, ...) of the tenth of the people (n, ...) who are lowest in a latent (n,), and of the highest.

    Who has no value of the latent is in neither.

    >>> lowest_and_highest(np.arange(20.0), pd.Series(range(20))).tolist()
    [0.5, 18.5]
    """
    there = np.flatnonzero(latent.notna())
    order, each = there[np.argsort(latent.to_numpy()[there])], max(1, round(_SHARE * len(there)))
    array = np.asarray(values, dtype=float)
    return np.stack([np.nanmean(array[rows], axis=0) for rows in (order[:each], order[-each:])])


def rank_correlations(truth: pd.DataFrame, named: pd.DataFrame) -> pd.Series:
    """Spearman's between every true latent and what stands under its name, over the people who have it."""
    true = truth.set_axis(labels_of(truth), axis=1)
    return pd.Series({name: float(true[name].corr(named[name], method="spearman")) for name in named})


def share_explained(values: Any, expected: Any) -> np.ndarray:
    """Share (channels,) of the variance around each place's mean that ``expected`` (n, channels, ...) explains.

    >>> x = np.array([[0.0], [2.0]])
    >>> share_explained(x, x).tolist(), share_explained(x, np.ones((2, 1))).tolist()
    ([1.0], [0.0])
    """
    x = np.asarray(values, dtype=float)
    beyond, around = (x - np.asarray(expected, dtype=float)) ** 2, (x - np.nanmean(x, axis=0)) ** 2
    return 1 - _per_channel(beyond) / _per_channel(around)


def share_in_common(first: Any, second: Any) -> np.ndarray:
    """Share (channels,) of the variance that two drawings (n, channels, ...) of the same people have in common.

    What is drawn anew is private, so this is the most that latents can explain.
    """
    one, other = (np.asarray(x, dtype=float) - np.nanmean(x, axis=0) for x in (first, second))
    both = np.where(np.isnan(one + other), np.nan, 1.0)
    return _per_channel(one * other) / _per_channel(both * (one**2 + other**2) / 2)


def _per_channel(cells: np.ndarray) -> np.ndarray:
    """Sums over people and places (channels,) of cells (n, channels, ...), gaps left out."""
    return np.nansum(cells, axis=(0, *range(2, cells.ndim)))
