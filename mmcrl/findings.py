"""Findings: what a fit learns once its encoders are trained.

In four stages, of which those that take long are kept in the checkpoint folder once they are finished (see
`mmcrl.checkpoint.Kept`): decoders and private variation; what the data tell apart (`mmcrl.profiles`); links, on
people whom no encoder has seen (`mmcrl.links`, `mmcrl.folds`); mechanisms along the confident ones (`mmcrl.scm`).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch

from mmcrl.checkpoint import Kept
from mmcrl.cohort import Cohort
from mmcrl.decoding import column_loadings, fit_decoders, loadings_and_columns, upward
from mmcrl.descent import Run
from mmcrl.effects import effect_table, with_effects
from mmcrl.folds import crossed
from mmcrl.identifiability import decided, identifiability_table, weaker
from mmcrl.imputation import Imputation
from mmcrl.knowledge import Knowledge
from mmcrl.links import LINK_COLUMNS, link_table
from mmcrl.private import private_factors
from mmcrl.profiles import margins
from mmcrl.representation import Representation
from mmcrl.scm import StructuralModel
from mmcrl.settings import Settings
from mmcrl.training import stages

__all__ = ["Findings", "find"]

_STAGES = "decoders", "what the data tell apart", "links", "mechanisms"


class Findings(NamedTuple):
    """What `mmcrl.model.MultimodalCRL` knows beside its latents; ``report`` is a part of the model's own."""

    links: pd.DataFrame
    identified: pd.DataFrame
    structure: StructuralModel
    imputation: Imputation
    report: dict[str, Any]


def find(
    shows: Representation,
    cohort: Cohort,
    train: Cohort,
    held_out: Cohort,
    settings: Settings,
    seed: int,
    knowledge: Knowledge,
    train_on: Callable[..., list[Run]],
    progress: bool,
    fit: str = "",
    checkpoint: str | os.PathLike[str] | None = None,
) -> Findings:
    """Fit decoders to the latents of these people, which gives ``shows`` its signs and private variation, and links.

    ``train_on`` trains the starts of a fold (see `mmcrl.folds.crossed`); ``fit`` is the fingerprint of the fit that
    ``shows`` comes from, ``checkpoint`` its folder.

    Raises
    ------
    InputError : for a checkpoint that is damaged or another fit's.
    """
    kept = Kept.after(checkpoint, fit, shows.network)
    people, others = shows.people(train), shows.people(held_out)
    with stages(_STAGES, progress) as begin:
        begin()
        fit_decoders(shows.network, train, people, seed, settings.steps, kept)
        private = private_factors(shows.network, train, people, held_out, others, kept)
        shows.private = [of.factors for of in private]
        shows.orientation = kept.result("signs", lambda: _signs(shows, train, people))["signs"].numpy()
        begin()
        found, unseen = margins(shows, people, others, settings, seed, kept), shows.latents(others)
        apart = decided(found, len(shows.names))
        begin()
        tested, agreement = unseen, np.ones(unseen.shape[1])
        if settings.folds > 1:
            tested, agreement = crossed(shows, cohort, len(held_out), settings.folds, seed, train_on, checkpoint)
        siblings = [shows.siblings(i) for i in range(len(shows.names))]
        links = link_table(
            tested, shows.names, knowledge, settings.smallest_effect, separated=apart, siblings=siblings
        )
        identified = identifiability_table(shows, found, links)
        links.insert(len(LINK_COLUMNS) - 2, "identified", weaker(links, identified))
        loadings, observed = loadings_and_columns(shows, held_out, others)
        of_people = pd.DataFrame(unseen, index=held_out.ids, columns=shows.columns)
        links = with_effects(links, effect_table(of_people, observed, links, loadings, most=1))
        begin()
        z = shows.latents(people)
        structure = StructuralModel.fit(
            z,
            unseen,
            shows.names,
            links,
            barred=knowledge.limits(shows.names).barred,
            steps=settings.steps,
            penalty=settings.smallest_effect,
            seed=seed,
            kept=kept,
        )
    report = {
        "tested_people": len(tested),
        "fold_agreement": agreement.tolist(),
        "log_likelihood": structure.log_likelihood(unseen),
        "private_tried": {view.name: of.tried for view, of in zip(shows.views, private, strict=True)},
    }
    return Findings(links, identified, structure, Imputation.fit(z), report)


def _signs(shows: Representation, train: Cohort, people: Any) -> dict[str, torch.Tensor]:
    return {"signs": torch.from_numpy(upward(column_loadings(shows, train, people), shows.names))}
