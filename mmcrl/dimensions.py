"""Dimensions: how many latents of a modality the other modalities know of.

A modality's number of latents is the least k for which a code of k numbers keeps all that its values tell of the
other modalities.  For every k from 1 to 5 an encoder of its own is trained to tell a person's row from others by the
person's other modalities (InfoNCE with an unrestricted critic),

    L_m(k) = - E log softmax_q <f_k(e_k(x_q^(m))), c(x_p^(-m))>,

and the least k is taken whose loss on held-out people exceeds the least loss by no more than 0.03 nats or two
standard errors, whichever is more.  Private variation is never counted: it says nothing of other modalities.
Source: Sun et al. (2025), arXiv:2411.06518, who compare held-out losses; here every modality has its own number.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmcrl.cohort import Cohort
from mmcrl.descent import learning_rate_at
from mmcrl.kinds import codec_for
from mmcrl.networks import mlp
from mmcrl.plan import PEOPLE_PER_LATENT, Block
from mmcrl.settings import Settings
from mmcrl.tensors import People, as_tensor, learn_scale, people_of
from mmcrl.training import deterministic, run_shown

__all__ = ["Dimensions", "choose_latents", "fewest"]

_MOST = 5
_BATCH = 256
_CONTEXT = 32
_NEGLIGIBLE = 0.03  # nats; a latent that is linked at all loses more, noise among trainings less

Dimensions = dict[str, list[float]]  # per modality, the held-out loss (nats) of 1, 2, ... latents


class _Bottlenecks(nn.Module):
    """Encoders of every size for every modality, and what the other modalities say of each.

    The encoders of a large modality share all but their last layers.
    """

    def __init__(self, blocks: Sequence[Block], most: Sequence[int], width: int) -> None:
        super().__init__()
        kinds = [codec_for(block.kind) for block in blocks]
        self.large = [len(block.shape) > 1 for block in blocks]
        self.views = nn.ModuleList(
            [kind(block.shape, _CONTEXT, width) for kind, block in zip(kinds, blocks, strict=True)]
        )
        told = [len(block.columns) if block.kind == "observed" else _CONTEXT for block in blocks]
        self.embed = nn.ModuleList([nn.Linear(n, _CONTEXT) for n in told])
        self.context = nn.ModuleList([mlp(_CONTEXT, 64, _CONTEXT) for _ in kinds])
        self.encoders = nn.ModuleList(
            nn.ModuleList([mlp(_CONTEXT, 64, k) if large else kind(block.shape, k, width) for k in range(1, top + 1)])
            for kind, block, top, large in zip(kinds, blocks, most, self.large, strict=True)
        )
        self.critics = nn.ModuleList(
            nn.ModuleList([mlp(k, 64, _CONTEXT + 1) for k in range(1, top + 1)]) for top in most
        )

    def losses(self, people: People) -> list[Tensor]:
        """Per modality (k, n): InfoNCE of every size for every person; nobody's where fewer than two are measured."""
        seen, features = people.measured.to(torch.get_default_dtype()), [as_tensor(x) for x in people.features]
        views = [view.encode(x) for view, x in zip(self.views, features, strict=True)]  # type: ignore[operator]
        told = [
            embed(view) * seen[:, m : m + 1] for m, (embed, view) in enumerate(zip(self.embed, views, strict=True))
        ]
        every, found = sum(told), []
        for m, x in enumerate(features):
            rows = torch.nonzero(people.measured[:, m])[:, 0]
            context = self.context[m]((every - told[m])[rows])
            own = torch.arange(len(rows), device=rows.device)
            sizes = []
            for encoder, critic in zip(self.encoders[m].children(), self.critics[m].children(), strict=True):
                code = encoder(views[m][rows]) if self.large[m] else encoder.encode(x[rows])  # type: ignore[operator]
                known = critic((code - code.mean(0)) / (code.std(0) + 1e-5))
                scores = context @ known[:, :-1].T + known[:, -1]
                sizes.append(F.cross_entropy(scores, own, reduction="none"))
            found.append(torch.stack(sizes) if sizes and len(rows) > 1 else seen.new_zeros(len(sizes), 0))
        return found


