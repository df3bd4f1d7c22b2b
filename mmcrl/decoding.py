"""Decoding: what latents mean in the observed columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from scipy.stats import spearmanr

from mmcrl.cohort import Cohort
from mmcrl.contrast import Contrast
from mmcrl.representation import Representation
from mmcrl.tensors import People

__all__ = ["column_loadings", "fit_decoders", "upward"]

_STEPS, _BATCH, _LEARNING_RATE = 400, 512, 3e-3


def fit_decoders(network: Contrast, people: People, seed: int) -> None:
    """Least-squares decoders on fixed codes: ``min E || x^(m) - decode_m(z^(m)) ||^2`` over the training people.

    The expected columns given the shared latents; private variation stays in the residual.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        latents = network.latents(people.features, people.measured)
    for m, codec in enumerate(network.codecs):
        weights = list(codec.decoder.parameters())  # type: ignore[union-attr]
        if not weights:
            continue
        rows = torch.nonzero(people.measured[:, m])[:, 0]
        codes, target = latents[rows][:, network.members[m]], people.features[m][rows]
        optimiser = torch.optim.Adam(weights, lr=_LEARNING_RATE, fused=True)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, _STEPS)
        for _ in range(_STEPS):
            batch = torch.randint(0, len(rows), (_BATCH,), generator=generator).to(codes.device)
            loss = ((codec.decode(codes[batch]) - target[batch]) ** 2).mean()  # type: ignore[operator]
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()


def column_loadings(representation: Representation, cohort: Cohort, people: People) -> pd.DataFrame:
    """Long table of modality, latent, column, loading (Spearman), r2 (of the column given all its latents).

    ``people`` are the cohort's.
    """
    rows, names = [], representation.names
    latents = representation.latents(people)
    decoded = representation.decoded(np.nan_to_num(latents))
    for m, (name, modality) in enumerate(cohort.modalities.items()):
        expected, shown = representation.restored(m, decoded[m]), representation.shown[m]
        known = ~np.isnan(latents[:, shown]).any(1)
        for c, column in enumerate(modality.names):
            observed = modality.values[:, c]
            seen = ~np.isnan(observed) & known
            spread = np.var(observed[seen])
            r2 = 1 - np.mean((observed[seen] - expected[seen, c]) ** 2) / spread if spread > 0 else np.nan
            for i in shown:
                loading = float(spearmanr(latents[seen, i], observed[seen]).statistic)
                rows.append((name, names[i], column, loading, float(r2)))
    return pd.DataFrame(rows, columns=["modality", "latent", "column", "loading", "r2"])


def upward(loadings: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
    """Signs (d,) that make every latent point up along the column that it correlates with most."""
    strongest = loadings.loc[loadings.groupby("latent", sort=False)["loading"].apply(lambda s: s.abs().idxmax())]
    signs = strongest.set_index("latent")["loading"].reindex(list(names))
    return np.where(signs < 0, -1.0, 1.0)
