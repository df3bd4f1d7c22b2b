"""Recorded: series of real people in curves.

A series is found whatever its unit and offset, and backwards, also at a finer rate than the cohort's; of a part of
one, and of rows of an image, the values themselves are looked for.  What this does not find: a series that was
smoothed, and a part of one in another unit or at another rate.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from mmcrl.disclosure.likeness import SAME, one_of
from mmcrl.disclosure.sequences import Sequenced

__all__ = ["is_series", "is_smooth", "is_whole_series"]

_EXACT = 1 - 1e-6  # correlation of a series with one in another unit, rounded to thousandths of its spread
_VARIED = 8  # different values; a curve of fewer may be anybody's
_RATES = 60  # how many times finer a recording may be sampled than the cohort's series


def is_series(values: np.ndarray, known: Sequence[Sequenced], least: int = 24) -> bool:
    """Whether numbers (t,) are the series of somebody in ``known``, or ``least`` successive points of one."""
    values = np.asarray(values, dtype=float)
    if len(values) < least or np.nanstd(values) == 0:
        return False
    for start in {0, (len(values) - least) // 2, len(values) - least}:
        part = values[start : start + least]
        if not np.isfinite(part).all() or _is_straight(part):
            continue
        if any(sequence.holds(part, 1e-6 * np.maximum(1.0, np.abs(part))) for sequence in known):
            return True
    return False


def is_whole_series(curves: Sequence[np.ndarray], known: Sequence[np.ndarray], least: int = 24) -> bool:
    """Whether one of several curves (t,) is a whole series of (n, channels, t), whatever its unit, sign or offset.

    The arrays behind a figure are exact, so that nothing but an exact line from one to the other will do: a mean of
    people who are much alike is none of them.  One that is longer may have been sampled at a finer rate: then the
    means over every few of its points are compared.
    """
    for people in known:
        length = people.shape[2]
        told = [curve for curve in curves if len(curve) >= least and len(np.unique(curve)) >= _VARIED]
        whole = [curve for curve in told if len(curve) == length and not _is_straight(curve)]
        if one_of([view for curve in whole for view in (curve, curve[::-1])], people, _EXACT):
            return True
        longer = [curve for curve in told if len(curve) >= max(1.5 * length, 2 * least) and not is_smooth(curve)]
        means: dict[int, list[np.ndarray]] = defaultdict(list)
        for mean in (mean for curve in longer for mean in _coarser(curve, length)):
            if len(mean) >= least and np.isfinite(mean).sum() >= least:
                means[len(mean)].append(mean)
        if any(one_of(some, people[:, :, :steps], SAME, apart="most") for steps, some in means.items()):
            return True
    return False


def _coarser(curve: np.ndarray, length: int) -> Iterator[np.ndarray]:
    """Means over every few points of a curve, at most as many as ``length`` and at least half as many."""
    for every in range(2, min(_RATES, 2 * len(curve) // length) + 1):
        steps = min(len(curve) // every, length)
        parts = curve[: steps * every].reshape(steps, every)
        known = np.isfinite(parts)
        yield np.where(known, parts, 0).sum(axis=1) / np.where(known.any(axis=1), known.sum(axis=1), np.nan)


def is_smooth(values: np.ndarray) -> bool:
    """Whether values change as those of a curve do: by less from step to step than the steps themselves are large.

    >>> [is_smooth(np.array(values)) for values in ([0.0, 1, 2, 3], [1.0, 2, 4, 8, 16], [0.0, 0.1, 0.9, 1, 1])]
    [True, True, False]
    """
    return bool(np.abs(np.diff(values, 2)).sum() <= 0.5 * np.abs(np.diff(values)).sum())


def _is_straight(values: np.ndarray) -> bool:
    """Whether values rise by equal steps, as time does."""
    return bool(np.ptp(np.diff(values)) < 1e-9)
