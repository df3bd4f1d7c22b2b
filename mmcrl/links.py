"""Links: every pair of latents with its evidence, direction and what that rests on."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import expit
from scipy.stats import norm

from mmcrl.evidence import WIDTH, correlation_of, enough, pair_evidence
from mmcrl.knowledge import Arrow, Knowledge, Limits, modality_of
from mmcrl.orientation import Findings, orient
from mmcrl.search import separating_sets
from mmcrl.significance import BLEND, allowance, p_value, q_values

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
    "evidence_low",
    "evidence_high",
    "least",
    "scope",
    "p_value",
    "q_value",
]

_PRIOR = 0.2  # share of pairs that are linked before anything is seen: sparse
_TYPICAL = 0.1  # nats, mean evidence of a link before anything is seen
_ABSENT = 0.02  # nats, a correlation of .2: below it an interval must end for a missing link to tell a direction
_LEAK = 0.35  # share of a sibling's link that a latent shows when it is turned towards that sibling by 20 degrees


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


class _Pair(NamedTuple):
    i: int
    j: int
    given: tuple[int, ...]
    evidence: float
    error: float
    sign: int
    confidence: float  # as measured, whatever is known
    p: float
    least: float  # nats that its confidence asks for: the smallest gain that is a link
    allowed: float  # nats that errors of the given leave

    @property
    def ends(self) -> frozenset[int]:
        return frozenset((self.i, self.j))

    @property
    def strength(self) -> float:
        return correlation_of(self.evidence)


def link_table(
    z: np.ndarray,
    names: Sequence[str],
    knowledge: Knowledge | None = None,
    smallest: float = 0.005,
    seed: int = 0,
    *,
    separated: Sequence[bool] | None = None,
    siblings: Sequence[Collection[int]] | None = None,
) -> pd.DataFrame:
    """Every pair of latents (n, d) with its evidence, strongest first.

    strength = sqrt(1 - exp(-2 Delta)), the correlation that a linear-Gaussian pair of this evidence would have;
    evidence_low and evidence_high hold it in 95 of 100 samples of people, by its standard error;
    confidence as in `confidence_of`, that it exceeds least: ``smallest``, and of a link that is far weaker than that
    of a sibling what errors of the separating latents leave on top (`mmcrl.significance.allowance`), since that much
    may be the sibling's; direction and what it rests on as in `mmcrl.orientation`, from the pairs with a confidence
    of at least one half; p_value and q_value as in `mmcrl.significance`.  What is known goes over what is measured: a
    required link has confidence 1, a pair both of whose ways are barred 0.  ``separated`` says of every latent
    whether it is told apart from its siblings; left out, all are.  ``siblings`` are the latents of which each may
    carry a little: a link to one of them is asked for what that would leave as well (`mmcrl.significance.BLEND`).  A
    link that a residual blend could show is not used to infer a direction, nor is the absence of one whose evidence
    may be .02 nats, or of which too few people tell.

    Raises
    ------
    InputError : for knowledge about latents that are none of ``names``, or that contradicts itself.
    """
    limits = (knowledge or Knowledge()).limits(names)
    measured = []
    for (i, j), given in separating_sets(z, limits.barred).items():
        delta, error, sign = pair_evidence(z, i, j, given, seed)
        blend = BLEND if siblings is not None and (j in siblings[i] or i in siblings[j]) else 0.0
        least, allowed = smallest + blend, allowance(z, i, j, given)
        confidence, p = confidence_of(delta, error, least), p_value(delta, error, allowed + blend)
        measured.append(_Pair(i, j, given, delta, error, int(sign), confidence, p, least, allowed))
    certain = limits.certain({(pair.i, pair.j): pair.evidence for pair in measured})
    modality = [modality_of(name) for name in names]
    measured = _without_leaks(measured, limits, modality)
    links = _links(measured, limits)
    arrows = orient(_findings(z, modality, measured, links | certain, separated, smallest, seed), limits)
    table = pd.DataFrame(
        [_record(names, limits, certain, arrows, pair) for pair in measured], columns=LINK_COLUMNS[:-1]
    )
    table["q_value"] = q_values(table)
    return table.sort_values(["strength", "confidence"], ascending=False, ignore_index=True, kind="stable")


def _record(
    names: Sequence[str],
    limits: Limits,
    certain: Collection[frozenset[int]],
    arrows: Mapping[Arrow, str],
    pair: _Pair,
) -> dict[str, object]:
    i, j = pair.i, pair.j
    known = limits.arrow(i, j)  # also for a pair without a link
    source, target = known or ((j, i) if (j, i) in arrows else (i, j))
    rests_on = str(limits.why[source, target]) if known else arrows.get((source, target), "none")
    confidence = pair.confidence
    if pair.ends in certain:
        rests_on, confidence = "required", 1.0
    elif limits.unlinked(i, j):
        rests_on, confidence = "forbidden", 0.0
    return {
        "source": names[source],
        "target": names[target],
        "strength": pair.strength,
        "confidence": confidence,
        "direction": "directed" if known or (source, target) in arrows else "undirected",
        "rests_on": rests_on,
        "sign": pair.sign,
        "evidence": pair.evidence,
        "evidence_se": pair.error,
        "evidence_low": pair.evidence - WIDTH * pair.error,
        "evidence_high": pair.evidence + WIDTH * pair.error,
        "least": pair.least,
        "scope": "within" if modality_of(names[i]) == modality_of(names[j]) else "cross",
        "p_value": np.nan if limits.unlinked(i, j) else pair.p,
    }


def _links(measured: Sequence[_Pair], limits: Limits) -> set[frozenset[int]]:
    return {pair.ends for pair in measured if pair.confidence >= 0.5 and not limits.unlinked(pair.i, pair.j)}


def _without_leaks(measured: list[_Pair], limits: Limits, modality: Sequence[str]) -> list[_Pair]:
    """The pairs, those that may leak being asked for that much more than what errors of the given leave.

    A latent that is not quite told from a sibling shows a little of the sibling's links.
    """
    links = _links(measured, limits)
    loose = links - _firm(measured, links, modality)
    return [
        pair._replace(least=least, confidence=confidence_of(pair.evidence, pair.error, least))
        if pair.ends in loose
        else pair
        for pair, least in ((pair, pair.least + pair.allowed) for pair in measured)
    ]


def _findings(
    z: np.ndarray,
    modality: Sequence[str],
    measured: Sequence[_Pair],
    links: set[frozenset[int]],
    separated: Sequence[bool] | None,
    smallest: float,
    seed: int,
) -> Findings:
    middles = [k for k in range(len(modality)) if separated is None or separated[k]]
    near = {
        k: {o for o in range(len(modality)) if frozenset((k, o)) in links and modality[o] != modality[k]}
        for k in range(len(modality))
    }

    def apart(i: int, j: int) -> bool:
        """Two blends share their neighbours: siblings are taken as ends only where each has one of its own."""
        if modality[i] != modality[j]:
            return True
        return i in middles and j in middles and bool(near[i] - near[j]) and bool(near[j] - near[i])

    known = {(pair.i, pair.j, pair.given): (pair.evidence, pair.error) for pair in measured}

    @cache
    def evidence(i: int, j: int, given: tuple[int, ...]) -> tuple[float, float]:
        return known.get((i, j, given)) or pair_evidence(z, i, j, given, seed)[:2]

    def depends(i: int, j: int, given: Sequence[int]) -> bool:
        for k in given:  # two mixed siblings look like a collider: both carry both ends
            if any(modality[s] == modality[k] and s != k and {i, j} <= near[s] for s in range(len(modality))):
                return False
        delta, error = evidence(i, j, tuple(given))
        return delta - 3 * error > smallest

    def may_separate(i: int, j: int, given: Sequence[int]) -> bool:
        return not enough(z, i, j, given) or confidence_of(*evidence(i, j, tuple(given)), smallest) < 0.5

    def separates(i: int, j: int, given: Sequence[int]) -> bool:
        """A link that few people cannot show is not absent, and what rests on its absence would be made up."""
        if not (enough(z, i, j, given) and may_separate(i, j, given)):
            return False
        delta, error = evidence(i, j, tuple(given))
        return delta + WIDTH * error < _ABSENT

    separators = {
        pair.ends: pair.given
        for pair in measured
        if pair.confidence < 0.5 and pair.ends not in links and apart(pair.i, pair.j)
        if separates(pair.i, pair.j, pair.given)
    }
    return Findings(_firm(measured, links, modality), separators, separates, may_separate, depends, middles)


def _firm(measured: Sequence[_Pair], links: set[frozenset[int]], modality: Sequence[str]) -> set[frozenset[int]]:
    """The links that cannot be a leak: that are not far weaker than the link of one end with the other's sibling."""
    d = len(modality)
    strength = np.eye(d)
    for pair in measured:
        strength[pair.i, pair.j] = strength[pair.j, pair.i] = pair.strength if pair.ends in links else 0.0
    sibling = (np.array(modality)[:, None] == np.array(modality)[None]) & ~np.eye(d, dtype=bool)
    beside = np.where(sibling[:, None], strength[None], 0.0).max(-1)  # [k, x]: of x with a sibling of k
    largest = np.maximum(beside, beside.T)
    return {pair.ends for pair in measured if pair.ends in links and pair.strength >= _LEAK * largest[pair.i, pair.j]}
