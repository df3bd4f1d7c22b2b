"""Variant MNIST: a coloured digit and a piece of clothing, two pictures of one hidden graph.

    digit.0 horizontal position -> digit.1 transparency
    digit.0 horizontal position -> item.0 vertical position -> item.1 grey level

Latents follow `mmcrl.simulate.mechanisms`, noise in each.  Which digit and which item are drawn, and whether the
digit is red, green or blue, has neither cause nor effect: it is private variation.
Source of the graph: Sun et al. (2025), arXiv:2411.06518, section 6.2.  Its images are not published: this generator
is rebuilt from the description, and what the description leaves open is ours: so is that the colour is no latent.
"""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Real
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from mmcrl.cohort import Cohort, Modality
from mmcrl.errors import InputError, check_whole
from mmcrl.simulate.canvas import long_side, place, resized, rgb
from mmcrl.simulate.glyphs import Glyphs, Source, load_glyphs
from mmcrl.simulate.mechanisms import PILOT, Mechanisms
from mmcrl.simulate.phenotyping.chance import bounded
from mmcrl.simulate.world import World, latent_columns

__all__ = ["LATENTS", "Pictures", "depict", "variant_mnist"]

LATENTS = {
    "digit.0": "horizontal position, rightwards",
    "digit.1": "transparency",
    "item.0": "vertical position, downwards",
    "item.1": "grey level",
}
_LINKS = {("digit.0", "digit.1"): 1.0, ("digit.0", "item.0"): 1.0, ("item.0", "item.1"): 1.0}  # and their weights
_HUE = 0.15  # how far a hue lies from its colour at most, of the distance between colours
_DIM, _BRIGHT = 0.15, 0.6  # mean brightness of the most transparent digit and the darkest item; of their opposites
_AT_ONCE = 2000


class Pictures(NamedTuple):
    """Digits (n, 3, size, long) and items (n, 1, long, size), float32 in [0, 1]."""

    digit: np.ndarray
    item: np.ndarray


def variant_mnist(
    n: int = 10_000, seed: int = 0, source: Source = "auto", *, size: int = 24, strength: float = 0.85
) -> World:
    """Variant MNIST (a rebuilt generator): ``n`` pairs of a coloured digit and a grey item of clothing.

    ======== ================== ===========================================================================
    modality shape              latents
    ======== ================== ===========================================================================
    digit    (n, 3, size, long) horizontal position; transparency
    item     (n, 1, long, size) vertical position; grey level
    ======== ================== ===========================================================================

    All latents have mean 0 and variance 1 in the population.  With u = tanh(z / 3), the centre of mass lies
    ``size / 4 * u`` pixels right of (below) the middle, the brightness is ``0.375 - 0.225 u`` for the
    transparency and ``0.375 + 0.225 u`` for the grey level (the mean of what is drawn, weighted by itself:
    `mmcrl.simulate.canvas`); the digit's hue, which is private, is 120 degrees times the number of one of three
    colours plus noise in (-0.15, 0.15).  ``long`` is ``size`` and two thirds of it.

    Both modalities are of kind ``image-toned`` (`mmcrl.kinds.tones`): that one latent of a picture is a matter of
    tone is told to the methods that read pictures through a kind's encoder.

    A pair depends on the seed and its number, not on ``n``.  ``world.settings["source"]`` and the cohort's name tell
    what was drawn with.

    Parameters
    ----------
    source : ``mnist`` (from local files: `mmcrl.simulate.glyphs`), ``digits`` (scikit-learn's 8 x 8 digits, half of
        them turned and in the place of clothing), ``auto`` (the first where its files are, else the second).
    size : height and width of a glyph, in pixels, 8 to 64.
    strength : correlation of an effect with its location, in [0, 1).

    Memory: ``16 n size long`` bytes, .9 GB for n = 60,000; three quarters more while they are made.

    Raises
    ------
    InputError : for a number outside these ranges, and as `mmcrl.simulate.glyphs.load_glyphs`.

    >>> world = variant_mnist(200, source="digits", size=12)
    >>> world.cohort["digit"].values.shape, world.cohort["item"].values.shape
    ((200, 3, 12, 20), (200, 1, 20, 12))
    >>> int(world.adjacency.loc["item.0", "digit.0"]), int(world.adjacency.loc["digit.0", "item.0"])
    (1, 0)
    """
    check_whole("n", n, 100, 1_000_000)
    check_whole("seed", seed, 0, 2**63)
    _check_size(size)
    if not (isinstance(strength, Real) and not isinstance(strength, bool) and 0 <= strength < 1):
        raise InputError("strength", "a number in [0, 1)", repr(strength))
    glyphs = load_glyphs(source)
    mechanisms = _mechanisms(float(strength))
    z = mechanisms.solve(_draw_eps(np.random.default_rng([seed, 0]), n))
    ids = pd.RangeIndex(n, name="person")
    names = list(LATENTS)
    everyone = np.arange(n)
    modalities = {
        "digit": _image(_digits(z, everyone, glyphs, seed, size), ["red", "green", "blue"]),
        "item": _image(_items(z, everyone, glyphs, seed, size), ["grey"]),
    }
    n_latents = {"digit": 2, "item": 2}
    return World(
        cohort=Cohort(
            modalities, ids=ids, name=f"variant MNIST of {glyphs.source}, seed {seed}", n_latents=n_latents
        ),
        latents=pd.DataFrame(z, index=ids, columns=latent_columns(names)),
        adjacency=pd.DataFrame(_weights() != 0, index=names, columns=names).astype(int),
        n_latents=n_latents,
        settings={"seed": seed, "source": glyphs.source, "size": size, "strength": strength},
        mechanisms=mechanisms,
        viewers=[],
    )


