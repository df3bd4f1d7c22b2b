"""Drawings: what matplotlib's figures were made of, as `mmcrl.runner.watch` noted it, and what they disclose."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mmcrl.disclosure.counts import WORDS, find_counts
from mmcrl.disclosure.finding import Rules, Sort
from mmcrl.disclosure.grids import Grid
from mmcrl.disclosure.numbers import is_outermost, is_run, is_subset, numbers
from mmcrl.disclosure.persons import Persons
from mmcrl.disclosure.pictures import is_picture, is_series
from mmcrl.disclosure.pieces import Piece
from mmcrl.disclosure.rows import in_grid

__all__ = ["Drawing", "find_in_drawing", "find_in_svg"]

_PEOPLE = re.compile(rf"\b(?:{WORDS}|men|women)\b|count|frequency|number of|^n$", re.I)


@dataclass
class Drawing:
    """The artists of one figure: coordinates (k, 2) of marks and lines, arrays of images, heights of bars, texts."""

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
            if points.ndim != 2 or points.shape[1] != 2:  # not in the plane
                continue
            if len(points) >= 30 and len(points) in persons.sizes and kind == "lines":
                yield "scatter", "a line with a corner for each person"
            if not persons.images and any(is_series(points[:, axis], persons.sequences) for axis in (0, 1)):
                yield "image", "a series"
            elif _of_people(points, persons):
                yield "scatter", f"{kind} at the values of people"
            elif kind == "marks" and _outlying(points, persons):
                yield "scatter", "marks at the outermost values of people"
    for image in drawing.images:
        if not persons.images and is_picture(image, persons.pictures):
            yield "image", "an image"
        if image.ndim == 2 and (min(image.shape) > 1):
            if set(image.shape) & {size for size in persons.sizes if size >= 30}:
                yield "row", "an array with a row for each person"
            rows = [[repr(float(cell)) for cell in row] for row in image[:60, :60]]
            yield from (("row", told) for told in in_grid(Grid([], [""] * len(rows), rows), persons))
    for label, heights in drawing.bars:
        if _PEOPLE.search(label) and not re.search(r"%|share|per ", label):
            piece = Piece(0, "", "", grids=[Grid(["n"], [""] * len(heights), [[f"{h:.6g}"] for h in heights])])
            yield from (("count", "a bar") for _ in find_counts(piece, None, rules))
        if _of_people(heights[:, None], persons, bars=True):
            yield "scatter", "bars at the values of people"


def _of_people(points: np.ndarray, persons: Persons, bars: bool = False) -> bool:
    """Whether coordinates (k, axes) are values of people: successive ones, or a dozen of one column.

    Successive whole numbers are places on an axis and nobody's, although a column that counts has all of them too;
    whole numbers as the heights of ``bars`` are counts, unless they are successive people's.
    """
    for axis in range(points.shape[1]):
        values = points[:, axis][np.isfinite(points[:, axis])]
        places = np.unique(values)
        if len(places) and np.array_equal(places, np.round(places[0]) + np.arange(len(places))):
            continue
        cells = [(float(value), 1e-9 * abs(float(value))) for value in values]
        counts = bars and np.array_equal(values, np.round(values))
        if is_run(cells, persons) or (not counts and is_subset(cells, persons)):
            return True
    return False


def _outlying(points: np.ndarray, persons: Persons) -> bool:
    """Whether marks (k, 2) in one line are outliers, as beyond a box plot's whiskers."""
    if len(points) < 2:
        return False
    lined = [points[:, axis] for axis in (0, 1) if np.ptp(points[:, 1 - axis]) == 0]
    return any(is_outermost(numbers([repr(round(float(x), 9)) for x in values]), persons) for values in lined)


def find_in_svg(svg: str, rules: Rules) -> Iterator[tuple[Sort, str]]:
    """Marks of an SVG of which nothing else is known: uses of one outline in one group, as matplotlib writes them."""
    groups = re.split(r"<g id=\"(?:PathCollection|line2d)_\d+\">", svg)[1:]
    uses = [len(re.findall(r"<use\b", group)) for group in groups]
    circles = len(re.findall(r"<(?:circle|ellipse)\b", svg))
    if max([*uses, circles], default=0) > rules.marks:
        yield "scatter", f"{max([*uses, circles])} marks"
