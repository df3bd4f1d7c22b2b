"""Columns: one number per person of a column of a table, or of a channel of an image or series."""

from __future__ import annotations

import numpy as np

from mmcrl.cohort import Cohort
from mmcrl.errors import InputError

__all__ = ["column_values"]


def column_values(cohort: Cohort, name: str) -> np.ndarray:
    """Values (n,) of ``modality.column`` in its unit; of a channel each person's mean, NaN where there is no value.

    Raises
    ------
    InputError : for a modality or column that is not there.

    >>> pictures = np.arange(16.0).reshape(2, 2, 2, 2)
    >>> column_values(Cohort({"a": np.eye(2), "eye": pictures}), "eye.c1").tolist()
    [5.5, 13.5]
    """
    modality, column = name.split(".", 1) if "." in name else (name, "")
    part = cohort[modality]
    if column not in part.names:
        raise InputError("name", f"a column of {modality}, one of {', '.join(part.names)}", repr(name))
    place = part.names.index(column)
    if not part.large:
        return np.asarray(part.values[:, place], dtype=float)
    pieces = [np.asarray(piece[:, place], dtype=float).reshape(len(piece), -1) for piece in part.pieces()]
    return np.concatenate([_means(piece) for piece in pieces]) if pieces else np.empty(0)


def _means(values: np.ndarray) -> np.ndarray:
    seen = ~np.isnan(values)
    return np.where(seen.any(1), np.where(seen, values, 0).sum(1) / np.maximum(seen.sum(1), 1), np.nan)
