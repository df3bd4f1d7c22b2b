"""Folds: latents of all people, each from encoders that have not seen the person.

Evidence needs people whom the encoders were not trained on, because encoders that have seen a person make the
modalities of that person agree.  With K folds nobody has to be kept from the evidence: the people are cut into the
held-out part of the model (part 0) and K - 1 parts of the others, and for each of these the encoders are trained anew
on everybody else.  What they find is brought into the model's terms, modality by modality, by

    z_hat = f(h(u^(m))),    f linear (ridge), h the polynomials of `mmcrl.evidence.features`,

with u^(m) all codes that the new encoders have for the modality, in any order and however turned, and f fitted on the
people whom they were trained on.  So few numbers carry nothing of a person from the model to the new encoders.
z_hat is made normal within every part.  People who are the same to the model (all who do not smoke) then get one
value, the mean of theirs: else each part would have its own for them, and any two latents that are the same for many
people would have the order of the parts in common.

The evidence of K parts rests on encoders that share most of their people: its standard error takes parts as
independent, as cross-validation does (Bates, Hastie and Tibshirani, Cross-validation: what does it estimate and how
well does it do it?, 2023).  Latents that come out otherwise in other people lose evidence, not gain it: ``agreement``
says how well they returned.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from mmcrl.cohort import Cohort
from mmcrl.densities import features, normal_scores
from mmcrl.descent import Run
from mmcrl.plan import modality_numbers
from mmcrl.representation import Representation
from mmcrl.sharing import best_of
from mmcrl.training import codes_of, tensors_of

__all__ = ["crossed", "parts_of"]

_RIDGE = 1.0
_SAME = 6  # decimals of a standardised code, as many as single precision holds


def parts_of(n: int, n_held_out: int, folds: int, seed: int) -> list[np.ndarray]:
    """Positions of the people of every part; the first are those whom `mmcrl.cohort.Cohort.split` holds out.

    >>> [len(part) for part in parts_of(100, 25, 4, seed=0)]
    [25, 25, 25, 25]
    """
    order = np.random.default_rng(seed).permutation(n)
    return [np.sort(part) for part in (order[:n_held_out], *np.array_split(order[n_held_out:], folds - 1))]


def crossed(
    shows: Representation,
    cohort: Cohort,
    n_held_out: int,
    folds: int,
    seed: int,
    train_on: Callable[..., list[Run]],
    checkpoint: str | os.PathLike[str] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Latents (n, d) in normal scores, of encoders that have not seen the person, and the agreement (d,).

    The agreement of a latent is the mean over parts of its rank correlation, among the people of the part, with the
    latent of ``shows``; 1 for one that is measured.  ``train_on(views, train=, held_out=, seed=, checkpoint=)``
    trains the starts of one part: see `mmcrl.training.train_starts`.
    """
    parts = parts_of(len(cohort), n_held_out, folds, seed)
    ours = shows.codes(shows.people(cohort))
    own = shows.latents_of(ours).round(_SAME)
    latents = np.full(own.shape, np.nan)
    latents[parts[0]] = normal_scores(own[parts[0]])
    for number, part in enumerate(parts[1:], 1):
        rest = np.setdiff1d(np.arange(len(cohort)), part)
        runs = train_on(
            shows.views,
            train=cohort.take(rest),
            held_out=cohort.take(part),
            seed=seed + number,
            checkpoint=None if checkpoint is None else Path(checkpoint) / f"fold-{number}",
        )
        network = runs[best_of(runs)].network
        theirs = codes_of(network, tensors_of(network, cohort))
        aligned = _aligned(theirs, ours, rest, modality_numbers(shows.views))
        latents[part] = normal_scores(shows.latents_of(aligned[part]))
    latents = _shared(latents, own)
    found, known = pd.DataFrame(latents), pd.DataFrame(own)
    agreement = [found.iloc[part].corrwith(known.iloc[part], method="spearman") for part in parts[1:]]
    return latents, np.mean(agreement, axis=0)


def _shared(latents: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Latents (n, d), of each the mean over the people who have the same value ``own`` (n, d); NaN kept."""
    columns = [pd.Series(z).groupby(value).transform("mean") for z, value in zip(latents.T, own.T, strict=True)]
    return np.column_stack(columns)


def _aligned(theirs: np.ndarray, ours: np.ndarray, fit: np.ndarray, modality: np.ndarray) -> np.ndarray:
    """Codes ``theirs`` (n, d) in the terms of ``ours``, by a regression on the people ``fit``; NaN kept."""
    aligned, known = np.full_like(ours, np.nan), ~np.isnan(ours)
    together = np.unique(np.vstack([modality, known]), axis=1, return_inverse=True)[1].ravel()
    for part in np.unique(together):  # the codes of a modality that the same people have
        own = np.flatnonzero(together == part)
        seen = known[:, own[0]]
        x = np.column_stack([np.ones(len(ours)), features(theirs[:, own]).reshape(len(ours), -1)])
        rows = fit[seen[fit]]
        gram = x[rows].T @ x[rows] + _RIDGE * np.eye(x.shape[1])
        aligned[np.ix_(seen, own)] = x[seen] @ np.linalg.solve(gram, x[rows].T @ ours[np.ix_(rows, own)])
    return aligned
