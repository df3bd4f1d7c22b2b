"""Descent: one start of the contrast, from its first weights to the best state by held-out loss.

Every step minimises ``InfoNCE + penalty * ramp * sum_{i<j} E_ij`` (see `mmcrl.contrast`) on a batch of people with
AdamW, gradients clipped to norm 5, and a learning rate that falls along a cosine to 2 % of its first value.  The
squared correlations of the siblings of a series are added at first, and so is noise to the codes of a kind that asks
for it; their weight falls from 1 to 0 over the first half of the steps, so that siblings which do depend on each
other are free to.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from mmcrl.checkpoint import Checkpoint, optimiser_state, optimiser_tensors
from mmcrl.contrast import Contrast
from mmcrl.settings import Settings
from mmcrl.storage import under
from mmcrl.tensors import People, augmented

__all__ = ["Run", "evaluate", "learning_rate_at", "stalled", "train_contrast"]

_CALIBRATION = 20_000  # people with a modality that fix its standardisation; more change its third digit at most
_LARGE = 5_000  # the same, and of those held out, where modalities are large
_GLANCE = 1_000  # that fix it while such a network is trained: evaluations took a quarter of the time
_FLOOR = 0.02  # the last learning rate, as a share of the first

History = list[tuple[int, float, float]]  # step, training loss, held-out loss (both penalised, nats)


@dataclass
class Run:
    """One start: its best state by held-out loss, how it came there, and its fit's fingerprint where it is kept."""

    network: Contrast
    held_out_loss: float = math.inf
    history: History = field(default_factory=list)
    fit: str = ""


def train_contrast(
    network: Contrast,
    train: People,
    held_out: People,
    settings: Settings,
    seed: int,
    report: Callable[[int, float], None],
    checkpoint: Checkpoint | None = None,
) -> Run:
    """Minimise the penalised contrast and keep the state with the lowest held-out value.

    The penalty is ramped up from 30 % to 50 % of the steps; only states after that compete, and a start ends when
    ``patience`` evaluations in a row brought none better.  A checkpoint is read before the first step, written at
    every evaluation, and reported after that, so that whoever interrupts a report loses no step.

    Raises
    ------
    InputError : for a checkpoint that is damaged or of another fit.
    """
    run = Run(network, fit=checkpoint.fingerprint if checkpoint else "")
    generator = torch.Generator().manual_seed(seed)
    rate, decay = settings.learning_rate, settings.weight_decay
    optimiser = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=decay, fused=True)
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    batch, device = settings.batch_for(len(train)), train.seen.device
    every, first = max(1, settings.steps // 20), 1
    best, apart = _copy(network), any(codec.apart for codec in network.codecs)
    blur = any(codec.blur for codec in network.codecs)
    if checkpoint and (saved := checkpoint.read()):
        run.history, tensors = saved
        network.load_state_dict(under("network", tensors))
        best = under("best", tensors)
        optimiser.load_state_dict(optimiser_state(optimiser, under("optimiser", tensors)))
        generator.set_state(tensors["generator"])
        run.held_out_loss = min(_competing(run.history, settings.steps), default=math.inf)
        first = run.history[-1][0] + 1
        report(*run.history[-1][::2])
    for step in range(first, settings.steps + 1):
        if stalled(run.history, settings.steps, settings.patience):
            break
        people = train.take(torch.randint(0, len(train), (batch,), generator=generator).to(device))
        optimiser.param_groups[0]["lr"] = learning_rate_at(step, settings)
        ramp = min(1.0, max(0.0, (step / settings.steps - 0.3) / 0.2))
        optimiser.zero_grad()
        latents = network.latents(augmented(network.codecs, people.features, generator), people.seen)
        early = max(0.0, 1 - 2 * step / settings.steps)
        if blur and early:
            latents = network.blurred(latents, people.seen, early, generator)
        loss, sizes = network.loss(latents, people.seen)
        loss = loss + settings.penalty * ramp * sizes.sum() / 2
        if apart and early:
            loss = loss + early * network.redundancy(latents)
        if people.labels is not None:
            loss = loss + network.distance_from(people.labels, latents, people.seen)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 5.0, foreach=True)
        optimiser.step()
        if step % every == 0 or step == settings.steps:
            value = evaluate(network, train, held_out, batch, settings.penalty)
            run.history.append((step, float(loss.detach()), value))
            if step > settings.steps // 2 and value < run.held_out_loss:
                run.held_out_loss, best = value, _copy(network)
            if checkpoint:
                states = {"network": network.state_dict(), "best": best, "optimiser": optimiser_tensors(optimiser)}
                flat = {f"{part}.{k}": v for part, state in states.items() for k, v in state.items()}
                checkpoint.write(run.history, {**flat, "generator": generator.get_state()})
            report(step, value)
    network.load_state_dict(best)
    if any(codec.large for codec in network.codecs):
        network.calibrate(train.features, train.seen, _LARGE)
    network.eval()
    return run


def learning_rate_at(step: int, settings: Settings) -> float:
    """``r_t = r (0.02 + 0.98 (1 + cos(pi (t - 1) / T)) / 2)`` of step t = 1 ... T.

    >>> learning_rate_at(1, Settings(steps=10, learning_rate=0.01))
    0.01
    """
    cosine = (1 + math.cos(math.pi * (step - 1) / settings.steps)) / 2
    return settings.learning_rate * (_FLOOR + (1 - _FLOOR) * cosine)


def stalled(history: History, steps: int, patience: int) -> bool:
    """Whether the last ``patience`` evaluations after the ramp of the penalty brought nothing better.

    >>> stalled([(6, 0.0, 2.0), (7, 0.0, 3.0), (8, 0.0, 2.5)], steps=10, patience=2)
    True
    """
    values = _competing(history, steps)
    return bool(values) and len(values) - 1 - values.index(min(values)) >= patience


@torch.no_grad()
def evaluate(network: Contrast, train: People, held_out: People, batch: int, penalty: float) -> float:
    """Penalised loss on the held-out people, in batches of the training's size, standardised as in training.

    Batches are drawn as those of the training are, whatever order people are listed in, and the same for all starts.
    """
    large = any(codec.large for codec in network.codecs)
    network.calibrate(train.features, train.seen, _GLANCE if large else _CALIBRATION)
    network.eval()
    losses: list[Tensor] = []
    energies: list[Tensor] = []
    for people in held_out.whole_batches(batch, _LARGE if large else None):
        loss, sizes = network.loss(network.latents(people.features, people.seen), people.seen)
        losses.append(loss)
        energies.append(sizes.sum() / 2)
    network.train()
    return float(torch.stack(losses).mean() + penalty * torch.stack(energies).mean())


def _competing(history: History, steps: int) -> list[float]:
    """Held-out losses after the ramp of the penalty."""
    return [value for step, _, value in history if step > steps // 2]


def _copy(network: Contrast) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}
