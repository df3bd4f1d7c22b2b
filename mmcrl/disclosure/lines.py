"""Lines: the numbers of a text, line by line, as rows of tables.

A line of three numbers or more is a row, each number under the word before it.  So are successive lines of fewer, as
somebody's values are written one below the other: up to where a word comes again, with which somebody else's begin.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator

from mmcrl.disclosure.grids import Grid

__all__ = ["from_arrays", "from_cells", "from_lines"]

_NUMBER = re.compile(
    r"(?:(?<![\w.])([A-Za-z_][\w.]{0,60})[\"']?\s{0,9}[:=]?\s{0,9})?"  # the word before it
    r"(?<![\w.])(-?(?:\d{1,3}(?:,\d{3})+(?!,?\d)|\d+)(?:\.\d*)?(?:[eE][-+]?\d+)?)"
    r"(?:[°µμ]?[^\W\d_]{1,6}\d?)?(?![\w.]*\w)"  # a unit directly behind it
)
_DECIMAL_COMMA = re.compile(r"(?<![\w.,])(\d+),(\d{1,2})(?![\w,]|\.\d)")
_BRACKETS = re.compile(r"[\[(]([^\[\]()]*)[\])]")


def from_lines(text: str, below: bool = True) -> Iterator[Grid]:
    """The rows of a text; where three numbers or more may have a decimal comma, also those that it then has.

    With ``below`` successive lines of one or two numbers are a row too.

    >>> [grid.rows for grid in from_lines("at 158.5cm, 69.7kg and 6.03mmol/L")]
    [[['158.5', '69.7', '6.03']]]
    >>> [(grid.header, grid.rows) for grid in from_lines("* height: 158.5\\n* weight: 69.7\\n* waist: 92")]
    [(['height', 'weight', 'waist'], [['158.5', '69.7', '92']])]
    """
    yield from _rows_of(text, below)
    pointed, times = _DECIMAL_COMMA.subn(r"\1.\2", text)
    if times > 2:
        yield from _rows_of(pointed, below)


def _rows_of(text: str, below: bool) -> Iterator[Grid]:
    few: list[tuple[str, str]] = []  # numbers of successive lines of one or two
    for line in [*text.splitlines(), "end"]:
        found = _NUMBER.findall(line)
        if below and 0 < len(found) < 3:
            few += found
        elif found or line.strip():
            yield from _one_below_the_other(few)
            yield from _row(found)
            few = []


def _one_below_the_other(numbers: list[tuple[str, str]]) -> Iterator[Grid]:
    """The rows that labelled numbers are, and if these are several, all numbers as one: a column, or a log."""
    rows: list[list[tuple[str, str]]] = [[]]
    words: set[str] = set()
    for word, number in numbers:
        if word in words:
            rows.append([])
            words = set()
        rows[-1].append((word, number))
        words |= {word} - {""}
    for row in rows:
        yield from _row(row)
    if len(rows) > 1:
        yield from _row([("", number) for _, number in numbers])


def _row(found: list[tuple[str, str]]) -> Iterator[Grid]:
    if len(found) > 2:
        yield Grid([word for word, _ in found], [""], [[number for _, number in found]])


def from_arrays(text: str) -> Iterator[Grid]:
    """Printed arrays: successive brackets of one length are the rows of one table."""
    runs = [run for part in _BRACKETS.findall(text) for run in _runs(part) if len(run) > 1]
    for _, group in itertools.groupby(runs, len):
        rows = list(group)
        yield Grid([], [""] * len(rows), rows)


def _runs(text: str) -> list[list[str]]:
    """The numbers between two brackets, cut where an array was shortened."""
    return [re.split(r"[\s,]+", part.strip(" ,\n")) for part in text.split("...")]


def from_cells(grids: Iterable[Grid]) -> Iterator[Grid]:
    """Lists within the cells of tables: the cells of a table that hold four numbers or more are rows of one.

    Three are an estimate and its interval.
    """
    for grid in grids:
        lists = [line for row in grid.rows for cell in row if len(cell) > 6 for line in from_lines(cell)]
        lists = [line for line in lists if len(line.rows[0]) > 3]
        if lists:
            same = all(line.header == lists[0].header for line in lists)
            yield Grid(lists[0].header if same else [], [""] * len(lists), [line.rows[0] for line in lists])
