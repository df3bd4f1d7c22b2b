"""Columns: how much of each is missing, and how its values are distributed, no bar of a few people drawn."""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mmcrl.cohort import Cohort
from mmcrl.errors import InputError, check_instance, check_whole
from mmcrl.modality import Modality
from mmcrl.plots.style import LEAST_PEOPLE, NEGATIVE, POSITIVE, SOFT, styled
from mmcrl.plots.together import rounded

__all__ = ["column_histograms", "missing_columns"]

_ACROSS = 5
_MOST_LEVELS = 12  # different values that are drawn one by one
_MOST_BINS = 24


@styled
def missing_columns(cohort: Cohort) -> Figure:
    """Of those who have a table at all, the share (per cent) without a value in each of its columns.

    A group of fewer people than the cohort's minimum, with or without a value, is named as such, its size not drawn.

    Raises
    ------
    InputError : for what is no cohort or has no table.
    """
    check_instance("cohort", cohort, Cohort)
    rows = []
    for name, modality in cohort.modalities.items():
        if not modality.large:
            seen = modality.values[modality.measured]
            lacking = np.isnan(seen).sum(axis=0)
            rows += [(f"{name}: {c}", int(m), len(seen)) for c, m in zip(modality.names, lacking, strict=True)]
    if not rows:
        raise InputError("cohort", "a cohort with a table", "images and series only")
    figure, ax = plt.subplots(figsize=(7.5, 0.2 * len(rows) + 0.9))
    told = [_told(lacking, people, cohort.minimum) for _, lacking, people in rows]
    places = np.arange(len(rows))
    ax.barh(places, 100, color=SOFT, alpha=0.12, height=0.7)
    ax.barh(places, [share for share, _ in told], color=NEGATIVE, alpha=0.85, height=0.7)
    for place, (_, text) in zip(places, told, strict=True):
        ax.annotate(text, (100, place), (6, 0), textcoords="offset points", va="center", fontsize=7.5)
    ax.set_yticks(places, [name for name, _, _ in rows], fontsize=8)
    ax.set(xlim=(0, 100), ylim=(len(rows) - 0.5, -0.5), xlabel="missing (% of those measured)")
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    return figure


@styled
def column_histograms(modality: Modality, minimum: int = LEAST_PEOPLE) -> Figure:
    """A small histogram of each column of a table, on the modelled scale.

    Bars under ``minimum`` people are left out, the others rounded to its multiples.  The axis ends where at least
    that many people are beyond; they are counted in the outermost bars.

    Raises
    ------
    InputError : for images and series, and a minimum under 1.

    >>> figure = column_histograms(Modality(np.r_[np.zeros(60), np.ones(40), 2.0][:, None], names=["level"]))
    >>> [int(bar.get_height()) for bar in figure.axes[0].patches]
    [60, 40, 0]
    """
    if not isinstance(modality, Modality) or modality.large:
        raise InputError("modality", "a table", getattr(modality, "kind", type(modality).__name__))
    check_whole("minimum", minimum, 1)
    across = min(_ACROSS, len(modality.names))
    down = math.ceil(len(modality.names) / across)
    figure, grid = plt.subplots(down, across, figsize=(1.9 * across + 0.5, 1.55 * down + 0.2), squeeze=False)
    for ax in grid.flat[len(modality.names) :]:
        ax.remove()
    for j, (ax, name) in enumerate(zip(grid.flat, modality.names, strict=False)):
        values = modality.values[:, j]
        _histogram(ax, values[np.isfinite(values)], minimum)
        ax.set_title(name if len(name) <= 26 else f"{name[:25]}…", fontsize=8.5)
        ax.set_xlabel(modality.units[j], fontsize=7.5)
        ax.tick_params(labelsize=7)
    for ax in grid[:, 0]:
        ax.set_ylabel("people", fontsize=7.5)
    return figure


def _histogram(ax: Axes, values: np.ndarray, minimum: int) -> None:
    found, counts = np.unique(values, return_counts=True)
    if len(found) <= _MOST_LEVELS:
        heights = [float(rounded(int(count), minimum)) for count in counts]
        ax.bar(np.arange(len(found)), heights, width=0.8, color=POSITIVE, alpha=0.85)
        shown = [place for place, height in enumerate(heights) if height]
        ax.set_xticks(shown, [f"{found[place]:.3g}" for place in shown])
        return
    ordered = np.sort(values)
    if len(ordered) < 4 * minimum or ordered[minimum - 1] == ordered[-minimum]:
        ax.text(0.5, 0.5, "too few people", ha="center", va="center", fontsize=8, transform=ax.transAxes)
        ax.set_xticks([])
        ax.set_yticks([])
        return
    low, high = _outward(float(ordered[minimum - 1]), float(ordered[-minimum]))
    bins = int(np.clip(len(ordered) / (4 * minimum), 4, _MOST_BINS))
    counts, edges = np.histogram(np.clip(ordered, low, high), bins, (low, high))
    heights = [float(rounded(int(count), minimum)) for count in counts]
    ax.bar(edges[:-1], heights, width=np.diff(edges), align="edge", color=POSITIVE, alpha=0.85)
    ax.set_xlim(low, high)


def _outward(low: float, high: float) -> tuple[float, float]:
    """The next round numbers outside."""
    step = 10.0 ** math.floor(math.log10(high - low)) / 2
    return math.floor(low / step) * step, math.ceil(high / step) * step


def _told(lacking: int, people: int, minimum: int) -> tuple[float, str]:
    """Length of the bar (per cent), and what is written beside it."""
    if people < minimum:
        return 0.0, f"fewer than {minimum} people"
    if 0 < lacking < minimum:
        return 0.0, f"fewer than {minimum}"
    if 0 < people - lacking < minimum:
        return 100.0, f"all but fewer than {minimum}"
    share = 100 * lacking / people
    return share, "none" if not lacking else f"{share:.0f} %" if share >= 1 else "under 1 %"
