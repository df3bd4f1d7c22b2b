"""Generative: a fitted model asked for what latents look like, for new people, interventions and counterfactuals.

Each answer is latents and, through the decoders, the observed columns, images and series in their units.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtr

from mmcrl.cohort import Cohort
from mmcrl.drawing import drawn_levels, redrawn_levels
from mmcrl.errors import InputError, check_whole
from mmcrl.plan import as_fitted
from mmcrl.representation import Representation
from mmcrl.scm import StructuralModel

__all__ = ["Generative", "Outcome"]

_LEAST_SPREAD = 1e-12  # of a column without private variation


class Outcome(NamedTuple):
    """Latents (n, d) as `MultimodalCRL.transform` gives them, and per modality its values in its columns' units.

    Values of a table are a DataFrame, those of images and series an array (n, channels, ...).
    """

    latents: pd.DataFrame
    columns: dict[str, Any]


class Generative(ABC):
    """What `MultimodalCRL` can be asked once its structural model is fitted.

    A link without a decided direction gives no answer about an intervention: its *working direction* is one of
    several that the data allow (see `mmcrl.directions`).  Where an effect depends on such links they are named and
    the question is refused, unless ``allow_undirected=True`` accepts the arbitrary choice; ``structure.doubtful``
    lists them.
    """

    structure: StructuralModel

    def sample(self, n: int = 1000, seed: int = 0) -> Outcome:
        """``n`` people drawn from the model: none of them lived.

        Numbers vary around what their latents lead to expect, by a Gaussian that is private to their modality and
        has as many dimensions as ``private_dimensions`` says (see `mmcrl.private`).  Levels follow their own
        likelihood (see `mmcrl.kinds.levels`), each person's rank in it given by the same Gaussian, so that columns
        which vary together privately still do.

        Raises
        ------
        InputError : before `fit`, and for an n that is no positive whole number.
        """
        return self._drawn(n, seed, {})

    def intervene(
        self, action: Mapping[str, float], n: int = 1000, seed: int = 0, *, allow_undirected: bool = False
    ) -> Outcome:
        """``n`` people drawn under do(action), such as ``{"a.0": 1.0}``, in training standard deviations.

        The same seed draws the same people as `sample`, so that their difference is the action's effect.

        Raises
        ------
        InputError : for an unknown latent, a value that is no number, or an effect that depends on undirected links.
        """
        self._decidable(action, allow_undirected)
        return self._drawn(n, seed, action)

    def counterfactual(
        self, cohort: Cohort, action: Mapping[str, float], *, seed: int = 0, allow_undirected: bool = False
    ) -> Outcome:
        """What these people would have been under do(action): their own noise, and their own private variation.

        A number moves by as much as what is expected of it.  A level is drawn, by ``seed``, from what the person's
        own level leaves open: see `mmcrl.drawing`.  NaN where a latent that is needed, or a cell, was not measured.

        Raises
        ------
        InputError : as `intervene`, and for a cohort with other columns.
        """
        check_whole("seed", seed, 0)
        self._decidable(action, allow_undirected)
        cohort = as_fitted(self._fitted.views, cohort)
        factual = self.transform(cohort)
        z, shows = factual.to_numpy(), self._fitted
        changed = self.structure.counterfactual(z, action)
        columns, rng = {}, np.random.default_rng([int(seed), 2])
        for m, (name, modality) in enumerate(cohort.modalities.items()):
            before, after = (shows.restored(m, shows.decoded(m, latents)) for latents in (z, changed))
            values = modality.values + (after - before)
            given, then = (shows.probabilities(m, latents) for latents in (z, changed))
            for c, chances in given.items():
                luck, levels = rng.uniform(size=len(cohort)), shows.levels(m)[c]
                values[:, c] = redrawn_levels(chances, then[c], levels, modality.values[:, c], luck)
            columns[name] = _as_given(values, modality.names, cohort.ids)
        return Outcome(pd.DataFrame(changed, index=cohort.ids, columns=factual.columns), columns)

    def decode(self, latents: pd.DataFrame) -> dict[str, Any]:
        """What is expected of every modality for these latents, which need be nobody's: the way back of `transform`.

        Without private variation, so a picture comes out as the mean of all pictures with these latents.  Of a column
        with levels it is their mean (of a binary one the probability of its upper level).  NaN where a latent of the
        modality is NaN (of observed columns, the latent that is the column).

        Parameters
        ----------
        latents : (n, d), all columns of `transform`, in any order.

        Raises
        ------
        InputError : before `fit`, for other columns, and for values that are no finite numbers, NaN aside.
        """
        shows = self._fitted
        if not isinstance(latents, pd.DataFrame) or Counter(latents.columns) != Counter(shows.columns):
            got = list(latents.columns) if isinstance(latents, pd.DataFrame) else type(latents).__name__
            raise InputError("latents", f"a DataFrame with the columns {list(shows.columns)}", str(got))
        try:
            z = latents[list(shows.columns)].to_numpy(float)
        except (TypeError, ValueError):
            raise InputError("latents", "numbers", "something else") from None
        if np.isinf(z).any():
            raise InputError("latents", "finite numbers, NaN where missing", "infinite values")
        return {
            block.name: _as_given(shows.expected(m, z), block.columns, latents.index)
            for m, block in enumerate(shows.views)
        }

    @abstractmethod
    def transform(self, cohort: Cohort) -> pd.DataFrame:
        """Latents (n, d) of these people."""

    @property
    @abstractmethod
    def _fitted(self) -> Representation:
        """The representation of the fitted model."""

    def _drawn(self, n: int, seed: int, action: Mapping[str, float]) -> Outcome:
        shows = self._fitted
        if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
            raise InputError("n", "a positive whole number", repr(n))
        check_whole("seed", seed, 0)
        z = self.structure.sample(int(n), int(seed), action)
        rng = np.random.default_rng([int(seed), 1])
        columns = {}
        for m, block in enumerate(shows.views):
            private, expected = shows.private[m], shows.decoded(m, z)
            noise, spread = private.draw(rng, int(n)), private.spread.numpy()
            values = shows.restored(m, expected + noise.reshape(expected.shape))
            for c, probabilities in shows.probabilities(m, z).items():
                rank = ndtr(noise[:, c].numpy() / max(float(spread[c]), _LEAST_SPREAD))
                values[:, c] = drawn_levels(probabilities, shows.levels(m)[c], rank)
            columns[block.name] = _as_given(values, block.columns)
        return Outcome(pd.DataFrame(z, columns=shows.columns), columns)

    def _decidable(self, action: Mapping[str, float], allow_undirected: bool) -> None:
        _ = self._fitted
        doubtful = self.structure.doubtful(action)
        if doubtful and not allow_undirected:
            named = ", ".join(f"{a.source} - {a.target}" for a in doubtful)
            expected = "one whose effect depends on directed links only, or allow_undirected=True"
            raise InputError("action", expected, f"one that depends on undirected links: {named}")


def _as_given(values: np.ndarray, columns: Sequence[str], ids: pd.Index | None = None) -> pd.DataFrame | np.ndarray:
    """A table as a DataFrame, values of more axes as they are."""
    return pd.DataFrame(values, index=ids, columns=list(columns)) if values.ndim == 2 else values
