"""Studies: scores over worlds and methods, verdicts and choices, from the tables of sweeps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mmcrl.errors import InputError, check_table
from mmcrl.plots.fits import score_intervals
from mmcrl.plots.style import INK, NEGATIVE, POSITIVE, SOFT, axes_or_new, check_rows, styled

__all__ = ["choice_matrix", "method_panels", "missing_table", "verdict_bars", "world_scores"]

_VERDICTS = {
    "n_component_sound": ("called separated, and it is", POSITIVE, ""),
    "n_doubted_off": ("doubted, and it is mixed", SOFT, ""),
    "n_doubted_sound": ("doubted, though separated", SOFT, "///"),
    "n_component_off": ("called separated, though mixed", NEGATIVE, "///"),
}


@styled
def missing_table(name: str, ax: Axes | None = None) -> Axes:
    """The place of a picture whose table has not been computed, with the command that computes it.

    >>> missing_table("cases").texts[0].get_text().splitlines()[-1]
    'python -m mmcrl run cases'
    """
    ax = axes_or_new(ax, 6.8, 1.4)
    ax.set_axis_off()
    text = f"Not computed yet. To compute it:\npython -m mmcrl run {name}"
    ax.text(0.5, 0.5, text, ha="center", va="center", color=INK, transform=ax.transAxes, linespacing=1.6)
    return ax


@styled
def world_scores(
    table: pd.DataFrame,
    by: str = "world",
    published: pd.DataFrame | None = None,
    labels: Mapping[object, str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """MCC of every run, world by world, on the band that chance reaches, up to the ceiling.

    Parameters
    ----------
    table : ``by``, mcc, floor_mean, floor_q95 and, where known, ceiling_mcc; one row per run.
    by : the column whose values become rows, in the table's order.
    published : columns ``by`` and mcc; drawn hollow: another world of the same description.
    labels : how to call the values of ``by``.

    Raises
    ------
    InputError : for a table without these columns, or without a row.
    """
    check_rows("table", table, [by, "mcc", "floor_mean", "floor_q95"])
    groups = dict(iter(table.groupby(by, sort=False)))
    ax = axes_or_new(ax, 7.4, 0.4 * len(groups) + 1.4)
    for row, (value, runs) in enumerate(groups.items()):
        low, high = runs["floor_mean"].mean(), runs["floor_q95"].mean()
        label = _once(ax, "chance: mean to 95 %")
        ax.barh(row, high - low, 0.62, low, color=SOFT, alpha=0.25, linewidth=0, label=label)
        if "ceiling_mcc" in runs and runs["ceiling_mcc"].notna().any():
            label = _once(ax, "ceiling: sees the truth")
            ax.plot([runs["ceiling_mcc"].mean()] * 2, [row - 0.34, row + 0.34], color=INK, linewidth=1.4, label=label)
        shift = np.linspace(-0.16, 0.16, len(runs)) if len(runs) > 1 else np.zeros(1)
        label = _once(ax, "one seed each")
        ax.plot(runs["mcc"], row + shift, "o", color=POSITIVE, markersize=5, markeredgecolor="white", label=label)
        reported = [] if published is None else published.loc[published[by] == value, "mcc"].dropna().tolist()
        label = _once(ax, "published, their world") if reported else None
        ax.plot(reported, [row] * len(reported), "D", mfc="white", mec=NEGATIVE, markersize=6, mew=1.5, label=label)
    ax.set_yticks(range(len(groups)), [(labels or {}).get(value, str(value)) for value in groups])
    ax.set_ylim(len(groups) - 0.5, -0.5)
    ax.set_xlim(right=1.01)
    ax.set_xlabel("mean rank correlation with the truth (MCC, 0 to 1)")
    ax.grid(axis="x", color=SOFT, alpha=0.25, linewidth=0.8)
    ax.tick_params(axis="y", length=0)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=4, fontsize=8.5, handlelength=1.4, columnspacing=1.2)
    return ax


def _once(ax: Axes, label: str) -> str | None:
    """A label that the legend does not have yet."""
    return None if label in ax.get_legend_handles_labels()[1] else label


@styled
def method_panels(table: pd.DataFrame, methods: Sequence[str]) -> Figure:
    """`score_intervals` of these methods, one panel per world, the ceiling being the method of that name.

    Parameters
    ----------
    table : world, method, mcc, floor_mean, floor_q95; one row per run.

    Raises
    ------
    InputError : for a table without these columns, or without a row of these methods.
    """
    check_table("table", table, ["world", "method", "mcc", "floor_mean", "floor_q95"])
    shown = table[table["method"].isin(methods)]
    if shown.empty:
        raise InputError("table", f"runs of {', '.join(methods)}", "none")
    worlds = list(dict.fromkeys(shown["world"]))
    across = min(2, len(worlds))
    down = math.ceil(len(worlds) / across)
    size = (5.2 * across, down * (0.3 * len(methods) + 1.1) + 0.4)
    figure, grid = plt.subplots(down, across, figsize=size, squeeze=False, sharex=True)
    for ax in grid.flat[len(worlds) :]:
        ax.set_axis_off()
    lowest = shown[["mcc", "floor_mean"]].min().min()
    for ax, world in zip(grid.flat, worlds, strict=False):
        rows = shown[shown["world"] == world]
        rows = rows.sort_values("method", key=lambda names: names.map(list(methods).index), kind="stable")
        ceiling = table.loc[(table["world"] == world) & (table["method"] == "ceiling"), "mcc"]
        highest = float(ceiling.mean()) if len(ceiling) else None
        score_intervals(rows, float(rows["floor_mean"].mean()), float(rows["floor_q95"].mean()), highest, ax)
        ax.get_legend().remove()
        ax.set(title=world, xlim=(max(0.0, lowest - 0.05), 1.01), xlabel="MCC")
    handles, labels = grid.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=8.5)
    return figure


@styled
def verdict_bars(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """What the identifiability report says of latents, world by world, and whether it is so; hatched where it errs.

    Parameters
    ----------
    table : world and the counts n_component_sound, n_component_off, n_doubted_off, n_doubted_sound; one row per run.

    Raises
    ------
    InputError : for a table without these columns, or without a row.
    """
    check_rows("table", table, ["world", *_VERDICTS])
    counts = table.groupby("world", sort=False)[list(_VERDICTS)].sum()
    shares = counts.div(counts.sum(axis=1), axis=0)
    ax = axes_or_new(ax, 7.4, 0.34 * len(shares) + 1.5)
    left = np.zeros(len(shares))
    for name, (label, colour, hatch) in _VERDICTS.items():
        width = shares[name].to_numpy()
        ax.barh(range(len(shares)), width, left=left, color=colour, hatch=hatch, edgecolor="white", label=label)
        left = left + width
    ax.set_yticks(range(len(shares)), list(shares.index))
    ax.set_ylim(len(shares) - 0.5, -0.5)
    ax.set(xlim=(0, 1), xlabel="share of the latents")
    ax.tick_params(axis="y", length=0)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, fontsize=8.5)
    return ax


@styled
def choice_matrix(table: pd.DataFrame, true: str, chosen: str, ax: Axes | None = None) -> Axes:
    """How often which number was chosen where the truth is another or the same.

    Parameters
    ----------
    table : the columns ``true`` and ``chosen``, whole numbers; one row per run.

    Raises
    ------
    InputError : for a table without these columns, or without a row.
    """
    check_rows("table", table, [true, chosen])
    most = int(table[[true, chosen]].max().max())
    counts = np.zeros((most, most), dtype=int)
    for t, c in table[[true, chosen]].round().astype(int).to_numpy():
        counts[t - 1, c - 1] += 1
    ax = axes_or_new(ax, 0.7 * most + 1.4, 0.6 * most + 1)
    numbers = list(range(1, most + 1))
    look = {"cmap": "crest", "cbar": False, "linewidths": 1, "linecolor": "white", "mask": counts == 0}
    sns.heatmap(counts, ax=ax, annot=True, fmt="d", square=True, xticklabels=numbers, yticklabels=numbers, **look)
    for i in range(most):
        ax.add_patch(plt.Rectangle((i, i), 1, 1, fill=False, edgecolor=INK, linewidth=1.5))
    ax.set(xlabel="chosen, mean over modalities", ylabel="true")
    ax.tick_params(length=0)
    return ax
