"""Bars: heights of bars, levels of steps and cells of meshes that count people, some of them too few.

They do where an axis or a title says so, or where all of them add up to a number of the cohort's people, whatever an
axis says, unless it names shares or other things than people.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from mmcrl.disclosure.counts import OF_THINGS, PEOPLE
from mmcrl.disclosure.finding import Rules
from mmcrl.disclosure.numbers import is_even
from mmcrl.disclosure.persons import Persons

__all__ = ["small_counts"]

_WHOM = re.compile(rf"\b{PEOPLE}\b", re.I)
_AXIS = re.compile(r"count|frequency|number of|^n$", re.I)
_TITLE = re.compile(rf"\b(?:number|counts?) of {PEOPLE}\b", re.I)
_SHARE = re.compile(r"%|share|per |Hz")
_LEAST = 30  # people; fewer are what other numbers add up to as well


def small_counts(label: str, heights: np.ndarray, texts: Sequence[str], persons: Persons, rules: Rules) -> int:
    """How many of these heights or cells count fewer people than the minimum.

    Parameters
    ----------
    label : what the axis along which they stand says
    heights : of one set of bars, or all cells of one mesh, whatever its shape
    texts : titles and other words of the figure
    """
    counts = heights[np.isfinite(heights)]
    whole = counts[(counts >= 0) & (counts == np.round(counts))]
    if not _says_people(label, whole, texts) and (len(whole) < len(counts) or not _are_all(label, whole, persons)):
        return 0
    return int(((whole > 0) & (whole < rules.minimum)).sum())


def _says_people(label: str, heights: np.ndarray, texts: Sequence[str]) -> bool:
    """Whether heights count people, as their axis says, or a title where it says nothing.

    >>> [_says_people(label, np.array([3.0]), []) for label in ("people", "number of links", "% of people", "count")]
    [True, False, False, True]
    """
    if label:
        named = _WHOM.search(label) or (_AXIS.search(label) and not OF_THINGS.search(label))
        return bool(named) and not _SHARE.search(label)
    return len(np.unique(heights)) > 1 and any(map(_TITLE.search, texts))


def _are_all(label: str, counts: np.ndarray, persons: Persons) -> bool:
    """Whether whole numbers are the cohort's people, sorted into groups; zeros and ones alone are marks of cells."""
    if len(counts) < 2 or counts.max() < 2 or (is_even(counts, 1e-9) and len(counts) > 2):
        return False
    told = _SHARE.search(label) or (OF_THINGS.search(label) and not _WHOM.search(label))
    return not told and int(counts.sum()) in {size for size in persons.sizes if size >= _LEAST}
