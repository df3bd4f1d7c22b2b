"""Pieces: everything in a notebook that a reader, or a program, can read, one by one."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from mmcrl.disclosure.grids import Grid
from mmcrl.disclosure.jsons import from_json, from_script
from mmcrl.disclosure.lines import from_arrays, from_cells, from_lines
from mmcrl.disclosure.markup import Markup, read_markup
from mmcrl.disclosure.printed import from_text
from mmcrl.disclosure.sources import from_source

__all__ = ["PACKED", "STAMP", "Piece", "bytes_of", "pieces_of", "text_of"]

STAMP = "mmcrl"  # of a page that is there already: it is written with another
PACKED = "application/packed"  # of a file that is told by its name only
_RECORD = "application/papermill.record/"
_DATA = re.compile(r"data:([\w/+.-]+)(?:;[\w.=-]+)*;base64,([A-Za-z0-9+/=\s\\]+)")
_BRACES = re.compile(r"[\[\]{}]")
_TAG = re.compile(r"</?[A-Za-z]")
_PLACEHOLDER = re.compile(r"\{glue:?\w*\}`[^`]*`")  # of a value that is put there when the book is made


@dataclass
class Piece:
    """A part of a cell: its text, its tables, its picture."""

    cell: int
    heading: str
    where: str  # as a message names it
    text: str = ""
    grids: list[Grid] = field(default_factory=list)
    key: str = ""  # under which it was glued
    output: bool = True  # not a source or metadata
    svg: str = ""
    png: str = ""
    hidden: bool = False  # an attribute, a comment, a script: what it counts need not be people
    code: bool = False  # the source of a cell of code
    drawn: bool = False  # a picture within one that was drawn
    packed: str = ""  # what kind of file it is, where it is one that is not opened


def pieces_of(notebook: dict[str, Any]) -> Iterator[Piece]:
    """The pieces of a notebook (as nbformat or JSON gives it)."""
    heading = ""
    kept = {key: item for key, item in notebook.get("metadata", {}).items() if key != STAMP}
    yield _metadata(0, "", kept)
    for position, cell in enumerate(notebook["cells"]):
        source = text_of(cell["source"])
        if cell["cell_type"] == "markdown":
            headings = [line for line in source.splitlines() if line.startswith("#")]
            heading = headings[-1].strip("# ") if headings else heading
        if cell["cell_type"] == "code":
            yield Piece(position, heading, "the source", source, list(from_source(source)), output=False, code=True)
        else:
            yield from _of_data(position, heading, {"text/markdown": _PLACEHOLDER.sub("`…`", source)})
        for name, bundle in cell.get("attachments", {}).items():
            yield Piece(position, heading, "the name of an attachment", name, hidden=True)
            yield from _of_data(position, heading, bundle)
        yield _metadata(position, heading, cell.get("metadata", {}))
        for output in cell.get("outputs", []):
            yield from _of_output(position, heading, output)


def _metadata(position: int, heading: str, metadata: dict[str, Any]) -> Piece:
    text = json.dumps(metadata, default=str)
    return Piece(position, heading, "the metadata", text, list(from_json(text)), output=False)


def _of_output(position: int, heading: str, output: dict[str, Any]) -> Iterator[Piece]:
    metadata = output.get("metadata", {})
    key = str(metadata.get("scrapbook", {}).get("name", ""))
    if metadata:
        yield _metadata(position, heading, metadata)
    if output["output_type"] == "stream":
        yield _printed(position, heading, "what was printed", text_of(output["text"]))
        return
    if output["output_type"] == "error":
        text = "\n".join([output["ename"], output["evalue"], *output["traceback"]])
        plain = re.sub(r"^(?:-+>)? *\d+ ", "", re.sub(r"\x1b\[[0-9;]*m", "", text), flags=re.MULTILINE)
        yield _printed(position, heading, "an error", plain)  # without the numbers of its lines
        return
    data = {kind.removeprefix(_RECORD): value for kind, value in output.get("data", {}).items()}
    yield from _of_data(position, heading, data, key)


def _of_data(position: int, heading: str, data: dict[str, Any], key: str = "") -> Iterator[Piece]:
    """The pieces of one thing that is given in several forms."""
    for kind, value in data.items():
        if "json" in kind:
            text = value if isinstance(value, str) else json.dumps(value)
            yield Piece(position, heading, "stored data", text, list(from_json(value)), key)
            continue
        text = text_of(value)
        if kind == PACKED:
            yield Piece(position, heading, "an output", packed=text)
        elif kind == "image/svg+xml":
            svg = text if "<" in text else _decoded(text)
            yield Piece(position, heading, "a picture", _words_of(svg), svg=svg)
            yield from _unseen(position, heading, read_markup(_DATA.sub("", svg)))
            yield from (replace(piece, drawn=True) for piece in _embedded(position, heading, svg))
        elif kind.startswith("image/"):
            yield Piece(position, heading, "a picture", png=text)
        elif kind == "text/html":
            yield from _of_html(position, heading, text, key)
        elif not (kind == "text/plain" and _is_told(text, text_of(data.get("text/html", "")))):
            where = "a glued value" if key else "a text"
            if kind == "text/markdown" and _TAG.search(text):
                yield from _of_html(position, heading, text, key)
            else:
                yield from _embedded(position, heading, text)
            yield _printed(position, heading, where, _DATA.sub("", text), key)


def _of_html(position: int, heading: str, text: str, key: str) -> Iterator[Piece]:
    markup = read_markup(_DATA.sub("", text))
    where = "a table" if markup.grids else "a text"
    grids = [*markup.grids, *from_cells(markup.grids), *from_script(markup.text), *from_lines(markup.text)]
    svg = _DATA.sub("", text) if "<svg" in text else ""
    yield Piece(position, heading, where, markup.text, grids, key, svg=svg)
    yield from _unseen(position, heading, markup)
    yield from _embedded(position, heading, text)
    for inner in markup.inner:
        yield from _of_html(position, heading, inner, key)


def _unseen(position: int, heading: str, markup: Markup) -> Iterator[Piece]:
    """What a reader does not see of a page or picture."""
    text = "\n".join(markup.hidden)
    yield Piece(position, heading, "an attribute or comment", text, list(from_lines(text, below=False)), hidden=True)
    for script in markup.scripts:
        grids = [*from_script(script), *from_lines(_BRACES.sub("\n", script), below=False)]
        yield Piece(position, heading, "a script", script, grids, hidden=True)


def _embedded(position: int, heading: str, text: str) -> Iterator[Piece]:
    """Pictures and data that are written into a text as base64."""
    for kind, coded in _DATA.findall(text):
        if kind.startswith("image/") and "svg" not in kind:
            yield Piece(position, heading, "a picture", png=coded)
        elif re.search(r"text|json|javascript|svg|xml", kind):
            yield from _of_data(position, heading, {kind: _decoded(coded)})


def _printed(position: int, heading: str, where: str, text: str, key: str = "") -> Piece:
    grids, rest = from_text(text)
    return Piece(
        position, heading, where, rest, [*grids, *from_cells(grids), *from_arrays(text), *from_lines(rest)], key
    )


def _is_told(text: str, html: str) -> bool:
    """Whether every number of a text stands in a table of a page too: the same table, whose lines may be broken."""
    if "<table" not in html:
        return False
    told = {
        word for grid in read_markup(html).grids for part in (grid.header, grid.index, *grid.rows) for word in part
    }
    words = {part for word in told for part in word.split()}
    return all(word in words for word in text.split() if any(map(str.isdigit, word)))


def _words_of(svg: str) -> str:
    """What is written in a picture: its text, or the comments beside text that is drawn as outlines."""
    found = re.findall(r"<!--(.*?)-->|<(?:text|title|desc)\b[^>]*>(.*?)</(?:text|title|desc)>", svg, re.DOTALL)
    return "\n".join(re.sub(r"<[^>]+>", "", a or b).strip() for a, b in found)


def _decoded(coded: str) -> str:
    """The text behind base64; what is none is left as it is."""
    return bytes_of(coded).decode("utf-8", errors="replace") or coded


def bytes_of(coded: str) -> bytes:
    """What base64 says, be its padding there or not; nothing where it is none."""
    plain = re.sub(r"\\[nrt]|[\\\s]", "", coded).rstrip("=")  # lines are broken so in scripts and in JSON
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4))
    except ValueError:
        return b""


def text_of(value: Any) -> str:
    """What a notebook gives as a text or as its lines."""
    return "".join(value) if isinstance(value, list) else str(value)
