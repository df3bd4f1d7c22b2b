"""Layout: where the latents of a link graph stand, and on which side of each its name is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Place", "circle", "layers"]

_HEADING, _GAP = 1.0, 0.5  # rows that a modality's name takes, and that separate two modalities


@dataclass(frozen=True)
class Place:
    """A position (x, y), and the side of it (-1 left, +1 right) that text goes to."""

    x: float
    y: float
    side: int


def circle(groups: Mapping[str, Sequence[str]]) -> tuple[dict[str, Place], dict[str, Place]]:
    """Places of latents and of headings on a rounded ring: down its left side, then down its right side.

    ``groups``: modality to its latents.  Rows are evenly spaced, so names never cover each other.
    """
    names = list(groups)
    sizes = np.array([len(groups[name]) + _HEADING + _GAP for name in names])
    cut = 1 + int(np.argmin(np.abs(np.cumsum(sizes)[:-1] - sizes.sum() / 2))) if len(names) > 1 else 1
    halves = [names[:cut], names[cut:]]
    tallest = max(_height(groups, half) for half in halves)
    latents: dict[str, Place] = {}
    headings: dict[str, Place] = {}
    for side, half in zip((-1, 1), halves, strict=True):
        for name, y, is_heading in _rows(groups, half, tallest):
            x = side * (1 - abs(0.92 * y) ** 2.6) ** (1 / 2.6)
            (headings if is_heading else latents)[name] = Place(x, y, side)
    return latents, headings


def layers(
    groups: Mapping[str, Sequence[str]], tiers: Sequence[Sequence[str]]
) -> tuple[dict[str, Place], dict[str, Place]]:
    """Places with a column for every tier, the earliest on the left."""
    tallest = max(_height(groups, tier) for tier in tiers)
    latents: dict[str, Place] = {}
    headings: dict[str, Place] = {}
    for column, tier in enumerate(tiers):
        x = 2 * column / max(len(tiers) - 1, 1) - 1
        for name, y, is_heading in _rows(groups, tier, tallest):
            side = -1 if column == 0 else 1
            (headings if is_heading else latents)[name] = Place(x, y, side)
    return latents, headings


def _height(groups: Mapping[str, Sequence[str]], names: Sequence[str]) -> float:
    return sum(len(groups[name]) + _HEADING for name in names) + _GAP * max(len(names) - 1, 0)


def _rows(groups: Mapping[str, Sequence[str]], names: Sequence[str], tallest: float) -> list[tuple[str, float, bool]]:
    """(name, y in [-1, 1], whether it is a heading) from the top down, in the middle of the height."""
    rows = []
    row = (tallest - _height(groups, names)) / 2 + 0.5
    for name in names:
        rows.append((name, 1 - 2 * row / tallest, True))
        row += _HEADING
        for latent in groups[name]:
            rows.append((latent, 1 - 2 * row / tallest, False))
            row += 1
        row += _GAP
    return rows
