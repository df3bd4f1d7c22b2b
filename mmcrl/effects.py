"""Effects: what a link comes to in the observed columns, in standard deviations, with an interval.

For a link of the latents s and t and a column x that t's modality shows, over the people for whom all is measured,

    x / sd(x) = const + beta z_s / sd(z_s) + sum over k in A of gamma_k z_k + residual,

by least squares.  ``beta`` is the effect: by how many standard deviations the column differs between people who
differ by one standard deviation in s and in none of A.  A holds the other latents that are linked to t, and t's
siblings, which the column shows as well; not those that t is known to act on, which come after it.

It is an association (a partial regression coefficient).  What it says about acting on s rests on the direction of the
link and on there being no common cause outside the data; an undirected link is told both ways round, and neither says
what acts on what.  The interval holds the middle 95 % of the same number in 400 bootstrap samples of people (Efron,
Bootstrap methods: another look at the jackknife, 1979); it takes the latents and the columns that are shown as given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from mmcrl.adjacency import confident_links
from mmcrl.evidence import PEOPLE_PER_REGRESSOR
from mmcrl.knowledge import labels_of, numbers_of

__all__ = ["EFFECT_COLUMNS", "effect_table", "partial_effect", "with_effects"]

EFFECT_COLUMNS = ["source", "target", "column", "effect", "low", "high", "direction"]

_DRAWS = 400
_SMALLEST_LOADING = 0.3


def effect_table(
    latents: pd.DataFrame,
    observed: Mapping[str, pd.DataFrame],
    links: pd.DataFrame,
    loadings: pd.DataFrame,
    confidence: float = 0.5,
    *,
    most: int = 3,
    seed: int = 0,
) -> pd.DataFrame:
    """Columns `EFFECT_COLUMNS`: one row per link of at least this confidence and column of its target.

    Parameters
    ----------
    latents : (n, d) of people whom the fit has not seen.
    observed : per modality its columns (n, c) of the same people; those of images and series are summaries, one a
        channel (see `mmcrl.kinds.codec.Codec.summary`).
    links, loadings : of `MultimodalCRL.links` and `MultimodalCRL.loadings`.
    most : columns per target: those with the largest loadings, at least 0.3 (the first always).

    Returns
    -------
    source, target, column (``modality.column``), effect with low and high (standard deviations of the column, NaN
    with fewer than 10 people per regressor), direction of the link.  An undirected link has rows for both ways.

    Raises
    ------
    InputError : for a confidence outside [0, 1], and what is no table of links or of numbers.
    """
    kept = confident_links(links, confidence)
    names = labels_of(latents)
    z = dict(zip(names, numbers_of(latents).T, strict=True))
    shown = loadings.groupby("modality", sort=False)["latent"].agg(set)
    rows = []
    for source, target, direction in _ways(kept):
        siblings = set().union(*(found for found in shown if target in found))
        beside = (_linked(kept, target) | siblings) - _acted_on(kept, target) - {source, target}
        given = [z[name] for name in names if name in beside]
        for modality, column in _columns(loadings, target, most):
            x = observed[modality][column].to_numpy(float)
            rows.append(
                (source, target, f"{modality}.{column}", *partial_effect(z[source], given, x, seed), direction)
            )
    return pd.DataFrame(rows, columns=EFFECT_COLUMNS)


def with_effects(links: pd.DataFrame, effects: pd.DataFrame) -> pd.DataFrame:
    """Links with the effect on the column that says most of their target: effect_on, effect, effect_low, effect_high.

    ``effects`` are those of `effect_table`; links that it does not tell of have none: an empty name and NaN.
    """
    names = {"column": "effect_on", "low": "effect_low", "high": "effect_high"}
    first = effects.drop_duplicates(["source", "target"]).drop(columns="direction").rename(columns=names)
    types = {"effect_on": str, "effect": float, "effect_low": float, "effect_high": float}  # also without any effect
    return links.merge(first, "left", ["source", "target"]).fillna({"effect_on": ""}).astype(types)


def partial_effect(
    source: np.ndarray, given: Sequence[np.ndarray], x: np.ndarray, seed: int = 0
) -> tuple[float, float, float]:
    """The standardised partial regression coefficient of x (n,) on the source (n,), and its 95 % interval.

    Computed from second moments: with C the covariance of source, given and x, ``beta = (C_zz^-1 C_zx)_1
    sd(source) / sd(x)``; a bootstrap sample is a weighting of people.

    >>> rng = np.random.default_rng(0)
    >>> a, b = rng.normal(size=(2, 4000))
    >>> [round(number, 1) for number in partial_effect(a, [b], 0.6 * a + 0.8 * b)]
    [0.6, 0.6, 0.6]
    """
    values = np.column_stack([source, *given, x])
    values = values[~np.isnan(values).any(1)]
    n, p = values.shape
    if n < PEOPLE_PER_REGRESSOR * p or not values[:, [0, -1]].std(0).all():
        return np.nan, np.nan, np.nan
    values = (values - values.mean(0)) / np.where(values.std(0) > 0, values.std(0), 1)
    first, second = np.triu_indices(p)
    moments = np.column_stack([values, values[:, first] * values[:, second]])
    weights = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=_DRAWS)
    found = _coefficients(np.vstack([moments.mean(0), weights @ moments / n]), p)
    low, high = np.quantile(found[1:], [0.025, 0.975])
    return float(found[0]), float(low), float(high)


def _coefficients(moments: np.ndarray, p: int) -> np.ndarray:
    """The coefficient (b,) of every sample's first and second moments (b, p + p (p + 1) / 2)."""
    mean, square = moments[:, :p], np.zeros((len(moments), p, p))
    first, second = np.triu_indices(p)
    square[:, first, second] = square[:, second, first] = moments[:, p:]
    covariance = square - mean[:, :, None] * mean[:, None]
    inner = covariance[:, :-1, :-1] + 1e-9 * np.eye(p - 1)
    beta = np.linalg.solve(inner, covariance[:, :-1, -1:])[:, 0, 0]
    spread = np.sqrt(np.maximum(covariance[:, [0, -1], [0, -1]], 0))
    return beta * spread[:, 0] / np.maximum(spread[:, 1], 1e-12)


def _ways(links: pd.DataFrame) -> list[tuple[str, str, str]]:
    """(source, target, direction) of every link, an undirected one both ways."""
    ways = []
    for source, target, direction in zip(links["source"], links["target"], links["direction"], strict=True):
        ways.append((str(source), str(target), str(direction)))
        if direction == "undirected":
            ways.append((str(target), str(source), str(direction)))
    return ways


def _linked(links: pd.DataFrame, latent: str) -> set[str]:
    return {*links.loc[links["source"] == latent, "target"], *links.loc[links["target"] == latent, "source"]}


def _acted_on(links: pd.DataFrame, latent: str) -> set[str]:
    return set(links.loc[(links["source"] == latent) & (links["direction"] == "directed"), "target"])


def _columns(loadings: pd.DataFrame, latent: str, most: int) -> list[tuple[str, str]]:
    """(modality, column) of the columns that say most of a latent."""
    own = loadings[loadings["latent"] == latent]
    strongest = own.loc[own["loading"].abs().sort_values(ascending=False, kind="stable").index[:most]]
    telling = strongest["loading"].abs() >= _SMALLEST_LOADING
    telling.iloc[:1] = True
    kept = strongest[telling]
    return list(zip(kept["modality"].astype(str), kept["column"].astype(str), strict=True))
