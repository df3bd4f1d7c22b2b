"""Grids: tables as they stand in an output, read back from HTML, from printed text and from JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

__all__ = ["Grid", "from_html", "from_json", "from_text"]

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


def from_html(text: str) -> tuple[list[Grid], str]:
    """The tables of an HTML text, and all other text with what scripts hold as JSON."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return [grid for table in reader.tables if (grid := _grid(table)).rows], " ".join(reader.texts)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tables: list[list[list[tuple[str, str]]]] = []
        self.texts: list[str] = []
        self._cell: str | None = None
        self._skip = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.texts += [value for name, value in attrs if value and (name in ("title", "alt") or name[:5] == "data-")]
        self._skip = tag == "style" or (tag == "script" and ("type", "application/json") not in attrs)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr" and self.tables:
            self.tables[-1].append([])
        elif tag in ("td", "th") and self.tables:
            if not self.tables[-1]:
                self.tables[-1].append([])
            self._cell = tag
            self.tables[-1][-1].append((tag, ""))

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "tr", "table"):
            self._cell = None
        if tag in ("style", "script"):
            self._skip = False

    def handle_data(self, data: str) -> None:
        if self._skip:
            return
        if self._cell:
            tag, before = self.tables[-1][-1][-1]
            self.tables[-1][-1][-1] = (tag, before + data)
        elif data.strip():
            self.texts.append(data.strip())


def _grid(table: list[list[tuple[str, str]]]) -> Grid:
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


def from_json(value: Any) -> Iterator[Grid]:
    """Every list of numbers, of lists or of records in a JSON value, as a table."""
    if isinstance(value, str) and value[:1] in "[{":
        try:
            value = json.loads(value)
        except ValueError:
            return
    if isinstance(value, dict):
        lists = {key: item for key, item in value.items() if isinstance(item, list) and _plain(item)}
        if len(lists) > 1 and len(set(map(len, lists.values()))) == 1:
            rows = [[str(cell) for cell in row] for row in zip(*lists.values(), strict=True)]
            yield Grid(list(lists), [""] * len(rows), rows)
        else:
            for item in value.values():
                yield from from_json(item)
    elif isinstance(value, list) and value:
        if _plain(value):
            yield Grid([], [""], [[str(cell) for cell in value]])
        elif all(isinstance(item, dict) and _plain(list(item.values())) for item in value):
            yield Grid(list(value[0]), [""] * len(value), [[str(cell) for cell in item.values()] for item in value])
        elif all(isinstance(item, list) and _plain(item) for item in value):
            yield Grid([], [""] * len(value), [[str(cell) for cell in item] for item in value])
        else:
            for item in value:
                yield from from_json(item)


def _plain(items: list[Any]) -> bool:
    return all(item is None or isinstance(item, str | int | float) for item in items)
