"""Bulk values: the images and series of a cohort, with people on the first axis and NaN for who has none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from mmcrl.errors import InputError
from mmcrl.layouts.layout import BulkFile, Layout, Picture, Reader, Recording
from mmcrl.layouts.pictures import read_picture
from mmcrl.layouts.resampling import Channel, resampled, stray_times
from mmcrl.ondisk import room_for
from mmcrl.parallel import in_order
from mmcrl.ranges import few
from mmcrl.schema import ColumnSpec, ModalitySpec
from mmcrl.transforms import decode, transform

__all__ = ["bulk_values"]

T = TypeVar("T")
_MOST = 20  # files that are told of one by one


def bulk_values(
    layout: Layout, name: str, spec: ModalitySpec, ids: pd.Index, minimum: int
) -> tuple[np.ndarray, list[str], list[InputError]]:
    """Float32 values (n, channels, height, width) or (n, channels, time) of these people, in the manifest's units.

    From half a gigabyte on they lie in a file (see `mmcrl.ondisk.room_for`).  Counts under the minimum are not told.

    Returns
    -------
    values; what does not keep them from being used, in words; and of each file that is missing, damaged or outside
    the root why it was not read, up to `_MOST`, and how many more there are: what they hold is NaN.

    Raises
    ------
    InputError : for values outside their range, and variables that the source cannot have.
    """
    people, words, faults = [str(person) for person in ids], list[str](), list[InputError]()
    if spec.n_axes == 3:
        values = _series(layout, name, spec, people, minimum, words, faults)
    else:
        values = _images(layout, name, spec, people, faults)
    more = len(faults) - _MOST
    if more > 0:
        faults[_MOST:] = [InputError(name, "files that can be read", f"{more} more that cannot")]
    return values, words, faults


def _images(
    layout: Layout, name: str, spec: ModalitySpec, people: Sequence[str], faults: list[InputError]
) -> np.ndarray:
    height, width = spec.height or 1, spec.width or 1
    values = room_for((len(people), len(spec.columns), height, width))
    for (variable, where), channels in _sources(spec).items():
        found = layout.images(variable, dict(where))
        colours = [list(spec.columns.values())[channel].colour for channel in channels]
        rows = [i for i, person in enumerate(people) if person in found]
        for i, picture in zip(
            rows, _read([found[people[i]] for i in rows], colours, height, width, name), strict=True
        ):
            if isinstance(picture, InputError):
                faults.append(picture)
            else:
                values[i, channels] = picture
    return values


def _sources(spec: ModalitySpec) -> dict[tuple[str, tuple[tuple[str, str], ...]], list[int]]:
    """The channels of each variable and ``where``: a file is read once for all that are colours of it."""
    found: dict[tuple[str, tuple[tuple[str, str], ...]], list[int]] = {}
    for channel, column in enumerate(spec.columns.values()):
        found.setdefault((column.variables[0], tuple(sorted(column.where.items()))), []).append(channel)
    return found


def _read(
    pictures: Sequence[Picture], colours: Sequence[str], height: int, width: int, name: str
) -> Iterator[np.ndarray | InputError]:
    """Values (colours, height, width) of every picture in order, or its fault; files are read by all cores."""
    tasks: list[Callable[[], np.ndarray | InputError]] = [
        partial(_tried, read_picture, picture, colours, height, width)
        if isinstance(picture, BulkFile)
        else partial(picture, height, width)
        for picture in pictures
    ]
    files = all(isinstance(picture, BulkFile) for picture in pictures)
    return in_order(tasks, f"pictures of {name}", processes=files)


def _series(
    layout: Layout,
    name: str,
    spec: ModalitySpec,
    people: Sequence[str],
    minimum: int,
    words: list[str],
    faults: list[InputError],
) -> np.ndarray:
    values = room_for((len(people), len(spec.columns), spec.length or 2))
    variables = dict.fromkeys(column.variables[0] for column in spec.columns.values())
    found = layout.recordings(list(variables), people)
    rows = [i for i, person in enumerate(people) if person in found]
    tasks = [partial(_tried, _one, found[people[i]], name, spec, minimum) for i in rows]
    outside, apart = np.zeros(len(spec.columns), dtype=int), 0
    for i, read in zip(rows, in_order(tasks, f"recordings of {name}"), strict=True):
        if isinstance(read, InputError):
            faults.append(read)
            continue
        values[i], beyond, stray = read
        outside += beyond
        apart += stray
    for (key, column), count in zip(spec.columns.items(), outside, strict=True):
        if count:
            expected = f"values in {column.range}" + (f" {column.unit}" if column.unit else "")
            raise InputError(f"{name}.{key}", expected, f"{few(int(count), minimum)} values outside")
    if apart:
        words.append(
            f"recordings of {few(apart, minimum)} people have times far from all their others, as of a clock that "
            "was not set: what was measured then is left out"
        )
    return values


def _tried(read: Callable[..., T], *of: Any) -> T | InputError:
    """What a person's file holds, or why it cannot be read."""
    try:
        return read(*of)
    except InputError as error:
        return error


def _one(read: Reader, name: str, spec: ModalitySpec, minimum: int) -> tuple[np.ndarray, np.ndarray, bool]:
    """Series (channels, time) of one person, of each channel how many samples lie outside its range; stray times."""
    step, length = float(spec.step or 1), spec.length or 2
    found, scaled = read(), dict[str, Channel]()
    outside = np.zeros(len(spec.columns), dtype=int)
    for channel, (key, column) in enumerate(spec.columns.items()):
        if column.variables[0] in found:
            recording = found[column.variables[0]]
            numbers = _decoded(f"{name}.{key}", column, recording, minimum)
            outside[channel] = _outside(column, numbers)
            if not outside[channel]:
                scaled[key] = Channel(
                    recording.times, transform(column, pd.Series(numbers)).to_numpy(), recording.until
                )
    states = [key for key, column in spec.columns.items() if column.kind in ("ordinal", "categorical")]
    series = resampled(scaled, step, length, spec.starts, states)
    nothing = np.full(length, np.nan)
    stray = any(odd.any() for odd in stray_times([channel.times for channel in scaled.values()], step * length))
    return np.stack([series.get(key, nothing) for key in spec.columns]), outside, stray


def _decoded(name: str, column: ColumnSpec, recording: Recording, minimum: int) -> np.ndarray:
    """The samples as numbers (n,); of texts and levels each different one is decoded once."""
    values, variable = recording.values, column.variables[0]
    if column.levels is None and pd.api.types.is_numeric_dtype(values):
        return decode(name, column, pd.DataFrame({variable: values}), minimum).to_numpy(dtype=float)
    try:
        codes, different = pd.factorize(values)
    except TypeError:
        raise InputError(name, "numbers", f"lists of them in {variable}") from None
    read = decode(name, column, pd.DataFrame({variable: pd.Series(list(different), dtype=object)}), minimum)
    return np.array([*read, np.nan])[codes]


def _outside(column: ColumnSpec, numbers: np.ndarray) -> int:
    if column.range is None:
        return 0
    with np.errstate(invalid="ignore"):
        return int(((numbers < column.range[0]) | (numbers > column.range[1])).sum())
