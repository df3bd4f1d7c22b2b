"""Search: for every pair of latents, the other latents that explain most of their dependence.

A PC search (Spirtes, Glymour and Scheines, Causation, Prediction, and Search, 2000; order-independent as in Colombo
and Maathuis, Order-independent constraint-based causal structure learning, 2014) whose measure of dependence is the
canonical correlation of polynomial features, so that curved and scale dependence is seen as well.  It is measured on
the people who have all latents in question; a set that fewer than half of the pair's people have is not asked: what
it leaves would be what those few have in common, who may be others.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache

import numpy as np

from mmcrl.densities import DEGREE, features, normal_scores
from mmcrl.evidence import FEWEST

__all__ = ["separating_sets"]

_MAX_CONDITIONING = 3
_NEGLIGIBLE = 0.003  # nats below which the search calls a pair separated
_FEWEST_SHARE = 0.5  # of a pair's people who must have a set that separates it
_KEPT = 256  # matrices of moments, one per set of people


class _Dependence:
    """Conditional mutual information (nats) of pairs from canonical correlations of Hermite features.

    ``I(i; j | S) ~ -1/2 sum_k log(1 - rho_k^2)``, less its bias ``degree^2 / (2n)`` under independence, among the n
    people who have i, j and S; 0 where these are too few to tell.
    """

    def __init__(self, z: np.ndarray) -> None:
        self.x = features(z).reshape(len(z), -1)
        gaps, self.pattern = np.unique(np.isnan(z), axis=1, return_inverse=True)
        self.pattern = self.pattern.ravel()
        self.whole = {int(p) for p in np.flatnonzero(~gaps.any(0))}
        self.gaps = gaps
        self.count = cache(lambda patterns: int(self._who(patterns).sum()))
        self.moments = lru_cache(_KEPT)(self._moments)

    def people(self, latents: Sequence[int]) -> int:
        """How many have all of these latents."""
        return self.count(self._patterns(latents))

    def __call__(self, i: int, j: int, given: Sequence[int]) -> float:
        n, gram = self.moments(self._patterns([i, j, *given]))
        if n < FEWEST:
            return 0.0
        ends = self._columns([i, j])
        block = gram[np.ix_(ends, ends)]
        if given:
            others = self._columns(given)
            across = gram[np.ix_(others, ends)]
            block = block - across.T @ np.linalg.solve(gram[np.ix_(others, others)], across)
        first, second = block[:DEGREE, :DEGREE], block[DEGREE:, DEGREE:]
        cross = block[:DEGREE, DEGREE:]
        squared = np.linalg.solve(first, cross) @ np.linalg.solve(second, cross.T)
        independent = np.linalg.det(np.eye(DEGREE) - squared)
        return -0.5 * float(np.log(max(independent, 1e-12))) - DEGREE**2 / (2 * n)

    def _patterns(self, latents: Sequence[int]) -> frozenset[int]:
        """Which of the patterns of who was measured these latents have, less that of everybody."""
        return frozenset(self.pattern[list(latents)].tolist()) - self.whole

    def _who(self, patterns: frozenset[int]) -> np.ndarray:
        """Which people (n,) fit all patterns."""
        return np.asarray(~self.gaps[:, sorted(patterns)].any(1))

    def _moments(self, patterns: frozenset[int]) -> tuple[int, np.ndarray]:
        """How many people fit all patterns, and the second moments of the features of what all of them have."""
        x = np.nan_to_num(self.x[self._who(patterns)] if patterns else self.x)
        n = len(x)
        x = x - x.sum(0) / max(n, 1)
        return n, x.T @ x / max(n, 1) + 1e-6 * np.eye(x.shape[1])

    @staticmethod
    def _columns(latents: Sequence[int]) -> np.ndarray:
        return (np.asarray(latents)[:, None] * DEGREE + np.arange(DEGREE)).ravel()


def separating_sets(z: np.ndarray, barred: np.ndarray | None = None) -> dict[tuple[int, int], tuple[int, ...]]:
    """For every pair i < j of latents (n, d) the set that leaves least dependence between them.

    PC search: sets grow from the neighbours that are still adjacent, up to three.  ``barred[i, j]`` says that j is
    known not to cause i: a latent that causes neither end is never conditioned on, since it can only be an effect,
    and two that cause each other in neither direction are no neighbours.  Weaker pairs go first, and what j has
    explained (i and k are separated by a set with j) cannot explain i and j in turn: two blends of one latent would
    otherwise explain each other's links away.
    """
    measure = _Dependence(normal_scores(z))
    d = z.shape[1]
    causes = ~(np.zeros((d, d), dtype=bool) if barred is None else barred)
    near = causes | causes.T
    pairs = list(itertools.combinations(range(d), 2))
    alone = {(i, j): measure(i, j, ()) for i, j in pairs}
    least: dict[tuple[int, int], tuple[float, tuple[int, ...]]] = {pair: (alone[pair], ()) for pair in pairs}
    removed: dict[frozenset[int], tuple[int, ...]] = {
        frozenset(pair): () for pair in pairs if alone[pair] < _NEGLIGIBLE
    }
    for size in range(1, _MAX_CONDITIONING + 1):
        adjacent = {
            i: [k for k in range(d) if k != i and near[i, k] and frozenset((i, k)) not in removed] for i in range(d)
        }
        for i, j in sorted(pairs, key=lambda pair: alone[pair]):
            if frozenset((i, j)) in removed:
                continue
            fewest = _FEWEST_SHARE * measure.people([i, j])
            for given in _candidates(i, j, adjacent, causes, size):
                if any(
                    j in removed.get(frozenset((i, k)), ()) or i in removed.get(frozenset((j, k)), ()) for k in given
                ):
                    continue
                if measure.people([i, j, *given]) < fewest:
                    continue
                value = measure(i, j, given)
                if value < least[i, j][0]:
                    least[i, j] = value, given
                if value < _NEGLIGIBLE:
                    removed[frozenset((i, j))] = given
                    break
    return {pair: given for pair, (_, given) in least.items()}


def _candidates(
    i: int, j: int, adjacent: dict[int, list[int]], causes: np.ndarray, size: int
) -> Iterator[tuple[int, ...]]:
    tried = set()
    for end, other in ((i, j), (j, i)):
        allowed = [k for k in adjacent[end] if k != other and (causes[i, k] or causes[j, k])]
        for given in itertools.combinations(allowed, size):
            if given not in tried:
                tried.add(given)
                yield given
