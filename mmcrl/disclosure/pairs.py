"""Pairs: marks whose coordinates are two values of one person each, however few they are.

Of ``n`` people ``n_x`` have the one coordinate of a mark in a column and ``n_y`` the other in another, so that by
chance somebody has both with

    p = 1 - exp(-n_x n_y / n),

and the marks that are somebody's are so by chance as often as the product of their p, for each pair of columns.  What
this does not find: a mark or two alone, and people of two coarse columns, whose values many share.
"""

from __future__ import annotations

import math
from collections import defaultdict
from itertools import combinations

import numpy as np

from mmcrl.disclosure.numbers import CHANCE
from mmcrl.disclosure.persons import Persons

__all__ = ["are_pairs"]

_MOST = 60  # marks that are looked at
_SHARED = 0.1  # of the people; a value that more of them have tells nothing
_PART = 0.6  # of the marks that must be people's


def are_pairs(points: np.ndarray, persons: Persons) -> bool:
    """Whether most of the marks (k, axes) lie, along two axes, at the values that one person has in two columns.

    >>> from mmcrl import Cohort
    >>> values = np.random.default_rng(0).normal(size=(50, 2)).round(2)
    >>> persons = Persons.of(Cohort({"a": values[:, :1], "b": values[:, 1:]}))
    >>> are_pairs(values[[3, 30, 7]], persons), are_pairs(values[[3, 30, 7]] + 0.004, persons)
    (True, False)
    """
    points = np.unique(points[np.isfinite(points).all(axis=1)][:_MOST], axis=0)
    if len(points) < 2 or not persons.columns:
        return False
    return any(_are_pairs(points[:, axes], persons) for axes in combinations(range(points.shape[1]), 2))


def _are_pairs(points: np.ndarray, persons: Persons) -> bool:
    told = points[points[:, 0] != points[:, 1]]  # on the diagonal one column is drawn against itself
    having = {float(value): _people_at(float(value), persons) for value in np.unique(told)}
    chances: dict[tuple[int, int], list[float]] = defaultdict(list)  # of the marks that are somebody's
    for along, up in told:
        for pair, chance in _columns_of(having[float(along)], having[float(up)], persons).items():
            chances[pair].append(chance)
    limit, least = math.log(CHANCE / 1000) - 2 * math.log(len(persons.columns)), max(2, _PART * len(points))
    return any(sum(of_marks) < limit for of_marks in chances.values() if len(of_marks) >= least)


def _columns_of(
    along: dict[int, np.ndarray], up: dict[int, np.ndarray], persons: Persons
) -> dict[tuple[int, int], float]:
    """Pairs of columns in which somebody has both coordinates, and the logarithm of how often that is chance."""
    found = {}
    for a, those in along.items():
        for b, others in up.items():
            if persons.names[a] != persons.names[b] and np.intersect1d(those, others).size:
                found[a, b] = math.log(-math.expm1(-len(those) * len(others) / len(persons)))
    return found


def _people_at(value: float, persons: Persons) -> dict[int, np.ndarray]:
    """Who has a value, by column, without the columns in which many have it."""
    values, people, columns = persons.lookup
    near = 1e-9 * max(1.0, abs(value))
    first, last = np.searchsorted(values, value - near), np.searchsorted(values, value + near, "right")
    numbers = np.bincount(columns[first:last], minlength=len(persons.columns))
    few = np.flatnonzero((numbers > 0) & (numbers <= max(1, _SHARED * len(persons))))
    return {int(column): people[first:last][columns[first:last] == column] for column in few}
