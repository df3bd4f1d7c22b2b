"""Canvas: what a glyph looks like at a place, in a colour or a grey, and how much it lets through.

A glyph is brought to the size asked for, moved so that its centre of mass lies where it should (to fractions of a
pixel, by linear interpolation, which keeps the centre of mass) and lit so that its mean brightness, weighted by
itself, is 1, whatever the glyph:

    sum g^2 / sum g = 1.
"""

from __future__ import annotations

import numpy as np

__all__ = ["lit", "long_side", "place", "resized", "rgb"]

_BRIGHTEST = 1.5  # of a pixel, in units of its glyph's mean brightness
_POINTS = 8  # at which a glyph is looked at, per pixel and direction


def long_side(size: int) -> int:
    """Length of the side along which a glyph of this size moves by a quarter of it either way, and is not cut off."""
    return size + 2 * round(size / 3)


def resized(glyphs: np.ndarray, size: int) -> np.ndarray:
    """Glyphs (n, h, h), uint8, as float32 (n, size, size), their glaring pixels toned down."""
    before = glyphs.shape[1]
    at = np.clip((np.arange(_POINTS * size) + 0.5) / (_POINTS * size) * before - 0.5, 0, before - 1)
    near = np.maximum(1 - np.abs(at[:, None] - np.arange(before)), 0)
    weights = near.reshape(size, _POINTS, before).mean(1).astype(np.float32)
    return np.minimum(lit(weights @ glyphs.astype(np.float32) @ weights.T), np.float32(_BRIGHTEST))


def lit(drawn: np.ndarray) -> np.ndarray:
    """Pictures (n, height, width) of mean brightness 1; black ones stay black."""
    mass, squares = drawn.sum((1, 2)), (drawn**2).sum((1, 2))
    return np.asarray(drawn * np.where(squares > 0, mass / np.maximum(squares, 1e-9), 0)[:, None, None])


def place(glyphs: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Glyphs (n, size, size) on a canvas (n, size, long side), centres of mass ``offset`` (n,) right of its middle.

    They are `lit`.
    """
    size = glyphs.shape[1]
    columns = np.arange(size)
    mass = glyphs.sum(1)
    centre = (mass * columns).sum(1) / np.maximum(mass.sum(1), 1e-9)
    shift = (long_side(size) - 1) / 2 + offset - centre
    whole = np.floor(shift).astype(int)
    part = (shift - whole).astype(np.float32)[:, None, None]
    source = np.arange(long_side(size)) - whole[:, None]
    padded = np.pad(glyphs, ((0, 0), (0, 0), (1, 1)))
    left, right = (
        np.take_along_axis(padded, np.clip(index + 1, 0, size + 1)[:, None], 2) for index in (source, source - 1)
    )
    return lit((1 - part) * left + part * right)


def rgb(hue: np.ndarray) -> np.ndarray:
    """Red, green and blue (n, 3) of hues (n,) in turns: 0 red, 1/3 green, 2/3 blue; the largest is 1."""
    sixths = (6 * hue[:, None] - np.array([0.0, 2.0, 4.0]) + 3) % 6 - 3
    return np.clip(2 - np.abs(sixths), 0, 1)
