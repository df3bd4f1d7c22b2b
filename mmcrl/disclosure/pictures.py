"""Pictures: images and series of real people.

An image is found whatever its brightness and contrast, enlarged, made smaller, turned or mirrored; in a frame, or as
a part of a montage in rows and columns (of a large one 64 are looked at), as it is or turned over its diagonal.  A
series is found whatever its unit and offset, and backwards, also at a finer rate than the cohort's; of a part of one,
and of rows of an image, the values themselves are looked for.  One that changed on the way must be far nearer to one
person than to most, since pictures of one organ are all alike, and the mean of many is near to everybody's.  What
this does not find: a section of an image, images that are laid over each other or scattered over a larger one, an
enlarged montage with gaps, a series that was smoothed, and a part of one in another unit or at another rate.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

from mmcrl.disclosure.pieces import bytes_of
from mmcrl.disclosure.sequences import Sequenced

__all__ = ["is_picture", "is_series", "is_shown", "is_smooth", "is_whole_series"]

_SAME = 0.999  # correlation of the pixels from which on two images are one
_RESIZED = 0.98  # of an image that was enlarged on the way and made small again
_APART = 0.1  # at most so far, as a share of how far most people are, an image or series is that changed
_SEVERAL = 20  # people; of fewer "most" says little
_SPLIT = 4  # images in a row or column of a montage of larger ones, at most
_LEAST = 64  # pixels; smaller ones are like one another by chance
_EXACT = 1 - 1e-6  # correlation of a series with one in another unit, rounded to thousandths of its spread
_VARIED = 8  # different values; a curve of fewer may be anybody's
_TILES = 64  # images of a montage that are looked at, spread over it
_RATES = 60  # how many times finer a recording may be sampled than the cohort's series
_FRAME = 8  # pixels between the images of a montage, at most
_BLURRED = 64 * 64  # pixels up to which neighbours differ so much that a blur makes another image


def is_picture(image: np.ndarray, known: Sequence[np.ndarray], same: float = _SAME) -> bool:
    """Whether an array (h, w) or (h, w, channels) shows an image of somebody in ``known``.

    It is compared as it is, or made small again, mirrored and turned, with each of (n, channels, h, w) and with the
    mean of its channels.
    """
    if image.ndim not in (2, 3):
        return False
    planes = [image] if image.ndim == 2 else [image[..., c] for c in range(image.shape[-1])] + [image.mean(-1)]
    for people in known:
        shape, plain = people.shape[2:], []
        for plane in [*planes, *(plane.T for plane in planes)]:
            if plane.shape == shape:
                plain += _mirrored(plane)
                continue
            if np.prod(shape) >= _LEAST:
                tiles = list(_tiles(plane, shape))
                plain += tiles[:: len(tiles) // _TILES + 1]
            if min(np.subtract(plane.shape, shape)) >= 0 and np.prod(shape) >= _LEAST:
                mean, corners, blur = zip(*map(_matrices, plane.shape, shape), strict=True)
                small = _both(mean, plane)
                resized = [*_mirrored(small), *_mirrored(_both(corners, plane))]
                if _one_of([*resized, *_parts(plane, shape)], people, _RESIZED):
                    return True
                if np.prod(shape) <= _BLURRED and _one_of(_mirrored(small), people, _RESIZED, blur):
                    return True
            elif max(np.subtract(plane.shape, shape)) <= 0 and plane.size >= _LEAST:
                less = [_areas(*sides) for sides in zip(shape, plane.shape, strict=True)]
                if _one_of(_mirrored(plane), people, _RESIZED, less):
                    return True
        if _one_of(plain, people, same):
            return True
    return False


def _parts(plane: np.ndarray, shape: tuple[int, ...]) -> Iterator[np.ndarray]:
    """What a montage of larger images may hold, in rows and columns without gaps, each made as small as ``shape``."""
    for rows, columns in product(range(1, _SPLIT + 1), repeat=2):
        tall, wide = plane.shape[0] // rows, plane.shape[1] // columns
        if rows * columns > 1 and tall >= shape[0] and wide >= shape[1]:
            small = [_areas(*sides) for sides in zip((tall, wide), shape, strict=True)]
            for row, column in product(range(rows), range(columns)):
                yield _both(small, plane[row * tall : (row + 1) * tall, column * wide : (column + 1) * wide])


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


def _both(matrices: Sequence[np.ndarray], planes: np.ndarray) -> np.ndarray:
    return np.asarray(matrices[0] @ planes @ matrices[1].T)


def _one_of(
    views: Sequence[np.ndarray], people: np.ndarray, same: float, blur: Sequence[np.ndarray] | None = None
) -> bool:
    """Whether one of the views is an image of one of the people, or what ``blur`` makes of it.

    Where ``same`` asks for less than the image itself, it must be far nearer to one person than to most.
    """
    if not views:
        return False
    wanted = _standard(np.stack(views).reshape(len(views), -1)).T
    like = np.zeros((len(people), len(views)))
    for start in range(0, len(people), 1000):
        some = people[start : start + 1000]
        for view in (*np.moveaxis(some, 1, 0), some.mean(1)):
            seen = view if blur is None else _both(blur, view)
            found = np.abs(_standard(seen.reshape(len(some), -1)) @ wanted)
            like[start : start + 1000] = np.maximum(like[start : start + 1000], found)
    most = like.max(axis=0, initial=0.0)
    if same >= _SAME or len(people) < _SEVERAL:
        return bool((most > same).any())
    return bool(((most > same) & (1 - most < _APART * (1 - np.median(like, axis=0)))).any())


def _standard(flat: np.ndarray) -> np.ndarray:
    """Rows (n, values) about their means, brought to one length; a gap counts as the mean."""
    known = np.isfinite(flat)
    number = np.maximum(known.sum(axis=1, keepdims=True), 1)
    mean = np.where(known, flat, 0.0).sum(axis=1, keepdims=True) / number
    centred = np.where(known, flat - mean, 0.0)
    return centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)


def is_series(values: np.ndarray, known: Sequence[Sequenced], least: int = 24) -> bool:
    """Whether numbers (t,) are the series of somebody in ``known``, or ``least`` successive points of one."""
    values = np.asarray(values, dtype=float)
    if len(values) < least or np.nanstd(values) == 0:
        return False
    for start in {0, (len(values) - least) // 2, len(values) - least}:
        part = values[start : start + least]
        if not np.isfinite(part).all() or _is_straight(part):
            continue
        if any(sequence.holds(part, 1e-6 * np.maximum(1.0, np.abs(part))) for sequence in known):
            return True
    return False


def is_whole_series(curves: Sequence[np.ndarray], known: Sequence[np.ndarray], least: int = 24) -> bool:
    """Whether one of several curves (t,) is a whole series of (n, channels, t), whatever its unit, sign or offset.

    The arrays behind a figure are exact, so that nothing but an exact line from one to the other will do: a mean of
    people who are much alike is none of them.
    """
    for people in known:
        whole = [curve for curve in curves if len(curve) == people.shape[2] >= least]
        told = [curve for curve in whole if len(np.unique(curve)) >= _VARIED and not _is_straight(curve)]
        if _one_of([view for curve in told for view in (curve, curve[::-1])], people, _EXACT):
            return True
        longer = max(1.5 * people.shape[2], 2 * least)
        finer = [curve for curve in curves if len(curve) >= longer and len(np.unique(curve)) >= _VARIED]
        if any(_is_coarser(curve, people, least) for curve in finer if not is_smooth(curve)):
            return True
    return False


def _is_coarser(curve: np.ndarray, people: np.ndarray, least: int) -> bool:
    """Whether the means over every few points of a curve are a series, or the beginning of one."""
    for every in range(2, _RATES + 1):
        steps = min(len(curve) // every, people.shape[2])
        if steps < max(least, people.shape[2] // 2):
            continue
        parts = curve[: steps * every].reshape(steps, every)
        known = np.isfinite(parts)
        mean = np.where(known, parts, 0).sum(axis=1) / np.where(known.any(axis=1), known.sum(axis=1), np.nan)
        if np.isfinite(mean).sum() >= least and _one_of([mean], people[:, :, :steps], _RESIZED):
            return True
    return False


def is_smooth(values: np.ndarray) -> bool:
    """Whether values change as those of a curve do: by less from step to step than the steps themselves are large.

    >>> [is_smooth(np.array(values)) for values in ([0.0, 1, 2, 3], [1.0, 2, 4, 8, 16], [0.0, 0.1, 0.9, 1, 1])]
    [True, True, False]
    """
    return bool(np.abs(np.diff(values, 2)).sum() <= 0.5 * np.abs(np.diff(values)).sum())


def _is_straight(values: np.ndarray) -> bool:
    """Whether values rise by equal steps, as time does."""
    return bool(np.ptp(np.diff(values)) < 1e-9)


def is_shown(coded: str, known: Sequence[np.ndarray]) -> bool:
    """Whether a picture's file in base64 is an image of somebody in ``known``, or one of several that it holds."""
    return any(is_picture(image, known, _RESIZED) for image in _images(bytes_of(coded)))


def _images(data: bytes) -> Iterator[np.ndarray]:
    """Each image (h, w, colours), or (h, w) without colours, in a picture's file; of a moving one all, one by one."""
    from PIL import Image, ImageSequence

    try:
        with Image.open(io.BytesIO(data)) as picture:
            for image in ImageSequence.Iterator(picture):
                grey = image.mode == "L" or image.mode.startswith(("I", "F"))
                pixels = np.asarray(image if grey else image.convert("RGB"), dtype=float)
                yield pixels[..., 0] if pixels.ndim == 3 and not np.ptp(pixels, axis=-1).any() else pixels
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return
