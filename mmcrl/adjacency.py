"""Adjacency: a table of links as a matrix and as a graph.

Both hold the links of at least some confidence; an undirected one runs both ways.
"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real

import networkx as nx
import pandas as pd

from mmcrl.errors import InputError

__all__ = ["confident_links", "graph_of", "matrix_of"]


def confident_links(links: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """The rows of the table with at least this confidence, without pairs that are known not to be linked.

    Raises
    ------
    InputError : for a confidence outside [0, 1].
    """
    if isinstance(confidence, bool) or not isinstance(confidence, Real) or not 0 <= confidence <= 1:
        raise InputError("confidence", "a number from 0 to 1", repr(confidence))
    unlinked = (links["direction"] == "undirected") & (links["rests_on"] == "forbidden")
    return links[(links["confidence"] >= confidence) & ~unlinked]


def matrix_of(links: pd.DataFrame, names: Sequence[str], confidence: float) -> pd.DataFrame:
    """``A.loc[i, j] = 1`` iff latent j may cause latent i: square, rows targets, columns sources.

    >>> rows = {"source": ["a.0"], "target": ["b.0"], "direction": ["directed"], "rests_on": ["tier"]}
    >>> matrix_of(pd.DataFrame({**rows, "confidence": [0.9]}), ["a.0", "b.0"], 0.5).to_numpy().tolist()
    [[0, 0], [1, 0]]
    """
    matrix = pd.DataFrame(0, index=list(names), columns=list(names))
    for source, target in graph_of(links, names, confidence).edges:
        matrix.loc[target, source] = 1
    return matrix


def graph_of(links: pd.DataFrame, names: Sequence[str], confidence: float) -> nx.DiGraph:
    """The links as edges from source to target that carry the other columns of the table."""
    graph = nx.DiGraph()
    graph.add_nodes_from(names)
    for link in confident_links(links, confidence).to_dict("records"):
        edge = {str(column): value for column, value in link.items() if column not in ("source", "target")}
        graph.add_edge(link["source"], link["target"], **edge)
        if link["direction"] == "undirected":
            graph.add_edge(link["target"], link["source"], **edge)
    return graph
