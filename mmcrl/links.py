"""Links: every pair of latents with its evidence, direction and what that rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.special import expit
from scipy.stats import norm

from mmcrl.evidence import pair_evidence
from mmcrl.orientation import orient, tier_arrow
from mmcrl.search import separating_sets

__all__ = ["LINK_COLUMNS", "confidence_of", "link_table"]

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

_PRIOR = 0.2  # share of pairs that are linked before anything is seen: sparse
_TYPICAL = 0.1  # nats, mean evidence of a link before anything is seen


def confidence_of(evidence: float, error: float, smallest: float) -> float:
    """Posterior probability that a pair's true gain exceeds ``smallest`` nats.

    ``Delta_hat ~ N(Delta, error^2)``; before, Delta is 0 with probability 0.8 and exponential with mean 0.1 nats
    otherwise.  The posterior of an exponential slab is a truncated normal of mean ``Delta_hat - error^2 / 0.1``.

    >>> confidence_of(0.05, 0.01, 0.005) > 0.99, confidence_of(0.01, 0.01, 0.005) < 0.2
    (True, True)
    """
    error = max(error, 1e-9)
    centre = evidence - error**2 / _TYPICAL
    log_linked = (
        np.log(_PRIOR / _TYPICAL) - evidence / _TYPICAL + error**2 / (2 * _TYPICAL**2) + norm.logcdf(centre / error)
    )
    log_unlinked = np.log(1 - _PRIOR) + norm.logpdf(evidence, 0, error)
    linked = expit(log_linked - log_unlinked)
    beyond = np.exp(norm.logcdf((centre - smallest) / error) - norm.logcdf(centre / error))
    return float(linked * beyond)


def link_table(
    z: np.ndarray, names: Sequence[str], tiers: Sequence[int | None], smallest: float, seed: int = 0
) -> pd.DataFrame:
    """Every pair of latents with its evidence, strongest first.

    strength = sqrt(1 - exp(-2 Delta)), the correlation that a linear-Gaussian pair of this evidence would have;
    confidence as in `confidence_of`; direction and what it rests on as in `mmcrl.orientation`, from the pairs with a
    confidence of at least one half.
    """
    latest = max([t for t in tiers if t is not None], default=0)
    sets = separating_sets(z, [latest if t is None else t for t in tiers])
    rows = []
    for (i, j), given in sets.items():
        delta, error, sign = pair_evidence(z, i, j, given, seed)
        rows.append((i, j, given, delta, error, int(sign), confidence_of(delta, error, smallest)))
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
        k: [s for s in range(len(names)) if s != k and _modality(names[s]) == _modality(names[k])]
        for k in range(len(names))
    }

    def depends(i: int, j: int, given: Sequence[int]) -> bool:
        for k in given:  # two mixed siblings look like a collider: both carry both ends
            if any({frozenset((i, s)), frozenset((j, s))} <= links for s in siblings[k]):
                return False
        delta, error, _ = pair_evidence(z, i, j, given, seed)
        return delta - 3 * error > smallest

    arrows = orient(links, tiers, separators, depends)
    for i, j, *_ in rows:  # tiers hold for pairs without a link as well
        known = tier_arrow(i, j, tiers)
        if known is not None:
            arrows[known] = "tier"
    return arrows


def _modality(latent: str) -> str:
    return latent.rsplit(".", 1)[0]
