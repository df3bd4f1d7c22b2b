"""Markup: an HTML or SVG text taken apart: tables, words, and what a reader does not see but anybody can look up."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import unquote

from mmcrl.disclosure.grids import Grid, from_table

__all__ = ["Markup", "read_markup"]

_DRAWN = {  # attributes that say where and how something is drawn
    "d", "points", "viewbox", "transform", "width", "height", "x", "y", "x1", "x2", "y1", "y2", "dx", "dy", "cx",
    "cy", "r", "rx", "ry", "fx", "fy", "offset", "colspan", "rowspan", "tabindex", "fill", "stroke", "stroke-width",
    "stroke-dasharray", "font-size", "clip-path", "border", "color", "bgcolor", "version", "xmlns", "xmlns:xlink",
}  # fmt: skip
_UNNAMED = {"id", "data-id", "for", "name"}  # their own name would make an id of any small number
_RANDOM = re.compile(  # what pandas calls a styled table, and matplotlib a part of a picture
    r"T_[0-9a-f]{5}(?:_\w+)?|#?(?:image|[a-z])(?=\d*[a-f])[0-9a-f]{10}"
)
_URL = re.compile(r"url\(([^)]*)\)")


@dataclass
class Markup:
    """The parts of a text."""

    grids: list[Grid] = field(default_factory=list)
    text: str = ""  # all that is read aside from tables, with what scripts hold as JSON
    hidden: list[str] = field(default_factory=list)  # the attributes of a tag, a comment
    scripts: list[str] = field(default_factory=list)
    inner: list[str] = field(default_factory=list)  # pages in a frame


def read_markup(text: str) -> Markup:
    """Take an HTML or SVG text apart."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    grids = [grid for table in reader.tables if (grid := from_table(table)).rows]
    hidden = list(dict.fromkeys(reader.hidden))  # a picture has the same ones again and again
    return Markup(grids, " ".join(reader.texts), hidden, reader.scripts, reader.inner)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tables: list[list[list[tuple[str, str]]]] = []
        self.texts: list[str] = []
        self.hidden: list[str] = []
        self.scripts: list[str] = []
        self.inner: list[str] = []
        self._cell: str | None = None
        self._inside = ""  # a style or a script

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._note_attributes([(name, value) for name, value in attrs if value])
        self._inside = (
            tag if tag == "style" or (tag == "script" and ("type", "application/json") not in attrs) else ""
        )
        if tag in ("table", "tr"):
            self._cell = None
        if tag == "table":
            self.tables.append([])
        elif tag == "tr" and self.tables:
            self.tables[-1].append([])
        elif tag in ("td", "th") and self.tables:
            if not self.tables[-1]:
                self.tables[-1].append([])
            self._cell = tag
            self.tables[-1][-1].append((tag, ""))

    def _note_attributes(self, attrs: list[tuple[str, str]]) -> None:
        """Those of one tag in one line, since together they may be a row of somebody."""
        self.texts += [value for name, value in attrs if name in ("title", "alt") or name[:5] == "data-"]
        self.inner += [value for name, value in attrs if name == "srcdoc"]
        line = []
        for name, value in attrs:
            if name == "style":
                line += _URL.findall(value)
            elif name not in _DRAWN | {"srcdoc"} and not _RANDOM.fullmatch(value):
                line.append(unquote(value) if name in _UNNAMED else f"{name}={unquote(value)}")
        if line:
            self.hidden.append(" ".join(line))

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "tr", "table"):
            self._cell = None
        if tag in ("style", "script"):
            self._inside = ""

    def handle_comment(self, data: str) -> None:
        self.hidden.append(data.strip())

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.scripts += [data] if self._inside == "script" else []
        elif self._cell:
            tag, before = self.tables[-1][-1][-1]
            self.tables[-1][-1][-1] = (tag, before + data)
        elif data.strip():
            self.texts.append(data.strip())
