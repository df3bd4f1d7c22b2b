"""Likelihood: mechanisms and their sparse adjacency by maximum likelihood on fixed latents.

    weights:  min  - sum_i mean over people of log p(z_i | gated parents)
    gates:    min  the same, over people the weights are not fitted on,  +  penalty * expected number of open gates

in turns, so that a gate stays open where its parent is worth more than the penalty, in nats per person, to people
who are new: among 3,000 people, a false parent is worth .005 nats by overfitting alone.  The gates are then fixed, at
0 or 1, and the mechanisms are fitted again on everybody, so that what is sampled is what was fitted.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from mmcrl.mechanisms import Mechanisms
from mmcrl.tensors import some_of

__all__ = ["fit_mechanisms", "log_likelihood"]

_BATCH, _LEARNING_RATE, _GATES_LEARNING_RATE = 512, 5e-3, 5e-2
_CHECKS = 20  # of the held-out likelihood
_CHECKED = 20_000  # people whom they look at
_GATES_EVERY = 2  # steps of the weights, between steps of the gates
_FOR_GATES = 5  # every fifth person


def fit_mechanisms(
    train: np.ndarray, held_out: np.ndarray, allowed: np.ndarray, *, steps: int, penalty: float, seed: int
) -> Mechanisms:
    """Mechanisms in float64 and ``eval()`` mode, their adjacency learned within ``allowed``.

    ``train`` and ``held_out`` are latents (n, d), NaN where not measured: a mechanism is fitted on the people who
    have the latent and all its allowed parents; people held out say when to stop.  ``penalty`` is in nats per person
    and gate.  The random state of torch is seeded: call within `mmcrl.training.deterministic`, which gives it back.
    """
    torch.manual_seed(seed)
    mechanisms = Mechanisms(allowed)
    if allowed.any():
        _learn_gates(mechanisms.train(), _Sample(train, mechanisms), steps // 2, penalty)
    _refit(mechanisms.eval(), _Sample(train, mechanisms), _Sample(held_out, mechanisms), steps - steps // 2)
    return mechanisms.double().requires_grad_(False)


@torch.no_grad()
def log_likelihood(mechanisms: Mechanisms, z: np.ndarray) -> float:
    """Mean over people of ``log p(z)``, nats, each latent over the people who have it and its allowed parents."""
    return -float(_Sample(z, mechanisms).loss(mechanisms, slice(None)))


class _Sample:
    """Latents with NaN as 0, and for whom each mechanism can be fitted."""

    def __init__(self, z: np.ndarray, mechanisms: Mechanisms) -> None:
        seen = torch.from_numpy(~np.isnan(z))
        self.z = torch.from_numpy(np.nan_to_num(z)).to(mechanisms.w1.dtype)
        self.usable = seen & (seen[:, mechanisms.parents] | ~mechanisms.real).all(-1)

    def loss(self, mechanisms: Mechanisms, rows: Tensor | slice) -> Tensor:
        usable = self.usable[rows]
        log_density = mechanisms.log_density(self.z[rows])
        return -((log_density * usable).sum(0) / usable.sum(0).clamp_min(1)).sum()


class _Descent:
    """AdamW with a cosine decay over this many steps."""

    def __init__(self, parameters: Sequence[Tensor], learning_rate: float, steps: int, weight_decay: float) -> None:
        self.optimiser = torch.optim.AdamW(parameters, lr=learning_rate, weight_decay=weight_decay)
        self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimiser, max(1, steps))

    def step(self, loss: Tensor) -> None:
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        self.schedule.step()


def _weights(mechanisms: Mechanisms, steps: int) -> _Descent:
    parameters = [w for w in mechanisms.parameters() if w is not mechanisms.logits]
    return _Descent(parameters, _LEARNING_RATE, steps, weight_decay=1e-3)


def _learn_gates(mechanisms: Mechanisms, sample: _Sample, steps: int, penalty: float) -> None:
    for_gates = torch.arange(len(sample.z)) % _FOR_GATES == 0
    mine, others = torch.nonzero(~for_gates)[:, 0], torch.nonzero(for_gates)[:, 0]
    weights = _weights(mechanisms, steps)
    gates = _Descent([mechanisms.logits], _GATES_LEARNING_RATE, steps // _GATES_EVERY, weight_decay=0.0)
    for step in range(steps):
        weights.step(sample.loss(mechanisms, _drawn(mine)))
        if step % _GATES_EVERY == 0 and step >= steps // 10:
            gates.step(sample.loss(mechanisms, _drawn(others)) + penalty * mechanisms.penalty())
            mechanisms.keep_gates_alive()


def _refit(mechanisms: Mechanisms, sample: _Sample, held_out: _Sample, steps: int) -> None:
    """Fit all weights, the gates fixed, and keep the state that suits the people held out best."""
    weights = _weights(mechanisms, steps)
    best, state = math.inf, copy.deepcopy(mechanisms.state_dict())
    everyone, some = torch.arange(len(sample.z)), some_of(torch.arange(len(held_out.z)), _CHECKED)
    for step in range(1, steps + 1):
        weights.step(sample.loss(mechanisms, _drawn(everyone)))
        if step % max(1, steps // _CHECKS) == 0 or step == steps:
            with torch.no_grad():
                value = float(held_out.loss(mechanisms, some))
            if value < best:
                best, state = value, copy.deepcopy(mechanisms.state_dict())
    mechanisms.load_state_dict(state)


def _drawn(people: Tensor) -> Tensor:
    return people[torch.randint(0, len(people), (_BATCH,))]
