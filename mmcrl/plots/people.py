"""People: who of a cohort was measured in which modality, as shares only."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from mmcrl.cohort import Cohort
from mmcrl.errors import check_instance
from mmcrl.plots.style import POSITIVE, SOFT, axes_or_new, styled

__all__ = ["cohort_overview"]


@styled
def cohort_overview(cohort: Cohort, ax: Axes | None = None) -> Axes:
    """Share of the people (per cent) measured in each modality, with its number of columns.

    A group of fewer people than the cohort's minimum, measured or not, is named as such and its size is not drawn.

    Raises
    ------
    InputError : for what is no cohort.
    """
    check_instance("cohort", cohort, Cohort)
    summary, n, minimum = cohort.summary(), len(cohort), cohort.minimum
    ax = axes_or_new(ax, 7.5, 0.34 * len(summary) + 1.1)
    rows = np.arange(len(summary))
    told = [_told(int(people), n, minimum) for people in summary["people"]]
    ax.barh(rows, 100, color=SOFT, alpha=0.15, height=0.62)
    ax.barh(rows, [share for share, _ in told], color=POSITIVE, alpha=0.85, height=0.62)
    for row, (_, text) in zip(rows, told, strict=True):
        ax.annotate(text, (100, row), (6, 0), textcoords="offset points", va="center", fontsize=9)
    names = [f"{name} ({columns})" for name, columns in summary["columns"].items()]
    ax.set_yticks(rows, names)
    ax.set_ylim(len(summary) - 0.5, -0.5)
    ax.set_xlim(0, 100)
    people = f"{n:,} people" if n >= minimum else f"fewer than {minimum} people"
    ax.set(xlabel=f"measured (% of {people})", ylabel="modality (columns)")
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    return ax


def _told(people: int, n: int, minimum: int) -> tuple[float, str]:
    """Length of the bar (per cent), and what is written beside it."""
    if people < minimum:
        return 0.0, f"fewer than {minimum}"
    if 0 < n - people < minimum:
        return 100.0, f"all but fewer than {minimum}"
    return 100 * people / n, f"{people:,}"
