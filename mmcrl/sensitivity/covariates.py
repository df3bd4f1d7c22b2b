"""Covariates: a link's evidence with and without age, sex and the like held fixed."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from mmcrl.errors import InputError
from mmcrl.evidence import enough, pair_evidence
from mmcrl.knowledge import modality_of
from mmcrl.sensitivity.measured import Measured

__all__ = ["COVARIATE_COLUMNS", "covariate_table"]

COVARIATE_COLUMNS = ["source", "target", "given", "adjusted", "unadjusted", "sign_adjusted", "sign_unadjusted"]

_UNTOLD = (np.nan, np.nan, 0.0)


def covariate_table(
    links: pd.DataFrame, measured: Measured, covariates: Collection[str], seed: int = 0
) -> pd.DataFrame:
    """Columns `COVARIATE_COLUMNS`: one row per link.

    given : names of the latents that the link's evidence was measured with; adjusted : evidence (nats per person)
    with these and all covariates held fixed; unadjusted : with these but no covariate; and the signs of both.  A
    covariate that is an end of the link is not held fixed; NaN where no covariate is left, or where too few people
    have all of these for an absence to say something (`mmcrl.evidence.enough`).

    Parameters
    ----------
    covariates : names of latents or of modalities, all of whose latents are meant.

    Raises
    ------
    InputError : for a name that is neither, a link of unknown latents, or what is no table of links.
    """
    held = _latents(covariates, measured.names)
    rows = []
    for source, target, (i, j, given) in measured.pairs(links):
        fixed = [k for k in held if k not in (i, j)]
        with_all = _evidence(measured.z, i, j, {*given, *fixed}, seed) if fixed else _UNTOLD
        without = _evidence(measured.z, i, j, set(given) - set(fixed), seed) if fixed else _UNTOLD
        names = measured.named(given)
        rows.append((source, target, names, with_all[0], without[0], int(with_all[2]), int(without[2])))
    return pd.DataFrame(rows, columns=COVARIATE_COLUMNS)


def _evidence(z: np.ndarray, i: int, j: int, given: set[int], seed: int) -> tuple[float, float, float]:
    return pair_evidence(z, i, j, sorted(given), seed) if enough(z, i, j, sorted(given)) else _UNTOLD


def _latents(covariates: Collection[str], names: Sequence[str]) -> list[int]:
    chosen = [k for k, name in enumerate(names) if name in covariates or modality_of(name) in covariates]
    known = {*names, *map(modality_of, names)}
    for name in covariates:
        if name not in known:
            raise InputError("covariates", f"names among {', '.join(sorted(known))}", repr(name))
    return chosen
