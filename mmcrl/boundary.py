"""Boundary: what is refused before it becomes a cohort, checked once and said by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from mmcrl.errors import InputError, check_instance
from mmcrl.modality import Modality
from mmcrl.naming import SAFE, safe_name

__all__ = [
    "CODEBOOK_COLUMNS",
    "KNOWN_COLUMNS",
    "checked_codebook",
    "checked_ids",
    "checked_known",
    "checked_modalities",
    "checked_tiers",
    "checked_weights",
    "column_faults",
    "refuse_unknown",
]

KNOWN_COLUMNS = ["source", "target", "sign", "rests_on"]
CODEBOOK_COLUMNS = ["modality", "column", "unit", "kind", "question", "variable"]


def checked_modalities(given: Mapping[str, Modality | ArrayLike | pd.DataFrame]) -> dict[str, Modality]:
    """Safely named modalities of equally many people."""
    if not isinstance(given, Mapping) or not given:
        raise InputError("modalities", "a dict with at least one modality", repr(given)[:80])
    made: dict[str, Modality] = {}
    for name, values in given.items():
        if not (isinstance(name, str) and safe_name(name)):
            raise InputError("modalities", SAFE, repr(name))
        try:
            made[name] = values if isinstance(values, Modality) else Modality(values)
        except InputError as error:
            raise InputError(f'cohort["{name}"].{error.argument}', error.expected, error.got) from None
    first, *others = made
    for name in others:
        if len(made[name]) != len(made[first]):
            expected = f'{len(made[first])} people as in cohort["{first}"]'
            raise InputError(f'cohort["{name}"]', expected, f"{len(made[name])} people")
    return made


def checked_ids(modalities: Mapping[str, Modality], given: ArrayLike | pd.Index | None) -> pd.Index:
    """One id per person, each once, agreeing with every index that the modalities carry.

    An index that merely counts from 0 names nobody, unless another one has some of these numbers too.
    """
    n = len(next(iter(modalities.values())))
    plain = pd.RangeIndex(n)
    indexes = {k: m.index for k, m in modalities.items() if m.index is not None}
    carried = {k: index for k, index in indexes.items() if not index.equals(plain)}
    if given is None and any(len(index.intersection(plain)) for index in carried.values()):
        carried = indexes
    try:
        ids = next(iter(carried.values()), plain) if given is None else pd.Index(given)  # type: ignore[arg-type]
        repeats = int(np.sum(ids.duplicated()))
    except (TypeError, ValueError):
        raise InputError("ids", "one id per person, texts or numbers on one axis", repr(given)[:80]) from None
    if isinstance(ids, pd.MultiIndex):
        raise InputError("ids", "one id per person", f"an index of {ids.nlevels} levels")
    if len(ids) != n:
        raise InputError("ids", f"{n}, one per person", str(len(ids)))
    if ids.hasnans:
        raise InputError("ids", "an id for everyone", f"{int(np.sum(ids.isna()))} missing")
    if repeats:
        raise InputError("ids", "each id once", f"{repeats} repeats")
    for name, index in carried.items():
        if not index.equals(ids):
            expected = "an index equal to the ids, in the same order"
            raise InputError(f'cohort["{name}"]', expected, "another index")
    return ids


def checked_tiers(tiers: Sequence[Sequence[str]] | None, names: list[str]) -> list[list[str]] | None:
    """Each modality in at most one tier."""
    if tiers is None:
        return None
    if isinstance(tiers, str) or any(isinstance(tier, str) for tier in tiers):
        raise InputError("tiers", "a list of lists of modality names", repr(tiers))
    listed = [name for tier in tiers for name in tier]
    refuse_unknown("tiers", listed, names)
    twice = sorted({name for name in listed if listed.count(name) > 1})
    if twice:
        raise InputError("tiers", "each modality at most once", f"{', '.join(twice)} more than once")
    return [list(tier) for tier in tiers]


def refuse_unknown(argument: str, given: Iterable[str], names: list[str]) -> None:
    """Refuse a modality that the cohort does not have."""
    for name in given:
        if name not in names:
            raise InputError(argument, f"modalities among {', '.join(names)}", repr(name))


def checked_weights(given: ArrayLike | None, n: int) -> np.ndarray | None:
    """Positive finite weights (n,), one per person."""
    if given is None:
        return None
    try:
        weights = np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        raise InputError("weights", f"{n} numbers above 0", type(given).__name__) from None
    if weights.shape != (n,):
        raise InputError("weights", f"{n} numbers above 0", f"shape {weights.shape}")
    if not (np.isfinite(weights) & (weights > 0)).all():
        raise InputError("weights", "a number above 0 of everyone", "some missing, infinite, 0 or below")
    return weights


def checked_known(frame: pd.DataFrame | None, modalities: Mapping[str, Modality]) -> pd.DataFrame:
    """Links known beforehand, whose ends are ``modality.column`` of the cohort and whose sign is +1, -1, or 0."""
    known = _frame("known", frame, KNOWN_COLUMNS)
    columns = {f"{k}.{column}" for k, modality in modalities.items() for column in modality.names}
    for end in [*known["source"], *known["target"]]:
        if end not in columns:
            raise InputError("known", "ends that are modality.column of the cohort", repr(end))
    if not known["sign"].isin([-1, 0, 1]).all():
        raise InputError("known", "signs +1, -1 or 0", str(sorted(set(known["sign"]), key=str)))
    return known


def checked_codebook(frame: pd.DataFrame | None) -> pd.DataFrame:
    """One row per column of the cohort."""
    return _frame("codebook", frame, CODEBOOK_COLUMNS)


def _frame(argument: str, frame: pd.DataFrame | None, columns: list[str]) -> pd.DataFrame:
    """A table with exactly these columns; an empty one when none is given."""
    if frame is None:
        return pd.DataFrame(columns=columns)
    check_instance(argument, frame, pd.DataFrame)
    if list(frame.columns) != columns:
        raise InputError(argument, f"columns {', '.join(columns)}", ", ".join(map(str, frame.columns)))
    return frame.reset_index(drop=True)


def column_faults(modalities: Mapping[str, Modality], learnable: bool = True) -> list[tuple[str, InputError]]:
    """Columns (or channels) that are no numbers, or nothing can be learned from, as ``modality.column``.

    Infinite, or binary and neither 0 nor 1; where they are to be ``learnable`` also all missing, or constant.
    """
    faults = []
    for name, modality in modalities.items():
        if modality.large:
            found = _channel_faults(modality, learnable)
        else:
            columns = zip(modality.values.T, modality.column_kinds, strict=True)
            found = [_fault(values, kind, learnable) for values, kind in columns]
        for column, fault in zip(modality.names, found, strict=True):
            if fault is not None:
                faults.append((f"{name}.{column}", InputError(f'cohort["{name}"].{column}', *fault)))
    return faults


def _channel_faults(modality: Modality, learnable: bool) -> list[tuple[str, str] | None]:
    """What is wrong with each channel, by the least and the greatest of its values."""
    ends = []
    for piece in modality.pieces():
        axes = tuple(axis for axis in range(piece.ndim) if axis != 1)
        ends.append((np.fmin.reduce(piece, axes), np.fmax.reduce(piece, axes)))
    low = np.fmin.reduce([least for least, _ in ends])
    high = np.fmax.reduce([greatest for _, greatest in ends])
    held = low.dtype if low.dtype == np.float32 else np.dtype(float)
    return [_fault(np.array(pair, dtype=held), "numeric", learnable) for pair in zip(low, high, strict=True)]


def _fault(row: np.ndarray, kind: str, learnable: bool) -> tuple[str, str] | None:
    """What is wrong with one column's values (n,), as (expected, got)."""
    if np.isinf(row).any():
        return "finite numbers, NaN where missing", "infinite values"
    seen = row[~np.isnan(row)]
    if learnable and not len(seen):
        return "at least one value", "only missing values"
    if learnable and seen.min() == seen.max():
        return "values that vary", "a constant"
    if learnable and not _has_squares(seen):
        return "values in a unit in which squares are numbers", f"values from {seen.min():.3g} to {seen.max():.3g}"
    if kind == "binary" and not np.isin(seen, (0, 1)).all():
        return "0 and 1 only, being binary", f"{len(np.unique(seen))} different values"
    return None


def _has_squares(seen: np.ndarray) -> bool:
    """Whether how these values (n,) vary can be squared without becoming 0 or infinite, a thousandfold aside."""
    precision = np.finfo(seen.dtype)
    spread = float(seen.max()) - float(seen.min())
    return bool(1e3 * float(precision.tiny) ** 0.5 < spread < 1e-3 * float(precision.max) ** 0.5)
