"""Points: one method on one world of the suite, scored on people whom it has not seen."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from mmcrl import metrics
from mmcrl.baselines import named
from mmcrl.equivalence import compelled
from mmcrl.errors import InputError
from mmcrl.knowledge import SHARED, modality_of
from mmcrl.model import MultimodalCRL
from mmcrl.proof.siblings import less_siblings
from mmcrl.proof.usage import watched
from mmcrl.simulate import World
from mmcrl.simulate.suite import parts, suite

__all__ = ["SOUND", "across", "claims", "measure", "training_options"]

SOUND = 20.0  # degrees off the axis up to which a latent counts as separated from its siblings

Numbers = dict[str, float | int]


def measure(
    world: str,
    method: str = "mmcrl",
    seed: int = 0,
    n_people: int = 10_000,
    value: float | None = None,
    *,
    n_latents: str = "true",
    ceiling: bool = False,
    **training: Any,
) -> Numbers:
    """Everything that the tables say about one fit.

    Parameters
    ----------
    world, seed, n_people, value : as in `mmcrl.simulate.suite.suite`.
    method : ``mmcrl``, or one of `mmcrl.baselines.METHODS`.
    n_latents : ``true`` tells the method how many there are, ``auto`` leaves it to the estimator.
    ceiling : also fit the supervised ceiling.
    **training : settings of the method; see `training_options`.

    Raises
    ------
    InputError : for an unknown world or method, or ``n_latents`` that is neither.
    """
    made = suite(world, n_people, seed, value)
    train, held_out = parts(made)
    if n_latents not in ("true", "auto"):
        raise InputError("n_latents", "true or auto", repr(n_latents))
    sizes: Any = made.n_latents if n_latents == "true" else "auto"
    with watched() as used:
        if method == "mmcrl":
            n_shared = int((made.latents.columns.get_level_values(0) == SHARED).sum())
            fitted: Any = MultimodalCRL(sizes, seed, n_shared=n_shared, **training).fit(train, progress=False)
        else:
            labels = made.latents.loc[train.ids]
            fitted = named(method, sizes, seed, labels, **training).fit(train)
    truth, estimate = made.latents.loc[held_out.ids], fitted.transform(held_out)
    found = set(estimate.columns.get_level_values(0))
    scored = truth[[name for name in truth.columns if name[0] in found]]
    numbers: Numbers = {
        "n_train": len(train),
        "n_links": int(made.adjacency.to_numpy().sum()),
        "n_truths": truth.shape[1],
        "n_missed": truth.shape[1] - scored.shape[1],  # latents of blocks that the method has no estimate of
        **metrics.score(scored, estimate, seed),
        "seconds": round(used.seconds, 1),
        "peak_mb": round(used.peak_mb),
    }
    if method != "mmcrl" and "tune" in fitted.hyper_parameters:
        numbers["learning_rate"] = fitted.hyper_parameters["learning_rate"]
    if ceiling:
        highest = made.ceiling(held_out, seed)
        numbers |= {"ceiling_mcc": highest["mcc"], "ceiling_r2": highest["r2"]}
    if method == "mmcrl":
        numbers |= _of_the_estimator(fitted, made, scored, estimate)
        numbers["mcc_less_siblings"] = metrics.mcc(less_siblings(scored, made.adjacency), estimate)
        numbers["start_gap"] = _start_gap(fitted.starts(held_out), scored, numbers["mcc"])
    return numbers


def training_options(**given: Any) -> dict[str, Any]:
    """The settings that were given: 0 and False stand for a method's own.

    >>> training_options(steps=0, starts=2, tune=False)
    {'starts': 2}
    """
    return {name: value for name, value in given.items() if value}


def claims(adjacency: pd.DataFrame, claimed: pd.DataFrame) -> Numbers:
    """Directed links between modalities that are claimed, and those that data can decide.

    Both adjacencies carry the true names; an undirected link of ``claimed`` fills both entries and claims nothing,
    nor does a latent that it lacks.
    A world with cycles has no equivalence class: its numbers of identifiable links are missing.
    """
    true = across(adjacency)
    said = across(_whole(claimed, adjacency))
    said &= ~said.T
    right = int((said & true).to_numpy().sum())
    numbers: Numbers = {"n_claimed": int(said.to_numpy().sum()), "n_claimed_right": right}
    try:
        decided = across(compelled(adjacency))
    except InputError:
        return numbers | {"n_identifiable": math.nan, "n_identifiable_claimed": math.nan}
    claimed_too = int((decided & said).to_numpy().sum())
    return numbers | {"n_identifiable": int(decided.to_numpy().sum()), "n_identifiable_claimed": claimed_too}


def across(adjacency: pd.DataFrame) -> pd.DataFrame:
    """The links between modalities alone, as booleans."""
    modality = np.array([modality_of(name) for name in adjacency.index])
    apart = modality[:, None] != modality[None]
    return adjacency.astype(bool) & apart


def _of_the_estimator(model: MultimodalCRL, world: World, truth: pd.DataFrame, estimate: pd.DataFrame) -> Numbers:
    """Graph, claims, report and number of latents; only `MultimodalCRL` gives them."""
    matching = metrics.match(truth, estimate)
    true, found = world.adjacency, _whole(metrics.align(model.adjacency(), matching), world.adjacency)
    distances = {f"shd_{s}": metrics.shd(true, found, skeleton=True, scope=s) for s in ("cross", "within")}
    report = model.identifiability().set_index("latent")["identified"]
    angles = metrics.angle(truth, estimate)
    single = pd.Series({t: report[e] == "component" for t, e in matching.items()})
    sound = angles[list(matching)] <= SOUND
    sizes = estimate.columns.get_level_values(0).value_counts()
    return {
        **distances,
        **claims(true, found),
        "undecided": float((report != "component").mean()),
        "n_component_sound": int((single & sound).sum()),
        "n_component_off": int((single & ~sound).sum()),
        "n_doubted_off": int((~single & ~sound).sum()),
        "n_doubted_sound": int((~single & sound).sum()),
        "n_latents_right": sum(int(sizes[name]) == size for name, size in world.n_latents.items()),
        "n_modalities": len(world.n_latents),
        "n_latents_found": float(sizes[list(world.n_latents)].mean()),
    }


def _whole(found: pd.DataFrame, true: pd.DataFrame) -> pd.DataFrame:
    """The adjacency with the labels of the true one; a latent that was not found has no link."""
    return found.reindex(index=true.index, columns=true.columns, fill_value=0)


def _start_gap(starts: list[pd.DataFrame], truth: pd.DataFrame, kept: float) -> float:
    """How much better the best start is than the one that was kept without labels."""
    return max(metrics.mcc(truth, start) for start in starts) - kept
