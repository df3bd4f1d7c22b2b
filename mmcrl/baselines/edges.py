"""Edges: what PC and FCI draw between the ends of every link, beside what we say, in words."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from mmcrl.cohort import Cohort
from mmcrl.columns import column_values
from mmcrl.errors import InputError

__all__ = ["edge_table", "standing_columns"]

_ONE_WAY = {"tail": "arrow into {}", "circle": "arrow into {}, or a hidden common cause"}


def edge_table(
    links: pd.DataFrame, pc: Mapping[str, pd.DataFrame] | None = None, fci: Mapping[str, pd.DataFrame] | None = None
) -> pd.DataFrame:
    """One row per link: source, target, ``links`` (ours), and a column of words per graph that is given.

    Words: ``no edge``; ``arrow into x``; ``no direction``; ``not drawn`` where the graph lacks an end, as one on
    columns does where a latent has no column of its own; of FCI also ``arrow into x, or a hidden common cause``
    (what is barred is that x acts on the other), ``hidden common cause`` and ``undecided``.  An arrow is how the
    graph is drawn, under the assumptions of its method; it is no proof of a cause.

    Parameters
    ----------
    links : of `MultimodalCRL.links`, restricted to the pairs that are asked about.
    pc : title to a graph of `mmcrl.baselines.pc_graph`. fci : title to one of `mmcrl.baselines.fci_graph`.  Their
        names are those of the latents, also where each latent is stood for by a column.

    Raises
    ------
    InputError : for a graph that has none of the latents.

    >>> links = pd.DataFrame({"source": ["a.0"], "target": ["b.0"], "direction": ["directed"]})
    >>> marks = pd.DataFrame([["", "circle"], ["arrow", ""]], index=["a.0", "b.0"], columns=["a.0", "b.0"])
    >>> edge_table(links, fci={"FCI": marks}).iloc[0].tolist()
    ['a.0', 'b.0', 'arrow into b.0', 'arrow into b.0, or a hidden common cause']
    """
    drawn = {title: (_of_pc, graph) for title, graph in (pc or {}).items()}
    drawn |= {title: (_of_fci, graph) for title, graph in (fci or {}).items()}
    names, rows = {*links["source"], *links["target"]}, []
    for title, (_, graph) in drawn.items():
        if names and not names & set(graph.index):
            raise InputError(title, f"a graph with latents among {', '.join(sorted(names))}", "one without")
    for source, target, direction in zip(links["source"], links["target"], links["direction"], strict=True):
        row = {"source": source, "target": target}
        row["links"] = f"arrow into {target}" if direction == "directed" else "no direction"
        for title, (words, graph) in drawn.items():
            row[title] = words(graph, source, target) if {source, target} <= set(graph.index) else "not drawn"
        rows.append(row)
    return pd.DataFrame(rows, columns=["source", "target", "links", *drawn])


def standing_columns(loadings: pd.DataFrame, cohort: Cohort, missing: float = 0.2) -> pd.DataFrame:
    """Observed columns in the place of latents: of each the column with its largest loading, no column twice.

    A table of people and the names of latents, for `mmcrl.baselines.pc_graph`, which leaves out whoever lacks one of
    them.  Columns of which a larger share than ``missing`` is missing are taken only where there is no other; a
    channel of an image or series is its mean.  A latent for which no column is left, as the second one of a picture
    with one channel, is left out.  Loadings are those of `MultimodalCRL.loadings` in this cohort.
    """
    taken: dict[str, np.ndarray] = {}
    used = set()
    strongest = loadings.reindex(loadings["loading"].abs().sort_values(ascending=False, kind="stable").index)
    for most in (missing, 1.0):
        for row in strongest.to_dict("records"):
            column = (str(row["modality"]), str(row["column"]))
            if row["latent"] in taken or column in used:
                continue
            values = column_values(cohort, ".".join(column))
            if np.isnan(values).mean() <= most:
                taken[str(row["latent"])] = values
                used.add(column)
    order = [latent for latent in dict.fromkeys(loadings["latent"]) if latent in taken]
    return pd.DataFrame({latent: taken[latent] for latent in order}, index=cohort.ids)


def _of_pc(graph: pd.DataFrame, source: str, target: str) -> str:
    into = {target: bool(graph.loc[target, source]), source: bool(graph.loc[source, target])}
    if all(into.values()):
        return "no direction"
    return next((f"arrow into {end}" for end, found in into.items() if found), "no edge")


def _of_fci(graph: pd.DataFrame, source: str, target: str) -> str:
    at_source, at_target = str(graph.loc[source, target]), str(graph.loc[target, source])
    if not at_source or not at_target:
        return "no edge"
    if at_source == at_target == "arrow":
        return "hidden common cause"
    if at_target == "arrow":
        return _ONE_WAY[at_source].format(target)
    if at_source == "arrow":
        return _ONE_WAY[at_target].format(source)
    return "undecided"
