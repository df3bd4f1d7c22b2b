"""Arrays of NHANES: what is made of the codes of visual fields and of the outlines of vertebrae."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["cells_missed", "drawn_outline", "field_levels", "kyphosis"]

_SEEN, _POORLY, _NONE = 6, 8, -32768
_WIDER = 3.0  # a spine is long and narrow


def kyphosis(points: np.ndarray) -> np.ndarray:
    """Degrees (n,) by which the spine bends forward between T4 to T8 and T8 to T12; NaN without one of the three.

    With the middle of a vertebra the median of its outline's points, it is the angle from the line through those of
    T4 and T8 to the line through those of T8 and T12; upright is 0.

    >>> points = np.zeros((1, 12, 95, 2), dtype=np.int16)
    >>> points[0, :, :, 0] = 100 * np.arange(12)[:, None]
    >>> points[0, [0, 8], :, 1] = 400
    >>> kyphosis(points).round().tolist()
    [90.0]
    """
    middles = np.stack([_medians(points[:, level]) for level in (0, 4, 8)], axis=1)  # (n, 3, 2)
    upper, lower = middles[:, 1] - middles[:, 0], middles[:, 2] - middles[:, 1]
    turned = np.arctan2(lower[:, 1], lower[:, 0]) - np.arctan2(upper[:, 1], upper[:, 0])
    return np.degrees((turned + np.pi) % (2 * np.pi) - np.pi)


def drawn_outline(points: np.ndarray, height: int, width: int) -> np.ndarray:
    """Share of a lateral spine's points (12, 95, 2) in each pixel (height, width), the fullest being 1; head above.

    The middle of the image is the median point.  The length of the spine, from the lowest to the highest twentieth of
    its points, fills four fifths of the height; across, the same scale is stretched threefold.  The order of the
    points is not used.
    """
    there = points[points[..., 0] != _NONE].astype(float)
    image = np.zeros((height, width), dtype=np.float32)
    if not len(there):
        return np.full_like(image, np.nan)
    low, high = np.quantile(there[:, 0], [0.05, 0.95])
    centred = (there - np.median(there, axis=0)) / max(high - low, 1.0) * 0.8
    rows = np.floor((centred[:, 0] + 0.5) * height).astype(int)
    across = np.floor((_WIDER * centred[:, 1] * height / width + 0.5) * width).astype(int)
    inner = (rows >= 0) & (rows < height) & (across >= 0) & (across < width)
    np.add.at(image, (rows[inner], across[inner]), 1)
    return image / max(float(image.max()), 1.0)


def _medians(points: np.ndarray) -> np.ndarray:
    """Median points (n, 2) of outlines (n, 95, 2), NaN without one."""
    known = np.where(points[..., :1] == _NONE, np.nan, points.astype(float))
    medians = np.full((len(points), 2), np.nan)
    some = ~np.isnan(known).all(axis=(1, 2))
    medians[some] = np.nanmedian(known[some], axis=1)
    return medians


def field_levels(grid: np.ndarray) -> np.ndarray:
    """Fields (n, 4, 5) of codes (n, test, 4, 5): 0 normal to 3, mean of the tests that tell; NaN where none does."""
    told = np.where(grid >= _SEEN, np.clip(grid - _POORLY + 1, 0, 3), np.nan)
    number = (~np.isnan(told)).sum(axis=1)
    return np.divide(np.nansum(told, axis=1), number, out=np.full(number.shape, np.nan), where=number > 0)


def cells_missed(cells: pd.DataFrame) -> pd.Series:
    """Cells seen poorly, of both eyes, averaged over the tests; NaN where an eye was never tested to its end."""
    codes = cells.to_numpy(dtype=float).reshape(len(cells), 2, 2, 19)  # eye, test, cell
    whole = (codes >= _SEEN).all(axis=3)
    counts = np.where(whole, (codes >= _POORLY).sum(axis=3), np.nan)
    number = whole.sum(axis=2)
    means = np.divide(np.nansum(counts, axis=2), number, out=np.full(number.shape, np.nan), where=number > 0)
    return pd.Series(means.sum(axis=1), index=cells.index)
