"""Evidence: what a pair of latents knows of each other, beyond what other latents explain.

For a pair (i, j) and a set S of other latents the evidence is the gain in log-density per person (nats),

    Delta = mean over people of [log p(z_i | z_S, z_j) - log p(z_i | z_S)],

averaged over both ends.  Densities of maximum likelihood that have k parameters more for z_j flatter the gain of
the n people they are fitted on by about k / 2n nats, and lower that of other people by as much (Akaike, Information
theory and an extension of the maximum likelihood principle, 1973), fitted on all but one of F folds by F / (F - 1)
times that.  So the mean of the gain of all people, fitted and measured on all, and of the cross-fitted one,

    Delta = (F Delta_in + (F - 1) Delta_out) / (2F - 1),                F = 5,

is neither flattered nor lowered, and estimates the conditional mutual information as far as the densities of
`mmcrl.densities` hold.  Their scale is fitted by regression, which flatters less than it lowers: where there is
nothing to gain, Delta is below 0, by half a standard error at most with hundreds of people.

The densities are cubic in a latent and bilinear in two, and what an end owes to S in another form, in steps or by a
threshold of two at once, would look like a gain by j.  So a gain that is clear, above 1.96 standard errors, is
asked for again with what boosted trees make of S among the regressors of both densities: only what j tells beyond
that is evidence.  Of the scale they are not asked.  Evidence tests *estimated* latents: no proof of cause.

Many people may share one value of a latent (all who do not smoke).  A density can be as high as one likes on such a
value, and a gain of it then says nothing, so the end whose density is taken has its ties broken at random, as in
Rueschendorf, Stochastically ordered distributions and monotonicity of the OC-function (1981): noise that depends on
nothing else leaves the conditional mutual information as it is.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mmcrl.densities import (
    average,
    boosted,
    design,
    features,
    log_density,
    n_regressors,
    normal_scores,
    spread_scores,
)

__all__ = [
    "FEWEST",
    "PEOPLE_PER_REGRESSOR",
    "WIDTH",
    "correlation_of",
    "enough",
    "pair_evidence",
    "pair_scores",
    "partial_correlation",
    "tellable",
]

WIDTH = 1.96  # standard errors on either side that make an interval of 95 %
_FOLDS = 5
FEWEST = 20  # people of whom a pair is measured
_UNKNOWN = 0.1  # nats, error of the evidence of fewer: as wide as what is thought before anything is seen
PEOPLE_PER_REGRESSOR = 10  # from which on that nothing is found says something
_CLEAR = 3.0  # standard errors, 1 / sqrt(n), from which on a partial correlation has a sign
_RIDGE = 1e-6  # of correlations: two latents may be one and the same


def pair_evidence(
    z: np.ndarray, i: int, j: int, given: Sequence[int], seed: int = 0, *, weights: np.ndarray | None = None
) -> tuple[float, float, float]:
    """Evidence (nats per person), its standard error, and the sign of the partial association of i and j given S.

    ``z`` (n, d); people for whom one of the latents is missing are left out.  Of fewer than 20, or where an end is
    the same for all of them, nothing is said: evidence 0, error 0.1, sign 0.  The sign is 0 too where the partial
    correlation of the normal scores is below 3 / sqrt(n): two latents may go together without a direction.  Densities
    are Student's t after normal scores, with location and log-scale that are polynomial in the conditioning latents.

    With ``weights`` w (n,), how many people each stands for, densities are fitted to the weighted people and

        Delta = sum w_i g_i / sum w_i,    se^2 = sum w_i^2 (g_i - Delta)^2 / (sum w_i)^2,

    g the gain of a person, as in Horvitz and Thompson, A generalization of sampling without replacement from a
    finite universe (1952); people are taken as drawn one by one.
    """
    scores, seen = pair_scores(z, i, j, given)
    if not tellable(scores):
        return 0.0, _UNKNOWN, 0.0
    if weights is not None:
        weights = weights[seen] / weights[seen].mean()
    delta, error = _gain(scores, seed, weights)
    if scores.shape[1] > 2 and delta > WIDTH * error:
        delta, error = _gain(scores, seed, weights, trees=True)
    partial = _partial(scores, weights)
    return delta, error, float(np.sign(partial)) if abs(partial) >= _CLEAR * _unit(len(scores), weights) else 0.0


def partial_correlation(z: np.ndarray, i: int, j: int, given: Sequence[int]) -> float:
    """Partial correlation of the normal scores of i and j, the others in ``given`` held fixed; ``z`` (n, d).

    NaN where fewer than 20 people have all of them, or one of the two is the same for all of these.
    """
    scores, _ = pair_scores(z, i, j, given)
    return _partial(scores) if tellable(scores) else np.nan


def enough(z: np.ndarray, i: int, j: int, given: Sequence[int]) -> bool:
    """Whether ten people per regressor have all of these latents: of fewer, no gain does not say no link.

    >>> enough(np.zeros((70, 3)), 0, 1, []), enough(np.zeros((70, 3)), 0, 1, [2])
    (True, False)
    """
    seen = ~np.isnan(z[:, [i, j, *given]]).any(1)
    return bool(seen.sum() >= PEOPLE_PER_REGRESSOR * n_regressors(len(given) + 1))


def correlation_of(evidence: float) -> float:
    """``sqrt(1 - exp(-2 Delta))``: the correlation that a linear-Gaussian pair of this evidence (nats) would have.

    >>> round(correlation_of(0.005), 2), correlation_of(-0.1)
    (0.1, 0.0)
    """
    return float(np.sqrt(1 - np.exp(-2 * max(evidence, 0.0))))


def pair_scores(z: np.ndarray, i: int, j: int, given: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Normal scores of i, j and the given (m, 2 + p), of the people who have all of them, and who these are (n,).

    A latent of the given that is the same for all of these people is left out: it explains nothing.
    """
    used = [i, j, *given]
    seen = ~np.isnan(z[:, used]).any(1)
    scores = normal_scores(z[seen][:, used])
    kept = (scores != scores[:1]).any(0)
    kept[:2] = True
    return scores[:, kept], seen


