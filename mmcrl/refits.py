"""Refits: a model as it was before `fit`, with what is to be another, and its links under the first model's names.

Latents of two fits are matched, modality by modality, by the assignment with the largest sum of absolute Spearman
correlations over all people (`mmcrl.metrics.match`): by what they say of people, never by their numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from mmcrl.metrics import match
from mmcrl.model import MultimodalCRL

__all__ = ["renamed", "unfitted"]


def unfitted(
    model: MultimodalCRL,
    seed: int,
    jobs: int | None = 1,
    n_latents: Mapping[str, int] | None = None,
    **changes: Any,
) -> MultimodalCRL:
    """A model as this one was before `fit`, but for the seed, the starts that run at once, ``auto``, and changes.

    Parameters
    ----------
    n_latents : of each modality's own; left out, as the model was asked for, of ``auto`` what was chosen.
    **changes : of `mmcrl.settings.Settings`.
    """
    known, settings = model.knowledge, replace(model.settings, jobs=jobs, **changes)
    asked = model._fitted.n_own if model.n_latents == "auto" else model.n_latents
    return MultimodalCRL(
        asked if n_latents is None else n_latents,
        seed,
        n_shared=model.n_shared,
        device=str(model.device),
        forbidden=known.forbidden,
        required=known.required,
        acyclic=known.acyclic,
        **settings.to_dict(),
    )


def renamed(links: pd.DataFrame, reference: pd.DataFrame, latents: pd.DataFrame) -> pd.DataFrame:
    """Links of a refit with source and target under the names of the matching latents, NaN where none matches.

    Parameters
    ----------
    reference : latents of the first model. latents : those of the refit, of the same people.

    >>> first = pd.DataFrame({("a", 0): [1.0, 2, 3, 4], ("b", 0): [2.0, 1, 3, 4], ("b", 1): [1.0, 3, 2, 0]})
    >>> links = pd.DataFrame({"source": ["a.0"], "target": ["b.0"]})
    >>> renamed(links, first, first.set_axis(first.columns[[0, 2, 1]], axis=1)).to_numpy().tolist()
    [['a.0', 'b.1']]
    """
    name = {theirs: ours for ours, theirs in match(reference, latents).items()}
    return links.assign(source=links["source"].map(name), target=links["target"].map(name))
