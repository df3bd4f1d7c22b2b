"""Measured: the latents that links rest on, and the set of others that was held fixed for each pair."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mmcrl.errors import InputError, check_table
from mmcrl.knowledge import Knowledge, labels_of, numbers_of
from mmcrl.search import separating_sets

__all__ = ["Measured", "Pair"]

Pair = tuple[int, int, tuple[int, ...]]  # the two latents, and those that are held fixed


@dataclass(frozen=True)
class Measured:
    """Latents z (n, d) of people whom the fit has not seen, their names, and the separating set of every pair.

    The sets are searched for as `mmcrl.links.link_table` does (`mmcrl.search`), so that in the people whom a model
    held out each is the set that the link's evidence was measured with.
    """

    z: np.ndarray
    names: tuple[str, ...]
    given: dict[tuple[int, int], tuple[int, ...]]

    @classmethod
    def of(cls, latents: pd.DataFrame, knowledge: Knowledge | None = None) -> Measured:
        """Of a table as `MultimodalCRL.transform` gives it, with the knowledge of the model.

        Raises `mmcrl.errors.InputError` for what is no table of numbers.
        """
        names = tuple(labels_of(latents))
        z = numbers_of(latents)
        return cls(z, names, separating_sets(z, (knowledge or Knowledge()).limits(names).barred))

    def place(self, name: str) -> int:
        """Raises `mmcrl.errors.InputError` for a latent that is none of these."""
        if name not in self.names:
            raise InputError("links", f"latents among {', '.join(self.names)}", repr(name))
        return self.names.index(name)

    def set_of(self, source: str, target: str) -> tuple[int, ...]:
        """The others that are held fixed when these two are compared."""
        i, j = self.place(source), self.place(target)
        return self.given[min(i, j), max(i, j)]

    def named(self, members: Sequence[int]) -> list[str]:
        return [self.names[k] for k in members]

    def pairs(self, links: pd.DataFrame) -> Iterator[tuple[str, str, Pair]]:
        """Names and places of every row of a table of links.

        Raises `mmcrl.errors.InputError` for what is none, and for latents that are none of these.
        """
        check_table("links", links, ["source", "target"])
        for source, target in zip(links["source"].astype(str), links["target"].astype(str), strict=True):
            i, j = self.place(source), self.place(target)
            yield source, target, (min(i, j), max(i, j), self.set_of(source, target))
