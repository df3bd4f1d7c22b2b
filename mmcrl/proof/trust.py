"""Trust: how often links that are claimed are false, how many true ones are found, and whether confidence is right.

For one world with R links claimed at ``q <= rate``, V of them false (the two latents are not adjacent in the true
graph), and T true links, the false-discovery proportion is ``V / max(R, 1)`` and the power ``(R - V) / T``; the
false-discovery rate is the mean of the proportion over worlds.  Each is told for the links between modalities
(``cross``), within them (``within``), and all together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, get_args

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from mmcrl import metrics
from mmcrl.links import link_table
from mmcrl.model import MultimodalCRL
from mmcrl.proof.study import NONE
from mmcrl.simulate import GraphFamily, Noise, numeric
from mmcrl.simulate.suite import parts, suite

__all__ = [
    "BINS",
    "RATE",
    "calibration",
    "confident",
    "judged",
    "pooled",
    "rates",
    "true_links",
    "trust_of_fit",
    "trust_of_latents",
    "weighted",
]

RATE = 0.05  # nominal false-discovery rate
BINS = 10  # of confidence, equally wide
_LEVELS = (0.05, 0.01, 0.001)
_GRADES = (1, 0.4, 0.1)  # of the people who have a finding: at least mild, at least moderate, severe

Numbers = dict[str, float | int]


def trust_of_latents(
    family: GraphFamily,
    strength: float,
    seed: int,
    n_worlds: int = 13,
    n_people: int = 2_500,
    error: float = 0.1,
    prevalence: float = 0,
    steps: bool = False,
    missing: float = 0,
) -> Numbers:
    """`pooled` over worlds whose true latents are known up to an error of this many standard deviations.

    No encoder is fitted: this is the error of links, not of latents.  The worlds differ in their seed, the number of
    modalities (2 to 5), the noise, and whether siblings are linked; parents move the noise's scale in proportion to
    ``strength``, so that weak links are weak in every way.  ``n_people`` are those that a fit with 10,000 holds out.
    With ``steps`` a latent's causes act by a threshold of all of them at once.  A share of the modalities is
    ``missing``, completely at random.  With a ``prevalence`` every latent that acts on none is told as a finding that
    this share of people have, in three grades: all others share one value of it.
    """
    rng = np.random.default_rng([seed, get_args(GraphFamily).index(family), round(1000 * strength)])
    shape = {"graph": family, "strength": strength, "heteroscedasticity": strength / 2, "steps": steps}
    return pooled([_of_latents(rng, n_people, error, prevalence, missing, **shape) for _ in range(n_worlds)])


def trust_of_fit(world: str, seed: int, n_people: int = 10_000, **training: Any) -> Numbers:
    """`pooled` of one world of `mmcrl.simulate.suite.suite`, latents and links estimated by a whole fit.

    Estimated latents take the names of the true ones that they match on held-out people.
    """
    made = suite(world, n_people, seed)
    train, held_out = parts(made)
    model = MultimodalCRL(made.n_latents, seed, **training).fit(train, progress=False)
    truth, estimate = made.latents.loc[held_out.ids], model.transform(held_out)
    matching = metrics.match(truth, estimate)
    found = judged(model.links(), made.adjacency, {estimated: true for true, estimated in matching.items()})
    return {"mcc": metrics.mcc(truth, estimate), **pooled([found])}


def judged(links: pd.DataFrame, adjacency: pd.DataFrame, names: dict[str, str] | None = None) -> pd.DataFrame:
    """The table of links with the column ``true``: whether the pair is adjacent in the true graph.

    ``names`` leads from the names of the links to those of the graph; a pair with an end that it lacks is left out.
    """
    if names is not None:
        links = links.assign(source=links["source"].map(names), target=links["target"].map(names)).dropna(
            subset=["source", "target"]
        )
    linked = true_links(adjacency)
    pairs = zip(links["source"], links["target"], strict=True)
    return links.assign(true=[frozenset(pair) in linked for pair in pairs])


def true_links(adjacency: pd.DataFrame) -> set[frozenset[str]]:
    """The pairs of latents that are adjacent, whichever causes which."""
    names = [str(name) for name in adjacency.index]
    return {frozenset((names[i], names[j])) for i, j in np.argwhere(adjacency.to_numpy())}


def pooled(worlds: Sequence[pd.DataFrame]) -> Numbers:
    """What the tables `judged` of several worlds say together.

    ``fdr``, ``fdr_sd``, ``power`` (and with ``_cross``, ``_within``): means over worlds, and the proportion's spread;
    power is missing where no world has a link of that scope.  ``n_null`` pairs are not linked, a share ``null_0.05``
    of them has a p-value up to .05.  Of the pairs whose confidence lies in the k-th of `BINS` there are ``pairs_k``,
    ``confidence_k`` is the sum of their confidences, and ``right_k`` of them are linked.
    """
    numbers: Numbers = {"n_worlds": len(worlds)}
    for suffix, scopes in (("", ["cross", "within"]), ("_cross", ["cross"]), ("_within", ["within"])):
        rows = [_errors(links[links["scope"].isin(scopes)]) for links in worlds]
        false, power = np.array(rows).T
        numbers |= {f"fdr{suffix}": float(false.mean()), f"fdr_sd{suffix}": float(false.std())}
        numbers[f"power{suffix}"] = float(np.nanmean(power)) if not np.isnan(power).all() else math.nan
    pairs = pd.concat(worlds, ignore_index=True)
    null = pairs[~pairs["true"]]
    numbers |= {"n_links": int(pairs["true"].sum()), "n_null": len(null)}
    numbers |= {f"null_{level}": float((null["p_value"] <= level).mean()) for level in _LEVELS}
    place = np.minimum((pairs["confidence"] * BINS).astype(int), BINS - 1)
    for k in range(BINS):
        within = pairs[place == k]
        numbers |= {f"pairs_{k}": len(within), f"right_{k}": int(within["true"].sum())}
        numbers[f"confidence_{k}"] = float(within["confidence"].sum())
    return numbers


def _errors(links: pd.DataFrame) -> tuple[float, float]:
    """False-discovery proportion and power of one world."""
    claimed, true = (links["q_value"] <= RATE).to_numpy(), links["true"].to_numpy(bool)
    found = int((claimed & true).sum())
    return (claimed.sum() - found) / max(claimed.sum(), 1), found / true.sum() if true.any() else math.nan


def _of_latents(
    rng: np.random.Generator, n_people: int, error: float, prevalence: float, missing: float, **shape: Any
) -> pd.DataFrame:
    n_modalities = int(rng.integers(2, 6))
    world = numeric(
        n_modalities,
        2,
        n_people,
        int(rng.integers(2**31)),
        n_columns=4,
        noise=get_args(Noise)[rng.integers(len(get_args(Noise)))],
        within=0.5 * int(rng.integers(2)),
        nested=True,
        missing=min(missing, 1 - 1 / n_modalities),
        **shape,
    )
    z = world.latents.to_numpy()
    seen = z / z.std(0) + error * rng.normal(size=z.shape)
    if prevalence:
        last = ~world.adjacency.to_numpy().any(0)
        seen[:, last] = _graded(seen[:, last], prevalence)
    measured = np.column_stack([world.cohort[name].measured for name in world.cohort.names])
    seen[~measured.repeat(2, axis=1)] = np.nan
    return judged(link_table(seen, list(world.adjacency.index)), world.adjacency)


def _graded(z: np.ndarray, prevalence: float) -> np.ndarray:
    """Columns of (n, d) as the grade of a finding: 0 for all but the highest share ``prevalence``, else 1 to 3."""
    grade_from = np.quantile(z, 1 - prevalence * np.array(_GRADES), axis=0)
    return (z[None] >= grade_from[:, None]).sum(0).astype(float)


def calibration(table: pd.DataFrame) -> pd.DataFrame:
    """Of a sweep's table, for every bin of confidence with a pair: pairs, mean confidence, the share right of them.

    ``low`` and ``high`` are Wilson's interval of the share (95 %).
    """
    rows = []
    for k in range(BINS):
        n, right = int(table[f"pairs_{k}"].sum()), int(table[f"right_{k}"].sum())
        if n:
            interval = binomtest(right, n).proportion_ci(0.95, method="wilson")
            rows.append((n, table[f"confidence_{k}"].sum() / n, right / n, interval.low, interval.high))
    return pd.DataFrame(rows, columns=["pairs", "confidence", "right", "low", "high"])


def rates(table: pd.DataFrame, by: str) -> pd.DataFrame:
    """Of a sweep's table, for every value of a column: worlds, false-discovery rates and shares found, as texts.

    Those of links claimed at ``q <= RATE`` are means over worlds, those of ``confident`` links over all pairs.
    """
    made = {}
    for value, rows in table.groupby(by, sort=False):
        found = {"worlds": f"{rows['n_worlds'].sum():.0f}", "true links": f"{rows['n_links'].sum():.0f}"}
        for scope, title in (("", "all"), ("_within", "within")):
            found[f"false, {title}"] = _mean_and_error(rows, scope)
        for scope, title in (("", "all"), ("_within", "within")):
            share = weighted(rows, f"power{scope}")
            found[f"found, {title}"] = NONE if math.isnan(share) else f"{share:.2f}"  # none: there is no such link
        sure = confident(rows)
        found["false, confident"] = f"{sure['false']:.0f} of {sure['claimed']:.0f}"
        found["found, confident"] = NONE if math.isnan(sure["found_share"]) else f"{sure['found_share']:.2f}"
        made[value] = found
    return pd.DataFrame(made).T.rename_axis(index=by)


def confident(table: pd.DataFrame) -> dict[str, float]:
    """Of a sweep's table, links claimed at a confidence of one half or more, as pages claim them, of all worlds.

    ``claimed``, ``false`` of these, ``false_share``, and ``found_share`` of the true links: over all pairs together.
    """
    upper = range(BINS // 2, BINS)
    claimed = float(table[[f"pairs_{k}" for k in upper]].to_numpy().sum())
    right = float(table[[f"right_{k}" for k in upper]].to_numpy().sum())
    n_links = float(table["n_links"].sum())
    return {
        "claimed": claimed,
        "false": claimed - right,
        "false_share": (claimed - right) / max(claimed, 1),
        "found_share": right / n_links if n_links else math.nan,
    }


def weighted(rows: pd.DataFrame, column: str) -> float:
    """Mean over worlds of a column that is a mean over each row's worlds."""
    known = rows[rows[column].notna()]
    return float(np.average(known[column], weights=known["n_worlds"])) if len(known) else math.nan


def _mean_and_error(rows: pd.DataFrame, scope: str) -> str:
    mean, n = weighted(rows, f"fdr{scope}"), rows["n_worlds"].sum()
    square = np.average(rows[f"fdr_sd{scope}"] ** 2 + rows[f"fdr{scope}"] ** 2, weights=rows["n_worlds"])
    return f"{mean:.3f} ± {np.sqrt(max(square - mean**2, 0) / n):.3f}"
