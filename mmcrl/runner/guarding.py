"""Guarding: an executed notebook is inspected where it was executed, before anything of it is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from mmcrl.disclosure import Report, Rules, inspect
from mmcrl.disclosure.noted import read_notes
from mmcrl.runner.foreign import is_foreign
from mmcrl.runner.kernel import WATCHED
from mmcrl.runner.project import Project

__all__ = ["Guarded", "guard"]


@dataclass(frozen=True)
class Guarded:
    """What the guard has to say: the report that is kept with a page, and why there must be none."""

    report: dict[str, Any]
    refusal: str | None = None


def guard(
    notebook: NotebookNode,
    folder: Path,
    project: Project,
    minimum: int | None = None,
    places: Sequence[int | None] = (),
) -> Guarded:
    """Inspect an executed notebook.

    One that saw simulated people alone is free, unless it opened a foreign file: then it is judged by its form.

    Parameters
    ----------
    notebook : as it would be written
    folder : of the execution, with the notes of its kernel
    project : whose manifests stand for the people of a notebook that saw no cohort
    minimum : a count of people must reach it; None: what the cohorts' manifests say, else 10
    places : of each cell in the source, which a refusal names; None for papermill's own
    """
    noted = read_notes(folder / WATCHED, sorted(project.data.glob("*.toml")))
    if noted.simulated and not noted.people and not any(is_foreign(path, project) for path in noted.opened):
        outputs = sum(len(cell.get("outputs", [])) for cell in notebook.cells)
        report = Report([], {"simulated": noted.simulated, "outputs": outputs})
    else:
        report = inspect(notebook, noted.people, None if minimum is None else Rules(minimum), noted.drawings)
    if not report.findings:
        return Guarded(report.to_dict())
    first, *others = report.findings
    if first.cell < len(places) and (place := places[first.cell]) is not None:
        first = replace(first, cell=place)
    more = f" and {len(others)} more" if others else ""
    return Guarded(report.to_dict(), f"the disclosure guard: {first}{more}")
