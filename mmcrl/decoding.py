"""Decoding: what latents mean in the observed columns.

Decoders are fitted on fixed codes, by least squares for numbers,

    min  E || x^(m) - decode_m(z^(m)) ||^2,

which is maximum likelihood with one spread a column, and by maximum likelihood for columns with levels (see
`mmcrl.kinds.levels`), over the training people's cells that are there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.stats import norm, spearmanr
from torch import Tensor, nn

from mmcrl.checkpoint import NOWHERE, Kept
from mmcrl.cohort import Cohort
from mmcrl.contrast import Contrast
from mmcrl.drawing import at_levels
from mmcrl.kinds.levels import Levels
from mmcrl.modality import Modality
from mmcrl.representation import Representation
from mmcrl.storage import under
from mmcrl.tensors import Features, People, as_tensor, pieces_of

__all__ = ["ITSELF", "LOADING_COLUMNS", "column_loadings", "fit_decoders", "loadings_and_columns", "upward"]

LOADING_COLUMNS = ["modality", "latent", "column", "loading", "r2", "log_likelihood"]
ITSELF = 0.9999  # the absolute loading from which on a latent is the column itself

_DECAY = 1e-2  # of the weights of what tells levels
_FASTER = 30  # times, its thresholds learn: of sharply told levels they lie far apart, ten times as far as at first
_STEPS, _BATCH, _LEARNING_RATE = 400, 512, 3e-3
_LARGE_BATCH = 64  # images or series


def fit_decoders(
    network: Contrast, cohort: Cohort, people: People, seed: int, steps_of_large: int = 1_000, kept: Kept = NOWHERE
) -> None:
    """Decoders on fixed codes, of the training people, over the cells that are there; ``people`` are the cohort's.

    The expected columns given the shared latents; private variation stays in the residual.  The decoder of every
    modality is kept once it is fitted.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        latents = network.latents(people.features, people.seen)
    for m, (codec, modality) in enumerate(zip(network.codecs, cohort.modalities.values(), strict=True)):
        parts = _parts(codec)
        if not any(True for part in parts.values() for _ in part.parameters()):
            continue
        rows, codes = torch.nonzero(people.measured[:, m])[:, 0], latents[:, network.members[m]]
        steps = steps_of_large if codec.large else _STEPS
        work = partial(_fitted, codec, modality, people.features[m], codes, rows, int(steps), seed, generator)
        learned = kept.result(f"decoder-{m}", work)
        for name, part in parts.items():
            part.load_state_dict(under(name, learned))
        generator.set_state(learned["generator"])


def _parts(codec: Any) -> dict[str, nn.Module]:
    """What of a codec is fitted: the decoder of numbers, and that of levels where there are some."""
    levels = getattr(codec, "levels", None)
    return {"decoder": codec.decoder} | ({} if levels is None else {"levels": levels})


def _fitted(
    codec: Any,
    modality: Modality,
    features: Features,
    codes: Tensor,
    rows: Tensor,
    steps: int,
    seed: int,
    generator: torch.Generator,
) -> dict[str, Tensor]:
    """The weights of a codec's decoder, and the state of the generator, once it is fitted on these people."""
    target, at_once = _cells(codec, modality, features), _LARGE_BATCH if codec.large else _BATCH
    optimiser = torch.optim.Adam(codec.decoder.parameters(), lr=_LEARNING_RATE, fused=True)
    _descend(optimiser, partial(_misfit, codec, codes, target), rows, steps, at_once, generator)
    parts = _parts(codec)
    if "levels" in parts:
        _fit_levels(codec.levels, codes[rows], modality.values[rows.cpu().numpy()], seed)
    states = {f"{name}.{k}": v for name, part in parts.items() for k, v in part.state_dict().items()}
    return {**states, "generator": generator.get_state()}


def _misfit(codec: Any, codes: Tensor, target: Features, batch: Tensor) -> Any:
    return codec.misfit(as_tensor(target[batch]), codec.decode(codes[batch]))


def _cells(codec: nn.Module, modality: Modality, features: Features) -> Features:
    """Features with NaN for missing cells, which then add nothing to the misfit; those of images have their gaps."""
    if codec.large or features.shape != modality.shape:
        return features
    absent = torch.from_numpy(np.isnan(modality.values)).to(features.device)
    return features.masked_fill(absent, torch.nan)


def _fit_levels(levels: Levels, codes: Tensor, values: np.ndarray, seed: int) -> None:
    """Minimise the negative log-likelihood of the cells, per person, on codes (n, k)."""
    generator, cells = torch.Generator().manual_seed(seed), levels.indices(values).to(codes.device)
    levels.start(cells)
    weights = {"params": list(levels.network.parameters()), "weight_decay": _DECAY}
    thresholds = {"params": list(levels.base.parameters()), "weight_decay": 0.0, "lr": _FASTER * _LEARNING_RATE}
    optimiser = torch.optim.AdamW([weights, thresholds], lr=_LEARNING_RATE)
    everyone = torch.arange(len(codes), device=codes.device)

    def misfit(batch: Tensor) -> Tensor:
        return -levels.log_likelihood(codes[batch], cells[batch]).sum(1).mean()

    _descend(optimiser, misfit, everyone, _STEPS, _BATCH, generator)


