"""Metrics: how much of a known truth an estimate has recovered.

Latents are tables like `MultimodalCRL.transform`'s: index = people, columns (modality, latent).  An estimate is only
determined up to order and an invertible function of each latent, so every score looks for the best matching inside
each modality first.  People in both tables count, and in each modality those with a value in both.  Give people
whom the estimator has not seen.  A true modality of which the estimate has nothing counts as one that was not found;
a modality that the truth lacks is not looked at.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment
from scipy.stats import special_ortho_group
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, QuantileTransformer, RobustScaler, StandardScaler

from mmcrl.densities import normal_scores
from mmcrl.distance import align, shd
from mmcrl.errors import InputError

__all__ = ["align", "angle", "floor", "match", "mcc", "r2", "score", "shd"]


def match(true: pd.DataFrame, estimated: pd.DataFrame) -> dict[str, str]:
    """The estimated latent of each true one.

    Per modality, the assignment with the largest sum of absolute Spearman correlations.
    Only matched latents appear (a modality with fewer estimates than truths, or none, leaves some out).

    >>> truth = pd.DataFrame({("a", 0): [1.0, 2, 3, 4], ("a", 1): [1.0, 3, 2, 0]})
    >>> match(truth, truth[[("a", 1), ("a", 0)]].set_axis(truth.columns, axis=1))
    {'a.0': 'a.1', 'a.1': 'a.0'}
    """
    pairs = {}
    for name, first, second in _blocks(true, estimated):
        rows, columns = _assignment(_rank_correlation(first, second))
        t, e = _labels(true, name), _labels(estimated, name)
        pairs.update({f"{name}.{t[i]}": f"{name}.{e[j]}" for i, j in zip(rows, columns, strict=True)})
    return pairs


def mcc(true: pd.DataFrame, estimated: pd.DataFrame, *, nonlinear: bool = False, seed: int = 0) -> float:
    """Mean over true latents of the absolute Spearman correlation with their match; an unmatched one counts 0.

    Invariant to order, sign and every invertible monotone function of each latent.  Functions that are not monotone
    need ``nonlinear``: the correlation is then ``sqrt(max(R2, 0))``, R2 as in `r2` of one true latent on one
    estimated latent.  MCC flatters: read it beside `floor`.

    Raises
    ------
    InputError : for tables of another shape, and where no modality, or nobody, is in both.

    Source: Hyvärinen and Morioka, Unsupervised feature extraction by time-contrastive learning and nonlinear ICA
    (2016), arXiv:1605.06336.
    """
    values: list[float] = []
    for name, first, second in _blocks(true, estimated):
        if nonlinear:
            explained = [_explained(name, first, second[:, [j]], seed) for j in range(second.shape[1])]
            correlation = np.sqrt(np.maximum(explained, 0)).reshape(-1, first.shape[1]).T
        else:
            correlation = _rank_correlation(first, second)
        matched = correlation[_assignment(correlation)]
        values += [*matched, *[0.0] * (first.shape[1] - len(matched))]
    return float(np.mean(values))


def r2(true: pd.DataFrame, estimated: pd.DataFrame, seed: int = 0) -> float:
    """Share of each true block's variance that its estimated block explains, nonlinearly, on held-out people.

    ``1 - sum (z - f(z_hat))^2 / sum (z - mean)^2``, f a ridge regression on two codings of the block that no
    outlier rules, ``asinh`` and normal scores, and up to 100 Nystroem features of each; fitted on one half of the
    people, scored on the other; the mean over latents.  Noise scores about 0, a block without an estimate 0.

    Raises
    ------
    InputError : as `mcc`, and for infinite values and a true latent that does not vary.

    Source: Williams and Seeger, Using the Nyström method to speed up kernel machines (2000).
    """
    values = [_explained(*block, seed) for block in _blocks(true, estimated)]
    return float(np.concatenate(values).mean())


def angle(true: pd.DataFrame, estimated: pd.DataFrame) -> pd.Series:
    """Off-axis angle (degrees) of every true latent: 0 is a component of its own, 45 undecided.

    Both blocks to normal scores, the true latent regressed on the estimated ones jointly;
    ``atan(second largest |weight| / largest |weight|)``.  A block of one latent has 0; a true latent without a
    match, because its block has too few estimates or none, has 45.
    """
    angles = {}
    for name, first, second in _blocks(true, estimated):
        weights = np.abs(np.linalg.lstsq(normal_scores(second), normal_scores(first), rcond=None)[0])
        largest = -np.sort(-np.vstack([weights, np.zeros((2, first.shape[1]))]), axis=0)
        degrees = np.degrees(np.arctan2(largest[1], largest[0]))
        rows, _ = _assignment(_rank_correlation(first, second))
        degrees[np.setdiff1d(np.arange(len(degrees)), rows)] = 45.0
        angles.update({f"{name}.{label}": d for label, d in zip(true[name].columns, degrees, strict=True)})
    return pd.Series(angles, name="angle")


def floor(true: pd.DataFrame, seed: int = 0, draws: int = 200, people: int = 2000) -> dict[str, float]:
    """MCC by chance: every block recovered perfectly, then rotated at random inside (mean, 95 % quantile).

    Blocks are brought to normal scores and rotated by Haar-random rotations.  Normal scores make the floor blind to
    monotone functions of a latent, as MCC itself is.  About .89 for two independent latents, .82 for three, .76 for
    four, and more when siblings correlate (.93 for two at a correlation of .9).  At most ``people`` rows are used.
    """
    rng = np.random.default_rng(seed)
    blocks = []
    for name in _modalities(true):
        block = true[name].dropna().to_numpy(float)
        scores = normal_scores(block[np.sort(rng.permutation(len(block))[:people])])
        blocks.append(scores)
    values = []
    for _ in range(draws):
        correlations: list[float] = []
        for scores in blocks:
            k = scores.shape[1]
            rotation = special_ortho_group.rvs(k, random_state=rng) if k > 1 else np.eye(1)
            matrix = _rank_correlation(scores, scores @ rotation)
            correlations += list(matrix[_assignment(matrix)])
        values.append(np.mean(correlations))
    return {"mean": float(np.mean(values)), "q95": float(np.quantile(values, 0.95))}


def score(true: pd.DataFrame, estimated: pd.DataFrame, seed: int = 0) -> dict[str, float]:
    """MCC beside its floor, R2, and the off-axis angles (degrees)."""
    angles, by_chance = angle(true, estimated), floor(true, seed)
    return {
        "mcc": mcc(true, estimated),
        "floor_mean": by_chance["mean"],
        "floor_q95": by_chance["q95"],
        "r2": r2(true, estimated, seed),
        "angle_median": float(angles.median()),
        "angle_worst": float(angles.max()),
    }


def _modalities(latents: pd.DataFrame) -> list[str]:
    return list(dict.fromkeys(latents.columns.get_level_values(0)))


def _labels(latents: pd.DataFrame, name: str) -> pd.Index:
    """The latents of one modality; none where the table lacks it."""
    return latents.columns[latents.columns.get_level_values(0) == name].get_level_values(1)


def _blocks(true: pd.DataFrame, estimated: pd.DataFrame) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """(modality, true (n, k), estimated (n, l)) of the people who have both, in the order of the truth.

    l = 0, and everybody who has the truth, for a modality that the estimate lacks or has of nobody.
    """
    for argument, table in (("true", true), ("estimated", estimated)):
        if not isinstance(table, pd.DataFrame) or table.columns.nlevels != 2:
            raise InputError(argument, "a DataFrame with columns (modality, latent)", type(table).__name__)
        if not (table.index.is_unique and table.columns.is_unique):
            raise InputError(argument, "one row per person and one column per latent", "repeated labels")
    shown = _modalities(estimated)
    if not set(shown) & set(_modalities(true)):
        raise InputError("estimated", f"latents of modalities among {_modalities(true)}", f"those of {shown}")
    people = true.index.intersection(estimated.index, sort=False)
    if people.empty:
        raise InputError("estimated", "people of true (the same index)", f"{len(estimated)} others")
    blocks = []
    for name in _modalities(true):
        first = true.loc[people, name].to_numpy(float)
        second = estimated.loc[people, name].to_numpy(float) if name in shown else np.empty((len(people), 0))
        if np.isnan(second).all():
            second = second[:, :0]
        seen = ~(np.isnan(first).any(1) | np.isnan(second).any(1))
        if seen.sum() < 4:
            raise InputError("estimated", f"at least 4 people with {name} in both", "fewer")
        blocks.append((name, first[seen], second[seen]))
    if not any(second.size for _, _, second in blocks):
        raise InputError("estimated", "latents of somebody who is in true", "only missing values")
    return blocks


def _rank_correlation(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """absolute Spearman (k, l) of every pair of columns; 0 for a constant column."""
    ranks = pd.DataFrame(np.column_stack([first, second])).rank().to_numpy()
    centred = ranks - ranks.mean(0)
    size = np.sqrt((centred**2).sum(0))
    unit = centred / np.where(size > 0, size, 1)
    k = first.shape[1]
    return np.abs(unit[:, :k].T @ unit[:, k:])


def _assignment(correlation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = linear_sum_assignment(-correlation)
    return np.asarray(rows), np.asarray(columns)


def _explained(name: str, first: np.ndarray, second: np.ndarray, seed: int) -> np.ndarray:
    """Held-out R2 (k,) of every column of the true block (n, k) of a modality given the estimated block (n, l)."""
    for argument, values in (("true", first), ("estimated", second)):
        if np.isinf(values).any():
            raise InputError(argument, "finite numbers, NaN where not measured", f"infinite values of {name}")
    order = np.random.default_rng(seed).permutation(len(first))
    fit, held = order[: len(order) // 2], order[len(order) // 2 :]
    variance = ((first[held] - first[fit].mean(0)) ** 2).mean(0)
    if ((first == first[0]).all(0) | (variance == 0)).any():
        raise InputError("true", "latents that vary among the people in both tables", f"a constant one of {name}")
    if not second.shape[1]:
        return np.zeros(first.shape[1])
    model = _regression(second.shape[1], len(fit), seed).fit(second[fit], first[fit])
    residual = first[held] - model.predict(second[held]).reshape(len(held), -1)
    return 1 - (residual**2).mean(0) / variance


def _regression(width: int, n: int, seed: int) -> Pipeline:
    kernel = {"gamma": 0.3 / width, "n_components": max(1, min(100, n // 6)), "random_state": seed}
    soft = make_pipeline(RobustScaler(), FunctionTransformer(np.arcsinh), StandardScaler())
    ranks = QuantileTransformer(n_quantiles=min(1000, n), output_distribution="normal", subsample=None)
    smooth = [make_pipeline(coding, Nystroem(**kernel)) for coding in (soft, ranks)]
    return make_pipeline(make_union(soft, ranks, *smooth), RidgeCV(np.logspace(-4, 4, 9)))
