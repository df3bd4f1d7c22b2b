"""Drawings: what matplotlib's figures were made of, as `mmcrl.runner.watch` noted it, and what they disclose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from mmcrl.disclosure.bars import small_counts
from mmcrl.disclosure.finding import Rules, Sort
from mmcrl.disclosure.grids import Grid
from mmcrl.disclosure.numbers import Number, are_values, in_rows, is_even, is_outermost, is_run, is_subset, numbers
from mmcrl.disclosure.order import are_extremes, is_ordered
from mmcrl.disclosure.pairs import are_pairs
from mmcrl.disclosure.persons import Persons
from mmcrl.disclosure.pictures import is_picture
from mmcrl.disclosure.recorded import is_series, is_smooth, is_whole_series
from mmcrl.disclosure.rows import in_grid
from mmcrl.disclosure.scaled import is_scaled_run

__all__ = ["Drawing", "find_in_drawing"]

_MOST = 60  # lines and columns of an image, or values of a line, that are held against people


@dataclass
class Drawing:
    """The artists of a figure: coordinates (k, axes) of marks and lines, arrays of images, heights of bars, texts."""

    count: int  # of the cell's execution
    marks: list[np.ndarray] = field(default_factory=list)
    lines: list[np.ndarray] = field(default_factory=list)
    images: list[np.ndarray] = field(default_factory=list)
    bars: list[tuple[str, np.ndarray]] = field(default_factory=list)  # what the axis counts, heights
    texts: list[str] = field(default_factory=list)  # titles, labels, legends, notes

    @classmethod
    def read(cls, record: Mapping[str, Any], folder: Path) -> Drawing:
        """A drawing from the kernel's note and the arrays beside it."""

        def arrays(kind: str) -> list[np.ndarray]:
            return [np.load(folder / name) for name in record[kind]]

        bars = [(label, np.load(folder / name)) for label, name in record["bars"]]
        return cls(record["count"], arrays("marks"), arrays("lines"), arrays("images"), bars, record["texts"])


def find_in_drawing(drawing: Drawing, persons: Persons, rules: Rules) -> Iterator[tuple[Sort, str]]:
    """What a figure discloses: sort and words."""
    total = sum(len(marks) for marks in drawing.marks)
    most = max((len(marks) for marks in drawing.marks), default=0)
    if most > rules.marks or total > 3 * rules.marks or (total >= 30 and {most, total} & persons.sizes):
        yield "scatter", f"{total} marks"
    for kind, drawn in (("marks", drawing.marks), ("lines", drawing.lines)):
        for points in drawn:
            if points.ndim != 2 or points.shape[1] not in (2, 3):  # neither in the plane nor in space
                continue
            steps = _without_ends(points)
            sizes = {len(points), len(steps)} & persons.sizes
            if max(sizes, default=0) >= 30 and kind == "lines" and not all(map(is_smooth, points.T)):
                yield "scatter", "a line with a corner for each person"
            if _of_people(steps, persons):
                yield "scatter", f"{kind} at the values of people"
            elif kind == "marks" and are_pairs(points, persons):
                yield "scatter", "marks at two values of a person each"
            elif kind == "marks" and points.shape[1] == 2 and _outlying(points, persons):
                yield "scatter", "marks at the outermost values of people"
    boxes = list(_boxes(drawing))
    told = [number for points, ends in boxes for number in (*points, *ends)]  # of several groups
    if any(are_extremes(*box, persons) for box in boxes) or are_values(_as_fine(told), persons):
        yield "scatter", "points beyond the whiskers of a box"
    if not persons.images and _shows_series(drawing, persons):
        yield "image", "a series"
    if any(is_scaled_run(curve, persons) for curve in _curves(drawing)):
        yield "row", "successive values of one column in another unit"
    for image in drawing.images:
        if not persons.images and is_picture(image, persons.pictures):
            yield "image", "an image"
        if image.ndim == 2 and (min(image.shape) > 1):
            if set(image.shape) & {size for size in persons.sizes if size >= 30}:
                yield "row", "an array with a row for each person"
            yield from (("row", told) for told in in_grid(_grid(image), persons))
            if small := small_counts("", image, [], persons, rules):
                yield "count", f"{small} cells of a mesh"
    if found := in_rows(list(_profiles(drawing, persons)), [], persons):
        yield "row", f"{found} lines or groups of bars with three or more values of one person"
    for label, heights in drawing.bars:
        if small := small_counts(label, heights, drawing.texts, persons, rules):
            yield "count", f"{small} bars or steps"
        if _of_people(heights[:, None], persons, bars=True):
            yield "scatter", "bars at the values of people"


def _shows_series(drawing: Drawing, persons: Persons) -> bool:
    """Whether a line, an area, bars or a line of an image is somebody's series or a part of it, or backwards."""
    curves = list(_curves(drawing)) if persons.sequences else []
    views = (view for curve in curves for view in (curve, curve[::-1]))
    return any(is_series(view, persons.sequences) for view in views) or is_whole_series(curves, persons.series)


