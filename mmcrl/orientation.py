"""Orientation: which direction a link has, and what that rests on.

Three things decide a direction, in this order, and nothing else does:

- *tier*: background knowledge, an earlier tier is never caused by a later one;
- *collider*: i and j are independent, and become dependent once k is known; then i -> k <- j (Spirtes, Glymour and
  Scheines, Causation, Prediction, and Search, 2000).  Both halves are measured, not inferred from an absence;
- *propagation*: the one direction that makes no new collider and no cycle (Meek, Causal inference and causal
  explanation with background knowledge, 1995, rules 1 and 2).  That a latent is no collider is measured as well: the
  ends must be dependent without it, also when nothing else is known, and independent with it.

A pair of latents alone is never directed by its likelihood: latents are known up to an invertible function of each,
which leaves no asymmetry between cause and effect to be seen.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence

__all__ = ["Rests", "orient", "tier_arrow"]

Rests = str  # "tier", "collider", "propagation" or "none"

Arrow = tuple[int, int]  # cause, effect


def orient(
    links: set[frozenset[int]],
    tiers: Sequence[int | None],
    separators: Mapping[frozenset[int], Sequence[int]],
    depends: Callable[[int, int, Sequence[int]], bool],
) -> dict[Arrow, Rests]:
    """Directed links among ``links`` (pairs of latents) with what each rests on.

    ``separators`` holds the set that separates each pair without a link; ``depends(i, j, given)`` says whether i and
    j are clearly dependent given these others.  Where two colliders disagree about a link, it stays undirected.
    """
    arrows: dict[Arrow, Rests] = {}
    for i, j in _pairs(links):
        known = tier_arrow(i, j, tiers)
        if known is not None:
            arrows[known] = "tier"
    votes = _collider_arrows(links, separators, depends)
    contested = {frozenset(arrow) for arrow in votes if arrow[::-1] in votes}
    for cause, effect in sorted(votes):
        if frozenset((cause, effect)) not in contested and (effect, cause) not in arrows:
            arrows.setdefault((cause, effect), "collider")
    _propagate(links, arrows, contested, separators, depends)
    return arrows


def tier_arrow(i: int, j: int, tiers: Sequence[int | None]) -> Arrow | None:
    """The direction that the tiers leave to a pair, None where they say nothing.

    >>> tier_arrow(0, 1, [2, 1])
    (1, 0)
    """
    first, second = tiers[i], tiers[j]
    if first is None or second is None or first == second:
        return None
    return (i, j) if first < second else (j, i)


def _pairs(links: set[frozenset[int]]) -> list[Arrow]:
    return sorted((min(pair), max(pair)) for pair in links)


def _collider_arrows(
    links: set[frozenset[int]],
    separators: Mapping[frozenset[int], Sequence[int]],
    depends: Callable[[int, int, Sequence[int]], bool],
) -> set[Arrow]:
    """Arrows into the middle of every unshielded triple whose ends become dependent through it."""
    neighbours: dict[int, set[int]] = {}
    for i, j in _pairs(links):
        neighbours.setdefault(i, set()).add(j)
        neighbours.setdefault(j, set()).add(i)
    found = set()
    for k, around in neighbours.items():
        for i, j in itertools.combinations(sorted(around), 2):
            given = separators.get(frozenset((i, j)))
            if given is not None and k not in given and depends(i, j, [*given, k]):
                found |= {(i, k), (j, k)}
    return found


def _propagate(
    links: set[frozenset[int]],
    arrows: dict[Arrow, Rests],
    contested: set[frozenset[int]],
    separators: Mapping[frozenset[int], Sequence[int]],
    depends: Callable[[int, int, Sequence[int]], bool],
) -> None:
    """Meek's rules 1 and 2 until nothing changes; a contested link is left alone."""
    changed = True
    while changed:
        changed = False
        for i, j in _pairs(links - contested):
            for cause, effect in ((i, j), (j, i)):
                if (i, j) in arrows or (j, i) in arrows:
                    continue
                if _forced(cause, effect, arrows, separators, depends):
                    arrows[cause, effect] = "propagation"
                    changed = True


def _forced(
    cause: int,
    effect: int,
    arrows: Mapping[Arrow, Rests],
    separators: Mapping[frozenset[int], Sequence[int]],
    depends: Callable[[int, int, Sequence[int]], bool],
) -> bool:
    """Rule 1 asks that ``cause`` is what separates one of its causes from the effect: absent links are too little."""
    if any(a == cause and (b, effect) in arrows for a, b in arrows):
        return True
    for a in [a for a, b in arrows if b == cause and a != effect]:
        given = separators.get(frozenset((a, effect)), ())
        rest = [k for k in given if k != cause]
        if cause in given and depends(a, effect, rest) and depends(a, effect, []):
            return True
    return False
