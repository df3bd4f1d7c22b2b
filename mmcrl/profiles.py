"""Profiles: what it costs to blend two siblings, when all that may make up for it does.

A code is known only up to what leaves the objective as it is.  So the objective is *profiled*: a pair of siblings is
turned by 45 degrees into two blends and held there, while all other modalities may be mixed anew and the critic is
trained again.  The margin is what this costs on held-out people,

    margin = [InfoNCE + penalty * sum E](best story with the blends) - [the same](best story without),  in nats.

Of more than 8 modalities a profile holds 8: the pair's own, and those that the critic relates to it most.  So a pair
costs the same however many there are.
The measure is ours.
"""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from mmcrl.checkpoint import NOWHERE, Kept
from mmcrl.contrast import Contrast, moments
from mmcrl.densities import normal_scores
from mmcrl.parallel import run_all
from mmcrl.representation import Representation
from mmcrl.settings import Settings
from mmcrl.tensors import People
from mmcrl.training import codes_of, deterministic, parallel_jobs

__all__ = ["Margin", "margins"]

_STEPS, _BATCH = 150, 256
_LEARNING_RATE, _MIXING_RATE = 1e-2, 5e-2  # of the critic, and of the mixings, which have a long way to go
_SMALLEST = 0.1  # nats; the search for the best story with blends ends up to 0.05 above it where nothing is decided
_MOST_PEOPLE = 20_000
_MOST_MODALITIES = 8  # of a profile


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
    """Codes (n, d), mixed within each view by a matrix, one of them fixed, and standardised again."""

    def __init__(self, views: Sequence[tuple[int, Tensor]], fixed: int | None, turn: Tensor | None) -> None:
        super().__init__()
        self.members = [index for _, index in views]
        mixings = [torch.eye(len(index)) for index in self.members]
        if fixed is not None and turn is not None:
            mixings[fixed] = turn
        self.mixings = nn.ParameterList(nn.Parameter(mixing, v != fixed) for v, mixing in enumerate(mixings))

    def forward(self, codes: Tensor, seen: Tensor) -> Tensor:
        mixed = torch.cat([codes[:, i] @ mixing.T for i, mixing in zip(self.members, self.mixings, strict=True)], 1)
        mean, scale = moments(mixed, seen)
        return (mixed - mean) / scale * seen


def margins(
    shows: Representation, train: People, held_out: People, settings: Settings, seed: int, kept: Kept = NOWHERE
) -> list[Margin]:
    """The margin of every pair of siblings that one view shows; columns that are latents themselves have none.

    A pair of which one is shared has a margin in every modality that shows it.  Every profile is kept once it is
    finished: losses, each the mean of a batch of people.
    """
    network = shows.network
    codes, unseen = _coded(network, train.some(_MOST_PEOPLE)), _coded(network, held_out)
    pairs = [
        (v, a, b)
        for v, (m, index) in enumerate(network.views.codes)
        if any(True for _ in network.codecs[m].parameters())
        for a, b in itertools.combinations(range(len(index)), 2)
    ]
    if not pairs:
        return []
    modality = [m for m, _ in network.views.codes]
    around = {m: _around(network, unseen, m) for m in dict.fromkeys(modality[v] for v, _, _ in pairs)}
    parts = {near: _part(network, codes, unseen, near) for near in dict.fromkeys(around.values())}
    turned = []
    for v, a, b in pairs:
        near = around[modality[v]]
        inside = [u for u, m in enumerate(modality) if m in near]
        turned.append((near, inside.index(v), _turn(len(network.views.codes[v][1]), a, b)))
    tasks = [
        partial(_kept_profile, kept, f"profile-{number}", partial(_profile, *parts[near], v, turn, settings, seed))
        for number, (near, v, turn) in enumerate([*((near, None, None) for near in parts), *turned])
    ]
    jobs = parallel_jobs(len(tasks), settings, codes.measured.device)
    losses = run_all(tasks, jobs, lambda task, step, value: None)
    unblended = dict(zip(parts, losses, strict=False))
    found = []
    for (v, a, b), blended in zip(pairs, losses[len(parts) :], strict=True):
        cost = blended - unblended[around[modality[v]]]
        error = cost.std(ddof=1) / math.sqrt(len(cost)) if len(cost) > 1 else math.inf
        index = shows.latent_of[network.views.codes[v][1].numpy()].tolist()
        found.append(Margin(index[a], index[b], float(cost.mean()), float(error)))
    return found


