"""Check: everything that is wrong with a manifest and its data, or a short overview when nothing is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from mmcrl.errors import InputError
from mmcrl.manifest import assemble, find_manifest
from mmcrl.ranges import few

__all__ = ["Report", "check_manifest"]


@dataclass(frozen=True)
class Report:
    """What `check_manifest` found: problems, or what is in the cohort (counts under 10 are not told)."""

    manifest: str
    problems: list[str]
    summary: pd.DataFrame

    def __str__(self) -> str:
        if self.problems:
            return "\n".join([f"{self.manifest}: {len(self.problems)} problem(s)", *self.problems])
        return f"{self.manifest}: no problem\n{self.summary.to_string()}"


def check_manifest(name_or_path: str | Path) -> Report:
    """Load the cohort as `load_cohort` does, list all problems at once, write nothing.

    Problems of one stage (the file's form; the table; the values; the columns) hide those of the next.
    """
    try:
        cohort, faults = assemble(find_manifest(name_or_path))
    except InputError as error:
        cohort, faults = None, [error]
    problems = [str(fault) for fault in faults]
    if cohort is None:
        return Report(str(name_or_path), problems, pd.DataFrame())
    summary = cohort.summary()
    summary["people"] = summary["people"].map(few)
    summary["missing"] = summary["missing"].map("{:.1%}".format)
    whole = {"kind": "", "columns": summary["columns"].sum(), "people": few(len(cohort)), "missing": ""}
    summary = pd.concat([summary, pd.DataFrame(whole, index=["all"])])
    return Report(str(name_or_path), problems, summary)