def _descend(
    optimiser: torch.optim.Optimizer,
    misfit: Callable[[Tensor], Tensor],
    rows: Tensor,
    steps: int,
    at_once: int,
    generator: torch.Generator,
) -> None:
    """Minimise the misfit of batches of these people, its learning rate falling along a cosine."""
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(steps):
        loss = misfit(rows[torch.randint(0, len(rows), (at_once,), generator=generator).to(rows.device)])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()


def column_loadings(representation: Representation, cohort: Cohort, people: People) -> pd.DataFrame:
    """Long table `LOADING_COLUMNS`: loading (Spearman), r2 and log_likelihood of the column given all its latents.

    ``people`` are the cohort's.  The column of an image or a series is a channel: the loading is that of its summary
    (see `mmcrl.kinds.Codec.summary`), and r2 the share of its values' variance around their mean, place by place.
    Of a categorical column r2 is the share of the variance of its levels' indicators, summed.  log_likelihood is the
    mean ``log p(x | z)`` (nats a person, of a numeric column in its units) over those who have the column; NaN for
    images and series, and for a number that is a latent itself.
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
        if not representation.network.codecs[m].large:
            observed = modality.values
            r2, likelihood = _explained(representation, m, observed, np.nan_to_num(latents))
        else:
            known = ~np.isnan(latents[:, shown]).any(1)
            observed, r2 = _channels(representation, m, people, np.nan_to_num(latents), known)
            likelihood = [np.nan] * len(r2)
        columns[name] = pd.DataFrame(observed, index=cohort.ids, columns=modality.names)
        for c, column in enumerate(modality.names):
            for i in shown:
                seen = ~np.isnan(observed[:, c]) & ~np.isnan(latents[:, i])
                loading = _rank_correlation(latents[seen, i], observed[seen, c])
                rows.append((name, names[i], column, loading, float(r2[c]), float(likelihood[c])))
    return pd.DataFrame(rows, columns=LOADING_COLUMNS), columns


def _rank_correlation(x: np.ndarray, y: np.ndarray) -> float:
    """Spearman's, NaN where one does not vary."""
    vary = len(x) > 1 and np.ptp(x) > 0 and np.ptp(y) > 0
    return float(spearmanr(x, y).statistic) if vary else np.nan


def _explained(
    representation: Representation, m: int, observed: np.ndarray, z: np.ndarray
) -> tuple[list[float], list[float]]:
    """Share of every column (n,) of a table that is explained, and its mean log-likelihood, where it is there."""
    expected, probabilities = representation.expected(m, z), representation.probabilities(m, z)
    spread, shares, likelihoods = representation.spread(m), [], []
    for c, (column, guess) in enumerate(zip(observed.T, expected.T, strict=True)):
        seen = ~np.isnan(column)
        x, told = column[seen], guess[seen]
        if c not in probabilities:
            likelihoods.append(_gaussian(x - told, spread[c]))
        else:
            at, chances = at_levels(x, representation.levels(m)[c]), probabilities[c][seen]
            terms = np.log(np.maximum(chances[at], np.finfo(float).tiny))
            likelihoods.append(float(terms.mean()) if len(terms) else np.nan)
            if representation.views[m].column_kinds[c] == "categorical":
                x, told = at.astype(float), chances
        shares.append(_share(x, told))
    return shares, likelihoods


def _share(x: np.ndarray, guess: np.ndarray) -> float:
    """Share of the variance of x (n, *) that is explained, NaN where x does not vary."""
    spread = np.var(x, axis=0).sum() if len(x) else 0.0
    return float(1 - ((x - guess) ** 2).mean(0).sum() / spread) if spread > 0 else np.nan


def _gaussian(residual: np.ndarray, spread: float) -> float:
    """Mean log-density of residuals (n,) with this standard deviation, nats; NaN without one."""
    return float(norm.logpdf(residual, scale=spread).mean()) if spread > 0 and len(residual) else np.nan


def _channels(
    representation: Representation, m: int, people: People, z: np.ndarray, known: np.ndarray
) -> tuple[np.ndarray, list[float]]:
    """Summaries (n, c) of every channel, and the share of each channel (c,) that is explained."""
    codec = representation.network.codecs[m]
    size, n_channels = int(codec.at_once), int(codec.shape[0])  # type: ignore
    summaries, sums = np.empty((len(z), n_channels)), [torch.zeros(())] * 4
    for start, features in zip(range(0, max(1, len(z)), size), pieces_of(people.features[m], size), strict=True):
        summaries[start : start + size] = codec.summary(features).double().cpu().numpy()  # type: ignore[operator]
        rows = known[start : start + size]
        seen = features.cpu()[torch.from_numpy(rows)].double()
        left = (seen - representation.decoded(m, z[start : start + size][rows])).nan_to_num_().square_().sum(0)
        parts = (~seen.isnan()).sum(0), seen.nan_to_num_().sum(0), seen.square_().sum(0), left  # one copy, in place
        sums = [total + part for total, part in zip(sums, parts, strict=True)]
    count, first, second, left = sums
    spread = second - first**2 / count.clamp_min(1)
    unexplained = left.reshape(n_channels, -1).sum(1) / spread.reshape(n_channels, -1).sum(1)
    return summaries, (1 - unexplained).tolist()


def upward(loadings: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
    """Signs (d,) that make every latent point up along the column that it correlates with most."""
    strongest = loadings.loc[
        loadings.groupby("latent", sort=False)["loading"].apply(lambda s: s.abs().fillna(0).idxmax())
    ]
    signs = strongest.set_index("latent")["loading"].reindex(list(names))
    return np.where(signs < 0, -1.0, 1.0)
