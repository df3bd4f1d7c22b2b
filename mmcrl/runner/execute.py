"""Execute: one notebook with its parameters, through papermill, in a kernel of its own, and under guard."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import papermill
from nbformat import NotebookNode
from papermill.execute import ERROR_MARKER_TAG

from mmcrl.runner.files import workplace
from mmcrl.runner.guarding import guard
from mmcrl.runner.kernel import kernel_class
from mmcrl.runner.project import Project
from mmcrl.runner.stable import serialise, stabilise

__all__ = ["Executed", "Task", "execute", "heading_at"]

OnCell = Callable[[int, str], None]
_MARK = "source-"
_OUTPUT_TIMEOUT = (
    600  # seconds for a cell's last output to arrive; 4, the default, pass on a machine that has much to do
)


@dataclass(frozen=True)
class Task:
    """What to execute. Plain data, so that it can be sent to another machine which sees the same folder."""

    name: str
    source: str  # the notebook's JSON
    given: dict[str, Any]  # parameters that differ from the notebook's own
    root: str
    threads: int
    minimum: int | None = None  # a count of people must reach it; None: as the manifests say


@dataclass(frozen=True)
class Executed:
    """What came of it: the executed notebook, the seconds it took, and what failed where, if anything did.

    A notebook that discloses people comes back as its source, without outputs; ``failure`` says what was found.
    """

    notebook: str
    seconds: float
    failure: str | None = None
    report: dict[str, Any] = field(default_factory=dict)  # of the disclosure guard

    @property
    def refused(self) -> bool:
        """Whether the disclosure guard has found people."""
        return bool(self.report.get("findings"))


def execute(task: Task, on_cell: OnCell | None = None) -> Executed:
    """Execute a notebook; a failing cell is reported, not raised.

    Parameters
    ----------
    task : notebook and parameters
    on_cell : called with the position and the heading of each cell that starts
    """
    for chatty in ("papermill", "traitlets"):
        logging.getLogger(chatty).setLevel(logging.CRITICAL)
    source = _numbered(nbformat.reads(task.source, as_version=4))
    start = time.perf_counter()
    with workplace() as folder:
        output, failure = folder / "out.ipynb", None
        try:
            Context().run(  # a loop of its own: Jupyter keeps one in the context, which tasks of dask inherit
                papermill.execute_notebook,
                source,
                output,
                parameters=task.given,
                kernel_name="python3",
                language="python",
                progress_bar=False,
                kernel_manager_class=kernel_class(Project(Path(task.root)), task.threads, folder),
                resources={"metadata": {"path": task.root}},
                shutdown_kernel="immediate",
                iopub_timeout=_OUTPUT_TIMEOUT,
                on_cell_start=_reporter(source, on_cell),
            )
        except papermill.PapermillExecutionError as error:
            failure = f"{error.ename}: {error.evalue}".splitlines()[0]
        except RuntimeError as error:
            failure = f"the kernel ended, perhaps for want of memory: {error}".splitlines()[0]
        notebook = nbformat.read(output, as_version=4)
        notebook.cells = [cell for cell in notebook.cells if ERROR_MARKER_TAG not in cell.metadata.get("tags", [])]
        if failure:
            failure = f"{_place_of_failure(source, notebook)}: {failure}"
        places = [_position(cell) for cell in notebook.cells]
        stable = stabilise(notebook, Path(task.root))
        guarded = guard(stable, folder, Project(Path(task.root)), task.minimum, places)
    seconds = time.perf_counter() - start
    if guarded.refusal:
        return Executed(task.source, seconds, guarded.refusal, guarded.report)
    return Executed(serialise(stable), seconds, failure, guarded.report)


def heading_at(cells: list[NotebookNode], position: int) -> str:
    """The nearest heading at or above a cell; empty when there is none."""
    for cell in reversed(cells[: position + 1]):
        if cell.cell_type == "markdown":
            headings = [line for line in cell.source.splitlines() if line.startswith("#")]
            if headings:
                return headings[-1].strip("# ")
    return ""


def _numbered(source: NotebookNode) -> NotebookNode:
    """The source with identifiers that tell the position of a cell, which papermill's own cell would shift."""
    source.nbformat_minor = max(source.nbformat_minor, 5)
    for position, cell in enumerate(source.cells):
        cell.id = f"{_MARK}{position}"
    return source


def _position(cell: NotebookNode) -> int | None:
    """Where a cell stands in the source; None for papermill's own, whose random identifier may be all digits."""
    return int(cell.id.removeprefix(_MARK)) if cell.id.startswith(_MARK) else None


def _reporter(source: NotebookNode, on_cell: OnCell | None) -> Callable[..., None] | None:
    if on_cell is None:
        return None

    def report(cell: NotebookNode, cell_index: int) -> None:
        if (position := _position(cell)) is not None:
            on_cell(position, heading_at(source.cells, position))

    return report


def _place_of_failure(source: NotebookNode, notebook: NotebookNode) -> str:
    """The cell that failed: the last that was started. Its position is the one in the source, from 0."""
    begun = [_position(cell) for cell in notebook.cells if cell.metadata.get("papermill", {}).get("start_time")]
    position = max((place for place in begun if place is not None), default=0)
    heading = heading_at(source.cells, position)
    return f"cell {position}" + (f" under {heading!r}" if heading else "")
