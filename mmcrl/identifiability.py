"""Identifiability: which latents the data tell apart from their siblings, and which they do not.

A code is known only up to what leaves the objective as it is.  So the objective is *profiled*: a pair of siblings is
turned by 45 degrees into two blends and held there, while all other modalities may be mixed anew and the critic is
trained again.  The margin is what this costs on held-out people,

    margin = [InfoNCE + penalty * sum E](best story with the blends) - [the same](best story without),  in nats.

Where the links between modalities are as sparse and as telling with the blends, the margin is about 0, and nothing in
the data speaks for the latents rather than for blends of them.  The report adds what follows from the links found: a
latent without a link to another modality cannot be told from private variation, and one all of whose links are links
of a sibling as well may carry a share of that sibling.
Sources: Sun et al. (2025), arXiv:2411.06518 (subspace and component conditions); the measure by profile is ours.
"""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from mmcrl.contrast import Contrast, moments
from mmcrl.evidence import normal_scores
from mmcrl.knowledge import SHARED
from mmcrl.parallel import run_all
from mmcrl.representation import Representation
from mmcrl.settings import Settings
from mmcrl.tensors import People
from mmcrl.training import codes_of, deterministic, parallel_jobs

__all__ = ["Identified", "Margin", "decided", "identifiability_table", "margins", "weaker"]

Identified = Literal["component", "block", "undecided"]

_STEPS, _BATCH = 150, 256
_LEARNING_RATE, _MIXING_RATE = 1e-2, 5e-2  # of the critic, and of the mixings, which have a long way to go
_SMALLEST = 0.1  # nats; the search for the best story with blends ends up to 0.05 above it where nothing is decided
_MOST_PEOPLE = 20_000


class Margin(NamedTuple):
    """What it costs to blend two siblings, named by their numbers among all latents: nats per person."""

    latent: int
    sibling: int
    nats: float
    error: float

    @property
    def telling(self) -> bool:
        return self.nats > max(_SMALLEST, 2 * self.error)


class _Mixed(nn.Module):
    """Codes (n, d), mixed within each modality by a matrix, one of them fixed, and standardised again."""

    def __init__(self, members: Sequence[Tensor], fixed: int | None, turn: Tensor | None) -> None:
        super().__init__()
        self.members = list(members)
        mixings = [torch.eye(len(index)) for index in members]
        if fixed is not None and turn is not None:
            mixings[fixed] = turn
        self.mixings = nn.ParameterList(nn.Parameter(mixing, m != fixed) for m, mixing in enumerate(mixings))

    def forward(self, codes: Tensor, seen: Tensor) -> Tensor:
        mixed = torch.cat([codes[:, i] @ mixing.T for i, mixing in zip(self.members, self.mixings, strict=True)], 1)
        mean, scale = moments(mixed, seen)
        return (mixed - mean) / scale * seen


def margins(shows: Representation, train: People, held_out: People, settings: Settings, seed: int) -> list[Margin]:
    """The margin of every pair of siblings that are codes; columns that are latents themselves have none.

    A pair of which one is shared has a margin in every modality that shows it.
    """
    network = shows.network
    codes, unseen = _coded(network, train.take(slice(_MOST_PEOPLE))), _coded(network, held_out)
    pairs = [
        (m, a, b)
        for m, (index, codec) in enumerate(zip(network.members, network.codecs, strict=True))
        if any(True for _ in codec.parameters())
        for a, b in itertools.combinations(range(len(index)), 2)
    ]
    if not pairs:
        return []
    turned = [(m, _turn(len(network.members[m]), a, b)) for m, a, b in pairs]
    critic = copy.deepcopy(network)
    critic.codecs = nn.ModuleList()
    tasks = [partial(_profile, critic, codes, unseen, m, turn, settings, seed) for m, turn in [(None, None), *turned]]
    jobs = parallel_jobs(len(tasks), settings, codes.measured.device)
    straight, *blended = run_all(tasks, jobs, lambda task, step, value: None)
    found = []
    for (m, a, b), losses in zip(pairs, blended, strict=True):
        cost = losses - straight
        error = cost.std(ddof=1) / math.sqrt(len(cost)) if len(cost) > 1 else math.inf
        index = shows.shown[m].tolist()
        found.append(Margin(index[a], index[b], float(cost.mean()), float(error)))
    return found


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
    kinds = [block.kind for block in shows.blocks for _ in range(block.n_latents)]
    linked = links[(links["confidence"] >= confidence) & (links["scope"] == "cross")]
    around = {
        name: {*linked.loc[linked["source"] == name, "target"], *linked.loc[linked["target"] == name, "source"]}
        for name in names
    }
    rows = []
    for i, name in enumerate(names):
        own = [margin for margin in found if i in (margin.latent, margin.sibling)]
        least = min(own, key=lambda margin: margin.nats, default=None)
        siblings = [names[j] for j in shows.siblings(i) if kinds[j] != SHARED]
        identified, reason = _verdict(name, kinds[i], siblings, least, around, names)
        rows.append((name, identified, *((least.nats, least.error) if least else (math.nan, math.nan)), reason))
    return pd.DataFrame(rows, columns=["latent", "identified", "margin", "margin_se", "reason"])


