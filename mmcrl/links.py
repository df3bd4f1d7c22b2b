"""Links: every pair of latents with its evidence, direction and what that rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.stats import norm

from mmcrl.evidence import pair_evidence
from mmcrl.orientation import orient, tier_arrow
from mmcrl.search import separating_sets

__all__ = ["LINK_COLUMNS", "link_table"]

LINK_COLUMNS = [
    "source",
    "target",
    "strength",
    "confidence",
    "direction",
    "rests_on",
    "sign",
    "evidence",
    "evidence_se",
    "scope",
]


def link_table(
    z: np.ndarray, names: Sequence[str], tiers: Sequence[int | None], smallest: float, seed: int = 0
) -> pd.DataFrame:
    """Every pair of latents with its evidence, strongest first.

    strength = sqrt(1 - exp(-2 Delta)), the correlation that a linear-Gaussian pair of this evidence would have;
    confidence = P(Delta > smallest) under a normal approximation; direction and what it rests on as in
    `mmcrl.orientation`, from the pairs with a confidence of at least one half.
    """
    latest = max([t for t in tiers if t is not None], default=0)
    sets = separating_sets(z, [latest if t is None else t for t in tiers])
    rows = []
    for (i, j), given in sets.items():
        delta, error, sign = pair_evidence(z, i, j, given, seed)
        confidence = float(norm.cdf((delta - smallest) / max(error, 1e-12)))
        rows.append((i, j, given, delta, error, int(sign), confidence))
    arrows = _arrows(z, names, tiers, rows, smallest, seed)
    table = pd.DataFrame([_record(names, arrows, *row) for row in rows], columns=LINK_COLUMNS)
    return table.sort_values(["strength", "confidence"], ascending=False, ignore_index=True, kind="stable")


_Row = tuple[int, int, tuple[int, ...], float, float, int, float]


def _record(
    names: Sequence[str],
    arrows: Mapping[tuple[int, int], str],
    i: int,
    j: int,
    given: tuple[int, ...],
    delta: float,
    error: float,
    sign: int,
    confidence: float,
) -> dict[str, object]:
    source, target = (j, i) if (j, i) in arrows else (i, j)
    return {
        "source": names[source],
        "target": names[target],
        "strength": float(np.sqrt(1 - np.exp(-2 * max(delta, 0.0)))),
        "confidence": confidence,
        "direction": "directed" if (source, target) in arrows else "undirected",
        "rests_on": arrows.get((source, target), "none"),
        "sign": sign,
        "evidence": delta,
        "evidence_se": error,
        "scope": "within" if _modality(names[i]) == _modality(names[j]) else "cross",
    }


def _arrows(
    z: np.ndarray,
    names: Sequence[str],
    tiers: Sequence[int | None],
    rows: Sequence[_Row],
    smallest: float,
    seed: int,
) -> dict[tuple[int, int], str]:
    links = {frozenset((i, j)) for i, j, *_, confidence in rows if confidence >= 0.5}
    separators = {
        frozenset((i, j)): given
        for i, j, given, *_ in rows
        if frozenset((i, j)) not in links and _modality(names[i]) != _modality(names[j])
    }
    siblings = {
        k: [s for s in range(len(names)) if s != k and _modality(names[s]) == _modality(n)]
        for k, n in enumerate(names)
    }

    def opens(i: int, j: int, given: Sequence[int], k: int) -> bool:
        if any({frozenset((i, s)), frozenset((j, s))} <= links for s in siblings[k]):
            return False  # two mixed siblings look like a collider: both carry both ends
        delta, error, _ = pair_evidence(z, i, j, [*given, k], seed)
        return delta - 3 * error > smallest

    arrows = orient(links, tiers, separators, opens)
    for i, j, *_ in rows:  # tiers hold for pairs without a link as well
        known = tier_arrow(i, j, tiers)
        if known is not None:
            arrows[known] = "tier"
    return arrows


def _modality(latent: str) -> str:
    return latent.rsplit(".", 1)[0]
