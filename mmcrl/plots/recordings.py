"""Recordings: series of simulated people over time, channel by channel.

Never for series of real people.
"""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from mmcrl.errors import InputError
from mmcrl.plots.style import INK, NEGATIVE, POSITIVE, standing, styled

__all__ = ["recordings", "traces"]

_MOST = 6  # recordings beside each other


@styled
def recordings(
    series: ArrayLike, channels: Sequence[str], hours: float, titles: Sequence[str] | None = None
) -> Figure:
    """Series of simulated people side by side, a row per channel; a gap (NaN) is left open.

    Parameters
    ----------
    series : (n, channels, time), up to 6 of them, all of the same length in time.
    channels : names of the rows, with their units.
    hours : how long a recording is; samples are evenly spaced over it.
    titles : what stands above each recording; left out, nothing.

    Raises
    ------
    InputError : for another shape or number, a number of names or titles that does not fit, no length of time.

    >>> figure = recordings(np.zeros((2, 3, 40)), ["SpO2 (%)", "heart rate (1/min)", "activity"], 8)
    >>> len(figure.axes)
    6
    """
    drawn = np.asarray(series)
    if drawn.ndim != 3 or 0 in drawn.shape or len(drawn) > _MOST or drawn.dtype.kind not in "fiu":
        raise InputError("series", f"numbers (n, channels, time) of up to {_MOST} recordings", f"shape {drawn.shape}")
    if len(channels) != drawn.shape[1]:
        raise InputError("channels", f"{drawn.shape[1]}, as the series", str(len(channels)))
    if titles is not None and len(titles) != len(drawn):
        raise InputError("titles", f"{len(drawn)}, as the series", str(len(titles)))
    _check_hours(hours)
    n, rows, samples = drawn.shape
    size = (2.1 * n + 0.9, 0.95 * rows + 0.6)
    figure, grid = plt.subplots(rows, n, figsize=size, squeeze=False, sharex=True, sharey="row")
    time = (np.arange(samples) + 0.5) * hours / samples
    for row, channel, axes in zip(drawn.swapaxes(0, 1), channels, grid, strict=True):
        axes[0].set_ylabel(channel.replace(" (", "\n("), rotation=0, ha="right", va="center", fontsize=8.5)
        for ax, values in zip(axes, row, strict=True):
            ax.plot(time, values, color=POSITIVE, linewidth=0.5, rasterized=True)
            ax.tick_params(labelsize=7.5)
    for ax, title in zip(grid[0], titles or [""] * n, strict=True):
        ax.set_title(title, loc="center", fontsize=9, fontweight="normal")
    for ax in grid[-1]:
        ax.set(xlim=(0, hours), xlabel="hours")
    return figure


@styled
def traces(
    series: ArrayLike,
    latents: Sequence[str],
    channels: Sequence[str],
    hours: float,
    people: ArrayLike | None = None,
    values: Sequence[float] = (-2, 0, 2),
) -> Figure:
    """What each latent changes in a recording: a column of panels per latent, a row per channel.

    Parameters
    ----------
    series : (latents, 3, channels, time), mean recordings with the latent low, in the middle and high.
    latents, channels : names of the columns and of the rows.
    hours : how long a recording is.
    people : (latents, 2, channels, time), means of the people lowest and highest in each latent, drawn faintly.
    values : of the latent, in standard deviations, for the legend.

    Raises
    ------
    InputError : for other shapes, and as `recordings`.

    >>> figure = traces(np.zeros((2, 3, 1, 40)), ["night.0", "night.1"], ["heart rate (1/min)"], 8)
    >>> len(figure.axes)
    2
    """
    drawn = np.asarray(series)
    expected = (len(latents), len(values), len(channels))
    if drawn.ndim != 4 or 0 in drawn.shape or drawn.shape[:3] != expected or len(values) != 3:
        raise InputError(
            "series", f"numbers (latents, 3, channels, time), the first three {expected}", f"{drawn.shape}"
        )
    means = None if people is None else np.asarray(people)
    if means is not None and means.shape != (len(drawn), 2, *drawn.shape[2:]):
        raise InputError("people", f"shape {(len(drawn), 2, *drawn.shape[2:])}", f"shape {means.shape}")
    _check_hours(hours)
    rows, samples = drawn.shape[2:]
    size = (3.7 * len(drawn) + 1.0, 1.6 * rows + 1.0)
    figure, grid = plt.subplots(rows, len(drawn), figsize=size, squeeze=False, sharex=True, sharey="row")
    time = (np.arange(samples) + 0.5) * hours / samples
    colours = NEGATIVE, INK, POSITIVE
    for k, name in enumerate(latents):
        grid[0, k].set_title(name, fontsize=9.5)
        for c, ax in enumerate(grid[:, k]):
            if means is not None:
                for trace, colour, low in zip(means[k, :, c], colours[::2], (True, False), strict=True):
                    label = f"people {'lowest' if low else 'highest'} in it"
                    ax.plot(time, trace, color=colour, linewidth=0.7, alpha=0.5, label=label)
            for trace, colour, value in zip(drawn[k, :, c], colours, values, strict=True):
                ax.plot(time, trace, color=colour, linewidth=1.8, label=standing(value))
            ax.tick_params(labelsize=8)
    for channel, ax in zip(channels, grid[:, 0], strict=True):
        ax.set_ylabel(channel.replace(" (", "\n("), rotation=0, ha="right", va="center", fontsize=9)
    for ax in grid[-1]:
        ax.set(xlim=(0, hours), xlabel="hours")
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5, fontsize=8.5)
    return figure


def _check_hours(hours: object) -> None:
    if isinstance(hours, bool) or not isinstance(hours, int | float) or not 0 < hours < np.inf:
        raise InputError("hours", "a length of time above 0", repr(hours))
