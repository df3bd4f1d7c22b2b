"""Ends: what the images and series of people low and high in a latent look like, as averages of many people.

Of a latent z of an image or a series x, and of the people who have both, the two means

    E[x | z lowest], E[x | z highest],

place by place, each over a share of these people, and their difference.  It says what goes with the latent among
people as they are, all else with it; what the latent alone would change is a model's answer
(`mmcrl.MultimodalCRL.intervene`).  Nobody's own image or series is drawn, and a place is blank where fewer people
than the cohort's minimum have it in either group.  A mean image is blank as a whole where it looks like somebody's
own, as that of people who nearly all see everything but one spot may (`mmcrl.disclosure.pictures.is_picture`).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from mmcrl.cohort import Cohort
from mmcrl.disclosure.pictures import is_picture
from mmcrl.errors import InputError, check_instance
from mmcrl.kinds import KINDS
from mmcrl.modality import Modality
from mmcrl.plots.averages import moments
from mmcrl.plots.style import INK, NEGATIVE, POSITIVE, SIGNED, styled

__all__ = ["averages_told", "latent_averages", "low_and_high"]

_STRETCHES = 168  # of a series: a week by the hour
_SHADES = LinearSegmentedColormap.from_list("shades", ["#e9ecee", INK])
_UNITS = (("days", 86_400.0, 3.0), ("hours", 3_600.0, 3.0), ("minutes", 60.0, 3.0), ("seconds", 1.0, 0.0))


def low_and_high(latent: np.ndarray, share: float = 0.2, minimum: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """Two masks (n,): those with the lowest values (n,), and as many with the highest.

    Each is this share of the people who have a value, and at least the minimum; nobody where the two would overlap.

    Raises
    ------
    InputError : for a share that is not above 0 and at most one half.

    >>> low, high = low_and_high(np.arange(100.0))
    >>> low.nonzero()[0].tolist() == list(range(20)), int(high.sum())
    (True, 20)
    """
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 0.5:
        raise InputError("share", "a share above 0 and at most one half", repr(share))
    low, high = np.zeros(len(latent), dtype=bool), np.zeros(len(latent), dtype=bool)
    there = np.flatnonzero(np.isfinite(latent))
    size = max(int(share * len(there)), minimum)
    if 2 * size <= len(there):
        order = there[np.argsort(latent[there], kind="stable")]
        low[order[:size]], high[order[-size:]] = True, True
    return low, high


@styled
def latent_averages(
    cohort: Cohort, name: str, latents: pd.DataFrame, *, share: float = 0.2, step: float | None = None
) -> Figure:
    """The mean image, or series, of the people low and of those high in each latent of a modality.

    Images have a row for each latent and channel: low, high, high minus low.  Series have a row for each latent and
    a column for each channel, both means as lines along time.

    Parameters
    ----------
    cohort : people whom the fit has not seen.
    name : of a modality of images or series.
    latents : of these people, as `MultimodalCRL.transform` gives them.
    share : of the people who have the modality, in either group; at least the cohort's minimum of people.
    step : seconds between two values of a series; left out, time is counted in values.

    Raises
    ------
    InputError : for a table, latents of other people or without this modality, and a share outside (0, 0.5].
    """
    check_instance("cohort", cohort, Cohort)
    modality = cohort[name]
    if not modality.large:
        raise InputError("name", "a modality of images or series", f"{name}, of kind {modality.kind}")
    if not latents.index.equals(cohort.ids) or name not in latents.columns.get_level_values(0):
        raise InputError("latents", f"latents of {name} of the people of cohort, in their order", "others")
    image = KINDS[modality.kind].n_axes == 4
    means = {}
    for number in latents[name].columns:
        values = np.where(modality.measured, latents[name][number].to_numpy(float), np.nan)
        groups = low_and_high(values, share, cohort.minimum)
        means[f"{name}.{number}"] = np.stack([_mean(modality.take(group), image, cohort.minimum) for group in groups])
    if image:
        _blank_likenesses(means.values(), modality)
    return _images(means, modality) if image else _series(means, modality, step)


def averages_told(names: Sequence[str], minimum: int, share: float = 0.2) -> str:
    """What `latent_averages` draws of these modalities, in a sentence, also where there is none.

    >>> averages_told(["eye", "night"], 10)[:66]
    'Of eye and night the figures show means: over the 20% of these peo'
    """
    if not names:
        return "All modalities of these people are tables."
    several = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    return (
        f"Of {several} the figures show means: over the {share:.0%} of these people who are lowest in a latent, over"
        f" the {share:.0%} who are highest, and what differs, each over {minimum} people or more in every place."
        " Nobody's own is shown; a mean that looks like one is blank."
    )


def _mean(modality: Modality, image: bool, minimum: int) -> np.ndarray:
    if not len(modality):
        shape = modality.shape[1:]
        return np.full(shape if image else (shape[0], min(shape[1], _STRETCHES)), np.nan)
    return moments(modality, "image" if image else "series", minimum, _STRETCHES)[0]


def _blank_likenesses(means: Iterable[np.ndarray], modality: Modality) -> None:
    """Blank every channel of means (low or high, channels, height, width) that looks like somebody's own image."""
    channels = [channel for mean in itertools.chain.from_iterable(means) for channel in mean]
    for piece in modality.pieces():
        for channel in channels:
            if is_picture(channel, [piece]):
                channel[:] = np.nan


