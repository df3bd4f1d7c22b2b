"""Published: what papers report, from ``data/published.csv``, each number with its source."""

from __future__ import annotations

import pandas as pd

from mmcrl.runner.project import Project

__all__ = ["published_numbers"]


def published_numbers(project: Project | None = None) -> pd.DataFrame:
    """Published MCC and R2 by world, where there is one; columns world, method, mcc, r2, source.

    The authors' generators are not published in full, so worlds of this package are rebuilt after the description.
    """
    return pd.read_csv((project or Project.find()).data / "published.csv")
