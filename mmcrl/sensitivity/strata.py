"""Strata: a link among women and among men, among the young and the old.

In each group of people the evidence of `mmcrl.evidence` is measured anew, with the normal scores, densities and
folds of that group alone and the set S of the link.  Fewer people give a wider interval: a group without clear
evidence speaks against a link less than one with clear evidence of the other sign.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
import pandas as pd

from mmcrl.cohort import Cohort
from mmcrl.errors import InputError, check_instance, check_whole
from mmcrl.evidence import enough, pair_evidence
from mmcrl.sensitivity.measured import Measured, Pair

__all__ = ["STRATUM_COLUMNS", "observed_strata", "stratum_table"]

STRATUM_COLUMNS = ["source", "target", "by", "stratum", "people", "evidence", "evidence_se", "sign"]

_LEVELS = 5  # different values from which on a column is cut into bands
_BANDS = 3


def observed_strata(cohort: Cohort) -> dict[str, pd.Series]:
    """Of every latent that is an observed column (sex, age): the group of each person, indexed by id.

    A column of two values 0 and 1 gives ``no`` and ``yes``, one of at most five its values, any other three bands
    with about as many people each.  Keys are names of latents.

    >>> ages = pd.DataFrame({"age": [20.0, 30.0, 40.0, 50.0, 60.0, 70.0]})
    >>> from mmcrl import Modality
    >>> groups = observed_strata(Cohort({"who": Modality(ages, kind="observed")}))
    >>> groups["who.0"].tolist()
    ['up to 36.7', 'up to 36.7', '36.7 to 53.3', '36.7 to 53.3', 'over 53.3', 'over 53.3']
    """
    groups = {}
    for name, modality in cohort.modalities.items():
        if modality.kind == "observed":
            for k, column in enumerate(modality.names):
                values = pd.Series(np.asarray(modality.values[:, k], dtype=float), index=cohort.ids, name=column)
                groups[f"{name}.{k}"] = _grouped(values)
    return groups


def stratum_table(
    links: pd.DataFrame,
    measured: Measured,
    strata: Mapping[str, pd.Series],
    ids: pd.Index,
    *,
    minimum: int = 10,
    seed: int = 0,
) -> pd.DataFrame:
    """Columns `STRATUM_COLUMNS`: one row per link, variable and group.

    people counts those of the group who have all latents that the link needs.  A group of fewer than ``minimum`` is
    not told (<NA>), and neither is the next smallest beside a single one, which could be worked out from the whole;
    evidence needs ten people per regressor of its densities, else it is NaN.  A latent that is an end of the link
    does not divide its people; within groups made of a latent it is not held fixed where it has become constant.

    Parameters
    ----------
    strata : groups as `observed_strata` gives them; a key that is no latent's name is a name for the reader.
    ids : of the rows of ``measured``.

    Raises
    ------
    InputError : for a minimum under 1, and groups that are no Series or lack a person.
    """
    check_whole("minimum", minimum, 1)
    for by, groups in strata.items():
        check_instance(f"strata {by}", groups, pd.Series)
        if not ids.isin(groups.index).all() or not groups.index.is_unique:
            raise InputError(f"strata {by}", "one group for every person", f"groups of {len(groups)} people")
    rows = []
    for source, target, pair in measured.pairs(links):
        for by, groups in strata.items():
            if by not in (source, target):
                for row in _of_link(measured, pair, groups.loc[ids], minimum, seed):
                    rows.append((source, target, str(groups.name or by), *row))
    table = pd.DataFrame(rows, columns=STRATUM_COLUMNS)
    return table.astype({"people": "Int64"})


def _of_link(
    measured: Measured, pair: Pair, groups: pd.Series, minimum: int, seed: int
) -> list[tuple[str, int | None, float, float, int]]:
    i, j, given = pair
    complete = ~np.isnan(measured.z[:, [i, j, *given]]).any(1)
    names = sorted(groups.dropna().unique(), key=_order)
    inside = [complete & (groups == name).to_numpy() for name in names]
    counts = [int(rows.sum()) for rows in inside]
    hidden = {k for k, count in enumerate(counts) if count < minimum}
    if len(hidden) == 1 and len(counts) > 1:
        hidden.add(min((k for k in range(len(counts)) if k not in hidden), key=lambda k: counts[k]))
    found: list[tuple[str, int | None, float, float, int]] = []
    for k, (name, rows) in enumerate(zip(names, inside, strict=True)):
        z = measured.z[rows]
        fixed = [g for g in given if len(z) and np.ptp(z[:, g]) > 0]
        delta, error, sign = np.nan, np.nan, 0.0
        if k not in hidden and enough(z, i, j, fixed) and min(np.ptp(z[:, [i, j]], axis=0)) > 0:
            delta, error, sign = pair_evidence(z, i, j, fixed, seed)
        found.append((str(name), None if k in hidden else counts[k], delta, error, int(sign)))
    return found


def _grouped(values: pd.Series) -> pd.Series:
    known = np.unique(values.dropna())
    if set(known) <= {0.0, 1.0}:
        return values.map({0.0: "no", 1.0: "yes"})
    if len(known) <= _LEVELS:
        return values.map("{:g}".format, na_action="ignore")
    cuts = np.unique(np.nanquantile(values, np.arange(1, _BANDS) / _BANDS))
    words = [f"{cut:.3g}" for cut in cuts]
    labels = [f"up to {words[0]}", *(f"{a} to {b}" for a, b in itertools.pairwise(words))]
    labels.append(f"over {words[-1]}")
    return pd.cut(values, [-np.inf, *cuts, np.inf], labels=labels).astype("object")


def _order(label: object) -> tuple[int, float, str]:
    """``up to`` first, ``over`` last, numbers by their size."""
    text = str(label)
    first = {"up": 0, "over": 2}.get(text.split(" ")[0], 1)
    try:
        return first, float(text.split(" ")[0]), text
    except ValueError:
        return first, 0.0, text
