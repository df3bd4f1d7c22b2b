"""Known links: holding what was found against what is known beforehand.

A known link joins two columns, a found one two latents. With the signed loadings a of the columns on the latents, a
found link of sign c implies the sign ``sign(a_source) c sign(a_target)`` between the columns.  A latent may rise with
one column and not in step with another, so that its link has no sign; its effect on the column itself may have one
(`mmcrl.effects`).  What is known of two columns is seldom known to be direct: where no link was found, other latents
may lie between (`mmcrl.routes`).  And what is known of people at large may be too faint in these: `between_columns`
measures what two columns share before anything is fitted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from mmcrl.cohort import Cohort
from mmcrl.columns import column_values
from mmcrl.decoding import ITSELF
from mmcrl.errors import check_table
from mmcrl.evidence import pair_evidence
from mmcrl.links import confidence_of

__all__ = ["between_columns", "compare"]

_NEEDED = {
    "links": ["source", "target", "confidence", "direction", "sign", "evidence"],
    "loadings": ["latent", "modality", "column", "loading"],
    "known": ["source", "target", "sign", "rests_on"],
}
_NOTHING = {"latent_source": None, "latent_target": None, "sign": 0, "direction": None, "confidence": 0.0}
_NOTHING |= {"evidence": float("nan"), "by_way_of": None, "right_way": False}
_CARRIED = ["latent_source", "latent_target", "found", "sign", "right_sign", "direction"]
_CARRIED += ["confidence", "evidence", "by_way_of", "right_way"]


def compare(
    links: pd.DataFrame,
    loadings: pd.DataFrame,
    known: pd.DataFrame,
    confidence: float = 0.5,
    *,
    loading: float = 0.3,
    routes: pd.DataFrame | None = None,
    effects: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """One row per known link: the pair of latents that carries it, whether it was found, with which sign.

    A latent carries a column on which its absolute loading is at least ``loading``; one that is the column
    itself (``observed`` modalities) carries it alone. Of all links between carriers, in either direction, the
    one of the largest ``confidence |a_source a_target|`` is taken.

    Parameters
    ----------
    links : of `MultimodalCRL.links`. loadings : of `MultimodalCRL.loadings`. known : of `Cohort.known`.
    confidence : from where on a link counts as found. routes : of `mmcrl.routes.route_table`, where it was made.
    effects : of `MultimodalCRL.effects`: where a found link has no sign, that of the one latent's effect on the other
        column is taken, if its interval leaves out 0.

    Returns
    -------
    source, target (``modality.column``), expected_sign, rests_on, latent_source, latent_target, found, sign
    (0 where none), right_sign (found and of the expected sign; where that is 0, not found), direction (expected,
    undirected, reversed), confidence, evidence; by_way_of (where no link was found: the latents of the route between
    carriers that carries most, None without one) and right_way (whether that route has the expected sign).

    Raises
    ------
    InputError : for a table without its columns.
    """
    for name, frame in {"links": links, "loadings": loadings, "known": known}.items():
        check_table(name, frame, _NEEDED[name])
    rows = []
    for link in known.to_dict("records"):
        sources, targets = (_carriers(loadings, link[end], loading) for end in ("source", "target"))
        row: dict[str, Any] = {**_NOTHING, **(_best(links, sources, targets) or {})}
        row["found"] = row["confidence"] >= confidence
        if effects is not None and row["found"] and not row["sign"]:
            row["sign"] = _sign_on_columns(effects, row, link, sources, targets)
        row["right_sign"] = row["found"] == (link["sign"] != 0) and link["sign"] in (0, row["sign"])
        if routes is not None and not row["found"]:
            row |= _way(routes, sources, targets, link["sign"])
        rows.append([link["source"], link["target"], link["sign"], link["rests_on"], *(row[k] for k in _CARRIED)])
    return pd.DataFrame(rows, columns=["source", "target", "expected_sign", "rests_on", *_CARRIED])


def between_columns(cohort: Cohort, smallest: float = 0.005, seed: int = 0) -> pd.DataFrame:
    """What the two columns of every known link of the cohort share by themselves, one row each.

    Returns
    -------
    source, target (``modality.column``), evidence and evidence_se (`mmcrl.evidence.pair_evidence` of the two columns,
    in nats per person, of the people who have both), and their confidence as a link of at least ``smallest`` nats; of
    a channel of images or series each person's mean counts.

    >>> import numpy as np
    >>> x, noise = np.random.default_rng(0).normal(size=(2, 2_000))
    >>> rows = pd.DataFrame([("a.x", "b.y", 1, "a book")], columns=["source", "target", "sign", "rests_on"])
    >>> people = Cohort({"a": pd.DataFrame({"x": x}), "b": pd.DataFrame({"y": x + noise})}, known=rows)
    >>> between_columns(people)["evidence"].round(1).tolist()
    [0.3]
    """
    rows = []
    for source, target in zip(cohort.known["source"], cohort.known["target"], strict=True):
        pair = np.column_stack([column_values(cohort, source), column_values(cohort, target)])
        delta, error, _ = pair_evidence(pair, 0, 1, [], seed)
        rows.append((source, target, delta, error, confidence_of(delta, error, smallest)))
    return pd.DataFrame(rows, columns=["source", "target", "evidence", "evidence_se", "confidence"])


def _way(routes: pd.DataFrame, sources: dict[str, float], targets: dict[str, float], expected: int) -> dict[str, Any]:
    """The route from a carrier of the one column to one of the other that carries most."""
    among = routes[routes["source"].isin(sources) & routes["target"].isin(targets)].reset_index(drop=True)
    if among.empty:
        return {}
    product = among["source"].map(sources) * among["target"].map(targets)
    best = int((among["alone"] * product.abs()).to_numpy().argmax())
    sign = int(np.sign(product[best]) * among["sign"][best])
    return {"by_way_of": among["through"][best], "right_way": expected != 0 and sign == expected}


def _sign_on_columns(
    effects: pd.DataFrame,
    row: Mapping[str, Any],
    link: Mapping[Any, Any],
    sources: dict[str, float],
    targets: dict[str, float],
) -> int:
    """The sign that the latent of the one column has on the other column; 0 where neither way has one."""
    a, b = row["latent_source"], row["latent_target"]
    for source, target, column, loading in ((a, b, link["target"], sources[a]), (b, a, link["source"], targets[b])):
        on = (effects["source"] == source) & (effects["target"] == target) & (effects["column"] == column)
        clear = effects[on & (effects["low"] * effects["high"] > 0)]
        if len(clear):
            return int(np.sign(loading * clear["effect"].iloc[0]))
    return 0


def _carriers(loadings: pd.DataFrame, end: str, least: float) -> dict[str, float]:
    """Latents that carry this column, with their signed loadings."""
    modality, column = end.split(".", 1)
    own = loadings[(loadings["modality"] == modality) & (loadings["column"] == column)]
    size = own["loading"].abs()
    own = own[size >= (ITSELF if (size >= ITSELF).any() else least)]
    return dict(zip(own["latent"], own["loading"], strict=True))


def _best(links: pd.DataFrame, sources: dict[str, float], targets: dict[str, float]) -> dict[str, Any] | None:
    """The link between carriers, seen from the known link's source, that carries most."""
    turned = links.rename(columns={"source": "target", "target": "source"})
    turned["direction"] = turned["direction"].replace("directed", "reversed")
    pairs = pd.concat([links.replace({"direction": {"directed": "expected"}}), turned], ignore_index=True)
    pairs = pairs[pairs["source"].isin(sources) & pairs["target"].isin(targets)].reset_index(drop=True)
    if pairs.empty:
        return None
    product = pairs["source"].map(sources) * pairs["target"].map(targets)
    best = int((pairs["confidence"] * product.abs()).to_numpy().argmax())
    link = pairs.iloc[best]
    return {
        "latent_source": link["source"],
        "latent_target": link["target"],
        "sign": int(np.sign(product[best]) * link["sign"]),
        "direction": link["direction"],
        "confidence": float(link["confidence"]),
        "evidence": float(link["evidence"]),
    }
