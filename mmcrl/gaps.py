"""Gaps that are tied to who people are: columns that were measured only of some sort of people.

Of a column that a share of the people lack who have others of its modality, and a column x of another modality,

    AUC = P(x of one who lacks it > x of one who has it),        tie = max(AUC, 1 - AUC).

What a gap hides is expected from the columns that are there, so all who lack the column look alike in it.  Where only
the young lack it, a latent of that column would say who is young: a link that is nothing but the plan of the study.
As a modality of its own, or a column of an observed one, it is simply not known of them.
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
from scipy.stats import mannwhitneyu

from mmcrl.cohort import Cohort
from mmcrl.modality import Modality

__all__ = ["TiedGap", "tied_gaps", "warn_of_gaps"]

_SHARE = 0.1  # of a modality's people who lack a column, from which on it is looked at
_TIE = 0.8  # 0.5: no tie; of ages with and without a measurement that is left out at random, 0.5 to 0.6
_FEWEST = 30  # people on either side


class TiedGap(NamedTuple):
    """A column, the share of its modality's people who lack it, what that goes with most, and how closely."""

    modality: str
    column: str
    share: float
    other: str  # modality.column
    more: bool  # whether those who lack it have more of the other
    tie: float

    def __str__(self) -> str:
        more = "high" if self.more else "low"
        return (
            f"{self.share:.0%} of the people of {self.modality} lack {self.column}, mostly those {more} in "
            f"{self.other}: give it a modality of its own, or who has it will look like a link"
        )


def tied_gaps(cohort: Cohort) -> list[TiedGap]:
    """The columns of tables whose gaps go with a column of another modality, most of all with the one that is told.

    None of an observed modality: what is missing there is not expected from other columns.

    >>> age = np.arange(20.0, 80.0).repeat(5)
    >>> scan = np.where(age < 60, age % 7, np.nan)  # of people below 60
    >>> clinic = Cohort.from_arrays({"who": age[:, None], "body": np.column_stack([age % 11, scan])})
    >>> [(gap.column, gap.other, gap.more, gap.tie) for gap in tied_gaps(clinic)]
    [('c1', 'who.c0', True, 1.0)]
    """
    tables = {name: modality for name, modality in cohort.modalities.items() if len(modality.shape) == 2}
    found, ties = [], dict[tuple[str, bytes], TiedGap | None]()
    for name, modality in tables.items():
        if modality.kind == "observed":
            continue
        measured = modality.measured
        for column, cells in zip(modality.names, modality.values.T, strict=True):
            absent = np.isnan(cells) & measured
            gap = name, absent.tobytes()  # columns of one examination have the same gaps
            if gap not in ties:
                rest = {other: table for other, table in tables.items() if other != name}
                ties[gap] = _closest(name, column, absent, measured & ~absent, rest)
            if (tie := ties[gap]) is not None:
                found.append(tie._replace(column=column))
    return found


def warn_of_gaps(cohort: Cohort) -> None:
    """A `UserWarning` for every one of `tied_gaps`."""
    for gap in tied_gaps(cohort):
        warnings.warn(str(gap), UserWarning, stacklevel=3)


def _closest(
    name: str, column: str, absent: np.ndarray, present: np.ndarray, tables: dict[str, Modality]
) -> TiedGap | None:
    """The closest tie of a gap, if it is one."""
    share = float(absent.sum() / max(absent.sum() + present.sum(), 1))
    if not _SHARE <= share < 1:
        return None
    closest = None
    for other, modality in tables.items():
        for label, x in zip(modality.names, modality.values.T, strict=True):
            auc = _auc(x[absent], x[present])
            if (tie := max(auc, 1 - auc)) >= (_TIE if closest is None else closest.tie):
                closest = TiedGap(name, column, share, f"{other}.{label}", auc > 0.5, tie)
    return closest


def _auc(one: np.ndarray, other: np.ndarray) -> float:
    """P(a value of the first > one of the second), ties counted half; one half where few have a value."""
    one, other = one[~np.isnan(one)], other[~np.isnan(other)]
    n, m = len(one), len(other)
    if min(n, m) < _FEWEST:
        return 0.5
    return float(mannwhitneyu(one, other, method="asymptotic").statistic / (n * m))
