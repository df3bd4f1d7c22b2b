"""Reports: what the disclosure guard looked at on every page, read from the pages themselves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd

from mmcrl.runner.files import digest
from mmcrl.runner.project import Project

__all__ = ["read", "state", "weaker"]


def read(project: Project | None = None, but: str = "") -> pd.DataFrame:
    """One row a page of the book: whose people it was held against, how much was looked at, what was found.

    Parameters
    ----------
    project : left out, the one of the current folder
    but : a page that is left out, such as the one that shows the table
    """
    found = _reports(project or Project.find(), but)
    columns = ["people", "simulated", "outputs", "tables", "pictures", "findings", "minimum"]
    table = pd.DataFrame.from_dict(found, orient="index").reindex(columns=columns)
    table["people"] = [", ".join(names) if isinstance(names, list) else "" for names in table["people"]]
    table[columns[1:]] = table[columns[1:]].fillna(0).astype(int)
    return table.rename_axis("page")


def state(project: Project, but: str) -> str:
    """SHA-256 of all reports but one page's: a page that shows them changes with it."""
    return digest(json.dumps(_reports(project, but), sort_keys=True))


def weaker(path: Path, minimum: int | None) -> list[str]:
    """Why a page has to be made again for the guard's sake: it was held against a smaller minimum."""
    held = _report(path).get("minimum", 0)
    return ["minimum"] if path.is_file() and minimum is not None and held < minimum else []


def _reports(project: Project, but: str) -> dict[str, dict[str, Any]]:
    pages = [path for path in sorted(project.page("").parent.glob("*.ipynb")) if path.stem != but]
    return {path.stem: report for path in pages if (report := _report(path))}


def _report(path: Path) -> dict[str, Any]:
    try:
        stamp = nbformat.read(path, as_version=4).metadata["mmcrl"]
        return {} if "failure" in stamp else dict(stamp["disclosure"])
    except (OSError, ValueError, KeyError, AttributeError):
        return {}
