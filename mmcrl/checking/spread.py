"""Spread: where the values of a column lie, told only by what at least ``minimum`` people share.

With the values in ascending order x_1 .. x_n and m the minimum, a span rests on x_m and x_(n-m+1), at or beyond which
at least m people are, goes on by their distance on either side, and is rounded outward: the least and the greatest
value, which are one person's, do not enter.
"""

from __future__ import annotations

import math

import numpy as np

__all__ = [
    "MOST_CODES",
    "codes",
    "fits",
    "is_code",
    "is_defined",
    "is_skewed",
    "present",
    "shared",
    "skewness",
    "span",
]

_CODES = {float(f"{sign}{digit * times}") for sign in ("", "-") for digit in "6789" for times in range(1, 6)} | {-1.0}
_BENT = 1.5  # skewness from which on a transform is proposed
MOST_CODES = 4  # missing codes of one column


def present(values: np.ndarray) -> np.ndarray:
    """The finite values, ascending."""
    return np.sort(values[np.isfinite(values)])


def shared(values: np.ndarray, minimum: int) -> list[float]:
    """The values that at least ``minimum`` people have, ascending.

    >>> shared(np.array([1.0, 1.0, 2.0, np.nan]), 2)
    [1.0]
    """
    found, counts = np.unique(present(values), return_counts=True)
    return [float(value) for value in found[counts >= minimum]]


def span(values: np.ndarray, minimum: int, logarithmic: bool = False) -> tuple[float, float] | None:
    """A generous range (least, greatest), rounded outward; on a logarithmic scale where that is asked for of values
    above 0, or they are skewed.

    None for fewer than twice ``minimum`` values, and where those that are left on both sides are the same.
    """
    seen = present(values)
    if len(seen) < 2 * minimum or seen[minimum - 1] == seen[-minimum]:
        return None
    low, high = float(seen[minimum - 1]), float(seen[-minimum])
    if seen[0] > 0 and (logarithmic or is_skewed(seen, minimum)):
        return _down(low * low / high), -_down(-high * high / low)
    step = 10.0 ** (math.floor(math.log10(high - low)))
    wide = high - low
    least, greatest = math.floor((low - wide) / step) * step, math.ceil((high + wide) / step) * step
    return (0.0 if least < 0 <= seen[0] else _clean(least)), _clean(greatest)


def fits(values: np.ndarray, ends: tuple[float, float] | list[float] | None) -> bool:
    """Whether all values lie in a range."""
    seen = present(values)
    return ends is not None and len(seen) > 0 and bool(ends[0] <= seen[0] and seen[-1] <= ends[1])


def codes(values: np.ndarray, minimum: int) -> list[float]:
    """Values of at least ``minimum`` people that stand apart from all others, as 777 or -9 do."""
    found, counts = np.unique(present(values), return_counts=True)
    for n in range(min(MOST_CODES, len(found) - 2), 0, -1):
        for low in range(n + 1):
            odd = np.r_[np.arange(low), np.arange(len(found) - n + low, len(found))].astype(int)
            if (counts[odd] >= minimum).all() and _apart(found, counts, odd, minimum):
                return [float(value) for value in found[odd]]
    return []


def is_code(value: float) -> bool:
    """Whether a number is one that stands for no answer by custom: 7, 99, 888, -9.

    >>> is_code(777.0), is_code(-1.0), is_code(75.0)
    (True, True, False)
    """
    return value in _CODES


def is_defined(transform: str, least: float) -> bool:
    """Whether a transform of a manifest can be had of all numbers from this one on."""
    return {"log": least > 0, "log1p": least > -1, "sqrt": least >= 0}[transform]


def skewness(values: np.ndarray, minimum: int) -> float:
    """Third standardised moment, the ``minimum`` - 1 values at either end drawn in to the next."""
    seen = present(values)
    if len(seen) < 2 * minimum:
        return 0.0
    drawn = np.clip(seen, seen[minimum - 1], seen[-minimum])
    deviation = drawn - drawn.mean()
    spread = float(np.sqrt((deviation**2).mean()))
    return 0.0 if spread < 1e-12 * max(1.0, abs(drawn).max()) else float((deviation**3).mean() / spread**3)


def is_skewed(values: np.ndarray, minimum: int) -> bool:
    """Whether positive values are strongly skewed to the right, and their logarithms much less."""
    seen = present(values)
    if not len(seen) or seen[0] <= 0 or (bent := skewness(seen, minimum)) < _BENT:
        return False
    return abs(skewness(np.log(seen), minimum)) < bent / 2


def _apart(found: np.ndarray, counts: np.ndarray, odd: np.ndarray, minimum: int) -> bool:
    """Whether some of the different values are codes: far from the rest, less far where they look like codes."""
    rest = np.delete(np.arange(len(found)), odd)
    people = np.repeat(found[rest], counts[rest])
    if len(people) < 2 * minimum:
        return False
    wide = float(people[-minimum] - people[minimum - 1]) or float(found[rest[-1]] - found[rest[0]]) or 1.0
    inner = float(people[minimum - 1]), float(people[-minimum])
    for value in found[odd]:
        beyond = max(inner[0] - value, value - inner[1])
        lies_in = found[rest[0]] <= value <= found[rest[-1]]
        negative = value < 0 <= found[rest[0]]
        near = 0.0 if negative else 1.0
        if lies_in or value == 0 or beyond < (near if is_code(float(value)) else 5.0) * wide:
            return False
    return True


def _down(value: float) -> float:
    """The next lower number with one digit that is not 0."""
    if value == 0:
        return 0.0
    step = 10.0 ** math.floor(math.log10(abs(value)))
    return _clean(math.floor(value / step + 1e-9) * step)


def _clean(value: float) -> float:
    return float(f"{value:.6g}")
