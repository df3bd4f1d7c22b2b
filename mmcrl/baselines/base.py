"""Base: the protocol that all baselines share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd

from mmcrl.cohort import Cohort
from mmcrl.errors import InputError
from mmcrl.kinds import codec_for
from mmcrl.plan import Block, as_fitted, plan_blocks

__all__ = ["Baseline", "Sizes", "sizes_of", "truth_of"]

Sizes = int | Mapping[str, int] | None


class Baseline(ABC):
    """Latents of each modality, found by another method.

    Parameters
    ----------
    n_latents : latents per modality, as in `MultimodalCRL`.
    seed : of everything random.

    Raises
    ------
    InputError : for a cohort that `MultimodalCRL` would refuse as well.
    """

    needs = ""  # what the method is shown beside the cohort, said wherever it is printed

    def __init__(self, n_latents: Sizes = None, seed: int = 0) -> None:
        self.n_latents, self.seed = n_latents, seed

    def fit(self, cohort: Cohort, progress: bool = False) -> Self:
        """Learn from the people of the cohort."""
        blocks = plan_blocks(cohort, self.n_latents)
        self._learn(cohort, blocks, progress)
        self._blocks = blocks
        return self

    def transform(self, cohort: Cohort) -> pd.DataFrame:
        """Latents (n, d), columns (modality, latent), NaN where a person's modality, or observed column, is missing.

        Raises
        ------
        InputError : before `fit`, and for a cohort with other modalities or columns; one that it lacks was measured
            in nobody.
        """
        if not hasattr(self, "_blocks"):
            raise InputError("baseline", "a fitted baseline: call fit first", "one that is not fitted")
        cohort = as_fitted(self._blocks, cohort)
        parts = {}
        for block, found in zip(self._blocks, self._latents(cohort, self._blocks), strict=True):
            seen = codec_for(block.kind).seen_parts(cohort[block.name])
            values = np.where(seen, found, np.nan)
            parts[block.name] = pd.DataFrame(values, index=cohort.ids)
        return pd.concat(parts, axis=1, names=["modality", "latent"])

    @property
    @abstractmethod
    def hyper_parameters(self) -> dict[str, Any]:
        """What the method was run with, for the pages."""

    @abstractmethod
    def _learn(self, cohort: Cohort, blocks: Sequence[Block], progress: bool) -> None:
        """Train on a cohort that has been checked."""

    @abstractmethod
    def _latents(self, cohort: Cohort, blocks: Sequence[Block]) -> list[np.ndarray]:
        """Latents (n, k) of every block; rows of people without the modality may hold anything."""

    def __repr__(self) -> str:
        shown = {"n_latents": self.n_latents, "seed": self.seed, **self.hyper_parameters}
        needs = f"; needs {self.needs}" if self.needs else ""
        return f"{type(self).__name__}({', '.join(f'{k}={v}' for k, v in shown.items())}{needs})"


def truth_of(latents: pd.DataFrame, name: str, ids: pd.Index) -> np.ndarray:
    """True latents (n, k) of one modality for these people.

    Raises
    ------
    InputError : when the modality or a person is missing in the truth.
    """
    if name not in latents.columns.get_level_values(0):
        raise InputError("latents", f"the truth of {name}", "none")
    truth = latents[name].reindex(ids)
    if truth.isna().to_numpy().any():
        raise InputError("latents", f"the truth of everybody with {name}", "people without one")
    return truth.to_numpy(float)


def sizes_of(latents: pd.DataFrame) -> dict[str, int]:
    """How many true latents every modality has.

    Raises
    ------
    InputError : for what is no table of them.
    """
    if not isinstance(latents, pd.DataFrame) or latents.columns.nlevels != 2:
        raise InputError("latents", "a DataFrame with columns (modality, number)", type(latents).__name__)
    counts = latents.columns.get_level_values(0).value_counts(sort=False)
    return {str(name): int(count) for name, count in counts.items()}