def depict(latents: ArrayLike, who: ArrayLike, glyphs: Glyphs, seed: int = 0, size: int = 24) -> Pictures:
    """The pictures of these latents (n, 4), drawn with the glyphs of the pairs numbered ``who`` (n,) of a world.

    Each glyph is used once before one is used twice.

    Raises
    ------
    InputError : for latents of another shape, numbers of pairs that are no whole numbers from 0 on, a seed below 0,
        or a size outside 8 to 64.
    """
    _check_size(size)
    check_whole("seed", seed, 0, 2**63)
    z, pairs = np.asarray(latents), np.asarray(who)
    if pairs.ndim != 1 or pairs.dtype.kind not in "iu" or pairs.min(initial=0) < 0:
        raise InputError("who", "whole numbers of at least 0", f"{pairs.dtype} of shape {pairs.shape}")
    if z.shape != (len(pairs), len(LATENTS)) or z.dtype.kind not in "fiu" or not np.isfinite(z).all():
        raise InputError("latents", f"finite numbers of shape ({len(pairs)}, {len(LATENTS)})", f"shape {z.shape}")
    return Pictures(_digits(z, pairs, glyphs, seed, size), _items(z, pairs, glyphs, seed, size))


def _check_size(size: int) -> None:
    check_whole("size", size, 8, 64)


def _digits(latents: np.ndarray, who: np.ndarray, glyphs: Glyphs, seed: int, size: int) -> np.ndarray:
    drawn = np.empty((len(who), 3, size, long_side(size)), dtype=np.float32)
    hues = _hues(np.random.default_rng([seed, 3]), int(who.max(initial=-1)) + 1)
    for rows, pictures in _glyphs_of(who, glyphs.digit, [seed, 1]):
        right, clear = (bounded(latents[rows, :2]) / 3).T
        placed = place(resized(pictures, size), size / 4 * right)
        colour = rgb(hues[who[rows]]) * _brightness(-clear)[:, None]
        drawn[rows] = np.minimum(placed[:, None] * colour[..., None, None], 1)
    return drawn


def _items(latents: np.ndarray, who: np.ndarray, glyphs: Glyphs, seed: int, size: int) -> np.ndarray:
    drawn = np.empty((len(who), 1, long_side(size), size), dtype=np.float32)
    for rows, pictures in _glyphs_of(who, glyphs.item, [seed, 2]):
        down, grey = (bounded(latents[rows, 2:]) / 3).T
        placed = place(resized(pictures, size).swapaxes(1, 2), size / 4 * down).swapaxes(1, 2)
        drawn[rows, 0] = np.minimum(placed * _brightness(grey)[:, None, None], 1)
    return drawn


def _glyphs_of(who: np.ndarray, pool: np.ndarray, stream: list[int]) -> Iterator[tuple[slice, np.ndarray]]:
    """Some rows at a time, and the glyphs of who they belong to."""
    order = np.random.default_rng(stream).permutation(len(pool))
    for start in range(0, len(who), _AT_ONCE):
        rows = slice(start, start + _AT_ONCE)
        yield rows, pool[order[who[rows] % len(pool)]]


def _brightness(u: np.ndarray) -> np.ndarray:
    """Mean brightness (n,) of what is drawn, from u in (-1, 1)."""
    return (_DIM + _BRIGHT) / 2 + (_BRIGHT - _DIM) / 2 * u


def _image(values: np.ndarray, channels: list[str]) -> Modality:
    return Modality(values, "image-toned", channels, column_kinds=["numeric"] * len(channels))


def _weights() -> np.ndarray:
    """Weight (d, d) of each parent (column) in the location of its child (row)."""
    names = list(LATENTS)
    weights = np.zeros((len(names), len(names)))
    for (source, target), weight in _LINKS.items():
        weights[names.index(target), names.index(source)] = weight
    return weights


def _mechanisms(strength: float) -> Mechanisms:
    weights = _weights()
    links = (weights != 0).astype(int)
    shares = np.where(links.any(1), strength, 0.0)
    moments = np.tile([0.0, 1.0, 1.0], (len(links), 1))
    mechanisms = Mechanisms(links, shares, weights, 0.6 * weights, 0.4 * weights, moments)
    mechanisms.standardise(_draw_eps(np.random.default_rng(12345), PILOT))
    return mechanisms


def _draw_eps(rng: np.random.Generator, n: int) -> np.ndarray:
    """Independent Laplace noise (n, 4) of mean 0 and variance 1, one pair after the other."""
    u = rng.random((n, len(LATENTS)))
    return -np.sign(u - 0.5) * np.log1p(-np.abs(2 * u - 1)) / np.sqrt(2)


def _hues(rng: np.random.Generator, n: int) -> np.ndarray:
    """Hues (n,), red, green or blue and what lies around them, in turns of the circle."""
    u = 3 * rng.random(n)
    return (np.floor(u) + _HUE * (2 * (u % 1) - 1)) / 3
