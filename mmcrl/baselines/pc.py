"""PC and FCI: the constraint-based graphs of causal-learn, on latents that another method has found, or on columns.

causal-learn (extra ``book``) is imported when it is asked for, and nowhere else.  Both tests are Fisher's Z on normal
scores, among complete cases: people who lack one value are left out.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from tqdm import TqdmWarning

from mmcrl.densities import normal_scores
from mmcrl.errors import InputError, check_whole
from mmcrl.knowledge import labels_of, numbers_of

__all__ = ["fci_graph", "pc_graph"]


def pc_graph(latents: pd.DataFrame, alpha: float = 0.01, uc_priority: int = 3) -> pd.DataFrame:
    """The PC graph of these columns, with Fisher's Z on their normal scores.

    ``A[i, j] = 1`` iff j causes i; a link without a direction, and one that PC directs both ways, fills both entries.
    Stable skeleton search, colliders by separating sets (``uc_rule=0``).

    Parameters
    ----------
    latents : one row per person; people without all values are left out.
    alpha : level of the independence tests.
    uc_priority : which of two colliders that disagree wins: 3 the stronger one; 2, the library's own default, the
        one that was found first, which reverses many edges.

    Raises
    ------
    InputError : for a level outside (0, 1), an unknown priority, fewer than 20 people, columns that others tell,
        or what is no table of numbers.

    Sources: Spirtes, Glymour and Scheines, Causation, Prediction, and Search (2000); Zheng et al., Causal-learn:
    Causal discovery in Python (2024), arXiv:2307.16405.
    """
    _check_level(alpha)
    if uc_priority not in (0, 1, 2, 3, 4):
        raise InputError("uc_priority", "0, 1, 2, 3 or 4", repr(uc_priority))
    names, scores = _complete(latents)
    options: dict[str, Any] = {"indep_test": "fisherz", "stable": True, "uc_rule": 0, "uc_priority": uc_priority}
    with _silence():
        from causallearn.search.ConstraintBased.PC import pc

        found = pc(scores, alpha, show_progress=False, verbose=False, **options).G.graph
    return pd.DataFrame(_adjacency(np.asarray(found)), index=names, columns=names)


def fci_graph(latents: pd.DataFrame, alpha: float = 0.01, depth: int = 3) -> pd.DataFrame:
    """The FCI graph of these columns, which allows for hidden common causes, with Fisher's Z on their normal scores.

    ``M.loc[i, j]`` is the mark at i's end of the edge between i and j: ``tail``, ``arrow``, ``circle`` (not decided),
    or nothing where there is no edge.  An arrow at i says that i causes j in no graph that fits, arrows at both ends
    that something hidden causes both.  It rests on independencies alone: tiers are not given, since the library
    would take an edge that they direct for one without a hidden cause.

    Parameters
    ----------
    latents : one row per person; people without all values are left out.
    alpha : level of the independence tests.
    depth : largest number of others that are held fixed in the first search, as many as our links use; discriminating
        paths are followed to any length.

    Raises
    ------
    InputError : for a level outside (0, 1), a depth below 0, fewer than 20 people, columns that others tell,
        or what is no table of numbers.

    Sources: Spirtes, Glymour and Scheines, Causation, Prediction, and Search (2000); Zhang, On the completeness of
    orientation rules for causal discovery in the presence of latent confounders and selection bias (2008); Zheng et
    al., Causal-learn: Causal discovery in Python (2024), arXiv:2307.16405.
    """
    _check_level(alpha)
    check_whole("depth", depth, 0)
    names, scores = _complete(latents)
    options: dict[str, Any] = {"depth": int(depth), "max_path_length": -1, "show_progress": False, "verbose": False}
    with _silence():
        from causallearn.search.ConstraintBased.FCI import fci

        found, _ = fci(scores, "fisherz", alpha, **options)
    marks = np.asarray(found.graph)  # [i, j]: the mark at i
    words = np.select([marks == -1, marks == 1, marks == 2], ["tail", "arrow", "circle"], "")
    return pd.DataFrame(words, index=names, columns=names)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """causal-learn prints some of FCI's edges, verbose or not, and warns of a bar that it does not draw."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore", TqdmWarning)
        yield


def _check_level(alpha: float) -> None:
    if isinstance(alpha, bool) or not 0 < alpha < 1:
        raise InputError("alpha", "a number between 0 and 1", repr(alpha))


def _complete(latents: pd.DataFrame) -> tuple[list[str], np.ndarray]:
    """Names of the columns, and the normal scores (n, d) of those who have all of them."""
    names = labels_of(latents)
    values = numbers_of(latents.dropna())
    if len(values) < 20:
        raise InputError("latents", "at least 20 people with all latents", f"{len(values)}")
    scores = normal_scores(values)
    if np.linalg.matrix_rank(scores - scores.mean(0)) < len(names):
        raise InputError(
            "latents", "columns none of which the others tell exactly", "one that is the same for all, or told"
        )
    return names, scores


def _adjacency(marks: np.ndarray) -> np.ndarray:
    """From causal-learn's marks (``[j, i] = 1`` and ``[i, j] = -1`` for i -> j) to the package's convention."""
    linked = (marks != 0) & (marks.T != 0)
    into_row = (marks == 1) & (marks.T == -1)  # the column causes the row
    return (linked & ~into_row.T).astype(int)
