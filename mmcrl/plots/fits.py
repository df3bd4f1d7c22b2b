"""Fits: how training went, how close the recovered latents come to the truth, and how methods compare."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from scipy.stats import spearmanr

from mmcrl.errors import InputError, check_table
from mmcrl.plots.style import INK, LEAST_PEOPLE, POSITIVE, SOFT, axes_or_new, check_rows, styled

__all__ = ["dimension_losses", "recovery_density", "score_intervals", "training_curve"]


@styled
def recovery_density(
    true: pd.DataFrame, estimated: pd.DataFrame, matching: Mapping[str, str], minimum: int = LEAST_PEOPLE
) -> Figure:
    """How many people of a simulated world lie where, for every true latent and its estimate.

    One panel per matched pair, both standardised; cells with fewer than ``minimum`` people stay blank.  A narrow
    monotone band is a recovered latent, a cloud a mixed one.  The rank correlation stands above.

    Parameters
    ----------
    true, estimated : latents, columns (modality, latent), the same people.
    matching : true name to estimated name, as `metrics.match` gives it.

    Raises
    ------
    InputError : for people that differ, a minimum below 10, an empty matching, or a name that is in neither table.
    """
    if not true.index.equals(estimated.index):
        raise InputError("estimated", f"the {len(true)} people of true, in their order", f"{len(estimated)} others")
    if minimum < LEAST_PEOPLE:
        raise InputError("minimum", f"at least {LEAST_PEOPLE} people", repr(minimum))
    if not matching:
        raise InputError("matching", "at least one pair of latents", "none")
    pairs = {t: _pair(true, estimated, t, e) for t, e in matching.items()}
    across = min(len(pairs), 4)
    down = math.ceil(len(pairs) / across)
    figure, grid = plt.subplots(down, across, figsize=(2.5 * across + 0.9, 2.5 * down + 0.3), squeeze=False)
    counts = {t: _counts(*values, minimum) for t, values in pairs.items()}
    most = max(float(np.nanmax(count, initial=minimum)) for count, _, _ in counts.values())
    for ax in grid.flat[len(pairs) :]:
        ax.set_axis_off()
    for ax, t in zip(grid.flat, pairs, strict=False):
        count, x, y = counts[t]
        mesh = ax.pcolormesh(x, y, count.T, cmap="crest", vmin=minimum, vmax=most, rasterized=True)
        rho = spearmanr(*pairs[t]).statistic
        ax.set(title=f"ρ = {rho:.2f}", xlabel=f"true {t} (SD)", ylabel=f"estimated {matching[t]} (SD)")
    figure.colorbar(mesh, ax=grid, label=f"people in a cell, {minimum} or more", aspect=25)
    return figure


def _pair(true: pd.DataFrame, estimated: pd.DataFrame, t: str, e: str) -> tuple[np.ndarray, np.ndarray]:
    """Both latents (n,), standardised, of the people who have both."""
    values = np.column_stack([_latent("true", true, t), _latent("estimated", estimated, e)])
    values = values[~np.isnan(values).any(1)]
    values = (values - values.mean(0)) / values.std(0)
    return values[:, 0], values[:, 1]


def _latent(argument: str, table: pd.DataFrame, name: str) -> np.ndarray:
    columns = {f"{column[0]}.{column[1]}": column for column in table.columns}
    if name not in columns:
        raise InputError(argument, f"a latent called {name}", f"only {', '.join(columns)}")
    return table[columns[name]].to_numpy(dtype=float)


def _counts(x: np.ndarray, y: np.ndarray, minimum: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """People per cell (b, b), NaN below the minimum, and the edges; cells widen where people are few."""
    cells = int(np.clip(np.sqrt(len(x) / (2 * minimum)), 5, 40))
    span = [(float(np.quantile(v, 0.005)), float(np.quantile(v, 0.995))) for v in (x, y)]
    count, along, up = np.histogram2d(x, y, bins=cells, range=span)
    return np.where(count < minimum, np.nan, count), along, up


@styled
def training_curve(history: pd.DataFrame, chosen: int | None = None, ax: Axes | None = None) -> Axes:
    """Held-out loss (nats, lower is better) of every start, and the training loss as a thin dotted line.

    Parameters
    ----------
    history : start, step, train_loss, held_out_loss, as `MultimodalCRL.history`.
    chosen : the start that was kept (``model.report["chosen_start"]``), drawn strongly.

    Raises
    ------
    InputError : for a table without these columns, or a chosen start that is not in it.
    """
    check_table("history", history, ["start", "step", "train_loss", "held_out_loss"])
    starts = list(dict.fromkeys(history["start"]))
    if chosen is not None and chosen not in starts:
        raise InputError("chosen", f"one of the starts {starts}", repr(chosen))
    ax = axes_or_new(ax, 6.5, 3.4)
    for start, rows in history.groupby("start", sort=False):
        kept = start == chosen
        colour, width = (POSITIVE, 2.4) if kept else (SOFT, 1.2)
        label = f"start {start}, {'kept' if kept else 'held out'}"
        order = 4 if kept else 2
        ax.plot(rows["step"], rows["held_out_loss"], color=colour, linewidth=width, label=label, zorder=order)
        training = f"start {start}, training" if kept or (chosen is None and start == starts[0]) else None
        ax.plot(rows["step"], rows["train_loss"], ":", color=colour, linewidth=1, label=training, zorder=order)
    ax.set(xlabel="optimiser step", ylabel="contrastive loss (nats)")
    ax.legend(fontsize=8.5)
    return ax


@styled
def score_intervals(
    table: pd.DataFrame,
    floor_mean: float,
    floor_q95: float,
    ceiling: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """MCC of methods: the mean over their runs and the span from worst to best, beside what chance reaches.

    Parameters
    ----------
    table : method, mcc; one row per run.
    floor_mean, floor_q95 : MCC of right blocks with a random rotation inside (`metrics.floor`), drawn as a band.
    ceiling : MCC of a method that sees the truth.

    Raises
    ------
    InputError : for a table without these columns, or without a row.
    """
    check_rows("table", table, ["method", "mcc"])
    runs = table.groupby("method", sort=False)["mcc"].agg(["mean", "min", "max", "size"])
    ax = axes_or_new(ax, 6.8, 0.42 * len(runs) + 1.5)
    ax.axvspan(floor_mean, floor_q95, color=SOFT, alpha=0.22, linewidth=0, label="chance: mean to 95 %")
    if ceiling is not None:
        ax.axvline(ceiling, color=INK, linestyle="--", linewidth=1.2, label="ceiling: sees the truth")
    rows = np.arange(len(runs))
    ax.hlines(rows, runs["min"], runs["max"], color=POSITIVE, linewidth=4, alpha=0.45, label="worst to best run")
    ax.plot(runs["mean"], rows, "o", color=POSITIVE, markersize=7, markeredgecolor="white", label="mean")
    names = [f"{name} ({n} run{'s' if n > 1 else ''})" for name, n in zip(runs.index, runs["size"], strict=True)]
    ax.set_yticks(rows, names)
    ax.set_ylim(len(runs) - 0.5, -0.5)
    ax.set_xlim(max(0.0, min(runs["min"].min(), floor_mean) - 0.05), 1.01)
    ax.set_xlabel("mean rank correlation with the truth (MCC, 0 to 1)")
    ax.grid(axis="x", color=SOFT, alpha=0.25, linewidth=0.8)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=4, fontsize=8.5, handlelength=1.4, columnspacing=1.2)
    return ax


@styled
def dimension_losses(
    tried: Mapping[str, Sequence[Sequence[float]]], chosen: Mapping[str, int], ax: Axes | None = None
) -> Axes:
    """What every number of dimensions loses on held-out people, from 1 for none to 0 for the best; the chosen marked.

    Parameters
    ----------
    tried : per line pairs of number and loss, fewest first, such as ``report["private_tried"]`` of a model has them.
    chosen : the number that was chosen of each.

    Raises
    ------
    InputError : for no line, or a chosen number that was not tried.
    """
    if not tried:
        raise InputError("tried", "at least one line", "none")
    ax = axes_or_new(ax, 6.8, 3.0)
    colours = sns.color_palette("viridis", len(tried) + 1)[:-1]
    for (name, pairs), colour in zip(tried.items(), colours, strict=True):
        numbers, losses = np.array(pairs, dtype=float).T
        if chosen.get(name) not in numbers:
            raise InputError("chosen", f"for {name} one of {numbers.astype(int).tolist()}", repr(chosen.get(name)))
        share = (losses - losses.min()) / max(losses[0] - losses.min(), 1e-12)
        ax.plot(numbers, share, "-o", color=colour, markersize=3.5, linewidth=1.4, label=name)
        ax.plot(chosen[name], share[numbers == chosen[name]], "o", mfc="none", mec=INK, markersize=10, mew=1.3)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(xlabel="private dimensions (the chosen number ringed)", ylabel="loss: none = 1, best = 0")
    ax.legend(fontsize=8.5)
    return ax
