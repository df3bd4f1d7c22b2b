"""Costs: how time and memory grow, and how far graphs are from the truth."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mmcrl.plots.style import INK, NEGATIVE, POSITIVE, SOFT, axes_or_new, check_rows, styled

__all__ = ["graph_distances", "growth"]

_LOOKS = ["-o", "-s", "-^", "-D", "-v", "-P", "-X"]
_COLOURS = [POSITIVE, NEGATIVE, INK, "#332288", "#999933", "#882255", "#44aa99"]


@styled
def growth(table: pd.DataFrame, along: str, title: str, measures: Mapping[str, str]) -> Figure:
    """How measures grow along a size, a line per method, both axes logarithmic; grey: in proportion to the size.

    Parameters
    ----------
    table : method, ``along`` and the measures; one row per run.
    along, title : the column on the horizontal axis, and what it says.
    measures : columns on the vertical axes, each with its label.

    Raises
    ------
    InputError : for a table without these columns, or without a row.
    """
    check_rows("table", table, ["method", along, *measures])
    figure, axes = plt.subplots(1, len(measures), figsize=(4.4 * len(measures), 3.9), squeeze=False)
    sizes = np.sort(table[along].unique()).astype(float)
    for ax, (measure, label) in zip(axes.flat, measures.items(), strict=True):
        for at, (method, runs) in enumerate(table.groupby("method", sort=False)):
            middle = runs.groupby(along)[measure].median().clip(lower=1e-2)
            look, colour = _LOOKS[at % len(_LOOKS)], _COLOURS[at % len(_COLOURS)]
            ax.plot(middle.index, middle, look, color=colour, markersize=5, label=str(method))
        anchor = max(float(table[measure].median()), 1e-2)
        ax.plot(sizes, anchor * sizes / np.exp(np.log(sizes).mean()), color=SOFT, linewidth=5, alpha=0.25, zorder=0)
        ax.set(xscale="log", yscale="log", xlabel=title, ylabel=label)
        ax.set_xticks(sizes, [f"{size:,.0f}" for size in sizes])
        ax.minorticks_off()
        ax.grid(color=SOFT, alpha=0.2)
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=8.5)
    return figure


@styled
def graph_distances(
    table: pd.DataFrame, graphs: Mapping[str, str], measure: str = "cross", ax: Axes | None = None
) -> Axes:
    """Wrong links of every graph, summed over the worlds of each seed: a dot per seed, a bar at their mean.

    Parameters
    ----------
    table : seed and a column ``GRAPH_MEASURE`` for every graph; one row per world and seed.
    graphs : keys of the graphs and how to call them.

    Raises
    ------
    InputError : for a table without these columns, or without a row.
    """
    columns = [f"{graph}_{measure}" for graph in graphs]
    check_rows("table", table, ["seed", *columns])
    sums = table.groupby("seed")[columns].sum()
    ax = axes_or_new(ax, 7.4, 0.42 * len(columns) + 1.1)
    ceilings = [graph.startswith("true") for graph in graphs]
    colours = [SOFT if ceiling else POSITIVE for ceiling in ceilings]
    ax.barh(range(len(columns)), sums.mean(), color=colours, alpha=0.55)
    for row, column in enumerate(columns):
        ax.plot(sums[column], [row] * len(sums), "o", color=INK, markersize=4)
    ax.set_yticks(range(len(columns)), list(graphs.values()))
    ax.set_ylim(len(columns) - 0.5, -0.5)
    ax.set_xlabel("pairs of latents that differ from the truth, summed over worlds")
    ax.tick_params(axis="y", length=0)
    return ax
