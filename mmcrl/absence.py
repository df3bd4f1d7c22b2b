"""Absence: pairs of modalities between which no link was found, and how much may still be there.

Of all pairs of latents between two modalities the one with the most evidence Delta (nats per person, given the others
that separate it), with its standard error, and the highest upper end of a 95 % interval,

    most = max over pairs of (Delta + 1.96 se).

Where ``most`` is below the smallest effect that counts as a link, none is there that would count, as far as sampling
error goes; where it is above, these people are too few to tell.
"""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from mmcrl.adjacency import confident_links
from mmcrl.knowledge import modality_of

__all__ = ["UNLINKED_COLUMNS", "told_of", "unlinked"]

UNLINKED_COLUMNS = ["one", "other", "evidence", "evidence_se", "most", "confidence"]


def unlinked(links: pd.DataFrame, confidence: float = 0.5) -> pd.DataFrame:
    """Columns `UNLINKED_COLUMNS`: a row for each two modalities without a link of this confidence, least known first.

    Parameters
    ----------
    links : of `MultimodalCRL.links`.

    Raises
    ------
    InputError : for a confidence outside [0, 1].

    >>> rows = [("a.0", "b.0", 0.1, 0.01, 0.12, 1.0), ("a.0", "c.0", 0.001, 0.001, 0.003, 0.0)]
    >>> names = ["source", "target", "evidence", "evidence_se", "evidence_high", "confidence"]
    >>> links = pd.DataFrame(rows, columns=names).assign(scope="cross", direction="directed", rests_on="tier")
    >>> unlinked(links)[["one", "other", "most"]].to_numpy().tolist()
    [['a', 'c', 0.003]]
    """
    cross = links[links["scope"] == "cross"]
    cross = cross.assign(pair=_ends(cross))
    linked = set(confident_links(cross, confidence)["pair"])
    rows = []
    for pair, between in cross.groupby("pair", sort=False):
        if pair not in linked:
            strongest = between.nlargest(1, "evidence").iloc[0]
            evidence = [strongest["evidence"], strongest["evidence_se"], between["evidence_high"].max()]
            rows.append([*str(pair).split(" "), *evidence, between["confidence"].max()])
    table = pd.DataFrame(rows, columns=UNLINKED_COLUMNS)
    return table.sort_values("most", ascending=False, ignore_index=True, kind="stable")


def _ends(links: pd.DataFrame) -> list[str]:
    """The two modalities of each link, in the order of the alphabet."""
    return [" ".join(sorted(map(modality_of, ends))) for ends in zip(links["source"], links["target"], strict=True)]


def told_of(apart: pd.DataFrame, names: Collection[str], smallest: float) -> str:
    """A sentence for each of these modalities with all rows of `unlinked` that are about it.

    Where no row is about one of them, a sentence on the two modalities of which least is known.

    >>> row = [["grip", "spine", 0.0005, 0.0016, 0.0036, 0.0]]
    >>> told_of(pd.DataFrame(row, columns=UNLINKED_COLUMNS), ["spine"], 0.005)  # doctest: +NORMALIZE_WHITESPACE
    'No link is found between spine and: grip (strongest pair 0.0005 ± 0.0016 nats, at most 0.0036: less than counts
    as a link).'
    """
    sentences = []
    for name in names:
        parts = []
        for row in apart.to_dict("records"):
            if name in (row["one"], row["other"]):
                other = row["other"] if row["one"] == name else row["one"]
                verdict = "less than counts as a link" if row["most"] < smallest else "too few people to tell"
                parts.append(
                    f"{other} (strongest pair {row['evidence']:.4f} ± {row['evidence_se']:.4f} nats,"
                    f" at most {row['most']:.4f}: {verdict})"
                )
        if parts:
            sentences.append(f"No link is found between {name} and: {', '.join(parts)}.")
    if not sentences and apart.empty:
        return "Every two modalities have a link."
    if not sentences:
        widest = apart.iloc[0]
        return f"Least is known of {widest['one']} and {widest['other']}, at most {widest['most']:.4f} nats."
    return " ".join(sentences).replace("-0.", "−0.")