def _curves(drawing: Drawing) -> Iterator[np.ndarray]:
    for points in (*drawing.marks, *drawing.lines):
        if points.ndim == 2:
            yield from points.T
        if points.ndim == 2 and points.shape[1] == 2:
            for axis in (0, 1):
                yield from _sides(points[:, 1 - axis], points[:, axis])
    yield from (heights for _, heights in drawing.bars)
    for image in drawing.images:
        if image.ndim == 2:
            yield from (*image[:_MOST], *image.T[:_MOST])


def _sides(along: np.ndarray, values: np.ndarray) -> Iterator[np.ndarray]:
    """The values of an outline, if it turns, wherever it goes on in one direction: above and below an area."""
    direction = np.sign(np.diff(along))
    turns = np.flatnonzero(np.diff(direction)) + 1
    for start, end in pairwise([0, *turns, len(direction)]) if len(turns) else ():
        if direction[start] and end > start + 1:
            yield values[start : end + 1]


def _profiles(drawing: Drawing, persons: Persons) -> Iterator[list[Number | None]]:
    """Coordinates of short lines and heights of bars, which may be the values of one person in several columns."""
    lines = [
        line[:, axis] for line in drawing.lines + drawing.marks if line.ndim == 2 for axis in range(line.shape[1])
    ]
    for values in [*lines, *(heights for _, heights in drawing.bars)]:
        if 2 < len(values) <= max(_MOST, len(persons.names)) and not is_even(values[np.isfinite(values)], 1e-9):
            yield numbers([repr(float(value)) for value in values])


def _grid(image: np.ndarray) -> Grid:
    rows = [[repr(float(cell)) for cell in row] for row in image[:_MOST, :_MOST]]
    return Grid([], [""] * len(rows), rows)


def _of_people(points: np.ndarray, persons: Persons, bars: bool = False) -> bool:
    """Whether coordinates (k, axes) are values of people: successive ones, or a dozen of one column.

    Successive whole numbers are places on an axis and nobody's, although a column that counts has all of them too,
    unless they come again and again; whole numbers as the heights of ``bars`` are counts, unless they are successive
    people's.
    """
    for axis in range(points.shape[1]):
        values = points[:, axis][np.isfinite(points[:, axis])]
        places = np.unique(values)
        successive = len(places) and np.array_equal(places, np.round(places[0]) + np.arange(len(places)))
        if successive and len(values) < 4 * len(places):
            continue
        cells = [(float(value), 1e-9 * abs(float(value))) for value in values]
        counts = bars and np.array_equal(values, np.round(values))
        counted = points.shape[1] == 2 and _are_shares(points[:, 1 - axis])
        if is_run(cells, persons) or (
            not counts and (is_subset(cells, persons, counted) or is_ordered(cells, persons))
        ):
            return True
    return False


def _are_shares(values: np.ndarray) -> bool:
    """Whether each of k values is 1/k more, or less, than the one before it: a step for each of k people."""
    return bool((np.abs(np.abs(np.diff(values)) * len(values) - 1) < 1e-6).all())


def _outlying(points: np.ndarray, persons: Persons) -> bool:
    """Whether marks (k, 2) in one line are outliers, as beyond a box plot's whiskers."""
    if len(points) < 2:
        return False
    return any(is_outermost(_as_fine(values), persons) for _, values in _in_one_line(points))


def _as_fine(values: np.ndarray | Sequence[float]) -> list[Number]:
    """Numbers as exact as the one of the most digits, since 0.8 may be 0.80."""
    told = [cell for cell in numbers([repr(round(float(value), 9)) for value in values]) if cell is not None]
    finest = min((half for _, half in told), default=0.0)
    return [(value, finest) for value, _ in told]


def _boxes(drawing: Drawing) -> Iterator[tuple[np.ndarray, tuple[float, float]]]:
    """The marks beyond the two whiskers of each box, and where these end."""
    for points in drawing.marks:
        for axis, values in _in_one_line(points) if points.ndim == 2 and points.shape[1] == 2 else ():
            lines = [line for line in drawing.lines if line.shape == (2, 2)]
            ends = [line[:, axis] for line in lines if (line[:, 1 - axis] == points[0, 1 - axis]).all()]
            if ends and ((values < np.min(ends)) | (values > np.max(ends))).all():
                yield values, (float(np.min(ends)), float(np.max(ends)))


def _in_one_line(points: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """The axes along which points (k, 2) stand in one line, and their coordinates there."""
    for axis in (0, 1):
        if len(points) and np.ptp(points[:, 1 - axis]) == 0:
            yield axis, points[:, axis]


def _without_ends(points: np.ndarray) -> np.ndarray:
    """A line's points without the corner more that steps begin or end with, straight below or beside the next."""
    for ends, kept in ((points[:2], slice(1, None)), (points[-2:], slice(-1))):
        if len(points) > 2 and (ends[0] == ends[1]).sum() == 1:
            points = points[kept]
    return points
