"""Chance: random numbers that a person keeps whatever the number of people.

People are drawn in batches of fixed size, each from a generator of its own; who is not asked for is cut off.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

__all__ = ["BATCH", "batches", "bounded", "padded"]

BATCH = 50


def padded(n: int) -> int:
    """The smallest number of whole batches' people that is at least n."""
    return -(-n // BATCH) * BATCH


def batches(n: int, seed: int, stream: int) -> Iterator[tuple[slice, np.random.Generator]]:
    """The people of each batch, and the generator that this stream of random numbers has for them."""
    for number in range(padded(n) // BATCH):
        people = slice(number * BATCH, (number + 1) * BATCH)
        yield people, np.random.default_rng([seed, stream, number])


def bounded(z: np.ndarray, limit: float = 3.0) -> np.ndarray:
    """``limit tanh(z / limit)``: strictly increasing, near the identity, within what a body or a picture allows."""
    return limit * np.tanh(z / limit)
