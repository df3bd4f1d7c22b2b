"""Pairs: marks whose coordinates are two values of one person each, however few they are.

A column that was measured in steps of ``u`` from ``low`` to ``high`` has ``G = 1 + (high - low) / u`` places.  Of
the ``G_a G_b`` places of two columns the ``c`` different pairs that people have are a share ``p = c / (G_a G_b)``, so
that ``h`` of ``k`` marks lie at people's by chance

    binom(k, h) p^h

of the times, for each pair of columns.  What this does not find: a single mark, and people of two coarse columns,
whose places are all taken.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from itertools import combinations

import numpy as np

from mmcrl.disclosure.numbers import CHANCE
from mmcrl.disclosure.persons import Persons

__all__ = ["are_pairs"]

_MOST = 60  # marks that are looked at
_SHARED = 0.2  # of the people; a value that more of them have tells little
_PART = 0.6  # of the marks that must be people's


def are_pairs(points: np.ndarray, persons: Persons) -> bool:
    """Whether most of the marks (k, axes) lie, along two axes, at the values that one person has in two columns.

    >>> from mmcrl import Cohort
    >>> values = np.random.default_rng(0).normal(size=(50, 2)).round(2)
    >>> persons = Persons.of(Cohort({"a": values[:, :1], "b": values[:, 1:]}))
    >>> are_pairs(values[[3, 30, 7]], persons), are_pairs(values[[3, 30, 7]] + 0.004, persons)
    (True, False)
    """
    points = points[np.isfinite(points).all(axis=1)][:_MOST]
    if len(points) < 2 or not persons.columns:
        return False
    return any(_are_pairs(points[:, axes], persons) for axes in combinations(range(points.shape[1]), 2))


def _are_pairs(points: np.ndarray, persons: Persons) -> bool:
    held = Counter(found for point in np.unique(points, axis=0) for found in _columns_of(point, persons))
    k, asked = len(np.unique(points, axis=0)), len(persons.columns) ** 2
    for (a, b), hits in held.items():
        if hits < max(2, _PART * k):
            continue
        ways = math.lgamma(k + 1) - math.lgamma(hits + 1) - math.lgamma(k - hits + 1)
        if ways + hits * math.log(_share(a, b, persons)) < math.log(CHANCE / 1000) - math.log(asked):
            return True
    return False


def _columns_of(point: np.ndarray, persons: Persons) -> set[tuple[int, int]]:
    """Pairs of columns in which somebody has both coordinates (2,) of a point."""
    (along, up), found = (_people_at(value, persons) for value in point), set[tuple[int, int]]()
    for person in along.keys() & up.keys():
        found |= {(a, b) for a in along[person] for b in up[person] if a != b}
    return found


def _people_at(value: float, persons: Persons) -> dict[int, list[int]]:
    """Who has a value, and in which columns; nobody where many have it."""
    values, people, columns = persons.lookup
    near = 1e-9 * max(1.0, abs(value))
    first, last = np.searchsorted(values, value - near), np.searchsorted(values, value + near, "right")
    found: dict[int, list[int]] = defaultdict(list)
    several = Counter(columns[first:last].tolist())
    for person, column in zip(people[first:last].tolist(), columns[first:last].tolist(), strict=True):
        if several[column] <= _SHARED * len(persons):
            found[person].append(column)
    return found


def _share(a: int, b: int, persons: Persons) -> float:
    """The share of the places of two columns at which somebody is."""
    names = list(persons.columns)
    both = np.column_stack([persons.columns[names[a]], persons.columns[names[b]]])
    pairs = len(np.unique(both[~np.isnan(both).any(axis=1)], axis=0))
    places = 1.0
    for column in (a, b):
        ranked, step = persons.ranked[column], persons.resolutions[column]
        places *= 1 + (ranked[-1] - ranked[0]) / step if step > 0 else 1.0
    return min(1.0, max(pairs, 1) / places)
