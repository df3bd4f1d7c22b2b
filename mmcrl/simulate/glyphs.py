"""Glyphs: small pictures to draw with, of MNIST and Fashion-MNIST where they are, else of scikit-learn's digits.

MNIST: LeCun et al., Gradient-based learning applied to document recognition (1998), 10.1109/5.726791;
Fashion-MNIST: Xiao et al. (2017), arXiv:1708.07747; the embedded digits, of 8 x 8 pixels: Alpaydin and Kaynak,
Optical Recognition of Handwritten Digits (1998), 10.24432/C50P49.
"""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import numpy as np

from mmcrl.errors import InputError
from mmcrl.fetch import CATALOGUE, FOLDER, data_folder

__all__ = ["Glyphs", "Source", "load_glyphs", "read_idx"]

Source = Literal["auto", "mnist", "digits"]

_UNSIGNED_BYTES = 0x08
_MOST = 1 << 30  # bytes that an idx file may claim to hold


class Glyphs(NamedTuple):
    """Pictures (N, h, h) of digits and (M, h, h) of items, uint8, and which source they are of."""

    source: Literal["mnist", "digits"]
    digit: np.ndarray
    item: np.ndarray


def load_glyphs(source: Source = "auto") -> Glyphs:
    """The pictures of a source; nothing is downloaded.

    ``mnist`` are the 60,000 training images each of MNIST and Fashion-MNIST: ``train-images-idx3-ubyte.gz`` in
    ``mnist/`` and ``fashion_mnist/`` of the folder that the environment variable ``MMCRL_DATA`` names, or of the
    cache that ``python -m mmcrl fetch mnist`` fills.  ``digits`` are scikit-learn's embedded ones: half of them
    stand for the items, turned by a quarter.  ``auto`` takes MNIST where its files are, else the digits.

    Raises
    ------
    InputError : for an unknown source, files that are asked for and missing, one of two, or a damaged one.

    >>> load_glyphs("digits").digit.shape
    (899, 8, 8)
    """
    if source not in get_args(Source):
        raise InputError("source", f"one of {', '.join(get_args(Source))}", repr(source))
    if source == "digits":
        return _embedded()
    paths = [data_folder() / remote.path for remote in CATALOGUE["mnist"]]
    missing = [path for path in paths if not path.is_file()]
    if source == "auto" and len(missing) == len(paths):
        return _embedded()
    if missing:
        got = f"no {' and no '.join(str(path) for path in missing)}"
        raise InputError("source", f"the files of `python -m mmcrl fetch mnist`, or others in {FOLDER}", got)
    digit, item = (_squares(path) for path in paths)
    return Glyphs("mnist", digit, item)


def read_idx(path: Path) -> np.ndarray:
    """The unsigned bytes of a gzipped idx file, in the shape that its header tells.

    The header is two zeros, 8 (unsigned bytes), the number of axes, and each axis' length in four bytes, big end
    first.

    Raises
    ------
    InputError : for a file that is no gzip, damaged or cut off, whose header is another, or whose length is.
    """
    name = f"{path.parent.name}/{path.name}"
    try:
        with gzip.open(path) as file:
            head = file.read(4)
            if len(head) < 4 or head[:2] != b"\0\0" or head[2] != _UNSIGNED_BYTES or head[3] == 0:
                raise InputError(name, "an idx file of unsigned bytes, which begins 00 00 08", head.hex(" "))
            lengths = file.read(4 * head[3])
            shape = tuple(int.from_bytes(lengths[4 * i : 4 * i + 4]) for i in range(head[3]))
            if len(lengths) < 4 * head[3] or not 0 < math.prod(shape) <= _MOST:
                raise InputError(name, f"{head[3]} lengths of axes, a gigabyte at most", str(shape))
            body = file.read(math.prod(shape) + 1)
    except (EOFError, OSError, zlib.error) as error:
        raise InputError(name, "a whole gzip file", f"{type(error).__name__}: {error}") from error
    if len(body) != math.prod(shape):
        got = "more" if len(body) > math.prod(shape) else str(len(body))
        raise InputError(name, f"{math.prod(shape)} bytes, as its header tells", got)
    return np.frombuffer(body, dtype=np.uint8).reshape(shape)


def _squares(path: Path) -> np.ndarray:
    images = read_idx(path)
    if images.ndim != 3 or images.shape[1] != images.shape[2]:
        raise InputError(f"{path.parent.name}/{path.name}", "square images", f"shape {images.shape}")
    return images


def _embedded() -> Glyphs:
    from sklearn.datasets import load_digits  # takes long to load

    images = (load_digits().images * (255 / 16)).astype(np.uint8)
    return Glyphs("digits", images[::2], np.rot90(images[1::2], axes=(1, 2)))
