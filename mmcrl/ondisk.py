"""On disk: arrays that are larger than memory, read a few people at a time.

An array lies on disk if it is a memory map of numpy, or comes in chunks, as those of zarr and h5py do.  A chunk is
read whole: people drawn at random lie in most chunks that hold several, so that every batch would read almost all of
the array.  Such an array is therefore *unpacked* once.
"""

from __future__ import annotations

import math
import mmap
import struct
import tempfile
import weakref
import zipfile
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from mmcrl.errors import InputError, path_of

__all__ = ["lies_on_disk", "member", "room_for", "rows_of", "unpacked"]

_IN_MEMORY = 512 * 2**20  # bytes; larger values go to a file
_MAPPED = 4 * 2**20  # bytes of a memory map that are read before its pages are given back
_LOCAL_HEADER = struct.Struct("<26x2H")  # of a member of a zip file: the lengths of its name and of what follows it


def lies_on_disk(values: Any) -> bool:
    """Whether values are read a piece at a time.

    >>> lies_on_disk(np.zeros(3))
    False
    """
    return isinstance(values, np.memmap) or all(hasattr(values, name) for name in ("shape", "dtype", "chunks"))


def rows_of(values: Any, rows: np.ndarray | slice) -> np.ndarray:
    """The values (m, ...) at these positions of the first axis, in memory.

    A memory map is read a few people at a time, whose pages are given back at once: for people far from each other
    the system maps many times what they take.
    """
    if isinstance(values, np.ndarray) and not isinstance(values, np.memmap):
        return values[rows]
    where = np.arange(values.shape[0])[rows]
    if isinstance(values, np.memmap):
        taken = np.empty((len(where), *values.shape[1:]), values.dtype)
        each = _people_in(_MAPPED, values.shape, values.dtype)
        for start in range(0, len(where), each):
            taken[start : start + each] = values[where[start : start + each]]
            _give_back(values)
        return taken
    different, place = np.unique(where, return_inverse=True)  # what is ordered is read chunk after chunk
    return np.asarray(values[different])[place]


def member(path: str | Path, name: str) -> np.memmap:
    """An array of a ``.npz`` file as a memory map: nothing is read before it is asked for.

    Raises
    ------
    InputError : for a file that is no such archive, an array that it lacks, one of objects, and one that is
        compressed, which cannot be mapped: ``numpy.savez`` leaves it as it is.
    """
    file = path_of("path", path)
    try:
        with zipfile.ZipFile(file) as archive:
            found = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
    except (OSError, zipfile.BadZipFile) as error:
        raise InputError("path", "a complete .npz file", type(error).__name__) from None
    if name not in found:
        raise InputError("name", f"an array among {', '.join(found)}", repr(name))
    if found[name].compress_type != zipfile.ZIP_STORED:
        raise InputError("path", "a .npz file that is not compressed", f"{name!r} compressed")
    try:
        with file.open("rb") as opened:
            opened.seek(found[name].header_offset)
            opened.seek(sum(_LOCAL_HEADER.unpack(opened.read(_LOCAL_HEADER.size))), 1)
            version = np.lib.format.read_magic(opened)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, fortran, dtype = read(opened)
            if dtype.hasobject:
                raise InputError("path", "an array of numbers", f"{name!r} of objects")
            order = "F" if fortran else "C"
            return np.memmap(file, dtype, "r", opened.tell(), shape, order)  # type: ignore[call-overload]
    except InputError:
        raise
    except (OSError, struct.error, ValueError) as error:
        raise InputError("path", "a complete .npz file", type(error).__name__) from None


def unpacked(values: Any) -> Any:
    """The values as they are, or, if several people share a chunk, in `room_for` them, a person beside the other."""
    chunks = getattr(values, "chunks", None)
    if not chunks or np.max(chunks[0]) == 1:
        return values
    room, each = room_for(values.shape, values.dtype), _people_in(_IN_MEMORY // 4, values.shape, values.dtype)
    for start in range(0, values.shape[0], each):
        room[start : start + each] = np.asarray(values[start : start + each])
        _give_back(room)
    return room


def room_for(shape: tuple[int, ...], dtype: DTypeLike = np.float32) -> np.ndarray:
    """Room for numbers, NaN so far where they can be: in memory, or, from half a gigabyte on, in a file.

    The file lies in a folder that only the user can read, below the temporary one (``TMPDIR``), and goes with the
    array.
    """
    gap = np.nan if np.dtype(dtype).kind == "f" else 0
    if np.dtype(dtype).itemsize * math.prod(shape) < _IN_MEMORY:
        return np.full(shape, gap, dtype)
    folder = tempfile.mkdtemp(prefix="mmcrl-")
    values = np.lib.format.open_memmap(Path(folder) / "values.npy", "w+", np.dtype(dtype), shape)
    weakref.finalize(values._mmap, rmtree, folder, ignore_errors=True)  # type: ignore[attr-defined]
    each = _people_in(_IN_MEMORY, shape, dtype)
    for start in range(0, shape[0], each):
        values[start : start + each] = gap
        _give_back(values)
    return values


def _give_back(values: np.ndarray) -> None:
    """Let the pages of a memory map go that its file holds; of a copy-on-write one, none: changes are there alone."""
    if isinstance(values, np.memmap) and values.mode != "c":
        with suppress(AttributeError, ValueError):  # no such call on this system
            values._mmap.madvise(mmap.MADV_DONTNEED)  # type: ignore[attr-defined]


def _people_in(size: int, shape: tuple[int, ...], dtype: DTypeLike) -> int:
    """How many people's values take so many bytes, at least 1."""
    return max(1, size // (np.dtype(dtype).itemsize * math.prod(shape[1:])))
