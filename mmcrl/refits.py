"""Refits: models as one was before `fit`, with what is to be another, fitted side by side, and their links' names.

Latents of two fits are matched, modality by modality, by the assignment with the largest sum of absolute Spearman
correlations over all people (`mmcrl.metrics.match`): by what they say of people, never by their numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from tqdm import tqdm

from mmcrl.cohort import Cohort
from mmcrl.knowledge import labels_of
from mmcrl.metrics import match
from mmcrl.model import MultimodalCRL
from mmcrl.parallel import run_all
from mmcrl.training import parallel_jobs

__all__ = ["BACK", "jobs_of_each", "matched", "renamed", "side_by_side", "unfitted"]

BACK = 0.5  # rank correlation with its match from which a latent is back; a blend of two siblings has 0.7

T = TypeVar("T")


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


def matched(reference: pd.DataFrame, latents: pd.DataFrame) -> tuple[dict[str, str], dict[str, float]]:
    """The match of every latent of ``reference`` among ``latents`` of the same people, and its Spearman correlation.

    >>> ours = pd.DataFrame([[1.0], [2.0], [3.0], [4.0]], columns=pd.MultiIndex.from_tuples([("a", 0)]))
    >>> matched(ours, -ours)
    ({'a.0': 'a.0'}, {'a.0': -1.0})
    """
    matches = match(reference, latents)
    first, second = (table.set_axis(labels_of(table), axis=1) for table in (reference, latents))
    rho = {ours: float(first[ours].corr(second[theirs], "spearman")) for ours, theirs in matches.items()}
    return matches, rho


def renamed(links: pd.DataFrame, reference: pd.DataFrame, latents: pd.DataFrame) -> pd.DataFrame:
    """Links of a refit in the first model's terms, less those of a latent without a match.

    Source and target are the names of the matching latents, sign is that of these, and ``agreement`` is the smaller
    of the absolute correlations of the two ends with their match.

    Parameters
    ----------
    reference, latents : of the first model and of the refit, of the same people.

    >>> ours = pd.DataFrame([[1.0, 1.0], [2.0, 3.0], [3.0, 4.0], [4.0, 2.0]])
    >>> ours.columns = pd.MultiIndex.from_tuples([("a", 0), ("b", 0)])
    >>> links = pd.DataFrame({"source": ["a.0"], "target": ["b.0"], "sign": [1]})
    >>> renamed(links, ours, ours * [1, -1]).to_numpy().tolist()
    [['a.0', 'b.0', -1, 1.0]]
    """
    matches, rho = matched(reference, latents)
    name, of_latent = {theirs: ours for ours, theirs in matches.items()}, pd.Series(rho, dtype=float)
    told = links.assign(source=links["source"].map(name), target=links["target"].map(name))
    told = told.dropna(subset=["source", "target"])
    first, second = (of_latent.reindex(told[end]).to_numpy() for end in ("source", "target"))
    sign = np.nan_to_num(told["sign"].to_numpy() * np.sign(first * second)).astype(int)
    return told.assign(sign=sign, agreement=np.minimum(np.abs(first), np.abs(second)))


def jobs_of_each(model: MultimodalCRL, cohort: Cohort) -> int | None:
    """How many starts of one refit run at once, where refits run as in `side_by_side`."""
    return model.settings.jobs if _large(cohort) else 1


def side_by_side(
    tasks: Sequence[Callable[[Callable[[int, float], None]], T]],
    model: MultimodalCRL,
    cohort: Cohort,
    title: str,
    progress: bool,
) -> list[T]:
    """What refits return, as many at once as the model's ``jobs`` or the cores allow; the bar counts them.

    Where the cohort has images or series they run one after the other, since each process would hold its own copy.
    """
    jobs = 1 if _large(cohort) else parallel_jobs(len(tasks), model.settings, model.device)
    with tqdm(total=len(tasks), disable=not progress, desc=title) as bar:

        def report(task: int, step: int, value: float) -> None:
            bar.update()

        return run_all(tasks, jobs, report) if tasks else []


def _large(cohort: Cohort) -> bool:
    return any(modality.large for modality in cohort.modalities.values())
