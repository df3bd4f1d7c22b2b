"""Stable: an executed notebook without all that differs between two executions of the same inputs.

Times, identifiers, addresses in memory and paths of this machine are removed or replaced; outputs, glued values and
execution counts stay. Two executions of the same inputs then give the same bytes.
"""

from __future__ import annotations

import re
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

__all__ = ["serialise", "stabilise"]

_LANGUAGE = {
    "name": "python",
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "pygments_lexer": "ipython3",
    "codemirror_mode": {"name": "ipython", "version": 3},
    "nbconvert_exporter": "python",
}
_CELL = "/ipykernel_"  # what a cell is called in a traceback, below a temporary folder
_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
_VARYING = ("papermill", "execution", "ExecuteTime")
_WIDGET = "application/vnd.jupyter.widget-view+json"


def stabilise(notebook: NotebookNode, root: Path) -> NotebookNode:
    """Strip what varies from an executed notebook, in place.

    Parameters
    ----------
    notebook : as papermill returns it
    root : the project's folder; paths below it become relative ones
    """
    clean = _cleaner(root)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    kept = {k: v for k, v in notebook.metadata.items() if k not in (*_VARYING, "widgets")}
    notebook.metadata = NotebookNode({**kept, "kernelspec": _KERNEL, "language_info": _LANGUAGE})
    for position, cell in enumerate(notebook.cells):
        cell.id = f"cell-{position}"
        cell.metadata = NotebookNode({k: v for k, v in cell.metadata.items() if k not in _VARYING and v != []})
        if cell.cell_type == "code":
            cell.outputs = [_output(output, clean) for output in _joined(cell.outputs)]
    return notebook


def serialise(notebook: NotebookNode) -> str:
    """The text of a notebook's file: sorted keys, sources as lists of lines, one newline at the end."""
    return nbformat.writes(notebook, version=4).rstrip("\n") + "\n"


def _joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Outputs with the pieces of a stream joined: how a stream is cut is a matter of timing."""
    joined: list[NotebookNode] = []
    streams: dict[str, NotebookNode] = {}
    for output in outputs:
        if output.output_type != "stream":
            streams = {}
            joined.append(output)
        elif output.name in streams:
            streams[output.name].text += output.text
        else:
            streams[output.name] = output
            joined.append(output)
            tail = len(joined) - len(streams)
            joined[tail:] = sorted(joined[tail:], key=lambda stream: stream.name, reverse=True)
    return joined


def _output(output: NotebookNode, clean: Callable[[Any], Any]) -> NotebookNode:
    if output.output_type == "stream":
        output.text = clean(re.sub(r"[^\r\n]*\r(?!\n)", "", output.text))
    elif output.output_type == "error":
        output.evalue, output.traceback = clean(output.evalue), clean(output.traceback)
    else:
        output.data = NotebookNode(
            {kind: value if kind.startswith("image/png") else clean(value) for kind, value in output.data.items()}
        )
        output.data.pop(_WIDGET, None)
    return output


def _cleaner(root: Path) -> Callable[[Any], Any]:
    """A function that replaces addresses and paths in a text, or in the texts of a list or dictionary."""
    places = dict.fromkeys((sysconfig.get_path("purelib"), sysconfig.get_path("platlib")), "site-packages")
    places |= {sysconfig.get_path("stdlib"): "python", str(root): ".", str(Path.home()): "~"}
    rules = [
        (_CELL, re.compile(rf"[^\s\"']{{0,500}}{_CELL}\d+/\d+\.py"), "cell"),
        ("at 0x", re.compile(r"\bat 0x[0-9a-fA-F]+"), "at 0x…"),
    ]
    for place in sorted(places, key=len, reverse=True):
        if len(place) > 1:
            rules.append((place, re.compile(re.escape(place) + r"(?![\w.-])"), places[place]))

    def clean(value: Any) -> Any:
        if isinstance(value, str):
            for within, pattern, replacement in rules:
                if within in value:  # a pattern's search through the letters of a picture takes minutes
                    value = pattern.sub(replacement, value)
            return value
        if isinstance(value, list):
            return [clean(item) for item in value]
        if isinstance(value, dict):
            return {key: clean(item) for key, item in value.items()}
        return value

    return clean
