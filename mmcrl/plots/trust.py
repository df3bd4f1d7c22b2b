"""Trust: whether confidence is right, and how often claimed links are false and true ones missed."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mmcrl.plots.style import INK, NEGATIVE, POSITIVE, SOFT, axes_or_new, check_rows, styled

__all__ = ["calibration_curve", "error_rates"]


@styled
def calibration_curve(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """The share of pairs that are linked against the confidence they were given; on the diagonal it is right.

    Parameters
    ----------
    table : pairs, confidence, right, low, high, one row per bin, as `mmcrl.proof.trust.calibration`.

    Raises
    ------
    InputError : for a table without these columns, or without a row.
    """
    check_rows("table", table, ["pairs", "confidence", "right", "low", "high"])
    ax = axes_or_new(ax, 5.2, 4.4)
    ax.plot([0, 1], [0, 1], color=SOFT, linewidth=1.5, linestyle="--", label="as often as it says")
    down, up = table["right"] - table["low"], table["high"] - table["right"]
    bars = [down.clip(lower=0).to_numpy(), up.clip(lower=0).to_numpy()]
    ax.errorbar(table["confidence"], table["right"], yerr=bars, fmt="o", color=POSITIVE, ecolor=SOFT, capsize=3)
    for row in table.itertuples():
        ax.annotate(f"{row.pairs:,}", (row.confidence, row.right), (7, -11), textcoords="offset points", fontsize=8)
    ax.set(
        xlim=(-0.04, 1.12), ylim=(-0.05, 1.06), xlabel="mean confidence of the pairs", ylabel="share that is linked"
    )
    ax.legend(loc="lower right")
    return ax


@styled
def error_rates(table: pd.DataFrame, by: str, title: str, rate: float = 0.05, least: float = 0.9) -> Figure:
    """False-discovery rate and share of true links found, a dot per row of the table, with what was promised.

    Parameters
    ----------
    table : ``by``, fdr, power; one row per group of worlds.
    by, title : the column on the horizontal axis, in the table's order, and what it says.
    rate, least : the nominal rate, and the share that should be found.

    Raises
    ------
    InputError : for a table without these columns, or without a row.
    """
    check_rows("table", table, [by, "fdr", "power"])
    values = list(dict.fromkeys(table[by]))
    place = table[by].map(values.index)
    figure, axes = plt.subplots(1, 2, figsize=(8.4, 3.6))
    labels = {"fdr": ("false among claimed", rate), "power": ("found of the true ones", least)}
    for ax, (measure, (label, bound)) in zip(axes, labels.items(), strict=True):
        beyond = table[measure] > bound if measure == "fdr" else table[measure] < bound
        ax.axhline(bound, color=SOFT, linestyle="--", linewidth=1.5)
        ax.scatter(place, table[measure], color=[NEGATIVE if b else POSITIVE for b in beyond], s=34, zorder=3)
        ax.plot(range(len(values)), table.groupby(place)[measure].mean(), color=INK, linewidth=1)
        ax.set(xlabel=title, ylabel=label, ylim=(-0.03, max(0.2, 1.15 * table[measure].max())))
        ax.set_xticks(range(len(values)), [str(value) for value in values])
        ax.margins(x=0.12)
    return figure