def choose_latents(
    blocks: Sequence[Block],
    train: Cohort,
    held_out: Cohort,
    settings: Settings,
    seed: int,
    device: torch.device,
    progress: bool = False,
) -> tuple[dict[str, int], Dimensions]:
    """The number of latents per modality, and the held-out losses of every number that was tried.

    As many starts as the estimator has are trained, and the better loss counts.  Where these people are too few for
    all latents that are found, modalities with most have fewer.  No number above 5 is tried.

    Parameters
    ----------
    blocks : of everybody, with one latent per modality.

    Warns
    -----
    UserWarning : where 5 are chosen of a modality that might have more.
    """
    most, larger = [], set()
    for block in blocks:
        affordable = int(train[block.name].measured.sum()) // PEOPLE_PER_LATENT
        possible = min(len(block.columns), affordable) if block.kind == "table" else affordable
        most.append(0 if block.kind == "observed" else max(1, min(_MOST, possible)))
        larger |= {block.name} if possible > _MOST else set()
    if not any(most):  # nothing but observed columns
        return {block.name: len(block.columns) for block in blocks}, {}
    networks = []
    with deterministic(settings.dtype):
        for start in range(settings.starts):
            torch.manual_seed(seed * 1_000 + start)
            networks.append(_Bottlenecks(blocks, most, settings.width).to(device))
        views = networks[0].views  # their scale prepares features; all starts train on the same ones
        for block, view in zip(blocks, views, strict=True):
            learn_scale(view, train[block.name])
        groups = people_of(views, train, device), people_of(views, held_out, device)
        tasks = [partial(_train, network, *groups, settings, seed * 1_000 + s) for s, network in enumerate(networks)]
        large, title = any(networks[0].large), "numbers of latents"
        runs = run_shown(tasks, settings, device, title, "train", progress, threads=large)
    chosen, losses = {}, {}
    for m, block in enumerate(blocks):
        if most[m]:
            best = _better(runs, m)
            losses[block.name] = best.mean(1).tolist()
            chosen[block.name] = fewest(best)
        else:
            chosen[block.name] = len(block.columns)
    free = [block.name for block, top in zip(blocks, most, strict=True) if top]
    while PEOPLE_PER_LATENT * sum(chosen.values()) > len(train) + len(held_out):
        chosen[max(free, key=lambda name: chosen[name])] -= 1
    if capped := [name for name in free if name in larger and chosen[name] == _MOST]:
        told = f"{_MOST} chosen for {', '.join(capped)}, the most that auto tries: state a number to have more"
        warnings.warn(f"n_latents: {told}", stacklevel=3)
    return chosen, losses


def fewest(losses: np.ndarray) -> int:
    """The least number of latents that loses nothing, of the losses (k, n) of n people with 1 ... k latents.

    >>> fewest(np.array([[5.0, 5.2], [4.0, 4.2], [4.01, 4.19]]))
    2
    """
    best = losses[losses.mean(1).argmin()]
    for k, loss in enumerate(losses, start=1):
        excess = loss - best
        if excess.mean() <= max(_NEGLIGIBLE, 2 * excess.std() / math.sqrt(excess.size)):
            return k
    return len(losses)


def _better(runs: Sequence[list[np.ndarray]], m: int) -> np.ndarray:
    """Losses (k, n) of modality m: for every number of latents those of the start with the lower mean."""
    means = np.array([run[m].mean(1) for run in runs])
    return np.stack([runs[start][m][k] for k, start in enumerate(means.argmin(0))])


def _train(
    network: _Bottlenecks,
    train: People,
    held_out: People,
    settings: Settings,
    seed: int,
    report: Callable[[int, float], None],
) -> list[np.ndarray]:
    """Losses (k, n) per modality on held-out people after training on the others."""
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.AdamW(network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
    batch, every = min(_BATCH, len(train), len(held_out)), max(1, settings.steps // 20)
    with deterministic(settings.dtype):
        for step in range(1, settings.steps + 1):
            rows = torch.randint(0, len(train), (batch,), generator=generator).to(train.measured.device)
            optimiser.param_groups[0]["lr"] = learning_rate_at(step, settings)
            loss = torch.stack(
                [sizes.mean(1).sum() for sizes in network.losses(train.take(rows)) if sizes.numel()]
            ).sum()
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimiser.step()
            if step % every == 0 or step == settings.steps:
                report(step, float(loss.detach()))
        with torch.no_grad():
            whole = [network.losses(people) for people in held_out.whole_batches(batch)]
    return [torch.cat(parts, dim=1).double().cpu().numpy() for parts in zip(*whole, strict=True)]
