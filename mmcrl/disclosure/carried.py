"""Carried: what a notebook holds inside other things, where neither a reader nor a search for words sees it.

Texts and pictures in base64, wherever they stand; pages and tables in the strings of JSON, as of a widget's state;
the arrays of a figure of plotly; the notes in a picture's file.  What is packed or no text once decoded, such as a
spreadsheet, a PDF or a film, is not opened; the usual kinds are told by how they begin.
"""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from mmcrl.disclosure.pieces import PACKED, STAMP, bytes_of, text_of

__all__ = ["carried"]

_WIDGETS = "application/vnd.jupyter.widget-state+json"
_CODED = re.compile(r";base64,\s*([A-Za-z0-9+/=\s\\]+)|([A-Za-z0-9+/]{60,}(?:\r?\n[A-Za-z0-9+/]+)*={0,2})")
_TAG = re.compile(r"<[A-Za-z!]")
_PICTURES = {
    rb"\x89PNG": "image/png",
    rb"\xff\xd8\xff": "image/jpeg",
    rb"GIF8": "image/gif",
    rb"RIFF....WEBP": "image/webp",
    rb"II\*\x00|MM\x00\*": "image/tiff",
}
_FILES = {  # how they begin
    rb"PK\x03\x04|\xd0\xcf\x11\xe0|7z\xbc\xaf|Rar!": "a zip file or spreadsheet",
    rb"%PDF": "a PDF",
    rb"\x1f\x8b\x08|BZh\d|\xfd7zXZ|\x28\xb5\x2f\xfd": "a compressed file",
    rb"PAR1|ARROW1|\x89HDF|\x93NUMPY|SQLite format|\$FL2|\x80[\x03-\x05][\x95}\]c]": "a file of data",
    rb".{4}ftyp|\x1aE\xdf\xa3|RIFF....(?:AVI |WAVE)|OggS|ID3": "a film or sound",
}
_DEEP = 3  # things within things
_USER_NOTES = 0x8769  # where EXIF keeps what a user wrote
Bundle = dict[str, Any]  # kind to value, as an output has it


def carried(notebook: dict[str, Any]) -> dict[str, Any]:
    """A notebook of the same cells, whose outputs are what the cells carry; the first has what the notebook does."""
    metadata = {key: value for key, value in notebook.get("metadata", {}).items() if key != STAMP}
    found = [list(_of_cell(cell)) for cell in notebook["cells"]] or [[]]
    found[0] += _of_value(metadata)
    return {"cells": [{"cell_type": "code", "source": "", "outputs": [*map(_output, held)]} for held in found]}


def _output(bundle: Bundle) -> dict[str, Any]:
    return {"output_type": "display_data", "data": bundle}


def _of_cell(cell: dict[str, Any]) -> Iterator[Bundle]:
    yield from _of_text(text_of(cell["source"]))
    yield from _of_value(cell.get("metadata", {}))
    for data in cell.get("attachments", {}).values():
        yield from _of_data(data, attached=True)
    for output in cell.get("outputs", []):
        yield from _of_value(output.get("metadata", {}))
        yield from _of_text(text_of(output.get("text", "")), seen=False)
        yield from _of_data(output.get("data", {}))


def _of_data(data: dict[str, Any], attached: bool = False) -> Iterator[Bundle]:
    for kind, value in data.items():
        if "json" in kind and not attached:
            yield from _of_value(_parsed(value) if isinstance(value, str) else value)
        elif kind.startswith("image/") and "svg" not in kind:
            yield from _noted(bytes_of(text_of(value)))
        elif attached and (text := _readable(bytes_of(text_of(value)))):
            yield from _of_decoded(text, _DEEP)
        else:
            yield from _of_text(text_of(value))


def _of_value(value: Any, deep: int = _DEEP) -> Iterator[Bundle]:
    """What a value of JSON holds in its strings; the arrays of plotly in numbers."""
    unpacked = _unpacked(value)
    if unpacked != value:
        yield {"application/json": unpacked}
    for text in dict.fromkeys(_strings(value)):
        yield from _of_text(text, deep, seen=False)
        if _TAG.search(text):
            yield {"text/html": text}
        elif "\n" in text.strip():
            yield {"text/plain": text}
    for widgets in _named(value, _WIDGETS):
        words = [text for text in _strings(widgets) if not (_TAG.search(text) or "\n" in text.strip())]
        yield {"text/plain": "\n".join(word for word in words if not word.startswith("IPY_MODEL_"))}


def _of_text(text: str, deep: int = _DEEP, seen: bool = True) -> Iterator[Bundle]:
    """What stands in a text in base64; of pictures that are ``seen`` by a reader only their notes."""
    for match in _CODED.finditer(text) if deep else ():
        data = bytes_of(match[1] or match[2])
        kind, file = _begins(data, _PICTURES), _begins(data, _FILES)
        if file:
            yield {PACKED: file}
        elif kind:
            yield from _noted(data)
            if not seen:
                yield {kind: base64.b64encode(data).decode()}
        elif decoded := _readable(data):
            yield from _of_decoded(decoded, deep)


def _begins(data: bytes, ways: Mapping[bytes, str]) -> str | None:
    return next((name for start, name in ways.items() if re.match(start, data, re.DOTALL)), None)


def _of_decoded(text: str, deep: int) -> Iterator[Bundle]:
    yield from _of_text(text, deep - 1)
    if text.lstrip()[:1] in ("[", "{"):
        yield {"application/json": text}
    yield {"text/html" if _TAG.search(text) else "text/plain": text}


def _noted(data: bytes) -> Iterator[Bundle]:
    """The notes in a picture's file: texts of a PNG, EXIF and comments of a JPEG."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as picture:
            exif = picture.getexif()
            notes = [*picture.info.items(), *exif.items(), *exif.get_ifd(_USER_NOTES).items()]
            notes += getattr(picture, "text", {}).items()  # also those behind the pixels
    except Exception:  # decoders raise whatever their format's faults make them raise
        return
    texts = [note if isinstance(note, str) else _readable(note) for _, note in notes if isinstance(note, str | bytes)]
    if told := "\n".join(dict.fromkeys(filter(None, texts))):
        yield {"text/plain": told}


def _unpacked(value: Any) -> Any:
    """A value of JSON in which plotly's coded arrays are lists of numbers."""
    if isinstance(value, list):
        return [_unpacked(item) for item in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("bdata"), str):
        try:
            return np.frombuffer(bytes_of(value["bdata"]), np.dtype(value["dtype"])).tolist()
        except (ValueError, TypeError, KeyError):
            return value
    return {key: _unpacked(item) for key, item in value.items()}


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for item in value.values() for text in _strings(item))
    elif isinstance(value, list):
        lines = all(isinstance(item, str) for item in value) and any(item.endswith("\n") for item in value)
        yield from ["".join(value)] if lines else (text for item in value for text in _strings(item))


def _named(value: Any, name: str) -> Iterator[Any]:
    """What bears this name, however deep it lies."""
    if isinstance(value, dict):
        yield from (part for key, item in value.items() for part in ([item] if key == name else _named(item, name)))
    elif isinstance(value, list):
        yield from (part for item in value for part in _named(item, name))


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _readable(data: bytes) -> str:
    """Bytes as a text; an empty one where they are none."""
    try:
        text = data.decode("utf-8").removeprefix("ASCII\0\0\0").rstrip("\0")
    except UnicodeDecodeError:
        return ""
    return text if all(sign.isprintable() or sign.isspace() for sign in text) else ""
