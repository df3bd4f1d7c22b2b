"""What can be known of a true graph's directions, and how many of a table's claims are right."""

import itertools

import pandas as pd

from mmcrl.links import link_table
from mmcrl.simulate import World

Edge = tuple[str, str]


def compelled(dag: set[Edge]) -> set[Edge]:
    """The links (cause, effect) that every graph of the equivalence class has: colliders and Meek's rules 1 to 3."""
    names = sorted({name for edge in dag for name in edge})
    near = {frozenset(edge) for edge in dag}

    def apart(x: str, y: str) -> bool:
        return x != y and frozenset((x, y)) not in near

    found = {(s, t) for s, t in dag if any(apart(s, o) for o in names if (o, t) in dag)}
    while True:
        into = {t: {s for s, e in found if e == t} for t in names}
        free = dag - found
        more = {(s, t) for s, t in free if any(apart(a, t) for a in into[s])}
        more |= {(s, t) for s, t in free if any(s in into[b] for b in into[t])}
        more |= {
            (s, t)
            for s, t in free
            for x, y in itertools.combinations(sorted(into[t]), 2)
            if apart(x, y) and not apart(s, x) and not apart(s, y)
        }
        if not more:
            return found
        found |= more


def claims(world: World) -> tuple[set[Edge], set[Edge], set[Edge]]:
    """Directions (cause, effect) claimed from the true latents, the compelled ones, and all true ones."""
    names = list(world.adjacency.index)
    table = link_table(world.latents.to_numpy(), names)
    told = table[(table["confidence"] >= 0.5) & table["rests_on"].isin(["collider", "propagation"])]
    told = told[told["scope"] == "cross"]
    claimed = set(zip(told["source"], told["target"], strict=True))
    links = world.adjacency.stack()
    dag = {(str(s), str(t)) for t, s in links[links == 1].index}
    return claimed, compelled(dag), dag


def shares(worlds: list[World]) -> pd.Series:
    """Of all claims, those that are right; of all compelled directions, those that are claimed."""
    rows = [claims(world) for world in worlds]
    claimed, right = sum(len(c) for c, *_ in rows), sum(len(c & d) for c, _, d in rows)
    known, found = sum(len(k) for _, k, _ in rows), sum(len(c & k) for c, k, _ in rows)
    return pd.Series({"claimed": claimed, "right": right / claimed, "compelled": known, "found": found / known})
