"""Anatomy: what the networks of a kind are made of, read off the networks themselves.

One person's values are sent through the codec and back; every layer that is passed on the way is noted with the
shape that leaves it, and every weight that the result depends on is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from mmcrl.kinds import codec_for

__all__ = ["Anatomy", "anatomy"]

_NAMES: dict[type[nn.Module], str] = {
    nn.Conv1d: "convolution",
    nn.Conv2d: "convolution",
    nn.ConvTranspose1d: "transposed convolution",
    nn.ConvTranspose2d: "transposed convolution",
    nn.GRU: "recurrent layer",
    nn.Linear: "full layer",
}
_PEOPLE = 4  # who are sent through


class Anatomy(NamedTuple):
    """Layers of the encoder and of the decoder in words, their weights, and the noise that training adds.

    ``noise`` is the standard deviation of what `mmcrl.kinds.codec.Codec.augment` changes in standardised features.
    """

    encoder: str
    decoder: str
    encoder_weights: int
    decoder_weights: int
    noise: float


def anatomy(kind: str, shape: Sequence[int], n_latents: int = 2, width: int = 96) -> Anatomy:
    """The networks that this kind has for a person's values of this shape.

    Raises
    ------
    InputError : for a kind that is not registered.

    >>> small = anatomy("table", [10])
    >>> small.encoder, small.encoder_weights
    ('3 full layers, to 2', 10562)
    >>> anatomy("image", [1, 4, 5]).encoder
    '1 convolution, to 16 × 4 × 5; 2 full layers, to 2'
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        codec = codec_for(kind)(shape, n_latents, width)
        values = (
            np.random.default_rng(0).lognormal(size=(_PEOPLE, *shape)).astype(np.float32)
        )  # of any kind of number
        codec.fit_scale(values)
        features = codec.prepare(values)
        changed = codec.augment(features, torch.Generator().manual_seed(0))
        codes, there = _passed(codec, codec.encode, changed)
        _, back = _passed(codec, codec.decode, codes.detach())
        told = changed[:, -shape[0] :].float() - features.float()
    return Anatomy(there.words, back.words, there.weights, back.weights, float(told[~told.isnan()].std()))


class _Path(NamedTuple):
    words: str
    weights: int


def _passed(codec: nn.Module, through: Callable[[Tensor], Tensor], given: Tensor) -> tuple[Tensor, _Path]:
    """What comes out, the layers on the way, and how many weights it depends on."""
    steps: list[tuple[str, tuple[int, ...]]] = []

    def note(layer: nn.Module, _: Any, out: Any) -> None:
        shape = (out[0][:, -1] if isinstance(out, tuple) else out).shape  # of a recurrent layer its last state
        steps.append((_NAMES[type(layer)], tuple(shape[1:])))

    hooks = [layer.register_forward_hook(note) for layer in codec.modules() if type(layer) in _NAMES]
    try:
        out = through(given)
    finally:
        for hook in hooks:
            hook.remove()
    if not out.requires_grad:
        return out, _Path(_told(steps), 0)
    codec.zero_grad()
    out.square().sum().backward()
    weights = sum(p.numel() for p in codec.parameters() if p.grad is not None)
    return out, _Path(_told(steps), weights)


def _told(steps: list[tuple[str, tuple[int, ...]]]) -> str:
    """Layers of one sort after each other are one phrase, with the shape that leaves the last of them."""
    phrases = []
    for name, layers in groupby(steps, key=lambda step: step[0]):
        shapes = [shape for _, shape in layers]
        several = "s" if len(shapes) > 1 else ""
        phrases.append(f"{len(shapes)} {name}{several}, to {' × '.join(f'{side:,d}' for side in shapes[-1])}")
    return "; ".join(phrases) or "none"
