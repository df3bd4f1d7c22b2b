"""Weights: a link's evidence in the population that the people of a survey stand for.

A survey examines some groups more often than others and says of each person by how many people of the population w
the person stands for.  The evidence of a link is a mean over people (`mmcrl.evidence.pair_evidence`): weighted, it is
that of the population, if weights are right and the latents and the sets that are held fixed, which were found
without weights, hold there too.  The clusters and strata of a survey's design are not used, so that the standard
error is that of people drawn one by one.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from mmcrl.boundary import checked_weights
from mmcrl.errors import InputError
from mmcrl.evidence import pair_evidence
from mmcrl.sensitivity.measured import Measured

__all__ = ["WEIGHT_COLUMNS", "weight_table"]

WEIGHT_COLUMNS = ["source", "target", "weighted", "weighted_se", "sign_weighted"]


def weight_table(links: pd.DataFrame, measured: Measured, weights: np.ndarray, seed: int = 0) -> pd.DataFrame:
    """Columns `WEIGHT_COLUMNS`: one row per link.

    weighted, weighted_se : evidence (nats per person) with every person counted by ``weights`` (n,), given the
    latents that the link's evidence was measured with; sign_weighted : of the weighted partial association.

    Raises
    ------
    InputError : for a link of unknown latents, and weights that are not one number above 0 of everyone.
    """
    if weights is None:  # as a cohort without weights has it
        raise InputError("weights", "one number above 0 of everyone", "None")
    counted, rows = checked_weights(weights, len(measured.z)), []
    for source, target, (i, j, given) in measured.pairs(links):
        delta, error, sign = pair_evidence(measured.z, i, j, given, seed, weights=counted)
        rows.append((source, target, delta, error, int(sign)))
    return pd.DataFrame(rows, columns=WEIGHT_COLUMNS)
