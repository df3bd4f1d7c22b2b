"""Stability: whether a link returns when encoders, latents and links are learned anew from half of the people.

People are split at random into halves, B times, and a model is fitted to each half from a seed of its own
(complementary pairs: Shah and Samworth, Variable selection with error control: another look at stability selection,
2013).  A refit's latents are matched, modality by modality, with those of the model in question by the assignment
with the largest sum of absolute Spearman correlations over all people (`mmcrl.refits`); no truth is needed.
With c_r the confidence that refit r gives a pair, s_r its sign and d_r its direction, a link returns in r where both
ends are back (correlate by one half or more with their match), c_r >= confidence, and s_r is not the opposite sign;

    stability = mean over r of 1[returns in r],
    direction_stability = mean over the r in which it returns of 1[d_r is the model's direction].

A half has fewer people than the whole, so that weak links return less often than they would in as large a cohort.
A stable link can be false all the same: what misleads one half misleads the other.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from mmcrl.adjacency import confident_links
from mmcrl.cohort import Cohort
from mmcrl.errors import check_whole
from mmcrl.explained import UNMEASURED
from mmcrl.model import MultimodalCRL
from mmcrl.refits import BACK, jobs_of_each, renamed, side_by_side, unfitted

__all__ = ["STABILITY_COLUMNS", "link_stability"]

STABILITY_COLUMNS = ["source", "target", *UNMEASURED]

Found = list[list[str]]  # source, target, direction, sign of every link, under the names of the model in question


def link_stability(
    model: MultimodalCRL,
    cohort: Cohort,
    pairs: int = 5,
    *,
    confidence: float = 0.5,
    seed: int = 0,
    progress: bool = True,
    checkpoint: str | os.PathLike[str] | None = None,
) -> pd.DataFrame:
    """Columns `STABILITY_COLUMNS`: every pair of latents in the order of ``model.links()``.

    The model keeps what was measured last: from then on ``model.links()`` tells it too, until `fit` anew.

    Parameters
    ----------
    model : fitted to this cohort; refits have its settings, its knowledge and its numbers of latents.
    pairs : B; the 2 B refits run side by side, as many as the model's ``jobs`` or the cores allow; where the cohort
        has images or series one after the other, since each process would hold its own copy of them.
    confidence : from where on a link counts as returned.
    checkpoint : a folder that keeps what each refit found (names of latents, no row of a person); a stopped run
        that is given it again goes on.

    Returns
    -------
    source, target, stability, direction_stability (NaN for a pair that never returned), refits (their number).

    Raises
    ------
    InputError : for a model that is not fitted, another cohort's columns, pairs below 1, a confidence outside
        [0, 1], and as `MultimodalCRL.fit` where half of the people are too few.
    """
    check_whole("pairs", pairs, 1)
    check_whole("seed", seed, 0)
    links, reference = model.links(), model.transform(cohort)
    confident_links(links, confidence)  # refuses a confidence out of range
    tasks, jobs = [], jobs_of_each(model, cohort)
    for number, half in enumerate(_halves(len(cohort), pairs, seed)):
        again, people = unfitted(model, seed + number + 1, jobs), cohort.take(half)
        record = None if checkpoint is None else _record(Path(checkpoint), again, people, confidence)
        tasks.append(partial(_refit, again, people, cohort, reference, confidence, record))
    told = _shares(links, side_by_side(tasks, model, cohort, "refits", progress))
    model._links = links.assign(**{column: told[column] for column in UNMEASURED})
    return told


def _halves(n: int, pairs: int, seed: int) -> list[np.ndarray]:
    """The people (n // 2,) of every refit; two that follow each other have nobody in common."""
    rng, halves = np.random.default_rng(seed), []
    for _ in range(pairs):
        order = rng.permutation(n)
        halves += [np.sort(order[: n // 2]), np.sort(order[n // 2 : 2 * (n // 2)])]
    return halves


def _refit(
    again: MultimodalCRL,
    people: Cohort,
    everybody: Cohort,
    reference: pd.DataFrame,
    confidence: float,
    record: Path | None,
    tell: Callable[[int, float], None],
) -> Found:
    """The links of at least this confidence that a refit finds, under the names of the matching latents."""
    if record is not None and record.is_file():
        found: Found = json.loads(record.read_text(encoding="utf-8"))
    else:
        again.fit(people, progress=False)
        told = renamed(confident_links(again.links(), confidence), reference, again.transform(everybody))
        kept = told.loc[told["agreement"] >= BACK, ["source", "target", "direction", "sign"]]
        found = [[str(part) for part in link] for link in kept.itertuples(index=False)]
        if record is not None:
            record.parent.mkdir(parents=True, exist_ok=True)
            aside = record.with_suffix(".part")
            aside.write_text(json.dumps(found), encoding="utf-8")
            os.replace(aside, record)
    tell(1, float(len(found)))
    return found


def _record(folder: Path, again: MultimodalCRL, people: Cohort, confidence: float) -> Path:
    """Where a refit's links are kept: a file named by a SHA-256 over the people, the settings and the seed."""
    settings = replace(again.settings, jobs=None).to_dict()  # how many run at once changes no bit
    recipe = ["signed", again.n_latents, again.seed, again.n_shared, settings, again.knowledge.to_dict()]
    seal = hashlib.sha256(json.dumps([*recipe, people.tiers, confidence], sort_keys=True).encode())
    for name, modality in people.modalities.items():
        seal.update(f"{name} {modality.kind} {modality.shape}".encode())
        for piece in modality.pieces():
            seal.update(np.ascontiguousarray(piece).tobytes())
    return folder / f"{seal.hexdigest()}.json"


def _shares(links: pd.DataFrame, refits: Sequence[Found]) -> pd.DataFrame:
    """How often every link of the model returned, and how often with its direction."""
    returned = [{(frozenset(link[:2]), int(link[3])): _arrow(*link[:3]) for link in found} for found in refits]
    rows = []
    told = zip(links["source"], links["target"], links["direction"], links["sign"], strict=True)
    for source, target, direction, sign in told:
        signs = (sign, 0) if sign else (-1, 0, 1)
        keys = [(frozenset((source, target)), s) for s in signs]
        ways = [found[key] for found in returned for key in keys if key in found]
        same = [way == _arrow(source, target, direction) for way in ways]
        rows.append((source, target, len(ways) / len(refits), np.mean(same) if same else np.nan, len(refits)))
    return pd.DataFrame(rows, columns=STABILITY_COLUMNS)


def _arrow(source: str, target: str, direction: str) -> tuple[str, str] | None:
    return (source, target) if direction == "directed" else None
