"""Matrices: adjacencies beside each other, and what the latents mean in the observed columns."""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from mmcrl.decoding import ITSELF
from mmcrl.errors import InputError, check_table
from mmcrl.knowledge import modality_of
from mmcrl.plots.style import INK, NEGATIVE, SIGNED, SOFT, styled

__all__ = ["adjacency_heatmap", "loadings_heatmap"]


@styled
def adjacency_heatmap(true: pd.DataFrame, estimated: pd.DataFrame) -> Figure:
    """The true and the estimated adjacency (d, d) side by side; entries that differ are framed.

    Rows are targets and columns sources: a filled cell (i, j) says that latent j causes latent i.  `metrics.align`
    brings the estimate into the truth's names and order.

    Raises
    ------
    InputError : for labels that differ between the two, or between rows and columns.

    >>> truth = pd.DataFrame([[0, 0], [1, 0]], index=["a.0", "b.0"], columns=["a.0", "b.0"])
    >>> len(adjacency_heatmap(truth, truth).axes)
    2
    """
    labels = list(true.index)
    for argument, matrix in (("true", true), ("estimated", estimated)):
        if set(matrix.index) != set(labels) or set(matrix.columns) != set(labels):
            raise InputError(argument, f"rows and columns {labels}", f"{list(matrix.index)}, {list(matrix.columns)}")
    estimated = estimated.loc[labels, labels]
    true = true[labels]
    size = float(np.clip(0.28 * len(labels) + 1.2, 2.6, 7))
    figure, axes = plt.subplots(1, 2, figsize=(2 * size, size + 0.3), sharex=True, sharey=True)
    for ax, title, matrix in zip(axes, ("true", "estimated"), (true, estimated), strict=True):
        filled = matrix.to_numpy(dtype=float)
        look = {"cmap": ListedColormap(["#f1f3f4", INK]), "vmin": 0, "vmax": 1, "linewidths": 1, "linecolor": "white"}
        sns.heatmap(filled, ax=ax, square=True, cbar=False, xticklabels=labels, yticklabels=labels, **look)
        ax.set_title(title)
        ax.set_xlabel("source (cause)")
        ax.tick_params(axis="x", rotation=90, length=0)
        ax.tick_params(axis="y", rotation=0, length=0)
        _frame_modalities(ax, labels)
    axes[0].set_ylabel("target (effect)")
    differs = np.argwhere(true.to_numpy() != estimated.to_numpy())
    for i, j in differs:
        axes[1].add_patch(Rectangle((j + 0.06, i + 0.06), 0.88, 0.88, fill=False, edgecolor=NEGATIVE, linewidth=2.2))
    if len(differs):
        frame = Patch(fill=False, edgecolor=NEGATIVE, linewidth=2, label="differs from the truth")
        figure.legend(handles=[frame], loc="outside lower center")
    return figure


def _frame_modalities(ax: Axes, labels: list[str]) -> None:
    """Thin lines between the blocks of different modalities."""
    for k in range(1, len(labels)):
        if modality_of(labels[k]) != modality_of(labels[k - 1]):
            ax.axhline(k, color=SOFT, linewidth=0.8)
            ax.axvline(k, color=SOFT, linewidth=0.8)


@styled
def loadings_heatmap(loadings: pd.DataFrame, modality: str | None = None) -> Figure:
    """What each latent means: its rank correlation (-1 to 1) with every column of its modality.

    One panel per modality, or one alone; beside a column's name stands the share of it that all latents of its
    modality explain together (R²).  Where none is named, modalities whose columns are the latents themselves are left
    out, if there are others.

    Parameters
    ----------
    loadings : long table of modality, latent, column, loading, r2, as `MultimodalCRL.loadings` gives it.

    Raises
    ------
    InputError : for a table without these columns, or an unknown modality.
    """
    check_table("loadings", loadings, ["modality", "latent", "column", "loading", "r2"])
    names = list(dict.fromkeys(loadings["modality"]))
    if modality is not None and modality not in names:
        raise InputError("modality", f"one of {', '.join(names)}", repr(modality))
    learned = [name for name in names if not _measured(loadings[loadings["modality"] == name])]
    shown = (learned or names) if modality is None else [modality]
    tables = {name: _wide(loadings[loadings["modality"] == name]) for name in shown}
    across = min(len(tables), 2)
    down = math.ceil(len(tables) / across)
    rows = [max(len(t) for t in list(tables.values())[r * across : (r + 1) * across]) for r in range(down)]
    size = (4.6 * across, sum(0.27 * r + 0.85 for r in rows) + 0.4)
    figure, grid = plt.subplots(down, across, figsize=size, squeeze=False, height_ratios=[r + 1.5 for r in rows])
    for ax in grid.flat[len(tables) :]:
        ax.set_axis_off()
    for ax, (name, table) in zip(grid.flat, tables.items(), strict=False):
        _heatmap(ax, table, name)
    bar = figure.colorbar(grid.flat[0].collections[0], ax=grid, shrink=min(1.0, 2.2 / size[1]), aspect=12)
    bar.set_label("rank correlation")
    bar.outline.set_visible(False)
    return figure


def _measured(loadings: pd.DataFrame) -> bool:
    """Whether every latent of the modality is one of its columns."""
    itself = loadings[loadings["loading"].abs() >= ITSELF]
    return set(itself["column"]) == set(loadings["column"]) and set(itself["latent"]) == set(loadings["latent"])


def _heatmap(ax: Axes, table: pd.DataFrame, name: str) -> None:
    look = {"cmap": SIGNED, "vmin": -1, "vmax": 1, "linewidths": 1, "linecolor": "white"}
    sns.heatmap(table, ax=ax, annot=True, fmt=".2f", annot_kws={"fontsize": 8}, cbar=False, **look)
    ax.set(title=name, xlabel="latent", ylabel="")
    ax.tick_params(length=0, labelsize=8.5)
    ax.tick_params(axis="x", rotation=0)
    ax.tick_params(axis="y", rotation=0)


def _wide(loadings: pd.DataFrame) -> pd.DataFrame:
    """Columns of the modality down, its latents across, in their order."""
    latents, columns = dict.fromkeys(loadings["latent"]), dict.fromkeys(loadings["column"])
    wide = loadings.pivot(index="column", columns="latent", values="loading").loc[list(columns), list(latents)]
    shares = loadings.drop_duplicates("column").set_index("column")["r2"]
    wide = wide.rename(columns=lambda latent: latent.rsplit(".", 1)[1])
    return wide.rename(index=lambda column: f"{column}  (R² {shares[column]:.2f})")
