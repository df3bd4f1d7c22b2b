"""Advice: what a manifest could say better of a cohort that loads. Nothing here keeps it from loading."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
import pandas as pd

from mmcrl.checking.draft import Draft, Place, column_place
from mmcrl.checking.latents import mend_latents, people_together
from mmcrl.checking.outside import mend_codes, two_levels
from mmcrl.checking.spread import fits, is_defined, is_skewed, present, shared, skewness, span
from mmcrl.cohort import Cohort
from mmcrl.gaps import tied_gaps
from mmcrl.modality import Modality
from mmcrl.plan import PEOPLE_PER_LATENT
from mmcrl.schema import ColumnSpec, Manifest

__all__ = ["advise"]

_MOST_LEVELS = 7  # different whole numbers that are taken for an ordered scale
_MOSTLY = 0.5  # share of missing values from which on it is said
_NEARLY = 0.98  # share of people with one value from which on it is said
_EVENING, _NIGHT, _OFTEN = 20, 4, 0.05  # hours, and the share of people on either side of midnight
_SAME = 0.9999  # correlation of one measurement in two units


def advise(draft: Draft, cohort: Cohort, manifest: Manifest, values: pd.DataFrame) -> None:
    """Propose in a draft what each column and modality could have instead.

    Parameters
    ----------
    cohort : of the manifest
    values : its tables' columns in their own units (people x ``modality.column``), before the transform
    """
    minimum = manifest.disclosure.minimum
    for name, spec in manifest.table_columns().items():
        _column(draft, column_place(name), spec, values[name].to_numpy(dtype=float), minimum)
    tied = {f"{gap.modality}.{gap.column}": str(gap) for gap in tied_gaps(cohort)}
    together = people_together(cohort)
    for name in manifest.modality:
        _modality(draft, cohort[name], name, together[name], manifest.disclosure.minimum, tied)
    _doubles(draft, cohort, values)
    mend_latents(draft, len(cohort), together, manifest)
    if len(cohort.names) < 2:
        draft.note(column_place(cohort.names[0]), "the only modality: links need two")


def _column(draft: Draft, place: Place, spec: ColumnSpec, values: np.ndarray, minimum: int) -> None:
    odd = mend_codes(draft, place, spec, values, minimum)
    values = np.where(np.isin(values, odd), np.nan, values)
    seen = present(values)
    if not len(seen):
        return
    if spec.kind == "time" and spec.day_starts == "00:00":
        if (seen >= _EVENING).mean() > _OFTEN and (seen < _NIGHT).mean() > _OFTEN:
            draft.set((*place, "day_starts"), "12:00", "times around midnight, side by side")
        return
    top = int(np.unique(seen, return_counts=True)[1].max())
    if top >= _NEARLY * len(seen):
        draft.note(
            place, f"{_NEARLY:.0%} of those who have a value, or more, have the same: little can be learned from it"
        )
        return
    if spec.kind != "numeric" or spec.levels or spec.transform or _wished(draft, place, values, minimum):
        return
    if _few_levels(draft, place, spec, values, minimum):
        return
    _scale(draft, place, spec, values, minimum)


def _wished(draft: Draft, place: Place, values: np.ndarray, minimum: int) -> bool:
    """Propose the range that a transform of the manifest's own needs; whether it has one."""
    if (scale := draft.wished.get(place)) is None:
        return False
    ends = span(values, minimum, logarithmic=scale == "log")
    if ends is not None and not fits(values, ends):
        ends = (ends[0] / 10 if ends[0] > 0 else ends[0], 10 * ends[1])
    if ends is None or not fits(values, ends) or not is_defined(scale, ends[0]):
        draft.note(place, f"{scale} needs a range on which it is defined: give it one, or leave {scale} out")
        return True
    draft.set((*place, "range"), list(ends), f"a range around all people, which {scale} needs")
    draft.set((*place, "transform"), scale, "as it was")
    return True


