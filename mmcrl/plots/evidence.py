"""Evidence: how much every pair of latents knows of each other, beside what a shuffled control shows."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import SymmetricalLogLocator

from mmcrl.adjacency import confident_links
from mmcrl.errors import InputError, check_table
from mmcrl.evidence import WIDTH
from mmcrl.plots.style import INK, NEGATIVE, POSITIVE, SOFT, axes_or_new, styled

__all__ = ["evidence_plot"]

_MOST_NAMED = 24  # pairs whose names fit below the axis


@styled
def evidence_plot(
    links: pd.DataFrame,
    threshold: float = 0.005,
    controls: pd.DataFrame | None = None,
    ax: Axes | None = None,
    *,
    confidence: float = 0.5,
) -> Axes:
    """Evidence of every pair of latents (nats per person), largest first, with its 95 % interval.

    The interval is ``evidence ± 1.96 evidence_se``; the axis is linear up to the threshold and
    logarithmic beyond.  Up to 24 pairs are named, more are ranked on a logarithmic axis.

    Parameters
    ----------
    links : source, target, evidence, evidence_se, confidence, direction, rests_on, as `MultimodalCRL.links`.
    threshold : nats per person that count as a link (``smallest_effect``).
    controls : the same of a cohort with a shuffled modality, where no link is real; drawn in its own order.
    confidence : from where on a pair is drawn as claimed.

    Raises
    ------
    InputError : for a table without these columns or without a row, a threshold that is not positive, or a
        confidence outside [0, 1].
    """
    columns = ["source", "target", "evidence", "evidence_se"]
    check_table("links", links, [*columns, "confidence", "direction", "rests_on"])
    if controls is not None:
        check_table("controls", controls, columns)
    if links.empty:
        raise InputError("links", "at least one pair of latents", "none")
    if not threshold > 0:
        raise InputError("threshold", "a positive number of nats", repr(threshold))
    ax = axes_or_new(ax, 7.5, 3.8)
    ordered = links.sort_values("evidence", ascending=False, kind="stable", ignore_index=True)
    claimed = ordered.index.isin(confident_links(ordered, confidence).index)
    ranks = np.arange(1, len(ordered) + 1)
    ax.axhline(threshold, color=INK, linestyle="--", linewidth=1, label=f"smallest effect, {threshold:g} nats")
    ax.axhline(0, color=SOFT, linewidth=0.6)
    for rows, colour, label in ((claimed, POSITIVE, "claimed as a link"), (~claimed, SOFT, "not claimed")):
        if rows.any():
            _draw(ax, ranks[rows], ordered[rows], colour, label, "o")
    if controls is not None and len(controls):
        shuffled = controls.sort_values("evidence", ascending=False, kind="stable")
        _draw(ax, np.arange(1, len(shuffled) + 1) + 0.25, shuffled, NEGATIVE, "shuffled control", "D")
    ax.set_yscale("symlog", linthresh=threshold)
    decade = 10 ** np.ceil(np.log10(threshold))  # ticks nearer to 0 would cover each other
    ax.yaxis.set_major_locator(SymmetricalLogLocator(base=10, linthresh=decade))
    ax.set(ylabel="evidence (nats per person, 95 % interval)", xlabel="pairs of latents, most evidence first")
    if len(ordered) <= _MOST_NAMED:
        ax.set_xticks(ranks, [f"{a} – {b}" for a, b in zip(ordered["source"], ordered["target"], strict=True)])
        ax.tick_params(axis="x", rotation=90, labelsize=8)
    else:
        ax.set_xscale("log")
        ax.xaxis.set_major_formatter("{x:g}")
        ax.set_xlabel("rank of the pair of latents, most evidence first")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=4, fontsize=8.5, columnspacing=1.2)
    return ax


def _draw(ax: Axes, ranks: np.ndarray, rows: pd.DataFrame, colour: str, label: str, marker: str) -> None:
    ax.errorbar(
        ranks,
        rows["evidence"],
        yerr=WIDTH * rows["evidence_se"],
        fmt=marker,
        color=colour,
        markersize=4,
        elinewidth=1.2 if len(rows) <= 4 * _MOST_NAMED else 0.4,
        label=label,
    )