def _kept_profile(
    kept: Kept, stage: str, work: Callable[[], np.ndarray], report: Callable[[int, float], None]
) -> np.ndarray:
    """The losses of a profile, unless it was finished before."""
    return kept.result(stage, lambda: {"losses": torch.from_numpy(work())})["losses"].numpy()


def _profile(
    critic: Contrast,
    codes: People,
    unseen: People,
    fixed: int | None,
    turn: Tensor | None,
    settings: Settings,
    seed: int,
) -> np.ndarray:
    """Penalised held-out loss per batch (nats per person) of the best story with this view turned."""
    critic, generator = copy.deepcopy(critic).train(), torch.Generator().manual_seed(seed)
    mixed = _Mixed(critic.views.codes, fixed, turn).to(codes.measured.device, codes.features[0].dtype)
    groups = [
        {"params": list(critic.parameters()), "lr": _LEARNING_RATE},
        {"params": [p for p in mixed.parameters() if p.requires_grad], "lr": _MIXING_RATE},
    ]
    batch = min(_BATCH, len(codes), max(32, len(unseen) // 4), len(unseen))
    steps = min(_STEPS, settings.steps)
    optimiser = torch.optim.Adam(groups, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)

    def loss(people: People) -> Tensor:
        value, sizes = critic.loss(mixed(people.features[0], people.features[1]), people.seen)
        return value + settings.penalty * sizes.sum() / 2

    with deterministic(settings.dtype):
        for _ in range(steps):
            people = codes.take(torch.randint(0, len(codes), (batch,), generator=generator).to(codes.measured.device))
            optimiser.zero_grad()
            loss(people).backward()
            optimiser.step()
            schedule.step()
        with torch.no_grad():
            parts = [float(loss(people)) for people in unseen.whole_batches(batch)]
    return np.array(parts)


@torch.no_grad()
def _coded(network: Contrast, people: People) -> People:
    """Normal scores of the codes (n, d) and their weights (n, d) as the only features.

    A code is some invertible function of its latent; made normal, blends of Gaussian siblings are Gaussian again.
    """
    scores = normal_scores(codes_of(network, people))
    weights = network.per_latent(people.seen)
    return People([torch.from_numpy(np.nan_to_num(scores)).to(weights), weights], people.measured, people.seen)


@torch.no_grad()
def _around(network: Contrast, people: People, m: int) -> tuple[int, ...]:
    """The modalities of a profile, m among them: all, or those whose pairs with m's codes are largest."""
    n_modalities = len(network.members)
    if network.tied or n_modalities <= _MOST_MODALITIES:
        return tuple(range(n_modalities))
    _, sizes = network.loss(people.features[0], people.seen)
    related = torch.stack([sizes[network.members[m]][:, other].sum() for other in network.members])
    related[m] = math.inf
    return tuple(sorted(related.topk(_MOST_MODALITIES).indices.tolist()))


def _part(network: Contrast, codes: People, unseen: People, near: tuple[int, ...]) -> tuple[Contrast, People, People]:
    """The critic of these modalities, without codecs, and what `_coded` gives of them."""
    if len(near) == len(network.members):
        critic = copy.deepcopy(network)
    else:
        critic, index = network.among(near), torch.cat([network.members[m] for m in near])
        owners = [m for m, parts in enumerate(network.parts) for _ in parts]
        columns = [p for p, m in enumerate(owners) if m in near]
        codes, unseen = (
            People([x[:, index] for x in people.features], people.measured[:, list(near)], people.seen[:, columns])
            for people in (codes, unseen)
        )
    critic.codecs = nn.ModuleList()
    return critic, codes, unseen


def _turn(k: int, a: int, b: int) -> Tensor:
    turn = torch.eye(k)
    half = math.sqrt(0.5)
    turn[a, a], turn[b, b], turn[a, b], turn[b, a] = half, half, -half, half
    return turn
