"""Guard: what the disclosure guard refuses, of planted leaks and of tables of aggregates."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from mmcrl.errors import check_whole
from mmcrl.plots.style import NEGATIVE, POSITIVE, SOFT, axes_or_new, check_rows, styled

__all__ = ["guard_report"]


@styled
def guard_report(tried: pd.DataFrame, alarms: int, tables: int, ax: Axes | None = None) -> Axes:
    """Share of planted leaks that were refused, sort by sort, and of tables of aggregates, which should be none.

    Parameters
    ----------
    tried : leak (its sort), refused (bool); one row per planted leak.
    alarms, tables : tables of aggregates that were refused, and all.

    Raises
    ------
    InputError : for a table without these columns, or without a row, and for more alarms than tables.
    """
    check_rows("tried", tried, ["leak", "refused"])
    check_whole("tables", tables, 1)
    check_whole("alarms", alarms, 0, tables)
    sums = tried.groupby("leak", sort=False)["refused"].agg(["sum", "size"])
    sums.loc["tables of aggregates"] = [alarms, tables]
    ax = axes_or_new(ax, 7.5, 0.36 * len(sums) + 1.1)
    rows = np.arange(len(sums))
    ax.barh(rows, 100, color=SOFT, alpha=0.15, height=0.62)
    colours = [POSITIVE] * (len(sums) - 1) + [NEGATIVE]
    ax.barh(rows, 100 * sums["sum"] / sums["size"], color=colours, alpha=0.85, height=0.62)
    for row, (refused, size) in enumerate(zip(sums["sum"], sums["size"], strict=True)):
        ax.annotate(f"{refused} of {size}", (100, row), (6, 0), textcoords="offset points", va="center", fontsize=9)
    ax.set_yticks(rows, list(sums.index))
    ax.set_ylim(len(sums) - 0.5, -0.5)
    ax.set(xlim=(0, 100), xlabel="refused (%)")
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    return ax
