"""Printed: tables read back from text: what pandas prints, and tables of Markdown, of LaTeX and of CSV files."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable

from mmcrl.disclosure.grids import Grid

__all__ = ["from_text"]

_GAP = re.compile(r"\s{2,}|\t")
_ARRAY = re.compile(r"\[(?!-?[\d.]+, -?[\d.a-z]+\))")  # no interval such as [20, 40)
_END = re.compile(r"(?:Freq: \S+, )?(?:Name: (?P<name>.+?), )?(?:Length: \d+, )?dtype: \w+")
_RULE = re.compile(r"[\s|+:=-]*[-=][\s|+:=-]*|(?:\\(?:toprule|midrule|bottomrule|hline|cmidrule|cline)\S*\s*)+")
_COMMAND = re.compile(r"\\[A-Za-z]+\*?(?:\[[^\]]*\])?|[{}$]")
_PARTED = re.compile(r"[,;]\s|[{}()\[\]]|</")  # by a sentence's commas, or those of a list or page
_THOUSANDS = re.compile(r"-?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_LATEX_END = re.compile(r"\\\\(?:\[\w+\]|\s|\\hline)*$")


def from_text(text: str) -> tuple[list[Grid], str]:
    """The tables of a printed text, such as a DataFrame's or one of Markdown, and the lines that belong to none.

    A line of Markdown, LaTeX or CSV may also be a sentence with such a mark in it, and stays among them.

    >>> grids, _ = from_text("Ages:\\n| age | people |\\n|-----|--------|\\n| old | 4 |")
    >>> [(grid.index_name, grid.header, grid.index, grid.rows) for grid in grids]
    [('age', ['people'], ['old'], [['4']])]
    """
    spaced, rest = _between_gaps(text)
    return _between(text, _cells) + _between(text, _comma_cells) + spaced, rest


def _between(text: str, cells_of: Callable[[str], list[str]]) -> list[Grid]:
    """Tables whose lines ``cells_of`` parts into equally many cells."""
    grids: list[Grid] = []
    rows: list[list[str]] = []
    ruled = False  # below the first row
    for line in [*text.splitlines(), ""]:
        if rows and _RULE.fullmatch(line.strip()):
            ruled |= len(rows) == 1
            continue
        cells = cells_of(line)
        if cells and (not rows or len(cells) == len(rows[0])):
            rows.append(cells)
        else:
            grids += [_table(rows, ruled)] if len(rows) > 1 else []
            rows, ruled = ([cells] if cells else []), False
    return grids


def _comma_cells(line: str) -> list[str]:
    """The cells of a line of a CSV file, parted by commas or semicolons; none for another line."""
    text = line.strip()
    if len(text) >= csv.field_size_limit() or _PARTED.search(text) or _THOUSANDS.fullmatch(text):
        return []
    cells = [cell.strip() for cell in next(csv.reader([text], delimiter=";" if ";" in text else ","), [])]
    return cells if len(cells) > 1 else []


def _cells(line: str) -> list[str]:
    """The cells of a line whose cells are parted by ``|``, or by ``&`` up to its ``\\\\``; none for another line."""
    text = line.strip()
    if _RULE.fullmatch(text):
        return []
    if "&" in text and _LATEX_END.search(text):
        plain = re.sub(r"\\multi(?:column|row)\{[^}]*\}\{[^}]*\}", "", _LATEX_END.sub("", text))
        return [_COMMAND.sub("", cell).strip() for cell in re.split(r"(?<!\\)&", plain)]
    cells = [cell.strip(" *`") for cell in text.removeprefix("|").removesuffix("|").split("|")]
    return cells if len(cells) > 1 or (len(text) > 2 and text[0] == text[-1] == "|") else []


def _table(rows: list[list[str]], ruled: bool) -> Grid:
    """Rows of which the first may hold names, and the first column labels."""
    headed = ruled or not any(_is_number(cell) for cell in rows[0][1:])
    body = rows[1:] if headed else rows
    indexed = len(rows[0]) > 1 and not all(_is_number(row[0]) for row in body)
    grid = Grid([], [row[0] if indexed else "" for row in body], [row[indexed:] for row in body])
    if headed:
        grid.header, grid.index_name = rows[0][indexed:], rows[0][0] if indexed else ""
    return grid


def _between_gaps(text: str) -> tuple[list[Grid], str]:
    """Tables whose cells are parted by two spaces or more, or a tab."""
    grids: list[Grid] = []
    rest: list[str] = []
    block: list[tuple[str, list[str]]] = []
    before = above = ["", ""]  # the two lines before this one, and above the block
    for line in [*text.splitlines(), ""]:
        parts = _GAP.split(line.strip())
        if (len(parts) > 1 and not _ARRAY.search(line)) or (len(block) == 1 and _is_label(line)):
            above = above if block else before
            block.append((line, parts))
        elif block and (end := _END.fullmatch(line.strip())):
            grids.append(_series([parts for _, parts in block], above[1], end["name"] or ""))
            rest += [line]
            block = []
        else:
            grid = _printed(block, above)
            grids += [grid] if grid else []
            rest += [kept for kept, parts in block if grid is None or len(parts) < 2] + [line]
            block = []
        before = [before[1], line]
    return grids, "\n".join(rest)


def _is_label(line: str) -> bool:
    """Whether a line may be the name of an index, below the names of columns."""
    return bool(line.strip()) and not line[0].isspace() and not _is_number(line) and not _ARRAY.search(line)


def _series(lines: list[list[str]], above: str, name: str) -> Grid:
    """A Series: an index, whose name stands above, and one column."""
    named = len(lines) > 1 and not any(map(_is_number, lines[0])) and len(lines[0]) <= len(lines[1]) - 1
    body = lines[1:] if named else lines
    grid = Grid([name] if name else [], [" ".join(parts[:-1]) for parts in body], [parts[-1:] for parts in body])
    grid.index_name = " ".join(lines[0]) if named else "" if ":" in above else above.strip()
    return grid


def _printed(block: list[tuple[str, list[str]]], above: list[str]) -> Grid | None:
    """A DataFrame; if it has one column, its name and that of its index stand in the two lines above."""
    if len(block) < 2 or (len(block) < 3 and len(block[1][1]) < 2):
        return None
    lines = [parts for _, parts in block]
    width = max(map(len, lines))
    first = lines[0]
    named = len(lines) > 2 and len(lines[1]) < width and not any(map(_is_number, lines[1]))  # the index
    headed = named or not any(_is_number(part) for part in first)
    body = lines[1 + named :] if headed else lines
    indexed = not headed or len(first) < width or bool(first[0] and not block[0][0][0].isspace())
    grid = Grid()
    for parts in body:
        grid.index.append(parts[0] if indexed else "")
        grid.rows.append(parts[1:] if indexed else parts)
    if headed:
        grid.header = first[-(width - 1) :] if indexed and width > 1 else first
        grid.index_name = " ".join(lines[1]) if named else first[0] if indexed and len(first) == width else ""
    elif width == 2 and not block[0][0][0].isspace():
        named = _is_label(above[1])
        head = above[0] if named else above[1]
        if head[:1].isspace() and head.strip():
            grid.header, grid.index_name = [head.strip()], above[1].strip() if named else ""
    return grid


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", ""))
    except ValueError:
        return False
    return True
