"""Tables: what pages show of a sweep: seeds and spread, floor and ceiling, cost, and published numbers beside."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from mmcrl.proof.study import NONE

__all__ = [
    "MARGIN",
    "above",
    "by_world",
    "exponent",
    "shown",
    "start_choices",
    "start_gaps",
    "summary",
    "with_published",
]

MARGIN = 0.02  # of MCC, within which a start is as good as the best

_Column = Callable[[pd.DataFrame], str]


def _spread(name: str, form: str, worst: str) -> _Column:
    """``median (worst)`` of a column."""

    def cell(rows: pd.DataFrame) -> str:
        if name not in rows or rows[name].isna().all():
            return NONE
        values = rows[name]
        return f"{format(values.median(), form)} ({format(getattr(values, worst)(), form)})"

    return cell


def _middle(name: str, form: str) -> _Column:
    def cell(rows: pd.DataFrame) -> str:
        return NONE if name not in rows or rows[name].isna().all() else format(rows[name].median(), form)

    return cell


def _floor(rows: pd.DataFrame) -> str:
    return f"{rows['floor_mean'].median():.3f} ({rows['floor_q95'].median():.3f})"


def above(rows: pd.DataFrame) -> str:
    """How many of the fits have an MCC above the floor's 95 %, such as "2 of 3"."""
    return f"{int((rows['mcc'] > rows['floor_q95']).sum())} of {len(rows)}"


def _angle(rows: pd.DataFrame) -> str:
    return f"{rows['angle_median'].median():.1f} ({rows['angle_worst'].max():.1f})"


_SCORES: Mapping[str, _Column] = {
    "MCC": _spread("mcc", ".3f", "min"),
    "floor (95 %)": _floor,
    "above it": above,
    "ceiling": _middle("ceiling_mcc", ".3f"),
    "R²": _spread("r2", ".3f", "min"),
    "angle (°)": _angle,
    "SHD": _spread("shd_cross", ".0f", "max"),
    "seconds": _spread("seconds", ".0f", "max"),
    "MB": _middle("peak_mb", ".0f"),
}


def summary(table: pd.DataFrame, by: str | list[str], without: tuple[str, ...] = ()) -> pd.DataFrame:
    """One row per group of ``by``, in the table's order: medians over seeds, the worst of them in brackets.

    ``above it`` counts the seeds whose MCC exceeds the floor's 95 %.  The angle is the median over latents and seeds,
    and the worst latent of the worst seed; SHD counts links between modalities, without their direction; MB is the
    peak of the whole process.
    """
    columns = {title: cell for title, cell in _SCORES.items() if title not in without}
    made = {}
    for key, rows in table.groupby(by, sort=False):
        made[key] = {title: cell(rows) for title, cell in columns.items()}
    return pd.DataFrame(made).T


def by_world(table: pd.DataFrame, published: pd.DataFrame | None = None) -> pd.DataFrame:
    """`summary` by world; published numbers, of the authors' own worlds, stand beside ours."""
    rows = summary(table, "world").rename_axis(index=None, columns="rebuilt world")
    return rows if published is None else with_published(rows, published.set_index("world"))


def with_published(rows: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """`summary` with the published mcc and r2 of its rows' names beside ours, a dash where there are none."""
    beside = published.reindex(rows.index)
    for title, column in (("MCC", "mcc"), ("R²", "r2")):
        texts = [NONE if pd.isna(v) else f"{v:.2f}" for v in beside[column]]
        rows.insert(list(rows.columns).index(title) + 1, f"published {title}", texts)
    return rows


def start_gaps(table: pd.DataFrame) -> pd.Series:
    """Whether the start that was kept, without labels, is within `MARGIN` of the MCC of the best start of its fit."""
    return table["start_gap"].dropna() <= MARGIN


def start_choices(table: pd.DataFrame) -> pd.DataFrame:
    """What the choice among starts cost in MCC, by world."""
    gaps = table.groupby("world", sort=False)["start_gap"]
    made = {"MCC lost, median": gaps.median().map("{:.3f}".format), "worst": gaps.max().map("{:.3f}".format)}
    small = start_gaps(table).groupby(table["world"], sort=False).sum()
    made["choices within the margin"] = small.astype(int).astype(str) + " of " + gaps.count().astype(str)
    return pd.DataFrame(made)


def exponent(table: pd.DataFrame, along: str, measure: str) -> float:
    """Slope of a measure against a size, both as logarithms: 1 is in proportion; NaN with fewer than two sizes.

    >>> round(exponent(pd.DataFrame({"n": [10, 100, 1000], "s": [2.0, 20.0, 200.0]}), "n", "s"), 6)
    1.0
    """
    if table[along].nunique() < 2:
        return math.nan
    return float(np.polyfit(np.log(table[along]), np.log(table[measure].clip(lower=1e-2)), 1)[0])


def shown(table: pd.DataFrame, forms: Mapping[str, str], titles: Mapping[str, str]) -> pd.DataFrame:
    """These columns of a table as texts, under these titles."""

    def cell(value: Any, form: str) -> str:
        return NONE if pd.isna(value) else format(value, form)

    texts = {title: [cell(v, forms.get(name, "")) for v in table[name]] for name, title in titles.items()}
    return pd.DataFrame(texts, index=table.index)
