"""Routes: pairs that go together clearly and have no link of their own, since other latents lie between them.

A graph says of a chain a -> k -> b that a and b go together, and that nothing of it is left once k is held fixed.  So
of a pair without a link a route is told where

    Delta(a, b) is a link's, alone;   k is linked to a and to b;   Delta(a, b | all such k) is none's,

and no direction forbids to go from a through k to b, with ten people or more per regressor of the densities, since of
fewer no gain is no sign of none.  Directions that are not known forbid nothing: such a k may as well be a common
cause.  Delta as in `mmcrl.evidence`.
"""

from __future__ import annotations

import itertools
from functools import cache

import pandas as pd

from mmcrl.adjacency import graph_of
from mmcrl.evidence import enough, pair_evidence
from mmcrl.knowledge import labels_of, numbers_of
from mmcrl.links import confidence_of

__all__ = ["ROUTE_COLUMNS", "route_table"]

ROUTE_COLUMNS = ["source", "target", "through", "sign", "alone", "left"]


def route_table(
    links: pd.DataFrame, latents: pd.DataFrame, confidence: float = 0.5, smallest: float = 0.005, seed: int = 0
) -> pd.DataFrame:
    """Every ordered pair of latents that has a route, by way of one latent or of several side by side.

    Parameters
    ----------
    links : of `MultimodalCRL.links`. latents : of `MultimodalCRL.transform`, of people whom the fit has not seen.
    confidence : from where on a link counts as found. smallest : what counts as a link (nats).

    Returns
    -------
    `ROUTE_COLUMNS`: source, target, through (names of the latents between, with commas), sign (in which the two go
    together), alone and left (evidence in nats per person: of the pair as it is, and with those between held fixed).

    Raises
    ------
    InputError : for a confidence outside [0, 1], and what is no table of links or of numbers.

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> a, e, f = rng.normal(size=(3, 2_000))
    >>> k = a + e
    >>> z = pd.DataFrame({"a.0": a, "k.0": k, "b.0": f - k})
    >>> found = {"source": ["a.0", "k.0"], "target": ["k.0", "b.0"], "direction": "directed", "rests_on": "tier"}
    >>> route_table(pd.DataFrame({**found, "confidence": 1.0}), z)[["source", "target", "through", "sign"]]
      source target through  sign
    0    a.0    b.0     k.0    -1
    """
    names, z = labels_of(latents), numbers_of(latents)
    graph, rows = graph_of(links, names, confidence), []

    @cache
    def evidence(i: int, j: int, given: tuple[int, ...]) -> tuple[float, float, float]:
        return pair_evidence(z, i, j, given, seed)

    for source, target in itertools.permutations(names, 2):
        between = [k for k in names if graph.has_edge(source, k) and graph.has_edge(k, target)]
        if not between or graph.has_edge(source, target) or graph.has_edge(target, source):
            continue
        i, j = sorted((names.index(source), names.index(target)))
        given = tuple(names.index(k) for k in between)
        alone, error, sign = evidence(i, j, ())
        if confidence_of(alone, error, smallest) < confidence or not enough(z, i, j, given):
            continue
        left, error, _ = evidence(i, j, given)
        if confidence_of(left, error, smallest) < confidence:
            rows.append((source, target, ", ".join(between), int(sign), alone, left))
    return pd.DataFrame(rows, columns=ROUTE_COLUMNS)