def tellable(scores: np.ndarray) -> bool:
    """Whether there are people enough, and both ends (the first two columns) differ among them."""
    return len(scores) >= FEWEST and bool((np.ptp(scores[:, :2], axis=0) > 0).all())


def _gain(
    scores: np.ndarray, seed: int, weights: np.ndarray | None = None, *, trees: bool = False
) -> tuple[float, float]:
    """Evidence and its standard error of the first two columns given the others, ``trees`` as a regressor or not."""
    n = len(scores)
    rng = np.random.default_rng(seed)
    fold = rng.permutation(n) % _FOLDS
    without, ends = scores[:, 2:], spread_scores(scores[:, :2], rng)
    apart = [(np.flatnonzero(fold != f), np.flatnonzero(fold == f), _FOLDS - 1) for f in range(_FOLDS)]
    splits = [(np.arange(n), np.arange(n), _FOLDS), *apart]
    alone, gain = design(without), np.zeros(n)
    for end, other in ((0, 1), (1, 0)):
        y = ends[:, end]
        both = features(_standard(boosted(without, y, fold, weights))) if trees else np.empty((n, 0))
        small = np.hstack([alone, both])
        large = np.hstack([design(np.column_stack([without, scores[:, other]])), both])
        for fit, score, counts in splits:
            more, less = (log_density(x, y, fit, score, weights) for x in (large, small))
            gain[score] += counts * (more - less)
    gain /= 2 * (2 * _FOLDS - 1)
    delta = average(gain, weights)
    spread = average((gain - delta) ** 2, None if weights is None else weights**2)
    return delta, float(np.sqrt(spread)) * _unit(n, weights)


def _standard(values: np.ndarray) -> np.ndarray:
    return (values - values.mean()) / max(values.std(), _RIDGE)


def _unit(n: int, weights: np.ndarray | None) -> float:
    """``1 / sqrt(n)``, weighted ``sqrt(sum w^2) / n`` for weights of mean 1."""
    return float((1.0 if weights is None else np.sqrt((weights**2).mean())) / np.sqrt(n))


def _partial(scores: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Partial correlation of the first two columns, the others held fixed."""
    spread = np.cov(scores.T, aweights=weights)
    deviation = np.sqrt(np.maximum(np.diag(spread), _RIDGE))
    precision = np.linalg.inv(spread / np.outer(deviation, deviation) + _RIDGE * np.eye(len(spread)))
    return float(-precision[0, 1] / np.sqrt(precision[0, 0] * precision[1, 1]))
