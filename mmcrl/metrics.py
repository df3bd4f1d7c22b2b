"""Metrics: how much of a known truth an estimate has recovered.

Latents are tables like `MultimodalCRL.transform`'s: index = people, columns (modality, latent).  An estimate is only
determined up to order and an invertible function of each latent, so every score looks for the best matching inside
each modality first.  Give people whom the estimator has not seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment
from scipy.stats import special_ortho_group
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, QuantileTransformer, StandardScaler

from mmcrl.errors import InputError
from mmcrl.evidence import normal_scores

__all__ = ["align", "angle", "floor", "match", "mcc", "r2", "score", "shd"]

Scope = Literal["all", "cross", "within"]


def match(true: pd.DataFrame, estimated: pd.DataFrame) -> dict[str, str]:
    """The estimated latent of each true one: per modality, the assignment with the largest sum of |Spearman|.

    Only matched latents appear (a modality with fewer estimates than truths leaves some out).

    >>> truth = pd.DataFrame({("a", 0): [1.0, 2, 3, 4], ("a", 1): [1.0, 3, 2, 0]})
    >>> match(truth, truth[[("a", 1), ("a", 0)]].set_axis(truth.columns, axis=1))
    {'a.0': 'a.1', 'a.1': 'a.0'}
    """
    pairs = {}
    for name, first, second in _blocks(true, estimated):
        rows, columns = _assignment(_rank_correlation(first, second))
        t, e = true[name].columns, estimated[name].columns
        pairs.update({f"{name}.{t[i]}": f"{name}.{e[j]}" for i, j in zip(rows, columns, strict=True)})
    return pairs


def mcc(true: pd.DataFrame, estimated: pd.DataFrame) -> float:
    """Mean over true latents of |Spearman| with their match; an unmatched one counts 0.

    Invariant to order, sign and monotone functions of each latent.  It flatters: read it beside `floor`.

    Raises
    ------
    InputError : for other modalities, or people that differ.
    """
    values: list[float] = []
    for _, first, second in _blocks(true, estimated):
        correlation = _rank_correlation(first, second)
        matched = correlation[_assignment(correlation)]
        values += [*matched, *[0.0] * (first.shape[1] - len(matched))]
    return float(np.mean(values))


def r2(true: pd.DataFrame, estimated: pd.DataFrame, seed: int = 0) -> float:
    """Share of each true block's variance that its estimated block explains, nonlinearly, on held-out people.

    ``1 - sum (z - f(z_hat))^2 / sum (z - mean)^2``, f a ridge regression on the values, their normal scores and
    300 Nystroem features of these, fitted on one half of the people and scored on the other; the mean over
    latents.  Noise scores about 0.
    """
    values: list[float] = []
    for _, first, second in _blocks(true, estimated):
        order = np.random.default_rng(seed).permutation(len(first))
        fit, held = order[: len(order) // 2], order[len(order) // 2 :]
        model = _regression(second.shape[1], len(fit), seed).fit(second[fit], first[fit])
        residual = first[held] - model.predict(second[held]).reshape(len(held), -1)
        values += list(1 - (residual**2).mean(0) / ((first[held] - first[fit].mean(0)) ** 2).mean(0))
    return float(np.mean(values))


def angle(true: pd.DataFrame, estimated: pd.DataFrame) -> pd.Series:
    """Off-axis angle (degrees) of every true latent: 0 is a component of its own, 45 undecided.

    Both blocks to normal scores, the true latent regressed on the estimated ones jointly;
    ``atan(second largest |weight| / largest |weight|)``.  A block of one latent has 0.
    """
    angles = {}
    for name, first, second in _blocks(true, estimated):
        x, y = normal_scores(second), normal_scores(first)
        weights = np.abs(np.linalg.lstsq(x, y, rcond=None)[0])
        for i, label in enumerate(true[name].columns):
            largest = np.sort(weights[:, i])[::-1]
            angles[f"{name}.{label}"] = (
                float(np.degrees(np.arctan2(largest[1], largest[0]))) if len(largest) > 1 else 0.0
            )
    return pd.Series(angles, name="angle")


def floor(true: pd.DataFrame, seed: int = 0, draws: int = 200, people: int = 2000) -> dict[str, float]:
    """MCC by chance: every block recovered perfectly, then rotated at random inside (mean, 95 % quantile).

    Blocks are whitened, rotated by a Haar-random rotation, and scored; at most ``people`` rows are used.
    """
    rng = np.random.default_rng(seed)
    rows = true.dropna()
    rows = rows.iloc[np.sort(rng.permutation(len(rows))[:people])]
    whitened = {name: _whiten(rows[name].to_numpy()) for name in _modalities(rows)}
    values = []
    for _ in range(draws):
        correlations = []
        for name, white in whitened.items():
            k = white.shape[1]
            rotation = special_ortho_group.rvs(k, random_state=rng) if k > 1 else np.eye(1)
            matrix = _rank_correlation(rows[name].to_numpy(), white @ rotation)
            correlations += list(matrix[_assignment(matrix)])
        values.append(np.mean(correlations))
    return {"mean": float(np.mean(values)), "q95": float(np.quantile(values, 0.95))}


def shd(
    true_adjacency: pd.DataFrame | np.ndarray,
    estimated_adjacency: pd.DataFrame | np.ndarray,
    *,
    skeleton: bool = False,
    scope: Scope = "all",
) -> int:
    """Structural Hamming distance: pairs whose state (A_ij, A_ji) differs; a reversal counts once.

    With ``skeleton`` directions are ignored; ``scope`` restricts to pairs across or within modalities (labels
    ``modality.number``).  An undirected link fills both entries, so without ``skeleton`` it differs from a directed.

    Raises
    ------
    InputError : for other shapes or labels, or entries that are not 0 or 1.

    >>> shd(np.array([[0, 0], [1, 0]]), np.array([[0, 1], [0, 0]]))
    1
    >>> shd(np.array([[0, 0], [1, 0]]), np.array([[0, 1], [0, 0]]), skeleton=True)
    0
    """
    first, second = _square("true_adjacency", true_adjacency), _square("estimated_adjacency", estimated_adjacency)
    if set(first.index) != set(second.index):
        raise InputError("estimated_adjacency", f"labels {sorted(first.index)}", f"{sorted(second.index)}")
    a = first.to_numpy(dtype=bool)
    b = second.loc[first.index, first.index].to_numpy(dtype=bool)
    if skeleton:
        a, b = a | a.T, b | b.T
    differs = np.triu((a != b) | (a != b).T, 1)
    if scope == "all":
        return int(differs.sum())
    if scope not in ("cross", "within"):
        raise InputError("scope", "all, cross or within", repr(scope))
    modality = np.array([str(label).rsplit(".", 1)[0] for label in first.index])
    same = modality[:, None] == modality[None]
    return int((differs & (same if scope == "within" else ~same)).sum())


def align(adjacency: pd.DataFrame, matching: Mapping[str, str]) -> pd.DataFrame:
    """An estimated adjacency in the order and names of the true latents; unmatched estimates are left out.

    Raises
    ------
    InputError : when a matched latent is not in the adjacency.
    """
    missing = [name for name in matching.values() if name not in adjacency.index]
    if missing:
        raise InputError("matching", f"names among {list(adjacency.index)}", repr(missing[0]))
    estimated = list(matching.values())
    names = list(matching)
    return adjacency.loc[estimated, estimated].set_axis(names, axis=0).set_axis(names, axis=1)


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


def _blocks(true: pd.DataFrame, estimated: pd.DataFrame) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """(modality, true (n, k), estimated (n, l)) of the people who have both, in the order of the truth."""
    for argument, table in (("true", true), ("estimated", estimated)):
        if not isinstance(table, pd.DataFrame) or table.columns.nlevels != 2:
            raise InputError(argument, "a DataFrame with columns (modality, latent)", type(table).__name__)
    missing = set(_modalities(true)) - set(_modalities(estimated))
    if missing:
        raise InputError("estimated", f"modalities {_modalities(true)}", f"none called {sorted(missing)[0]}")
    if len(true) != len(estimated) or not true.index.equals(estimated.index):
        raise InputError("estimated", f"the {len(true)} people of true, in their order", f"{len(estimated)} others")
    for name in _modalities(true):
        first, second = true[name].to_numpy(float), estimated[name].to_numpy(float)
        seen = ~(np.isnan(first).any(1) | np.isnan(second).any(1))
        if seen.sum() < 4:
            raise InputError("estimated", f"at least 4 people with {name} in both", str(int(seen.sum())))
        yield name, first[seen], second[seen]


def _rank_correlation(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """|Spearman| (k, l) of every pair of columns; 0 for a constant column."""
    ranks = pd.DataFrame(np.column_stack([first, second])).rank().to_numpy()
    centred = ranks - ranks.mean(0)
    size = np.sqrt((centred**2).sum(0))
    unit = centred / np.where(size > 0, size, 1)
    k = first.shape[1]
    return np.abs(unit[:, :k].T @ unit[:, k:])


def _assignment(correlation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = linear_sum_assignment(-correlation)
    return np.asarray(rows), np.asarray(columns)


def _regression(k: int, n: int, seed: int) -> Pipeline:
    components = min(300, n // 3)
    scores = QuantileTransformer(n_quantiles=min(1000, n), output_distribution="normal", subsample=None)
    smooth = make_pipeline(scores, Nystroem(gamma=0.3 / k, n_components=components, random_state=seed))
    features = make_union(FunctionTransformer(), scores, smooth)
    return make_pipeline(StandardScaler(), features, RidgeCV(np.logspace(-4, 2, 7)))


def _whiten(block: np.ndarray) -> np.ndarray:
    centred = block - block.mean(0)
    values, vectors = np.linalg.eigh(np.cov(centred.T).reshape(block.shape[1], -1))
    return centred @ vectors / np.sqrt(np.maximum(values, 1e-12))


def _square(argument: str, given: pd.DataFrame | np.ndarray) -> pd.DataFrame:
    frame = pd.DataFrame(given)
    if frame.shape[0] != frame.shape[1] or list(frame.index) != list(frame.columns):
        raise InputError(argument, "a square matrix with equal row and column labels", f"shape {frame.shape}")
    if not frame.isin([0, 1]).to_numpy().all():
        raise InputError(argument, "entries 0 or 1", "other values")
    return frame
