"""Cohorts: which links come back in other people."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from mmcrl.errors import InputError
from mmcrl.plots.style import INK, styled

__all__ = ["returning_links"]


@styled
def returning_links(shares: pd.DataFrame) -> Figure:
    """Share of fits (0 to 1) in which each cohort shows a link: links down, cohorts across, blank where it cannot.

    Raises
    ------
    InputError : for no link, and shares outside [0, 1].

    >>> table = pd.DataFrame({"first": [1.0, 0.5], "second": [0.0, float("nan")]}, index=["a – b", "a – c"])
    >>> len(returning_links(table).axes)
    1
    """
    values = shares.to_numpy(dtype=float)
    if not values.size or (values < 0).any() or (values > 1).any():
        raise InputError("shares", "a table of links and cohorts with shares in [0, 1]", f"shape {values.shape}")
    figure, ax = plt.subplots(figsize=(1.5 * shares.shape[1] + 3.4, 0.3 * len(shares) + 0.9))
    shades = LinearSegmentedColormap.from_list("found", ["#f1f3f4", INK])
    look = {"cmap": shades, "vmin": 0, "vmax": 1, "linewidths": 1.5, "linecolor": "white", "cbar": False}
    sns.heatmap(shares.astype(float), ax=ax, annot=True, fmt=".0%", annot_kws={"fontsize": 8}, **look)
    ax.set(xlabel="", ylabel="")
    ax.xaxis.tick_top()
    ax.tick_params(length=0, labelsize=8.5)
    ax.tick_params(axis="y", rotation=0)
    return figure
