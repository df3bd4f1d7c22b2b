"""Stamp: what an executed notebook was made from, kept in its own metadata, so that both are written at once."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from mmcrl.runner.files import digest
from mmcrl.runner.inputs import Inputs
from mmcrl.runner.stable import serialise

__all__ = ["changes_since", "mark_outdated", "stamped"]

_NOTICE = "outdated-notice"


def stamped(
    executed: str, name: str, parameters: dict[str, Any], inputs: Inputs, report: dict[str, Any] | None = None
) -> str:
    """The text of an executed notebook with its inputs, the guard's report and the hash of its own content."""
    notebook = nbformat.reads(executed, as_version=4)
    stamp = {"run": name, "parameters": parameters, "inputs": asdict(inputs), "disclosure": report or {}}
    notebook.metadata["mmcrl"] = stamp
    return _sealed(notebook)


def changes_since(path: Path, inputs: Inputs) -> list[str]:
    """Why the notebook at a path has to be made again; empty when it is fresh.

    Names of inputs that have changed, or "no output", "damaged output", "an earlier failure".
    """
    if not path.is_file():
        return ["no output"]
    notebook = _read(path)
    if notebook is None:
        return ["damaged output"]
    stamp = notebook.metadata["mmcrl"]
    if "failure" in stamp:
        return ["an earlier failure"]
    return inputs.changes(Inputs.from_record(stamp.get("inputs")))


def mark_outdated(path: Path, failure: str) -> str | None:
    """The text of an earlier output after a failed rerun: no longer taken for fresh, and it tells its reader so.

    None when there is no earlier output that could be read.
    """
    notebook = _read(path)
    if notebook is None:
        return None
    notebook.cells = [cell for cell in notebook.cells if _NOTICE not in cell.metadata.get("tags", [])]
    notice = f":::{{warning}}\nThis page is out of date: its latest run failed ({failure}).\n:::"
    cell = nbformat.v4.new_markdown_cell(notice, id=_NOTICE, metadata={"tags": [_NOTICE]})
    notebook.cells.insert(1, cell)
    notebook.metadata["mmcrl"]["failure"] = failure
    return _sealed(notebook)


def _sealed(notebook: NotebookNode) -> str:
    notebook.metadata["mmcrl"].pop("content", None)
    notebook.metadata["mmcrl"]["content"] = digest(serialise(notebook))
    return serialise(notebook)


def _read(path: Path) -> NotebookNode | None:
    """The notebook at a path, if it is whole and as it was written."""
    try:
        text = path.read_text(encoding="utf-8")
        notebook = nbformat.reads(text, as_version=4)
        return notebook if _sealed(nbformat.reads(text, as_version=4)) == text else None
    except (OSError, ValueError, KeyError, AttributeError):
        return None
