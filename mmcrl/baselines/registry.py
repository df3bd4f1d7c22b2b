"""Registry: the baselines by the names that tables and pictures show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from mmcrl.baselines.base import Baseline, Sizes
from mmcrl.baselines.beta_vae import BetaVAE
from mmcrl.baselines.causal_vae import CausalVAE
from mmcrl.baselines.grouped import GroupedContrast
from mmcrl.baselines.linear import FastICABaseline, PCABaseline
from mmcrl.baselines.multimodal import MCL
from mmcrl.baselines.published import PublishedLoss
from mmcrl.baselines.supervised import SupervisedCeiling
from mmcrl.errors import InputError

__all__ = ["METHODS", "named"]

_UNLABELLED: Mapping[str, Callable[..., Baseline]] = {
    "FastICA": FastICABaseline,
    "PCA": PCABaseline,
    "BetaVAE": BetaVAE,
    "MCL": MCL,
    "GroupedContrast": GroupedContrast,
    "PublishedLoss": PublishedLoss,
}
_LABELLED: Mapping[str, Callable[..., Baseline]] = {"CausalVAE": CausalVAE, "ceiling": SupervisedCeiling}
_WITHOUT_TRAINING = ("FastICA", "PCA", "ceiling")
METHODS = (*_UNLABELLED, *_LABELLED)


def named(name: str, n_latents: Sizes, seed: int, truth: pd.DataFrame, **training: Any) -> Baseline:
    """The baseline of this name, unfitted.

    Parameters
    ----------
    name : one of `METHODS`.
    n_latents, seed : as in `Baseline`.
    truth : true latents of the training people, shown to the methods that need labels (`CausalVAE` and the ceiling)
        and to no other.
    **training : ``steps``, ``tune`` and so on, for the methods that are trained by steps.

    Raises
    ------
    InputError : for an unknown name.

    >>> named("PCA", 2, 0, pd.DataFrame())
    PCABaseline(n_latents=2, seed=0, whiten=True)
    """
    if name not in METHODS:
        raise InputError("method", f"one of {', '.join(METHODS)}", repr(name))
    options = {} if name in _WITHOUT_TRAINING else training
    if name in _LABELLED:
        return _LABELLED[name](truth, seed, **options)
    return _UNLABELLED[name](n_latents, seed, **options)
