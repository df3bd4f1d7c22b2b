"""Starts: whether a link is there in the latents that the training's other random starts found."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mmcrl.cohort import Cohort
from mmcrl.errors import check_table
from mmcrl.evidence import pair_evidence
from mmcrl.links import confidence_of
from mmcrl.metrics import match
from mmcrl.model import MultimodalCRL
from mmcrl.sensitivity.measured import Measured

__all__ = ["START_COLUMNS", "start_table"]

START_COLUMNS = ["source", "target", "starts", "in_starts"]


def start_table(links: pd.DataFrame, model: MultimodalCRL, cohort: Cohort, confidence: float = 0.5) -> pd.DataFrame:
    """Columns `START_COLUMNS`: one row per link; no fit is made.

    starts : how many there are beside the chosen one (0 for a model that was loaded); in_starts : the share of them
    in whose latents, matched with the model's by rank correlation (`mmcrl.metrics.match`), the pair has this
    confidence in the people of this cohort, with as many nats asked for (``least``), given a separating set of that
    start's own.  Starts see the same people: this is about the seed, `mmcrl.stability.link_stability` about people as
    well.

    Raises
    ------
    InputError : for what is no table of links.
    """
    check_table("links", links, ["source", "target", "least"])
    starts = model.starts(cohort) if hasattr(model, "_starts") else []
    others = [z for r, z in enumerate(starts) if r != model.report["chosen_start"]]
    reference, least = model.transform(cohort), links["least"].to_numpy()
    found = np.zeros(len(links))
    for latents in others:
        measured, name = Measured.of(latents, model.knowledge), match(reference, latents)
        matched = links.assign(source=links["source"].map(name), target=links["target"].map(name))
        for row, (_, _, (i, j, given)) in enumerate(measured.pairs(matched)):
            delta, error, _ = pair_evidence(measured.z, i, j, given)
            found[row] += confidence_of(delta, error, least[row]) >= confidence
    share = found / len(others) if others else np.full(len(links), np.nan)
    return links[["source", "target"]].reset_index(drop=True).assign(starts=len(others), in_starts=share)
