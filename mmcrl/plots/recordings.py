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
from mmcrl.plots.style import POSITIVE, styled

__all__ = ["recordings"]

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
    if isinstance(hours, bool) or not isinstance(hours, int | float) or not 0 < hours < np.inf:
        raise InputError("hours", "a length of time above 0", repr(hours))
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
