"""Scaled: values of successive people in another unit, as an image of z-scores, or of columns from 0 to 1, has them.

Whatever the unit and offset, how one difference between neighbours compares with the next stays the same.  What this
does not find: people in another order, and values that were rounded afterwards.
"""

from __future__ import annotations

import numpy as np

from mmcrl.disclosure.persons import Persons
from mmcrl.disclosure.sequences import compared

__all__ = ["is_scaled_run"]

_LEAST = 10  # successive differences that are compared
_VARIED = 7  # of these told apart; fewer may be anybody's
_NEAR = 1e-5  # as exact as single precision is


def is_scaled_run(values: np.ndarray, persons: Persons) -> bool:
    """Whether numbers (k,) have the values of a dozen successive people in another unit, in their order or backwards.

    >>> from mmcrl import Cohort
    >>> values = np.random.default_rng(0).normal(size=(50, 2)).round(2)
    >>> persons = Persons.of(Cohort({"a": values[:, :1], "b": values[:, 1:]}))
    >>> is_scaled_run(7 - values[10:30, 1] / 3, persons), is_scaled_run(values[10:30].sum(1), persons)
    (True, False)
    """
    for view in (values, values[::-1]):
        told = compared(view)
        for start in range(0, len(told) - _LEAST + 1, 3):
            part = told[start : start + _LEAST]
            if not np.isfinite(part).all() or len(np.unique(part.round(6))) < _VARIED:
                continue
            if persons.differences.holds(part, _NEAR * np.maximum(1.0, np.abs(part))):
                return True
    return False
