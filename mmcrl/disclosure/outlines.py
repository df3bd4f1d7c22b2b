"""Outlines: a drawn SVG of which nothing but its shapes is known."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from mmcrl.disclosure.finding import Rules, Sort
from mmcrl.disclosure.persons import Persons

__all__ = ["find_in_svg"]

_GROUP = re.compile(r"<g id=\"(?:PathCollection|line2d)_\d+\">")
_USE = re.compile(r"<use\b")
_ROUND = re.compile(r"<(?:circle|ellipse)\b")
_RECT, _PATH = re.compile(r"<rect\b[^>]*>"), re.compile(r"<path\b[^>]*>")
_SHAPE, _MOVED = re.compile(r"\sd=[\"']([^\"']*)"), re.compile(r"\stransform=[\"']\s*translate")
_PLACE = {side: re.compile(rf"\s{side}=[\"']([^\"']*)") for side in ("x", "y", "transform")}
_LINE = re.compile(r"<poly(?:line|gon)\b[^>]*?\spoints=[\"']([^\"']*)")
_FIGURE = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


def find_in_svg(svg: str, people: Sequence[Persons], rules: Rules) -> Iterator[tuple[Sort, str]]:
    """More marks than an aggregate has, or a line with a corner for each person.

    Marks are uses of one outline in one group, as matplotlib writes them, circles, paths of one shape that
    were moved to their places, and rectangles, unless these fill the rows and columns of a heat map.
    """
    uses = [len(_USE.findall(group)) for group in _GROUP.split(svg)[1:]]
    paths = [(path, found[1]) for path in _PATH.findall(svg) if (found := _SHAPE.search(path))]
    alike = Counter(shape for path, shape in paths if _MOVED.search(path)).most_common(1)
    marks = max([*uses, len(_ROUND.findall(svg)), _scattered(svg), *(times for _, times in alike)], default=0)
    if marks > rules.marks:
        yield "scatter", f"{marks} marks"
    sizes = {size for persons in people for size in persons.sizes if size >= 30}
    corners = {len(_FIGURE.findall(points)) // 2 for points in _LINE.findall(svg)}
    if sizes & (corners | {_corners(shape) for _, shape in paths}):
        yield "scatter", "a line with a corner for each person"


def _scattered(svg: str) -> int:
    """How many rectangles there are, if they do not share their rows and columns."""
    places = [
        tuple(found[1] if (found := part.search(rect)) else "" for part in _PLACE.values())
        for rect in _RECT.findall(svg)
    ]
    rows, columns = {(y, moved) for _, y, moved in places}, {x for x, _, _ in places}
    return len(places) if len(rows) * len(columns) > 2 * len(places) else 0


def _corners(path: str) -> int:
    """How many points straight lines of a path join; none of one with curves."""
    if re.search(r"[CSQA]", path, re.I):
        return 0
    return len(_FIGURE.findall(path)) // 2
