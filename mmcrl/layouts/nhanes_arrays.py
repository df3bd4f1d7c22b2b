"""Arrays of NHANES: what is made of the codes of visual fields and of the outlines of vertebrae.

A visual field is tested in 19 cells of each eye, twice.  Cells of the right eye are numbered from 02 to 20, of the
left from 00 to 18, by quadrant.  A field is drawn as 4 x 5 cells, those towards the nose on the right for either eye;
so it has no middle cell, and none in the two corners at the nose.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["CELLS", "cells_missed", "drawn_outline", "field_grid", "field_levels", "kyphosis"]

_NUMBERS = {"OD": range(2, 21), "OS": range(19)}  # of the cells: right eye, left eye
CELLS = [f"OPX{test}{eye}{k:02}" for eye, numbers in _NUMBERS.items() for test in (1, 2) for k in numbers]
_PLACES = {  # numbers of the cells in a field, row by row; none: -1
    "OD": [[6, 5, 9, 10, -1], [4, 3, 7, 8, 19], [16, 15, 11, 12, 20], [18, 17, 13, 14, -1]],
    "OS": [[10, 9, 5, 6, -1], [8, 7, 3, 4, 0], [12, 11, 15, 16, 1], [14, 13, 17, 18, -1]],
}
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


def field_grid(cells: pd.DataFrame) -> np.ndarray:
    """Codes (n, eye, test, 4, 5), right eye first, of the columns `CELLS`; 0 where a field has no cell."""
    grid = np.zeros((len(cells), 2, 2, 4, 5))
    for e, (eye, places) in enumerate(_PLACES.items()):
        for row, column in np.argwhere(np.array(places) >= 0):
            for test in (1, 2):
                grid[:, e, test - 1, row, column] = cells[f"OPX{test}{eye}{places[row][column]:02}"]
    return grid


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
