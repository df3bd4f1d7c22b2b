"""Order: values of people in the order of their size: successive ones of a sorted list, the lowest and the highest.

Ties are kept: a list is somebody's when as many have each value as in the cohort.  Let ``k`` of its values range over
``S`` places, and lie between two values of one of ``c`` columns that are as many people apart.  As others would lie
between these in ``binom(S + k - 3, k - 2)`` ways, it does so by chance

    c * min(1, k / S)^2 / binom(S + k - 3, k - 2)

of the times.  Equal steps are places on an axis, and nobody's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from mmcrl.disclosure.numbers import CHANCE, Number, is_even
from mmcrl.disclosure.persons import Persons

__all__ = ["are_extremes", "is_ordered"]

_LEAST = 5  # values; fewer are a table's quartiles


def is_ordered(cells: Sequence[Number | None], persons: Persons) -> bool:
    """Whether these are five or more numbers, whatever their order, and successive values of a sorted column.

    >>> from mmcrl import Cohort
    >>> from mmcrl.disclosure.numbers import numbers
    >>> glucose = np.array([4.11, 4.25, 4.25, 4.62, 5.87, 7.3])
    >>> persons = Persons.of(Cohort({"a": glucose[:, None], "b": np.eye(6)}))
    >>> is_ordered(numbers(["4.11", "4.25", "4.25", "4.62", "5.87"]), persons)
    True
    >>> is_ordered(numbers(["4.11", "4.25", "4.62", "5.87", "7.30"]), persons)  # where is the other 4.25?
    False
    """
    found = sorted(cell for cell in cells if cell is not None)
    if len(found) < max(_LEAST, len(cells)) or found[0][0] == found[-1][0]:
        return False
    value, half = np.array(found).T
    if is_even(value, 1e-6):
        return False
    near, unit = half * (1 + 1e-9) + 1e-12 * np.abs(value), 2 * float(np.median(half))
    limit = math.log(CHANCE / 10) - math.log(max(len(persons.ranked), 1))
    return any(
        _are_successive(value, near, persons.ranked[column])
        and _chance(value, max(unit, persons.resolutions[column])) < limit
        for column in _columns_of_the_rarest(value, near, persons)
    )


def _columns_of_the_rarest(value: np.ndarray, near: np.ndarray, persons: Persons) -> np.ndarray:
    """The columns that hold the one of the values (k,) that the fewest people have, each within its ``near`` (k,)."""
    values, _, columns = persons.lookup
    first, last = np.searchsorted(values, value - near), np.searchsorted(values, value + near, "right")
    rarest = int((last - first).argmin())
    return np.unique(columns[first[rarest] : last[rarest]])


def _are_successive(value: np.ndarray, near: np.ndarray, ranked: np.ndarray) -> bool:
    """Whether ascending values (k,) stand one after the other in ``ranked`` (n,), each within its ``near`` (k,)."""
    places = np.arange(len(value))
    first = np.searchsorted(ranked, value - near) - places
    last = np.searchsorted(ranked, value + near, "right") - places
    return bool(max(first.max(), 0) < min(last.min(), len(ranked) - len(value) + 1))


def _chance(value: np.ndarray, unit: float) -> float:
    """Logarithm of how often others lie between the first and the last of ascending values (k,) as these do."""
    k, places = len(value), round(min((value[-1] - value[0]) / unit, 1e15)) + 1
    ways = math.lgamma(places + k - 2) - math.lgamma(k - 1) - math.lgamma(places)
    return 2 * math.log(min(1.0, k / places)) - ways


def are_extremes(values: np.ndarray, within: tuple[float, float], persons: Persons) -> bool:
    """Whether the values (k,) beyond two others are all that a column has beyond them, and these are of it too."""
    low, high = within
    below, above = np.sort(values[values < low]), np.sort(values[values > high])
    if len(below) + len(above) < max(len(values), 1):
        return False
    expected = np.concatenate([below, [low, high], above])
    for ranked in persons.ranked:
        if len(ranked) > len(expected):
            told = np.concatenate([ranked[: len(below) + 1], ranked[len(ranked) - len(above) - 1 :]])
            if (np.abs(told - expected) <= 1e-9 * np.abs(expected)).all():
                return True
    return False