def _few_levels(draft: Draft, place: Place, spec: ColumnSpec, values: np.ndarray, minimum: int) -> bool:
    """Propose a kind for whole numbers of which there are few; whether it was one."""
    found = np.unique(present(values))
    if len(found) > _MOST_LEVELS or not np.equal(found, np.round(found)).all() or len(spec.variables) > 1:
        return False
    if len(found) == 2:
        named = {0.0, 1.0} >= set(found)
        if not named and len(shared(values, minimum)) < 2:
            return False
        draft.set((*place, "kind"), "binary", "two values")
        if not named:
            two_levels(draft, place, spec, [float(value) for value in found])
        draft.drop((*place, "range"))
        return True
    draft.set((*place, "kind"), "ordinal", f"{len(found)} different whole numbers")
    return True


def _scale(draft: Draft, place: Place, spec: ColumnSpec, values: np.ndarray, minimum: int) -> None:
    """Propose a transform for a strongly skewed column, and a range for one without."""
    seen, ends = present(values), span(values, minimum)
    if ends is not None and not fits(values, ends):
        if spec.range is None:
            told = f"fewer than {minimum}" if _beyond(seen, ends) < minimum else "some"
            draft.note(
                place, f"{told} people lie far from all others, beyond {ends[0]:g} to {ends[1]:g}: look at them"
            )
        ends = None
    if is_skewed(seen, minimum) and ends is not None:
        if not (spec.range and spec.range[0] > 0):
            draft.set((*place, "range"), [ends[0], (spec.range or ends)[1]], "above 0, as a logarithm needs")
        draft.set((*place, "transform"), "log", "strongly skewed, and less so on a logarithmic scale")
        return
    if seen[0] >= 0 and (bent := skewness(seen, minimum)) > 2 and abs(skewness(np.log1p(seen), minimum)) < bent / 2:
        if spec.range is None and ends is not None:
            draft.set((*place, "range"), [0, ends[1]], "a range around all people, with room above")
        if spec.range is not None or ends is not None:
            draft.set((*place, "transform"), "log1p", "strongly skewed from 0 on, and less so as log(1 + x)")
        return
    if spec.range is None and ends is not None:
        draft.set((*place, "range"), list(ends), "a range around all people, with room on both sides")


def _beyond(seen: np.ndarray, ends: tuple[float, float]) -> int:
    return int(((seen < ends[0]) | (seen > ends[1])).sum())


def _modality(
    draft: Draft, modality: Modality, name: str, together: int, minimum: int, tied: Mapping[str, str]
) -> None:
    """Few people in a modality, or in it and another (``together``), and columns that most of them lack, or one sort
    of people (``tied``: the words)."""
    measured = modality.measured
    people, place, least = int(measured.sum()), column_place(name), max(minimum, PEOPLE_PER_LATENT)
    if together < least:
        those = " have it and another modality" if people >= least else ""
        draft.note(place, f"fewer than {least} people{those}: leave the modality out")
        return
    if modality.large:
        return
    lacking = np.isnan(modality.values[measured]).sum(axis=0)
    for column, count in zip(modality.names, lacking, strict=True):
        if people - count < minimum:
            draft.remove(column_place(f"{name}.{column}"), f"fewer than {minimum} people have a value: leave it out")
        elif f"{name}.{column}" in tied:
            draft.note(column_place(f"{name}.{column}"), tied[f"{name}.{column}"])
        elif count > _MOSTLY * people:
            share = f"{100 * count / people:.0f} % of those who have other values of {name} lack it"
            draft.note(column_place(f"{name}.{column}"), f"{share}: is it asked of everyone?")


def _doubles(draft: Draft, cohort: Cohort, values: pd.DataFrame) -> None:
    """Columns that are one measurement in two units, and columns that are the id."""
    ids = pd.to_numeric(pd.Series(cohort.ids.astype("str"), index=values.index), errors="coerce")
    kept = [str(name) for name, spread in values.std().items() if spread > 0]
    for name in kept:
        if values[name].notna().all() and values[name].equals(ids.astype(float).rename(name)):
            draft.remove(column_place(name), "equals the id: leave it out")
    near = values[kept].corr(min_periods=30).abs().to_numpy()
    for (i, one), (j, other) in itertools.combinations(enumerate(kept), 2):
        if near[i, j] > _SAME and draft.get(column_place(other)) is not None:
            draft.note(column_place(other), f"says the same as {one}, in another unit perhaps: keep one of them")
