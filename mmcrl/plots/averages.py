"""Averages: what images and series look like over all people, never of one person.

Of each pixel, and of each stretch of time, the mean over the people who have it, and how far people differ; blank
where fewer than ``minimum`` people have it, and as all others have it where fewer than that differ from them.
"""

from __future__ import annotations

import warnings

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from mmcrl.errors import InputError, check_whole
from mmcrl.kinds import KINDS
from mmcrl.modality import Modality
from mmcrl.plots.style import INK, LEAST_PEOPLE, POSITIVE, styled

__all__ = ["average_images", "average_series", "moments"]

_STRETCHES = 101  # parts into which the time of a series is cut
_SAMPLE = 64  # people, or four times the minimum, whose median says what most have


@styled
def average_images(modality: Modality, minimum: int = LEAST_PEOPLE) -> Figure:
    """Mean and standard deviation over people of every pixel: a column for each channel.

    Raises
    ------
    InputError : for another kind, and a minimum under 1.

    >>> eyes = np.ones((12, 1, 4, 4)) * np.arange(12.0)[:, None, None, None]
    >>> shown = average_images(Modality(eyes, names=["grey"]))
    >>> float(shown.axes[0].images[0].get_array().max())
    5.5
    """
    mean, spread, _ = moments(modality, "image", minimum)
    channels, height, width = mean.shape
    figure, grid = plt.subplots(
        2, channels, figsize=(1.7 * channels + 0.6, 3.6 * min(height / width, 2)), squeeze=False
    )
    for row, arrays, name in zip(grid, (mean, spread), ("mean", "SD over people"), strict=True):
        for ax, array in zip(row, arrays, strict=True):
            ax.imshow(np.ma.masked_invalid(array), cmap="gray", interpolation="nearest")
            ax.set_xticks([])
            ax.set_yticks([])
            ax.spines[:].set_visible(False)
        row[0].set_ylabel(name, fontsize=9)
    for ax, name in zip(grid[0], modality.names, strict=True):
        ax.set_title(name, fontsize=9)
    return figure


@styled
def average_series(modality: Modality, minimum: int = LEAST_PEOPLE) -> Figure:
    """Mean over people with a band of one standard deviation, and the share of people with a value, along time.

    Raises
    ------
    InputError : for another kind, and a minimum under 1.
    """
    mean, spread, people = moments(modality, "series", minimum)
    channels, length = mean.shape
    edges = np.linspace(0, modality.shape[2], length + 1)
    time = (edges[:-1] + edges[1:]) / 2
    figure, grid = plt.subplots(2, channels, figsize=(3.4 * channels + 0.6, 3.6), squeeze=False, sharex=True)
    whole = max(1, int(modality.measured.sum()))
    for c, (above, below) in enumerate(zip(*grid, strict=True)):
        above.fill_between(time, mean[c] - spread[c], mean[c] + spread[c], color=POSITIVE, alpha=0.25, linewidth=0)
        above.plot(time, mean[c], color=INK, linewidth=1.2)
        above.set_title(modality.names[c], fontsize=9)
        above.set_ylabel(modality.units[c], fontsize=8)
        below.stairs(100 * people[c] / whole, edges, fill=True, color=POSITIVE)
        below.set(ylim=(0, 100), xlabel="sample")
    grid[1, 0].set_ylabel("have a value (%)", fontsize=8)
    return figure


def moments(
    modality: Modality, kind: str, minimum: int, stretches: int = _STRETCHES
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean and standard deviation over people, and how many have a value (NaN under the minimum), of each place.

    A place is a pixel (channels, height, width), or of a series (channels, stretches) one of at most so many
    stretches of its time.  Where fewer than the minimum differ from what all others have, such as ink in the margin
    of an outline, the place is told as if nobody did.

    Raises
    ------
    InputError : for another kind than ``image`` or ``series`` says, and a minimum under 1.
    """
    if not isinstance(modality, Modality) or KINDS[modality.kind].n_axes != KINDS[kind].n_axes:
        raise InputError("modality", f"a modality of kind {kind}", getattr(modality, "kind", type(modality).__name__))
    check_whole("minimum", minimum, 1)
    shape = modality.shape[1:]
    if kind == "series":
        shape = (shape[0], min(shape[1], stretches))
    parts = shape[1] if kind == "series" else None
    usual = _usual(_read(modality.read(slice(max(_SAMPLE, 4 * minimum))), parts))
    sums, squares, counts, others = (np.zeros(shape) for _ in range(4))
    for piece in modality.pieces():
        values = _read(piece, parts)
        seen = np.isfinite(values)
        filled = np.where(seen, values, 0.0)
        sums, squares, counts = sums + filled.sum(0), squares + (filled**2).sum(0), counts + seen.sum(0)
        others += (seen & (values != usual)).sum(0)
    enough = counts >= minimum
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(enough, sums / counts, np.nan)
        spread = np.sqrt(np.maximum(np.where(enough, squares / counts, np.nan) - mean**2, 0))
    alike = enough & (others < minimum)
    return np.where(alike, usual, mean), np.where(alike, 0.0, spread), np.where(enough, counts, np.nan)


def _read(piece: np.ndarray, parts: int | None) -> np.ndarray:
    """Values of some people, those of a series over so many stretches."""
    values = piece.astype(float)
    return values if parts is None else _stretched(values, parts)


def _usual(values: np.ndarray) -> np.ndarray:
    """The median of every place over some people: what all but a few have, where that is one value."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a place that none of them has
        return np.asarray(np.nanmedian(values, axis=0))


def _stretched(series: np.ndarray, parts: int) -> np.ndarray:
    """Each person's mean over each stretch of time (n, channels, parts); NaN where a stretch has no value."""
    starts = np.linspace(0, series.shape[2], parts + 1).astype(int)[:-1]
    seen = np.isfinite(series)
    counts = np.add.reduceat(seen, starts, axis=2, dtype=float)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(counts > 0, np.add.reduceat(np.where(seen, series, 0.0), starts, axis=2) / counts, np.nan)
