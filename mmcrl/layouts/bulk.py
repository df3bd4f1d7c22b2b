"""Bulk values: the images and series of a cohort, with people on the first axis and NaN for who has none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from mmcrl.errors import InputError
from mmcrl.layouts.layout import BulkFile, Layout, Picture, Recording
from mmcrl.layouts.pictures import read_picture
from mmcrl.layouts.recordings import resampled
from mmcrl.ondisk import room_for
from mmcrl.parallel import in_order
from mmcrl.ranges import few
from mmcrl.schema import ColumnSpec, ModalitySpec
from mmcrl.transforms import decode, transform

__all__ = ["bulk_values"]


def bulk_values(layout: Layout, name: str, spec: ModalitySpec, ids: pd.Index, minimum: int) -> np.ndarray:
    """Float32 values (n, channels, height, width) or (n, channels, time) of these people, in the manifest's units.

    From half a gigabyte on they lie in a file (see `mmcrl.ondisk.room_for`).  Counts under the minimum are not told.

    Raises
    ------
    InputError : for files that are missing, damaged or outside the root, and values outside their range.
    """
    people = [str(person) for person in ids]
    if spec.n_axes == 3:
        return _series(layout, name, spec, people, minimum)
    return _images(layout, name, spec, people)


def _images(layout: Layout, name: str, spec: ModalitySpec, people: Sequence[str]) -> np.ndarray:
    height, width = spec.height or 1, spec.width or 1
    values = room_for((len(people), len(spec.columns), height, width))
    for (variable, where), channels in _sources(spec).items():
        found = layout.images(variable, dict(where))
        colours = [list(spec.columns.values())[channel].colour for channel in channels]
        rows = [i for i, person in enumerate(people) if person in found]
        for i, picture in zip(
            rows, _read([found[people[i]] for i in rows], colours, height, width, name), strict=True
        ):
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
) -> Iterator[np.ndarray]:
    """Values (colours, height, width) of every picture in order; files are read by all cores."""
    tasks = [
        partial(read_picture, picture, colours, height, width)
        if isinstance(picture, BulkFile)
        else partial(picture, height, width)
        for picture in pictures
    ]
    files = all(isinstance(picture, BulkFile) for picture in pictures)
    return in_order(tasks, f"pictures of {name}", processes=files)


def _series(layout: Layout, name: str, spec: ModalitySpec, people: Sequence[str], minimum: int) -> np.ndarray:
    step, length = float(spec.step or 1), spec.length or 2
    values = room_for((len(people), len(spec.columns), length))
    variables = list(dict.fromkeys(column.variables[0] for column in spec.columns.values()))
    rows = {person: i for i, person in enumerate(people)}
    outside = dict.fromkeys(spec.columns, 0)
    known: dict[str, dict[Any, float]] = {key: {} for key in spec.columns}
    for person, found in layout.recordings(variables, people):
        read = {}
        for key, column in spec.columns.items():
            if column.variables[0] in found:
                recording = found[column.variables[0]]
                numbers = _decoded(f"{name}.{key}", column, recording, known[key], minimum)
                outside[key] += _outside(column, numbers)
                scaled = transform(column, pd.Series(numbers)).to_numpy() if not outside[key] else numbers
                read[key] = (recording.times, scaled, recording.until)
        for key, series in resampled(read, step, length, spec.starts).items():
            values[rows[person], list(spec.columns).index(key)] = series
    for key, count in outside.items():
        if count:
            span, unit = spec.columns[key].range, spec.columns[key].unit
            expected = f"values in {span}" + (f" {unit}" if unit else "")
            raise InputError(f"{name}.{key}", expected, f"{few(count, minimum)} values outside")
    return values


def _decoded(
    name: str, column: ColumnSpec, recording: Recording, known: dict[Any, float], minimum: int
) -> np.ndarray:
    """The samples as numbers (n,); of texts and levels each different one is decoded once, and then ``known``."""
    values, variable = recording.values, column.variables[0]
    if column.levels is None and pd.api.types.is_numeric_dtype(values):
        return decode(name, column, pd.DataFrame({variable: values}), minimum).to_numpy(dtype=float)
    try:
        codes, different = pd.factorize(values)
    except TypeError:
        raise InputError(name, "numbers", f"lists of them in {variable}") from None
    new = [value for value in different if value not in known]
    if new:
        read = decode(name, column, pd.DataFrame({variable: pd.Series(new, dtype=object)}), minimum)
        known |= dict(zip(new, read, strict=True))
    return np.array([*(known[value] for value in different), np.nan])[codes]


def _outside(column: ColumnSpec, numbers: np.ndarray) -> int:
    if column.range is None:
        return 0
    with np.errstate(invalid="ignore"):
        return int(((numbers < column.range[0]) | (numbers > column.range[1])).sum())
