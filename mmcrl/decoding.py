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
from mmcrl.tensors import People, as_tensor, pieces_of

__all__ = ["column_loadings", "fit_decoders", "loadings_and_columns", "upward"]

_STEPS, _BATCH, _LEARNING_RATE = 400, 512, 3e-3
_LARGE_BATCH = 64  # images or series


def fit_decoders(network: Contrast, people: People, seed: int, steps_of_large: int = 1_000) -> None:
    """Decoders on fixed codes: ``min E || x^(m) - decode_m(z^(m)) ||^2`` over the training people, without gaps.

    The expected columns given the shared latents; private variation stays in the residual.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        latents = network.latents(people.features, people.measured)
    for m, codec in enumerate(network.codecs):
        steps, people_at_once = (_STEPS, _BATCH) if not codec.large else (steps_of_large, _LARGE_BATCH)
        weights = list(codec.decoder.parameters())  # type: ignore[union-attr]
        if not weights:
            continue
        rows = torch.nonzero(people.measured[:, m])[:, 0]
        codes, target = latents[:, network.members[m]], people.features[m]
        optimiser = torch.optim.Adam(weights, lr=_LEARNING_RATE, fused=True)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
        for _ in range(steps):
            batch = rows[torch.randint(0, len(rows), (people_at_once,), generator=generator).to(rows.device)]
            loss = codec.misfit(as_tensor(target[batch]), codec.decode(codes[batch]))  # type: ignore[operator]
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()


def column_loadings(representation: Representation, cohort: Cohort, people: People) -> pd.DataFrame:
    """Long table of modality, latent, column, loading (Spearman), r2 (of the column given all its latents).

    ``people`` are the cohort's.  The column of an image or a series is a channel: the loading is that of its summary
    (see `mmcrl.kinds.Codec.summary`), and r2 the share of its values' variance around their mean, place by place.
    """
    return loadings_and_columns(representation, cohort, people)[0]


@torch.no_grad()
def loadings_and_columns(
    representation: Representation, cohort: Cohort, people: People
) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """`column_loadings`, and per modality what they are correlations with (n, columns): values, or summaries."""
    rows, names, columns = [], representation.names, {}
    latents = representation.latents(people)
    for m, (name, modality) in enumerate(cohort.modalities.items()):
        shown = representation.shown[m]
        known = ~np.isnan(latents[:, shown]).any(1)
        if not representation.network.codecs[m].large:
            expected = representation.restored(m, representation.decoded(m, np.nan_to_num(latents)))
            observed = modality.values
            r2 = _explained(observed, expected, known)
        else:
            observed, r2 = _channels(representation, m, people, np.nan_to_num(latents), known)
        columns[name] = pd.DataFrame(observed, index=cohort.ids, columns=modality.names)
        for c, column in enumerate(modality.names):
            seen = ~np.isnan(observed[:, c]) & known
            for i in shown:
                loading = float(spearmanr(latents[seen, i], observed[seen, c]).statistic)
                rows.append((name, names[i], column, loading, float(r2[c])))
    return pd.DataFrame(rows, columns=["modality", "latent", "column", "loading", "r2"]), columns


def _explained(observed: np.ndarray, expected: np.ndarray, known: np.ndarray) -> list[float]:
    """Share of every column (n,) that is explained, NaN for a column that does not vary."""
    shares = []
    for column, guess in zip(observed.T, expected.T, strict=True):
        seen = ~np.isnan(column) & known
        spread = np.var(column[seen])
        shares.append(1 - np.mean((column[seen] - guess[seen]) ** 2) / spread if spread > 0 else np.nan)
    return shares


def _channels(
    representation: Representation, m: int, people: People, z: np.ndarray, known: np.ndarray
) -> tuple[np.ndarray, list[float]]:
    """Summaries (n, c) of every channel, and the share of each channel (c,) that is explained."""
    codec = representation.network.codecs[m]
    size: int = codec.at_once  # type: ignore[assignment]
    summaries, sums = [], [torch.zeros(())] * 4
    for start, features in zip(range(0, len(z), size), pieces_of(people.features[m], size), strict=True):
        summaries.append(codec.summary(features).double().cpu().numpy())  # type: ignore[operator]
        rows = known[start : start + size]
        seen = features.cpu()[torch.from_numpy(rows)].double()
        there, error = ~seen.isnan(), seen - representation.decoded(m, z[start : start + size][rows])
        parts = there, seen.nan_to_num(), seen.nan_to_num() ** 2, error.nan_to_num() ** 2
        sums = [total + part.sum(0) for total, part in zip(sums, parts, strict=True)]
    count, first, second, left = sums
    spread = second - first**2 / count.clamp_min(1)
    unexplained = left.reshape(codec.shape[0], -1).sum(1) / spread.reshape(codec.shape[0], -1).sum(1)  # type: ignore
    return np.concatenate(summaries), (1 - unexplained).tolist()


def upward(loadings: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
    """Signs (d,) that make every latent point up along the column that it correlates with most."""
    strongest = loadings.loc[loadings.groupby("latent", sort=False)["loading"].apply(lambda s: s.abs().idxmax())]
    signs = strongest.set_index("latent")["loading"].reindex(list(names))
    return np.where(signs < 0, -1.0, 1.0)
