"""World: a simulated cohort together with the truth behind it, the floor and the ceiling of every score."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mmcrl.cohort import Cohort, Modality
from mmcrl.errors import InputError
from mmcrl.knowledge import SHARED
from mmcrl.simulate.mechanisms import Equations

__all__ = ["SHARED", "World", "latent_columns"]


def latent_columns(names: Iterable[str]) -> pd.MultiIndex:
    """(modality, latent) of names such as ``a.0``."""
    pairs = [(modality, int(latent)) for modality, latent in (name.split(".") for name in names)]
    return pd.MultiIndex.from_tuples(pairs, names=["modality", "latent"])


@dataclass(frozen=True)
class World:
    """A cohort together with the truth behind it.

    ``latents`` has one column per (modality, latent) and the cohort's ids as index, for people who miss a modality
    too; latents that several modalities see come first, as a block named ``shared`` that the modalities ``viewers``
    mix in.  ``adjacency`` is square with ``adjacency.loc["b.0", "a.1"] == 1`` iff latent 1 of modality a causes
    latent 0 of modality b.  ``n_latents`` counts each modality's own latents.  ``mechanisms`` are the equations
    ``z = f(z, eps)``: ``world.mechanisms.noise_of(world.latents.to_numpy())`` is the noise.
    """

    cohort: Cohort
    latents: pd.DataFrame
    adjacency: pd.DataFrame
    n_latents: dict[str, int]
    settings: dict[str, object]
    mechanisms: Equations
    viewers: list[str]

    def replaced(self, name: str, modality: Modality) -> Cohort:
        """The same simulated people with this modality in the place of the one of that name, or beside the others.

        It need not be one that anything can be learned from.

        Raises
        ------
        InputError : for another number of people.
        """
        return Cohort({**self.cohort.modalities, name: modality}, ids=self.cohort.ids, learnable=False)

    def floor(self, seed: int = 0) -> dict[str, float]:
        """MCC by chance, every block right and rotated at random (mean, q95): see `mmcrl.metrics.floor`."""
        from mmcrl import metrics

        return metrics.floor(self.latents, seed)

    def ceiling(self, held_out: Cohort, seed: int = 0) -> dict[str, float]:
        """`mmcrl.metrics.score` on these people of a network trained on the truth of all others.

        Shared latents are predicted from the columns of all modalities that see them.

        Raises
        ------
        InputError : when ``held_out`` has people who are not in the world, or all of its people.

        >>> from mmcrl import simulate
        >>> world = simulate.case(1, n=600)
        >>> _, held_out = world.cohort.split()
        >>> world.ceiling(held_out)["r2"] > 0.5
        True
        """
        from mmcrl import baselines, metrics

        rows = self.cohort.ids.isin(held_out.ids)
        if rows.sum() != len(held_out) or rows.all():
            raise InputError("held_out", "some, not all, of the people of this world", f"{len(held_out)} people")
        cohort = self._with_shared_view()
        network = baselines.SupervisedCeiling(self.latents, seed).fit(cohort.take(~rows))
        return metrics.score(self.latents, network.transform(cohort.take(rows)), seed)

    def _with_shared_view(self) -> Cohort:
        """The cohort, what the viewers show together standing as a modality for the shared latents."""
        if not self.viewers:
            return self.cohort
        seen = np.column_stack([self.cohort[name].values for name in self.viewers])
        return Cohort({SHARED: Modality(seen), **self.cohort.modalities}, ids=self.cohort.ids)
