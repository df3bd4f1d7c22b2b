"""Codec: how a modality of one kind becomes a code, and how a code becomes its values again."""

from __future__ import annotations

import math
from abc import ABCMeta, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from mmcrl.errors import InputError
from mmcrl.modality import Modality

__all__ = ["FARTHEST", "FEWEST", "Codec"]

FARTHEST = 8.0  # standard deviations: a value beyond is drawn in to this distance, so that it cannot rule a batch
FEWEST = 10  # people who have a place of a recording; what fewer have there is told of nobody

_MOST_PEOPLE, _MOST_VALUES = 256, 4 * 10**6  # of a large modality at a time


class _Checked(ABCMeta):
    """Refuses, as `ABCMeta` does what lacks a method, a codec without its decoder before anything is trained."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        made = super().__call__(*args, **kwargs)
        decoder = getattr(made, "decoder", None)
        if not isinstance(decoder, nn.Module):
            got = "none" if decoder is None else f"a {type(decoder).__name__}"
            raise InputError(f"{cls.__name__}.decoder", "a torch.nn.Module with the weights of `decode`", got)
        return made


class Codec(nn.Module, metaclass=_Checked):
    """Encoder and decoder of one modality, built as ``Codec(shape, n_latents, width)``.

    A kind gives it the abstract methods, and in ``decoder`` the module whose weights `decode` uses: they are fitted
    once the codes are fixed, all others with the codes.

    `prepare` turns values (n, \\*shape) into features (n, ...) once, outside of training; `encode` maps features
    to codes (n, k) and `decode` maps codes to features.  What a codec knows of the data comes from `fit_scale` on
    the training people alone and lies in buffers, so that it is saved with the weights.

    Values of more axes than a table's are ``large``: people are prepared and coded in pieces, and their columns, or
    channels, are summed up (see `summary`).  Two weights fall to 0 over the first half of the training: ``apart``, of
    the squared correlations of siblings, for a kind whose codes all tell the same latent first; ``blur``, the
    standard deviation of noise on codes, for a kind whose codes begin in clusters.
    """

    apart: ClassVar[float] = 0.0
    blur: ClassVar[float] = 0.0
    n_views: ClassVar[int] = 1  # that the kind takes of a person, each with codes of its own

    decoder: nn.Module

    def __init__(self, shape: Sequence[int], n_latents: int, width: int) -> None:
        super().__init__()
        self.shape, self.n_latents, self.width = tuple(shape), n_latents, width

    @property
    def large(self) -> bool:
        """Whether a person's values are more than a row."""
        return len(self.shape) > 1

    @property
    def views(self) -> list[int]:
        """How many codes come from each view."""
        return self.shared_out(self.n_latents)

    @classmethod
    def shared_out(cls, n: int) -> list[int]:
        """How many of n codes come from each of the ``n_views``: as many each, the first one more if they must."""
        return [len(part) for part in np.array_split(np.arange(n), cls.n_views)]

    @property
    def at_once(self) -> int | None:
        """How many people are coded at a time; None: all."""
        return max(8, min(_MOST_PEOPLE, _MOST_VALUES // math.prod(self.shape))) if self.large else None

    @property
    def parts(self) -> list[int]:
        """How many codes come from each part of the values that can be missing by itself: all from the only one."""
        return [self.n_latents]

    @classmethod
    def seen_parts(cls, modality: Modality) -> np.ndarray:
        """Bool (n, parts): who has which of the `parts`."""
        return modality.measured[:, None]

    @abstractmethod
    def fit_scale(self, values: np.ndarray) -> None:
        """Learn location and scale from the training people's values (of some of them, where they are large)."""

    @abstractmethod
    def prepare(self, values: np.ndarray) -> Tensor:
        """Features (n, ...), zeros (or nothing but gaps) for a person without any value."""

    @abstractmethod
    def restore(self, features: Tensor) -> np.ndarray:
        """Features in the units of the values: the inverse of `prepare` where nothing was missing."""

    @abstractmethod
    def encode(self, features: Tensor) -> Tensor:
        """Codes (n, k), not yet standardised."""

    @abstractmethod
    def decode(self, codes: Tensor) -> Tensor:
        """The features (n, ...) expected for these codes."""

    def spread(self, expected: Tensor, deviation: Tensor) -> np.ndarray:
        """Standard deviations (columns,) of a table's columns in their units, from those of features (1, ...).

        Half the way from one deviation below what is expected to one above, which is exact where units are linear.
        """
        below, above = self.restore(expected - deviation), self.restore(expected + deviation)
        return np.abs(above - below)[0] / 2

    def know(self, column_kinds: Sequence[str], levels: Sequence[Sequence[float]]) -> None:
        """Hear each column's kind, and its levels where it has some; tables have use for them."""

    def probabilities(self, codes: Tensor) -> dict[int, Tensor]:
        """P (n, K) of the levels of every column that has some, given codes, in float64."""
        return {}

    def misfit(self, features: Tensor, expected: Tensor) -> Tensor:
        """What the decoder minimises: the mean squared error, over what is there."""
        there = ~features.isnan()
        if there.all():
            return ((expected - features) ** 2).mean()
        return torch.where(there, expected - features, 0.0).square().sum() / there.sum().clamp_min(1)

    def augment(self, features: Tensor, generator: torch.Generator) -> Tensor:
        """Features of a training batch, changed in ways that keep the latents where a kind knows any."""
        return features

    def summary(self, features: Tensor) -> Tensor:
        """One number per column or channel (n, columns), which loadings are correlations with: its mean."""
        return features.reshape(len(features), self.shape[0], -1).nanmean(2)

    @classmethod
    def size(cls, modality: Modality, n_latents: int) -> int:
        """How many latents this kind gives a modality for which ``n_latents`` were asked."""
        return n_latents
