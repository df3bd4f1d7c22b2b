"""Results: small tables of what takes long, each with its provenance beside it, under `data/results`.

``NAME.csv`` has one row per point of sweep NAME; ``NAME.json`` says what it was made from, when and how long it took.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import date
from importlib.metadata import version
from io import StringIO
from platform import python_version
from typing import Any

import pandas as pd

import mmcrl
from mmcrl.errors import InputError
from mmcrl.parallel import cores
from mmcrl.runner.board import duration
from mmcrl.runner.files import digest, write_whole
from mmcrl.runner.inputs import Inputs, has_files
from mmcrl.runner.planner import Planner
from mmcrl.runner.project import Project

__all__ = ["Provenance", "Verified", "read", "write", "write_verified"]

_PACKAGES = ("numpy", "pandas", "scipy", "scikit-learn", "torch")
_WORDS = {"cells": "the notebook", "pins": "the versions of other packages"}


@dataclass(frozen=True)
class Verified:
    """So many points, computed anew with these inputs of the sweep, gave the numbers that are in the table."""

    points: int
    inputs: Inputs


@dataclass(frozen=True)
class Provenance:
    """Where a table of results comes from. The date is in the file only: on a page it would vary."""

    sweep: str
    notebook: str
    points: list[dict[str, Any]]  # every parameter of every point
    inputs: Inputs
    table: str  # SHA-256 of the CSV file
    versions: dict[str, str]
    cores: int
    seconds: list[float]  # of every point
    date: str
    verified: Verified | None = None

    def changes(self, project: Project | None = None) -> list[str]:
        """What is no longer as it was: the notebook, the package, the parameters, the data, other versions.

        Of data that are not on this machine nothing is said.
        """
        planner = Planner(project or Project.find())
        return self._changes(planner, self.inputs, self.lacks_data(planner.project))

    def _changes(self, planner: Planner, earlier: Inputs, unseen: bool) -> list[str]:
        """What differs from these inputs of the sweep; of data that are ``unseen``, nothing."""
        if self.sweep not in planner.config.sweeps:
            return ["params.yml, which no longer has this sweep,"]
        changed = planner.sweep_inputs(self.sweep).changes(earlier)
        return [_WORDS.get(name, f"the {name}") for name in changed if not (unseen and name == "data")]

    def lacks_data(self, project: Project) -> bool:
        """Whether the files of a cohort that it names are not on this machine."""
        cohorts = {point["cohort"] for point in self.points if isinstance(point.get("cohort"), str)}
        return not all(has_files(cohort, project.root) for cohort in cohorts)

    def changed_since(self, project: Project | None = None) -> str:
        """One sentence for the page.

        Such as "Computed on 2 cores in 5 min with mmcrl 0.1.0; the package has changed since." If points were
        computed anew with what there is now (see `mmcrl.runner.verify`), it says so.
        """
        cores = "1 core" if self.cores == 1 else f"{self.cores} cores"
        made = f"Computed on {cores} in {duration(sum(self.seconds))} with mmcrl {self.versions['mmcrl']}"
        planner = Planner(project or Project.find())
        unseen = self.lacks_data(planner.project)
        changed = self._changes(planner, self.inputs, unseen)
        known = ", as far as can be told without its data" if unseen else ""
        if not changed:
            return f"{made}; nothing has changed since{known}."
        plural = len(changed) > 1 or changed[0].endswith(("parameters", "packages"))
        made += f"; {' and '.join(changed)} {'have' if plural else 'has'} changed since{known}"
        if self.verified is None or self._changes(planner, self.verified.inputs, unseen):
            return f"{made}."
        some, them = f"{self.verified.points} of {len(self.points)} points", "them" if plural else "it"
        return f"{made}: {some}, computed anew with {them}, gave the same numbers, times and memory apart."


def read(name: str, project: Project | None = None) -> tuple[pd.DataFrame, Provenance]:
    """The table of a sweep and its provenance.

    Raises
    ------
    InputError : when there is none yet, or the two files do not belong together.

    >>> table, provenance = read("numeric-seeds")  # doctest: +SKIP
    >>> print(provenance.changed_since())  # doctest: +SKIP
    """
    folder = (project or Project.find()).results
    try:
        record = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        text = (folder / f"{name}.csv").read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError("name", f"a table made by `python -m mmcrl run {name}`", "none") from None
    except ValueError:
        raise InputError("name", "a whole table", f"a damaged {name}.json") from None
    try:
        verified = record.get("verified")
        if verified is not None:
            verified = Verified(int(verified["points"]), Inputs.from_record(verified["inputs"]))
        inputs = Inputs.from_record(record["inputs"])
        provenance = Provenance(**{**record, "inputs": inputs, "verified": verified})
    except (TypeError, KeyError, ValueError, AttributeError):
        raise InputError("name", "a whole table", f"a damaged {name}.json") from None
    if digest(text) != provenance.table:
        raise InputError("name", "the table that its provenance belongs to", f"another {name}.csv")
    return pd.read_csv(StringIO(text)).copy(), provenance  # in one piece: columns are added to it


def write(project: Project, planner: Planner, name: str, rows: list[dict[str, Any]], **facts: Any) -> None:
    """Write the table of a sweep, then its provenance, which names the table: one alone is refused by `read`.

    Parameters
    ----------
    rows : of the table
    facts : points, inputs and seconds of the provenance
    """
    text = pd.DataFrame(rows).to_csv(index=False, lineterminator="\n")
    provenance = Provenance(
        sweep=name,
        notebook=planner.config.sweeps[name].notebook,
        table=digest(text),
        versions={"mmcrl": mmcrl.__version__, "python": python_version(), **{p: version(p) for p in _PACKAGES}},
        cores=cores(),
        date=date.today().isoformat(),
        **facts,
    )
    write_whole(project.results / f"{name}.csv", text)
    _write_provenance(project, provenance)


def write_verified(project: Project, provenance: Provenance, verified: Verified) -> None:
    """Add to a table's provenance that points of it were computed anew; all else stays."""
    _write_provenance(project, replace(provenance, verified=verified))


def _write_provenance(project: Project, provenance: Provenance) -> None:
    text = json.dumps(asdict(provenance), indent=1) + "\n"
    write_whole(project.results / f"{provenance.sweep}.json", text)
