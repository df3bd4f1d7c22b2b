"""Doubts: in plain words, what would overturn a link, from the numbers of its card."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from mmcrl.cards import Cards
from mmcrl.errors import InputError
from mmcrl.evidence import WIDTH

__all__ = ["doubts"]


def doubts(cards: Cards, source: str, target: str, labels: Mapping[str, str] | None = None) -> list[str]:
    """Sentences: what it would take to overturn the link, then what already speaks against it.

    ``labels`` gives latents the names that a reader knows.  The first sentence and the second are about every link;
    the others stand only where the card's numbers give cause for them.

    Raises
    ------
    InputError : for a link without a card.
    """
    rows = cards.links
    found = rows[(rows["source"] == source) & (rows["target"] == target)]
    if found.empty:
        raise InputError("source, target", "the ends of a link that has a card", f"{source!r}, {target!r}")
    link = found.iloc[0]
    name = dict(labels or {})
    return [
        _hidden(link, name),
        f"It is not claimed where a link must be worth more than {link['limit']:.3f} nats"
        f" ({link['least']:.3f} are asked for here).",
        *_uncertain(link),
        *_covariates(link, cards.covariates_of(source, target)),
        *_weighted(link),
        *_groups(cards.of("strata", source, target), link),
        *_returns(link),
        *_varied(cards.of("variations", source, target), int(link["sign"])),
        *_others(cards.of("edges", source, target)),
        *_known(cards.of("known", source, target)),
    ]


def _hidden(link: pd.Series, name: Mapping[str, str]) -> str:
    if link["cause"] == 0:
        return "It is below what counts as a link as it stands."
    told = (
        "Something hidden behind both ends would account for it with a partial correlation of"
        f" {link['cause']:.2f} with each ({link['cause_low']:.2f} at the lower end of its evidence)."
    )
    if link["strongest"] is None or pd.isna(link["strongest_cause"]):
        return told
    beside = name.get(link["strongest"], link["strongest"])
    reaches = f" Of what was measured, {beside} comes closest, with {link['strongest_cause']:.2f}"
    if link["strongest_cause"] >= link["cause"]:
        return f"{told}{reaches}: a hidden one as strong as that would do."
    return f"{told}{reaches}."


def _uncertain(link: pd.Series) -> list[str]:
    found = []
    if link["q_value"] > 0.05:
        found.append(f"Its q-value is {link['q_value']:.2f}: as large a share of the links up to it may be false.")
    if link["identified"] != "component":
        found.append("Its ends are not both told apart from their siblings, so the link may be a sibling's.")
    return found


def _covariates(link: pd.Series, held: str) -> list[str]:
    found = []
    for column, words in (("adjusted", f"With {held} held fixed"), ("unadjusted", f"Without {held} fixed")):
        if link[column] < link["least"]:
            found.append(f"{words} its evidence is {link[column]:.3f} nats, below what counts as a link.")
        elif link[f"sign_{column}"] * link["sign"] < 0:
            found.append(f"{words} its sign turns.")
    return found


def _weighted(link: pd.Series) -> list[str]:
    if "weighted" not in link.index:
        return []
    if link["weighted"] < link["least"]:
        return [
            f"With the survey's weights its evidence is {link['weighted']:.3f} nats, below what counts as a link."
        ]
    return ["With the survey's weights its sign turns."] if link["sign_weighted"] * link["sign"] < 0 else []


def _groups(strata: pd.DataFrame, link: pd.Series) -> list[str]:
    found, least = [], link["least"]
    for row in strata.to_dict("records"):
        clear = row["evidence"] > least and row["evidence"] > WIDTH * row["evidence_se"]
        if clear and row["sign"] * link["sign"] < 0:
            found.append(f"Its sign is the other one in {row['by']}: {row['stratum']}.")
        elif row["evidence"] + WIDTH * row["evidence_se"] < least:
            found.append(f"It is not there in {row['by']}: {row['stratum']}.")
    return found


def _returns(link: pd.Series) -> list[str]:
    found = []
    if link["starts"] and link["in_starts"] < 1:
        found.append(f"Other random starts show it in {link['in_starts']:.0%} of {link['starts']}.")
    if link["stability"] < 1:
        found.append(f"It returned in {link['stability']:.0%} of {link['refits']:.0f} refits on half of the people.")
    return found


def _varied(variations: pd.DataFrame, sign: int) -> list[str]:
    found = []
    for row in variations.to_dict("records"):
        if pd.isna(row["returns"]):
            continue
        if not row["returns"]:
            found.append(f"With {row['variation']} it is not found (confidence {row['confidence']:.2f}).")
        elif row["sign"] * sign < 0:
            found.append(f"With {row['variation']} its sign turns.")
    return found


def _others(edges: pd.DataFrame) -> list[str]:
    words = {title: edges[title].iloc[0] for title in edges.columns[3:]} if len(edges) else {}
    against = {"no edge": "no edge", "hidden common cause": "a hidden common cause of both"}
    return [f"{title}, told no tiers, draws {against[word]}." for title, word in words.items() if word in against]


def _known(known: pd.DataFrame) -> list[str]:
    found = []
    for row in known.to_dict("records"):
        ends = f"{row['known_source']} – {row['known_target']}"
        if row["expected_sign"] == 0:
            found.append(f"Next to no link is known between {ends}.")
        elif row["sign"] and row["sign"] != row["expected_sign"]:
            found.append(f"{ends} is known with the other sign.")
        if row["direction"] == "reversed":
            found.append(f"Its direction is the reverse of what is known of {ends}.")
    return found
