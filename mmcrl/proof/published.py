"""Published: what papers report, from ``data/published.csv``, each number with its source."""

from __future__ import annotations

import pandas as pd

from mmcrl.runner.project import Project

__all__ = ["published_numbers"]


def published_numbers(project: Project | None = None, method: str | None = "Sun et al.") -> pd.DataFrame:
    """Published MCC and R2 of a method (None: of all) by world; columns world, method, mcc, r2, source.

    The authors' generators are not published in full, so worlds of this package are rebuilt after the description.
    """
    table = pd.read_csv((project or Project.find()).data / "published.csv")
    return table if method is None else table[table["method"] == method].reset_index(drop=True)
