"""Rows: tables and arrays that have a row or number for each person, or hold a person's values."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mmcrl.disclosure.finding import Rules
from mmcrl.disclosure.grids import Grid
from mmcrl.disclosure.numbers import in_rows, is_even, is_part, is_run, is_subset, numbers
from mmcrl.disclosure.order import is_ordered
from mmcrl.disclosure.persons import Persons
from mmcrl.disclosure.pieces import Piece

__all__ = ["find_rows", "in_grid"]

_DIFFERENT = 50  # numbers: a list of fewer different ones may count or name something else
_SHAPES = (
    re.compile(r"(\d[\d,]*) rows [×x] \d"),
    re.compile(r"shape=\((\d+)(?:, ?\d+)*,?\)"),
    re.compile(r"[Ll]ength[:=] ?(\d+)"),
)


def find_rows(piece: Piece, persons: Persons | None, rules: Rules) -> Iterator[str]:
    """What of this piece tells about single people, in words that do not."""
    sizes = persons.sizes if persons else set()
    if piece.output:
        for pattern in _SHAPES:
            for size in pattern.findall(piece.text):
                yield from _by_size(int(size.replace(",", "")), sizes, rules)
        for grid in piece.grids:
            yield from _by_size(len(grid.rows), sizes, rules)
            yield from _by_length(grid, sizes)
    for grid in piece.grids if persons else []:
        yield from in_grid(grid, persons)  # type: ignore[arg-type]


def in_grid(grid: Grid, persons: Persons) -> Iterator[str]:
    """What of this table equals the values of people of the cohort."""
    for table in (grid, grid.turned()):
        rows = [numbers(row) for row in table.rows]
        if found := in_rows(rows, table.header, persons):
            yield f"{found} with three or more values of one person"
        for row in rows:
            if is_run(row, persons) or is_subset(row, persons) or is_ordered(row, persons):
                yield "successive values of one column"
                break
            if not persons.images and is_part(row, persons):
                yield "successive values of an image or series"
                break


def _by_length(grid: Grid, sizes: set[int]) -> Iterator[str]:
    """Lists of as many numbers as there are people, most of them different; equal steps are places on an axis."""
    for row in grid.rows:
        if len(row) in sizes and len(set(row)) > _DIFFERENT:
            values = [cell[0] for cell in numbers(row) if cell is not None]
            if len(values) == len(row) and not is_even(values, 0.01):
                yield f"{len(row)} numbers in a row, as many as there are people"
                break


def _by_size(size: int, sizes: set[int], rules: Rules) -> Iterator[str]:
    if size > rules.rows or (size >= 30 and size in sizes):
        yield f"{size} rows, as many as there are people or more than an aggregate has"
