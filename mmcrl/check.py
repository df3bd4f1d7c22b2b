"""Check: everything that is wrong with a manifest and its data, what is proposed instead, and what is in the cohort.

What is wrong is mended in a draft of the manifest, or set aside, and the draft is loaded again until none is left.
So problems of one stage (the file's form; the table; the values; the columns) do not hide those of the next.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mmcrl.checking import Draft, advise, column_place, latent_faults, mend_data, mend_form, mend_ids
from mmcrl.cohort import Cohort
from mmcrl.errors import InputError
from mmcrl.manifest import Assembled, find_manifest, put_together, read_toml
from mmcrl.ranges import few
from mmcrl.schema import Manifest, parse_placed

__all__ = ["Report", "check_manifest", "summarised"]

_ROUNDS = 20


@dataclass(frozen=True)
class Report:
    """What `check_manifest` found; counts under the manifest's minimum are not told."""

    manifest: str
    problems: list[str]
    summary: pd.DataFrame = field(default_factory=pd.DataFrame)  # of the modalities
    proposals: str = ""  # TOML: lines to paste into the manifest, and comments
    proposed: dict[str, Any] = field(default_factory=dict)  # the whole manifest with the proposals in it
    mended: bool = True  # whether the proposals leave no problem
    cohort: Cohort | None = field(default=None, repr=False)  # of the proposed manifest, without what was set aside

    def __str__(self) -> str:
        n = len(self.problems)
        parts = [
            "\n".join([f"{self.manifest}: {n} problem(s)" if n else f"{self.manifest}: no problem", *self.problems])
        ]
        if not n:
            parts[0] += f"\n{self.summary.to_string()}"
        if self.proposals:
            head = "# Proposed; each line takes the place of the manifest's own."
            if n:
                head += " With these the check passes." if self.mended else " Not all problems have a proposal."
            parts.append(f"{head}\n{self.proposals}")
        return "\n\n".join(parts)


def check_manifest(name_or_path: str | Path) -> Report:
    """Load the cohort as `load_cohort` does, list all problems at once, propose what to write; write nothing."""
    told: dict[str, InputError] = {}
    try:
        path = find_manifest(name_or_path)
        draft = Draft(read_toml(path))
    except InputError as error:
        return Report(str(name_or_path), [str(error)], mended=False)
    manifest: Manifest | None = None
    made = Assembled()
    for _ in range(_ROUNDS):
        manifest, placed = parse_placed(draft.raw)
        made = put_together(path.parent, manifest) if manifest is not None and not placed else Assembled()
        one_each = manifest is not None and bool(made.ids) and mend_ids(draft, made, manifest)
        faults = [*(each.fault for each in placed), *made.absent.values(), *made.ids]
        if not one_each:  # else what is wrong is looked for again, in the rows that are kept
            faults += [fault for _, fault in made.faults]
        for fault in faults:
            told.setdefault(_said_of(fault), fault)
        if not faults:
            break
        if one_each:
            continue
        if manifest is None or placed:
            going_on = mend_form(draft, placed, path.stem)
        else:
            going_on = mend_data(draft, made, manifest, path.parent)
        if not going_on or not draft.raw.get("modality"):
            break
    if manifest is not None:
        told |= {fault.argument: fault for fault in latent_faults(draft, manifest)}
    problems = [str(fault) for fault in told.values()]
    if manifest is None or made.cohort is None or made.values is None:
        draft.keep_wishes()
        return Report(str(name_or_path), problems, pd.DataFrame(), draft.text(), draft.raw, mended=False)
    mended = not draft.aside and not made.ids
    for name, words in made.warned:
        draft.note(column_place(name), words)
    advise(draft, made.cohort, manifest, made.values.loc[made.cohort.ids])
    summary = pd.DataFrame() if problems else summarised(made.cohort)
    return Report(str(name_or_path), problems, summary, draft.text(), draft.raw, mended, made.cohort)


def _said_of(fault: InputError) -> str:
    """What a fault is told of once: its place and what is wrong, whatever the numbers."""
    named = fault.expected if fault.argument.startswith("file ") else ""
    return " ".join([fault.argument, named, re.sub(r"[\d,<]+", "", fault.got)])


def summarised(cohort: Cohort) -> pd.DataFrame:
    """One row a modality, and one of all; no count from which a small one could be had by subtraction."""
    summary, n, minimum = cohort.summary(), len(cohort), cohort.minimum
    cells = [int(people) * int(np.prod(cohort[str(name)].shape[1:])) for name, people in summary["people"].items()]
    summary["missing"] = [
        f"<{minimum / total:.1%}" if 0 < round(share * total) < minimum else f"{share:.1%}"
        for share, total in zip(summary["missing"], cells, strict=True)
    ]
    summary["people"] = [
        f"all but <{minimum}" if 0 < n - people < minimum <= people else few(people, minimum)
        for people in summary["people"]
    ]
    whole = {"kind": "", "columns": summary["columns"].sum(), "people": few(n, minimum), "missing": ""}
    return pd.concat([summary, pd.DataFrame(whole, index=["all"])])
