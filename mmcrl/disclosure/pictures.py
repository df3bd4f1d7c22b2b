"""Pictures: images and series of real people, whatever their brightness, contrast or size on the page."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import numpy as np

from mmcrl.disclosure.sequences import Sequenced

__all__ = ["decoded", "is_picture", "is_series", "is_shown"]

_SAME = 0.999  # correlation of the pixels from which on two images are one
_RESIZED = 0.98  # of an image that was enlarged on the way and made small again


def is_picture(image: np.ndarray, known: Sequence[np.ndarray], same: float = _SAME) -> bool:
    """Whether an array (h, w) or (h, w, channels) shows an image of somebody in ``known``.

    It is compared as it is, mirrored and turned, with each of (n, channels, h, w) and with the mean of its channels.
    """
    planes = [image] if image.ndim == 2 else [image[..., c] for c in range(image.shape[-1])] + [image.mean(-1)]
    turned = [np.rot90(plane, turn) for plane in planes for turn in range(4)]
    views = [*turned, *(view.T for view in turned)]
    return any(_one_of([v for v in views if v.shape == people.shape[2:]], people, same) for people in known)


def _one_of(views: Sequence[np.ndarray], people: np.ndarray, same: float) -> bool:
    if not views:
        return False
    wanted = _standard(np.stack(views).reshape(len(views), -1)).T
    for start in range(0, len(people), 1000):
        some = people[start : start + 1000]
        for view in (*np.moveaxis(some, 1, 0), some.mean(1)):
            if (np.abs(_standard(view.reshape(len(some), -1)) @ wanted) > same).any():
                return True
    return False


def _standard(flat: np.ndarray) -> np.ndarray:
    centred = np.nan_to_num(flat.astype(float) - np.nanmean(np.nan_to_num(flat), axis=1, keepdims=True))
    return centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)


def is_series(values: np.ndarray, known: Sequence[Sequenced], least: int = 24) -> bool:
    """Whether numbers (t,) are the series of somebody in ``known``, or ``least`` successive points of one."""
    values = np.asarray(values, dtype=float)
    if len(values) < least or np.nanstd(values) == 0:
        return False
    for start in {0, (len(values) - least) // 2, len(values) - least}:
        part = values[start : start + least]
        if not np.isfinite(part).all() or np.ptp(np.diff(part)) < 1e-9:  # a straight line, such as time
            continue
        if any(sequence.holds(part, 1e-6 * np.maximum(1.0, np.abs(part))) for sequence in known):
            return True
    return False


def decoded(picture: str, shape: tuple[int, int]) -> np.ndarray | None:
    """The grey values of a picture in base64, made as large as ``shape``; None for what is no picture."""
    from matplotlib.image import imread

    for form in ("png", "jpeg"):
        try:
            pixels = np.asarray(imread(io.BytesIO(base64.b64decode(picture)), form), dtype=float)
            break
        except (ValueError, OSError, SyntaxError):
            continue
    else:
        return None
    grey = pixels if pixels.ndim == 2 else pixels[..., :3].mean(-1)
    for axis in (0, 1):  # the mean of the pixels that fall into one
        bins = np.arange(grey.shape[axis]) * shape[axis] // grey.shape[axis]
        starts = np.searchsorted(bins, np.arange(shape[axis]))
        if grey.shape[axis] < shape[axis]:
            return None
        grey = np.add.reduceat(grey, starts, axis=axis) / np.bincount(bins).reshape((-1, 1) if axis == 0 else (1, -1))
    return grey


def is_shown(png: str, known: Sequence[np.ndarray]) -> bool:
    """Whether a picture in base64 is an image of somebody in ``known``, enlarged or not."""
    for people in known:
        image = decoded(png, (people.shape[2], people.shape[3]))
        if image is not None and is_picture(image, [people], _RESIZED):
            return True
    return False
