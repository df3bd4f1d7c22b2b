"""Together: which modalities the same people have, pattern by pattern, no pattern of a few people shown."""

from __future__ import annotations

from collections import Counter

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mmcrl.cohort import Cohort
from mmcrl.errors import check_instance
from mmcrl.plots.style import POSITIVE, SOFT, styled

__all__ = ["modalities_together", "patterns", "rounded"]

_MOST = 12  # patterns that are shown apart
_OTHERS = "others"


@styled
def modalities_together(cohort: Cohort) -> Figure:
    """How many people have which modalities together: a bar per pattern, and below it the modalities it is made of.

    Counts are rounded to multiples of the cohort's minimum, so that none under it can be had by subtraction.
    Patterns of fewer people are pooled, together with the smallest others until the pool has enough.

    Raises
    ------
    InputError : for what is no cohort.

    >>> eyes = np.r_[np.ones((60, 1)), np.full((40, 1), np.nan)] * np.arange(100)[:, None]
    >>> figure = modalities_together(Cohort({"blood": np.arange(100.0)[:, None], "eye": eyes}))
    >>> [int(bar.get_height()) for bar in figure.axes[0].patches]
    [60, 40]
    """
    check_instance("cohort", cohort, Cohort)
    minimum = cohort.minimum
    shown, pooled = patterns(cohort)
    columns = [*shown, *([None] if pooled else [])]
    heights = [float(rounded(count, minimum)) for count in [*shown.values(), *([pooled] if pooled else [])]]
    names = cohort.names
    size = (0.5 * max(len(columns), 4) + 2.4, 0.24 * len(names) + 2.4)
    figure, (top, below) = plt.subplots(
        2, 1, figsize=size, sharex=True, gridspec_kw={"height_ratios": [1.8, 0.24 * len(names) + 0.2]}
    )
    places = np.arange(len(columns))
    top.bar(places, heights, width=0.66, color=[POSITIVE if pattern else SOFT for pattern in columns], alpha=0.85)
    for x, height in zip(places, heights, strict=True):
        top.annotate(f"{height:,.0f}", (x, height), (0, 2), textcoords="offset points", ha="center", fontsize=8)
    top.set_ylabel(f"people, to the nearest {minimum}" if minimum > 1 else "people", fontsize=9)
    top.tick_params(axis="x", length=0, labelbottom=False)
    for column, pattern in enumerate(columns):
        for y in range(len(names)):
            has = pattern is not None and pattern[y]
            colour, alpha = (POSITIVE, 0.85) if has else (SOFT, 0.15)
            below.add_patch(Rectangle((column - 0.33, y - 0.36), 0.66, 0.72, linewidth=0, color=colour, alpha=alpha))
    if pooled:
        below.text(len(columns) - 1, len(names) / 2 - 0.5, _OTHERS, rotation=90, ha="center", va="center", fontsize=9)
    below.set_yticks(range(len(names)), names)
    below.set_ylim(len(names) - 0.5, -0.5)
    below.set_xlim(-0.6, max(len(columns), 1) - 0.4)
    below.tick_params(length=0, labelbottom=False)
    below.spines[:].set_visible(False)
    return figure


def patterns(cohort: Cohort) -> tuple[dict[tuple[bool, ...], int], int]:
    """The commonest patterns of modalities with their people, most first, and the people of all others."""
    measured = np.column_stack([cohort[name].measured for name in cohort.names])
    ordered = Counter(tuple(bool(has) for has in row) for row in measured).most_common()
    shown = [each for each in ordered[:_MOST] if each[1] >= cohort.minimum]
    pooled = len(cohort) - sum(count for _, count in shown)
    while shown and 0 < pooled < cohort.minimum:
        pooled += shown.pop()[1]
    return dict(shown), pooled if pooled >= cohort.minimum else 0


def rounded(count: int, minimum: int) -> int:
    """A count to the nearest multiple of the minimum; 0 under it.

    >>> rounded(9, 10), rounded(14, 10), rounded(1236, 10)
    (0, 10, 1240)
    """
    return 0 if count < minimum else max(minimum, minimum * int(count / minimum + 0.5))
