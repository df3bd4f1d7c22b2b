"""Sequences: all numbers of images or series one after the other, in which successive ones are found again."""

from __future__ import annotations

from functools import cached_property

import numpy as np

__all__ = ["Sequenced", "compared"]

_MOST_ORDERED = 5 * 10**7  # numbers; an order takes three times their memory


class Sequenced:
    """Numbers (n, ...) read row by row; a person without a value has NaN, which is equal to nothing.

    The numbers are put in order when they are first asked for, so that a search begins at the rarest of those that
    are looked for instead of reading everything.

    >>> Sequenced(np.arange(12.0).reshape(3, 4)).holds(np.array([5.0, 6, 7.1]), np.full(3, 0.2))
    True
    """

    def __init__(self, values: np.ndarray) -> None:
        self.flat = np.asarray(values).reshape(-1)
        if self.flat.dtype.kind != "f":
            self.flat = self.flat.astype(np.float32)

    @cached_property
    def _order(self) -> np.ndarray:
        return np.argsort(self.flat, kind="stable")

    @cached_property
    def _ordered(self) -> np.ndarray:
        return self.flat[self._order]

    def holds(self, wanted: np.ndarray, near: np.ndarray) -> bool:
        """Whether numbers ``wanted`` (k,) stand in this order somewhere, each within its ``near`` (k,)."""
        if not len(wanted):
            return False
        at = self._places(wanted, near)
        at = at[(at >= 0) & (at <= len(self.flat) - len(wanted))]
        for k in range(len(wanted)):
            if not len(at):
                return False
            at = at[np.abs(self.flat[at + k] - wanted[k]) <= near[k]]
        return bool(len(at))

    def _places(self, wanted: np.ndarray, near: np.ndarray) -> np.ndarray:
        """Where the first of them would stand, given where the rarest one does."""
        if len(self.flat) > _MOST_ORDERED:
            return np.flatnonzero(np.abs(self.flat - wanted[0]) <= near[0])
        kind, infinity = self.flat.dtype, np.array(np.inf, self.flat.dtype)
        low = np.searchsorted(self._ordered, np.nextafter((wanted - near).astype(kind), -infinity), "left")
        high = np.searchsorted(self._ordered, np.nextafter((wanted + near).astype(kind), infinity), "right")
        rarest = int((high - low).argmin())
        return self._order[low[rarest] : high[rarest]] - rarest


def compared(values: np.ndarray) -> np.ndarray:
    """How each difference between neighbours (n,) compares with the next (n - 2,), NaN where one of them is nothing.

    >>> compared(np.array([1.0, 3, 4, 4])).tolist(), compared(np.array([0.1, 0.3])).tolist()
    ([2.0, nan], [])
    """
    steps = np.diff(values)
    steps[steps == 0] = np.nan
    return np.asarray(steps[:-1] / steps[1:])