def weaker(links: pd.DataFrame, table: pd.DataFrame) -> list[str]:
    """Of every link the weaker of what is known of its two ends."""
    order = ["component", "block", "undecided"]
    rank = table.set_index("latent")["identified"].map(order.index)
    worst = np.maximum(rank.loc[links["source"]].to_numpy(), rank.loc[links["target"]].to_numpy())
    return [order[r] for r in worst]


def _verdict(
    name: str,
    kind: str,
    siblings: Sequence[str],
    least: Margin | None,
    around: dict[str, set[str]],
    names: Sequence[str],
) -> tuple[Identified, str]:
    if kind == "observed":
        return "component", "measured, not inferred"
    if not around[name] and kind != SHARED:
        return "undecided", "no confident link to another modality: it cannot be told from private variation"
    if least is not None and not least.telling:
        other = next(names[end] for end in (least.latent, least.sibling) if names[end] != name)
        return "undecided", f"blends of it and {other} explain the other modalities as well, with links as sparse"
    if kind == SHARED:
        return "component", "modalities that show it agree on it, and on no blend of it with another of their latents"
    nested = next((other for other in siblings if around[name] <= around[other]), None)
    if nested:
        return "block", f"all its links are links of {nested} as well: it may carry a share of {nested}"
    if not siblings:
        return "component", "the only latent of its modality, with a link to another"
    return "component", "blending it with a sibling would explain the other modalities worse, or less sparsely"


def _profile(
    critic: Contrast,
    codes: People,
    unseen: People,
    fixed: int | None,
    turn: Tensor | None,
    settings: Settings,
    seed: int,
    report: Callable[[int, float], None],
) -> np.ndarray:
    """Penalised held-out loss per batch (nats per person) of the best story with this modality turned."""
    critic, generator = copy.deepcopy(critic).train(), torch.Generator().manual_seed(seed)
    mixed = _Mixed(critic.members, fixed, turn).to(codes.measured.device, codes.features[0].dtype)
    groups = [
        {"params": list(critic.parameters()), "lr": _LEARNING_RATE},
        {"params": [p for p in mixed.parameters() if p.requires_grad], "lr": _MIXING_RATE},
    ]
    steps, batch = min(_STEPS, settings.steps), min(_BATCH, len(codes), max(32, len(unseen) // 4))
    optimiser = torch.optim.Adam(groups, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)

    def loss(people: People) -> Tensor:
        value, sizes = critic.loss(mixed(people.features[0], people.features[1]), people.measured)
        return value + settings.penalty * sizes.sum() / 2

    with deterministic(settings.dtype):
        for _ in range(steps):
            people = codes.take(torch.randint(0, len(codes), (batch,), generator=generator).to(codes.measured.device))
            optimiser.zero_grad()
            loss(people).backward()
            optimiser.step()
            schedule.step()
        with torch.no_grad():
            parts = [float(loss(people)) for people in unseen.batches(batch) if len(people) == batch]
    return np.array(parts)


@torch.no_grad()
def _coded(network: Contrast, people: People) -> People:
    """Normal scores of the codes (n, d) and their weights (n, d) as the only features.

    A code is some invertible function of its latent; made normal, blends of Gaussian siblings are Gaussian again.
    """
    seen, scores = network.per_latent(people.measured), normal_scores(codes_of(network, people))
    return People([torch.from_numpy(np.nan_to_num(scores)).to(seen), seen], people.measured)


def _turn(k: int, a: int, b: int) -> Tensor:
    turn = torch.eye(k)
    half = math.sqrt(0.5)
    turn[a, a], turn[b, b], turn[a, b], turn[b, a] = half, half, -half, half
    return turn
