"""Representation: trained encoders and decoders of all modalities, and the latents that their codes stand for.

A code is a latent of its modality, or a copy of a latent that several modalities show (see `mmcrl.sharing`): with
C(j) the codes that stand for latent j,

    z_j = o_j * mean of the measured codes of C(j),          code_c = o_j z_j  for c in C(j) when latents are decoded,

where ``o_j = +-1`` makes the latent point up along the column that it explains best.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from mmcrl.cohort import Cohort
from mmcrl.contrast import Contrast
from mmcrl.factors import Factors
from mmcrl.plan import Block, modality_numbers, names_of, with_shared
from mmcrl.sharing import Copies
from mmcrl.tensors import People
from mmcrl.training import codes_of, tensors_of

__all__ = ["Representation"]


class Representation:
    """What `mmcrl.model.MultimodalCRL` knows of every latent but its links.

    Parameters
    ----------
    views : what every modality shows, copies of shared latents counted in.
    network : trained, with a codec per view.
    copies : the shared latents, which come first among the latents.
    """

    def __init__(self, views: Sequence[Block], network: Contrast, copies: Sequence[Copies] = ()) -> None:
        self.views, self.network, self.copies = list(views), network, list(copies)
        modality = modality_numbers(views)
        self.latent_of = np.full(len(modality), -1)
        for j, latent in enumerate(self.copies):
            self.latent_of[latent.codes] = j
        own = np.flatnonzero(self.latent_of < 0)
        self.latent_of[own] = len(self.copies) + np.arange(len(own))
        self.n_own = {view.name: int((modality[own] == m).sum()) for m, view in enumerate(views)}
        self.shown = [self.latent_of[modality == m] for m in range(len(views))]  # latents of every modality's codes
        self.orientation = np.ones(len(self.copies) + len(own))
        self.private: list[Factors] = []  # every modality's private variation, once decoders are fitted

    @property
    def blocks(self) -> list[Block]:
        """Every latent in one block, the shared ones first."""
        own = [replace(view, n_latents=self.n_own[view.name]) for view in self.views]
        return with_shared(own, len(self.copies))

    @property
    def names(self) -> list[str]:
        """``modality.number`` of every latent."""
        return names_of(self.blocks)

    @property
    def columns(self) -> pd.MultiIndex:
        """(modality, number) of every latent."""
        pairs = [(block.name, i) for block in self.blocks for i in range(block.n_latents)]
        return pd.MultiIndex.from_tuples(pairs, names=["modality", "latent"])

    @property
    def agreement(self) -> list[dict[str, Any]]:
        """Of every shared latent the modalities that show it, and how well the two that differ most agree."""
        names = np.array([view.name for view in self.views])[modality_numbers(self.views)]
        return [{"shown_by": names[c.codes].tolist(), "agreement": c.agreement} for c in self.copies]

    def people(self, cohort: Cohort) -> People:
        """The cohort's features, and who was measured."""
        return tensors_of(self.network, cohort)

    def codes(self, people: People) -> np.ndarray:
        """Standardised codes (n, D) of every view, NaN where a person was not measured."""
        return codes_of(self.network, people)

    def latents(self, people: People) -> np.ndarray:
        """Latents (n, d) in float64, NaN where no modality that shows one was measured."""
        return self.latents_of(self.codes(people))

    def latents_of(self, codes: np.ndarray) -> np.ndarray:
        """What codes (n, D) say of the latents (n, d): the mean of a latent's copies, pointing up."""
        latents = [_mean(codes[:, self.latent_of == j]) for j in range(len(self.orientation))]
        return np.column_stack(latents) * self.orientation

    def table(self, cohort: Cohort) -> pd.DataFrame:
        """Latents of a cohort under their names."""
        return pd.DataFrame(self.latents(self.people(cohort)), index=cohort.ids, columns=self.columns)

    @torch.no_grad()
    def decoded(self, m: int, z: np.ndarray) -> Tensor:
        """The expected features (n, ...) of modality m for latents (n, d): in float64, large ones as trained."""
        codec, own = self.network.codecs[m], self._codes(m, z)
        if not codec.large:
            return codec.decode(own).double().cpu()  # type: ignore[operator]
        return torch.cat([codec.decode(piece).cpu() for piece in own.split(codec.at_once)])  # type: ignore

    @torch.no_grad()
    def probabilities(self, m: int, z: np.ndarray) -> dict[int, np.ndarray]:
        """P (n, K) of the levels of every column of modality m that has `levels`, for latents (n, d)."""
        found = self.network.codecs[m].probabilities(self._codes(m, z))  # type: ignore[operator]
        return {c: p.cpu().numpy() for c, p in found.items()}

    def expected(self, m: int, z: np.ndarray) -> np.ndarray:
        """Modality m (n, ...) in units for latents (n, d): of a binary column P(x = 1), of levels their mean."""
        values = self.restored(m, self.decoded(m, z))
        for c, p in self.probabilities(m, z).items():
            values[:, c] = p @ self.levels(m)[c]
        return values

    def levels(self, m: int) -> dict[int, np.ndarray]:
        """The levels (K,) of every column of modality m that has some, smallest first."""
        return {c: np.array(known) for c, known in enumerate(self.views[m].levels) if known}

    def spread(self, m: int) -> np.ndarray:
        """Standard deviation (f,) of the private variation of every numeric column of a table, in its unit."""
        expected = self.decoded(m, np.zeros((1, len(self.orientation))))
        deviation = self.private[m].spread.double().reshape(expected.shape)
        return self.network.codecs[m].spread(expected, deviation)  # type: ignore[operator]

    def _codes(self, m: int, z: np.ndarray) -> Tensor:
        codes = torch.tensor((z * self.orientation)[:, self.latent_of]).to(self.network.mean)
        return codes[:, self.network.members[m]]

    def restored(self, m: int, features: Tensor) -> np.ndarray:
        """Features of modality m in the units of its columns."""
        return self.network.codecs[m].restore(features)  # type: ignore[operator]

    def siblings(self, latent: int) -> list[int]:
        """The other latents of which this one may carry a share: those of its modality, but for further views.

        The first view of a modality, the layout of a picture, shows what any other shows; a further view shows its
        own latents alone (see `mmcrl.views`).  A latent that is a column itself carries nothing of others.
        """
        views, found = self.network.views, set[int]()
        for v, (m, index) in enumerate(views.codes):
            shown = self.latent_of[index.numpy()]
            if latent in shown and self.views[m].kind != "observed":
                found.update((shown if v in views.further else self.shown[m]).tolist())
        return sorted(found - {latent})

    def to_dict(self) -> dict[str, Any]:
        """Plain lists, from which the record is made again."""
        return {"blocks": [view.to_dict() for view in self.views], "copies": [c.to_dict() for c in self.copies]}


def _mean(values: np.ndarray) -> np.ndarray:
    """Mean (n,) of the entries (n, c) that are there, NaN where none is."""
    count = (~np.isnan(values)).sum(1)
    return np.where(count > 0, np.nansum(values, axis=1) / np.maximum(count, 1), np.nan)
