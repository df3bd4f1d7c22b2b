"""Grids: tables as they stand in an output, read back from HTML and from printed text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

__all__ = ["Grid", "from_table", "from_text"]

_GAP = re.compile(r"\s{2,}|\t")


@dataclass
class Grid:
    """Labels of the columns and of the rows, the names of both, and the cells between them, all as text."""

    header: list[str] = field(default_factory=list)
    index: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    index_name: str = ""

    def turned(self) -> Grid:
        """Rows as columns."""
        width = max(map(len, self.rows), default=0)
        rows = [[row[j] for row in self.rows if j < len(row)] for j in range(width)]
        return Grid(self.index, self.header, rows)

    def columns(self) -> Iterator[tuple[str, list[str]]]:
        """Label and cells of each column."""
        for j in range(max(map(len, self.rows), default=0)):
            label = self.header[j] if j < len(self.header) else ""
            yield label, [row[j] for row in self.rows if j < len(row)]


def from_table(table: list[list[tuple[str, str]]]) -> Grid:
    """A table of HTML, whose rows are lists of tag and text."""
    grid, header = Grid(), []
    for row in table:
        cells = [text.strip() for tag, text in row if tag == "td"]
        labels = [text.strip() for tag, text in row if tag == "th"]
        if cells:
            grid.index.append(" ".join(labels))
            grid.rows.append(cells)
        elif labels:
            header.append(labels)
    width = max(map(len, grid.rows), default=0)
    for labels in header:
        named = labels[-width:] if len(labels) > width else labels
        if any(named):
            before = grid.header or [""] * len(named)
            grid.header = [f"{a} {b}".strip() for a, b in zip(before, named, strict=False)] or named
        if len(labels) > width and any(labels[:-width]) and not any(named):
            grid.index_name = " ".join(filter(None, labels[:-width]))
        elif len(labels) > width and labels[0] and not grid.index_name:
            grid.index_name = labels[0]
    return grid


def from_text(text: str) -> tuple[list[Grid], str]:
    """The tables of a printed text, such as a DataFrame's, and the lines that belong to none."""
    grids, rest, block = [], [], []
    for line in [*text.splitlines(), ""]:
        parts = _GAP.split(line.strip())
        if len(parts) > 1 and "[" not in line:
            block.append((line, parts))
            continue
        grids += [grid for grid in [_printed(block)] if grid]
        rest += [kept for kept, _ in block if len(block) < 2] + [line]
        block = []
    for name in re.findall(r"^Name: (.+?), (?:Length|dtype)", text, re.MULTILINE):
        if grids and not any(grids[-1].header):
            grids[-1].header = [name]
    return grids, "\n".join(rest)


def _printed(block: list[tuple[str, list[str]]]) -> Grid | None:
    if len(block) < 2:
        return None
    lines = [parts for _, parts in block]
    width = max(map(len, lines))
    first = lines[0]
    headed = not any(_is_number(part) for part in first)
    body = lines[1:] if headed else lines
    indexed = not headed or len(first) < width or bool(first[0] and not block[0][0][0].isspace())
    grid = Grid()
    for parts in body:
        grid.index.append(parts[0] if indexed else "")
        grid.rows.append(parts[1:] if indexed else parts)
    if headed:
        grid.header = first[-(width - 1) :] if indexed and width > 1 else first
        grid.index_name = first[0] if indexed and len(first) == width else ""
        if len(body) > 1 and len(body[0]) < width:  # the line of the index' name
            grid.index_name = body[0][0]
    return grid


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", ""))
    except ValueError:
        return False
    return True
