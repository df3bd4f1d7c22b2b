"""Orientation: which direction a link has, and what that rests on.

Three things decide a direction, in this order, and nothing else does:

- *knowledge* (tier, forbidden, required): one way is barred beforehand, see `mmcrl.knowledge`;
- *collider*: i and j are independent, and become dependent once k is known; then i -> k <- j (Spirtes, Glymour and
  Scheines, Causation, Prediction, and Search, 2000).  Both halves are measured, not inferred from an absence; and no
  set with k in it separates i and j, as it would where the paths through k and beside it cancel each other (Ramsey,
  Zhang and Spirtes, Adjacency-faithfulness and conservative causal inference, 2006);
- *propagation*: the one direction that makes no new collider and no cycle (Meek, Causal inference and causal
  explanation with background knowledge, 1995, rules 1 and 2).  That a latent is no collider is measured as well: the
  ends must be dependent without it, also when nothing else is known, and independent with it.

Collider and propagation take it for granted that links form no cycle (where they may, knowledge alone directs) and
that their middle is one latent: a blend of siblings carries what each of them does and looks like either, so a latent
that is not told apart is never a middle.

A pair of latents alone is never directed by its likelihood: latents are known up to an invertible function of each,
which leaves no asymmetry between cause and effect to be seen.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from mmcrl.knowledge import Arrow, Limits

__all__ = ["Findings", "Rests", "orient"]

Rests = str  # "tier", "forbidden", "required", "collider", "propagation" or "none"


class Findings(NamedTuple):
    """What was measured.

    links : the pairs of latents that are linked.
    separators : of pairs that surely have no link worth mentioning, the set that separates them.
    separates : ``separates(i, j, given)`` says whether i and j are surely as good as independent given these others.
    may_separate : the same, whether they may be: what speaks against an arrow need not be sure.
    depends : ``depends(i, j, given)`` says whether i and j are clearly dependent given these others.
    middles : the latents that are told apart from their siblings.
    """

    links: set[frozenset[int]]
    separators: Mapping[frozenset[int], Sequence[int]]
    separates: Callable[[int, int, Sequence[int]], bool]
    may_separate: Callable[[int, int, Sequence[int]], bool]
    depends: Callable[[int, int, Sequence[int]], bool]
    middles: Collection[int]


def orient(found: Findings, limits: Limits) -> dict[Arrow, Rests]:
    """The links (cause, effect) that have a direction, with what each rests on.

    Where two colliders disagree about a link, it stays undirected.  Links that may form cycles are directed by
    knowledge alone.
    """
    arrows: dict[Arrow, Rests] = {}
    for i, j in _pairs(found.links):
        known = limits.arrow(i, j)
        if known is not None:
            cause, effect = known
            arrows[known] = str(limits.why[cause, effect])
    if not limits.acyclic:
        return arrows
    votes = _collider_arrows(found, limits)
    contested = {frozenset(arrow) for arrow in votes if arrow[::-1] in votes}
    for cause, effect in sorted(votes):
        if frozenset((cause, effect)) not in contested:
            arrows.setdefault((cause, effect), "collider")
    _propagate(found._replace(links=found.links - contested), limits, arrows)
    return arrows


def _pairs(links: set[frozenset[int]]) -> list[Arrow]:
    return sorted((min(pair), max(pair)) for pair in links)


def _collider_arrows(found: Findings, limits: Limits) -> set[Arrow]:
    """Arrows into the middle of every unshielded triple whose ends become dependent through it."""
    causes: dict[int, set[int]] = {}
    for i, j in _pairs(found.links):
        for cause, effect in ((i, j), (j, i)):
            if not limits.barred[effect, cause]:
                causes.setdefault(effect, set()).add(cause)
    arrows = set()
    for k in sorted(set(found.middles) & set(causes)):
        for i, j in itertools.combinations(sorted(causes[k]), 2):
            given = found.separators.get(frozenset((i, j)))
            if given is None or k in given:
                continue
            if _opened(found, i, j, k, given) and not _closed(found, i, j, k):
                arrows |= {(i, k), (j, k)}
    return arrows


def _opened(found: Findings, i: int, j: int, k: int, given: Sequence[int]) -> bool:
    """Whether i and j are separated by ``given``, or a part of it, and become dependent once k is known too."""
    if found.depends(i, j, [*given, k]):
        return True
    return any(
        found.separates(i, j, part) and found.depends(i, j, [*part, k]) for part in _parts(given, len(given) - 1)
    )


def _closed(found: Findings, i: int, j: int, k: int) -> bool:
    """Whether k and at most two that are linked to i, or to j, may separate them."""
    beside = [{o for pair in found.links if end in pair for o in pair} - {i, j, k} for end in (i, j)]
    some = {part for others in beside for part in _parts(sorted(others), 2)}
    return any(found.may_separate(i, j, [k, *part]) for part in sorted(some, key=len))


def _parts(of: Sequence[int], most: int) -> list[tuple[int, ...]]:
    """The subsets of at most so many, smaller ones first."""
    return [part for size in range(most + 1) for part in itertools.combinations(of, size)]


def _propagate(found: Findings, limits: Limits, arrows: dict[Arrow, Rests]) -> None:
    """Meek's rules 1 and 2 until nothing changes."""
    changed = True
    while changed:
        changed = False
        for i, j in _pairs(found.links):
            for cause, effect in ((i, j), (j, i)):
                if (i, j) in arrows or (j, i) in arrows or limits.barred[effect, cause]:
                    continue
                if _forced(cause, effect, arrows, found):
                    arrows[cause, effect] = "propagation"
                    changed = True


def _forced(cause: int, effect: int, arrows: Mapping[Arrow, Rests], found: Findings) -> bool:
    """Rule 1 asks that ``cause`` is what separates one of its causes from the effect: absent links are too little."""
    if any(a == cause and b in found.middles and (b, effect) in arrows for a, b in arrows):
        return True
    for a in [a for a, b in arrows if b == cause and b in found.middles and a != effect]:
        given = found.separators.get(frozenset((a, effect)), ())
        rest = [k for k in given if k != cause]
        if cause in given and found.depends(a, effect, rest) and found.depends(a, effect, []):
            return True
    return False
