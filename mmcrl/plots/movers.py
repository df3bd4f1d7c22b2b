"""Movers: which columns of a table follow a latent, and how far."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from mmcrl.errors import InputError
from mmcrl.plots.style import INK, NEGATIVE, POSITIVE, SOFT, standing, styled

__all__ = ["moving_columns"]


@styled
def moving_columns(
    decoded: ArrayLike,
    latents: Sequence[str],
    columns: Sequence[str],
    values: tuple[float, float] = (-2, 2),
    people: ArrayLike | None = None,
) -> Figure:
    """What each latent changes in a table: a line per column from its value at the low to that at the high end.

    Parameters
    ----------
    decoded : (latents, 2, columns), expected values with the latent low and high, in standard deviations of the
        column from its mean.
    latents, columns : names of the panels and of their rows.
    values : of the latent, in standard deviations, for the legend.
    people : as ``decoded``, the means of the people lowest and highest in each latent, drawn as open circles.

    Raises
    ------
    InputError : for other shapes.

    >>> len(moving_columns(np.zeros((2, 2, 3)), ["blood.0", "blood.1"], ["a", "b", "c"]).axes)
    2
    """
    drawn = np.asarray(decoded, dtype=float)
    if drawn.shape != (len(latents), 2, len(columns)) or 0 in drawn.shape:
        raise InputError("decoded", f"shape ({len(latents)}, 2, {len(columns)})", f"shape {drawn.shape}")
    means = None if people is None else np.asarray(people, dtype=float)
    if means is not None and means.shape != drawn.shape:
        raise InputError("people", f"shape {drawn.shape}", f"shape {means.shape}")
    size = (3.6 * len(latents) + 1.2, 0.3 * len(columns) + 1.4)
    figure, grid = plt.subplots(1, len(latents), figsize=size, squeeze=False, sharex=True, sharey=True)
    rows = np.arange(len(columns))
    ends = (NEGATIVE, 0, f"decoded at {standing(values[0])}"), (POSITIVE, 1, f"decoded at {standing(values[1])}")
    for k, (ax, name) in enumerate(zip(grid.flat, latents, strict=True)):
        ax.hlines(rows, drawn[k, 0], drawn[k, 1], color=SOFT, linewidth=2.5, alpha=0.6)
        for colour, end, label in ends:
            ax.plot(drawn[k, end], rows, "o", color=colour, markersize=6, label=label)
            if means is not None:
                told = f"people {'highest' if end else 'lowest'} in it"
                look = {"markerfacecolor": "none", "markeredgecolor": colour, "markersize": 9}
                ax.plot(means[k, end], rows, "o", label=told, **look)
        ax.axvline(0, color=INK, linewidth=0.6, zorder=0)
        ax.set_title(name, fontsize=9.5)
        ax.set_xlabel("SD of the column")
        ax.tick_params(axis="y", length=0)
    grid[0, 0].set_yticks(rows, list(columns))
    grid[0, 0].set_ylim(len(columns) - 0.5, -0.5)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, fontsize=8.5)
    return figure
