"""Baselines: what simpler methods recover of the same cohort, and what a method that sees the truth would.

Each has the estimator's protocol: ``fit(cohort)``, then ``transform(cohort)`` to a table of latents.  Modalities are
treated one by one: missing values are filled with the training people's mean, columns standardised.  As in
`MultimodalCRL`, each column of an ``observed`` modality is a latent of its own.
"""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.compose import TransformedTargetRegressor
from sklearn.decomposition import PCA, FastICA
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from mmcrl.cohort import Cohort
from mmcrl.errors import InputError
from mmcrl.plan import Block, plan_blocks

__all__ = ["Baseline", "FastICABaseline", "PCABaseline", "SupervisedCeiling"]


class Baseline(ABC):
    """Latents of each modality from that modality alone.

    Parameters
    ----------
    n_latents : latents per modality, as in `MultimodalCRL`.
    seed : of everything random.

    Raises
    ------
    InputError : for a cohort that `MultimodalCRL` would refuse as well.
    """

    def __init__(self, n_latents: int | Mapping[str, int] | None = None, seed: int = 0) -> None:
        self.n_latents, self.seed = n_latents, seed

    def fit(self, cohort: Cohort) -> Self:
        """Learn one map per modality from the people who have it."""
        blocks = plan_blocks(cohort, self.n_latents)
        self._maps: list[tuple[Block, Pipeline]] = []
        for block in blocks:
            modality = cohort[block.name]
            values, ids = modality.values[modality.measured], cohort.ids[modality.measured]
            steps: list[Any] = [SimpleImputer(keep_empty_features=True), StandardScaler()]
            if block.kind != "observed":
                steps.append(self._method(block))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                self._maps.append((block, make_pipeline(*steps).fit(values, self._target(block, ids))))
        return self

    def transform(self, cohort: Cohort) -> pd.DataFrame:
        """Latents (n, d), columns (modality, latent), NaN where a person's modality was not measured."""
        if not hasattr(self, "_maps"):
            raise InputError("baseline", "a fitted baseline: call fit first", "one that is not fitted")
        parts = {}
        for block, fitted in self._maps:
            block.check(cohort)
            modality = cohort[block.name]
            values = np.full((len(cohort), block.n_latents), np.nan)
            if modality.measured.any():
                apply = fitted.predict if hasattr(fitted, "predict") else fitted.transform
                found = apply(modality.values[modality.measured])
                values[modality.measured] = found.reshape(-1, block.n_latents)
            parts[block.name] = pd.DataFrame(values, index=cohort.ids)
        return pd.concat(parts, axis=1, names=["modality", "latent"])

    @abstractmethod
    def _method(self, block: Block) -> Any:
        """A scikit-learn transformer or regressor of standardised columns to the block's latents."""

    def _target(self, block: Block, ids: pd.Index) -> np.ndarray | None:
        """What the method is shown beside the columns: nothing, but for a ceiling."""
        return None


class PCABaseline(Baseline):
    """The first principal components of each modality, with unit variance.

    >>> from mmcrl import simulate
    >>> world = simulate.numeric(n=200, seed=0)
    >>> PCABaseline(n_latents=2).fit(world.cohort).transform(world.cohort).shape
    (200, 4)
    """

    def _method(self, block: Block) -> PCA:
        return PCA(block.n_latents, whiten=True, random_state=self.seed)


class FastICABaseline(Baseline):
    """Independent components ``W x`` of each modality's first principal components: linear, one modality at a time.

    Source: Hyvärinen and Oja, Independent component analysis: algorithms and applications (2000),
    doi:10.1016/S0893-6080(00)00026-5.
    """

    def _method(self, block: Block) -> FastICA:
        return FastICA(block.n_latents, max_iter=500, tol=1e-3, random_state=self.seed)


class SupervisedCeiling(Baseline):
    """A network that is trained on the truth: what the data would allow, not a competitor.

    Fits ``z_hat = f(x)`` per modality by least squares on the true latents of the training people, with early
    stopping on a tenth of them.

    Parameters
    ----------
    latents : the true latents, such as ``world.latents``; only the rows of people in `fit` are used.
    seed : of the network's weights and the order of people.

    Raises
    ------
    InputError : when a modality or a person of the cohort is missing in the truth.
    """

    def __init__(self, latents: pd.DataFrame, seed: int = 0) -> None:
        sizes = latents.columns.get_level_values(0).value_counts(sort=False)
        super().__init__({str(name): int(size) for name, size in sizes.items()}, seed)
        self.latents = latents

    def _method(self, block: Block) -> TransformedTargetRegressor:
        network = MLPRegressor(
            hidden_layer_sizes=(96, 96),
            learning_rate_init=3e-3,
            max_iter=100,
            early_stopping=True,
            random_state=self.seed,
        )
        return TransformedTargetRegressor(network, transformer=StandardScaler())

    def _target(self, block: Block, ids: pd.Index) -> np.ndarray:
        if block.name not in self.latents.columns.get_level_values(0):
            raise InputError("latents", f"the truth of {block.name}", "none")
        truth = self.latents[block.name].reindex(ids)
        if truth.isna().to_numpy().any():
            raise InputError("latents", f"the truth of everybody with {block.name}", "people without one")
        return truth.to_numpy(float)
