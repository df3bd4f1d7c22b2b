"""Known links: holding what was found against what is known beforehand.

A known link joins two columns, a found one two latents. With the signed loadings a of the columns on the latents,
the sign that a found link s -> t of sign c implies between the columns is ``sign(a_source) c sign(a_target)``.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from mmcrl.errors import InputError

__all__ = ["compare"]

_NEEDED = {
    "links": ["source", "target", "confidence", "direction", "sign", "evidence"],
    "loadings": ["latent", "modality", "column", "loading"],
    "known": ["source", "target", "sign", "rests_on"],
}
_CARRIED = [
    "latent_source",
    "latent_target",
    "found",
    "sign",
    "right_sign",
    "direction",
    "confidence",
    "evidence",
]


def compare(
    links: pd.DataFrame,
    loadings: pd.DataFrame,
    known: pd.DataFrame,
    confidence: float = 0.5,
    *,
    loading: float = 0.3,
) -> pd.DataFrame:
    """One row per known link: the pair of latents that carries it, whether it was found, and with which sign.

    A latent carries a column on which its absolute loading is at least ``loading``; one that is the column itself
    (``observed`` modalities) carries it alone. Of all links between carriers, in either direction, the one of the
    largest ``confidence |a_source a_target|`` is taken.

    Parameters
    ----------
    links : of `MultimodalCRL.links`. loadings : of `MultimodalCRL.loadings`. known : of `Cohort.known`.
    confidence : from where on a link counts as found.

    Returns
    -------
    source, target (``modality.column``), expected_sign, rests_on, latent_source, latent_target, found, sign (0 where
    none), right_sign (found and of the expected sign), direction (expected, undirected, reversed), confidence,
    evidence.

    Raises
    ------
    InputError : for a table without its columns.
    """
    for name, frame in {"links": links, "loadings": loadings, "known": known}.items():
        absent = [column for column in _NEEDED[name] if column not in frame.columns]
        if absent:
            raise InputError(name, f"columns {', '.join(_NEEDED[name])}", f"none named {', '.join(absent)}")
    rows = []
    for link in known.itertuples():
        sources, targets = (_carriers(loadings, str(end), loading) for end in (link.source, link.target))
        best = _best(links, sources, targets)
        found = best is not None and best["confidence"] >= confidence
        row = {
            "latent_source": None,
            "latent_target": None,
            "direction": None,
            "confidence": 0.0,
            "evidence": np.nan,
        }
        row |= best or {"sign": 0}
        row |= {"found": found, "right_sign": found and row["sign"] == link.sign}
        rows.append([link.source, link.target, link.sign, link.rests_on, *(row[key] for key in _CARRIED)])
    return pd.DataFrame(rows, columns=["source", "target", "expected_sign", "rests_on", *_CARRIED])


def _carriers(loadings: pd.DataFrame, end: str, least: float) -> dict[str, float]:
    """Latents that carry this column, with their signed loadings."""
    modality, column = end.split(".", 1)
    own = loadings[(loadings["modality"] == modality) & (loadings["column"] == column)]
    size = own["loading"].abs()
    own = own[size >= (0.9999 if (size >= 0.9999).any() else least)]
    return dict(zip(own["latent"], own["loading"], strict=True))


def _best(links: pd.DataFrame, sources: dict[str, float], targets: dict[str, float]) -> dict | None:
    best, most = None, -1.0
    for link in links.itertuples():
        ahead = link.source in sources and link.target in targets
        if not ahead and not (link.target in sources and link.source in targets):
            continue
        source, target = (link.source, link.target) if ahead else (link.target, link.source)
        carried = link.confidence * abs(sources[source] * targets[target])
        if carried > most:
            direction = (
                "undirected" if link.direction == "undirected" else "expected" if ahead else "reversed"
            )
            sign = int(np.sign(sources[source] * targets[target]) * link.sign)
            best = {"latent_source": source, "latent_target": target, "sign": sign, "direction": direction}
            best |= {"confidence": float(link.confidence), "evidence": float(link.evidence)}
            most = carried
    return best
