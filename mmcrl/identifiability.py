"""Identifiability: which latents the data tell apart from their siblings, and which they do not.

Where the links between modalities are as sparse and as telling with blends of two siblings in their place (see
`mmcrl.profiles`), nothing in the data speaks for the latents rather than for blends of them.  The report adds what
follows from the links found: a latent without a link to another modality cannot be told from private variation, and
one all of whose links are links of a sibling as well may carry a share of that sibling.  A latent of a further view
(see `mmcrl.views`), which shows no sibling of the first, cannot; where that sibling is linked to another modality,
a link to it counts as such: it is by what it tells of other modalities that a further view's latent was found.
Source: Sun et al. (2025), arXiv:2411.06518 (subspace and component conditions).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd

from mmcrl.knowledge import SHARED
from mmcrl.plan import Block
from mmcrl.profiles import Margin
from mmcrl.representation import Representation

__all__ = ["Identified", "decided", "identifiability_table", "weaker"]

Identified = Literal["component", "block", "undecided"]


def decided(found: Sequence[Margin], n_latents: int) -> list[bool]:
    """Per latent, whether blending it with any sibling would cost enough to be noticed."""
    doubtful = {end for margin in found if not margin.telling for end in (margin.latent, margin.sibling)}
    return [i not in doubtful for i in range(n_latents)]


def identifiability_table(
    shows: Representation, found: Sequence[Margin], links: pd.DataFrame, confidence: float = 0.5
) -> pd.DataFrame:
    """Per latent: identified, margin and margin_se (nats, of the sibling that is least told apart), reason.

    identified is ``component`` (up to order and an invertible function of itself), ``block`` (up to a share of a
    sibling) or ``undecided``.
    """
    names = shows.names
    blocks = [block for block in shows.blocks for _ in range(block.n_latents)]
    siblings = [[names[j] for j in shows.siblings(i)] for i in range(len(names))]
    linked = links[links["confidence"] >= confidence]
    across = _around(linked[linked["scope"] == "cross"], names)
    within = _around(linked[linked["scope"] == "within"], names)
    around = {  # and, of a further view, those of the first that have such links themselves
        name: across[name] | {other for other in within[name] if across[other] and other not in own}
        for name, own in zip(names, siblings, strict=True)
    }
    rows = []
    for i, name in enumerate(names):
        own = [margin for margin in found if i in (margin.latent, margin.sibling)]
        least = min(own, key=lambda margin: margin.nats, default=None)
        unshared = [other for other in siblings[i] if blocks[names.index(other)].kind != SHARED]
        identified, reason = _verdict(name, blocks[i], unshared, least, around, names)
        rows.append((name, identified, *((least.nats, least.error) if least else (math.nan, math.nan)), reason))
    return pd.DataFrame(rows, columns=["latent", "identified", "margin", "margin_se", "reason"])


def weaker(links: pd.DataFrame, table: pd.DataFrame) -> list[str]:
    """Of every link the weaker of what is known of its two ends."""
    order = ["component", "block", "undecided"]
    rank = table.set_index("latent")["identified"].map(order.index)
    worst = np.maximum(rank.loc[links["source"]].to_numpy(), rank.loc[links["target"]].to_numpy())
    return [order[r] for r in worst]


def _around(links: pd.DataFrame, names: Sequence[str]) -> dict[str, set[str]]:
    """The latents at the other ends of every latent's links."""
    return {
        name: {*links.loc[links["source"] == name, "target"], *links.loc[links["target"] == name, "source"]}
        for name in names
    }


def _verdict(
    name: str,
    block: Block,
    siblings: Sequence[str],
    least: Margin | None,
    around: dict[str, set[str]],
    names: Sequence[str],
) -> tuple[Identified, str]:
    if block.kind == "observed":
        return "component", "measured, not inferred"
    if not around[name] and block.kind != SHARED:
        return "undecided", "no confident link to another modality: it cannot be told from private variation"
    if least is not None and not least.telling:
        other = next(names[end] for end in (least.latent, least.sibling) if names[end] != name)
        return "undecided", f"blends of it and {other} explain the other modalities as well, with links as sparse"
    if block.kind == SHARED:
        return "component", "modalities that show it agree on it, and on no blend of it with another of their latents"
    nested = next((other for other in siblings if around[name] <= around[other]), None)
    if nested:
        return "block", f"all its links are links of {nested} as well: it may carry a share of {nested}"
    if not siblings:
        part = "modality" if block.n_latents == 1 else "view"
        return "component", f"the only latent of its {part}, with a link to another"
    if least is None:
        return "component", f"not all its links are links of {' or '.join(siblings)}, which another view shows"
    return "component", "blending it with a sibling would explain the other modalities worse, or less sparsely"
