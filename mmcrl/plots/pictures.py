"""Pictures: images of simulated people beside each other, and what one latent changes in an image.

Never for images of real people.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from mmcrl.errors import InputError, check_whole
from mmcrl.plots.style import standing, styled

__all__ = ["gallery", "traversal"]

_MOST = 100  # images in a gallery


@styled
def gallery(images: ArrayLike, across: int = 10, title: str = "", rows: Sequence[str] = ()) -> Figure:
    """Images of simulated people, row by row.

    Parameters
    ----------
    images : (n, channels, height, width), values in [0, 1], beyond which they are cut; one channel is grey, three are
        red, green and blue; up to 100 of them.
    across : images in a row.
    rows : what stands beside each row; left out, nothing.

    Raises
    ------
    InputError : for another shape or number, values that are not finite, a row without an image, or another number of
        names than rows.

    >>> len(gallery(np.zeros((3, 1, 8, 8))).axes)
    3
    """
    drawn = _checked(images, 4)
    check_whole("across", across, 1)
    if len(drawn) > _MOST:
        raise InputError("images", f"up to {_MOST} images", str(len(drawn)))
    across = min(across, len(drawn))
    down = math.ceil(len(drawn) / across)
    if rows and len(rows) != down:
        raise InputError("rows", f"{down}, as many as rows of images", str(len(rows)))
    figure, grid = _grid(down, across, drawn)
    for ax in grid.flat[len(drawn) :]:
        ax.remove()
    for ax, image in zip(grid.flat, drawn, strict=False):
        _show(ax, image)
    for ax, name in zip(grid[:, 0], rows, strict=False):
        ax.set_ylabel(name, rotation=0, ha="right", va="center")
    if title:
        figure.suptitle(title, fontsize=11, fontweight="bold", x=0.01, ha="left")
    return figure


@styled
def traversal(
    images: ArrayLike, latents: Sequence[str], values: Sequence[float], people: ArrayLike | None = None
) -> Figure:
    """What each latent changes: a row of images per latent, which takes these values while the others stay.

    Parameters
    ----------
    images : (latents, values, channels, height, width), as in `gallery`.
    latents : names of the rows.
    values : of the latent that moves, in standard deviations; they stand above the columns.
    people : (latents, 2, channels, height, width), the mean images of the people lowest and highest in each latent,
        to be drawn on the left and on the right of its row.

    Raises
    ------
    InputError : as `gallery`, and for another number of names or values.

    >>> figure = traversal(np.zeros((1, 3, 1, 8, 8)), ["a.0"], [-2, 0, 2])
    >>> [ax.get_title() for ax in figure.axes]
    ['−2 SD', '0 SD', '+2 SD']
    """
    drawn = _checked(images, 5)
    for argument, given, expected in (("latents", latents, drawn.shape[0]), ("values", values, drawn.shape[1])):
        if len(given) != expected:
            raise InputError(argument, f"{expected}, as the images", str(len(given)))
    above = [standing(value) for value in values]
    if people is not None:
        means = _checked(people, 5)
        if means.shape != (len(drawn), 2, *drawn.shape[2:]):
            raise InputError("people", f"shape {(len(drawn), 2, *drawn.shape[2:])}", f"shape {means.shape}")
        drawn = np.concatenate([means[:, :1], drawn, means[:, 1:]], axis=1)
        above = ["people\nlowest in it", *above, "people\nhighest in it"]
    figure, grid = _grid(drawn.shape[0], drawn.shape[1], drawn)
    for ax, title in zip(grid[0], above, strict=True):
        ax.set_title(title, loc="center", fontsize=9, fontweight="normal")
    for row, name, shown in zip(grid, latents, drawn, strict=True):
        row[0].set_ylabel(name, rotation=0, ha="right", va="center")
        for ax, image in zip(row, shown, strict=True):
            _show(ax, image)
    return figure


def _checked(images: ArrayLike, axes: int) -> np.ndarray:
    """Finite images of one or three channels with this many axes, cut to [0, 1]."""
    drawn = np.asarray(images)
    shape = "(n, channels, height, width)" if axes == 4 else "(latents, values, channels, height, width)"
    if drawn.ndim != axes or 0 in drawn.shape or drawn.shape[-3] not in (1, 3):
        raise InputError("images", f"shape {shape} with 1 or 3 channels", f"shape {drawn.shape}")
    if drawn.dtype.kind not in "fiub" or not np.isfinite(drawn).all():
        raise InputError("images", "finite numbers", "others")
    return np.clip(drawn.astype(float), 0, 1)


def _grid(down: int, across: int, images: np.ndarray) -> tuple[Figure, np.ndarray]:
    """Axes (down, across) of the images' proportions."""
    height, width = images.shape[-2:]
    wide = min(1.1, 9 / across)
    size = (across * wide + 0.8, down * (wide * height / width + 0.08) + 0.35)
    figure, grid = plt.subplots(down, across, figsize=size, squeeze=False)
    return figure, grid


def _show(ax: Axes, image: np.ndarray) -> None:
    ax.imshow(image.transpose(1, 2, 0), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)
