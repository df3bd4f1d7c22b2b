"""Planted: what a fit has found of the links and latents that a simulated world is known to have.

A pair of latents of two modalities is *planted* if either causes the other in the truth, and *found* if a link of the
fit with enough confidence joins their matches.  Directions are not looked at; see `mmcrl.proof.points.claims`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from mmcrl import metrics
from mmcrl.adjacency import confident_links
from mmcrl.cohort import Cohort
from mmcrl.knowledge import Knowledge, labels_of
from mmcrl.links import link_table
from mmcrl.model import MultimodalCRL
from mmcrl.proof.points import across
from mmcrl.proof.usage import watched
from mmcrl.simulate import phenotype

__all__ = ["latent_scores", "link_verdicts", "links_of_truth", "measure_phenotype"]

_HELD_OUT = 0.2  # share of the people who are kept for scoring


def link_verdicts(
    adjacency: pd.DataFrame, links: pd.DataFrame, matching: Mapping[str, str], confidence: float = 0.5
) -> pd.DataFrame:
    """One row per pair of modalities' latents that is planted or found, planted ones first, in the truth's order.

    Parameters
    ----------
    adjacency : the truth, (d, d), ``A.loc[i, j] = 1`` iff latent j causes latent i.
    links : of `MultimodalCRL.links`, with the estimate's names.
    matching : true name to estimated name, as `metrics.match` gives it.
    confidence : from where on a link counts as found.

    Returns
    -------
    source and target (true names, the cause first where it is planted), verdict (``found``, ``missed``, ``false``,
    or ``not asked`` for a planted link with an end that has no match), confidence and evidence (nats, NaN where it
    was not asked).

    Raises
    ------
    InputError : for a confidence outside [0, 1].
    """
    planted = across(adjacency)
    kept = confident_links(links, 0.0)
    kept = kept[kept["scope"] == "cross"]
    measured = {
        frozenset(ends): (weight, nats)
        for *ends, weight, nats in zip(
            kept["source"], kept["target"], kept["confidence"], kept["evidence"], strict=True
        )
    }
    confident_links(links, confidence)  # refuses what is no share
    rows = []
    names = list(adjacency.index)
    for j, source in enumerate(names):
        for i, target in enumerate(names):
            linked = bool(planted.iloc[i, j])
            if not linked and (i < j or planted.iloc[j, i]):
                continue
            ends = frozenset(matching.get(name, f"no match of {name}") for name in (source, target))
            weight, nats = measured.get(ends, (np.nan, np.nan))
            found = weight >= confidence
            asked = source in matching and target in matching
            if linked or found:
                verdict = ("found" if found else "missed" if asked else "not asked") if linked else "false"
                rows.append((source, target, verdict, weight, nats))
    table = pd.DataFrame(rows, columns=["source", "target", "verdict", "confidence", "evidence"])
    return table.sort_values("verdict", key=lambda v: v == "false", kind="stable", ignore_index=True)


def links_of_truth(latents: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """The links that people's true latents would show: what no estimate of latents can be expected to beat.

    As `mmcrl.links.link_table`, on the true ``latents`` of the cohort's people, missing where their modality is.
    """
    true = latents.loc[cohort.ids]
    seen = np.column_stack([cohort[str(name)].measured for name in true.columns.get_level_values(0)])
    names = labels_of(true)
    return link_table(np.where(seen, true.to_numpy(float), np.nan), names, Knowledge(tiers=cohort.tiers or ()))


def latent_scores(true: pd.DataFrame, estimated: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Per true latent of a modality that was estimated: rank correlation with its match, R2 given its block, angle.

    ``rho`` is the absolute Spearman correlation of `metrics.mcc`, ``r2`` as in `metrics.r2` of this latent alone,
    ``angle`` as in `metrics.angle` (degrees).
    """
    shown = set(estimated.columns.get_level_values(0))
    asked = true[[name for name in true.columns if name[0] in shown]]
    angles, rows = metrics.angle(asked, estimated), {}
    matching = metrics.match(asked, estimated)
    for name, column in zip(labels_of(asked), asked.columns, strict=True):
        alone, block = asked[[column]], estimated[[column[0]]]
        own = block.loc[:, [label == matching.get(name) for label in labels_of(block)]]
        rho = metrics.mcc(alone, own) if own.shape[1] else 0.0
        rows[name] = {"rho": rho, "r2": metrics.r2(alone, block, seed), "angle": angles[name]}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("latent")


def measure_phenotype(
    n_people: int = 5_000,
    seed: int = 0,
    *,
    size: int = 32,
    ceiling: bool = False,
    confidence: float = 0.5,
    **training: Any,
) -> dict[str, float | int]:
    """Everything that the table about the simulated phenotype cohort says of one fit.

    Parameters
    ----------
    n_people, seed, size : as in `mmcrl.simulate.phenotype`; a fifth of the people are held out and scored on.
    ceiling : also fit the supervised ceiling.
    confidence : from where on a link counts as found.
    **training : settings of the estimator.
    """
    from mmcrl.baselines import SupervisedCeiling

    world = phenotype(n_people, seed, size=size)
    train, held_out = world.cohort.split(_HELD_OUT, seed)
    with watched() as used:
        model = MultimodalCRL(seed=seed, **training).fit(train, progress=False)
    truth, estimate = world.latents.loc[held_out.ids], model.transform(held_out)
    scores = latent_scores(truth, estimate, seed)
    verdicts = link_verdicts(world.adjacency, model.links(), metrics.match(truth, estimate), confidence)
    tested = train.split(model.settings.held_out, seed)[1] if model.settings.folds == 1 else train
    same = dict(zip(labels_of(truth), labels_of(truth), strict=True))
    at_best = link_verdicts(world.adjacency, links_of_truth(world.latents, tested), same, confidence)["verdict"]
    numbers: dict[str, float | int] = {
        "n_train": len(train),
        "n_tested": len(tested),
        "n_found_truth": int((at_best == "found").sum()),
        "n_false_truth": int((at_best == "false").sum()),
        "n_planted": int((verdicts["verdict"] != "false").sum()),
        **{f"n_{verdict}": int((verdicts["verdict"] == verdict).sum()) for verdict in ("found", "missed", "false")},
        **metrics.score(truth, estimate, seed),
        "seconds": round(used.seconds, 1),
        "peak_mb": round(used.peak_mb),
    }
    for of in ("r2", "rho", "angle"):
        numbers |= {f"{of} {name}": value for name, value in scores[of].items()}
    if ceiling:
        told = SupervisedCeiling(world.latents.loc[train.ids], seed=seed).fit(train).transform(held_out)
        numbers |= {f"ceiling {name}": value for name, value in latent_scores(truth, told, seed)["r2"].items()}
    asked = verdicts[verdicts["verdict"] != "false"]
    for source, target, verdict in zip(asked["source"], asked["target"], asked["verdict"], strict=True):
        numbers[f"found {source} – {target}"] = int(verdict == "found")
    return numbers
