"""Cohort: the same people seen through several modalities.

Row i of every modality belongs to person ``ids[i]``.  A cohort may carry background knowledge: tiers (an
earlier tier may cause a later one, never the reverse) and links that are known beforehand.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from numbers import Real

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from mmcrl.boundary import (
    checked_codebook,
    checked_ids,
    checked_known,
    checked_modalities,
    checked_tiers,
    checked_weights,
    column_faults,
    refuse_unknown,
)
from mmcrl.errors import InputError, check_whole
from mmcrl.modality import Modality

__all__ = ["Cohort", "Modality"]

_TO_APPLY = "or Cohort(..., learnable=False) for people whom a model that is fitted is applied to"


class Cohort:
    """Modalities of the same people, in one order.

    Parameters
    ----------
    modalities : name to `Modality`, or to an array or DataFrame that makes one. Names are letters, digits,
        ``_`` and ``-``.
    ids : one per person, unique. Left out, they come from the DataFrames' index, else they count from 0.
    tiers : modality names in causal order, such as ``[["demographics"], ["body", "blood"]]``; a modality in
        no tier is not bound.
    known : links known beforehand: source and target (``modality.column``), sign (+1, -1; 0: near nothing), rests_on.
    n_latents : suggested number of latents per modality.
    codebook : one row per column: modality, column, unit, kind, question, variable.
    weights : of a survey: how many people of the population each stands for (n,), above 0. A fit does not use them;
        see `mmcrl.sensitivity.weight_table`.
    minimum : of people in a group that a table, card or plot counts, at least 1; a manifest states it.
    learnable : refuse a single person, and columns nothing can be learned from. False for people whom a model that is
        fitted is applied to: one is enough, and columns may be constant or empty.

    Raises
    ------
    InputError : for different numbers of people, repeated or missing ids, tables whose indexes name different people,
        unsafe names, unknown or repeated modalities in the tiers, and everything that `check` refuses.

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> cohort = Cohort({"body": rng.normal(size=(50, 3)), "sleep": rng.normal(size=(50, 4))})
    >>> len(cohort), cohort.names, cohort["sleep"].values.shape
    (50, ['body', 'sleep'], (50, 4))
    """

    def __init__(
        self,
        modalities: Mapping[str, Modality | ArrayLike | pd.DataFrame],
        ids: ArrayLike | pd.Index | None = None,
        tiers: Sequence[Sequence[str]] | None = None,
        name: str = "cohort",
        *,
        known: pd.DataFrame | None = None,
        n_latents: Mapping[str, int] | None = None,
        codebook: pd.DataFrame | None = None,
        weights: ArrayLike | None = None,
        minimum: int = 10,
        learnable: bool = True,
    ) -> None:
        self.name = name
        self.modalities = checked_modalities(modalities)
        self.ids = checked_ids(self.modalities, ids)
        self.tiers = checked_tiers(tiers, self.names)
        self.known = checked_known(known, self.modalities)
        self.codebook = checked_codebook(codebook)
        self.weights = checked_weights(weights, len(self.ids))
        self.n_latents = dict(n_latents or {})
        refuse_unknown("n_latents", self.n_latents, self.names)
        check_whole("minimum", minimum, 1)
        self.minimum = int(minimum)
        self.check(learnable)

    @classmethod
    def from_arrays(
        cls,
        arrays: Mapping[str, Modality | ArrayLike | pd.DataFrame],
        ids: ArrayLike | pd.Index | None = None,
        tiers: Sequence[Sequence[str]] | None = None,
        *,
        learnable: bool = True,
    ) -> Cohort:
        """A cohort of arrays, first axis = people: the number of axes says the kind; ``learnable`` as in `Cohort`.

        >>> import numpy as np
        >>> Cohort.from_arrays({"a": np.eye(4)}).summary().loc["a", "people"].item()
        4
        """
        return cls(arrays, ids, tiers, learnable=learnable)

    @property
    def names(self) -> list[str]:
        """Names of the modalities, in order."""
        return list(self.modalities)

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, name: str) -> Modality:
        refuse_unknown("modality", [name], self.names)
        return self.modalities[name]

    def __repr__(self) -> str:
        return f"Cohort({self.name!r}, {len(self)} people, modalities={self.names})"

    def check(self, learnable: bool = True) -> None:
        """Refuse infinite values and, where they are to be learned from, columns that are empty or constant."""
        if len(self) < (2 if learnable else 1):
            expected = f"at least 2 people, {_TO_APPLY}" if learnable else "at least 1 person"
            raise InputError("modalities", expected, str(len(self)))
        for end, fault in column_faults(self.modalities, learnable):
            name = end.split(".")[0]
            if learnable and not self.modalities[name].measured.any():
                raise InputError(f'cohort["{name}"]', f"values of somebody, {_TO_APPLY}", "only missing values")
            raise fault

    def take(self, index: ArrayLike) -> Cohort:
        """These people: positions without repeats, or a bool mask. Columns are not checked again."""
        rows = np.asarray(index)
        if rows.dtype == bool and rows.shape == (len(self),):
            rows = np.flatnonzero(rows)
        whole = rows.ndim == 1 and (rows.dtype.kind in "iu" or rows.size == 0)
        if not (whole and len(np.unique(rows)) == len(rows) and np.isin(rows, np.arange(len(self))).all()):
            expected = f"positions in 0..{len(self) - 1} without repeats, or a bool mask of {len(self)}"
            raise InputError("index", expected, f"{rows.dtype} of shape {rows.shape}")
        rows = rows.astype(int)
        new = self._with({k: m.take(rows) for k, m in self.modalities.items()}, self.ids[rows])
        new.weights = None if self.weights is None else self.weights[rows]
        return new

    def split(self, fraction: float = 0.2, seed: int = 0) -> tuple[Cohort, Cohort]:
        """Two cohorts (train, held out) without a person in common; this share of the people is held out."""
        check_whole("seed", seed, 0)
        n_held_out = round(fraction * len(self)) if isinstance(fraction, Real) and 0 < fraction < 1 else 0
        if not 0 < n_held_out < len(self):
            raise InputError("fraction", "a share in (0, 1) that leaves people on both sides", repr(fraction))
        order = np.random.default_rng(seed).permutation(len(self))
        return self.take(np.sort(order[n_held_out:])), self.take(np.sort(order[:n_held_out]))

    def shuffled(self, modality: str, seed: int = 0) -> Cohort:
        """A negative control: this modality's rows permuted among people, so none of its links is real."""
        check_whole("seed", seed, 0)
        values = self[modality].take(np.random.default_rng(seed).permutation(len(self)))
        values.index = None
        return self._with({**self.modalities, modality: values}, self.ids)

    def with_noise(self, n_columns: int = 4, seed: int = 0, name: str = "noise") -> Cohort:
        """A negative control: a further modality of independent standard normal columns, linked to nothing.

        Raises
        ------
        InputError : for a number of columns below 1, an unsafe name, and one that a modality has.
        """
        check_whole("n_columns", n_columns, 1)
        if name in self.modalities:
            raise InputError("name", "one that no modality has", repr(name))
        values = np.random.default_rng(seed).normal(size=(len(self), n_columns))
        return self._with(checked_modalities({**self.modalities, name: values}), self.ids)

    def without(self, modality: str) -> Cohort:
        """The same people without this modality."""
        refuse_unknown("modality", [modality], self.names)
        kept = {k: m for k, m in self.modalities.items() if k != modality}
        if not kept:
            raise InputError("modality", "one that is not the only one", repr(modality))
        return self._with(kept, self.ids)

    def summary(self) -> pd.DataFrame:
        """One row per modality: kind, columns, people measured, share of their values that is missing."""
        rows = {
            name: {
                "kind": m.kind,
                "columns": len(m.names),
                "people": int(m.measured.sum()),
                "missing": _missing(m),
            }
            for name, m in self.modalities.items()
        }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("modality")

    def _with(self, modalities: dict[str, Modality], ids: pd.Index) -> Cohort:
        """A copy with other values, its background knowledge restricted to the modalities that are left."""
        new = copy.copy(self)
        new.modalities, new.ids = modalities, ids
        if self.tiers is not None:
            new.tiers = [kept for tier in self.tiers if (kept := [k for k in tier if k in modalities])]
        ends = self.known[["source", "target"]].map(lambda end: end.split(".")[0] in modalities)
        new.known = self.known[ends.all(axis=1)].reset_index(drop=True)
        new.codebook = self.codebook[self.codebook["modality"].isin(modalities)].reset_index(drop=True)
        new.n_latents = {k: v for k, v in self.n_latents.items() if k in modalities}
        return new


def _missing(modality: Modality) -> float:
    """Share of the measured people's values that is missing."""
    seen = modality.take(modality.measured)
    absent = sum(int(np.isnan(piece).sum()) for piece in seen.pieces())
    return absent / math.prod(seen.shape) if len(seen) else 1.0