def _images(means: dict[str, np.ndarray], modality: Modality) -> Figure:
    """Means (low or high, channels, height, width) of every latent."""
    channels, height, width = modality.shape[1:]
    down = len(means) * channels
    tall = 1.7 * min(height / width, 2)
    figure, grid = plt.subplots(down, 3, figsize=(3 * 1.7 + 2.2, down * (tall + 0.12) + 0.7), squeeze=False)
    both = np.stack(list(means.values()))
    seen, most = both[np.isfinite(both)], np.abs(both[:, 1] - both[:, 0])
    most = most[np.isfinite(most)]
    span = (float(seen.min()), float(seen.max())) if len(seen) else (0.0, 1.0)
    widest = float(most.max()) if len(most) else 1.0
    for row, (latent, c) in enumerate((latent, c) for latent in means for c in range(channels)):
        low, high = means[latent][:, c]
        for ax, picture in zip(grid[row], (low, high), strict=False):
            shown = _show(ax, picture, _SHADES, span)
        apart = _show(grid[row, 2], high - low, SIGNED, (-widest, widest))
        told = latent if channels == 1 else f"{latent}\n{modality.names[c]}"
        grid[row, 0].set_ylabel(told, rotation=0, ha="right", va="center", fontsize=9)
    for ax, title in zip(grid[0], ("low", "high", "high − low"), strict=True):
        ax.set_title(title, loc="center", fontsize=9.5)
    unit = next((unit for unit in modality.units if unit), "")
    for drawn, where, title in ((shown, grid[:, :2], f"mean {unit}".strip()), (apart, grid[:, 2], "difference")):
        bar = figure.colorbar(drawn, ax=where, location="bottom", shrink=0.8, aspect=28, pad=0.01)
        bar.set_label(title, fontsize=8.5)
        bar.ax.tick_params(labelsize=8)
        bar.outline.set_visible(False)
    return figure


def _show(ax: Axes, picture: np.ndarray, colours: LinearSegmentedColormap, span: tuple[float, float]) -> AxesImage:
    low, high = span
    drawn = ax.imshow(np.ma.masked_invalid(picture), cmap=colours, vmin=low, vmax=high, interpolation="nearest")
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)
    if np.isnan(picture).all():
        ax.text(0.5, 0.5, "not drawn", transform=ax.transAxes, ha="center", va="center", fontsize=8.5, color=INK)
    return drawn


def _series(means: dict[str, np.ndarray], modality: Modality, step: float | None) -> Figure:
    """Means (low or high, channels, stretches) of every latent."""
    channels, length = modality.shape[1:]
    long = length * (step or 1.0)
    title, seconds = ("sample", 1.0) if step is None else _unit(long)
    size = (max(7.0, 3.4 * channels + 0.8), 1.75 * len(means) + 0.8)
    figure, grid = plt.subplots(len(means), channels, figsize=size, squeeze=False, sharex=True, sharey="col")
    for row, (latent, groups) in zip(grid, means.items(), strict=True):
        edges = np.linspace(0, long / seconds, groups.shape[-1] + 1)
        time = (edges[:-1] + edges[1:]) / 2
        for c, ax in enumerate(row):
            for group, colour, told in zip(groups, (NEGATIVE, POSITIVE), ("low", "high"), strict=True):
                ax.plot(time, group[c], color=colour, linewidth=1.2, label=f"mean of people {told} in it")
            ax.set_title(latent, fontsize=9.5)
            ax.set_ylabel(" ".join(filter(None, (modality.names[c], modality.units[c]))), fontsize=8.5)
            ax.set_xlim(0, long / seconds)
            if title == "days":
                ax.set_xticks(np.arange(0, long / seconds + 0.5))
                ax.grid(axis="x", linewidth=0.5, alpha=0.4)
    for ax in grid[-1]:
        ax.set_xlabel(title, fontsize=9)
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside upper right", ncols=2, fontsize=8.5)
    return figure


def _unit(long: float) -> tuple[str, float]:
    """The unit in which so many seconds are a handful, and its seconds."""
    return next((name, seconds) for name, seconds, least in _UNITS if long / seconds >= least)
