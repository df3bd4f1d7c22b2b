"""Directions: one acyclic graph that agrees with every decided link, and what in it is arbitrary.

Sampling needs a direction for every link.  An undirected link has none that the data decide, so it is given a
*working direction*: the graph becomes one member of the equivalence class, found by taking away, again and again, a
latent that can come last (Dor and Tarsi, A simple algorithm to construct a consistent extension of a partially
oriented graph, 1992): none of its links is known to leave it, and no new collider arises in it.  What is observed
does not depend on that choice; what an intervention does along such a link does, and `doubtful_links` names them.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

__all__ = ["Arrow", "allowed_parents", "doubtful_links", "working_directions"]


class Arrow(NamedTuple):
    """A link with the direction that is worked with; ``decided`` says whether the evidence gave it."""

    source: str
    target: str
    decided: bool


def working_directions(
    links: pd.DataFrame, names: Sequence[str], confidence: float = 0.5, barred: np.ndarray | None = None
) -> list[Arrow]:
    """An acyclic choice of directions for the links of at least this confidence, strongest first.

    ``links`` is the table of `MultimodalCRL.links`, ``barred[i, j]`` says that j is known not to cause i.  Where
    decided links form a cycle or no member of the equivalence class is acyclic, the fewest conditions are broken,
    what is known last; a decided link that had to be turned is no longer decided.

    >>> table = pd.DataFrame({"source": ["a.0"], "target": ["b.0"], "direction": ["undirected"], "confidence": [0.9]})
    >>> working_directions(table, ["a.0", "b.0"])
    [Arrow(source='a.0', target='b.0', decided=False)]
    """
    kept = links[links["confidence"] >= confidence]
    pairs = [(str(source), str(target)) for source, target in zip(kept["source"], kept["target"], strict=True)]
    directed = {pair for pair, direction in zip(pairs, kept["direction"], strict=True) if direction == "directed"}
    known = set()
    if barred is not None:
        known = {(names[j], names[i]) for i, j in np.argwhere(barred)}
    place = _places(pairs, directed, known, names)
    return [_arrow(source, target, directed, place) for source, target in pairs]


def allowed_parents(
    arrows: Sequence[Arrow],
    names: Sequence[str],
    measured: np.ndarray,
    barred: np.ndarray | None = None,
    fewest: int = 100,
) -> np.ndarray:
    """Bool (d, d), ``allowed[i, j]`` iff j may cause i.

    A parent is left out when it is ``barred`` (bool (d, d), as in `working_directions`), and when fewer than
    ``fewest`` people have it together with the latent and its stronger parents; ``measured`` is bool (n, d), and
    ``arrows`` come strongest first.
    """
    at = {name: i for i, name in enumerate(names)}
    allowed = np.zeros((len(names), len(names)), dtype=bool)
    for arrow in arrows:
        i, j = at[arrow.target], at[arrow.source]
        if barred is not None and barred[i, j]:
            continue
        together = measured[:, [i, j, *np.flatnonzero(allowed[i])]].all(1)
        allowed[i, j] = together.sum() >= min(fewest, len(measured) // 2)
    return allowed


def doubtful_links(arrows: Sequence[Arrow], acted_on: Collection[str]) -> list[Arrow]:
    """The undecided links on which the effect of acting on these latents depends.

    Every undecided link with an end among what may respond: the latents reached along decided links, in their
    direction, and along undecided ones, in both.
    """
    reached = set(acted_on)
    frontier = list(acted_on)
    while frontier:
        here = frontier.pop()
        onward = {a.target for a in arrows if a.source == here}
        onward |= {a.source for a in arrows if a.target == here and not a.decided}
        frontier += sorted(onward - reached)
        reached |= onward
    return [a for a in arrows if not a.decided and a.source in reached and not {a.source, a.target} <= set(acted_on)]


def _arrow(source: str, target: str, directed: Collection[tuple[str, str]], place: dict[str, int]) -> Arrow:
    forward = place[source] < place[target]
    ends = (source, target) if forward else (target, source)
    return Arrow(*ends, decided=ends in directed)


def _places(
    links: Sequence[tuple[str, str]],
    directed: Collection[tuple[str, str]],
    barred: Collection[tuple[str, str]],
    names: Sequence[str],
) -> dict[str, int]:
    """A position for every latent, causes before effects."""
    adjacent: dict[str, set[str]] = {name: set() for name in names}
    for source, target in links:
        adjacent[source].add(target)
        adjacent[target].add(source)
    place: dict[str, int] = {}
    left = list(names)

    def faults(name: str) -> tuple[int, int, int, int]:
        """Causes that are barred, effects that would come before it, colliders made, and lateness among the names."""
        around = [other for other in left if other in adjacent[name]]
        against = sum((other, name) in barred for other in around)
        leaving = sum((name, other) in directed for other in around)
        free = {other for other in around if (other, name) not in directed}
        made = sum(y not in adjacent[x] for x, y in itertools.combinations(around, 2) if x in free or y in free)
        return against, leaving, made, -names.index(name)

    while left:
        last = min(left, key=faults)
        place[last] = len(left)
        left.remove(last)
    return place
