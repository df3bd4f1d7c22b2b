"""Linear baselines: principal and independent components, one modality at a time.

Missing values are filled with the training people's mean and columns standardised.
"""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA, FastICA
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from mmcrl.baselines.base import Baseline
from mmcrl.cohort import Cohort
from mmcrl.plan import Block

__all__ = ["FastICABaseline", "PCABaseline", "PipelineBaseline"]


class PipelineBaseline(Baseline):
    """A scikit-learn pipeline per modality."""

    def _learn(self, cohort: Cohort, blocks: Sequence[Block], progress: bool) -> None:
        self._maps = []
        for block in blocks:
            modality = cohort[block.name]
            values, ids = modality.values[modality.measured], cohort.ids[modality.measured]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                self._maps.append(self._map(block).fit(_flat(values), self._target(block, ids)))

    def _latents(self, cohort: Cohort, blocks: Sequence[Block]) -> list[np.ndarray]:
        found = []
        for block, fitted in zip(blocks, self._maps, strict=True):
            apply = fitted.predict if hasattr(fitted, "predict") else fitted.transform
            found.append(apply(_flat(cohort[block.name].values)).reshape(-1, block.n_latents))
        return found

    def _map(self, block: Block) -> Any:
        """What is fitted to the values of the block (n, columns), those of images and series flattened."""
        steps: list[Any] = [SimpleImputer(keep_empty_features=True), StandardScaler()]
        return make_pipeline(*steps, *([] if block.kind == "observed" else [self._method(block)]))

    @abstractmethod
    def _method(self, block: Block) -> Any:
        """A scikit-learn transformer or regressor of standardised columns to the block's latents."""

    def _target(self, block: Block, ids: pd.Index) -> np.ndarray | None:
        """What the method is shown beside the columns: nothing, but for a ceiling."""
        return None


def _flat(values: np.ndarray) -> np.ndarray:
    return values.reshape(len(values), -1)


class PCABaseline(PipelineBaseline):
    """The first principal components of each modality, with unit variance.

    >>> from mmcrl import simulate
    >>> world = simulate.numeric(n=200, seed=0)
    >>> PCABaseline(n_latents=2).fit(world.cohort).transform(world.cohort).shape
    (200, 4)
    """

    @property
    def hyper_parameters(self) -> dict[str, Any]:
        return {"whiten": True}

    def _method(self, block: Block) -> PCA:
        return PCA(block.n_latents, random_state=self.seed, **self.hyper_parameters)


class FastICABaseline(PipelineBaseline):
    """Independent components ``W x`` of each modality's first principal components: linear, one modality at a time.

    Source: Hyvärinen and Oja, Independent component analysis: algorithms and applications (2000),
    doi:10.1016/S0893-6080(00)00026-5.
    """

    @property
    def hyper_parameters(self) -> dict[str, Any]:
        return {"fun": "logcosh", "max_iter": 500, "tol": 1e-3}

    def _method(self, block: Block) -> FastICA | Pipeline:
        found = FastICA(block.n_latents, random_state=self.seed, **self.hyper_parameters)
        if len(block.shape) == 1:
            return found
        return make_pipeline(PCA(block.n_latents, random_state=self.seed), found)  # more pixels than people
