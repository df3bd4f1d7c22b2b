"""Likeness: whether arrays are those of people, whatever their unit, sign and offset: by correlation over places.

What changed on the way is somebody's only if it is nearer to one person than to others: pictures of one organ are all
alike, and the mean of many is near to everybody's.  With 1 - correlation as the distance, it must be a tenth as far
as most people are where it may have become like anybody's, by another size or rate, and six tenths as far as the next
person where it only lost something, as a JPEG does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

__all__ = ["SAME", "both", "one_of"]

SAME = 0.999  # correlation from which on two arrays are one
_APART = {"most": 0.1, "next": 0.6}
_SEVERAL = 20  # people; of fewer "most" says little
_AT_ONCE = 2**24  # numbers of people that are held at once


def one_of(
    views: Sequence[np.ndarray],
    people: np.ndarray,
    same: float,
    blur: Sequence[np.ndarray] | None = None,
    apart: Literal["", "most", "next"] = "",
) -> bool:
    """Whether one of the views, or what ``blur`` makes of people, correlates with somebody by more than ``same``.

    Parameters
    ----------
    views : arrays of one shape. people : (n, channels, ...), NaN where there is nothing; each channel counts, and
        their mean.
    apart : than to whom the view must also be nearer to that person.
    """
    if not views:
        return False
    exact = same > SAME
    wanted = _standard(np.stack(views).reshape(len(views), -1), exact).T
    like = np.zeros((len(people), len(views)))
    block = max(1, _AT_ONCE // max(1, int(np.prod(people.shape[2:]))))
    for start in range(0, len(people), block):
        some = people[start : start + block]
        for view in (*np.moveaxis(some, 1, 0), *([some.mean(1)] if some.shape[1] > 1 else [])):
            seen = view if blur is None else both(blur, view)
            found = np.abs(_standard(seen.reshape(len(some), -1), exact) @ wanted)
            like[start : start + block] = np.maximum(like[start : start + block], found)
    like = like[like.max(axis=1) > 0]  # who has the array
    most = like.max(axis=0, initial=0.0)
    if not apart or len(like) < _SEVERAL:
        return bool((most > same).any())
    others = np.median(like, axis=0) if apart == "most" else np.partition(like, -2, axis=0)[-2]
    return bool(((most > same) & (1 - most < _APART[apart] * (1 - others))).any())


def both(matrices: Sequence[np.ndarray], planes: np.ndarray) -> np.ndarray:
    """Planes (..., h, w) with one matrix applied to their rows and another to their columns."""
    return np.asarray(matrices[0] @ planes @ matrices[1].T)


def _standard(flat: np.ndarray, exact: bool) -> np.ndarray:
    """Rows (n, values) about their means, brought to one length; a gap counts as the mean."""
    known = np.isfinite(flat)
    number = np.maximum(known.sum(axis=1, keepdims=True), 1)
    mean = np.where(known, flat, 0.0).sum(axis=1, keepdims=True, dtype=float) / number
    centred = np.where(known, flat - mean, 0.0).astype(float if exact else np.float32)
    return centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)
