"""Supervised ceiling: what the data would allow to a method that is shown the truth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import TransformedTargetRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.preprocessing import StandardScaler

from mmcrl.baselines.base import sizes_of, truth_of
from mmcrl.baselines.linear import PipelineBaseline
from mmcrl.baselines.regression import CodecRegressor
from mmcrl.plan import Block

__all__ = ["SupervisedCeiling"]


class SupervisedCeiling(PipelineBaseline):
    """A network that is trained on the truth: what the data would allow, not a competitor.

    Fits ``z_hat = f(x)`` per modality by least squares on the true latents of the training people, with early
    stopping on a tenth of them; images and series through their kind's encoder (`mmcrl.baselines.regression`).

    Parameters
    ----------
    latents : the true latents, such as ``world.latents``; only the rows of people in `fit` are used.
    seed : of the network's weights and the order of people.

    Raises
    ------
    InputError : when a modality or a person of the cohort is missing in the truth.
    """

    needs = "labels: the training people's true latents"

    def __init__(self, latents: pd.DataFrame, seed: int = 0) -> None:
        super().__init__(sizes_of(latents), seed)
        self.latents = latents

    @property
    def hyper_parameters(self) -> dict[str, Any]:
        return {
            "hidden_layer_sizes": (96, 96),
            "learning_rate_init": 3e-3,
            "max_iter": 100,
            "early_stopping": True,
        }

    def _map(self, block: Block) -> Any:
        return CodecRegressor(block, self.seed) if len(block.shape) > 1 else super()._map(block)

    def _method(self, block: Block) -> TransformedTargetRegressor:
        network = MLPRegressor(random_state=self.seed, **self.hyper_parameters)
        return TransformedTargetRegressor(network, transformer=StandardScaler())

    def _target(self, block: Block, ids: pd.Index) -> np.ndarray:
        truth = truth_of(self.latents, block.name, ids)
        return truth[:, 0] if block.kind == "table" and block.n_latents == 1 else truth  # as scikit-learn wants it
