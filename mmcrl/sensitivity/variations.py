"""Variations: whether a link returns where the model is fitted anew with other choices.

Nobody knows the number of latents of a modality, what a link should cost while the encoders are trained, or which
random numbers to begin with.  So the same people are fitted again, each time with one choice changed: one latent more
in each modality that can have one, one fewer in each that has several, half and twice the penalty, other seeds, which
draw other held-out people too.  A refit's latents are matched with the model's by what they say of people
(`mmcrl.refits`).  With rho_i the rank correlation of latent i with its match,

    a latent is back where abs(rho_i) >= 0.5;
    a link returns where both ends are back and the refit gives their matches the confidence asked for.

Where an end is not back, as it must be for some where there is one latent fewer, nothing can be said of the link.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from mmcrl.adjacency import confident_links
from mmcrl.cohort import Cohort
from mmcrl.errors import InputError, check_whole
from mmcrl.model import MultimodalCRL
from mmcrl.plan import plan_blocks
from mmcrl.refits import BACK, jobs_of_each, renamed, side_by_side, unfitted

__all__ = ["VARIATION_COLUMNS", "variation_table", "varied"]

VARIATION_COLUMNS = ["source", "target", "variation", "returns", "agreement"]
VARIATION_COLUMNS += ["confidence", "evidence", "evidence_se", "sign"]

_NOT_BACK = dict.fromkeys(["agreement", "confidence", "evidence", "evidence_se"], np.nan) | {"sign": 0}
_PENALTIES = {"half the penalty": 0.5, "twice the penalty": 2.0}


def varied(model: MultimodalCRL, cohort: Cohort, seeds: int = 1) -> dict[str, MultimodalCRL]:
    """Models to be fitted, each with one choice changed, under the words for what is changed.

    Left out: a number of latents that changes nothing or for which these people are too few, and other penalties
    where there is none.

    Raises
    ------
    InputError : before `fit`, and for a number of seeds below 0.
    """
    check_whole("seeds", seeds, 0)
    own, models = model._fitted.n_own, dict[str, MultimodalCRL]()
    jobs = jobs_of_each(model, cohort)
    views = [replace(view, n_latents=own[view.name]) for view in model._fitted.views]
    more = {view.name: view.wider(1).n_latents for view in views}
    fewer = {v.name: v.n_latents if v.kind == "observed" else max(1, v.n_latents - 1) for v in views}
    for title, sizes in (("one latent more", more), ("one latent fewer", fewer)):
        if sizes != own and _possible(cohort, sizes):
            models[f"{title} in each modality"] = unfitted(model, model.seed, jobs, sizes)
    for title, factor in _PENALTIES.items():
        if model.settings.penalty:
            models[title] = unfitted(model, model.seed, jobs, penalty=factor * model.settings.penalty)
    for seed in range(model.seed + 1, model.seed + 1 + seeds):
        models[f"seed {seed}"] = unfitted(model, seed, jobs)
    return models


def variation_table(
    model: MultimodalCRL, cohort: Cohort, seeds: int = 1, *, confidence: float = 0.5, progress: bool = True
) -> pd.DataFrame:
    """Columns `VARIATION_COLUMNS`: for every pair of latents in the order of ``model.links()`` a row per variation.

    Parameters
    ----------
    model : fitted to this cohort.
    seeds : other seeds, beside up to two other numbers of latents and two other penalties.  Each is a fit; they run
        side by side as in `mmcrl.stability.link_stability`.
    confidence : from where on a link counts as returned.

    Returns
    -------
    source and target as in ``model.links()``, variation (in words), returns (True, False, or NA where an end is not
    back), agreement (the smaller of abs(rho_i) of the two ends, NaN where one has no match), confidence, evidence and
    evidence_se (nats per person) that the refit gives the matching pair, sign (its sign, the latents turned as the
    model's); NaN, and 0, where there is no such pair.

    Raises
    ------
    InputError : for a model that is not fitted, another cohort's columns, seeds below 0, a confidence outside [0, 1].
    """
    links, reference = model.links(), model.transform(cohort)
    confident_links(links, confidence)  # refuses a confidence out of range
    models = varied(model, cohort, seeds)
    tasks = [partial(_refit, again, cohort, links, reference) for again in models.values()]
    found = side_by_side(tasks, model, cohort, "variations", progress)
    if not found:
        return pd.DataFrame(columns=VARIATION_COLUMNS)
    pairs = range(len(links))
    tables = [table.assign(variation=title, pair=pairs) for title, table in zip(models, found, strict=True)]
    whole = pd.concat(tables).sort_values("pair", ignore_index=True, kind="stable")
    known = zip(whole["agreement"] >= BACK, whole["confidence"] >= confidence, strict=True)
    returns = pd.array([bool(found) if back else pd.NA for back, found in known], dtype="boolean")
    return whole.assign(returns=returns)[VARIATION_COLUMNS]


def _refit(
    again: MultimodalCRL,
    cohort: Cohort,
    links: pd.DataFrame,
    reference: pd.DataFrame,
    tell: Callable[[int, float], None],
) -> pd.DataFrame:
    """What a refit says of every pair of the model's latents, in the order of the model's links."""
    latents = again.fit(cohort, progress=False).transform(cohort)
    told = renamed(again.links(), reference, latents)
    of_pair = {frozenset((link["source"], link["target"])): link for link in told.to_dict("records")}
    rows = []
    for source, target in zip(links["source"], links["target"], strict=True):
        link = of_pair.get(frozenset((source, target)), _NOT_BACK)
        rows.append([source, target, *(link[column] for column in _NOT_BACK)])
    tell(1, float(len(told)))
    return pd.DataFrame(rows, columns=["source", "target", *_NOT_BACK])


def _possible(cohort: Cohort, sizes: dict[str, int]) -> bool:
    """Whether these people are enough for so many latents."""
    try:
        plan_blocks(cohort, sizes)
    except InputError:
        return False
    return True
