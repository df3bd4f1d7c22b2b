"""Tensors: a cohort's people as their codecs' features, prepared once and drawn from in batches.

Features of images and series are prepared in pieces; those of values that lie on disk are prepared whenever a batch
of them is read, and never held.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from mmcrl.cohort import Cohort
from mmcrl.modality import Modality

__all__ = [
    "Features",
    "OnDisk",
    "People",
    "any_order",
    "as_tensor",
    "augmented",
    "learn_scale",
    "people_of",
    "pieces_of",
    "some_of",
    "take_scale",
]

_SCALED_ON = 2_000, 5 * 10**7  # people, and values, from which a large modality's scale is learned


@dataclass(frozen=True)
class OnDisk:
    """Features of a modality whose values lie on disk."""

    codec: nn.Module
    modality: Modality
    device: torch.device | None

    def __len__(self) -> int:
        return len(self.modality)

    def __getitem__(self, rows: Tensor | slice) -> OnDisk:
        where = rows.cpu().numpy() if isinstance(rows, Tensor) else np.arange(len(self))[rows]
        return OnDisk(self.codec, self.modality.take(where), self.device)

    def read(self) -> Tensor:
        """As a tensor (n, ...)."""
        return self.codec.prepare(self.modality.values).to(self.device)  # type: ignore[operator]


Features: TypeAlias = Any  # a Tensor (n, ...), or OnDisk


@dataclass(frozen=True)
class People:
    """Features (n, ...) per modality, who was measured in it (n, M), and of what in it (n, P).

    ``seen`` has a column for every part of a modality that can be missing by itself (see `mmcrl.kinds.Codec.parts`);
    ``labels`` (n, d) are for a method that is taught some latents.
    """

    features: list[Features]
    measured: Tensor
    seen: Tensor
    labels: Tensor | None = None

    def __len__(self) -> int:
        return len(self.measured)

    def take(self, rows: Tensor | slice) -> People:
        """These people, by position."""
        labels = None if self.labels is None else self.labels[rows]
        return People([x[rows] for x in self.features], self.measured[rows], self.seen[rows], labels)

    def some(self, most: int) -> People:
        """These people, or as many as are asked for, by `some_of`."""
        return self.take(some_of(torch.arange(len(self), device=self.measured.device), most))

    def read(self) -> People:
        """The same people, their features in memory."""
        return People([as_tensor(x) for x in self.features], self.measured, self.seen, self.labels)

    def batches(self, size: int) -> list[People]:
        """All people in order, the last batch the smaller."""
        return [self.take(rows) for rows in torch.arange(len(self)).split(size)]

    def whole_batches(self, size: int, most: int | None = None) -> Iterator[People]:
        """Batches of this size, people in `any_order`; of fewer people a single one. ``most``: of so many people."""
        order = any_order(len(self))[:most].to(self.measured.device)
        return (self.take(rows) for rows in order.split(size) if len(rows) == min(size, len(order)))


def as_tensor(features: Features) -> Tensor:
    """Features (n, ...) in memory."""
    return features.read() if isinstance(features, OnDisk) else features


def any_order(n: int) -> Tensor:
    """Positions (n,) in an order drawn at random, always the same: how people are listed may say who they are.

    >>> sorted(any_order(5).tolist()), torch.equal(any_order(5), any_order(5))
    ([0, 1, 2, 3, 4], True)
    """
    return torch.randperm(n, generator=torch.Generator().manual_seed(0))


def some_of(rows: Tensor, most: int | None) -> Tensor:
    """These positions (n,), or as many of them as are asked for, drawn by `any_order` and sorted.

    >>> some_of(torch.arange(10, 13), 5).tolist(), len(some_of(torch.arange(10), 5).unique())
    ([10, 11, 12], 5)
    """
    if most is None or len(rows) <= most:
        return rows
    return rows[any_order(len(rows))[:most].sort().values.to(rows.device)]


def pieces_of(features: Features, size: int | None, rows: Tensor | None = None) -> Iterator[Tensor]:
    """Features of all people in order, or of these ``rows``, ``size`` of them at a time; None: all at once."""
    n = len(features) if rows is None else len(rows)
    each = max(1, n if size is None else size)
    parts = (slice(start, start + each) for start in range(0, max(1, n), each))
    return (as_tensor(features[part if rows is None else rows[part]]) for part in parts)


def augmented(codecs: Iterable[nn.Module], features: Iterable[Features], generator: torch.Generator) -> list[Tensor]:
    """Features of a training batch, changed where a kind knows changes that keep the latents."""
    pairs = zip(codecs, features, strict=True)
    return [codec.augment(as_tensor(x), generator) for codec, x in pairs]  # type: ignore[operator]


def learn_scale(codec: nn.Module, modality: Modality) -> None:
    """Let a codec learn its scale from the people of a modality who were measured, or from some where it is large."""
    rows = np.flatnonzero(modality.measured)
    if not modality.large:
        codec.fit_scale(modality.read(rows))  # type: ignore[operator]
        return
    most = max(1, min(_SCALED_ON[0], _SCALED_ON[1] // int(np.prod(modality.shape[1:]))))
    some = _spread(rows, most)
    values = modality.read(some)
    places = tuple(range(2, values.ndim))
    lacks = np.isnan(values).all(axis=(0, *places))
    if lacks.any():  # of a channel that none of them has, some who have it
        have = np.concatenate([~np.isnan(piece[:, lacks]).all(axis=places) for piece in modality.pieces()])
        more = [_spread(np.flatnonzero(who), max(1, most // have.shape[1])) for who in have.T]
        values = modality.read(np.unique(np.concatenate([some, *more])))
    codec.fit_scale(values)  # type: ignore[operator]


def _spread(rows: np.ndarray, most: int) -> np.ndarray:
    """Every so many of these positions (n,), at most as many as asked for."""
    return rows[:: max(1, -(-len(rows) // most))]


def take_scale(codec: nn.Module, source: nn.Module) -> None:
    """Let a codec know of the data what another of its kind has learned, which lies in buffers."""
    for buffer, learned in zip(codec.buffers(), source.buffers(), strict=True):
        buffer.copy_(learned)


def people_of(
    codecs: Iterable[nn.Module], cohort: Cohort, device: torch.device | None = None, labels: Tensor | None = None
) -> People:
    """The cohort through codecs whose scale is fitted, on this device."""
    pairs = list(zip(codecs, cohort.modalities.values(), strict=True))
    features = [_prepared(codec, modality, device) for codec, modality in pairs]
    measured = torch.from_numpy(np.column_stack([modality.measured for _, modality in pairs])).to(device)
    seen = torch.from_numpy(np.column_stack([codec.seen_parts(modality) for codec, modality in pairs])).to(device)  # type: ignore
    return People(features, measured, seen, labels)


def _prepared(codec: nn.Module, modality: Modality, device: torch.device | None) -> Features:
    if modality.on_disk:
        return OnDisk(codec, modality, device)
    if not modality.large:
        return codec.prepare(modality.values).to(device)  # type: ignore[operator]
    held: Tensor | None = None
    done = 0
    for piece in modality.pieces():
        features = codec.prepare(piece)  # type: ignore[operator]
        if held is None:
            held = features.new_empty((len(modality), *features.shape[1:]), device=device)
        held[done : done + len(features)] = features
        done += len(features)
    return codec.prepare(modality.values).to(device) if held is None else held  # type: ignore[operator]
