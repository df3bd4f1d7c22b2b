"""Grids: tables as they stand in an output, and those of HTML read back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

__all__ = ["Grid", "from_table"]


@dataclass
class Grid:
    """Labels of the columns and of the rows, the names of both, and the cells between them, all as text."""

    header: list[str] = field(default_factory=list)
    index: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    index_name: str = ""
    header_name: str = ""

    def turned(self) -> Grid:
        """Rows as columns."""
        width = max(map(len, self.rows), default=0)
        rows = [[row[j] for row in self.rows if j < len(row)] for j in range(width)]
        return Grid(self.index, self.header, rows, self.header_name, self.index_name)

    def columns(self) -> Iterator[tuple[str, list[str]]]:
        """Label and cells of each column."""
        for j in range(max(map(len, self.rows), default=0)):
            label = self.header[j] if j < len(self.header) else ""
            yield label, [row[j] for row in self.rows if j < len(row)]


def from_table(table: list[list[tuple[str, str]]]) -> Grid:
    """A table of HTML, whose rows are lists of tag and text. If all cells are headings, the first row may be one."""
    grid, header = Grid(), []
    headings = not any(tag == "td" for row in table for tag, _ in row)
    for row in table:
        cells = [text.strip() for tag, text in row if tag == "td" or headings]
        labels = [text.strip() for tag, text in row if tag == "th" and not headings]
        if cells:
            grid.index.append(" ".join(labels))
            grid.rows.append(cells)
        elif labels:
            header.append(labels)
    if headings and len(grid.rows) > 1 and not any(map(str.isdigit, "".join(grid.rows[0]))):
        grid.header = grid.rows.pop(0)
        grid.index.pop(0)
    width = max(map(len, grid.rows), default=0)
    for labels in header:
        named = labels[-width:] if len(labels) > width else labels
        if any(named):
            before = grid.header or [""] * len(named)
            grid.header = [f"{a} {b}".strip() for a, b in zip(before, named, strict=False)] or named
        if len(labels) > width and any(labels[:-width]) and not any(named):
            grid.index_name = " ".join(filter(None, labels[:-width]))
        elif len(labels) > width and labels[0] and not grid.header_name:
            grid.header_name = labels[0]
    grid.index_name = grid.index_name or grid.header_name
    return grid
