"""Pictures: images of real people.

An image is found whatever its brightness and contrast, enlarged, made smaller, turned or mirrored; in a frame, or as
a part of a montage in rows and columns (of a large one 64 are looked at), as it is or turned over its diagonal.  What
this does not find: a section of an image, every other pixel of one, images that are laid over each other or scattered
over a larger one, and an enlarged montage with gaps.
"""

from __future__ import annotations

import io
import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

from mmcrl.disclosure.likeness import SAME, both, one_of
from mmcrl.disclosure.pieces import bytes_of

__all__ = ["is_picture", "is_shown"]

_CHANGED = 0.98  # correlation of the pixels from which on an image that changed on the way may be somebody's
_SPLIT = 4  # images in a row or column of a montage of larger ones, at most
_LEAST = 64  # pixels; smaller ones are like one another by chance
_TILES = 64  # images of a montage that are looked at, spread over it
_FRAME = 8  # pixels between the images of a montage, at most
_BLURRED = 64 * 64  # pixels up to which neighbours differ so much that a blur makes another image

_Views = defaultdict[tuple[int, ...], list[np.ndarray]]  # by their size


def is_picture(image: np.ndarray, known: Sequence[np.ndarray], same: float = SAME) -> bool:
    """Whether an array (h, w) or (h, w, channels) shows an image of somebody in ``known``.

    It is compared as it is, or made small again, mirrored and turned, with each of (n, channels, h, w) and with the
    mean of its channels.  With ``same`` below `SAME`, as for files that lose something, it must be near enough to
    somebody and nearer than to anybody else.
    """
    if image.ndim not in (2, 3):
        return False
    planes = [image] if image.ndim == 2 else [image[..., c] for c in range(image.shape[-1])] + [image.mean(-1)]
    for people in known:
        shape, plain, changed = people.shape[2:], list[np.ndarray](), list[np.ndarray]()
        blurred, smaller = _Views(list), _Views(list)
        for plane in [*planes, *(plane.T for plane in planes)]:
            if plane.shape == shape:
                plain += _mirrored(plane)
                continue
            if np.prod(shape) >= _LEAST:
                tiles = list(_tiles(plane, shape))
                plain += tiles[:: len(tiles) // _TILES + 1]
            if min(np.subtract(plane.shape, shape)) >= 0 and np.prod(shape) >= _LEAST:
                mean, corners, _ = zip(*map(_matrices, plane.shape, shape), strict=True)
                small = both(mean, plane)
                changed += [*_mirrored(small), *_mirrored(both(corners, plane)), *_parts(plane, shape)]
                if np.prod(shape) <= _BLURRED:
                    blurred[plane.shape] += _mirrored(small)
            elif max(np.subtract(plane.shape, shape)) <= 0 and plane.size >= _LEAST:
                smaller[plane.shape] += _mirrored(plane)
        if one_of(plain, people, SAME) or (same < SAME and one_of(plain, people, same, apart="next")):
            return True
        if one_of(changed, people, _CHANGED, apart="most"):
            return True
        for size, views in blurred.items():
            blur = [_matrices(*sides)[2] for sides in zip(size, shape, strict=True)]
            if one_of(views, people, _CHANGED, blur, apart="most"):
                return True
        for size, views in smaller.items():
            less = [_areas(*sides) for sides in zip(shape, size, strict=True)]
            if one_of(views, people, _CHANGED, less, apart="most"):
                return True
    return False


def _parts(plane: np.ndarray, shape: tuple[int, ...]) -> Iterator[np.ndarray]:
    """What a montage of larger images may hold, in rows and columns without gaps, each made as small as ``shape``."""
    for rows, columns in product(range(1, _SPLIT + 1), repeat=2):
        tall, wide = plane.shape[0] // rows, plane.shape[1] // columns
        if rows * columns > 1 and tall >= shape[0] and wide >= shape[1]:
            small = [_areas(*sides) for sides in zip((tall, wide), shape, strict=True)]
            for row, column in product(range(rows), range(columns)):
                yield both(small, plane[row * tall : (row + 1) * tall, column * wide : (column + 1) * wide])


def _tiles(plane: np.ndarray, shape: tuple[int, ...]) -> Iterator[np.ndarray]:
    """The images of a montage: equally far apart in rows and columns, with a frame as wide, or another, or none."""
    layouts = [list(_layouts(large, small)) for large, small in zip(plane.shape, shape, strict=True)]
    for (rows, gap, top), (columns, gap_, left) in product(*layouts):
        if gap == gap_ or 1 in (rows, columns):
            for row, column in product(range(rows), range(columns)):
                at, beside = top + row * (shape[0] + gap), left + column * (shape[1] + gap_)
                yield plane[at : at + shape[0], beside : beside + shape[1]]


def _layouts(large: int, small: int) -> Iterator[tuple[int, int, int]]:
    """How a side may hold several smaller ones: their number, the gap between them and the frame before them."""
    for number in range(1, large // small + 1):
        spare = large - number * small
        for gap in range(min(_FRAME, spare // max(number - 1, 1)) + 1) if number > 1 else (0,):
            frame, odd = divmod(spare - (number - 1) * gap, 2)
            if not odd and frame <= _FRAME:
                yield number, gap, frame


def _mirrored(plane: np.ndarray) -> list[np.ndarray]:
    return [plane, plane[::-1], plane[:, ::-1], plane[::-1, ::-1]]


def _matrices(large: int, small: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What makes a side small again: means, which undo repeated pixels, and points, which undo straight lines.

    A third matrix is what the means make of a side that was enlarged by straight lines between the middles of pixels.
    """
    bins = np.arange(large) * small // large
    mean = (bins == np.arange(small)[:, None]) / np.bincount(bins)[:, None]
    middles = (np.arange(large) + 0.5) * small / large - 0.5
    return mean, _between(np.linspace(0, large - 1, small), large), mean @ _between(middles, small)


def _areas(large: int, small: int) -> np.ndarray:
    """The matrix (small, large) of means over equal parts of a side, pixels on a border being shared."""
    edges, parts = np.arange(large + 1.0), np.linspace(0, large, small + 1)
    shared = np.minimum(parts[1:, None], edges[1:]) - np.maximum(parts[:-1, None], edges[:-1])
    return np.maximum(shared, 0) * small / large


def _between(at: np.ndarray, size: int) -> np.ndarray:
    """The matrix (k, size) that reads values at the places ``at`` (k,) on straight lines between them."""
    return np.maximum(0.0, 1 - np.abs(np.clip(at, 0, size - 1)[:, None] - np.arange(size)))


def is_shown(coded: str, known: Sequence[np.ndarray]) -> bool:
    """Whether a picture's file in base64 is an image of somebody in ``known``, or one of several that it holds."""
    return any(is_picture(image, known, _CHANGED) for image in _images(bytes_of(coded)))


def _images(data: bytes) -> Iterator[np.ndarray]:
    """Each image (h, w, colours), or (h, w) without colours, in a picture's file; of a moving one all, one by one."""
    from PIL import Image, ImageSequence

    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(data)) as picture:
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            for image in ImageSequence.Iterator(picture):
                grey = image.mode == "L" or image.mode.startswith(("I", "F"))
                pixels = np.asarray(image if grey else image.convert("RGB"), dtype=float)
                yield pixels[..., 0] if pixels.ndim == 3 and not np.ptp(pixels, axis=-1).any() else pixels
    except Exception:  # decoders raise whatever their format's faults make them raise
        return
