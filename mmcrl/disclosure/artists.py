"""Artists: what a figure of matplotlib is made of, as numbers and words, for the guard.

`mmcrl.runner.watch` notes them in the kernel that draws; it loads this module by its path, so that nothing else
of the package is imported here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

__all__ = ["artists"]

_FEW = 12  # marks; artists of fewer are judged together


def artists(figure: Any) -> dict[str, list[Any]]:
    """A figure's ``marks``, ``lines``, ``images`` as arrays, ``bars`` as what an axis counts and heights, ``texts``.

    Outlines of shapes count as lines, and so do the first ends of many lines, their last ends, and marks of an axes
    that were drawn a few at a time. Steps, and lines of whole numbers, count as bars too.  Level lines of a contour
    plot lie between the values that they are drawn from, and are left out.
    """
    found: dict[str, list[Any]] = {"marks": [], "lines": [], "images": [], "bars": [], "texts": _texts(figure)}
    for ax in figure.findobj(lambda artist: hasattr(artist, "get_lines") and hasattr(artist, "patches")):
        parts = [*_of_lines(ax), *_of_collections(ax), *_of_patches(ax)]
        for kind, drawn in parts:
            found[kind].append(drawn)
        found["lines"] += _together([drawn for kind, drawn in parts if kind == "marks"])
    pictures = figure.findobj(lambda artist: hasattr(artist, "make_image") and artist.get_array() is not None)
    found["images"] += [_filled(picture.get_array()) for picture in pictures]
    return found


def _of_lines(ax: Any) -> Iterator[tuple[str, Any]]:
    import numpy as np

    lines = ax.get_lines()
    for line in lines:
        points = _points(line)
        yield "lines" if line.get_marker() in (None, "None", "", " ") else "marks", points
        if len(points) > 1 and np.array_equal(points[:, 1], np.round(points[:, 1])) and _in_data(ax, line)[1]:
            yield "bars", (_label(ax)[1], points[:, 1])
    yield from (
        ("lines", ends) for ends in _ends([line.get_xydata() for line in lines if len(line.get_xydata()) == 2])
    )


def _of_collections(ax: Any) -> Iterator[tuple[str, Any]]:
    for collection in ax.collections:
        if hasattr(collection, "levels"):  # of a contour plot
            continue
        if hasattr(collection, "get_coordinates"):
            yield "images", _filled(collection.get_array())
        elif hasattr(collection, "get_segments"):
            yield from (("lines", part) for part in collection.get_segments() if len(part) > 2)
            yield from (("lines", ends) for ends in _ends(collection.get_segments()))
        else:
            offsets = _points(collection)
            if len(offsets) > 1 or hasattr(collection, "get_sizes"):
                yield "marks", offsets
            if len(offsets) < 2:
                yield from (part for path in collection.get_paths() for part in _outline(ax, path.vertices))


def _points(artist: Any) -> Any:
    """Coordinates (k, axes) of a line or of marks; in space as they were given, not as they are seen."""
    import numpy as np

    if hasattr(artist, "get_data_3d"):
        return np.column_stack([_filled(values) for values in artist.get_data_3d()])
    if hasattr(artist, "_offsets3d"):  # which no method tells
        return np.column_stack([_filled(values) for values in artist._offsets3d])
    return _filled(artist.get_xydata() if hasattr(artist, "get_xydata") else artist.get_offsets())


def _of_patches(ax: Any) -> Iterator[tuple[str, Any]]:
    import numpy as np

    for patch in ax.patches:
        if hasattr(patch, "get_closed"):
            yield from _outline(ax, patch.get_xy())
        elif hasattr(patch, "get_data"):  # steps
            yield "bars", (_label(ax)[patch.orientation == "vertical"], _filled(patch.get_data().values))
    groups = [group.patches for group in ax.containers if hasattr(group, "patches")]
    for group in (ax.patches, *(groups if len(groups) > 1 else [])):
        boxes = [(box, _in_data(ax, box)) for box in group if hasattr(box, "get_height")]
        yield "bars", (_label(ax)[1], np.array([box.get_height() for box, (_, up) in boxes if up], dtype=float))
        yield "bars", (_label(ax)[0], np.array([box.get_width() for box, (along, _) in boxes if along], dtype=float))


def _outline(ax: Any, points: Any) -> Iterator[tuple[str, Any]]:
    """The outline of a shape as a line; one of right angles alone, as a histogram's, also as bars."""
    import numpy as np

    yield "lines", points
    along, up = np.abs(np.diff(points, axis=0)).T > 0
    if len(points) > 5 and not (along & up).any():
        pairs = len(points) // 2 * 2
        lying, standing = (points[:pairs:2] == points[1:pairs:2]).mean(0)
        axis = int(lying >= standing)  # two corners at each edge of a bin
        yield "bars", (_label(ax)[axis], points[1:, axis][along if axis else up])


def _together(marks: Sequence[Any]) -> list[Any]:
    """The marks of one axes that were drawn a few at a time."""
    import numpy as np

    few = [some for some in marks if 0 < len(some) < _FEW and some.ndim == 2]
    return [np.concatenate(few)] if len(few) > 1 else []


def _in_data(ax: Any, artist: Any) -> tuple[bool, bool]:
    """Whether an artist's x and y are values, not shares of the axes, as of `axvspan`."""
    place = artist.get_data_transform() if hasattr(artist, "get_data_transform") else artist.get_transform()
    along, up = place.contains_branch_seperately(ax.transData)
    return bool(along), bool(up)


def _label(ax: Any) -> tuple[str, str]:
    """What stands at the axes x and y, or at those of the whole figure."""
    figure = ax.get_figure()
    return ax.get_xlabel() or figure.get_supxlabel(), ax.get_ylabel() or figure.get_supylabel()


def _texts(figure: Any) -> list[str]:
    """What is written in a figure, line by line; the labels of ticks come first, without places matplotlib chose."""
    from matplotlib.text import Text

    told: dict[Any, bool] = {}
    for axis in figure.findobj(lambda artist: hasattr(artist, "get_ticklabels")):
        chosen = axis.isDefault_majloc and type(axis.get_major_formatter()).__name__ == "ScalarFormatter"
        told |= dict.fromkeys([*axis.get_ticklabels(), *axis.get_ticklabels(minor=True)], not chosen)
    told |= {artist: told.get(artist, True) for artist in figure.findobj(Text)}
    texts = [artist.get_text() for artist in told if told[artist] and artist.get_visible()]
    tables = figure.findobj(lambda artist: hasattr(artist, "get_celld"))
    return [text for text in (*texts, *(row for table in tables for row in _rows(table))) if text.strip()]


def _rows(table: Any) -> list[str]:
    """The rows of a table as Markdown has them."""
    cells = {place: " ".join(cell.get_text().get_text().split()) for place, cell in table.get_celld().items()}
    rows, columns = (sorted({place[side] for place in cells}) for side in (0, 1))
    return [f"| {' | '.join(cells.get((row, column), '') for column in columns)} |" for row in rows]


def _ends(lines: Sequence[Any]) -> list[Any]:
    """Where several lines begin, and where they end."""
    import numpy as np

    some = [line for line in lines if len(line)]  # a gap has none
    return [np.array([line[at] for line in some]) for at in (0, -1)] if len(some) > 1 else []


def _filled(values: Any) -> Any:
    """Numbers with NaN where they are masked."""
    import numpy as np

    return np.ma.filled(np.ma.asarray(values, dtype=float), np.nan)
