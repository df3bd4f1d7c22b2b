"""Encoding: seconds and memory that one step of training takes, by kind and by size.

Seconds are those of the processor, not of the clock, so that a machine with other work to do tells nearly the same.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from mmcrl.cohort import Cohort, Modality
from mmcrl.errors import InputError, check_whole
from mmcrl.plan import Block
from mmcrl.proof.usage import watched
from mmcrl.settings import Settings
from mmcrl.tensors import augmented, learn_scale
from mmcrl.training import deterministic, network_of, tensors_of

__all__ = ["shape_of", "step_cost"]

_REPEATS, _LONG = 9, 2.0  # timed steps; no more begin after so many seconds
_TABLE = 10  # columns of the table beside it


def shape_of(size: str) -> tuple[int, ...]:
    """A person's shape from a text such as ``3x224x224``.

    Raises
    ------
    InputError : for another text.

    >>> shape_of("3x4x5")
    (3, 4, 5)
    """
    parts = size.split("x")
    if not all(part.isdigit() and int(part) > 0 for part in parts):
        raise InputError("size", "whole numbers joined by x, such as 3x224x224", repr(size))
    return tuple(int(part) for part in parts)


def step_cost(kind: str, size: str, batch: int = 32, seed: int = 0) -> dict[str, float | int]:
    """What one step of the contrast costs with a modality of this kind and size beside a table, on this machine.

    A step is what `mmcrl.descent.train_contrast` repeats: a batch of people is encoded, told apart, and every weight
    moved.  The values are noise, on which nothing depends but what is learned.  Decoders are trained afterwards.

    Returns
    -------
    seconds (of a core, of the fastest of a few steps), held_kb (of the features that are held for a person, exact),
    step_mb (a person's share of what a step needs at most beyond those), numbers (of a person), weights (of its
    encoder and decoder), batch (people of the step).

    Raises
    ------
    InputError : for an unknown kind, a size that does not fit it, or a batch under 2.
    """
    check_whole("batch", batch, 2)
    shape = shape_of(size)
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((batch, *shape), dtype=np.float32)
    names = [f"c{c}" for c in range(shape[0])]
    cohort = Cohort({"it": Modality(values, kind, names), "table": Modality(rng.normal(size=(batch, _TABLE)))})
    blocks = [Block(name, m.kind, m.names, 2, list(m.shape[1:])) for name, m in cohort.modalities.items()]
    with deterministic("float32"):
        torch.manual_seed(seed)
        network = network_of(blocks, Settings().width, torch.device("cpu"))
        for codec, modality in zip(network.codecs, cohort.modalities.values(), strict=True):
            learn_scale(codec, modality)
        people = tensors_of(network, cohort)
        held = people.features[0]
        _steps(network, [x[:2] for x in people.features], people.seen[:2], seed)  # loads what torch loads late
        with watched() as used:
            seconds = _steps(network, people.features, people.seen, seed)
    return {
        "seconds": round(min(seconds), 4),
        "step_mb": round(used.added_mb / batch, 3),
        "held_kb": round(held.nbytes / batch / 1024, 2),
        "numbers": int(np.prod(shape)),
        "weights": sum(p.numel() for p in network.codecs[0].parameters()),
        "batch": batch,
    }


def _steps(network: nn.Module, features: Sequence[torch.Tensor], seen: torch.Tensor, seed: int) -> list[float]:
    """Seconds of some steps."""
    generator, taken = torch.Generator().manual_seed(seed), list[float]()
    optimiser = torch.optim.AdamW(network.parameters(), lr=Settings().learning_rate, fused=True)
    while len(taken) < _REPEATS and sum(taken) < _LONG:
        began = time.process_time()
        optimiser.zero_grad()
        latents = network.latents(augmented(network.codecs, features, generator), seen)  # type: ignore
        loss, sizes = network.loss(latents, seen)  # type: ignore[operator]
        (loss + Settings().penalty * sizes.sum() / 2).backward()
        optimiser.step()
        taken.append(time.process_time() - began)
    return taken
